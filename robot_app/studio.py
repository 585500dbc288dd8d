"""The drawing process: looks for newer poses, draws them, notes that a picture is ready. Its other end is Drawing."""

from __future__ import annotations

import contextlib
import os
import pickle
import threading
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from dynamite.belief import PointPosterior
from robot_app.drawing import DrawingFailed, DrawnSlowly, Filmed, Picked, Picture, Saved, View
from robot_app.files import write_atomic
from robot_app.film_tap import FilmTap
from robot_app.motion import poses_between
from robot_app.render import RENDERER_VARIABLE
from robot_app.render.camera import OrbitCamera
from robot_app.shared_frames import SharedFrames, SharedPictures, Snapshot
from robot_app.stills import png
from scenes.errors import InputError
from scenes.visual import VisualModel

#: Above this share of the uniform belief's entropy nothing is painted: not knowing has no place.
KNOWS_NOTHING = 0.97
#: Pictures per second at most; more would take time from a training beside it and show nothing new.
MAX_FPS = 33.0
#: Sizes a moving picture is drawn at, and the milliseconds above (below) which the next smaller (larger) is taken.
SCALES, SLOW_MS, FAST_MS = (1.0, 0.8, 0.64, 0.5), 34.0, 18.0
#: Without news for so long, a picture is taken to be still, and drawn with every pixel.
STILL_S = 0.15
_POLL_S = 0.004


class Studio:
    """Args:
    connection: to the window. frames: the simulator's newest state.
    """

    def __init__(self, connection: Connection, frames: SharedFrames) -> None:
        self._connection, self._frames = connection, frames
        self._pictures: SharedPictures | None = None
        self._model: VisualModel | None = None
        self._number = -1
        self._renderer: Any = None
        self._picker: Any = None
        self._film: FilmTap | None = None
        self._camera, self._view = OrbitCamera(), View()
        self._active, self._free, self._slot = True, True, 0
        self._slow_told = False
        self._dirty, self._settled, self._hurry = False, True, False
        self._rung, self._cost_ms = 0, 0.0
        self._from: np.ndarray | None = None
        self._now: Snapshot | None = None
        self._arrived = self._moved = self._next = 0.0
        self._drawn_poses: np.ndarray | None = None

    def run(self) -> None:
        """Until told to close."""
        while True:
            while self._connection.poll(self._patience()):
                name, arguments = self._connection.recv()
                if name == "close":
                    return
                getattr(self, f"_on_{name}")(**arguments)
            self._look()
            now = time.perf_counter()
            if not self._settled and not self._dirty and not self._moving(now):
                self._dirty = True  # all is still: once more, with every pixel, and told to be at rest
            if self._wanted() and now >= self._next:
                self._draw()

    def _patience(self) -> float:
        if self._wanted():
            return max(0.0, min(_POLL_S, self._next - time.perf_counter()))
        return _POLL_S if self._active else 0.1

    # -- what the window says
    def _on_model(self, number: int, model: bytes | None) -> None:
        self._number, self._model = number, None if model is None else pickle.loads(model)
        self._release()
        self._now = self._from = self._drawn_poses = self._picker = None

    def _on_pictures(self, name: str) -> None:
        if self._pictures is not None:
            self._pictures.close()
        self._pictures, self._free, self._slot = SharedPictures(name=name), True, 0

    def _on_view(self, view: View) -> None:
        old, self._view = self._view, view
        if self._renderer is not None:
            if old.shadow != view.shadow:
                self._release()
            elif old.theme != view.theme:
                self._renderer.set_theme(view.theme)
        self._dirty = True

    def _on_camera(self, camera: OrbitCamera) -> None:
        self._camera, self._dirty, self._moved = camera, True, time.perf_counter()

    def _on_active(self, active: bool) -> None:
        self._active, self._dirty = active, True

    def _on_taken(self) -> None:
        self._free = True

    def _on_prepare_pick(self) -> None:
        threading.Thread(target=_import_open3d, name="import open3d", daemon=True).start()

    def _on_pick(self, x: float, y: float, width: int, height: int) -> None:
        point = None
        if self._model is not None and self._drawn_poses is not None:
            from robot_app.render.pick import Picker

            if self._picker is None:
                self._picker = Picker(self._model)
            point = self._picker.nearest(self._drawn_poses, self._camera, x, y, width, height)
        self._connection.send(Picked(point))

    def _on_film(self, path: str | None, fps: float) -> None:
        if self._film is not None:
            film, self._film = self._film, None
            self._connection.send(film.close())
        if path is not None:
            try:
                self._film = FilmTap(path, self._view.size(), fps)
            except InputError as error:
                self._connection.send(Filmed(path, False, error=str(error)))
            else:
                self._connection.send(Filmed(path, True))
                self._dirty = True

    def _on_still(self, path: str, scale: float) -> None:
        from robot_app.render import make_renderer

        state, view, model = self._now, self._view, self._model
        if state is None or model is None:
            self._connection.send(Saved(path, error="There is nothing to be drawn yet."))
            return
        width, height = view.size(scale)
        renderer = make_renderer(model, width, height, supersample=2, shadow=True, theme=view.theme)
        try:
            poses = state.poses if self._drawn_poses is None else self._drawn_poses
            image = renderer.draw(
                poses, self._camera, markers=state.markers, heat=_known(state.heat),
                show_heat=view.heat, show_truth=view.truth, show_force=view.force,
            )  # fmt: skip
        finally:
            renderer.close()
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            write_atomic(Path(path), png(image))
        except OSError as error:
            self._connection.send(Saved(path, error=f"{error.strerror or error}"))
        else:
            self._connection.send(Saved(path, width, height))

    # -- drawing
    def _look(self) -> None:
        """Take over a newer state, if there is one."""
        if self._now is not None and self._frames.sequence == self._now.sequence:
            return
        snapshot = self._frames.read()
        if snapshot is None or snapshot.scene != self._number:
            return
        before, self._now = self._now, snapshot
        same = before is not None and before.episode == snapshot.episode
        if before is not None and before.edits != snapshot.edits:
            self._hurry, self._next = True, 0.0  # a person is waiting to see what they did
        if same and before is not None and before.t == snapshot.t:  # an edit: nothing moved but a marker
            self._dirty = True
            return
        self._from = self._drawn_poses if same else None
        self._arrived, self._dirty = time.perf_counter(), True

    def _blend(self, now: float) -> tuple[np.ndarray, bool]:
        """Poses to draw at ``now``, and whether they are still on their way."""
        state = self._now
        assert state is not None
        if self._from is None or state.period_s < 0.02 or len(self._from) != len(state.poses):
            return state.poses, False
        share = (now - self._arrived) / state.period_s
        if share >= 1.0:
            return state.poses, False
        return poses_between(self._from, state.poses, share), True

    def _moving(self, now: float) -> bool:
        """Whether the camera or the scene moved a moment ago, so that the next picture will differ soon."""
        state = self._now
        period = 0.0 if state is None else state.period_s
        scene_moves = state is not None and period > 0 and now - self._arrived < period + STILL_S
        return scene_moves or now - self._moved < STILL_S

    def _wanted(self) -> bool:
        return (
            self._dirty and self._active and self._free
            and self._now is not None and self._model is not None and self._pictures is not None
        )  # fmt: skip

    def _draw(self) -> None:
        began = time.perf_counter()
        state, view, pictures = self._now, self._view, self._pictures
        assert state is not None
        assert pictures is not None
        poses, blending = self._blend(began)
        moving = blending or self._moving(began)
        rung = self._rung if moving else 0
        if self._hurry:
            rung, self._hurry = max(rung, len(SCALES) - 2), False
        scale = SCALES[rung] if view.adaptive and self._film is None else 1.0
        width, height = view.size(scale)
        if width * height * 3 > pictures.capacity:
            return  # a larger pair is on its way
        image = self._picture(poses, state, view, width, height)
        self._drawn_poses, self._dirty = poses, blending
        self._settled = scale == 1.0 and not moving
        self._slot = 1 - self._slot
        pictures.picture(self._slot, width, height)[:] = image
        self._free = False
        spent_ms = 1e3 * (time.perf_counter() - began)
        self._connection.send(
            Picture(pictures.name, self._slot, width, height, state.edits, state.t, spent_ms, moving)
        )
        if self._film is not None:
            self._film.add(image)
            if self._film.error:  # said at once, not when the film was meant to end
                self._on_film(None, 0.0)
        if moving:
            self._adapt(spent_ms)
        self._next = max(self._next + 1 / MAX_FPS, began)

    def _picture(self, poses: np.ndarray, state: Snapshot, view: View, width: int, height: int) -> np.ndarray:
        from robot_app.render import make_renderer

        assert self._model is not None
        if self._renderer is None:
            self._renderer = make_renderer(self._model, width, height, shadow=view.shadow, theme=view.theme)
            self._tell_if_slow()
        elif (self._renderer.width, self._renderer.height) != (width, height):
            self._renderer.resize(width, height)
        return self._renderer.draw(
            poses,
            self._camera,
            markers=state.markers,
            heat=_known(state.heat),
            show_heat=view.heat,
            show_truth=view.truth,
            show_force=view.force,
        )

    def _tell_if_slow(self) -> None:
        """Once, where there is no OpenGL."""
        from robot_app.render.fallback import TinyRenderer

        if not self._slow_told and isinstance(self._renderer, TinyRenderer):
            self._slow_told = True
            self._connection.send(DrawnSlowly(why_no_opengl()))

    def _adapt(self, spent_ms: float) -> None:
        """Choose the size of the next moving picture."""
        self._cost_ms = spent_ms if self._cost_ms == 0.0 else 0.85 * self._cost_ms + 0.15 * spent_ms
        if self._cost_ms > SLOW_MS and self._rung < len(SCALES) - 1:
            self._rung, self._cost_ms = self._rung + 1, 0.0
        elif self._cost_ms < FAST_MS and self._rung > 0:
            self._rung, self._cost_ms = self._rung - 1, 0.0

    def _release(self) -> None:
        if self._renderer is not None:
            self._renderer.close()
        self._renderer = None
        self._dirty = True

    def close(self) -> None:
        """Give everything back."""
        if self._film is not None:
            self._film.close()
        self._release()
        if self._pictures is not None:
            self._pictures.close()


def why_no_opengl() -> str:
    """What EGL says when it is asked for a context; one line."""
    if os.environ.get(RENDERER_VARIABLE) == "tiny":
        return f"{RENDERER_VARIABLE}=tiny asks for it"
    try:
        import moderngl

        options: dict[str, Any] = {"backend": "egl"}
        moderngl.create_context(standalone=True, **options).release()
    except Exception as error:  # moderngl raises plain Exception where a library or a driver is missing
        return " ".join(str(error).split())
    return "EGL gives a context, but not one that can draw the scene"


def _import_open3d() -> None:
    with contextlib.suppress(ImportError, OSError):  # a click will say what is missing
        import open3d  # noqa: F401


def _known(heat: PointPosterior | None) -> PointPosterior | None:
    """``heat``, or None where it says next to nothing."""
    if heat is None:
        return None
    p = np.asarray(heat.grid, float).ravel()
    share = -np.sum(p * np.log(np.maximum(p, 1e-12))) / np.log(p.size)
    return heat if share < KNOWS_NOTHING else None


def serve(connection: Connection, frames_name: str) -> None:
    """The process's main function."""
    frames = SharedFrames(frames_name)
    studio = Studio(connection, frames)
    try:
        import robot_app.render.live  # noqa: F401 (now, while the scene is still being built)

        studio.run()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the window is gone
    except Exception as error:
        with contextlib.suppress(OSError):
            connection.send(DrawingFailed(f"{type(error).__name__}: {error}", traceback.format_exc()))
    finally:
        with contextlib.suppress(Exception):
            studio.close()
        frames.close()
        connection.close()
