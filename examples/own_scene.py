"""A scene of your own in one file: run a bath as warm as the person likes it. It is checked, and random actions score it.

python examples/own_scene.py
"""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.env_checker import check_env

from dynamite.evaluate import evaluate
from policies import load
from scenes.base import SessionEnv
from scenes.latent import LatentSpace, ScalarField
from scenes.registry import SCENES, SceneEntry, make_scene, register_all


class WarmBath(SessionEnv):
    """The water should be as warm as the person likes it, which nobody says and which changes.

    **Action** (1,) in [−1, 1]: how much warmer, °C. **Observation** (1,) float32: the water, 30 to 45 °C.
    **Latent** ``warmth``, 34 to 41 °C. **Reward** 1 − |water − warmth|. **Success**: within 0.5 °C at the end.
    **Version history**: v1, the first.
    """

    n_privileged = 1  # what oracles are given; by default the latent as numbers

    def __init__(self, termination: Any = 0.02, kernel: Any = "uniform") -> None:
        super().__init__(
            LatentSpace((ScalarField("warmth", "Warmth", 34.0, 41.0, "°C"),)), termination, kernel
        )
        self.action_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.observation_space = gym.spaces.Box(30.0, 45.0, (1,), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None):
        super().reset(seed=seed)
        self.steps, self.water = 0, float(self.np_random.uniform(30.0, 45.0))
        return np.array([self.water], np.float32), self._start_sessions(options)

    def step(self, action: np.ndarray):
        self.steps, self.water = self.steps + 1, float(np.clip(self.water + float(action[0]), 30.0, 45.0))
        off = abs(self.water - self.sessions.latent["warmth"])
        info = {**self._advance_sessions(), "task_success": off < 0.5}  # last: here the preference may change
        return np.array([self.water], np.float32), 1.0 - off, False, self.steps >= self.episode_length, info

    def state_hash(self) -> str:
        return repr((self.steps, self.water, self.sessions.latent))


SCENES["warm_bath"] = SceneEntry(
    "scenes/WarmBath-v1", __name__, "WarmBath", "A bath as warm as the person likes."
)
register_all()

if __name__ == "__main__":
    check_env(gym.make("scenes/WarmBath-v1", disable_env_checker=True).unwrapped)
    scene = make_scene("warm_bath")
    print(f"random: return {evaluate(lambda: scene, load('random', scene), 100, seed=0)['return_mean']:.1f}")
