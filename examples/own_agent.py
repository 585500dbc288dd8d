"""An agent of your own: it turns the tap of `own_scene.py` while that feels better, and half as far back where it does not.

python examples/own_agent.py
"""

import argparse
from typing import Any

import numpy as np
import own_scene  # noqa: F401 (registers warm_bath)

from dynamite.acting import Decision
from dynamite.evaluate import evaluate
from policies import load
from scenes import make_scene


class Tuner:
    """Knows what it last did and how that felt, and nothing of the truth."""

    name, needs_privileged = "tuner", False

    def reset(self, seed: int) -> None:
        self.turn, self.before = 1.0, -np.inf

    def act(self, observation: np.ndarray, reward: float, privileged: Any = None) -> Decision:
        if reward < self.before:
            self.turn *= -0.5
        if (
            abs(self.turn) < 0.1 or reward < self.before - 1.0
        ):  # settled, or somebody changed their mind: look around
            self.turn = np.copysign(1.0 if reward < 0.5 else 0.1, self.turn)
        self.before = reward
        return Decision(np.array([self.turn], np.float32))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--episodes", type=int, default=100)
    given = options.parse_args()
    for policy in (load("random", make_scene("warm_bath")), Tuner()):
        scores = evaluate(lambda: make_scene("warm_bath"), policy, given.episodes, seed=0)
        print(
            f"{policy.name:7} return {scores['return_mean']:8.1f}, success rate {scores['success_rate']:.2f}"
        )


if __name__ == "__main__":
    main()
