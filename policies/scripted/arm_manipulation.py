"""A scripted oracle for ArmManipulation: knows the sore spot and what the arm bears, and carries it by a place that is neither.

Each step: where should the scoop be heading → a velocity → the action (:mod:`policies.scripted.steering`). It goes
*under* the arm at a support point away from the sore spot, *lifts* it over the mattress, *carries* it about the shoulder
and *lays* it down on the person. The scoop keeps across the limb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynamite.acting import Decision
from policies.scripted.steering import Steering, Weights, braked
from scenes.base import Privileged
from scenes.care.arm_manipulation import FIELDS, SORE_RADIUS_M, ArmManipulation
from scenes.care.posture import MATTRESS_TOP_M


@dataclass(frozen=True)
class Carry:
    """How it moves.

    Attributes:
        supports_m: where it may carry the arm, m from the elbow (negative: on the upper arm), best first.
        below_m: how far below the limb's axis the scoop passes under it.
        height_m: of the limb's support point while it is carried, world.
        goal: where the support point is laid down, m from the shoulder, x and y of the world.
        keep: how strongly it keeps under the support point, 1/s per 1/s of moving.
        lead_m: how far ahead of the support point it is aimed at most.
        rise: the same for its height.
        laying_steps: after so many it only holds what it has laid down, ``rest_m`` above the mattress.
        fast_m_s, slow_m_s: speed with the arm in the scoop, for people who bear much and little.
        approach_m_s, braking_m_s2: without it.
        weights: against moving the scoop.
    """

    supports_m: tuple[float, ...] = (0.08, 0.20, 0.14, -0.06)
    below_m: float = 0.085
    height_m: float = 0.938
    goal: tuple[float, float] = (0.01, -0.235)
    fast_m_s: float = 0.413
    slow_m_s: float = 0.25
    approach_m_s: float = 0.296
    keep: float = 1.04
    lead_m: float = 0.285
    rise: float = 0.88
    laying_steps: int = 25
    rest_m: float = 0.075
    braking_m_s2: float = 0.863
    weights: Weights = Weights(0.0396, 0.0078, 0.0195)


CARRIES: dict[str, Carry] = {"assistive_gym": Carry(), "responsive": Carry()}


class Oracle:
    """See the module's docstring.

    Args:
        scene: the scene it will act in.
        carry: how it moves; default by the scene's controller.
    """

    name = "scripted/arm_manipulation"
    needs_privileged = True

    def __init__(self, scene: ArmManipulation, carry: Carry | None = None) -> None:
        self._carry = carry or CARRIES[scene.controller_name]
        self._steering = Steering(scene, self._carry.weights)
        self._n = scene.robot.n_joints
        self._rotation, self._position = scene.base[:3, :3], scene.base[:3, 3]
        self.reset(0)

    def reset(self, seed: int) -> None:
        self._phase = self._clock = 0
        self._support: float | None = None

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        n, carry = self._n, self._carry
        obs = observation.astype(np.float64)
        joints = obs[7 : 7 + n]
        # In the world: gravity and the mattress are easier to speak of there.
        tip, shoulder, elbow, wrist, sore = (
            self._rotation @ point + self._position
            for point in (obs[:3], *obs[7 + 2 * n : 16 + 2 * n].reshape(3, 3), privileged.features)
        )
        bears = privileged.latent.get("tolerance", FIELDS["tolerance"].high)
        share = float(FIELDS["tolerance"].to_vector(bears)[0] + 1) / 2
        self._speed = carry.slow_m_s + share * (carry.fast_m_s - carry.slow_m_s)
        self._choose(elbow, wrist, shoulder, sore)
        support, along = self._point(shoulder, elbow, wrist)
        error, speed = self._heading(tip, support, shoulder)
        velocity = self._rotation.T @ braked(error, speed, carry.braking_m_s2)
        return Decision(self._steering.action(joints, velocity, self._rotation.T @ _across(along)))

    def _choose(self, elbow: np.ndarray, wrist: np.ndarray, shoulder: np.ndarray, sore: np.ndarray) -> None:
        """The first place to carry by that the sore zone leaves free."""
        carry = self._carry

        def gap(support: float) -> float:
            self._support = support
            return float(np.linalg.norm(self._point(shoulder, elbow, wrist)[0] - sore))

        free = [s for s in carry.supports_m if gap(s) > SORE_RADIUS_M + 0.04]
        self._support = free[0] if free else max(carry.supports_m, key=gap)

    def _point(
        self, shoulder: np.ndarray, elbow: np.ndarray, wrist: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The support point (3,) and the limb's direction there (3,), towards the hand."""
        assert self._support is not None
        near = elbow if self._support >= 0 else shoulder
        far = wrist if self._support >= 0 else elbow
        along = (far - near) / np.linalg.norm(far - near)
        return elbow + self._support * along, along

    def _heading(self, tip: np.ndarray, support: np.ndarray, shoulder: np.ndarray) -> tuple[np.ndarray, float]:
        """From the scoop to where it should be, (3,) m, world, and the speed (m/s) to go there with."""
        carry = self._carry
        off = support - tip
        if self._phase == 0:  # under the arm: first down beside it, then below it
            level = off[:2]
            error = np.array([*level, off[2] - carry.below_m])
            if float(np.linalg.norm(level)) > 0.10 and error[2] < -0.02:
                error[:2] *= max(0.0, 1.0 - 0.13 / float(np.linalg.norm(level)))
            if float(np.linalg.norm(level)) < 0.02:
                self._phase = 1
            return error, carry.approach_m_s
        if self._phase == 1:  # lift
            if support[2] > carry.height_m - 0.05:
                self._phase = 2
            return np.array([off[0], off[1], max(carry.height_m - support[2], 0.0)]), self._speed
        keep = carry.keep * off
        goal = shoulder[:2] + carry.goal
        now = support[:2] - shoulder[:2]
        wanted = np.array(carry.goal)
        turn = math.atan2(now[0] * wanted[1] - now[1] * wanted[0], float(now @ wanted))
        radius = float(np.linalg.norm(now))
        if self._phase == 2 and abs(turn) < 0.15:
            self._phase, self._clock = 3, 0
        self._clock += 1
        if self._phase == 3 and self._clock > carry.laying_steps:
            lowest = MATTRESS_TOP_M + carry.rest_m
            return np.array([0.0, 0.0, np.clip(lowest - tip[2], -0.02, 0.02)]), carry.slow_m_s
        if self._phase == 2:
            step = np.clip(turn, -0.5, 0.5)
            c, s = math.cos(step), math.sin(step)
            ahead = shoulder[:2] + np.array([c * now[0] - s * now[1], s * now[0] + c * now[1]]) * (
                1 + 0.3 * (float(np.linalg.norm(wanted)) / radius - 1)
            )
            move = ahead - support[:2]
        else:
            move = goal - support[:2]
        distance = float(np.linalg.norm(move))
        move = move * min(1.0, carry.lead_m / max(distance, 1e-6)) + keep[:2]
        return np.array([*move, carry.rise * (carry.height_m - support[2])]), self._speed


def _across(along: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) of the scoop: level, its half pipe along the limb's direction, its stem from the head's side."""
    level = np.array([along[0], along[1], 0.0])
    level /= max(float(np.linalg.norm(level)), 1e-6)
    x = np.array([-level[1], level[0], 0.0])
    up = np.array([0.0, 0.0, 1.0])
    return np.column_stack([x, np.cross(up, x), up])
