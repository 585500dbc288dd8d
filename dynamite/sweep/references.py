"""Reference returns of a scene: what random actions get, and what the best could get where a solver knows.

They depend on the scene alone, so they are kept once per scene and not in every row.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dynamite.config import SceneConfig
from dynamite.files import write_atomic
from dynamite.sweep.job import canonical
from dynamite.vector import make_one
from scenes.errors import InputError
from scenes.registry import find_scene

#: Episodes of random actions: of a scene that steps as arrays, and of one that steps as objects.
ARRAY_EPISODES, OBJECT_EPISODES, SEED = 20_000, 64, 2_000_000

#: Solvers by their scenes' module: where, and the function of a scene that gives its yardsticks.
_SOLVERS = {
    "scenes.control.gridworld": ("scenes.control.gridworld_solver", "bounds"),
    "scenes.control.gridworld_contexts": ("scenes.control.gridworld_contexts_solver", "yardsticks"),
    "scenes.control.gridworld_continuous": ("scenes.control.gridworld_continuous_solver", "yardsticks"),
}


class References:
    """The references of several scenes, kept in a file.

    Args:
        path: a JSON file, read where it exists and written by :meth:`save`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, dict[str, Any]] = {}
        if path.is_file():
            try:
                entries = json.loads(path.read_text(encoding="utf-8"))
                self._known = {canonical(entry["scene"]): entry for entry in entries}
            except (ValueError, TypeError, KeyError):
                raise InputError(str(path), "a damaged file", "a list of references, or no file") from None

    def of(self, scene: SceneConfig) -> dict[str, float]:
        """Returns by name: ``random``, and of :func:`solved` what a solver knows. Computed on first use."""
        key = canonical(_plain(scene))
        if key not in self._known:
            returns = solved(scene)
            self._known[key] = {
                "scene": _plain(scene),
                "returns": returns or {"random": random_return(scene)},
            }
        return dict(self._known[key]["returns"])

    def save(self) -> None:
        entries = [self._known[key] for key in sorted(self._known)]
        write_atomic(self.path, (json.dumps(entries, indent=1) + "\n").encode())


def shares(value: float, references: dict[str, float]) -> dict[str, float]:
    """A return as a share of what was possible.

    ``share_of_bayes`` and ``share_of_oracle`` are return / bound, where the bound is above zero; ``bayes_progress`` and
    ``oracle_progress`` are (return − random) / (bound − random), 0 for random actions and 1 at the bound wherever the
    rewards' zero is.
    """
    found = {}
    low = references["random"]
    for name in ("bayes", "oracle"):
        bound = references.get(name)
        if bound is not None and bound > 0:
            found[f"share_of_{name}"] = value / bound
        if bound is not None and bound > low:
            found[f"{name}_progress"] = (value - low) / (bound - low)
    return found


def solved(scene: SceneConfig) -> dict[str, float]:
    """Returns by name, of a scene that has a solver; else nothing."""
    found = _SOLVERS.get(find_scene(scene.name).module)
    if found is None:
        return {}
    module, function = found
    returns = getattr(importlib.import_module(module), function)(make_one(scene))
    # Where an agent is played, the solver gives a standard error beside the mean.
    return {name: value[0] if isinstance(value, tuple) else value for name, value in returns.items()}


def random_return(scene: SceneConfig) -> float:
    """Mean return of uniformly random actions."""
    from dynamite.measure import measure_random

    arrays = hasattr(find_scene(scene.name).load(), "vector")
    measured = measure_random(scene, ARRAY_EPISODES if arrays else OBJECT_EPISODES, SEED)
    value = measured.values["return_mean"]
    assert value is not None
    return float(value)


def _plain(scene: SceneConfig) -> dict[str, Any]:
    plain = asdict(scene)
    plain["options"].pop("exact_belief", None)  # what the agent is shown changes no bound
    return plain
