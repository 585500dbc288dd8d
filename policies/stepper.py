"""Stepping: an agent that learnt from batches of whole episodes, run for one copy and one step at a time."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from dynamite.acting import Decision


class Stepper(Protocol):
    """An agent between two steps.

    Attributes:
        last_action: (A,) what was executed last, as the encoder sees it; whoever executes something else writes it here.
    """

    last_action: np.ndarray

    def reset(self, seed: int) -> None:
        """Forget everything; what is drawn from here on derives from ``seed``."""

    def step(
        self, observation: np.ndarray, reward: float, privileged: np.ndarray | None, draw: bool
    ) -> Decision:
        """Decide on one step: the value is in reward units, a continuous action is as executed.

        Args:
            observation: (S,) raw.
            reward: of the step that led here; 0 at the start.
            privileged: (P,) the scene's features, for agents that see them.
            draw: from π; else its mean or most likely action.
        """


def random_seed(seed: int) -> list[int]:
    """Entropy of a stepper's own random stream: a scene is seeded with the same number."""
    return [seed, 2]
