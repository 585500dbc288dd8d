"""A scripted oracle for ArmManipulation: knows where the arm is sore and what it bears, and carries it accordingly.

Each step: where should the scoop be heading → a velocity → the action (:mod:`policies.scripted.steering`). It goes
*under* the forearm where carrying costs least, *lifts* it clear of the mattress, *swings* it on an arc about
the shoulder to the person's side, *lowers* it and stays. Straight in the scoop, the arm is a rod: gravity stretches the
elbow. The scoop keeps across the limb and level, and moves the slower the less force the person bears.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from dynamite.acting import Decision
from policies.scripted.steering import Steering, Weights, braked
from scenes.base import Privileged
from scenes.care.arm_manipulation import (
    HIGH_FORCE_WEIGHT,
    SORE_RADIUS_M,
    SORE_WEIGHT,
    TOLERANCE,
    TOOL_WEIGHT,
    ArmManipulation,
)

UNDER, LIFT, SWING, LOWER, STAY = range(5)
#: Where along the scoop an arm that lies in it touches it, m from its middle: at its ends, so a sore spot may lie between.
ENDS_M = np.array([-0.055, 0.055])


@dataclass(frozen=True)
class Carry:
    """How it moves.

    Attributes:
        supports_m: where it may carry the arm, m from the elbow towards the hand.
        moment_nm: of the arm's weight about the shoulder; divided by the lever it is the force that carries the arm.
        margin_n: what moving adds to that force at most.
        shy_m: how far it keeps out of the sore zone.
        worth: what another place must save per step for the scoop to slide there.
        below_m: how far below the limb's axis the scoop passes under it.
        height_m: of the scoop while it swings the arm, world.
        goal_deg: how far from the body's side the support point is laid down, seen from the shoulder.
        clear_m: height of the scoop that is just clear of the mattress; near it, it swings slowly.
        patience: after so many steps without headway, unless it slides along the arm, it lays it down where it is.
        rest_m: of the scoop once it has laid the arm down, world.
        near_m: further than this from the support point the scoop slides there, also once the arm is laid down.
        keep: how strongly the scoop keeps under the support point, 1/s.
        approach_m_s, braking_m_s2: without the arm.
        fast_m_s, slow_m_s: speed with the arm in the scoop, for people who bear much and little.
        weights: against moving the scoop.
    """

    supports_m: tuple[float, ...] = (0.06, 0.075, 0.09, 0.105, 0.12, 0.135, 0.15, 0.165, 0.18)
    moment_nm: float = 13.5
    margin_n: float = 6.0
    shy_m: float = 0.01
    worth: float = 0.3
    below_m: float = 0.10
    height_m: float = 0.82
    goal_deg: float = 10.0
    clear_m: float = 0.765
    patience: int = 40
    rest_m: float = 0.77
    near_m: float = 0.03
    keep: float = 2.0
    approach_m_s: float = 0.20
    braking_m_s2: float = 0.5
    fast_m_s: float = 0.13
    slow_m_s: float = 0.08
    weights: Weights = field(default_factory=lambda: Weights(0.15, 0.01, 0.01, in_step=True))


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
        self._radius = scene.person.size.forearm_r
        self._rotation, self._position = scene.base[:3, :3], scene.base[:3, 3]
        self.reset(0)

    def reset(self, seed: int) -> None:
        self.phase = UNDER
        self._support: float | None = None
        self._least, self._stalled = math.inf, 0

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        n = self._n
        obs = observation.astype(np.float64)
        joints, force = obs[7 : 7 + n], float(obs[-1])
        # In the world: gravity and the mattress are easier to speak of there.
        tip, shoulder, elbow, wrist, sore = (
            self._rotation @ point + self._position
            for point in (obs[:3], *obs[7 + 2 * n : 16 + 2 * n].reshape(3, 3), privileged.features)
        )
        bears = privileged.latent.get("tolerance", TOLERANCE.high)
        self._choose(elbow, wrist, shoulder, sore, bears)
        support, along = self._point(elbow, wrist)
        velocity = self._velocity(tip, support, shoulder, force, bears)
        return Decision(
            self._steering.action(joints, self._rotation.T @ velocity, self._rotation.T @ _across(along))
        )

    def _choose(
        self, elbow: np.ndarray, wrist: np.ndarray, shoulder: np.ndarray, sore: np.ndarray, bears: float
    ) -> None:
        """Where carrying the arm costs least: as the reward counts soreness, force and the way to the elbow."""
        carry = self._carry
        along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
        upper_arm = float(np.linalg.norm(elbow - shoulder))

        def cost(support: float) -> float:
            force = carry.moment_nm / (upper_arm + support)
            spots = elbow + np.outer(support + ENDS_M, along) - [0.0, 0.0, self._radius]
            sore_share = float(np.mean(np.linalg.norm(spots - sore, axis=1) < SORE_RADIUS_M + carry.shy_m))
            too_much = force + carry.margin_n > bears
            return (
                SORE_WEIGHT * force * sore_share
                + HIGH_FORCE_WEIGHT * force * too_much
                + TOOL_WEIGHT * support
            )

        best = min(carry.supports_m, key=cost)
        if self._support is None or cost(best) < cost(self._support) - carry.worth:
            self._support = best

    def _point(self, elbow: np.ndarray, wrist: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The support point (3,) and the forearm's direction (3,), towards the hand."""
        assert self._support is not None
        along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
        return elbow + self._support * along, along

    def _velocity(
        self, tip: np.ndarray, support: np.ndarray, shoulder: np.ndarray, force: float, bears: float
    ) -> np.ndarray:
        """Of the scoop, (3,) m/s, world."""
        carry = self._carry
        off = support - tip
        if self.phase == UNDER:
            error = off - [0.0, 0.0, carry.below_m]
            if float(np.linalg.norm(error)) < 0.025:
                self.phase = LIFT
            return braked(error, carry.approach_m_s, carry.braking_m_s2)

        share = float(TOLERANCE.to_vector(bears)[0] + 1) / 2
        speed = carry.slow_m_s + share * (carry.fast_m_s - carry.slow_m_s)
        velocity = carry.keep * off * [1.0, 1.0, 0.0]
        arm = (support - shoulder)[:2]
        radius = float(np.linalg.norm(arm))
        angle = math.atan2(-arm[0], -arm[1])  # from the body's side outwards
        left = radius * (angle - math.radians(carry.goal_deg))
        up = carry.height_m - tip[2]
        if self.phase == LIFT and up < 0.02:
            self.phase = SWING
        if self.phase == SWING:
            sliding = float(np.linalg.norm(off[:2])) > carry.near_m
            self._stalled = 0 if sliding or angle < self._least - 0.005 else self._stalled + 1
            self._least = min(angle, self._least)
            if left < 0.01 or self._stalled >= carry.patience:
                self.phase = LOWER
        if self.phase == LOWER and tip[2] < carry.rest_m:
            self.phase = STAY
        if self.phase in (LIFT, SWING):
            velocity[2] = np.clip(2.0 * up, -speed, speed)
        if self.phase == SWING:
            tangent = np.array([-arm[1], arm[0]]) / radius  # inwards, towards the feet
            # Sagging, the scoop would catch the edge of the mattress: up first.
            high = float(np.clip((tip[2] - carry.clear_m) / 0.02, 0.5, 1.0))
            velocity[:2] += tangent * math.copysign(min(speed * high, 2.0 * abs(left)), left)
        if self.phase == LOWER:
            velocity[2] = -0.5 * speed
        if self.phase == STAY and float(np.linalg.norm(velocity)) < carry.keep * carry.near_m:
            velocity[:] = 0.0
        return velocity


def _across(along: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) of the scoop: level, its half pipe along the limb's direction, its stem from the head's side."""
    level = np.array([along[0], along[1], 0.0])
    level /= max(float(np.linalg.norm(level)), 1e-6)
    x = np.array([-level[1], level[0], 0.0])
    up = np.array([0.0, 0.0, 1.0])
    return np.column_stack([x, np.cross(up, x), up])
