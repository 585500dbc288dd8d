"""How good a belief is: likelihood of the truth, coverage of credible regions, entropy.

A belief about one latent field at M steps is a :class:`Categorical` (a choice, or the cell of a point on the body) or a
:class:`Gaussian` (a scalar, in its own unit). Both score every step at once, (M,).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import stats

from scenes.latent import ChoiceField, LatentField, PointField, ScalarField

_SMALLEST = 1e-12


class FieldBelief(Protocol):
    def nll(self) -> np.ndarray:
        """−log p(truth): of the cell, or of the density in the field's unit."""

    def covered(self, level: float) -> np.ndarray:
        """Whether the smallest region that holds ``level`` of the belief holds the truth. Where that region cuts through
        cells of equal weight, the share of them that belongs to it; so that the mean is ``level`` exactly where the
        belief is calibrated, for a coin too."""

    def entropy(self) -> np.ndarray:
        """In nats; differential for a scalar."""


@dataclass(frozen=True)
class Categorical:
    """Attributes:
    weights: (M, K) probabilities.
    truth: (M,) numbers of the true cells.
    """

    weights: np.ndarray
    truth: np.ndarray

    def nll(self) -> np.ndarray:
        return -np.log(np.maximum(self._of_truth(), _SMALLEST))

    def covered(self, level: float) -> np.ndarray:
        own = self._of_truth()[:, None]
        close = np.isclose(self.weights, own, rtol=1e-6, atol=0.0)
        heavier = np.where((self.weights > own) & ~close, self.weights, 0.0).sum(1)
        tied = np.where(close, self.weights, 0.0).sum(1)
        return np.clip((level - heavier) / np.maximum(tied, _SMALLEST), 0.0, 1.0)

    def entropy(self) -> np.ndarray:
        return -(self.weights * np.log(np.maximum(self.weights, _SMALLEST))).sum(1)

    def _of_truth(self) -> np.ndarray:
        return np.take_along_axis(self.weights, self.truth[:, None], 1)[:, 0]


@dataclass(frozen=True)
class Gaussian:
    """Attributes:
    mean, std: (M,). truth: (M,).
    """

    mean: np.ndarray
    std: np.ndarray
    truth: np.ndarray

    def nll(self) -> np.ndarray:
        scaled = (self.truth - self.mean) / self.std
        return 0.5 * scaled**2 + np.log(self.std) + 0.5 * math.log(2 * math.pi)

    def covered(self, level: float) -> np.ndarray:
        reach = stats.norm.ppf(0.5 + level / 2) * self.std
        return (np.abs(self.truth - self.mean) <= reach).astype(float)

    def entropy(self) -> np.ndarray:
        return np.log(self.std) + 0.5 * math.log(2 * math.pi * math.e)


def read_probe(
    field: LatentField, output: np.ndarray, truth: np.ndarray, grid: tuple[int, int]
) -> FieldBelief:
    """A probe's outputs about one field (:class:`dynamite.probe.LatentProbe`) beside the truth.

    Args:
        output: (M, width). truth: (M, field.size) of :meth:`LatentSpace.to_vector`.
        grid: cells along and around a body part, for a point.
    """
    if isinstance(field, ScalarField):
        half = (field.high - field.low) / 2
        std = np.exp(np.clip(output[:, 1], -5, 1)) * half
        return Gaussian(field.low + (output[:, 0] + 1) * half, std, field.low + (truth[:, 0] + 1) * half)
    weights = np.exp(output - output.max(1, keepdims=True))
    weights /= weights.sum(1, keepdims=True)
    if isinstance(field, ChoiceField):
        return Categorical(weights, truth.argmax(1))
    assert isinstance(field, PointField)
    parts, (n_axial, n_angle) = len(field.parts), grid
    part = truth[:, :parts].argmax(1)
    along = np.minimum(((truth[:, parts] + 1) / 2 * n_axial).astype(int), n_axial - 1)
    angle = np.arctan2(truth[:, parts + 2], truth[:, parts + 1])
    around = ((angle + math.pi) / (2 * math.pi) * n_angle).astype(int) % n_angle
    return Categorical(weights, np.ravel_multi_index((part, along, around), (parts, n_axial, n_angle)))
