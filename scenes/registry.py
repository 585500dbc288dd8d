"""Every scene by name. A new scene is one file and one line here."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
from dataclasses import dataclass
from typing import Any

import gymnasium as gym

from scenes.errors import InputError


@dataclass(frozen=True)
class SceneEntry:
    """Where a scene lives.

    Attributes:
        gym_id: its Gymnasium id; ``-vN`` rises when behaviour changes.
        module, cls: import path, loaded on first use.
        summary: one line for pickers and lists.
        extra: the package that building it needs beyond the project's own, and the name of the extra that installs it.
        install: the command that installs that package, where it is not the extra's.
    """

    gym_id: str
    module: str
    cls: str
    summary: str
    extra: str = ""
    install: str = ""

    def load(self) -> type:
        return getattr(importlib.import_module(self.module), self.cls)

    @property
    def installed(self) -> bool:
        """Whether its extra is there."""
        return not self.extra or importlib.util.find_spec(self.extra) is not None

    @property
    def command(self) -> str:
        """What installs its extra."""
        return self.install or f'pip install "dynamite-care[{self.extra}]"'


SCENES: dict[str, SceneEntry] = {
    "scratch_itch": SceneEntry(
        "scenes/ScratchItch-v1",
        "scenes.care.scratch_itch",
        "ScratchItch",
        "An arm on a wheelchair scratches a hidden itch that moves along the person's right arm.",
    ),
    "arm_manipulation": SceneEntry(
        "scenes/ArmManipulation-v1",
        "scenes.care.arm_manipulation",
        "ArmManipulation",
        "An arm beside a bed lays the person's hanging arm beside them, held where a hidden sore spot is not.",
    ),
    "bed_bathing": SceneEntry(
        "scenes/BedBathing-v1",
        "scenes.care.bed_bathing",
        "BedBathing",
        "An arm beside a bed washes a hidden region of the person's arm, as hard as they like it.",
    ),
    "dressing": SceneEntry(
        "scenes/Dressing-v1",
        "scenes.care.dressing",
        "Dressing",
        "A sleeve is drawn over the person's arm, past a hidden sore spot and at a hidden pace.",
    ),
    "feeding": SceneEntry(
        "scenes/Feeding-v1",
        "scenes.care.feeding",
        "Feeding",
        "A spoon brings food to a person's mouth; the side and the pace they want change from session to session.",
    ),
    "drinking": SceneEntry(
        "scenes/Drinking-v1",
        "scenes.care.drinking",
        "Drinking",
        "A cup is tilted at a person's mouth; the side and the tilt rate they want change from session to session.",
    ),
    "assistive_gym": SceneEntry(
        "scenes/AssistiveGym-v1",
        "scenes.care.assistive_gym.scene",
        "AssistiveGym",
        "A task of upstream's Assistive Gym 1.0, with its target hidden and moving from session to session.",
        "assistive_gym",
        'pip install --no-deps "git+https://github.com/Healthcare-Robotics/assistive-gym"',
    ),
    "gridworld": SceneEntry(
        "scenes/Gridworld-v1",
        "scenes.control.gridworld",
        "Gridworld",
        "Two goals, one pays; when a session ends the agent returns to the start and the roles may swap.",
    ),
    "gridworld_stay": SceneEntry(
        "scenes/GridworldStay-v1",
        "scenes.control.gridworld",
        "GridworldStay",
        "Two goals, one pays; nothing but the reward tells that the roles swapped.",
    ),
    "gridworld_contexts": SceneEntry(
        "scenes/GridworldContexts-v1",
        "scenes.control.gridworld_contexts",
        "GridworldContexts",
        "Four goals; which shape pays, which colour is rich, prize or trap, and a wind change from session to session.",
    ),
    "gridworld_continuous": SceneEntry(
        "scenes/GridworldContinuous-v1",
        "scenes.control.gridworld_continuous",
        "GridworldContinuous",
        "A hidden spot anywhere on the board, felt by how much a cell pays, drifts from session to session.",
    ),
    "reacher": SceneEntry(
        "scenes/Reacher-v1",
        "scenes.control.reacher",
        "Reacher",
        "A two-link arm finds a hidden goal that drifts from session to session (MuJoCo).",
        "mujoco",
    ),
    "half_cheetah_dir": SceneEntry(
        "scenes/HalfCheetahDir-v1",
        "scenes.control.half_cheetah",
        "HalfCheetahDir",
        "A half-cheetah runs forward or backward; the wanted direction turns from session to session (MuJoCo).",
        "mujoco",
    ),
    "half_cheetah_vel": SceneEntry(
        "scenes/HalfCheetahVel-v1",
        "scenes.control.half_cheetah",
        "HalfCheetahVel",
        "A half-cheetah runs at a hidden speed that drifts from session to session (MuJoCo).",
        "mujoco",
    ),
    "half_cheetah_wind_vel": SceneEntry(
        "scenes/HalfCheetahWindVel-v1",
        "scenes.control.half_cheetah",
        "HalfCheetahWindVel",
        "A half-cheetah runs at a hidden speed in a hidden wind; both drift from session to session (MuJoCo).",
        "mujoco",
    ),
}


def register_all() -> None:
    """Tell Gymnasium about every scene (idempotent)."""
    for entry in SCENES.values():
        if entry.gym_id not in gym.registry:
            gym.register(entry.gym_id, entry_point=f"{entry.module}:{entry.cls}", order_enforce=True)


def list_scenes() -> tuple[str, ...]:
    """The names of all scenes."""
    return tuple(SCENES)


def find_scene(name: str) -> SceneEntry:
    """The entry called ``name`` (``scratch_itch``, or its Gymnasium id)."""
    for key, entry in SCENES.items():
        if name in (key, entry.gym_id):
            return entry
    raise InputError("scene", name, "one of " + ", ".join(SCENES))


def make_scene(name: str, **options: Any) -> Any:
    """A scene by name, without Gymnasium's wrappers.

    Raises:
        InputError: unknown scene or option.
    """
    cls = find_scene(name).load()
    try:
        return cls(**options)
    except TypeError as error:
        if "unexpected keyword" not in str(error):
            raise
        option = str(error).split("'")[1]
        allowed = list(inspect.signature(cls).parameters)
        raise InputError(f"{name}.{option}", options[option], "options " + ", ".join(allowed)) from None
