"""What is measured on episodes: how fast the agent adapts, and when it notices that a session ended.

Functions take plain arrays: of one episode (T,), or of N episodes of one length (T, N). Times are in steps. What an agent
believes is scored in :mod:`dynamite.belief_scores`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


# ------------------------------------------------------------------------------------------------ adaptation
def session_starts(sessions: ArrayLike) -> list[int]:
    """Steps at which a session other than the first begins, from the session index of every step."""
    index = np.asarray(sessions)
    return [int(t) for t in np.flatnonzero(np.diff(index)) + 1]


def coming_rate(rewards: np.ndarray, window: int) -> np.ndarray:
    """Mean reward of steps t … t + window − 1 for every t with a whole window: (T,) → (T − window + 1,)."""
    total = np.concatenate(([0.0], np.cumsum(rewards, dtype=float)))
    return (total[window:] - total[:-window]) / window


def adaptation_times(
    rewards: ArrayLike,
    sessions: ArrayLike,
    oracle_rewards: ArrayLike | None = None,
    window: int = 10,
    share: float = 0.9,
) -> list[float]:
    """Steps from each change until the return rate is back; ``inf`` where the session ended before that.

    The rate at a step is the mean reward of the ``window`` steps that follow: from that step on the agent *earns* at that
    rate. It must come back to ``low + share · (target − low)``, where

    - ``target`` is the oracle's mean reward over the same session, where an oracle's trace on the same sessions is given;
      else the agent's own rate in the last ``window`` steps before the change;
    - ``low`` is the 5th percentile of the agent's rewards in the episode: what a step pays when all goes wrong. Measuring
      from it makes "90 %" meaningful for rewards of any sign; where a bad step pays 0 it is 90 % of the target.

    A change that costs nothing (``target ≤ low``) takes 0 steps. Changes are left out where a window does not fit: into the
    new session, or, without an oracle, into the one before. Against its own rate an agent that had found nothing has
    nothing to come back to: compare agents by an oracle's trace.

    Args:
        rewards: (T,) of every step.
        sessions: (T,) index of the session each step belonged to.
        oracle_rewards: (T,) of the oracle under the same sessions.
    """
    reward = np.asarray(rewards, float)
    bounds = [0, *session_starts(sessions), len(reward)]
    low = float(np.percentile(reward, 5))
    times = []
    for before, start, end in zip(bounds[:-2], bounds[1:-1], bounds[2:], strict=True):
        if end - start < window or (oracle_rewards is None and start - before < window):
            continue
        rate = coming_rate(reward[start:end], window)
        if oracle_rewards is not None:
            target = float(np.mean(np.asarray(oracle_rewards, float)[start:end]))
        else:
            target = float(reward[start - window : start].mean())
        back = np.flatnonzero(rate >= low + share * (target - low) - 1e-9)
        if target <= low:
            times.append(0.0)
        else:
            times.append(float(back[0]) if len(back) else math.inf)
    return times


def median_time(times: Sequence[float]) -> float | None:
    """Median of adaptation times, None where there are none or where half of the changes were never adapted to."""
    if not len(times):
        return None
    middle = float(np.median(np.asarray(times)))
    return middle if math.isfinite(middle) else None


def next_index(mask: np.ndarray) -> np.ndarray:
    """For every t the first t' ≥ t at which ``mask`` (T, N) holds, T where none does: (T, N) int."""
    steps = len(mask)
    own = np.where(mask, np.arange(steps)[:, None], steps)
    return np.minimum.accumulate(own[::-1], 0)[::-1]


@dataclass(frozen=True)
class Recovery:
    """What happened after each change. (C,) each, C changes.

    Attributes:
        steps: taken until the agent was paid, the paid one included; or until the session ended unpaid.
        paid: whether it was; else the time is censored.
    """

    steps: np.ndarray
    paid: np.ndarray

    def quantile(self, share: float) -> float | None:
        """Steps within which a share of the changes would be recovered from, were no session cut short (Kaplan–Meier);
        None where the sessions are too short to tell."""
        if not self.paid.any():
            return None
        curve = stats.ecdf(stats.CensoredData.right_censored(self.steps, ~self.paid)).cdf
        reached = curve.quantiles[curve.probabilities >= share - 1e-12]
        return float(reached[0]) if len(reached) else None


def recovery_after(rewards: np.ndarray, ended: np.ndarray, changed: np.ndarray, level: float) -> Recovery:
    """Steps from each change of the latent to the first reward of at least ``level`` in the new session.

    The same yardstick for every agent: it asks when what pays now was first had, not when the agent is back at a rate of
    its own. Sessions end at random whatever the agent does, so those that end unpaid are censored, not failures.

    Args:
        rewards: (T, N). ended: (T, N) d.
        changed: (T, N) whether the latent in force after step t differs from that of step t.
    """
    steps = len(rewards)
    at, copy = np.nonzero(ended[:-1] & changed[:-1])
    start = at + 1
    paid = next_index(rewards >= level - 1e-6)[start, copy]
    last = np.minimum(next_index(ended)[start, copy], steps - 1)
    inside = paid <= last
    return Recovery(np.where(inside, paid, last) - start + 1.0, inside)


def adaptation_curve(
    rewards: np.ndarray, ended: np.ndarray, changed: np.ndarray, before: int = 10, after: int = 40
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean reward around changes of the latent: lags (L,) from −before to after − 1, 0 the first step under the new latent;
    mean rewards (L,); how many changes each lag averages (L,). Sessions leave the average as they end."""
    steps = len(rewards)
    at, copy = np.nonzero(ended[:-1] & changed[:-1])
    start = at + 1
    last = np.minimum(next_index(ended)[start, copy], steps - 1)
    ends = np.maximum.accumulate(np.where(ended, np.arange(steps)[:, None], -1), 0)
    first = np.where(at > 0, ends[at - 1, copy], -1) + 1  # of the session before
    lags = np.arange(-before, after)
    moments = start + lags[:, None]  # (L, C)
    alive = (moments >= first) & (moments <= last)
    values = np.where(alive, rewards[np.clip(moments, 0, steps - 1), copy], 0.0)
    n = alive.sum(1)
    return lags, values.sum(1) / np.maximum(n, 1), n


# ------------------------------------------------------------------------------------------------ session ends
@dataclass(frozen=True)
class Detection:
    """How well ends of sessions were noticed.

    Attributes:
        precision: share of alarms within the tolerance after an end; None without alarms.
        recall: share of ends followed by an alarm within the tolerance; None without ends.
        delay: median steps from an end to its alarm; None where none was noticed.
    """

    precision: float | None
    recall: float | None
    delay: float | None


def session_end_detection(
    p_end: ArrayLike, ended: ArrayLike, threshold: float = 0.5, tolerance: int = 10
) -> Detection:
    """Alarms are steps at which ``p_end`` rises through ``threshold``; each end is matched to the first alarm after it.

    Args:
        p_end: (T,) predicted after each step: that a session ended with it.
        ended: (T,) whether one did.
        tolerance: steps within which an alarm still belongs to an end.
    """
    p = np.asarray(p_end, float)
    above = p >= threshold
    alarms = np.flatnonzero(above & ~np.concatenate(([False], above[:-1])))
    ends = np.flatnonzero(np.asarray(ended, bool))
    free, delays = 0, []  # alarms before ``free`` are spoken for, or too early for every end to come
    for end in ends:
        free = max(free, int(np.searchsorted(alarms, end)))
        if free < len(alarms) and alarms[free] <= end + tolerance:
            delays.append(int(alarms[free] - end))
            free += 1
    return Detection(
        precision=len(delays) / len(alarms) if len(alarms) else None,
        recall=len(delays) / len(ends) if len(ends) else None,
        delay=float(np.median(delays)) if delays else None,
    )


#: Thresholds at which alarms are weighed against each other; sure heads and hesitant ones both have some.
THRESHOLDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def detection_curve(p_end: ArrayLike, ended: ArrayLike, tolerance: int = 10) -> dict[str, list[float]]:
    """:func:`session_end_detection` at every threshold that raises an alarm: ``threshold``, ``precision``, ``recall``."""
    found: dict[str, list[float]] = {"threshold": [], "precision": [], "recall": []}
    for threshold in THRESHOLDS:
        detected = session_end_detection(p_end, ended, threshold, tolerance)
        if detected.precision is not None and detected.recall is not None:
            found["threshold"].append(threshold)
            found["precision"].append(detected.precision)
            found["recall"].append(detected.recall)
    return found


@dataclass(frozen=True)
class Reliability:
    """Predicted against observed frequencies in equal-width bins of the prediction. (B,) each, empty bins left out.

    Attributes:
        predicted: mean prediction. observed: how often it happened. count: predictions.
    """

    predicted: np.ndarray
    observed: np.ndarray
    count: np.ndarray

    @property
    def error(self) -> float:
        """Expected calibration error: mean |predicted − observed|, weighted by count."""
        return float(np.average(np.abs(self.predicted - self.observed), weights=self.count))


def reliability(p: ArrayLike, happened: ArrayLike, bins: int = 10) -> Reliability:
    """Of predictions (M,) and what happened (M,)."""
    said, true = np.asarray(p, float), np.asarray(happened, float)
    which = np.minimum((said * bins).astype(int), bins - 1)
    count = np.bincount(which, minlength=bins)
    full = count > 0
    predicted, observed = (np.bincount(which, values, bins)[full] / count[full] for values in (said, true))
    return Reliability(predicted, observed, count[full])


def calibration_error(p: ArrayLike, happened: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error: mean |predicted − observed| over equal-width bins, weighted by their size."""
    return reliability(p, happened, bins).error


def cross_entropy(p: ArrayLike, happened: ArrayLike) -> float:
    """Mean of −log p(what happened), in nats."""
    said, true = np.asarray(p, float), np.asarray(happened, bool)
    return float(-np.log(np.maximum(np.where(true, said, 1.0 - said), 1e-12)).mean())
