"""What the oracles of upstream's tasks share: its robot, and the shape of a controller."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from policies.scripted.steering import ArmSteering, Weights, unwrapped
from scenes.base import Privileged
from scenes.care.assistive_gym.kinematics import Screws
from scenes.care.assistive_gym.scene import AssistiveGym

CONTROL_STEP_S = 0.1
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
    """

    def __init__(self, scene: AssistiveGym, weights: Weights) -> None:
        self.screws: Screws = scene.screws()
        self.n = len(self.screws.angles)
        self._weights, self._full_speed = weights, full_speed(scene.upstream.task)
        self.reset()

    def reset(self) -> None:
        self._steering: ArmSteering | None = None

    def action(
        self,
        joints: np.ndarray,
        velocity: np.ndarray,
        rotation: np.ndarray,
        gain: float = 2.0,
        loose: np.ndarray | None = None,
    ) -> np.ndarray:
        """See :meth:`ArmSteering.action`; the first of an episode tells which posture to stay near."""
        if self._steering is None:
            limits = self.screws.limits
            # Observed angles are within half a turn of zero, limits need not be; some joints start at one.
            rest = np.clip(unwrapped(joints, limits.mean(0)), *limits)
            self._steering = ArmSteering(self.screws, rest, limits, self._full_speed, self._weights)
        return self._steering.action(joints, velocity, rotation, gain, loose)
