"""A scripted oracle for BedBathing: knows the region and the pressure, and goes from one due target to the next.

Each step, in cylindrical coordinates about the wanted part of the arm: where should the cloth be heading → a velocity →
the action (:mod:`policies.scripted.steering`). It *crosses* above the skin with the plate turned to it, then *wipes*:
presses by the preferred force and slides to the nearest target that is due.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
        near_rad, near_m: how close (about, along the limb) it must be before it presses.
        speed_m_s, braking_m_s2: while crossing.
        slide_m_s: top speed of the cloth on the skin.
        press_m: how far below the skin the cloth is aimed where no pressure is preferred.
        force_gain_m: m of aim per N below the preferred pressure, each step.
        weights: against moving the cloth.
    """

    clearance_m: float = 0.03
    near_rad: float = 0.9
    near_m: float = 0.07
    speed_m_s: float = 0.35
    braking_m_s2: float = 0.8
    slide_m_s: float = 0.2
    press_m: float = 0.006
    stroke_m: float = 0.03
    half_period: int = 3
    force_gain_m: float = 0.003
    weights: Weights = Weights()


STROKES: dict[str, Strokes] = {"assistive_gym": Strokes(), "responsive": Strokes()}

#: The plate never turns further down than this (rad, below the horizontal): the mattress is there.
_LOWEST_RAD = math.radians(0)


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
        self._press, self._clock = 0.0, 0

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        n, strokes = self._n, self._strokes
        obs = observation.astype(np.float64)
        tip, joints, force = obs[:3], obs[7 : 7 + n], float(obs[-1])
        target = privileged.features[3:6]
        shoulder, elbow, wrist = obs[7 + 2 * n : 16 + 2 * n].reshape(3, 3)
        part, _ = REGIONS[privileged.latent["region"]]
        near, far = (shoulder, elbow) if part == ARM_PARTS[0] else (elbow, wrist)
        radius, _ = arm_part_capsule(self._size, part)

        axis = (far - near) / np.linalg.norm(far - near)
        along, out = _cylindrical(tip - near, axis)
        wanted_along, wanted_out = _cylindrical(target - near, axis)
        wanted_out = _raised(wanted_out, axis)
        height = float(np.linalg.norm(out))
        outward = out / max(height, 1e-6)
        turn = math.atan2(float(np.cross(outward, wanted_out) @ axis), float(outward @ wanted_out))
        sideways = np.cross(axis, outward)

        if abs(turn) < strokes.near_rad and abs(wanted_along - along) < strokes.near_m:
            side = 1.0 if (self._clock // strokes.half_period) % 2 == 0 else -1.0
            self._clock += 1
            slide = axis * (wanted_along + side * strokes.stroke_m - along) + sideways * (turn * radius)
            velocity = braked(slide, strokes.slide_m_s, strokes.braking_m_s2)
            velocity += outward * self._inward(privileged, force, height - radius)
            facing = outward
        else:
            self._press = 0.0
            facing = wanted_out
            error = (
                axis * (wanted_along - along)
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
        """Rotation (3, 3) with the plate facing the skin, its long side along the limb, whichever way round is nearer."""
        x = -outward
        y = axis if float(self._steering.rotation(joints)[:, 1] @ axis) >= 0 else -axis
        return np.column_stack([x, y, np.cross(x, y)])


def _raised(out: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Unit direction of ``out`` (3,), across the limb, turned up where it points below the horizontal."""
    up = np.array([0.0, 0.0, 1.0]) - axis[2] * axis
    up /= np.linalg.norm(up)
    level = np.cross(axis, up)
    angle = math.atan2(float(out @ up), abs(float(out @ level)))
    angle = max(angle, _LOWEST_RAD)
    side = math.copysign(1.0, float(out @ level))
    return math.sin(angle) * up + side * math.cos(angle) * level


def _cylindrical(point: np.ndarray, axis: np.ndarray) -> tuple[float, np.ndarray]:
    """Distance along ``axis`` and the component (3,) across it."""
    along = float(point @ axis)
    return along, point - along * axis
