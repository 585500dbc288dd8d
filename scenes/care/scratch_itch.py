"""ScratchItch: find a hidden itch on a person's arm, scratch it gently, and find it again when it moves.

The task is Assistive Gym 1.0's ``ScratchItch`` (Erickson et al., ICRA 2020), with the itch removed from what the robot
sees and moved from session to session, as in DynaMITE-RL's experiment (arXiv 2402.15957, section 5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scenes.care.body import ARM_PARTS, IMPAIRMENTS
from scenes.care.contact import Contact
from scenes.care.reward import action_cost, band_worth, comfort
from scenes.care.scene import CareScene
from scenes.care.skin_spot import LANDMARKS, SkinSpot
from scenes.latent import ChoiceField, LatentField, PointField, ScalarField
from scenes.visual import Markers

SCRATCH_REWARD = 5.0
SCRATCH_RADIUS_M = 0.025
SCRATCH_STROKE_M = 0.01
SCRATCH_FORCE_N = 10.0
SUCCESS_SCRATCHES = 25
#: Half-width of the preferred force band, and of the ramp beyond it on which a scratch loses its worth.
FORCE_BAND_N = 1.0

FIELDS: dict[str, LatentField] = {
    "itch": PointField("itch", "Itch", ARM_PARTS),
    "force": ScalarField("force", "Preferred force", 1.0, 5.0, "N"),
    "impairment": ChoiceField("impairment", "Impairment", IMPAIRMENTS),
}


class ScratchItch(CareScene):
    """A robot arm mounted on a wheelchair scratches an itch on the person's right arm.

    **Action** (n,) in [−1, 1], one entry per joint of the robot (six or seven). Under ``assistive_gym`` a full action aims
    0.25 rad beyond the measured joint with gain 0.05 and at most 1 N·m (upstream's constants; very sluggish); under
    ``responsive`` it moves the target by 0.1 rad per 0.1 s step. ``assistive_gym`` is the default, because returns
    then compare with published ones; ``responsive`` is for demonstrations.

    **Observation** (17 + 2n,) float32, in the robot's base frame:

    ========  =====================================================  ============  =====
    index     meaning                                                range         unit
    ========  =====================================================  ============  =====
    0–2       tool tip                                               ±2            m
    3–6       tool orientation, quaternion (x, y, z, w)              ±1
    7–6+n     joint angles, wrapped                                  ±π            rad
    7+n–6+2n  joint speeds                                           ±20           rad/s
    7+2n …    shoulder, elbow, wrist of the person's right arm (9)   ±2            m
    last      contact force on the tool                              0–1000        N
    ========  =====================================================  ============  =====

    Upstream's six target numbers (tip − target, target) are hidden, and joint speeds added: without them the sluggish
    arm is not observable. Values beyond a range are clipped to it.

    **Latent**: ``itch``, a point on the upper arm or forearm (axial position, angle). Optional fields, by
    ``fields=("itch", "force", "impairment")``: ``force``, the middle of a preferred force band of ±1 N (a scratch is
    worth its full reward inside, none 1 N beyond), and ``impairment``.

    **Reward** (upstream's scale): −‖target − tip‖ − 0.01‖a‖ + 5·[scratch] − 0.25‖v_ee‖ − 0.01·(force elsewhere)
    − 0.05·(force at the target, once it is ≥ 10 N). A *scratch* is a touch of shaft or tip within 2.5 cm of the target
    with < 10 N, more than 1 cm from the last counted one.

    **Start**: the hand at (−0.6, 0, 0.8) m ± 5 cm, pointing at the person. **Episode**: 200 steps of 0.1 s.
    **Success**: 25 scratches.

    Args:
        robot: an entry of :data:`scenes.care.robots.ROBOTS` with a mount at the wheelchair.
        controller: ``assistive_gym`` or ``responsive``.
        gender: ``male`` (78.4 kg) or ``female`` (62.5 kg).
        impairment: ``none``, ``limits``, ``weakness`` or ``tremor``; ignored where it is a latent field.
        fields: the latent fields, ``itch`` among them.
        termination, kernel: of the session process; default p = 0.02 per step, uniform.

    **Version history**: v1, the first.
    """

    episode_length = 200
    n_privileged = 6

    # Upstream places the hand at (−0.6, 0, 0.8); the tip is 9.5 cm further, towards the person.
    start_tip = ((-0.505, 0.0, 0.8), (0.0, 0.0, 0.0))
    latent_fields = FIELDS
    default_fields = ("itch",)
    task_points = 3

    # -- the hidden itch
    def _latent_changed(self) -> None:
        super()._latent_changed()
        self._itch = SkinSpot(self.person.size, self.sessions.latent["itch"])
        if self._observed:
            self._itch.place(self._arm_frames)

    def _privileged_features(self) -> np.ndarray:
        """Upstream's six hidden numbers: tip − target and target, robot base frame, m."""
        target = self.to_base(self._itch.position)
        return np.concatenate([self._tip_local - target, target])

    # -- episode
    def _start_episode(self) -> None:
        self.scratches = 0
        self._last_scratch = (0.0, 0.0, 0.0)

    def _see(self) -> tuple[Sequence[Sequence[float]], Sequence[float]]:
        """Shoulder, elbow and wrist."""
        arm = self.person.arm
        self._arm_frames = self.world.link_frames(arm.body, LANDMARKS)
        self._itch.place(self._arm_frames)
        return [frame[0] for frame in self._arm_frames], ()

    def _start_touches(self) -> None:
        self.target_force_n = 0.0
        self._touch: tuple[float, float, float] | None = None
        self._target_at = self._itch.position.tolist()

    def _on_touch(self, contact: Contact) -> None:
        if contact.own_link == self._tool:
            x, y, z = contact.position
            tx, ty, tz = self._target_at
            if (x - tx) ** 2 + (y - ty) ** 2 + (z - tz) ** 2 < SCRATCH_RADIUS_M**2:
                self.target_force_n += contact.force
                self._touch = contact.position

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        self.distance_m = math.dist(self._itch.position.tolist(), self._tip)
        reward = -self.distance_m + action_cost(math.sqrt(float(action @ action)))
        reward += comfort(self._hand_speed, self.total_force_n, self.target_force_n)
        if (
            self._touch is not None
            and self.target_force_n < SCRATCH_FORCE_N
            and math.dist(self._touch, self._last_scratch) > SCRATCH_STROKE_M
        ):
            worth = self._force_worth()
            if worth > 0:
                reward += SCRATCH_REWARD * worth
                self.scratches += 1
                self._last_scratch = self._touch
        return reward, self.scratches >= SUCCESS_SCRATCHES

    def _force_worth(self) -> float:
        """What a scratch is worth; 1 where no force is preferred."""
        if "force" not in self.sessions.latent:
            return 1.0
        return band_worth(self.target_force_n, self.sessions.latent["force"], FORCE_BAND_N)

    def _measure(self) -> dict[str, Any]:
        return {
            "task_success": False,
            "scratches": self.scratches,
            "tool_force_n": self.tool_force_n,
            "force_on_target_n": self.target_force_n,
            "total_force_n": self.total_force_n,
        }

    # -- drawing
    def markers(self) -> Markers:
        return replace(
            super().markers(), itch=self._itch.position.copy(), itch_normal=self._itch.normal.copy()
        )
