"""The exact Bayes filter of a latent with M values, for N copies: the belief that no learner can better."""

from __future__ import annotations

import numpy as np


class ExactFilter:
    """P(m in force for the next step | everything seen so far).

    Args:
        kernel: (M, M) T(m'|m).
        n: copies.

    Attributes:
        p: (N, M).
    """

    def __init__(self, kernel: np.ndarray, n: int) -> None:
        self.kernel, self.p = kernel, np.empty((n, len(kernel)))
        self._ones = np.ones((len(kernel), 1))  # sums over M faster than .sum(1) does
        self.reset()

    def reset(self) -> None:
        """A new episode: every latent is as likely."""
        self.p = np.full(self.p.shape, 1 / len(self.kernel))

    def update(self, likelihood: np.ndarray, p_end: np.ndarray) -> None:
        """Take in one step.

        Args:
            likelihood: (N, M) of what was seen under each latent; not all 0 in a row.
            p_end: (N,) probability that a session ended with the step, given what was seen.
        """
        belief = self.p * likelihood
        total = belief @ self._ones
        if total.min() <= 0.0:  # the latent was changed from outside, which the law does not foresee
            belief = np.where(total > 0.0, belief, likelihood)
            total = belief @ self._ones
        belief /= total
        self.p = belief + p_end[:, None] * (belief @ self.kernel - belief)
