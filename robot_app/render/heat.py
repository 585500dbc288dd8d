"""From a posterior over cells of the skin to what the fragment shader paints: smooth values and two contour levels."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

#: Texels per cell along each direction.
SUPERSAMPLE = 4

#: Viridis at nine equidistant points (sRGB), Smith & van der Walt, CC0: ordered by lightness for every kind of
#: colour vision.
VIRIDIS = np.array(
    [
        [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
        [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
    ],
    dtype=float,
)  # fmt: skip


def ramp(n: int = 64) -> np.ndarray:
    """(n, 3) uint8: the colour map from low to high."""
    x = np.linspace(0, len(VIRIDIS) - 1, n)
    channels = [np.interp(x, np.arange(len(VIRIDIS)), VIRIDIS[:, k]) for k in range(3)]
    return np.stack(channels, 1).round().astype(np.uint8)


@lru_cache(maxsize=16)
def _spline(n: int, periodic: bool) -> np.ndarray:
    """(SUPERSAMPLE·n, n) weights of a cubic B-spline through n cells: smooth, and never below zero."""
    centres = (np.arange(SUPERSAMPLE * n) + 0.5) / SUPERSAMPLE - 0.5
    weights = np.zeros((SUPERSAMPLE * n, n))
    base = np.floor(centres).astype(int)
    t = centres - base
    basis = [
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    ]
    for shift, b in zip((-1, 0, 1, 2), basis, strict=True):
        column = base + shift
        column = column % n if periodic else np.clip(column, 0, n - 1)
        np.add.at(weights, (np.arange(len(centres)), column), b)
    return weights


def heat_texture(grid: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """What to paint for probabilities ``grid`` (n_parts, n_axial, n_angle).

    The highest value is 1, except that a belief flatter than four times the uniform one is not stretched to full
    scale: not knowing should not look like knowing that it is everywhere.

    Returns:
        values (n_parts, 4 n_axial, 4 n_angle) float32 in 0…1, texel [p, i, j] centred at axial (i + ½)/(4 n_axial),
        angle −π + 2π (j + ½)/(4 n_angle); and the values whose super-level sets hold 50 % and 90 % of the probability.
    """
    grid = np.maximum(np.nan_to_num(np.asarray(grid, float)), 0.0)
    _, n_axial, n_angle = grid.shape
    fine = np.einsum("ai,pij,bj->pab", _spline(n_axial, False), grid, _spline(n_angle, True))
    total = fine.sum()
    if total <= 0:
        return np.zeros(fine.shape, np.float32), (2.0, 2.0)
    fine /= max(float(fine.max()), 4 * total / fine.size)
    ordered = np.sort(fine, axis=None)[::-1]
    held = np.cumsum(ordered) / ordered.sum()
    levels = tuple(float(ordered[np.searchsorted(held, mass)]) for mass in (0.5, 0.9))
    return fine.astype(np.float32), (levels[0], levels[1])
