"""What the simulator's process says to the application. Commands go the other way as ``(name, arguments)``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamite.acting import Event, Frame
from robot_app.recipe import SceneRecipe
from robot_app.takes import TakeInfo
from scenes.latent import Latent, LatentSpace
from scenes.visual import CameraPreset


@dataclass(frozen=True)
class Loaded:
    """A scene and a policy stand ready, paused at step 0.

    Attributes:
        number: of the scene, rising; poses in shared memory carry it.
        drawable: whether there is a picture.
        why_not: in words, where there is none.
        step_s: simulated seconds per step.
        reference: name of the oracle that plays along; empty for none.
        termination: a probability, ``{"length": n}``, a recipe's schedule, or None for something else.
        kernel: its name.
        changed_scene: False where only the policy is new.
    """

    number: int
    recipe: SceneRecipe
    policy: str
    needs_privileged: bool
    policies: tuple[str, ...]
    space: LatentSpace
    cameras: tuple[CameraPreset, ...]
    drawable: bool
    why_not: str
    episode_length: int
    step_s: float
    reference: str
    termination: Any
    kernel: str
    changed_scene: bool


@dataclass(frozen=True)
class Built:
    """A scene stands ready to be looked at, while its policy is still being loaded.

    Attributes:
        model: the pickled VisualModel, or None where the scene cannot be drawn.
    """

    number: int
    recipe: SceneRecipe
    cameras: tuple[CameraPreset, ...]
    model: bytes | None
    why_not: str


@dataclass(frozen=True)
class Step:
    """One Frame (without poses and observation-sized extras), in order, none left out.

    Attributes:
        episode: number of the episode since the process started.
        seed: of that episode.
        revised: the step was told before; an edit has changed what is true in it.
    """

    episode: int
    seed: int
    frame: Frame
    revised: bool = False


@dataclass(frozen=True)
class Reference:
    """The oracle's rewards (t,) on the same episode, as far as known; replaces what was said before."""

    episode: int
    rewards: np.ndarray
    complete: bool


@dataclass(frozen=True)
class Edited:
    """Something was done from outside; ``edits`` counts them since the process started."""

    episode: int
    event: Event
    latent: Latent
    edits: int


@dataclass(frozen=True)
class Takes:
    """Which takes there are, and which one is looked at or goes on: told before the first Step of a new one.

    A branch shares its parent's Frames before its start; they are not told again.

    Attributes:
        current: number of a take; it is the ``episode`` of Step, Edited and Status.
        termination, kernel: in force at its newest step, as in Loaded.
    """

    takes: tuple[TakeInfo, ...]
    current: int
    termination: Any
    kernel: str


@dataclass(frozen=True)
class Cursor:
    """Step ``t`` of the past is shown; None: the newest."""

    episode: int
    t: int | None


@dataclass(frozen=True)
class Rerunning:
    """``done`` of ``total`` steps have been run again, to go on from there."""

    done: int
    total: int


@dataclass(frozen=True)
class Status:
    """``playing``, ``paused`` or ``finished``; and the simulated seconds per second of wall time lately."""

    state: str
    speed: float
    factor: float
    episode: int
    seed: int
    t: int


@dataclass(frozen=True)
class Recorded:
    """The episode so far was written to the folder ``path``."""

    path: str
    n_frames: int


@dataclass(frozen=True)
class Replayed:
    """A take was run again from its start, every step compared to the last bit.

    Attributes:
        episode: its number.
        steps: that it has.
        differs: what was first found to differ; empty where nothing was.
        instead: why it was run with the actions as recorded and not with the policy that chose them; empty where it was not.
    """

    episode: int
    steps: int
    differs: str = ""
    instead: str = ""


@dataclass(frozen=True)
class Refused:
    """A command could not be obeyed; nothing has changed.

    Attributes:
        what: the command, in words.
        message: one line that says what to do.
        traceback: for a report; empty for a user's mistake.
    """

    what: str
    message: str
    traceback: str = ""


@dataclass(frozen=True)
class Crashed:
    """The simulator's process is gone."""

    exit_code: int | None
    report: str


Message = (
    Built
    | Loaded
    | Step
    | Reference
    | Edited
    | Takes
    | Cursor
    | Rerunning
    | Status
    | Recorded
    | Replayed
    | Refused
    | Crashed
)
Command = tuple[str, dict[str, Any]]
