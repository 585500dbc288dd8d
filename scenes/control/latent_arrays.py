"""Latents of many copies as numbers, and the kernels T(m'|m) of :mod:`scenes.session` on them.

A latent is a row of F numbers, one per field of its LatentSpace: the index of a choice, or a scalar's value. Choices follow
a matrix (:func:`choice_matrix`), which draws and exact filters share; scalars follow the rule that the kernel has for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from itertools import product

import numpy as np

from scenes.errors import InputError
from scenes.latent import ChoiceField, Latent, LatentSpace, ScalarField
from scenes.session import Alternate, Drift, Kernel, Uniform


@dataclass(frozen=True)
class Swap:
    """T(m'|m) of the paper's gridworld: with probability ``p`` a choice becomes another one of its choices.

    Attributes:
        p: the same for each field, independently; scalars are mirrored about their middle.
    """

    p: float

    def __post_init__(self) -> None:
        allowed = "a probability from 0 to 1"
        if isinstance(self.p, bool) or not isinstance(self.p, (int, float)) or not 0.0 <= self.p <= 1.0:
            raise InputError("swap", self.p, allowed)

    def draw(self, latent: Latent, space: LatentSpace, rng: np.random.Generator) -> Latent:
        return to_latents(space, next_values(self, space, to_values(space, latent)[None], rng))[0]


# ------------------------------------------------------------------------------------------------ kernels
@singledispatch
def choice_matrix(kernel: Kernel, n: int) -> np.ndarray:
    """(n, n) probabilities of the next choice (column) after each choice (row)."""
    raise InputError("kernel", type(kernel).__name__, "swap, uniform, drift or alternate")


@choice_matrix.register
def _(kernel: Swap, n: int) -> np.ndarray:
    return (1 - kernel.p) * np.eye(n) + kernel.p * (1 - np.eye(n)) / (n - 1)


@choice_matrix.register
def _(kernel: Uniform, n: int) -> np.ndarray:
    return np.full((n, n), 1 / n)


@choice_matrix.register
def _(kernel: Drift, n: int) -> np.ndarray:
    return (1 - kernel.switch) * np.eye(n) + kernel.switch / n


@choice_matrix.register
def _(kernel: Alternate, n: int) -> np.ndarray:
    return np.roll(np.eye(n), 1, axis=1)


def next_scalars(
    kernel: Kernel, field: ScalarField, values: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draws of a scalar's next values: (K,) → (K,)."""
    if isinstance(kernel, Uniform):
        return rng.uniform(field.low, field.high, len(values))
    if isinstance(kernel, Drift):
        step = rng.normal(0.0, kernel.scale, len(values)) * (field.high - field.low)
        return reflect(values + step, field.low, field.high)
    mirrored = field.low + field.high - values
    return (
        np.where(rng.random(len(values)) < kernel.p, mirrored, values)
        if isinstance(kernel, Swap)
        else mirrored
    )


def reflect(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """``values`` folded back into [low, high] as by mirrors at both ends."""
    span = high - low
    offset = (values - low) % (2 * span)
    return low + np.where(offset <= span, offset, 2 * span - offset)


def next_values(
    kernel: Kernel, space: LatentSpace, values: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draws of m' ~ T(·|m), field by field: (K, F) → (K, F)."""
    drawn = np.empty_like(values)
    for f, field in enumerate(space.fields):
        if isinstance(field, ChoiceField):
            heaped = choice_matrix(kernel, field.size).cumsum(1)[values[:, f].astype(int)]  # (K, choices)
            drawn[:, f] = (rng.random((len(values), 1)) >= heaped[:, :-1]).sum(1)
        elif isinstance(field, ScalarField):
            drawn[:, f] = next_scalars(kernel, field, values[:, f], rng)
    return drawn


def kernel_matrix(kernel: Kernel, space: LatentSpace) -> np.ndarray:
    """(M, M) T(m'|m) over all latents of a space of choices, in the order of :func:`all_values`."""
    matrix = np.ones((1, 1))
    for field in space.fields:
        matrix = np.kron(matrix, choice_matrix(kernel, field.size))
    return matrix


# ------------------------------------------------------------------------------------------------ numbers
def all_values(space: LatentSpace) -> np.ndarray:
    """(M, F) every latent of a space of choices, the last field running fastest."""
    return np.array(list(product(*(range(field.size) for field in space.fields))), float)


def draw_values(space: LatentSpace, n: int, rng: np.random.Generator) -> np.ndarray:
    """(n, F) latents, every field uniform over its range."""
    columns = [
        rng.uniform(field.low, field.high, n)
        if isinstance(field, ScalarField)
        else rng.integers(field.size, size=n).astype(float)
        for field in space.fields
    ]
    return np.stack(columns, 1)


def to_values(space: LatentSpace, latent: Latent) -> np.ndarray:
    """(F,) numbers of one latent."""
    return np.array(
        [
            field.choices.index(latent[field.name]) if isinstance(field, ChoiceField) else latent[field.name]
            for field in space.fields
        ],
        float,
    )


def to_latents(space: LatentSpace, values: np.ndarray) -> list[Latent]:
    """Inverse of :func:`to_values`, for (N, F)."""
    return [
        {
            field.name: field.choices[int(number)] if isinstance(field, ChoiceField) else float(number)
            for field, number in zip(space.fields, row, strict=True)
        }
        for row in values
    ]


def to_vectors(space: LatentSpace, values: np.ndarray) -> np.ndarray:
    """(N, D): what :meth:`LatentSpace.to_vector` gives, for (N, F)."""
    parts = []
    for f, field in enumerate(space.fields):
        if isinstance(field, ChoiceField):
            parts.append(np.eye(field.size)[values[:, f].astype(int)])
        elif isinstance(field, ScalarField):
            parts.append(2 * (values[:, f, None] - field.low) / (field.high - field.low) - 1)
    return np.concatenate(parts, 1)
