"""Statistics across episodes and seeds: means, interquartile means, bootstrap intervals, probability of improvement.

As Agarwal et al. recommend (arXiv 2108.13264), by scipy: the interquartile mean, percentile bootstrap intervals that
resample within strata (the seeds of each cell of a table), and the probability that one method does better than another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

Statistic = Callable[..., Any]
#: Numbers drawn at a time: a large sample's resamples are not all held at once.
_AT_ONCE = 2_000_000


def iqm(values: ArrayLike, axis: int | None = None) -> float | np.ndarray:
    """Interquartile mean: the mean of the middle half."""
    trimmed = stats.trim_mean(np.asarray(values, float), 0.25, axis=axis)
    return float(trimmed) if np.ndim(trimmed) == 0 else trimmed


def bootstrap_interval(
    values: ArrayLike,
    statistic: Statistic = np.mean,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of ``statistic`` (a function of values and ``axis``).

    A single value, or values all equal, give an interval of no width.
    """
    return stratified_interval([values], statistic, level, resamples, seed)


def stratified_interval(
    strata: Sequence[ArrayLike],
    statistic: Statistic = iqm,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """The interval of ``statistic`` over all values together, each stratum resampled by itself.

    Args:
        strata: values of each cell, such as the seeds' scores per scene.

    Raises:
        ValueError: no values.
    """
    samples = [np.asarray(values, float) for values in strata]
    if not samples or min(map(len, samples)) == 0:
        raise ValueError("an interval needs at least one value")

    def pooled(*parts: np.ndarray, axis: int = -1) -> Any:
        return statistic(np.concatenate(parts, axis), axis=axis)

    return _percentile(samples, pooled, level, resamples, seed)


def band(
    curves: ArrayLike, statistic: Statistic = iqm, level: float = 0.95, resamples: int = 1000, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """``statistic`` over runs at every point of their curves, and its interval: (R, P) → three of (P,)."""
    array = np.asarray(curves, float)
    centre = np.asarray(statistic(array, axis=0))
    if len(array) == 1:
        return centre, centre, centre
    rng = np.random.default_rng(seed)
    drawn = array[
        rng.integers(len(array), size=(resamples, len(array)))
    ]  # (B, R, P): whole runs, as they are one sample
    low, high = np.quantile(np.asarray(statistic(drawn, axis=1)), [(1 - level) / 2, (1 + level) / 2], axis=0)
    return centre, low, high


def probability_of_improvement(
    ours: ArrayLike, theirs: ArrayLike, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """P(a run of ours beats a run of theirs), ties counted half, with its interval: (value, low, high)."""
    return improvement_over_cells([(ours, theirs)], level, resamples, seed)


def improvement_over_cells(
    cells: Sequence[tuple[ArrayLike, ArrayLike]], level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> tuple[float, float, float]:
    """:func:`probability_of_improvement` within each cell (such as a scene), averaged; resampled within cells.

    Args:
        cells: ours and theirs of each.
    """
    samples = [np.asarray(values, float) for cell in cells for values in cell]

    def wins(*parts: np.ndarray, axis: int = -1) -> Any:
        shares = []
        for x, y in zip(parts[::2], parts[1::2], strict=True):
            apart = np.expand_dims(x, -1) - np.expand_dims(y, -2)  # (…, n, m)
            shares.append((np.sign(apart) / 2 + 0.5).mean((-1, -2)))
        return np.mean(shares, axis=0)

    low, high = _percentile(samples, wins, level, resamples, seed)
    return float(wins(*samples)), low, high


def describe(values: ArrayLike) -> dict[str, float]:
    """Of one sample, such as an evaluation's episodes: ``mean``, ``std`` (n − 1; 0 for one value), and the mean's 95 %
    interval ``low``, ``high``."""
    array = np.asarray(values, float)
    low, high = bootstrap_interval(array)
    std = float(array.std(ddof=1)) if len(array) > 1 else 0.0
    return {"mean": float(array.mean()), "std": std, "low": low, "high": high}


def summary(values: Sequence[float]) -> dict[str, float | list[float] | int]:
    """Across seeds: IQM, mean and both 95 % intervals."""
    return {
        "n": len(values),
        "mean": float(np.mean(values)),
        "mean_ci95": list(bootstrap_interval(values)),
        "iqm": float(iqm(values)),
        "iqm_ci95": list(bootstrap_interval(values, iqm)),
    }


def _percentile(
    samples: list[np.ndarray], statistic: Statistic, level: float, resamples: int, seed: int
) -> tuple[float, float]:
    if all(np.ptp(sample) == 0 for sample in samples):  # nothing to resample
        value = float(statistic(*samples, axis=-1))
        return value, value
    moving = [i for i, sample in enumerate(samples) if len(sample) > 1]

    def whole(*parts: np.ndarray, axis: int = -1) -> Any:
        """``statistic`` with the samples of one value, which scipy does not take, put back."""
        drawn = dict(zip(moving, parts, strict=True))
        still = (*parts[0].shape[:-1], 1)
        return statistic(
            *(drawn.get(i, np.broadcast_to(sample[:1], still)) for i, sample in enumerate(samples)), axis=axis
        )

    result = stats.bootstrap(
        tuple(samples[i] for i in moving),
        whole,
        n_resamples=resamples,
        confidence_level=level,
        method="percentile",
        vectorized=True,
        batch=max(1, _AT_ONCE // sum(map(len, samples))),
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return float(low), float(high)
