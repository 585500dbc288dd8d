"""A scripted oracle for Feeding: comes to the preferred side, goes in at the preferred pace, keeps the spoon level.

When the spoon is empty it leaves the face for another helping. It knows m (``needs_privileged``).
"""

from __future__ import annotations

import numpy as np

from dynamite.acting import Decision
from policies.scripted.to_mouth import Approach, Manner
from scenes.base import Privileged
from scenes.care.feeding import Feeding

#: Of the preferred pace, so that the arm's own swing does not exceed it.
SHARE = 0.85
#: Where no pace is preferred.
PACE_M_S = 0.1
#: The spoon is brought this far under the line between the lips, m.
UNDER_M = 0.006


class Oracle:
    """See the module's docstring.

    Args:
        scene: the scene it will act in.
        manner: how it moves.
    """

    name = "scripted/feeding"
    needs_privileged = True

    def __init__(self, scene: Feeding, manner: Manner | None = None) -> None:
        self._approach = Approach(scene, manner or Manner())

    def reset(self, seed: int) -> None:
        self._approach.reset()

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        approach = self._approach
        sight = approach.look(observation, privileged)
        goal = sight.mouth - np.array([0.0, 0.0, UNDER_M])
        velocity = approach.velocity(
            sight, goal, SHARE * privileged.latent.get("pace", PACE_M_S), empty=sight.carried == 0.0
        )
        return Decision(approach.steering.action(sight.joints, velocity, approach.level))
