"""ScratchItch: find a hidden itch on a person's arm, scratch it gently, and find it again when it moves.

The task is Assistive Gym 1.0's ``ScratchItch`` (Erickson et al., ICRA 2020), with the itch removed from what the robot
sees and moved from session to session, as in DynaMITE-RL's experiment (arXiv 2402.15957, section 5).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from scenes.care.body import ARM_PARTS, IMPAIRMENTS, surface_point
from scenes.care.chain import matrix_from_quaternion
from scenes.care.reward import action_cost, comfort
from scenes.care.scene import CareScene
from scenes.care.tool import SCRATCHER_TIP
from scenes.errors import InputError
from scenes.latent import ChoiceField, LatentSpace, PointField, ScalarField
from scenes.session import Kernel, Termination
from scenes.visual import Markers

SCRATCH_REWARD = 5.0
SCRATCH_RADIUS_M = 0.025
SCRATCH_STROKE_M = 0.01
SCRATCH_FORCE_N = 10.0
SUCCESS_SCRATCHES = 25
#: Half-width of the preferred force band, and of the ramp beyond it on which a scratch loses its worth.
FORCE_BAND_N = 1.0

FIELDS: dict[str, PointField | ScalarField | ChoiceField] = {
    "itch": PointField("itch", "Itch", ARM_PARTS),
    "force": ScalarField("force", "Preferred force", 1.0, 5.0, "N"),
    "impairment": ChoiceField("impairment", "Impairment", IMPAIRMENTS),
}


class ScratchItch(CareScene):
    """A robot arm mounted on a wheelchair scratches an itch on the person's right arm.

    **Action** (n,) in [−1, 1], one entry per arm joint (Jaco 6, Panda 7). Under ``assistive_gym`` a full action aims
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
        robot: ``jaco`` or ``panda``.
        controller: ``assistive_gym`` or ``responsive``.
        gender: ``male`` (78.4 kg) or ``female`` (62.5 kg).
        impairment: ``none``, ``limits``, ``weakness`` or ``tremor``; ignored where it is a latent field.
        fields: the latent fields, ``itch`` among them.
        termination, kernel: of the session process; default p = 0.02 per step, uniform.

    **Version history**: v1, the first.
    """

    episode_length = 200
    n_privileged = 6

    def __init__(
        self,
        robot: str = "jaco",
        controller: str = "assistive_gym",
        gender: str = "male",
        impairment: str = "none",
        fields: Sequence[str] = ("itch",),
        termination: Termination | float = 0.02,
        kernel: Kernel | str | dict = "uniform",
        render_mode: str | None = None,
    ) -> None:
        unknown = [name for name in fields if name not in FIELDS]
        if isinstance(fields, str) or unknown or "itch" not in fields:
            raise InputError("fields", fields, "itch, and any of force, impairment")
        space = LatentSpace(tuple(FIELDS[name] for name in FIELDS if name in fields))
        # Upstream places the hand at (−0.6, 0, 0.8); the tip is 9.5 cm further, towards the person.
        super().__init__(
            space,
            robot=robot,
            controller=controller,
            gender=gender,
            impairment=impairment,
            start_tip=((-0.505, 0.0, 0.8), (0.0, 0.0, 0.0)),
            start_spread=0.05,
            termination=termination,
            kernel=kernel,
            render_mode=render_mode,
        )
        n = self.n_actions
        bound = np.concatenate(
            [np.full(3, 2.0), np.ones(4), np.full(n, np.pi), np.full(n, 20.0), np.full(9, 2.0), [1000.0]]
        )
        low = -bound
        low[-1] = 0.0
        self._bound_low, self._bound_high = low.astype(np.float32), bound.astype(np.float32)
        self.observation_space = gym.spaces.Box(self._bound_low, self._bound_high, dtype=np.float32)
        self._base_rotation = self.base[:3, :3].copy()
        self._base_position = self.base[:3, 3].copy()
        self._tip_offset = SCRATCHER_TIP[0]
        self._points = np.zeros((4, 3))
        self._observed = False
        self.scratches = 0

    # -- the hidden itch
    def _latent_changed(self) -> None:
        itch = self.sessions.latent["itch"]
        self._itch_part = ARM_PARTS.index(itch.part)
        self._itch_local, self._itch_normal = surface_point(
            self.person.size, itch.part, itch.axial, itch.angle
        )
        if "impairment" in self.sessions.latent:
            impairment = self.sessions.latent["impairment"]
            if impairment != self.person.impairment:
                self.person.set_impairment(impairment)
        if self._observed:
            self._place_itch()

    def _privileged_features(self) -> np.ndarray:
        """Upstream's six hidden numbers: tip − target and target, robot base frame, m."""
        target = self._base_rotation.T @ (self._target_position - self._base_position)
        return np.concatenate([self._tip_local - target, target])

    # -- episode
    def _start_episode(self) -> None:
        self.scratches = 0
        self._last_scratch = (0.0, 0.0, 0.0)
        self._reference_quaternion: np.ndarray | None = None

    def _observe(self) -> np.ndarray:
        world = self.world
        angles, speeds = world.joint_states(self.arm, self._joints)
        (_, _, hand_velocity), (tool_position, tool_quaternion, _) = world.link_frames(
            self.arm, [self._hand, self._tool], velocity=True
        )
        self._arm_frames = world.link_frames(self.person.arm, self.person.landmarks)
        self._angles = np.array(angles)
        self._hand_speed = math.sqrt(hand_velocity[0] ** 2 + hand_velocity[1] ** 2 + hand_velocity[2] ** 2)

        x, y, z, w = tool_quaternion
        reach = self._tip_offset  # the tip lies on the tool's x axis: the first column of its rotation
        tip = (
            tool_position[0] + reach * (1 - 2 * (y * y + z * z)),
            tool_position[1] + reach * 2 * (x * y + z * w),
            tool_position[2] + reach * 2 * (x * z - y * w),
        )
        self._tip = tip
        self._observed = True
        self._place_itch()
        self._feel()

        points = self._points
        points[0] = tip
        points[1], points[2], points[3] = (frame[0] for frame in self._arm_frames)
        local = (points[:4] - self._base_position) @ self._base_rotation
        self._tip_local = local[0]
        quaternion = np.array(tool_quaternion)
        if self._reference_quaternion is None:
            self._reference_quaternion = quaternion
        elif (
            float(quaternion @ self._reference_quaternion) < 0
        ):  # q and −q are one rotation: keep to one half
            quaternion = -quaternion
        n = len(angles)
        observation = np.empty(17 + 2 * n, dtype=np.float32)
        observation[0:3] = local[0]
        observation[3:7] = quaternion
        observation[7 : 7 + n] = (self._angles + math.pi) % (2 * math.pi) - math.pi
        observation[7 + n : 7 + 2 * n] = speeds
        observation[7 + 2 * n : 16 + 2 * n] = local[1:4].ravel()
        observation[-1] = self.tool_force_n
        return np.clip(observation, self._bound_low, self._bound_high, out=observation)

    def _place_itch(self) -> None:
        """Where the itch is now: it moves with the limb."""
        position, quaternion = self._arm_frames[self._itch_part]
        rotation = matrix_from_quaternion(quaternion)
        self._target_position = rotation @ self._itch_local + position
        self._target_normal = rotation @ self._itch_normal

    def _feel(self) -> None:
        """Sum the contact forces of this instant: on the tool, on the person, at the itch."""
        self.tool_force_n = self.total_force_n = self.target_force_n = 0.0
        self._touch: tuple[float, float, float] | None = None
        self._strongest: tuple[float, tuple, tuple] | None = None
        tx, ty, tz = self._target_position.tolist()
        for contact in self.world.contacts(self.arm):
            on_tool = contact.own_link >= self._tool - 1  # the handle, or shaft and tip
            if on_tool:
                self.tool_force_n += contact.force
            if contact.body not in self.person.bodies:
                continue
            self.total_force_n += contact.force
            if self._strongest is None or contact.force > self._strongest[0]:
                self._strongest = (contact.force, contact.position, contact.normal)
            if contact.own_link == self._tool:
                x, y, z = contact.position
                if (x - tx) ** 2 + (y - ty) ** 2 + (z - tz) ** 2 < SCRATCH_RADIUS_M**2:
                    self.target_force_n += contact.force
                    self._touch = contact.position

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        self.distance_m = math.dist(self._target_position.tolist(), self._tip)
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
        """1 inside the preferred force band, falling to 0 one band further out; 1 where no force is preferred."""
        if "force" not in self.sessions.latent:
            return 1.0
        off = abs(self.target_force_n - self.sessions.latent["force"])
        return min(1.0, max(0.0, 2.0 - off / FORCE_BAND_N))

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
        force = None if self._strongest is None else np.array(self._strongest[2]) * -self._strongest[0]
        return Markers(
            itch=self._target_position.copy(),
            itch_normal=self._target_normal.copy(),
            tool_tip=np.array(self._tip),
            force_at=None if self._strongest is None else np.array(self._strongest[1]),
            force=force,
        )
