"""Reference scores: what random actions and an oracle reach in a scene, so that a return can be read as a share.

They are measured once by ``robot-app evaluate … --write-reference`` and kept as ``policies/references/<scene>.json``: by the
conditions that decide a return (controller, robot, termination, kernel, …), then by role. A policy's share is
(R − R_random) / (R_oracle − R_random).
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

from robot_app.files import write_json
from robot_app.recipe import SceneRecipe
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.registry import find_scene
from scenes.session import Bernoulli, FixedLength

FOLDER = Path(__file__).parents[1] / "policies" / "references"
ROLES = ("random", "oracle")


def conditions(recipe: SceneRecipe, scene: SessionEnv) -> str | None:
    """What decides a return, as a text such as ``controller=responsive p=0.02``; None under a fixed schedule.

    Controller and termination are always named; everything else only where it differs from the scene's default.
    """
    termination = scene.sessions.termination
    if isinstance(termination, Bernoulli):
        session = f"p={termination.p:g}"
    elif isinstance(termination, FixedLength):
        session = f"length={termination.length}"
    else:
        return None
    parameters = inspect.signature(find_scene(recipe.name).load()).parameters.values()
    defaults = {p.name: p.default for p in parameters}
    said = {
        key: value
        for key, value in {**recipe.options, "kernel": recipe.kernel}.items()
        if value is not None and _plain(value) != _plain(defaults.get(key))
    }
    said.pop("render_mode", None)
    if "controller" in defaults:
        said["controller"] = recipe.options.get("controller", defaults["controller"])
    return " ".join([*(f"{key}={_plain(said[key])}" for key in sorted(said)), session])


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ",".join(sorted(map(str, value)))
    if isinstance(value, dict):
        return ",".join(f"{key}:{value[key]}" for key in sorted(value))
    return str(value)


def read_references(scene_name: str, folder: Path | None = None) -> dict[str, dict[str, dict[str, Any]]]:
    """Conditions → role → score; empty where nothing was measured."""
    path = (folder or FOLDER) / f"{scene_name}.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError):
        raise InputError(str(path), "a damaged file", "JSON written by evaluate --write-reference") from None
    return found


def reference_returns(
    scene_name: str, under: str | None, folder: Path | None = None
) -> tuple[float, float] | None:
    """Mean returns of random and oracle; None where they were not both measured under these conditions."""
    entry = read_references(scene_name, folder).get(under or "", {})
    if not all(role in entry for role in ROLES):
        return None
    return entry["random"]["return_mean"], entry["oracle"]["return_mean"]


def role_of(policy_name: str, needs_privileged: bool) -> str:
    """Which reference a policy can be."""
    if policy_name in ("random", "uniform"):
        return "random"
    if needs_privileged:
        return "oracle"
    raise InputError("--write-reference", policy_name, "random, or an oracle such as scripted/scratch_itch")


def check_free(scene_name: str, under: str | None, role: str, force: bool, folder: Path | None = None) -> str:
    """The conditions, if a reference may be written for them.

    Raises:
        InputError: there is one already (without ``force``), or the schedule is fixed.
    """
    if under is None:
        raise InputError("--write-reference", "a fixed schedule", "a scene whose sessions end by p or length")
    known = read_references(scene_name, folder).get(under, {}).get(role)
    if known is not None and not force:
        raise InputError(
            "--write-reference", f"{role} under {under}, which is known", "--force to replace it"
        )
    return under


def write_reference(
    scene_name: str, under: str, role: str, score: dict[str, Any], folder: Path | None = None
) -> Path:
    """Add one score (JSON-plain, with ``return_mean``) to the scene's file; returns the file."""
    found = read_references(scene_name, folder)
    found.setdefault(under, {})[role] = score
    path = (folder or FOLDER) / f"{scene_name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    ordered = {key: {r: found[key][r] for r in ROLES if r in found[key]} for key in sorted(found)}
    write_json(path, ordered)
    return path
