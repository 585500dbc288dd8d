"""A scripted oracle for Drinking: comes to the preferred side, brings the rim to the lips, tilts at the preferred rate.

The cup is tilted about the axis by which the hand holds it, in part already on the way. It knows m.
"""

from __future__ import annotations

import math

import numpy as np

from dynamite.acting import Decision
from policies.scripted.steering import Weights
from policies.scripted.to_mouth import Approach, Manner
from scenes.base import Privileged
from scenes.care.chain import matrix_from_rpy
from scenes.care.drinking import Drinking
from scenes.care.scene import CONTROL_STEP_S
from scenes.care.tools.cup import RADIUS

#: Of the preferred rate, so that the arm's own swing does not exceed it.
SHARE = 0.8
#: Where no rate is preferred.
RATE_DEG_S = 8.0
#: Tip speed at the face, m/s.
PACE_M_S = 0.1
#: Tilt on the way, and at most; rad. Drops begin to leave a full cup at about 80°.
EARLY_RAD, MOST_RAD = math.radians(50.0), math.radians(115.0)
#: The rim is at the lips within this distance of its goal, m.
THERE_M = 0.045
#: Turning speed per rad still to turn, 1/s.
GAIN = 3.0


MANNER = Manner(near_rad=0.3, weights=Weights(turning=0.1, posture=0.002))


class Oracle:
    """See the module's docstring.

    Args:
        scene: the scene it will act in.
        manner: how it moves.
    """

    name = "scripted/drinking"
    needs_privileged = True

    def __init__(self, scene: Drinking, manner: Manner | None = None) -> None:
        self._approach = Approach(scene, manner or MANNER)
        self.reset(0)

    def reset(self, seed: int) -> None:
        self._approach.reset()
        self._tilt = 0.0

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        approach = self._approach
        sight = approach.look(observation, privileged)
        now = approach.level.T @ approach.steering.rotation(sight.joints)
        tilt = math.atan2(now[1, 2], now[2, 2])
        # The lowest point of the rim is where the drops leave: it comes to the lips, whatever the tilt.
        rim = approach.level @ np.array([0.0, RADIUS * math.cos(tilt), -RADIUS * math.sin(tilt)])
        goal = sight.mouth - rim
        empty = sight.carried == 0.0
        velocity = approach.velocity(sight, goal, PACE_M_S, empty=empty)
        rate = SHARE * math.radians(privileged.latent.get("tilt_rate", RATE_DEG_S))
        if empty or approach.leaving:
            wanted, rate = 0.0, 0.5
        elif float(np.linalg.norm(goal - sight.tip)) < THERE_M:
            wanted = MOST_RAD
        else:
            wanted = max(EARLY_RAD, min(tilt, math.radians(75.0)))
            rate = 0.25 if float(np.linalg.norm(sight.tip - sight.mouth)) > 0.17 else rate
        step = rate * CONTROL_STEP_S
        self._tilt += float(np.clip(wanted - self._tilt, -step, step))
        self._tilt = float(np.clip(self._tilt, tilt - 0.3, tilt + 0.3))
        turned = approach.level @ matrix_from_rpy((-self._tilt, 0.0, 0.0))
        return Decision(approach.steering.action(sight.joints, velocity, turned, GAIN))
