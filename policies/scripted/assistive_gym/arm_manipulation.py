"""Upstream's ArmManipulation: comes beside the hanging arm and pushes it round the shoulder to where the person wants it.

The counterpart of ``scripted/arm_manipulation``. It is simpler: it pushes with the side of the scoop, rising with the limb,
and does not carry it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from policies.scripted.assistive_gym.arm import UpstreamArm
from policies.scripted.steering import Weights, braked
from scenes.base import Privileged
from scenes.care.assistive_gym.scene import AssistiveGym
from scenes.care.chain import matrix_from_quaternion

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Push:
    """How it moves.

    Attributes:
        support_m: where it pushes, from the elbow towards the hand.
        beside_m: how far beside the limb, towards the head, it comes down.
        below_m: of the scoop below the limb's axis.
        height_m: of the scoop above the shoulder, at most.
        beyond_rad: the arm is not pushed further than this past the person's side.
        keep: how strongly the scoop keeps to the point it pushes at, 1/s.
        near_m: it is beside the limb.
        approach_m_s, push_m_s, rise_m_s, braking_m_s2: without and with the arm.
        weights: against moving the scoop.
    """

    support_m: float = 0.08
    beside_m: float = 0.1
    below_m: float = 0.02
    height_m: float = -0.02
    beyond_rad: float = 0.3
    keep: float = 2.0
    near_m: float = 0.04
    approach_m_s: float = 0.3
    push_m_s: float = 0.15
    rise_m_s: float = 0.04
    braking_m_s2: float = 0.6
    weights: Weights = field(default_factory=lambda: Weights(0.05, 0.005, 0.03, in_step=True))


class Pushing:
    """See the module's docstring.

    Args:
        scene: of the kind it will act in.
        push: how it moves.
    """

    def __init__(self, scene: AssistiveGym, push: Push | None = None) -> None:
        self._push = push or Push()
        self._arm = UpstreamArm(scene, self._push.weights)
        # Upstream commands a single arm as its right and its left one.
        self._arms = scene.n_actions // self._arm.n
        self.reset()

    def reset(self) -> None:
        self._arm.reset()
        self._level: np.ndarray | None = None
        self.pushing = False

    def act(self, obs: np.ndarray, privileged: Privileged) -> np.ndarray:
        """The action (n,) for upstream's observation, less stomach and waist."""
        n, first = self._arm.n, 14 + self._arm.n * self._arms
        if self._level is None:
            self._level = matrix_from_quaternion(obs[10:14])
        tip, joints = obs[7:10], obs[first - n : first]
        shoulder, elbow, wrist = obs[first : first + 9].reshape(3, 3)
        stomach, waist = privileged.features.reshape(2, 3)
        support = elbow + self._push.support_m * (wrist - elbow) / np.linalg.norm(wrist - elbow)
        velocity = self._velocity(tip, support, shoulder, stomach, waist)
        self._arm.yields = not self.pushing
        return np.tile(self._arm.action(joints, velocity, self._level), self._arms)

    def _velocity(
        self,
        tip: np.ndarray,
        support: np.ndarray,
        shoulder: np.ndarray,
        stomach: np.ndarray,
        waist: np.ndarray,
    ) -> np.ndarray:
        """Of the scoop, (3,) m/s, robot base frame."""
        push = self._push
        arm = (support - shoulder)[:2]
        reach = float(np.linalg.norm(arm))
        onward = np.array([-arm[1], arm[0], 0.0]) / reach  # about the shoulder, towards the feet
        place = support - push.below_m * UP
        if not self.pushing:
            error = place - push.beside_m * onward - tip
            away = float(np.linalg.norm(error))
            self.pushing = away < push.near_m
            return braked(error, push.approach_m_s, push.braking_m_s2)
        off = place - tip
        off -= (off @ onward) * onward  # it is behind the limb
        velocity = push.keep * off
        velocity[2] += push.rise_m_s * float(tip[2] < shoulder[2] + push.height_m)
        side = (waist - stomach)[:2]
        wanted = min(_angle(side, (waist - shoulder)[:2]), push.beyond_rad)
        left = wanted - _angle(side, arm)
        return velocity + onward * float(np.clip(2.0 * left * reach, -push.push_m_s, push.push_m_s))


def _angle(of: np.ndarray, to: np.ndarray) -> float:
    """From one direction (2,) to another, rad, counterclockwise."""
    return math.atan2(float(of[0] * to[1] - of[1] * to[0]), float(of @ to))
