"""What the oracles of feeding and drinking share: to the preferred side of the face, in, and out again for more."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from policies.scripted.steering import Steering, Weights, braked
from scenes.base import Privileged
from scenes.care.chain import matrix_from_quaternion, matrix_from_rpy
from scenes.care.mouth_scene import FACE_M, REFILL_M, MouthScene


@dataclass(frozen=True)
class Manner:
    """How it moves.

    Attributes:
        speed_m_s, braking_m_s2: of the tip away from the face.
        gather_m_s: how much its velocity may change per step, so that nothing is spilled.
        near_rad: how far off the preferred side it may be when it goes in.
        stand_m: how far outside the face it waits and turns.
        late_m: closer to the mouth than this it goes on, though the person now wants another side.
        weights: against moving the tip.
    """

    speed_m_s: float = 0.22
    braking_m_s2: float = 0.25
    gather_m_s: float = 0.04
    near_rad: float = 0.2
    stand_m: float = 0.035
    late_m: float = 0.045
    weights: Weights = field(default_factory=lambda: Weights(turning=0.3, posture=0.03))


@dataclass
class Sight:
    """One observation, taken apart; robot base frame.

    Attributes:
        tip, joints: of the robot.
        mouth: (3,) m.
        side: (3,) unit, level, from the mouth towards the preferred side.
        front: (3,) unit, where the face looks.
        welcome: worth of the side the tool came from, where it is at the face.
        carried: share of a helping in the vessel.
    """

    tip: np.ndarray
    joints: np.ndarray
    mouth: np.ndarray
    side: np.ndarray
    front: np.ndarray
    welcome: float
    carried: float


class Approach:
    """From where the tip is to where it should be heading, one step at a time.

    Args:
        scene: the scene it will act in.
        manner: see :class:`Manner`.
    """

    def __init__(self, scene: MouthScene, manner: Manner) -> None:
        self.steering = Steering(scene, manner.weights)
        self.manner = manner
        self._n = scene.robot.n_joints
        self._to_base = scene.base[:3, :3].T
        self.level = self._to_base @ matrix_from_rpy(scene.start_tip[1])
        self.reset()

    def reset(self) -> None:
        self._velocity = np.zeros(3)
        self.leaving = False

    def look(self, observation: np.ndarray, privileged: Privileged) -> Sight:
        obs, n = observation.astype(np.float64), self._n
        seen = obs[7 + 2 * n :]
        head = self._to_base @ matrix_from_quaternion(seen[6:10])
        bearing = float(privileged.features[3])
        side = head @ np.array([math.sin(bearing), -math.cos(bearing), 0.0])
        side[2] = 0.0  # only the bearing counts, and the arm is happier on the level
        side /= np.linalg.norm(side)
        welcome = float(privileged.features[4])
        return Sight(obs[:3], obs[7 : 7 + n], seen[3:6], side, -head[:, 1], welcome, float(seen[10]))

    def velocity(
        self, sight: Sight, goal: np.ndarray, pace: float, empty: bool, late: bool = False
    ) -> np.ndarray:
        """Tip velocity (3,) m/s towards ``goal`` (at the mouth), by way of the preferred side; away when ``empty``.

        Args:
            pace: at the face, m/s.
            late: too late to come from another side.
        """
        manner = self.manner
        away = sight.tip - sight.mouth
        distance = float(np.linalg.norm(away))
        off = math.acos(float(np.clip(away @ sight.side / max(distance, 1e-6), -1.0, 1.0)))
        if empty or (sight.welcome < 0.5 and not late and distance > manner.late_m):
            self.leaving = True
        elif distance > FACE_M:
            self.leaving = False
        if self.leaving:
            target = sight.mouth + away * ((REFILL_M + 0.02) / max(distance, 1e-6)) if off > 1.0 else (
                sight.mouth + sight.side * (REFILL_M + 0.02))  # fmt: skip
        elif distance < FACE_M or (off < manner.near_rad and distance < FACE_M + 2 * manner.stand_m):
            # Round the cheeks: the further beside the mouth, the further out.
            off_goal = sight.tip - goal
            beside = off_goal - (off_goal @ sight.front) * sight.front
            target = goal + sight.front * min(0.05, 1.5 * max(0.0, float(np.linalg.norm(beside)) - 0.015))
        else:
            target = sight.mouth + sight.side * (FACE_M + manner.stand_m)
            if distance < FACE_M + manner.stand_m:  # round the face, not through it
                target = target + away * (0.5 * manner.stand_m / max(distance, 1e-6))
        limit = pace if distance < FACE_M + 0.02 else manner.speed_m_s
        wanted = braked(target - sight.tip, min(manner.speed_m_s, limit), manner.braking_m_s2)
        change = wanted - self._velocity
        size = float(np.linalg.norm(change))
        self._velocity = self._velocity + change * min(1.0, manner.gather_m_s / max(size, 1e-9))
        return self._velocity
