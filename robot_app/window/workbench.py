"""Workbench: what the panels share — the runtime, the drawing process, the history of the episode — told by signals.

It is the only place where messages become signals. It holds no widgets; panels hold no processes.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QSocketNotifier, Qt, QTimer
from qtpy.QtWidgets import QUndoCommand

from dynamite.acting import Frame
from robot_app import doctor, messages, troubles
from robot_app.drawing import Drawing, DrawingFailed, DrawnSlowly, Filmed, Picked, Picture, Saved, View
from robot_app.episode import Episode
from robot_app.recipe import SceneRecipe
from robot_app.render.camera import OrbitCamera
from robot_app.runtime import SPEEDS, Runtime
from robot_app.takes import TakeRecord
from robot_app.timeline import Timeline, another, timeline_of
from robot_app.window.listener import Listener
from robot_app.window.settings import Settings
from robot_app.window.theme import THEMES, Theme
from scenes.session import KERNELS

#: Milliseconds between two looks at what has arrived; and between two redraws of plots.
TICK_MS, PLOT_MS = 33, 120


class PreferenceEdit(QUndoCommand):
    """One change of the preference, and back."""

    def __init__(self, workbench: Workbench, before: dict[str, Any], after: dict[str, Any]) -> None:
        super().__init__("preference edit")
        self._workbench, self._before, self._after = workbench, before, after

    def redo(self) -> None:
        self._workbench.runtime.override(self._after)

    def undo(self) -> None:
        self._workbench.runtime.override(self._before)


class SessionEdit(QUndoCommand):
    """One change of how sessions end (``termination``) or what comes next (``kernel``), and back; a drag is one change."""

    #: Two changes of the same within so many seconds are one.
    TOGETHER_S = 1.0

    def __init__(self, workbench: Workbench, kind: str, before: Any, after: Any) -> None:
        super().__init__("session edit")
        self._set = getattr(workbench.runtime, f"set_{kind}")
        self._kind, self._before, self._after, self._at = kind, before, after, time.monotonic()

    def id(self) -> int:
        return 1 + ("termination", "kernel").index(self._kind)

    def mergeWith(self, other: QUndoCommand) -> bool:
        assert isinstance(other, SessionEdit)
        # Entries of a schedule come by a button, never by a drag.
        scheduled = isinstance(other._after, dict) and "schedule" in other._after
        if scheduled or other._at - self._at > self.TOGETHER_S:
            return False
        self._after, self._at = other._after, other._at
        return True

    def redo(self) -> None:
        self._set(self._after)

    def undo(self) -> None:
        self._set(self._before)


#: Kinds of events that are somebody's edit of the preference.
PREFERENCE_EDITS = ("override", "override_next")


def edits(frames: Iterable[Frame]) -> list[int]:
    """Steps at which somebody edited the preference."""
    return [e.t for frame in frames for e in frame.events if e.kind in PREFERENCE_EDITS]


#: Chance per step that a session ends, where it drifts and none would end by chance.
DRIFT_TERMINATION = 0.05


class Workbench(Listener):
    """Args:
    settings: what is remembered.
    """

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.theme: Theme = THEMES[settings.theme]
        self.runtime = Runtime()
        #: What has arrived: of the simulator, or of the comparison that stands between.
        self.incoming: Callable[[], Iterable[messages.Message]] = self.runtime.poll
        self.drawing = Drawing(self.runtime.frames.name)
        self.camera = OrbitCamera()
        self.film: str | None = None
        self._held = False  # this episode was edited: its end is not followed by the next seed
        flag = settings.flag
        self.view = View(
            theme=self.theme.name, heat=flag("view/heat", True), truth=flag("view/truth", True),
            force=flag("view/force", True), shadow=flag("view/shadow", False),
        )  # fmt: skip
        self._arrivals: deque[float] = deque(maxlen=120)
        self._closed = False

        self._tick = QTimer(self, interval=TICK_MS, timerType=Qt.PreciseTimer)
        self._tick.timeout.connect(self.tick)
        self._tick.start()
        self._plot_timer = QTimer(self, interval=PLOT_MS)
        self._plot_timer.timeout.connect(self._redraw_plots)
        self._plot_timer.start()
        # Pictures are put up as they come, not at the next tick.
        self._notifier = QSocketNotifier(self.drawing.fileno(), QSocketNotifier.Read, self)
        self._notifier.activated.connect(self.drain_drawing)
        self.edited.connect(self._keep_edited)
        self.episode_started.connect(self._hold_or_let_go)
        self.episode_finished.connect(self._tell_over)
        # The simulator has longest to go and starts first; the window comes second; what draws has nothing to draw yet.
        QTimer.singleShot(0, self._start_drawing)

    # ------------------------------------------------------------------------------------------------ commands
    def load(self, recipe: SceneRecipe, policy: str, seed: int, play: bool = False) -> None:
        self._asked = (recipe, policy, seed)
        self.runtime.load(recipe, policy, seed, play)

    def revisit(self, episode: Episode) -> None:
        """A recorded episode with its whole past, at its start."""
        self._asked = (episode.recipe, episode.manifest["policy"]["name"], episode.seed)
        self.runtime.revisit(episode.folder)

    @property
    def shown(self) -> Frame | None:
        """The Frame that is looked at: the newest, or one of the past."""
        if self.cursor is None or self.cursor >= len(self.history):
            return self.history.last
        return self.history.frames[self.cursor]

    def timeline(self) -> Timeline:
        """The episode as a strip shows it."""
        if self.scene is None or self.history.last is None:
            return Timeline()
        if set(self.history.last.latent) != {field.name for field in self.scene.space.fields}:
            return Timeline()  # of the scene before: the new one's first step is on its way
        info = next((take for take in self.takes if take.number == self.history.episode), None)
        branched = None if info is None or info.parent is None else info.start
        return timeline_of(
            self.history, self.scene.space, self.scene.episode_length, self.cursor, self.view.truth, branched
        )

    def jump(self, by: int) -> None:
        """To the next change (1) or the one before (−1), if there is one."""
        timeline = self.timeline()
        t = timeline.next() if by > 0 else timeline.previous()
        if t is not None:
            self.runtime.seek(t)

    def step_back(self) -> None:
        if self.shown is not None and self.shown.t > 0:
            self.runtime.seek(self.shown.t - 1)

    def change_take(self, by: int) -> None:
        """To the next take (1) or the one before (−1), round and round."""
        numbers = [take.number for take in self.takes]
        if self.history.episode in numbers:
            self.runtime.take(another(numbers, self.history.episode, by))

    def branch(self) -> None:
        """Go on from what is looked at, in a take of its own; where that is the newest step, from there."""
        if self.shown is not None:
            self.runtime.branch(self.shown.t)

    def play_pause(self) -> None:
        if self.status.state == "playing":
            self.runtime.pause()
        else:
            self.runtime.play()

    def reset(self, seed: int) -> None:
        self.runtime.reset(seed)

    def set_speed(self, speed: float) -> None:
        self.runtime.set_speed(speed)

    def change_speed(self, by: int) -> None:
        """To the next speed up (1) or down (−1)."""
        here = SPEEDS.index(self.status.speed) if self.status.speed in SPEEDS else 2
        self.set_speed(SPEEDS[max(0, min(len(SPEEDS) - 1, here + by))])

    def edit(self, fields: dict[str, Any], at_next_session: bool = False) -> None:
        """Change the hidden preference; what was in force before can be put back."""
        if self.scene is None or self.latent is None:
            self.tell("warning", "Nothing is loaded: choose a scene in the Scene panel.")
            return
        if not at_next_session:
            before = self.scene.space.to_json(self.latent)
            self.undo_stack.push(PreferenceEdit(self, before, {**before, **fields}))
        else:
            self.runtime.override(fields, at_next_session=True)

    def surprise(self) -> None:
        """Put a preference drawn at random in force."""
        if self.scene is not None:
            space = self.scene.space
            self.edit(space.to_json(space.sample(np.random.default_rng())))

    def set_kernel(self, name: str) -> None:
        """What the next preference is, from now on; a kernel that only the scene itself knows starts the episode over."""
        if name not in KERNELS:
            self.reload(kernel=None)
        elif self.kernel in KERNELS:
            self.undo_stack.push(SessionEdit(self, "kernel", self.kernel, name))
        else:
            self.runtime.set_kernel(name)  # the scene's own cannot be put back while the episode goes on

    def set_termination(self, value: Any) -> None:
        """How sessions end, from now on: a probability per step, ``{"length": n}`` or ``{"schedule": […]}``."""
        if self.termination is not None:
            self.undo_stack.push(SessionEdit(self, "termination", self.termination, value))
        else:
            self.runtime.set_termination(value)

    def drift(self) -> None:
        """Let the preference wander by itself from now on: sessions end by chance, and each next one is near the last."""
        termination = self.termination
        self.undo_stack.beginMacro("let it drift")
        if termination == 0.0 or (isinstance(termination, dict) and "schedule" in termination):
            self.set_termination(DRIFT_TERMINATION)
        self.set_kernel("drift")
        self.undo_stack.endMacro()

    def reload(self, **changes: Any) -> None:
        """The same scene with another recipe, from the start of the episode."""
        if self.scene is not None:
            recipe = self.scene.recipe
            if self.termination is not None:
                recipe = replace(recipe, termination=self.termination)  # as it was set since
            self.load(
                replace(recipe, **changes), self.scene.policy, self.seed, self.status.state == "playing"
            )

    def send_loop(self) -> None:
        """Whether the next seed follows by itself: if that is wished, and never after an episode with edits in it, which
        people want to look back into."""
        self._held = bool(edits(self.history.frames))
        self.runtime.set_loop(self.settings.flag("run/loop", True) and not self._held)

    def _hold_or_let_go(self) -> None:
        """Another take is looked at."""
        if self._held != bool(edits(self.history.frames)):
            self.send_loop()

    def _keep_edited(self, message: messages.Edited) -> None:
        if message.event.kind in PREFERENCE_EDITS:
            self._held = True
            self.runtime.set_loop(False)

    def _tell_over(self) -> None:
        if self.settings.flag("run/loop", True) and edits(self.history.frames):
            self.tell("info", "The episode is over. Drag the timeline to look back; N begins the next one.")

    def set_view(self, **changes: Any) -> None:
        """Change what is drawn, and remember the toggles."""
        before, view = self.view, replace(self.view, **changes)
        if view == before:
            return
        self.view = view
        for name in ("heat", "truth", "force", "shadow"):
            if name in changes:
                self.settings.set_flag(f"view/{name}", changes[name])
        self.drawing.set_view(view)
        self.view_changed.emit(view)
        if view.truth != before.truth:
            self.truth_changed.emit(view.truth)

    def set_camera(self, camera: OrbitCamera) -> None:
        """From where every view looks."""
        self.camera = camera
        self.drawing.set_camera(camera)
        self.camera_changed.emit(camera)

    def frames_of(self, number: int) -> Sequence[Frame]:
        """What was told so far of a take."""
        history = self._histories.get(number)
        return [] if history is None else history.frames

    def set_theme(self, name: str) -> None:
        self.theme = THEMES[name]
        self.settings.theme = name
        self.set_view(theme=name)
        self.theme_changed.emit(self.theme)

    def restart_simulator(self) -> None:
        """After a crash: a fresh process with what was loaded last."""
        self.runtime.restart()
        self.runtime.set_speed(self.status.speed)
        self.send_loop()
        if self._asked is not None:
            self.runtime.load(*self._asked)
        self.log("Simulator restarted.")

    def _resume_simulator(self, records: list[TakeRecord], play: bool) -> None:
        """After a crash: a fresh process that lives the present take again up to where it was."""
        scene = self.scene
        assert scene is not None
        self._restored_at, self._restoring = time.monotonic(), True
        self.runtime.restart()
        self.runtime.set_speed(self.status.speed)
        self.send_loop()
        self.runtime.restore(scene.recipe, scene.policy, records, self.history.episode, play)
        if self.cursor is not None:
            self.runtime.seek(self.cursor)

    # ------------------------------------------------------------------------------------------------ listening
    def tick(self) -> None:
        """Take everything in; tell the panels about the newest frame once."""
        self.hear()
        if self._fresh:
            self._fresh = False
            self._stale_plots = True
            frame = self.shown
            if frame is not None:
                self.latent = frame.latent
                self.frame.emit(frame)

    def hear(self) -> None:
        """Take in what has arrived."""
        for message in self.incoming():
            self.take_in(message)

    def _redraw_plots(self) -> None:
        self.beat.emit()
        if self._stale_plots:
            self._stale_plots = False
            self.plots.emit()

    def _start_drawing(self) -> None:
        if not self._closed:
            self.drawing.start()

    def drain_drawing(self) -> None:
        """Take in what the drawing process says."""
        if self._closed:
            return
        for message in self.drawing.poll():
            if isinstance(message, Picture):
                self._arrivals.append(time.perf_counter())
                self.picture.emit(message)
            elif isinstance(message, Picked):
                self.picked.emit(message.point)
            elif isinstance(message, Filmed):
                self.film = message.path if message.running else None
                self.filmed.emit(message)
            elif isinstance(message, Saved):
                self.still_saved.emit(message)
            elif isinstance(message, DrawnSlowly):
                self._tell_slow(message.reason)
            elif isinstance(message, DrawingFailed):
                self._notifier.setEnabled(False)
                self.tell_trouble(troubles.no_picture(message.message, message.traceback))
                self.drawing_failed.emit(message)

    def _tell_slow(self, reason: str) -> None:
        """In a dialog the first time on this machine; after that, whoever cares knows."""
        trouble = troubles.no_opengl(reason, doctor.apt(doctor.GL_PACKAGES))
        if self.settings.flag("told/no_opengl", False):
            self.log(trouble.line)
        else:
            self.settings.set_flag("told/no_opengl", True)
            self.tell_trouble(trouble)

    def fps(self) -> float:
        """Pictures per second over the last second; 0 while nothing moves."""
        now = time.perf_counter()
        recent = [at for at in self._arrivals if now - at < 1.0]
        return float(len(recent)) if len(recent) > 1 else 0.0

    @property
    def closed(self) -> bool:
        """Whether both processes have been ended, with the window."""
        return self._closed

    def close(self) -> None:
        """End both processes; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._tick.stop()
        self._plot_timer.stop()
        self._notifier.setEnabled(False)
        self.drawing.close()
        self.runtime.close()
        self.settings.sync()


def speed_text(speed: float) -> str:
    """``×0.5`` or ``max``."""
    return "max" if math.isinf(speed) else f"×{speed:g}"


def default_recordings() -> Path:
    return Path.home() / "robot-app"
