"""Workbench: what the panels share — the runtime, the drawing process, the history of the episode — told by signals.

It is the only place where messages become signals. It holds no widgets; panels hold no processes.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QSocketNotifier, Qt, QTimer, Signal
from qtpy.QtWidgets import QUndoCommand, QUndoStack

from dynamite.acting import Frame
from robot_app import doctor, messages, troubles
from robot_app.drawing import Drawing, DrawingFailed, DrawnSlowly, Filmed, Picked, Picture, Saved, View
from robot_app.history import History
from robot_app.messages import Built, Loaded, Status
from robot_app.recipe import SceneRecipe
from robot_app.render.camera import OrbitCamera
from robot_app.runtime import SPEEDS, Runtime
from robot_app.takes import TakeInfo, TakeRecord
from robot_app.timeline import Timeline, another, timeline_of
from robot_app.troubles import Trouble
from robot_app.window.settings import Settings
from robot_app.window.theme import THEMES, Theme
from scenes.latent import Latent
from scenes.session import KERNELS

#: Milliseconds between two looks at what has arrived; and between two redraws of plots.
TICK_MS, PLOT_MS = 33, 120


@dataclass(frozen=True)
class Notice:
    """Something the user should know.

    Attributes:
        level: ``info``, ``warning`` or ``error``.
        text: one line that says what happened and what to do.
        details: for the report.
    """

    level: str
    text: str
    details: str = ""


class PreferenceEdit(QUndoCommand):
    """One change of the preference, and back."""

    def __init__(self, workbench: Workbench, before: dict[str, Any], after: dict[str, Any]) -> None:
        super().__init__("preference edit")
        self._workbench, self._before, self._after = workbench, before, after

    def redo(self) -> None:
        self._workbench.runtime.override(self._after)

    def undo(self) -> None:
        self._workbench.runtime.override(self._before)


#: Chance per step that a session ends, where it drifts and none would end by chance.
DRIFT_TERMINATION = 0.05
#: A simulator that dies again this soon after it was started again is not started a third time by itself, seconds.
RELAPSE_S = 20.0


class Workbench(QObject):
    """Args:
    settings: what is remembered.
    """

    built = Signal(object)  # messages.Built
    loaded = Signal(object)  # Loaded
    frame = Signal(object)  # the newest Frame, at most once per tick
    plots = Signal()  # time to redraw what is costly, if anything is new
    beat = Signal()  # about eight times a second
    status_changed = Signal(object)  # Status
    edited = Signal(object)  # messages.Edited
    episode_started = Signal()
    episode_finished = Signal()
    reference_changed = Signal()
    takes_changed = Signal()  # there is another take, or another one is looked at
    rerunning = Signal(object)  # messages.Rerunning
    picture = Signal(object)  # Picture
    picked = Signal(object)  # SurfacePoint | None
    filmed = Signal(object)  # Filmed
    still_saved = Signal(object)  # Saved
    episode_saved = Signal(object)  # messages.Recorded
    not_saved = Signal(object)  # messages.Refused, of an episode
    drawing_failed = Signal(object)
    view_changed = Signal(object)  # View
    theme_changed = Signal(object)  # Theme
    notice = Signal(object)  # Notice
    trouble = Signal(object, object)  # Trouble, and what its remedies do
    happened = Signal(str, str)  # kind and text, for the log
    crashed = Signal(object)
    place_wanted = Signal(bool)  # whether clicks on the skin move the preference
    report_wanted = Signal()
    figure_wanted = Signal(object)  # a panel, to be kept as a figure
    checkpoint_wanted = Signal()  # a folder is to be chosen
    watch_wanted = Signal(bool)
    compare_wanted = Signal(bool)  # whether a second policy is to act beside
    compared = Signal(bool)  # whether one does
    camera_changed = Signal(object)  # OrbitCamera

    def __init__(self, settings: Settings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.theme: Theme = THEMES[settings.theme]
        self.runtime = Runtime()
        #: What has arrived: of the simulator, or of the comparison that stands between.
        self.incoming: Callable[[], Iterable[messages.Message]] = self.runtime.poll
        self.drawing = Drawing(self.runtime.frames.name)
        self.camera = OrbitCamera()
        self.scene: Loaded | None = None
        self.status = Status("paused", 1.0, 0.0, 0, 0, 0)
        self.history = History()
        self.seed = 0
        self.latent: Latent | None = None
        self.termination: Any = None
        self.kernel = ""
        self.takes: tuple[TakeInfo, ...] = ()
        self.cursor: int | None = None
        self._histories: dict[int, History] = {}
        self._restored_at = -math.inf
        self._restoring = False
        self.film: str | None = None
        flag = settings.flag
        self.view = View(
            theme=self.theme.name, heat=flag("view/heat", True), truth=flag("view/truth", True),
            force=flag("view/force", True), shadow=flag("view/shadow", False),
        )  # fmt: skip
        self.undo_stack = QUndoStack(self)
        self._fresh = self._stale_plots = False
        self._asked: tuple[SceneRecipe, str, int] | None = None
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
        # The simulator has longest to go and starts first; the window comes second; what draws has nothing to draw yet.
        QTimer.singleShot(0, self._start_drawing)

    # ------------------------------------------------------------------------------------------------ commands
    def load(self, recipe: SceneRecipe, policy: str, seed: int, play: bool = False) -> None:
        self._asked = (recipe, policy, seed)
        self.runtime.load(recipe, policy, seed, play)

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
        if name in KERNELS:
            self.runtime.set_kernel(name)
        else:
            self.reload(kernel=None)

    def drift(self) -> None:
        """Let the preference wander by itself from now on: sessions end by chance, and each next one is near the last."""
        termination = self.termination
        if termination == 0.0 or (isinstance(termination, dict) and "schedule" in termination):
            self.runtime.set_termination(DRIFT_TERMINATION)
        self.runtime.set_kernel("drift")

    def reload(self, **changes: Any) -> None:
        """The same scene with another recipe, from the start of the episode."""
        if self.scene is not None:
            recipe = self.scene.recipe
            if not isinstance(recipe.termination, dict) or "schedule" not in recipe.termination:
                recipe = replace(recipe, termination=self.termination)  # as it was set since
            self.load(
                replace(recipe, **changes), self.scene.policy, self.seed, self.status.state == "playing"
            )

    def set_view(self, **changes: Any) -> None:
        """Change what is drawn, and remember the toggles."""
        view = replace(self.view, **changes)
        if view == self.view:
            return
        self.view = view
        for name in ("heat", "truth", "force", "shadow"):
            if name in changes:
                self.settings.set_flag(f"view/{name}", changes[name])
        self.drawing.set_view(view)
        self.view_changed.emit(view)

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

    def tell(self, level: str, text: str, details: str = "") -> None:
        """Show a notice, and log it."""
        self.happened.emit(level, text)
        self.notice.emit(Notice(level, text, details))

    def tell_trouble(
        self, trouble: Trouble, remedies: Mapping[str, Callable[[], object]] | None = None
    ) -> None:
        """Say in a dialog what happened and what to do, and log it."""
        self.happened.emit("error", trouble.line)
        self.trouble.emit(trouble, dict(remedies or {}))

    def log(self, text: str) -> None:
        self.happened.emit("info", text)

    def restart_simulator(self) -> None:
        """After a crash: a fresh process with what was loaded last."""
        self.runtime.restart()
        self.runtime.set_speed(self.status.speed)
        self.runtime.set_loop(self.settings.flag("run/loop", True))
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
        self.runtime.set_loop(self.settings.flag("run/loop", True))
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

    def take_in(self, message: messages.Message) -> None:
        getattr(self, f"_on_{type(message).__name__.lower()}")(message)

    def _redraw_plots(self) -> None:
        self.beat.emit()
        if self._stale_plots:
            self._stale_plots = False
            self.plots.emit()

    def _on_built(self, message: Built) -> None:
        self.drawing.set_model(message.number, message.model)
        self.built.emit(message)

    def _on_loaded(self, message: Loaded) -> None:
        self.scene = message
        if message.changed_scene:
            self.termination, self.kernel = message.termination, message.kernel
        if message.changed_scene and not self._restoring:
            self.undo_stack.clear()
        if self._asked is not None:
            self._asked = (message.recipe, message.policy, self.seed)
        self.log(f"Loaded {message.recipe.describe()} with {policy_title(message.policy)}.")
        self.loaded.emit(message)

    def _on_step(self, message: messages.Step) -> None:
        history = self._histories[message.episode]
        history.add(message.frame)
        if history is not self.history:
            self._look_at(history)
            self.takes_changed.emit()
        frame = message.frame
        if (
            frame.changed
            and frame.t > 0
            and not frame.events
            and not message.revised
            and self.scene is not None
        ):
            text = self.scene.space.to_text(frame.latent)
            self.happened.emit(
                "change", f"step {frame.t}: session {frame.session + 1} begins, preference {text}"
            )
        if frame.done and not message.revised:
            self.happened.emit(
                "info", f"Episode of seed {message.seed} ended: return {self.history.returns()[-1]:.1f}."
            )
            self.episode_finished.emit()
        self._fresh = True

    def _on_takes(self, message: messages.Takes) -> None:
        """Which takes there are. One that is known is looked at from now on; a new one from its first Step on."""
        self.takes, self._restoring = message.takes, False
        self.termination, self.kernel = message.termination, message.kernel
        kept = {take.number for take in message.takes}
        info = next(take for take in message.takes if take.number == message.current)
        known = self._histories.get(info.number)
        if known is None:
            parent = self._histories.get(info.parent or 0)
            self._histories[info.number] = (
                History(info.number, info.seed) if parent is None else parent.branch(info.number, info.start)
            )
            if info.parent is not None:
                self.happened.emit("edit", f"{info.name}: goes on from step {info.start}.")
        elif known is not self.history:
            self.undo_stack.clear()  # its edits are another take's
            self._look_at(known)
        self._histories = {number: h for number, h in self._histories.items() if number in kept}
        self.takes_changed.emit()

    def _look_at(self, history: History) -> None:
        self.history, self.seed, self.cursor = history, history.seed, None
        self._fresh = True
        self.episode_started.emit()

    def _on_cursor(self, message: messages.Cursor) -> None:
        if message.episode == self.history.episode:
            self.cursor, self._fresh = message.t, True

    def _on_rerunning(self, message: messages.Rerunning) -> None:
        self.rerunning.emit(message)

    def _on_reference(self, message: messages.Reference) -> None:
        if message.episode == self.history.episode:
            self.history.oracle_rewards = message.rewards
            self._stale_plots = True
            if message.complete:
                self.reference_changed.emit()

    def _on_edited(self, message: messages.Edited) -> None:
        self.latent = message.latent
        event = message.event
        if event.kind == "termination":
            self.termination = value = event.value
            what = (
                f"every {value['length']} steps"
                if isinstance(value, dict)
                else f"with p = {value:g} per step"
            )
            text = f"step {event.t}: sessions end {what}"
        elif event.kind == "kernel":
            self.kernel = event.value["name"] if isinstance(event.value, dict) else event.value
            text = f"step {event.t}: the next preference is drawn by {self.kernel}"
        elif self.scene is not None:
            when = "now" if event.kind == "override" else "at the next session"
            given = self.scene.space.validate(event.value, base=message.latent)
            text = f"step {event.t}: preference {self.scene.space.to_text(given)}, {when}"
        else:
            text = f"step {event.t}: {event.kind}"
        self.happened.emit("edit", text)
        self.edited.emit(message)

    def _on_status(self, message: Status) -> None:
        self.status = message
        self.status_changed.emit(message)

    def _on_recorded(self, message: messages.Recorded) -> None:
        self.episode_saved.emit(message)

    def _on_refused(self, message: messages.Refused) -> None:
        if message.what == "save_episode":
            self.not_saved.emit(message)
            return
        self.tell("error", message.message, message.traceback)

    def _on_crashed(self, message: messages.Crashed) -> None:
        playing, last = self.status.state == "playing", self.history.last
        self.status = replace(self.status, state="paused", factor=0.0)
        self.status_changed.emit(self.status)
        again = time.monotonic() - self._restored_at < RELAPSE_S
        records = [
            TakeRecord(info, tuple(self._histories[info.number].frames))
            for info in self.takes
            if info.number in self._histories and len(self._histories[info.number])
        ]
        known = any(record.info.number == self.history.episode for record in records)
        if self.scene is not None and last is not None and known and not again:
            where = f"step {last.t} of seed {self.seed}"
            text = f"The simulator stopped unexpectedly. It is started again and goes on at {where}."
            self.tell("warning", text, message.report)
            self._resume_simulator(records, playing)
            return
        self.tell(
            "error",
            "The simulator stopped unexpectedly. Press Restart to load the scene again.",
            message.report,
        )
        self.crashed.emit(message)

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


def policy_title(name: str) -> str:
    """A policy's name for people: of a run's checkpoint, the run and its steps."""
    path = Path(name)
    if path.parent.name == "checkpoints" and path.name.isdigit():
        return f"{path.parent.parent.name} at {int(path.name):,} steps"
    return name if len(name) < 42 else f"…{name[-40:]}"


def default_recordings() -> Path:
    return Path.home() / "robot-app"
