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

    def update(self, goes_on: np.ndarray, ended: np.ndarray) -> None:
        """Take in one step.

        Args:
            goes_on, ended: (N, M) probability under each latent of what was seen, and that the session did not end with the
                step, or did.
        """
        belief = self._mix(self.p, goes_on, ended)
        total = belief @ self._ones
        if total.min() <= 0.0:  # the latent was changed from outside, which the law does not foresee
            belief = np.where(total > 0.0, belief, self._mix(np.ones_like(self.p), goes_on, ended))
            total = belief @ self._ones
        self.p = belief / total

    def _mix(self, belief: np.ndarray, goes_on: np.ndarray, ended: np.ndarray) -> np.ndarray:
        return belief * goes_on + (belief * ended) @ self.kernel
