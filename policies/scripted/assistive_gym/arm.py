"""What the oracles of upstream's tasks share: its robot, and the shape of a controller."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from policies.scripted.steering import ArmSteering, Weights, unwrapped
from scenes.base import Privileged
from scenes.care.assistive_gym.kinematics import Screws
from scenes.care.assistive_gym.scene import AssistiveGym

CONTROL_STEP_S = 0.1
#: A joint has met something when it was told this much for so many steps and did not follow.
STUCK_ACTION, STUCK_STEPS = 0.3, 6
#: Motor gain per physics step. Upstream's default; Feeding and Drinking set lower ones, the latter four times a step.
_GAINS = {"feeding": 0.025, "drinking": 0.02}
_GAIN = 0.05


def full_speed(task: str) -> float:
    """Joint speed (rad/s) an action of 1 asks for: upstream aims 0.25 rad away, per physics step of 0.02 s."""
    return _GAINS.get(task, _GAIN) * 0.25 / 0.02


class Controller(Protocol):
    """Knows one of upstream's tasks."""

    def reset(self) -> None:
        """A new episode begins."""

    def act(self, obs: np.ndarray, privileged: Privileged) -> np.ndarray:
        """The action (n,) float32 for upstream's observation, less what the scene hides."""


class UpstreamArm:
    """The robot that upstream mounts on wheelchair or nightstand, in its base frame, whose z axis points up.

    Args:
        scene: whose robot and tool they are; read once.
        weights: against moving the tip.

    Attributes:
        yields: whether a joint that meets something counts as at its limit from then on, so that others do its part.
            Upstream places some arms so that their elbow rests on the nightstand.
    """

    def __init__(self, scene: AssistiveGym, weights: Weights) -> None:
        self.screws: Screws = scene.screws()
        self.n = len(self.screws.angles)
        self._weights, self._full_speed = weights, full_speed(scene.upstream.task)
        self.reset()

    def reset(self) -> None:
        self._rest: np.ndarray | None = None
        self._limits = self.screws.limits.copy()
        self._stuck = np.zeros(self.n)
        self.yields = False

    def action(
        self,
        joints: np.ndarray,
        velocity: np.ndarray,
        rotation: np.ndarray,
        gain: float = 2.0,
        loose: np.ndarray | None = None,
    ) -> np.ndarray:
        """See :meth:`ArmSteering.action`; the first of an episode tells which posture to stay near."""
        if self._rest is None:
            # Observed angles are within half a turn of zero, limits need not be; some joints start at one.
            self._rest = np.clip(unwrapped(joints, self._limits.mean(0)), *self._limits)
        elif self.yields:
            self._find_stuck(joints, self._rest)
        steering = ArmSteering(self.screws, self._rest, self._limits, self._full_speed, self._weights)
        action = steering.action(joints, velocity, rotation, gain, loose)
        self._last = joints, action
        return action

    def _find_stuck(self, joints: np.ndarray, rest: np.ndarray) -> None:
        """Take joints for limited that for some steps have not done a fifth of what they were told."""
        before, action = self._last
        turned = (joints - before + np.pi) % (2 * np.pi) - np.pi
        told = action * self._full_speed * CONTROL_STEP_S
        stuck = (np.abs(action) > STUCK_ACTION) & (turned * np.sign(told) < np.abs(told) / 5)
        self._stuck = np.where(stuck, self._stuck + 1, 0)
        for j in np.flatnonzero(self._stuck >= STUCK_STEPS):
            self._limits[int(action[j] > 0), j] = unwrapped(joints, rest)[j]
            self._stuck[j] = 0
