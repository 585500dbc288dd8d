"""A scripted oracle for Reacher: sees the goal, solves the arm's angles for it and drives the joints there.

It is the check that the task can be done, the upper reference beside a trained oracle, and a teacher for imitation. It
knows m (``needs_privileged``); no learned policy may read what it reads.

The arm has two angles and the goal two coordinates, so the angles follow from the law of cosines, up to the side on which
the elbow bends; the side that needs the smaller turn is taken. Each joint is then a point mass under a motor with friction
(the links weigh next to nothing beside the motors' armature), brought to its angle by a PD law on its acceleration.
"""

from __future__ import annotations

import math

import numpy as np

from dynamite.acting import Decision
from scenes.base import Privileged
from scenes.control.reacher import Reacher

#: Natural frequency and damping ratio of a joint on its way, by a grid search of the shaped return over 20 episodes.
FREQUENCY_RAD_S = 15.0
DAMPING = 0.75


class Oracle:
    """See the module's docstring.

    Args:
        scene: the scene it will act in (its links and motors are read once).
    """

    name = "scripted/reacher"
    needs_privileged = True

    def __init__(
        self, scene: Reacher, frequency_rad_s: float = FREQUENCY_RAD_S, damping: float = DAMPING
    ) -> None:
        self._links_m = scene.links_m
        model = scene.model
        self._inertia, self._friction = model.dof_armature[:2].copy(), model.dof_damping[:2].copy()
        self._motor = model.actuator_gear[:2, 0].copy()  # N·m at an action of 1
        self._elbow_limit = float(model.jnt_range[1, 1])
        self._stiffness, self._damping = frequency_rad_s**2, 2.0 * damping * frequency_rad_s

    def reset(self, seed: int) -> None:
        """Nothing to forget: every step is decided from the present state alone."""

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        assert privileged is not None
        angles = np.arctan2(observation[2:4], observation[0:2])
        speeds = observation[4:6].astype(float)
        turn = self._turn(angles, *privileged.features[:2])
        acceleration = self._stiffness * turn - self._damping * speeds
        torque = self._inertia * acceleration + self._friction * speeds
        return Decision(np.clip(torque / self._motor, -1.0, 1.0).astype(np.float32))

    def _turn(self, angles: np.ndarray, x: float, y: float) -> np.ndarray:
        """(2,) rad by which the joints must turn to bring the tip to (x, y), or as near as they can."""
        near, far = self._links_m
        reach = (x * x + y * y - near**2 - far**2) / (2 * near * far)
        bend = min(math.acos(min(1.0, max(-1.0, reach))), self._elbow_limit)
        turns = []
        for elbow in (bend, -bend):
            shoulder = math.atan2(y, x) - math.atan2(far * math.sin(elbow), near + far * math.cos(elbow))
            way = (shoulder - angles[0] + math.pi) % (2 * math.pi) - math.pi
            turns.append(np.array([way, elbow - angles[1]]))
        return min(turns, key=lambda turn: float(np.abs(turn).max()))
