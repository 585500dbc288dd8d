"""A scripted oracle for BedBathing: knows region and pressure, and wipes the region to and fro in three lanes.

Each step, in cylindrical coordinates about the wanted part of the arm: where should the cloth be heading → a velocity →
the action (:mod:`policies.scripted.steering`). It *crosses* above the skin with the plate turned to it, then *wipes*:
presses by the preferred force and follows the lane; where it is held up, it goes on to the lane's other end.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from dynamite.acting import Decision
from policies.scripted.steering import Steering, Weights, braked
from scenes.base import Privileged
from scenes.care.bed_bathing import REGIONS, BedBathing
from scenes.care.body import ARM_PARTS, arm_part_capsule
from scenes.care.scene import CONTROL_STEP_S


@dataclass(frozen=True)
class Strokes:
    """How it moves and wipes.

    Attributes:
        clearance_m: height of the cloth above the skin while crossing.
        near_rad, near_m: how close (about, along the limb) to the region it must be before it presses.
        speed_m_s, braking_m_s2: while crossing.
        slide_m_s: top speed of the cloth on the skin.
        lanes_rad: angles about the limb, from the region's middle, that are wiped in turn.
        ends: shares of the part's length between which it wipes.
        patience: steps after which it turns round, wherever it is.
        lowest_rad: the plate faces no further down than this (above the horizontal): the mattress is there.
        press_m: how far below the skin the cloth is aimed where no pressure is preferred.
        force_gain_m: m of aim per N below the preferred pressure, each step.
        weights: against moving the cloth.
    """

    clearance_m: float = 0.03
    near_rad: float = 0.9
    near_m: float = 0.05
    speed_m_s: float = 0.35
    braking_m_s2: float = 0.8
    slide_m_s: float = 0.2
    lanes_rad: tuple[float, ...] = (-0.6, 0.0, 0.6)
    ends: tuple[float, float] = (0.15, 0.85)
    patience: int = 14
    lowest_rad: float = 0.4
    press_m: float = 0.005
    force_gain_m: float = 0.003
    weights: Weights = field(default_factory=Weights)


#: Found by a random search over 8 episodes per controller with the Jaco.
STROKES: dict[str, Strokes] = {
    "assistive_gym": Strokes(
        clearance_m=0.0365, near_rad=0.426, near_m=0.0341, speed_m_s=0.245, braking_m_s2=1.18, slide_m_s=0.249,
        lanes_rad=(-0.42, 0.0, 0.42), ends=(0.218, 0.911), patience=19, lowest_rad=0.316, force_gain_m=0.0098,
        weights=Weights(0.026, 0.0674),
    ),
    "responsive": Strokes(
        clearance_m=0.095, near_rad=1.33, near_m=0.0375, speed_m_s=0.278, braking_m_s2=2.07, slide_m_s=0.195,
        lanes_rad=(-0.598, 0.598), ends=(0.091, 0.748), patience=10, lowest_rad=0.420, force_gain_m=0.00255,
        weights=Weights(0.0404, 0.0252),
    ),
}  # fmt: skip


class Oracle:
    """See the module's docstring.

    Args:
        scene: the scene it will act in.
        strokes: how it moves; default by the scene's controller.
    """

    name = "scripted/bed_bathing"
    needs_privileged = True

    def __init__(self, scene: BedBathing, strokes: Strokes | None = None) -> None:
        self._strokes = strokes or STROKES[scene.controller_name]
        self._steering = Steering(scene, self._strokes.weights)
        self._size = scene.person.size
        self._n = scene.robot.n_joints
        self.reset(0)

    def reset(self, seed: int) -> None:
        self._press, self._clock, self._lane, self._end = 0.0, 0, 0, 0

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        n, strokes = self._n, self._strokes
        obs = observation.astype(np.float64)
        tip, joints, force = obs[:3], obs[7 : 7 + n], float(obs[-1])
        normal = privileged.features[3:]
        shoulder, elbow, wrist = obs[7 + 2 * n : 16 + 2 * n].reshape(3, 3)
        part, _ = REGIONS[privileged.latent["region"]]
        near, far = (shoulder, elbow) if part == ARM_PARTS[0] else (elbow, wrist)
        radius, length = arm_part_capsule(self._size, part)

        axis = (far - near) / np.linalg.norm(far - near)
        along, out = _cylindrical(tip - near, axis)
        height = float(np.linalg.norm(out))
        outward = out / max(height, 1e-6)
        lane = strokes.lanes_rad[self._lane % len(strokes.lanes_rad)]
        wanted = _raised(
            normal * math.cos(lane) + np.cross(axis, normal) * math.sin(lane), axis, strokes.lowest_rad
        )
        turn = math.atan2(float(np.cross(outward, wanted) @ axis), float(outward @ wanted))
        sideways = np.cross(axis, outward)
        to_end = length * strokes.ends[self._end] - along
        beyond = max(length * strokes.ends[0] - along, along - length * strokes.ends[1])

        if abs(turn) < strokes.near_rad and beyond < strokes.near_m:
            self._clock += 1
            if abs(to_end) < 0.015 or self._clock >= strokes.patience:
                self._clock, self._end = 0, 1 - self._end
                self._lane += 1
            slide = axis * to_end + sideways * (turn * radius)
            velocity = braked(slide, strokes.slide_m_s, strokes.braking_m_s2)
            velocity += outward * self._inward(privileged, force, height - radius)
            facing = outward
        else:
            self._press, self._clock = 0.0, 0
            self._end = int(abs(to_end) > length / 2) ^ self._end
            facing = wanted
            error = (
                axis * to_end
                + sideways * (np.clip(turn, -0.6, 0.6) * max(height, radius))
                + outward * np.clip(radius + strokes.clearance_m - height, -0.3, 0.1)
            )
            velocity = braked(error, strokes.speed_m_s, strokes.braking_m_s2)
        return Decision(self._steering.action(joints, velocity, self._plate(joints, facing, axis)))

    def _inward(self, privileged: Privileged, force: float, gap: float) -> float:
        """Speed (m/s, outwards) of pressing with the preferred force, ``gap`` m above the skin."""
        strokes = self._strokes
        if "pressure" in privileged.latent:
            step = strokes.force_gain_m * (privileged.latent["pressure"] - force)
            self._press = float(np.clip(self._press + step, 0.0, 0.06))
        else:
            self._press = strokes.press_m
        return float(np.clip((-self._press - gap) / CONTROL_STEP_S, -0.2, 0.2))

    def _plate(self, joints: np.ndarray, outward: np.ndarray, axis: np.ndarray) -> np.ndarray:
        """Rotation (3, 3) with the plate facing the skin, its long side across the limb, whichever way is nearer."""
        x = -outward
        y = np.cross(x, axis)
        if float(self._steering.rotation(joints)[:, 1] @ y) < 0:
            y = -y
        return np.column_stack([x, y, np.cross(x, y)])


def _raised(out: np.ndarray, axis: np.ndarray, lowest: float) -> np.ndarray:
    """Unit direction ``out`` (3,) across the limb, turned up where it points less than ``lowest`` rad above the level."""
    up = np.array([0.0, 0.0, 1.0]) - axis[2] * axis
    up /= np.linalg.norm(up)
    level = np.cross(axis, up)
    angle = max(math.atan2(float(out @ up), abs(float(out @ level))), lowest)
    return math.sin(angle) * up + math.copysign(math.cos(angle), float(out @ level)) * level


def _cylindrical(point: np.ndarray, axis: np.ndarray) -> tuple[float, np.ndarray]:
    """Distance along ``axis`` and the component (3,) across it."""
    along = float(point @ axis)
    return along, point - along * axis
