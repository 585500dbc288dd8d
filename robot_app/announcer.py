"""What the simulator knows of the scene it runs, and what it tells: poses to shared memory, everything else as messages."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from multiprocessing.connection import Connection

from dynamite.acting import Frame
from dynamite.belief import PointPosterior
from robot_app import messages
from robot_app.reference import Reference
from robot_app.shared_frames import SharedFrames
from robot_app.stage import Stage
from robot_app.takes import Takes
from scenes.errors import InputError

#: The longest a batch of steps is held back, and how often the state is told, seconds.
FLUSH_S, STATUS_S = 0.015, 0.5
#: Running an episode again is told this often, if it takes that long.
PROGRESS_S = 0.2


class Announcer:
    """Args:
    connection: messages go out. frames: where the newest poses go.
    """

    def __init__(self, connection: Connection, frames: SharedFrames) -> None:
        self._connection, self._frames = connection, frames
        self._loaded: Stage | None = None
        self._takes: Takes | None = None
        self._reference: Reference | None = None
        self._reference_told = -1
        self._edits = 0
        self._speed, self._state = 1.0, "paused"
        self._out: list[messages.Step | messages.Cursor] = []
        self._flushed = self._status_told = 0.0
        self._progress_told = 0.0
        self._clock: tuple[float, float] = (time.perf_counter(), 0.0)  # wall, simulated at the last status
        self._simulated = self._factor = 0.0

    @property
    def _present(self) -> Takes:
        """The takes of the scene.

        Raises:
            InputError: nothing is loaded.
        """
        if self._takes is None:
            raise InputError("command", "no scene", "a scene that is loaded: choose one in the Scene panel")
        return self._takes

    @property
    def _stage(self) -> Stage:
        """Raises InputError as :attr:`_present` does."""
        if self._loaded is None:
            raise InputError("command", "no scene", "a scene that is loaded: choose one in the Scene panel")
        return self._loaded

    @property
    def _period(self) -> float:
        """Seconds of wall time per step; 0 at full speed."""
        return 0.0 if math.isinf(self._speed) else self._stage.step_s / self._speed

    def _publish(self, revised: bool = False) -> None:
        """Poses to shared memory, the newest Frame to the queue."""
        info, frame = self._present.current.info, self._present.newest
        self._write(frame, self._period if self._state == "playing" else 0.0)
        slim = replace(frame, poses=None, markers=None)
        self._out.append(messages.Step(info.number, info.seed, slim, revised))

    def _show(self, period_s: float) -> None:
        """What the cursor is at, as it was."""
        takes = self._present
        self._write(takes.shown, period_s)
        self._out.append(messages.Cursor(takes.current.info.number, takes.cursor))

    def _write(self, frame: Frame, period_s: float) -> None:
        if frame.poses is not None:
            self._frames.write(
                frame.poses,
                frame.markers,
                _heat(frame),
                scene=self._stage.number,
                episode=self._present.current.info.number,
                t=frame.t,
                edits=self._edits,
                period_s=period_s,
            )

    def _flush(self) -> None:
        now = time.perf_counter()
        if self._out and now - self._flushed >= FLUSH_S:
            self._connection.send(self._out)
            self._out, self._flushed = [], now
        if self._state == "playing" and now - self._status_told >= STATUS_S:
            self._tell_status()

    def _tell(self, message: messages.Message) -> None:
        """Send at once, after whatever waits."""
        self._connection.send([*self._out, message])
        self._out, self._flushed = [], time.perf_counter()

    def _tell_status(self) -> None:
        now = time.perf_counter()
        wall, simulated = self._clock
        if now - wall >= 0.8 * STATUS_S:
            self._factor = (self._simulated - simulated) / (now - wall)
            self._clock = (now, self._simulated)
        self._status_told = now
        number = seed = t = 0
        if self._takes is not None:
            info, t = self._takes.current.info, self._takes.n_steps
            number, seed = info.number, info.seed
        factor = self._factor if self._state == "playing" else 0.0
        self._tell(messages.Status(self._state, self._speed, factor, number, seed, t))

    def _tell_takes(self) -> None:
        takes = self._present
        rules = takes.current.info.rules.after(takes.events, self._stage.scene.latent_space)
        plain = rules.plain_termination()
        number = takes.current.info.number
        self._tell(messages.Takes(takes.infos(), number, plain, rules.kernel_name))

    def _progress(self, done: int, total: int) -> None:
        now = time.perf_counter()
        if done == 0:
            self._progress_told = now
        elif now - self._progress_told >= PROGRESS_S:
            self._progress_told = now
            self._tell(messages.Rerunning(done, total))

    def _tell_reference(self) -> None:
        reference = self._reference
        assert reference is not None
        n = len(reference.rewards)
        if reference.complete or n - self._reference_told >= 50 or n < self._reference_told:
            self._reference_told = n
            number = self._present.current.info.number
            self._tell(messages.Reference(number, reference.rewards, reference.complete))


def _heat(frame: Frame) -> PointPosterior | None:
    """The belief about a point on the skin, to be painted on it."""
    belief = frame.decision.belief
    if belief is not None:
        for posterior in belief.fields.values():
            if isinstance(posterior, PointPosterior):
                return posterior
    return None
