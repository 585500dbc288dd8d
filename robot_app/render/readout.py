"""The belief in words: per latent field its label, the truth, the best guess and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamite.acting import Frame
from dynamite.belief import ChoicePosterior, FieldPosterior, PointPosterior, ScalarPosterior
from scenes.latent import LatentSpace, SurfacePoint


@dataclass(frozen=True)
class Reading:
    """One field. ``guess`` is empty for whoever acts without a belief; ``sure`` is a probability from 0 to 1, or NaN
    where there is none."""

    label: str
    truth: str
    guess: str
    sure: float


def describe(value: Any) -> str:
    """A latent field's value for people, without its field at hand."""
    if isinstance(value, SurfacePoint):
        return f"{value.part.replace('_', ' ')} {100 * value.axial:.0f} %, {math.degrees(value.angle):+.0f}°"
    return f"{value:.3g}" if isinstance(value, float) else str(value).replace("_", " ")


def best_guess(
    posterior: FieldPosterior, parts: Sequence[str], choices: Sequence[str] = ()
) -> tuple[Any, float]:
    """The likeliest value of a field, and how sure: probability of its choice, or of the skin within a cell of it.

    For a Gaussian the certainty is not a probability; ``nan`` is returned with the mean.
    """
    if isinstance(posterior, PointPosterior):
        grid = np.asarray(posterior.grid, float)
        part, i, j = posterior.likeliest()
        near = grid[part, max(0, i - 1) : i + 2][:, [(j + k) % grid.shape[2] for k in (-1, 0, 1)]]
        point = SurfacePoint(parts[part] if part < len(parts) else f"part {part}", *posterior.centre(i, j))
        return point, float(near.sum() / max(grid.sum(), 1e-12))
    if isinstance(posterior, ChoicePosterior):
        k = int(np.argmax(posterior.probabilities))
        return (choices[k] if k < len(choices) else str(k)), float(posterior.probabilities[k])
    assert isinstance(posterior, ScalarPosterior)
    return posterior.mean, math.nan


def readings(frame: Frame, space: LatentSpace | None) -> list[Reading]:
    """Every latent field, those that are believed in first."""
    belief = frame.decision.belief
    posteriors = belief.fields if belief is not None else {}
    names = sorted(
        frame.latent, key=lambda name: name not in posteriors
    )  # stable: else as the scene has them
    return [_reading(frame, name, posteriors.get(name), space) for name in names]


def _reading(frame: Frame, name: str, posterior: FieldPosterior | None, space: LatentSpace | None) -> Reading:
    label, parts, choices, unit = name.replace("_", " "), ("upper_arm", "forearm"), (), ""
    if space is not None and name in space.names:
        field = space[name]
        label, unit = field.label, getattr(field, "unit", "")
        parts, choices = getattr(field, "parts", parts), getattr(field, "choices", choices)
    truth = f"{describe(frame.latent[name])} {unit}".strip()
    if posterior is None:
        return Reading(label, truth, "" if frame.belief is None else "not read out", math.nan)
    value, sure = best_guess(posterior, parts, choices)
    guess = describe(value)
    if isinstance(posterior, ScalarPosterior):
        guess += f" ± {2 * posterior.std:.2g}"
    return Reading(label, truth, f"{guess} {unit}".strip(), sure)


def number(value: float) -> str:
    """A return, at most one digit behind the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}"


def measures_force(frame: Frame) -> bool:
    """Whether the scene has a force to tell of."""
    return "total_force_n" in frame.info or getattr(frame.markers, "force", None) is not None


def force_of(frame: Frame) -> float:
    """How hard the person is touched, N: the scene's own number, or the length of the drawn arrow."""
    if "total_force_n" in frame.info:
        return float(frame.info["total_force_n"])
    force = getattr(frame.markers, "force", None)
    return 0.0 if force is None else float(np.linalg.norm(force))
