"""Upstream's BedBathing: goes above the skin to the spot that wants washing, and wipes about it in lanes along the limb.

The counterpart of ``scripted/bed_bathing``. Upstream counts only the cloth, which
stands out by 1.5 mm: the pad lies flat, its long side across the limb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from policies.scripted.assistive_gym.arm import CONTROL_STEP_S, UpstreamArm
from policies.scripted.steering import Weights, braked
from scenes.base import Privileged
from scenes.care.assistive_gym.scene import AssistiveGym
from scenes.care.chain import matrix_from_quaternion, matrix_from_rpy

UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Strokes:
    """How it moves and wipes.

    Attributes:
        clearance_m: height of the pad above where it will wipe, while crossing.
        funnel: height per distance still to cross, once it is less than that.
        press_m: how far below the skin it is aimed while wiping.
        near_rad, near_m, low_m: how close (about, along, above the limb) to the lane it must be before it presses.
        speed_m_s, braking_m_s2: while crossing.
        slide_m_s: on the skin.
        lanes_rad: angles about the limb, from the spot, that are wiped in turn.
        reach_m: along the limb, to both sides of the spot.
        lean_rad: the pad faces away from the robot by an angle between these, on upper arm and forearm: with less, the
            hand touches the mattress, with more, the pad touches the body.
        shift_m: from the pad's middle away from the hand, where it touches: beyond the limb there is little room.
        lift_rad: one finger reaches 4.5 mm below the cloth; the pad's edge on its side is lifted by this much.
        patience: steps after which it goes on to the next lane.
        weights: against moving the pad.
    """

    clearance_m: float = 0.15
    funnel: float = 2.0
    press_m: float = 0.01
    near_rad: float = 0.5
    near_m: float = 0.04
    low_m: float = 0.04
    speed_m_s: float = 0.4
    braking_m_s2: float = 0.8
    slide_m_s: float = 0.15
    lanes_rad: tuple[float, ...] = (0.0, 0.5, 0.0, -0.5)
    reach_m: float = 0.04
    lean_rad: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {"upper_arm": (-0.15, 0.35), "forearm": (-0.15, 0.6)}
    )
    shift_m: float = 0.03
    lift_rad: float = 0.17
    patience: int = 10
    weights: Weights = field(default_factory=lambda: Weights(0.1, 0.003, 0.03, in_step=True))


class Wiping:
    """See the module's docstring.

    Args:
        scene: of the kind it will act in.
        strokes: how it moves.
    """

    def __init__(self, scene: AssistiveGym, strokes: Strokes | None = None) -> None:
        self._strokes = strokes or Strokes()
        self._arm = UpstreamArm(scene, self._strokes.weights)
        self.reset()

    def reset(self) -> None:
        self._arm.reset()
        self._lane, self._end, self._clock = 0, 1.0, 0
        self._spot: object = None

    def act(self, obs: np.ndarray, privileged: Privileged) -> np.ndarray:
        """The action (n,) for upstream's observation."""
        n, strokes = self._arm.n, self._strokes
        joints, target = obs[7 : 7 + n], privileged.features[3:6]
        tip = obs[:3] + strokes.shift_m * matrix_from_quaternion(obs[3:7])[:, 0]
        shoulder, elbow, wrist = obs[7 + n : 16 + n].reshape(3, 3)
        spot = privileged.latent["spot"]
        if spot != self._spot:
            self._spot, self._lane, self._clock = spot, 0, 0
        near, far = (shoulder, elbow) if spot.part == "upper_arm" else (elbow, wrist)
        length = float(np.linalg.norm(far - near))
        axis = (far - near) / length
        along, out = _across(tip - near, axis)
        spot_along, spot_out = _across(target - near, axis)
        height, radius = float(np.linalg.norm(out)), float(np.linalg.norm(spot_out))
        outward, sideways = out / max(height, 1e-6), np.cross(axis, out / max(height, 1e-6))

        lane = strokes.lanes_rad[self._lane % len(strokes.lanes_rad)]
        lean = strokes.lean_rad[spot.part]
        nearest = _leaning(spot_out / radius, axis, -target, lean)
        wanted = _leaning(_turned(nearest, axis, lane), axis, -target, lean)
        turn = math.atan2(float(wanted @ sideways), float(wanted @ outward))
        middle = float(np.clip(spot_along, strokes.reach_m, length - strokes.reach_m))
        missing = middle + self._end * strokes.reach_m - along
        beyond = max(abs(along - middle) - strokes.reach_m, 0.0)
        near_skin = abs(turn) < strokes.near_rad and height - radius < strokes.low_m
        wiping = near_skin and beyond < strokes.near_m
        self._arm.yields = not wiping
        if wiping:
            self._clock += 1
            if abs(missing) < 0.015 or self._clock >= strokes.patience:
                self._clock, self._end = 0, -self._end
                self._lane += 1
            velocity = braked(
                axis * missing + sideways * (turn * radius), strokes.slide_m_s, strokes.braking_m_s2
            )
            inward = (radius - strokes.press_m - height) / CONTROL_STEP_S
            velocity = velocity + outward * float(np.clip(inward, -0.15, 0.15))
        else:
            self._clock = 0
            error = near + (along + missing) * axis + radius * wanted - tip
            away = float(np.linalg.norm(error[:2]))
            error[2] += min(strokes.clearance_m, strokes.funnel * max(0.0, away - 0.02) + 0.01)
            velocity = braked(error, strokes.speed_m_s, strokes.braking_m_s2)
        return self._arm.action(joints, velocity, _pad(wanted, axis, -target, strokes.lift_rad))


def _pad(outward: np.ndarray, axis: np.ndarray, ours: np.ndarray, lift: float) -> np.ndarray:
    """Rotation (3, 3) with the pad facing the skin, its long side across the limb, the hand on the robot's side."""
    x = np.cross(axis, outward)
    if float(x @ ours) > 0:
        x = -x
    pad = np.column_stack([x, np.cross(outward, x), outward])
    return pad @ matrix_from_rpy((lift, 0.0, 0.0))


def _turned(direction: np.ndarray, axis: np.ndarray, angle: float) -> np.ndarray:
    """``direction`` (3,), across ``axis``, turned about it."""
    return math.cos(angle) * direction + math.sin(angle) * np.cross(axis, direction)


def _leaning(out: np.ndarray, axis: np.ndarray, ours: np.ndarray, between: tuple[float, float]) -> np.ndarray:
    """Unit direction (3,) across the limb nearest ``out`` (3,) that leans off straight up by an angle in ``between``.

    Args:
        ours: (3,) towards the robot; angles (rad) are positive away from it.
    """
    up = UP - axis[2] * axis
    up /= np.linalg.norm(up)
    level = np.cross(axis, up)
    if float(level @ ours) > 0:
        level = -level
    angle = float(np.clip(math.atan2(float(out @ level), float(out @ up)), *between))
    return math.cos(angle) * up + math.sin(angle) * level


def _across(point: np.ndarray, axis: np.ndarray) -> tuple[float, np.ndarray]:
    """Distance along ``axis`` and the component (3,) across it."""
    along = float(point @ axis)
    return along, point - along * axis
