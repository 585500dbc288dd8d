"""What scripted oracles share: from a wanted motion of the tool to the action that asks a scene's controller for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scenes.care.chain import Kinematics, rotation_error
from scenes.care.scene import CONTROL_STEP_S, TIME_STEP_S, CareScene

#: What turning about a loose axis counts of other turning.
LOOSE = 0.1
#: Time in which a joint must be able to stop before its limit, s.
STOPPING_S = 0.3


@dataclass(frozen=True)
class Weights:
    """How much else counts against moving the tip as wanted (weight 1, m/s).

    Attributes:
        turning: of turning the tool as wanted, m.
        posture: of staying near the start posture, m.
        damping: of moving joints at all, m: near singular postures they would be asked for more than they can.
        in_step: whether joints that are asked for more than they can slow all others down too, so that the tool keeps its
            direction, instead of doing what they can.
    """

    turning: float = 0.1
    posture: float = 0.02
    damping: float = 0.001
    in_step: bool = False


class Forward(Protocol):
    """Forward kinematics."""

    def forward(self, q: np.ndarray, /) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tip position (3,), rotation (3, 3) and geometric Jacobian (6, n) at joint positions ``q`` (n,)."""


class ArmSteering:
    """Joint speeds by damped least squares, as an action.

    Args:
        kinematics: of the tool, in the frame of the wanted motion.
        rest: (n,) the posture that it stays near.
        limits: (2, n) of the joints, lower and upper.
        full_speed: (n,) or one, what an action of 1 asks for.
        weights: see :class:`Weights`.
    """

    def __init__(
        self,
        kinematics: Forward,
        rest: np.ndarray,
        limits: tuple[np.ndarray, np.ndarray] | np.ndarray,
        full_speed: np.ndarray | float,
        weights: Weights,
    ) -> None:
        self._kinematics, self._rest, self._n = kinematics, rest, len(rest)
        self._low, self._high = limits[0], limits[1]
        self._full_speed, self._weights = full_speed, weights

    def rotation(self, joints: np.ndarray) -> np.ndarray:
        """(3, 3) of the tool at joint angles (n,)."""
        return self._kinematics.forward(joints)[1]

    def action(
        self,
        joints: np.ndarray,
        velocity: np.ndarray,
        rotation: np.ndarray,
        gain: float = 2.0,
        loose: np.ndarray | None = None,
    ) -> np.ndarray:
        """Action (n,) whose joint speeds move the tip with ``velocity`` (3,) m/s and turn the tool towards ``rotation``.

        Args:
            gain: turning speed per rad still to turn, 1/s.
            loose: (3,) unit, an axis about which the tool's turning counts for little.
        """
        _, now, jacobian = self._kinematics.forward(joints)
        turn = np.clip(gain * rotation_error(rotation, now), -1.0, 1.0)
        turning = np.eye(3)
        if loose is not None:
            turning -= (1.0 - LOOSE) * np.outer(loose, loose)
        home = (self._rest - joints + math.pi) % (2 * math.pi) - math.pi
        w = self._weights
        turning *= w.turning
        task = np.vstack([jacobian[:3], turning @ jacobian[3:], w.posture * np.eye(self._n)])
        wanted = np.concatenate([velocity, turning @ turn, w.posture * 0.5 * home])
        speeds = self._within_limits(task, wanted, unwrapped(joints, self._rest))
        wished = speeds / self._full_speed
        if w.in_step:
            wished = wished / max(1.0, float(np.abs(wished).max()))
        return np.clip(wished, -1.0, 1.0).astype(np.float32)

    def _within_limits(self, task: np.ndarray, wanted: np.ndarray, joints: np.ndarray) -> np.ndarray:
        """Joint speeds (n,) that meet ``task`` (k, n) · speeds = ``wanted`` (k,) best.

        Where a joint would run into its limit it slows down, and the others do its part.
        """
        low, high = (self._low - joints) / STOPPING_S, (self._high - joints) / STOPPING_S
        damping = self._weights.damping**2
        speeds, free = np.zeros(self._n), np.ones(self._n, dtype=bool)
        while free.any():
            some = task[:, free]
            left = wanted - task[:, ~free] @ speeds[~free]
            speeds[free] = np.linalg.solve(some.T @ some + damping * np.eye(some.shape[1]), some.T @ left)
            bounded = np.clip(speeds, low, high)
            beyond = free & (bounded != speeds)
            if not beyond.any():
                break
            speeds[beyond] = bounded[beyond]
            free &= ~beyond
        return speeds


class Steering(ArmSteering):
    """Of a care scene's robot.

    Args:
        scene: whose robot, tool and controller they are.
        weights: see :class:`Weights`.
    """

    def __init__(self, scene: CareScene, weights: Weights) -> None:
        # The observation is in the robot's base frame; so is the arithmetic here.
        kinematics = Kinematics(scene.chain, np.eye(4), ("tool", scene.tool.tip))
        super().__init__(kinematics, scene.start_joints, scene.chain.limits, full_speeds(scene), weights)


def full_speeds(scene: CareScene) -> np.ndarray:
    """(n,) rad/s, m/s where a joint slides: what an action of 1 asks of a scene's controller."""
    control = scene.controller
    full = (
        control.reach / CONTROL_STEP_S if control.from_target else control.gain * control.reach / TIME_STEP_S
    )
    return full * scene.robot.levers


def unwrapped(joints: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Joint angles (n,) as limits count them: within half a turn of ``rest`` (n,)."""
    return rest + (joints - rest + math.pi) % (2 * math.pi) - math.pi


def braked(error: np.ndarray, speed: float, braking: float) -> np.ndarray:
    """Velocity (3,) along ``error`` (3,) m: at most ``speed``, and no faster than ``braking`` (m/s²) can stop in time."""
    distance = float(np.linalg.norm(error))
    return error * (min(speed, math.sqrt(2 * braking * distance)) / max(distance, 1e-9))
