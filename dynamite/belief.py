"""Belief: what an agent thinks of the hidden latent at one step. Plain numpy, so that a window can hold it.

The agent's own belief is the Gaussian q(z|h) over its embedding z (METHOD, the belief model). What that says about
the *latent fields* is read by a probe (:mod:`dynamite.probe`) and kept beside it as one posterior per field.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from scenes.latent import (
    ChoiceField,
    Latent,
    LatentField,
    LatentSpace,
    PointField,
    ScalarField,
    SurfacePoint,
    wrap_angle,
)


@dataclass(frozen=True)
class ChoicePosterior:
    """Probabilities over a ChoiceField's choices, (n_choices,)."""

    probabilities: np.ndarray


@dataclass(frozen=True)
class ScalarPosterior:
    """A Gaussian over a ScalarField, in the field's own unit."""

    mean: float
    std: float


@dataclass(frozen=True)
class PointPosterior:
    """Probabilities over cells of the skin.

    Attributes:
        grid: (n_parts, n_axial, n_angle), sums to 1. Cell [p, i, j] is centred on part p at
            axial (i + ½)/n_axial and angle −π + 2π (j + ½)/n_angle.
    """

    grid: np.ndarray

    def likeliest(self) -> tuple[int, int, int]:
        """Part, axial and angle index of the likeliest cell."""
        part, i, j = np.unravel_index(int(np.argmax(self.grid)), self.grid.shape)
        return int(part), int(i), int(j)

    def centre(self, i: int, j: int) -> tuple[float, float]:
        """Axial position and angle (rad) of the centre of a part's cell [i, j]."""
        _, n_axial, n_angle = self.grid.shape
        return (i + 0.5) / n_axial, wrap_angle(-math.pi + 2 * math.pi * (j + 0.5) / n_angle)


FieldPosterior = ChoicePosterior | ScalarPosterior | PointPosterior


def n_outputs(field: LatentField, grid: tuple[int, int]) -> int:
    """How many numbers a probe says about a field; ``grid`` is (n_axial, n_angle) of points on the skin."""
    if isinstance(field, PointField):
        return len(field.parts) * grid[0] * grid[1]
    return 2 if isinstance(field, ScalarField) else len(field.choices)


def posteriors_from(
    output: np.ndarray, space: LatentSpace, grid: tuple[int, int]
) -> dict[str, FieldPosterior]:
    """A probe's outputs (O,) as one posterior per field."""
    fields: dict[str, FieldPosterior] = {}
    start = 0
    for entry in space.fields:
        block = output[start : start + n_outputs(entry, grid)]
        start += len(block)
        if isinstance(entry, ScalarField):
            half = (entry.high - entry.low) / 2
            std = float(np.exp(np.clip(block[1], -5, 1))) * half
            fields[entry.name] = ScalarPosterior(entry.low + (float(block[0]) + 1) * half, std)
            continue
        weights = np.exp(block - block.max())
        weights /= weights.sum()
        if isinstance(entry, PointField):
            fields[entry.name] = PointPosterior(weights.reshape(len(entry.parts), *grid))
        else:
            fields[entry.name] = ChoicePosterior(weights)
    return fields


@dataclass(frozen=True)
class Belief:
    """q(z|h), the predicted end of the session, and the posterior of each latent field.

    Attributes:
        mean, logvar: (Z,) of the diagonal Gaussian q(z|h); Z = 0 where the policy reads h itself and there is no q.
        p_session_end: p(d_t = 1 | h_t), or None where the agent predicts none.
        fields: posterior per field name; empty where the agent carries no probe.
    """

    mean: np.ndarray
    logvar: np.ndarray
    p_session_end: float | None = None
    fields: dict[str, FieldPosterior] = field(default_factory=dict)

    def likeliest(self, space: LatentSpace) -> Latent:
        """The likeliest value of every field that it speaks of; for a Gaussian, its mean.

        Args:
            space: the scene's, which names parts and choices.
        """
        return {name: _likeliest(posterior, space[name]) for name, posterior in self.fields.items()}


def _likeliest(posterior: FieldPosterior, field: LatentField) -> str | float | SurfacePoint:
    if isinstance(posterior, ScalarPosterior):
        return posterior.mean
    if isinstance(posterior, ChoicePosterior):
        assert isinstance(field, ChoiceField)
        return field.choices[int(np.argmax(posterior.probabilities))]
    assert isinstance(field, PointField)
    part, i, j = posterior.likeliest()
    return SurfacePoint(field.parts[part], *posterior.centre(i, j))
