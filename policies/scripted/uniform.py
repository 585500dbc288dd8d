"""Uniformly random actions: the lower reference beside every learned policy."""

from __future__ import annotations

import gymnasium as gym
import numpy as np

from dynamite.acting import Decision
from scenes.base import Privileged, SessionEnv


class Uniform:
    """Draws every action afresh from the whole action space."""

    name = "random"
    needs_privileged = False

    def __init__(self, scene: SessionEnv) -> None:
        self._space = scene.action_space
        self.reset(0)

    def reset(self, seed: int) -> None:
        # A stream of its own: the scene is seeded with the same number.
        self._rng = np.random.default_rng([seed, 1])

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if isinstance(self._space, gym.spaces.Discrete):
            return Decision(np.asarray(self._rng.integers(self._space.n)))
        assert isinstance(self._space, gym.spaces.Box)
        return Decision(self._rng.uniform(self._space.low, self._space.high).astype(np.float32))
