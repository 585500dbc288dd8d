"""Statistics across episodes and seeds: means, interquartile means, bootstrap intervals.

The interquartile mean and its interval are those of Agarwal et al. (arXiv 2108.13264), by scipy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy import stats

Statistic = Callable[..., float | np.ndarray]


def iqm(values: Sequence[float] | np.ndarray, axis: int | None = None) -> float | np.ndarray:
    """Interquartile mean: the mean of the middle half."""
    trimmed = stats.trim_mean(np.asarray(values, float), 0.25, axis=axis)
    return float(trimmed) if np.ndim(trimmed) == 0 else trimmed


def bootstrap_interval(
    values: Sequence[float] | np.ndarray,
    statistic: Statistic = np.mean,
    level: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of ``statistic`` (a function of values and ``axis``).

    A single value, or values all equal, give an interval of no width.
    """
    array = np.asarray(values, float)
    if len(array) == 0:
        raise ValueError("an interval needs at least one value")
    if np.ptp(array) == 0:
        return float(array[0]), float(array[0])
    result = stats.bootstrap(
        (array,),
        statistic,
        n_resamples=resamples,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    low, high = result.confidence_interval
    return float(low), float(high)


def summary(values: Sequence[float]) -> dict[str, float | list[float] | int]:
    """Across seeds: IQM, mean and both 95 % intervals."""
    return {
        "n": len(values),
        "mean": float(np.mean(values)),
        "mean_ci95": list(bootstrap_interval(values)),
        "iqm": float(iqm(values)),
        "iqm_ci95": list(bootstrap_interval(values, iqm)),
    }
