"""Import an installed, unmodified Assistive Gym among its stand-ins, and make its environments by their ids."""

from __future__ import annotations

import functools
import importlib
import importlib.util
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from scenes.care.assistive_gym.fork_bullet import ForkBullet
from scenes.care.assistive_gym.stand_ins import importing_with, stand_ins
from scenes.errors import InputError
from scenes.registry import find_scene

PACKAGE = "assistive_gym"

#: Why some of its ids cannot run, by what their name begins or ends with.
_REFUSED = {
    "Dressing": "its cloth exists only on its own fork of PyBullet; our dressing scene needs none",
    "Mesh-v1": "its SMPL-X people need a body model that it does not carry",
    "Testing-v1": "it is a viewer, not a task",
}


@dataclass(frozen=True)
class Upstream:
    """The imported package.

    Attributes:
        package: ``assistive_gym``.
        bullet: what it takes for PyBullet.
        entry_points: id → ``module:class``, as it registered them.
    """

    package: ModuleType
    bullet: ForkBullet
    entry_points: dict[str, str]

    def tasks(self) -> tuple[str, ...]:
        """The ids that run."""
        return tuple(name for name in self.entry_points if not _reason(name))

    def make(self, task: str) -> Any:
        """Upstream's environment with its own, gym 0.21 API.

        Raises:
            InputError: no such id, one that cannot run (the reason is given), or files of it are missing.
        """
        reason = _reason(task) if task in self.entry_points else ""
        if reason:
            raise InputError("task", task, f"another, because {reason}: {', '.join(self.tasks())}")
        if task not in self.entry_points:
            raise InputError("task", task, "one of " + ", ".join(self.tasks()))
        module, _, cls = self.entry_points[task].partition(":")
        return getattr(importlib.import_module(module), cls)()


def _reason(task: str) -> str:
    """Why an id cannot run; empty where it can."""
    return next((why for part, why in _REFUSED.items() if task.startswith(part) or task.endswith(part)), "")


def installed() -> bool:
    return importlib.util.find_spec(PACKAGE) is not None


@functools.cache
def load() -> Upstream:
    """The package, imported once.

    Raises:
        InputError: it is not installed.
    """
    if not installed():
        raise InputError(
            "scene assistive_gym",
            "no Assistive Gym",
            f"with Assistive Gym: {find_scene('assistive_gym').command}",
        )
    bullet, entry_points = ForkBullet(), dict[str, str]()
    with importing_with(stand_ins(bullet, entry_points)):
        package = importlib.import_module(PACKAGE)
        for (
            entry_point
        ) in entry_points.values():  # imports its environments too, while the stand-ins are there
            importlib.import_module(entry_point.partition(":")[0])
    return Upstream(package, bullet, entry_points)
