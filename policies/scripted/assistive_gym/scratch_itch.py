"""Upstream's ScratchItch: sees the itch, reaches for it round the limb, and swings along it.

The counterpart of ``scripted/scratch_itch``. It is simpler: it neither plans its way nor turns the tool.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from policies.scripted.assistive_gym.arm import CONTROL_STEP_S, full_speed
from scenes.base import Privileged
from scenes.care.assistive_gym.scene import AssistiveGym

#: Of the sphere at the tool's tip.
TIP_RADIUS_M = 0.01


@dataclass(frozen=True)
class Swing:
    """How it moves.

    Attributes:
        clearance_m: height above the skin at which it goes round the limb.
        press_m: how far below the skin it aims while it swings.
        near_rad, near_m: how near to the itch (about the limb, along it) it presses.
        speed_m_s: while reaching.
        amplitude_m, half_period: of the swing; the latter in control steps.
        damping: of the least squares.
    """

    clearance_m: float = 0.03
    press_m: float = 0.004
    near_rad: float = 1.0
    near_m: float = 0.06
    speed_m_s: float = 0.3
    amplitude_m: float = 0.025
    half_period: int = 3
    damping: float = 0.1


class Scratching:
    """See the module's docstring.

    Args:
        scene: of the kind it will act in (its robot is read once).
        swing: how it moves.
    """

    def __init__(self, scene: AssistiveGym, swing: Swing | None = None) -> None:
        self._screws = scene.screws()
        self._swing = swing or Swing()
        self._n = scene.n_actions
        self.reset()

    def reset(self) -> None:
        self._clock = 0

    def act(self, obs: np.ndarray, privileged: Privileged) -> np.ndarray:
        """The action (n,) for upstream's observation, less its target."""
        tip, target = obs[:3], privileged.features[3:6]
        shoulder, elbow, wrist = obs[7 + self._n : 16 + self._n].reshape(3, 3)
        on_upper_arm = privileged.latent["itch"].part == "upper_arm"
        near, far = (shoulder, elbow) if on_upper_arm else (elbow, wrist)
        velocity = self._velocity(tip, target, near, (far - near) / np.linalg.norm(far - near))
        _, _, jacobian = self._screws.forward(obs[7 : 7 + self._n])
        jacobian = jacobian[:3]
        damped = jacobian @ jacobian.T + self._swing.damping**2 * np.eye(3)
        speeds = jacobian.T @ np.linalg.solve(damped, velocity)
        return np.clip(speeds / full_speed("scratch_itch"), -1, 1).astype(np.float32)

    def _velocity(
        self, tip: np.ndarray, target: np.ndarray, origin: np.ndarray, axis: np.ndarray
    ) -> np.ndarray:
        """Tip velocity (3,), m/s, in cylindrical coordinates about the limb's ``axis`` (3,) through ``origin`` (3,)."""
        swing = self._swing
        along, out = _across(tip - origin, axis)
        wanted_along, wanted_out = _across(target - origin, axis)
        height, contact = float(np.linalg.norm(out)), float(np.linalg.norm(wanted_out)) + TIP_RADIUS_M
        outward = out / max(height, 1e-6)
        sideways = np.cross(axis, outward)
        turn = math.atan2(float(wanted_out @ sideways), float(wanted_out @ outward))
        missing = wanted_along - along
        if abs(turn) < swing.near_rad and abs(missing) < swing.near_m:
            side = 1.0 if (self._clock // swing.half_period) % 2 == 0 else -1.0
            self._clock += 1
            error = (
                axis * (missing + side * swing.amplitude_m)
                + sideways * (turn * height)
                + outward * (contact - swing.press_m - height)
            )
            return np.clip(error / CONTROL_STEP_S, -swing.speed_m_s, swing.speed_m_s)
        self._clock = 0
        error = (
            axis * missing
            + sideways * (float(np.clip(turn, -0.6, 0.6)) * max(height, contact))
            + outward * min(contact + swing.clearance_m - height, 0.1)
        )
        distance = float(np.linalg.norm(error))
        return error * (min(swing.speed_m_s, math.sqrt(2.4 * distance)) / max(distance, 1e-9))


def _across(point: np.ndarray, axis: np.ndarray) -> tuple[float, np.ndarray]:
    """Distance along ``axis`` and the component (3,) across it."""
    along = float(point @ axis)
    return along, point - along * axis
