"""SessionRules: how sessions end and what comes next, as an episode starts with them and events change them.

Both live in the scene and outlast an episode there, so whoever repeats an episode has to put them back first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from dynamite.acting import Event
from robot_app.recipe import SceneRecipe
from scenes.base import SessionEnv
from scenes.latent import LatentSpace
from scenes.session import (
    KERNELS,
    Bernoulli,
    FixedLength,
    Kernel,
    Schedule,
    Termination,
    parse_kernel,
    parse_termination,
)


@dataclass(frozen=True)
class SessionRules:
    """Attributes:
    termination: draws d_t.
    kernel: draws m'.
    """

    termination: Termination
    kernel: Kernel

    @staticmethod
    def of(scene: SessionEnv) -> SessionRules:
        """Those in force now."""
        return SessionRules(scene.sessions.termination, scene.sessions.kernel)

    def put(self, scene: SessionEnv) -> None:
        """Put them in force."""
        scene.sessions.termination, scene.sessions.kernel = self.termination, self.kernel

    def after(self, events: Iterable[Event], space: LatentSpace | None = None) -> SessionRules:
        """What ``events`` make of them.

        Args:
            space: of the scene, for schedules among them.
        """
        rules = self
        for event in events:
            if event.kind == "termination":
                rules = replace(rules, termination=parse_termination(event.value, space))
            elif event.kind == "kernel":
                rules = replace(rules, kernel=parse_kernel(event.value))
        return rules

    def recipe(self, recipe: SceneRecipe, built: SessionRules) -> SceneRecipe:
        """``recipe`` with these rules, where ``built`` are those that it gives."""
        kernel = recipe.kernel if self.kernel == built.kernel else self._plain_kernel()
        return replace(recipe, termination=self.plain_termination(), kernel=kernel)

    def plain_termination(self) -> Any:
        """As a recipe has it: a probability, ``{"length": n}``, or ``{"schedule": …}``; None for something else."""
        if isinstance(self.termination, Bernoulli):
            return self.termination.p
        if isinstance(self.termination, FixedLength):
            return {"length": self.termination.length}
        if isinstance(self.termination, Schedule):
            return {"schedule": [{"step": at, "latent": value} for at, value in self.termination.changes]}
        return None

    def _plain_kernel(self) -> dict[str, Any]:
        name = next(name for name, kind in KERNELS.items() if type(self.kernel) is kind)
        return {"name": name, **asdict(self.kernel)}  # type: ignore[call-overload]

    @property
    def kernel_name(self) -> str:
        return type(self.kernel).__name__.lower()
