"""History: one episode so far, as arrays to be plotted. Every step is in it; drawing may skip, this not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynamite.acting import Frame
from dynamite.belief import Belief, ChoicePosterior, PointPosterior

#: A session is taken to have ended where the predicted probability rises past this.
END_THRESHOLD = 0.5
#: Steps over which a return rate is averaged, and the share of the oracle's that counts as adapted.
RATE_WINDOW, ADAPTED_SHARE = 10, 0.9


@dataclass(frozen=True)
class Change:
    """A change of the hidden preference.

    Attributes:
        t: step from which it is in force.
        adapted_after: steps until the return rate was back to 90 % of the oracle's mean over that session, None if not
            (yet), or where there is no oracle that earns anything.
    """

    t: int
    adapted_after: int | None


class History:
    """Frames of one episode and the oracle's rewards on it."""

    def __init__(self, episode: int = 0, seed: int = 0) -> None:
        self.episode, self.seed = episode, seed
        self.frames: list[Frame] = []
        self.oracle_rewards = np.zeros(0)
        self._p_end: list[float] = []
        self._entropy: list[float] = []

    def add(self, frame: Frame) -> None:
        """Append a frame, or replace the last where an edit revised it."""
        if self.frames and frame.t == self.frames[-1].t:
            self.frames[-1] = frame
            return
        self.frames.append(frame)
        belief = frame.decision.belief
        self._p_end.append(
            math.nan if belief is None or belief.p_session_end is None else belief.p_session_end
        )
        self._entropy.append(field_entropy(belief))

    def branch(self, episode: int, start: int) -> History:
        """A history of its own that shares the Frames before step ``start``."""
        made = History(episode, self.seed)
        made.frames, made.oracle_rewards = self.frames[:start], self.oracle_rewards[:start]
        made._p_end, made._entropy = self._p_end[:start], self._entropy[:start]
        return made

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def last(self) -> Frame | None:
        return self.frames[-1] if self.frames else None

    # -- columns
    def rewards(self) -> np.ndarray:
        """(T,) reward of step t, t = 1 … T."""
        return np.array([frame.reward for frame in self.frames[1:]])

    def returns(self) -> np.ndarray:
        """(T,) undiscounted return up to and with step t."""
        return np.cumsum(self.rewards())

    def oracle_returns(self) -> np.ndarray:
        """(≤ T,) the oracle's return, not beyond where the episode is."""
        return np.cumsum(self.oracle_rewards[: max(0, len(self.frames) - 1)])

    def info(self, key: str) -> np.ndarray:
        """(T + 1,) a number of ``info``, NaN where a scene has none."""
        return np.array([float(frame.info.get(key, math.nan)) for frame in self.frames])

    def p_session_end(self) -> np.ndarray:
        """(T + 1,) predicted termination probability, NaN without a belief."""
        return np.array(self._p_end)

    def entropy(self) -> np.ndarray:
        """(T + 1,) of the belief about the first field that has one, as a share of not knowing anything; NaN without."""
        return np.array(self._entropy)

    # -- sessions
    def change_steps(self) -> list[int]:
        """Steps from which a new session is in force, the episode's start apart."""
        return [frame.t for frame in self.frames if frame.changed and frame.t > 0]

    def session_spans(self) -> list[tuple[int, int]]:
        """(first, last) step of every session so far."""
        if not self.frames:
            return []
        starts = [0, *self.change_steps()]
        return list(zip(starts, [*starts[1:], self.frames[-1].t], strict=True))

    def predicted_changes(self) -> list[int]:
        """Steps at which the predicted termination rises past END_THRESHOLD."""
        above = np.nan_to_num(self.p_session_end()) > END_THRESHOLD
        return [int(t) for t in np.flatnonzero(above & ~np.concatenate(([False], above[:-1])))]

    def changes(self) -> list[Change]:
        """Every change so far and how long adapting to it took."""
        rewards, oracle = self.rewards(), self.oracle_rewards
        spans = self.session_spans()[1:]
        return [Change(start, adaptation_time(rewards[start:end], oracle[start:end])) for start, end in spans]


def adaptation_time(rewards: np.ndarray, oracle: np.ndarray) -> int | None:
    """Steps until the mean reward of the last RATE_WINDOW steps reaches ADAPTED_SHARE of the oracle's mean.

    Args:
        rewards: of the steps since the change. oracle: its rewards over the same session.
    """
    if len(oracle) < RATE_WINDOW or len(rewards) < RATE_WINDOW or oracle.mean() <= 0:
        return None
    rate = np.convolve(rewards, np.full(RATE_WINDOW, 1 / RATE_WINDOW), "valid")
    reached = np.flatnonzero(rate >= ADAPTED_SHARE * oracle.mean() - 1e-9)
    return int(reached[0]) + RATE_WINDOW if len(reached) else None


def after_words(after: int | None, over: bool) -> str:
    """How many steps something took, for a table.

    Args:
        over: whether the session has ended, so that it cannot happen any more.
    """
    if after is not None:
        return str(after)
    return "not at all" if over else "not yet"


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """(T,) mean of the last ``window`` values, of fewer at the start."""
    if not len(values):
        return values
    sums = np.cumsum(np.concatenate(([0.0], values)))
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    return (sums[ends] - sums[starts]) / (ends - starts)


def field_entropy(belief: Belief | None) -> float:
    """Entropy of the first discrete posterior as a share of the uniform's, NaN where there is none."""
    if belief is None:
        return math.nan
    for posterior in belief.fields.values():
        if isinstance(posterior, PointPosterior | ChoicePosterior):
            p = posterior.grid if isinstance(posterior, PointPosterior) else posterior.probabilities
            p = np.asarray(p, float).ravel()
            return float(-np.sum(p * np.log(np.maximum(p, 1e-12))) / math.log(p.size))
    return math.nan


def latent_entropy(belief: Belief) -> float:
    """Differential entropy of q(z|h), nats."""
    return float(0.5 * np.sum(1 + math.log(2 * math.pi) + belief.logvar))
