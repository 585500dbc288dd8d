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
from scenes.care.mouth_scene import FACE_M
from scenes.care.scene import CONTROL_STEP_S
from scenes.care.tools.cup import RADIUS

#: Of the preferred rate, so that the arm's own swing does not exceed it.
SHARE = 0.9
#: Where no rate is preferred.
RATE_DEG_S = 8.0
#: Tip speed at the face, and once the rim is at the lips; m/s.
PACE_M_S, AT_LIPS_M_S = 0.1, 0.04
#: Once drops leave, or so late in the episode, it stays though the person now wants another side: rad, steps.
LATE_RAD, LATE_STEPS = math.radians(82.0), 120
#: Tilt on the way, and at most; rad. Drops begin to leave a full cup at about 87°.
EARLY_RAD, MOST_RAD = math.radians(77.0), math.radians(115.0)
#: The cup tilts towards the face from this far to its left, about the vertical, and follows so much of the head's turn:
#: from straight ahead a Jaco on the chair would have its elbow in the person's lap. So is the hand's place on the cup.
FROM_LEFT_RAD, FOLLOW = math.radians(46.0), 0.75
SPIN_RAD = math.radians(-20.0)
#: The lowest point of the rim comes this far before and over the middle of the lips, m.
OFF_M, OVER_M = 0.01, 0.004
#: Turning where the person does not mind, rad/s.
TURN_RAD_S = 0.25
#: The rim is at the lips within this distance of its goal, m.
THERE_M = 0.045
#: Turning speed per rad still to turn, 1/s.
GAIN = 3.0

MANNER = Manner(
    near_rad=0.3, weights=Weights(turning=0.1, posture=0.002, damping=0.04, in_step=True), late_m=0.0
)


class Oracle:
    """See the module's docstring.

    Args:
        scene: the scene it will act in.
        manner: how it moves.
    """

    name = "scripted/drinking"
    needs_privileged = True

    def __init__(self, scene: Drinking, manner: Manner | None = None) -> None:
        self._to_base = scene.base[:3, :3].T
        self._approach = Approach(scene, manner or MANNER)
        self.reset(0)

    def reset(self, seed: int) -> None:
        self._approach.reset()
        self._tilt, self._steps = 0.0, 0

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        approach = self._approach
        sight = approach.look(observation, privileged)
        upright = self._upright(sight.front)
        now = upright.T @ approach.steering.rotation(sight.joints)
        tilt = math.atan2(now[1, 2], now[2, 2])
        # The lowest point of the rim is where the drops leave: it comes to the lips, whatever the tilt.
        rim = upright @ np.array([0.0, RADIUS * math.cos(tilt), -RADIUS * math.sin(tilt)])
        goal = sight.mouth + OFF_M * sight.front + np.array([0, 0, OVER_M]) - rim
        empty = sight.carried == 0.0
        there = float(np.linalg.norm(goal - sight.tip)) < THERE_M
        self._steps += 1
        late = tilt > LATE_RAD or self._steps > LATE_STEPS
        velocity = approach.velocity(sight, goal, AT_LIPS_M_S if there else PACE_M_S, empty, late)
        rate = SHARE * math.radians(privileged.latent.get("tilt_rate", RATE_DEG_S))
        if empty:
            wanted, rate = 0.0, 0.5
        elif not approach.leaving and there:
            wanted = MOST_RAD
        else:
            wanted = EARLY_RAD
            if float(np.linalg.norm(sight.tip - sight.mouth)) > FACE_M:
                rate = TURN_RAD_S
        step = rate * CONTROL_STEP_S
        self._tilt += float(np.clip(wanted - self._tilt, -step, step))
        self._tilt = float(np.clip(self._tilt, tilt - 0.3, tilt + 0.3))
        turned = upright @ matrix_from_rpy((-self._tilt, 0.0, 0.0)) @ matrix_from_rpy((0.0, 0.0, SPIN_RAD))
        return Decision(approach.steering.action(sight.joints, velocity, turned, GAIN, upright @ now[:, 2]))

    def _upright(self, front: np.ndarray) -> np.ndarray:
        """(3, 3), robot base frame: the upright cup that tilts towards its +y, for a face that looks along ``front``."""
        ahead = self._to_base.T @ front
        face = math.atan2(ahead[0], -ahead[1])
        return self._to_base @ matrix_from_rpy((0.0, 0.0, FROM_LEFT_RAD + FOLLOW * face))
