"""What is measured on an episode: how fast the agent adapts, what it believes, when it notices that a session ended.

Every function takes plain arrays of one episode, or of many put end to end. Times are in steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from dynamite.belief import ChoicePosterior, FieldPosterior, PointPosterior, ScalarPosterior
from scenes.latent import ChoiceField, LatentField, PointField


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


# ------------------------------------------------------------------------------------------------ belief
def negative_log_likelihood(posterior: FieldPosterior, field: LatentField, truth: object) -> float:
    """−log p(truth); of a density in the field's unit for a scalar, of the cell for a point."""
    if isinstance(posterior, ScalarPosterior):
        scaled = (float(truth) - posterior.mean) / posterior.std  # type: ignore[arg-type]
        return 0.5 * scaled**2 + math.log(posterior.std) + 0.5 * math.log(2 * math.pi)
    weights = _weights(posterior)
    return -math.log(max(float(weights[_cell(posterior, field, truth)]), 1e-12))


def inside_credible_region(
    posterior: FieldPosterior, field: LatentField, truth: object, level: float = 0.9
) -> bool:
    """Whether the truth lies in the smallest region that the belief gives ``level``: in a share ``level`` of the cases, if
    the belief is calibrated."""
    if isinstance(posterior, ScalarPosterior):
        from scipy.stats import norm

        return abs(float(truth) - posterior.mean) <= norm.ppf(0.5 + level / 2) * posterior.std  # type: ignore[arg-type]
    weights = _weights(posterior)
    heavier = float(weights[weights > weights[_cell(posterior, field, truth)]].sum())
    return heavier < level


def entropy(posterior: FieldPosterior) -> float:
    """In nats; differential for a scalar."""
    if isinstance(posterior, ScalarPosterior):
        return math.log(posterior.std) + 0.5 * math.log(2 * math.pi * math.e)
    weights = _weights(posterior)
    weights = weights[weights > 0]
    return float(-(weights * np.log(weights)).sum())


def _weights(posterior: FieldPosterior) -> np.ndarray:
    if isinstance(posterior, PointPosterior):
        return np.asarray(posterior.grid).ravel()
    assert isinstance(posterior, ChoicePosterior)
    return np.asarray(posterior.probabilities)


def _cell(posterior: FieldPosterior, field: LatentField, truth) -> int:
    """Index into :func:`_weights` of the cell that holds the truth."""
    if isinstance(field, ChoiceField):
        return field.choices.index(truth)
    assert isinstance(field, PointField)
    assert isinstance(posterior, PointPosterior)
    _, n_axial, n_angle = posterior.grid.shape
    along = min(int(truth.axial * n_axial), n_axial - 1)
    around = int((truth.angle + math.pi) / (2 * math.pi) * n_angle) % n_angle
    return int(np.ravel_multi_index((field.parts.index(truth.part), along, around), posterior.grid.shape))


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
    p_end: Sequence[float], ended: Sequence[bool], threshold: float = 0.5, tolerance: int = 10
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
    used: set[int] = set()
    delays = []
    for end in ends:
        for alarm in alarms:
            if end <= alarm <= end + tolerance and int(alarm) not in used:
                used.add(int(alarm))
                delays.append(int(alarm - end))
                break
    return Detection(
        precision=len(used) / len(alarms) if len(alarms) else None,
        recall=len(delays) / len(ends) if len(ends) else None,
        delay=float(np.median(delays)) if delays else None,
    )


def calibration_error(p: Sequence[float], happened: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error: mean |predicted − observed| over equal-width bins, weighted by their size."""
    said, true = np.asarray(p, float), np.asarray(happened, float)
    which = np.minimum((said * bins).astype(int), bins - 1)
    error = 0.0
    for b in range(bins):
        inside = which == b
        if inside.any():
            error += inside.mean() * abs(said[inside].mean() - true[inside].mean())
    return float(error)
