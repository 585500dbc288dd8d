"""Upstream's Feeding and Drinking: bring spoon or cup to where the person takes it, from ahead, without spilling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from policies.scripted.assistive_gym.arm import CONTROL_STEP_S, UpstreamArm
from policies.scripted.steering import Weights, braked
from scenes.base import Privileged
from scenes.care.assistive_gym.scene import AssistiveGym
from scenes.care.chain import matrix_from_quaternion, matrix_from_rpy

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Manner:
    """How it moves.

    Attributes:
        speed_m_s, braking_m_s2: of the tip away from the face.
        pace_m_s: within ``face_m`` of the goal.
        gather_m_s: how much its velocity may change per step, so that nothing is spilled.
        off_m, over_m: where it stops, ahead of and above the point the person prefers.
        weights: against moving the tip.
    """

    speed_m_s: float
    braking_m_s2: float
    pace_m_s: float
    gather_m_s: float
    off_m: float
    over_m: float
    weights: Weights
    face_m: float = 0.08


@dataclass
class Sight:
    """One observation, taken apart; robot base frame.

    Attributes:
        tip, joints: of the robot.
        rotation: (3, 3) of the tool.
        wanted: (3,) m, where the person wants to be given food or water.
        front: (3,) unit, where the face looks.
    """

    tip: np.ndarray
    joints: np.ndarray
    rotation: np.ndarray
    wanted: np.ndarray
    front: np.ndarray

    @classmethod
    def of(cls, obs: np.ndarray, privileged: Privileged, n: int) -> Sight:
        head = matrix_from_quaternion(obs[10 + n : 14 + n])
        rotation = matrix_from_quaternion(obs[3:7])
        return cls(obs[:3], obs[7 : 7 + n], rotation, privileged.features[3:6], -head[:, 1])


class Approach:
    """From where the tip is to where it should be heading, gathering speed and losing it gently."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self.reset()

    def reset(self) -> None:
        self._velocity = np.zeros(3)

    def velocity(self, sight: Sight, goal: np.ndarray) -> np.ndarray:
        """(3,) m/s, robot base frame, towards ``goal``: the further beside it, the further out."""
        manner = self._manner
        off = sight.tip - goal
        beside = float(np.linalg.norm(off - (off @ sight.front) * sight.front))
        error = goal + sight.front * min(0.08, 1.5 * max(0.0, beside - 0.015)) - sight.tip
        near = float(np.linalg.norm(off)) < manner.face_m
        wanted = braked(error, manner.pace_m_s if near else manner.speed_m_s, manner.braking_m_s2)
        change = wanted - self._velocity
        size = float(np.linalg.norm(change))
        self._velocity = self._velocity + change * min(1.0, manner.gather_m_s / max(size, 1e-9))
        return self._velocity


class _ToMouth:
    """Args:
    scene: of the kind it will act in.
    manner: how it moves.
    """

    def __init__(self, scene: AssistiveGym, manner: Manner) -> None:
        self._arm, self._manner = UpstreamArm(scene, manner.weights), manner
        self._approach = Approach(manner)
        self.reset()

    def reset(self) -> None:
        self._arm.reset()
        self._approach.reset()


FEEDING = Manner(
    0.25, 0.3, 0.15, 0.05, off_m=0.01, over_m=-0.01, weights=Weights(0.3, 0.01, 0.02, in_step=True)
)


class Feeding(_ToMouth):
    """Keeps the spoon as level as it was filled."""

    def __init__(self, scene: AssistiveGym, manner: Manner = FEEDING) -> None:
        super().__init__(scene, manner)

    def reset(self) -> None:
        super().reset()
        self._level: np.ndarray | None = None

    def act(self, obs: np.ndarray, privileged: Privileged) -> np.ndarray:
        """The action (n,) for upstream's observation, less its target."""
        sight = Sight.of(obs, privileged, self._arm.n)
        if self._level is None:
            self._level = sight.rotation
        goal = sight.wanted + self._manner.off_m * sight.front + self._manner.over_m * UP
        velocity = self._approach.velocity(sight, goal)
        return self._arm.action(sight.joints, velocity, self._level, gain=3.0, loose=UP)


DRINKING = Manner(
    0.2, 0.2, 0.08, 0.04, off_m=0.01, over_m=0.01, weights=Weights(0.15, 0.004, 0.03, in_step=True)
)
#: The cup stands along the tool's y axis; its rim, of this radius, is so far from the tool's origin, m.
RIM_M, RIM_RADIUS_M = 0.122, 0.036
#: Tilt on the way (no drop leaves yet), and at most, rad; the pace of the former and of the latter, rad/s.
EARLY_RAD, MOST_RAD = math.radians(65.0), math.radians(125.0)
TURN_RAD_S, POUR_RAD_S = 0.2, 0.1
#: The rim is at the mouth within this distance of its goal, m.
THERE_M = 0.03


class Drinking(_ToMouth):
    """Tilts the cup about the axis by which the hand holds it, most of the way before it is there."""

    def __init__(self, scene: AssistiveGym, manner: Manner = DRINKING) -> None:
        super().__init__(scene, manner)

    def reset(self) -> None:
        super().reset()
        self._upright: np.ndarray | None = None
        self._tilt = 0.0

    def act(self, obs: np.ndarray, privileged: Privileged) -> np.ndarray:
        """The action (n,) for upstream's observation, less its target."""
        sight = Sight.of(obs, privileged, self._arm.n)
        if self._upright is None:
            self._upright = _leaning_towards(sight.rotation, -sight.front)
            self._held = self._upright.T @ sight.rotation
        now = self._upright.T @ sight.rotation @ self._held.T
        tilt = math.atan2(now[0, 2], now[2, 2])
        # The lowest point of the rim is where the drops leave: it comes to the lips, whatever the tilt.
        rim = self._upright @ (matrix_from_rpy((0.0, tilt, 0.0)) @ np.array([RIM_RADIUS_M, 0.0, RIM_M]))
        goal = sight.wanted + self._manner.off_m * sight.front + self._manner.over_m * UP - rim
        there = float(np.linalg.norm(goal - sight.tip)) < THERE_M
        wanted, rate = (MOST_RAD, POUR_RAD_S) if there else (EARLY_RAD, TURN_RAD_S)
        step = rate * CONTROL_STEP_S
        self._tilt += float(np.clip(wanted - self._tilt, -step, step))
        self._tilt = float(np.clip(self._tilt, tilt - 0.3, tilt + 0.3))
        turned = self._upright @ matrix_from_rpy((0.0, self._tilt, 0.0)) @ self._held
        return self._arm.action(sight.joints, self._approach.velocity(sight, goal), turned, gain=3.0)


def _leaning_towards(rotation: np.ndarray, way: np.ndarray) -> np.ndarray:
    """(3, 3): z up, x the level direction nearest ``way`` (3,) about which the hand need only roll to pour.

    Args:
        rotation: (3, 3) of the upright cup; the hand comes along its x axis.
    """
    across = rotation[:, 0] - (rotation[:, 0] @ UP) * UP
    across /= np.linalg.norm(across)
    x = np.cross(across, UP)
    if float(x @ way) < 0:
        x = -x
    return np.column_stack([x, np.cross(UP, x), UP])
