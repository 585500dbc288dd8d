"""Drawing in a process of its own: poses in from shared memory, pictures out through shared memory.

With software OpenGL a picture costs tens of milliseconds, which a window's thread cannot spare. Here the window says where
the camera is and how large the view is, and gets a note when a picture is ready to be put on the screen. Two pictures
alternate: the next is drawn only when the window has taken the last, so nothing stale is ever queued.

Between two steps of the scene the poses are blended, so that a 10 Hz simulation moves smoothly.
"""

from __future__ import annotations

import multiprocessing
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from robot_app.outbox import Outbox
from robot_app.render.camera import OrbitCamera
from robot_app.shared_frames import SharedPictures
from scenes.latent import SurfacePoint


@dataclass(frozen=True)
class View:
    """What is to be drawn.

    Attributes:
        width, height: pixels.
        adaptive: draw fewer pixels while things move, where that is what it takes to keep up.
        heat, truth, force: whether the belief, the true preference and the contact force are shown.
    """

    width: int = 640
    height: int = 480
    adaptive: bool = True
    theme: str = "dark"
    shadow: bool = False
    heat: bool = True
    truth: bool = True
    force: bool = True

    def size(self, scale: float = 1.0) -> tuple[int, int]:
        """(width, height) of a picture drawn at ``scale``: even numbers."""
        return max(16, round(self.width * scale / 2) * 2), max(16, round(self.height * scale / 2) * 2)


@dataclass(frozen=True)
class Picture:
    """A picture is ready in ``slot``; answer with :meth:`Drawing.taken`.

    Attributes:
        pair: name of the shared memory it lies in.
        edits, t: of the state it shows, see :class:`~robot_app.shared_frames.Snapshot`.
        draw_ms: what it cost.
        moving: whether the next will differ: the scene or the camera is moving.
    """

    pair: str
    slot: int
    width: int
    height: int
    edits: int
    t: int
    draw_ms: float
    moving: bool


@dataclass(frozen=True)
class Picked:
    """What lies under a pixel: a point on the skin, or None."""

    point: SurfacePoint | None


@dataclass(frozen=True)
class Filmed:
    """A film began, ended (``seconds`` long) or could not be written (``error``)."""

    path: str
    running: bool
    seconds: float = 0.0
    error: str = ""


@dataclass(frozen=True)
class Saved:
    """A still was written, or not (``error``)."""

    path: str
    width: int = 0
    height: int = 0
    error: str = ""


@dataclass(frozen=True)
class DrawnSlowly:
    """There is no OpenGL: a software renderer draws. Told once."""

    reason: str


@dataclass(frozen=True)
class DrawingFailed:
    """Nothing can be drawn; the rest of the window works."""

    message: str
    traceback: str


def _serve(connection: Connection, frames: str) -> None:
    from robot_app.studio import serve  # here, so that the window need not import what draws

    serve(connection, frames)


class Drawing:
    """The window's side.

    Args:
        frames: name of the simulator's shared frames.
    """

    def __init__(self, frames: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, self._theirs = context.Pipe()
        self._outbox = Outbox(self._connection)
        self._process: Any = context.Process(
            target=_serve, args=(self._theirs, frames), name="drawing", daemon=True
        )
        self._started = False
        self._pictures: SharedPictures | None = None
        self._retired: list[SharedPictures] = []
        self._gone = False

    def start(self) -> None:
        """Start the process, once; until then, what it is told waits in the pipe."""
        if not self._started and self._process is not None:
            self._started = True
            self._process.start()
            self._theirs.close()

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def fileno(self) -> int:
        """Becomes readable when there is something to :meth:`poll`."""
        return self._connection.fileno()

    def set_model(self, number: int, model: bytes | None) -> None:
        """What to draw from now on: a pickled VisualModel and the number its poses carry."""
        self.start()  # too large to wait in the pipe
        self._send("model", number=number, model=model)

    def set_view(self, view: View) -> None:
        """Size, theme and what is shown."""
        width, height = view.width, view.height
        need = (width + 2) * (height + 2) * 3
        if self._pictures is None or self._pictures.capacity < need:
            if self._pictures is not None:  # its picture is still on the screen
                self._retired.append(self._pictures)
            self._pictures = SharedPictures(need * 5 // 4)
            self._send("pictures", name=self._pictures.name)
        self._send("view", view=view)

    def set_camera(self, camera: OrbitCamera) -> None:
        self._send("camera", camera=camera)

    def set_active(self, active: bool) -> None:
        """Whether anybody looks: a hidden view is not drawn."""
        self._send("active", active=active)

    def prepare_pick(self) -> None:
        """Clicks are about to come: what answers them takes a second to import."""
        self._send("prepare_pick")

    def film(self, path: str | None, fps: float = 30.0) -> None:
        """Write what is drawn from now on to an MP4; None ends it. Answered by Filmed, at both ends."""
        self._send("film", path=path, fps=fps)

    def still(self, path: str, scale: float = 1.0) -> None:
        """A careful picture (smooth edges, shadows) of this moment, as PNG; answered by Saved."""
        self._send("still", path=path, scale=scale)

    def pick(self, x: float, y: float, width: int, height: int) -> None:
        """Ask what skin lies under a pixel of a view of that size, or close by; answered by Picked."""
        self._send("pick", x=x, y=y, width=width, height=height)

    def taken(self, note: Picture) -> None:
        """This picture is on the screen, and no earlier one is looked at: draw the next into the other slot."""
        self._send("taken")
        if self._pictures is not None and note.pair == self._pictures.name:
            while self._retired:
                self._retired.pop().close()

    def picture(self, note: Picture) -> np.ndarray | None:
        """(height, width, 3) uint8 view of a finished picture, good until the next is taken; None if it lies in memory
        that has been replaced since."""
        pictures = self._pictures
        if pictures is None or note.pair != pictures.name:
            return None
        return pictures.picture(note.slot, note.width, note.height)

    def poll(self) -> list[Any]:
        """What has arrived, without waiting."""
        found: list[Any] = []
        if self._gone:
            return found
        try:
            while self._connection.poll():
                found.append(self._connection.recv())
        except (EOFError, ConnectionResetError, OSError):
            self._gone = True
            self._process.join(1.0)
            found.append(
                DrawingFailed(f"The drawing process ended (exit code {self._process.exitcode}).", "")
            )
        return found

    def _send(self, name: str, /, **arguments: Any) -> None:
        if not self._gone:
            self._outbox.send((name, arguments))

    def close(self) -> None:
        """End the process; safe to call twice."""
        if self._process is None:
            return
        if self._started:
            self._gone = False
            self._send("close")
            self._process.join(2.0)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        else:
            self._theirs.close()
        self._outbox.close()
        self._connection.close()
        self._process.close()
        self._process, self._gone = None, True
        for pair in (*self._retired, self._pictures):
            if pair is not None:
                pair.close()
