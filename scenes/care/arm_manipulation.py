"""ArmManipulation: lay a person's arm, which hangs off the bed, beside them, without hurting a sore spot not told of.

The task is Assistive Gym 1.0's ``ArmManipulation`` (Erickson et al., ICRA 2020). Hidden, and changing from session to
session: where the arm is sore, and how much force it bears.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scenes.care.body import ARM_PARTS
from scenes.care.contact import Contact
from scenes.care.reward import FORCE_OFF_TARGET, VELOCITY, action_cost
from scenes.care.scene import SUBSTEPS, CareScene
from scenes.care.skin_spot import LANDMARKS, SkinSpot
from scenes.care.tools.scoop import SCOOP
from scenes.latent import ChoiceField, LatentField, PointField, ScalarField
from scenes.visual import CameraPreset, Markers

PERSON_WEIGHT = 0.5  # per m that elbow and wrist are away from stomach and waist
TOOL_WEIGHT = (
    0.5  # per m from the tool to the elbow: upstream's 0.25 of each of two tools, which are one here
)
PRESSURE_WEIGHT = 0.01  # per N of the tool's force and point of contact, of each of two tools
SUCCESS_SUM_M = -0.7
#: The sore zone reaches this far from its middle.
SORE_RADIUS_M = 0.045
SORE_WEIGHT = 0.1  # per N of the tool's force in the sore zone
#: Per N of all force on the person, once it is more than they bear: upstream's weight of high forces.
HIGH_FORCE_WEIGHT = 0.05

#: Upstream lets go of the arm (0.01 N·m): it then swings for seconds. A relaxed arm has some tone, which damps it.
LIMB_TORQUE_NM = 0.3
_SETTLING_STEPS = 60

TOLERANCE = ScalarField("tolerance", "Bearable force", 30.0, 60.0, "N")
FIELDS: dict[str, LatentField] = {
    "sore": PointField("sore", "Sore spot", ARM_PARTS),
    "tolerance": TOLERANCE,
    "impairment": ChoiceField("impairment", "Impairment", ("none", "limits", "weakness")),
}

CAMERAS: tuple[CameraPreset, ...] = (
    CameraPreset("bedside", (-1.75, -1.20, 1.60), (-0.35, 0.10, 0.72), 40.0),
    CameraPreset("arm", (-1.30, -0.75, 1.35), (-0.36, 0.10, 0.76), 44.0),
    CameraPreset("top", (-0.95, -0.10, 2.45), (-0.37, 0.00, 0.72), 46.0),
    CameraPreset("head", (-0.75, 1.45, 1.95), (-0.34, 0.00, 0.72), 42.0),
    CameraPreset("room", (-2.20, -2.00, 1.90), (-0.05, -0.15, 0.60), 42.0),
)


class ArmManipulation(CareScene):
    """A robot beside a bed lifts the lying person's right arm, which hangs off the bed, and lays it down beside them.

    **Action** (n,) in [−1, 1], one entry per arm joint, as in every care scene. The joints may use
    20 N·m under either controller: upstream's for this task, for the arm weighs 4.5 kg.

    **Observation** (17 + 2n,) float32, in the robot's base frame:

    ========  =====================================================  ============  =====
    index     meaning                                                range         unit
    ========  =====================================================  ============  =====
    0–2       middle of the scoop                                    ±2            m
    3–6       tool orientation, quaternion (x, y, z, w)              ±1
    7–6+n     joint angles, wrapped                                  ±π            rad
    7+n–6+2n  joint speeds                                           ±20           rad/s
    7+2n …    shoulder, elbow, wrist of the person's right arm (9)   ±2            m
    last      contact force on the tool                              0–1000        N
    ========  =====================================================  ============  =====

    Upstream's without what is there twice (a second tool that is the first) or never moves (stomach and waist of the
    lying person), and with joint speeds. Values beyond a range are clipped to it.

    **Latent**: ``sore``, a point on the upper arm or forearm with 4.5 cm around it, where the tool hurts: what carries
    the arm must be elsewhere, or on both sides of it. ``tolerance``, the force above which all force hurts: far out on the
    forearm less of it carries the arm than near the elbow, and slowly less than fast. A further field, by
    ``fields=("sore", "tolerance", "impairment")``: ``impairment`` (without tremor, as upstream).

    **Reward** (upstream's scale, with its one-armed robots' weights): −0.5·(‖elbow − stomach‖ + ‖wrist − waist‖)
    − 0.5·‖scoop − elbow‖ − 0.01‖a‖ − 0.5‖v_ee‖ − 0.01·(force other than the tool's) − 0.02·(the tool's force / points of
    contact) − 0.1·(the tool's force in the sore zone) − 0.05·(all force on the person, once above the tolerance). The
    last two are ours. Every step costs; random actions return about −200, the scripted oracle about −190.

    **Start**: the arm hangs over the edge of the mattress, straight, with its weight (9.81 m/s²; the robot holds itself, as
    upstream), held by 0.3 N·m; the scoop on its head side at (−0.54, 0.42, 0.50) m ± 5 cm. **Episode**: 200 steps of
    0.1 s. **Success**: the best −(‖elbow − stomach‖ + ‖wrist − waist‖) of the episode is −0.7 m or more. The scripted
    oracle reaches it with the Jaco in 48 of 50 episodes (``responsive``: 42 of 50); with Panda and
    xArm 7 in 8 of 8 each (``responsive``: 5 and 6 of 8; ``sweeps/robots.yaml``). No other robot has a mount here.

    What differs from upstream: the tool starts beside the arm and below it, not at (−1, 0.4, 0.8) m; the arm is held by
    0.3 N·m, not let go with 0.01 N·m, so that it hangs still; it settles under 9.81 m/s², not under 1 m/s².

    Args:
        robot: one with a mount at the ``bed_head``: ``jaco``, ``panda`` or ``xarm7``.
        controller: ``assistive_gym`` or ``responsive``.
        gender: ``male`` (78.4 kg) or ``female`` (62.5 kg).
        age_years, weight_kg, height_m: of the person.
        impairment: ``none``, ``limits``, ``weakness`` or ``tremor``; ignored where it is a latent field.
        fields: the latent fields, ``sore`` among them.
        termination, kernel: of the session process; default p = 0.02 per step, uniform.

    **Version history**: v1, the first.
    """

    episode_length = 200
    n_privileged = 3

    solver_iterations = 60
    every_pair = True
    place = "bed_head"
    supports = ("mattress",)
    limb_gravity = 9.81
    motor_torque = 20.0
    pose_deg = {"right_arm": {"shoulder_y": 80.0, "shoulder_x": 15.0, "elbow": 0.0}}  # noqa: RUF012
    tool = SCOOP
    overlap_m = 0.05  # at the end of a longer lever the spatula moves at up to 2.4 m/s; 46 mm found
    start_tip = ((-0.54, 0.42, 0.50), (0.0, 0.0, -math.pi / 2))
    latent_fields = FIELDS
    default_fields = ("sore", "tolerance")
    task_points = 3

    def _build(self) -> None:
        """The arm falls until it hangs; that is what episodes start from."""
        arm = self.person.arm
        arm.relax(LIMB_TORQUE_NM)
        self.world.set_joints(self.arm, self._joints, self.start_joints)
        self.world.drive(self.arm, self._joints, self.start_joints.tolist(), self._gains, self._torques)
        self.world.step(SUBSTEPS * _SETTLING_STEPS)
        self._stomach, self._waist = (self.person.frames[name][:3, 3].tolist() for name in ("waist", "hips"))

    # -- the hidden preference
    def _latent_changed(self) -> None:
        super()._latent_changed()
        self.sore = SkinSpot(self.person.size, self.sessions.latent["sore"])
        if self._observed:
            self.sore.place(self._arm_frames)

    def _privileged_features(self) -> np.ndarray:
        """The sore spot, robot base frame, m."""
        return self.to_base(self.sore.position)

    # -- episode
    def _start_episode(self) -> None:
        self.best_sum_m = -math.inf

    def _see(self) -> tuple[Sequence[Sequence[float]], Sequence[float]]:
        """Shoulder, elbow and wrist."""
        self._arm_frames = self.world.link_frames(self.person.arm.body, LANDMARKS)
        self.sore.place(self._arm_frames)
        return [frame[0] for frame in self._arm_frames], ()

    def _start_touches(self) -> None:
        self.sore_force_n = self.tool_on_person_n = 0.0
        self._points = 0
        self._sore_at = self.sore.position.tolist()

    def _on_touch(self, contact: Contact) -> None:
        if contact.own_link in self._tool_links:
            self.tool_on_person_n += contact.force
            self._points += 1
            if math.dist(contact.position, self._sore_at) < SORE_RADIUS_M:
                self.sore_force_n += contact.force

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        _, elbow, wrist = (frame[0] for frame in self._arm_frames)
        self.sum_m = -math.dist(elbow, self._stomach) - math.dist(wrist, self._waist)
        self.best_sum_m = max(self.best_sum_m, self.sum_m)
        reward = PERSON_WEIGHT * self.sum_m - TOOL_WEIGHT * math.dist(self._tip, elbow)
        reward += action_cost(math.sqrt(float(action @ action)))
        reward -= 2 * VELOCITY * self._hand_speed
        reward -= FORCE_OFF_TARGET * (self.total_force_n - self.tool_on_person_n)
        reward -= 2 * PRESSURE_WEIGHT * self.tool_on_person_n / max(self._points, 1)
        reward -= SORE_WEIGHT * self.sore_force_n
        if self.total_force_n > self.sessions.latent.get("tolerance", math.inf):
            reward -= HIGH_FORCE_WEIGHT * self.total_force_n
        return reward, self.best_sum_m >= SUCCESS_SUM_M

    def _measure(self) -> dict[str, Any]:
        return {
            "task_success": False,
            "best_sum_m": self.best_sum_m,
            "tool_force_n": self.tool_force_n,
            "total_force_n": self.total_force_n,
        }

    # -- drawing
    def markers(self) -> Markers:
        """The sore spot."""
        return replace(super().markers(), itch=self.sore.position.copy(), itch_normal=self.sore.normal.copy())

    def cameras(self) -> tuple[CameraPreset, ...]:
        return CAMERAS
