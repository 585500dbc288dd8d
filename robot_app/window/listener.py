"""Listener: what the window knows of scene and episode, and the messages that change it, told on by signals."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QUndoStack

from robot_app import messages
from robot_app.drawing import Drawing
from robot_app.history import History
from robot_app.messages import Built, Loaded, Status
from robot_app.recipe import SceneRecipe
from robot_app.recorded_actions import PREFIX
from robot_app.takes import TakeInfo, TakeRecord
from robot_app.troubles import Trouble
from scenes.latent import Latent

#: A simulator that dies again this soon after it was started again is not started a third time by itself, seconds.
RELAPSE_S = 20.0
#: What a kernel does, for people.
KERNEL_WORDS = {
    "uniform": "anywhere", "drift": "near the last", "alternate": "on the other side", "swap": "swapped, mostly",
}  # fmt: skip


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


class Listener(QObject):
    """Holds no process and gives no orders, but for going on after a crash; :class:`Workbench` does."""

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
    branched = Signal(object)  # TakeInfo of a new take that goes on from another's past
    takes_changed = Signal()  # there is another take, or another one is looked at
    rerunning = Signal(object)  # messages.Rerunning
    picture = Signal(object)  # Picture
    picked = Signal(object)  # SurfacePoint | None
    filmed = Signal(object)  # Filmed
    still_saved = Signal(object)  # Saved
    episode_saved = Signal(object)  # messages.Recorded
    not_saved = Signal(object)  # messages.Refused, of an episode
    kept = Signal(object, str)  # Path of what was recorded, and how much it is
    drawing_failed = Signal(object)
    view_changed = Signal(object)  # View
    truth_changed = Signal(bool)  # whether what is true may be seen
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

    drawing: Drawing

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scene: Loaded | None = None
        self.status = Status("paused", 1.0, 0.0, 0, 0, 0)
        self.history = History()
        self.seed = 0
        self.latent: Latent | None = None
        self.termination: Any = None
        self.kernel = ""
        self.takes: tuple[TakeInfo, ...] = ()
        self.replayed: dict[int, messages.Replayed] = {}  # by take, what running it again found last
        self.cursor: int | None = None
        self.undo_stack = QUndoStack(self)
        self._histories: dict[int, History] = {}
        self._restored_at = -math.inf
        self._restoring = False
        self._fresh = self._stale_plots = False
        self._asked: tuple[SceneRecipe, str, int] | None = None

    def _resume_simulator(self, records: list[TakeRecord], play: bool) -> None:
        """Start another simulator where the dead one was."""
        raise NotImplementedError

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

    def take_in(self, message: messages.Message) -> None:
        getattr(self, f"_on_{type(message).__name__.lower()}")(message)

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
        recipe = message.recipe
        said = recipe.describe().replace(recipe.name, scene_title(recipe.name), 1)
        self.log(f"Loaded {said} with {policy_title(message.policy)}.")
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
                self.branched.emit(info)
        elif known is not self.history:
            self.undo_stack.clear()  # its edits are another take's
            self._look_at(known)
        self._histories = {number: h for number, h in self._histories.items() if number in kept}
        self.replayed = {number: said for number, said in self.replayed.items() if number in kept}
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
            text = f"step {event.t}: sessions end {ends_words(value)}"
        elif event.kind == "kernel":
            self.kernel = event.value["name"] if isinstance(event.value, dict) else event.value
            words = KERNEL_WORDS.get(self.kernel, self.kernel.replace("_", " "))
            text = f"step {event.t}: from now on the next preference lies {words}"
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

    def _on_replayed(self, message: messages.Replayed) -> None:
        self.replayed[message.episode] = message
        name = next((take.name for take in self.takes if take.number == message.episode), "this take")
        if message.differs:
            text = (
                f"{name} does not repeat itself here: {message.differs}. It can be looked at; to go on, branch from "
                "before that step."
            )
        elif message.instead:
            text = (
                f"Replay verified: all {message.steps} steps of {name} are the same to the last bit, with the actions as "
                f"recorded, as their policy cannot choose them again ({message.instead})."
            )
        else:
            text = f"Replay verified: all {message.steps} steps of {name} are the same to the last bit."
        self.tell("warning" if message.differs or message.instead else "info", text)
        self.takes_changed.emit()

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


def ends_words(termination: Any) -> str:
    """How sessions end, after the words "sessions end"."""
    if not isinstance(termination, dict):
        return f"with p = {termination:g} per step"
    if "schedule" in termination:
        steps = [str(change["step"]) for change in termination["schedule"]]
        return f"as scheduled, at {', '.join(steps)}" if steps else "as scheduled: never"
    return f"every {termination['length']} steps"


def scene_title(name: str) -> str:
    """A scene's name for people: ``scratch itch``."""
    return name.replace("_", " ")


def policy_title(name: str) -> str:
    """A policy's name for people: of a run's checkpoint, the run and its steps."""
    if name.startswith(PREFIX):
        return f"actions recorded in {Path(name).name}"
    path = Path(name)
    if path.parent.name == "checkpoints" and path.name.isdigit():
        return f"{path.parent.parent.name} at {int(path.name):,} steps"
    return name if len(name) < 42 else f"…{name[-40:]}"
