"""BedBathing: wash the part of a person's arm that they want washed, as hard as they like it, without being told which.

The task is Assistive Gym 1.0's ``BedBathing`` (Erickson et al., ICRA 2020): a wiper, and targets on a 3 cm grid over the
right arm's skin. Here only one region of the skin is wanted at a time; which, and the pressure, is hidden and changes
from session to session.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scenes.care.body import ARM_PARTS, IMPAIRMENTS, arm_part_capsule, surface_point
from scenes.care.chain import matrix_from_quaternion
from scenes.care.contact import Contact
from scenes.care.reward import action_cost, band_worth, comfort
from scenes.care.scene import CareScene
from scenes.care.size import BodySize
from scenes.care.skin_spot import LANDMARKS
from scenes.care.tools.wiper import WIPER, on_cloth
from scenes.latent import ChoiceField, LatentField, ScalarField
from scenes.visual import CameraPreset, Markers

TARGET_SPACING_M = 0.03
WIPE_RADIUS_M = 0.025
WIPE_REWARD = 5.0
SUCCESS_SHARE = 0.3
#: Half-width of the preferred pressure's band, and of the ramp beyond it on which a wipe loses its worth.
PRESSURE_BAND_N = 0.5
#: The cloth is wet terry over foam: each contact point a spring (N/m) with a damper (N·s/m). On a rigid plate the force
#: would be whatever the motors can give, and no pressure could be kept.
CLOTH_STIFFNESS, CLOTH_DAMPING = 200.0, 8.0
#: Steps after which a wiped target is due again: washed, rinsed, dried.
DUE_AGAIN_STEPS = 20

#: The arm's angle to the body differs by up to this much from episode to episode.
ABDUCTION_RAD = math.radians(5.0)

#: Region → part of the arm, and the side's angle (as in :func:`scenes.care.body.surface_point`) on the lying arm.
REGIONS: dict[str, tuple[str, float]] = {
    "upper_arm_top": ("upper_arm", math.radians(90)),
    "upper_arm_side": ("upper_arm", math.radians(15)),
    "forearm_top": ("forearm", math.radians(90)),
    "forearm_side": ("forearm", math.radians(15)),
}
#: A region reaches this far to either side of its angle; neighbours overlap.
REGION_HALF_RAD = math.radians(55)

FIELDS: dict[str, LatentField] = {
    "region": ChoiceField("region", "Where to wash", tuple(REGIONS)),
    "pressure": ScalarField("pressure", "Preferred pressure", 0.5, 2.5, "N"),
    "impairment": ChoiceField("impairment", "Impairment", IMPAIRMENTS),
}

CAMERAS: tuple[CameraPreset, ...] = (
    CameraPreset("bedside", (-1.45, -0.95, 1.65), (-0.25, 0.05, 0.78), 40.0),
    CameraPreset("arm", (-0.95, -0.65, 1.45), (-0.26, 0.06, 0.82), 40.0),
    CameraPreset("top", (-0.75, 0.00, 2.35), (-0.22, 0.05, 0.75), 38.0),
    CameraPreset("shoulder", (-0.95, 1.05, 1.60), (-0.25, 0.05, 0.80), 38.0),
    CameraPreset("room", (-2.10, -2.00, 1.90), (0.0, -0.15, 0.62), 39.0),
)


def target_grid(size: BodySize, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Upstream's targets on one part of the arm.

    Returns:
        positions (k, 3) m in the part's frame, and angles (k,) rad about it.
    """
    radius, length = arm_part_capsule(size, part)
    rings, around = int(length / TARGET_SPACING_M), int(2 * math.pi * radius / TARGET_SPACING_M)
    along = length * np.arange(1, rings + 1) / (rings + 1)
    angle = math.pi / 2 - TARGET_SPACING_M / radius * np.arange(around)
    z, a = (grid.ravel() for grid in np.meshgrid(along, angle, indexing="ij"))
    return np.stack([-radius * np.cos(a), -radius * np.sin(a), -z], 1), a


class BedBathing(CareScene):
    """A robot arm beside a bed washes the region of the lying person's right arm that they want washed.

    **Action** (n,) in [−1, 1], one entry per arm joint. Under ``assistive_gym`` a full action aims
    0.25 rad beyond the measured joint with gain 0.05 and at most 1 N·m (upstream's constants; very sluggish); under
    ``responsive`` it moves the target by 0.1 rad per 0.1 s step.

    **Observation** (17 + 2n,) float32, in the robot's base frame:

    ========  =====================================================  ============  =====
    index     meaning                                                range         unit
    ========  =====================================================  ============  =====
    0–2       middle of the cloth                                    ±2            m
    3–6       tool orientation, quaternion (x, y, z, w)              ±1
    7–6+n     joint angles, wrapped                                  ±π            rad
    7+n–6+2n  joint speeds                                           ±20           rad/s
    7+2n …    shoulder, elbow, wrist of the person's right arm (9)   ±2            m
    last      contact force on the tool                              0–1000        N
    ========  =====================================================  ============  =====

    Upstream's observation with joint speeds added: without them the sluggish arm is not observable. Values beyond a
    range are clipped to it. What is clean and what is not is not seen, as upstream.

    **Latent**: ``region``, which quarter of the arm's reachable skin is wanted (upper arm or forearm, its top or its
    outer side; 110° of the circumference), and ``pressure``, the middle of a preferred band of ±0.5 N of the cloth's
    force (a wipe is worth its full reward inside, none 0.5 N beyond). A further field, by
    ``fields=("region", "pressure", "impairment")``: ``impairment``.

    **Reward** (upstream's scale): −(distance from the cloth to the nearest target that is due) − 0.01‖a‖ + 5 per target
    wiped − 0.25‖v_ee‖ − 0.01·(force other than the cloth's) − 0.05·(the cloth's force, once it is ≥ 10 N). A target is
    wiped when the cloth touches the skin within 2.5 cm of it. Targets lie on upstream's 3 cm grid around the arm (129 on
    the male, 91 on the female); those of the region are due. A wiped target is due again after 2 s (washed, rinsed,
    dried), and all are when a session ends or the region is changed: upstream's 129 would last for an episode, a quarter
    of them would not. Upstream pays −(distance to the person), which says nothing of where to wash.

    **Start**: the hand at (−0.45, 0.2, 1) m ± 5 cm, upstream's place relative to the person, pointing at them; the arm
    lies on the mattress, which holds it up, 14° ± 5° from the body. **Episode**: 200 steps of 0.1 s. **Success**: as many
    wipes as 30 % of the targets on the arm (39 male, 28 female).

    Args:
        robot: one with a mount at the ``bed``: all of them. Upstream's 1 N·m is little for the heavier arms: the scripted
            oracle succeeds in 5 of 8 episodes with Panda and UR5, in 2 with PR2; under ``responsive`` in all.
        controller: ``assistive_gym`` or ``responsive``.
        gender: ``male`` (78.4 kg) or ``female`` (62.5 kg).
        age_years, weight_kg, height_m: of the person.
        impairment: ``none``, ``limits``, ``weakness`` or ``tremor``; ignored where it is a latent field.
        fields: the latent fields, ``region`` among them.
        termination, kernel: of the session process; default p = 0.02 per step, uniform.

    **Version history**: v1, the first.
    """

    episode_length = 200
    n_privileged = 6

    place = "bed"
    supports = ("mattress",)
    pose_deg = {"right_arm": {"shoulder_y": 14.0}}  # noqa: RUF012 (as CareScene has it)
    tool = WIPER
    overlap_m = 0.06  # the cloth is soft and gives way; 58 mm found
    # Upstream's hand is at (−0.6, 0.2, 1) with the person's middle at x = −0.15; the cloth is 6 cm further.
    start_tip = ((-0.39, 0.2, 1.0), (0.0, 0.0, 0.0))
    latent_fields = FIELDS
    default_fields = ("region", "pressure")
    task_points = 3

    def _build(self) -> None:
        self.world.soften(self.arm, self._tool, CLOTH_STIFFNESS, CLOTH_DAMPING)
        grids = [target_grid(self.person.size, part) for part in ARM_PARTS]
        self._grids = [positions for positions, _ in grids]
        part = np.repeat(np.arange(len(grids)), [len(positions) for positions, _ in grids])
        angle = np.concatenate([angles for _, angles in grids])
        self.n_targets = len(part)
        self._regions: dict[str, np.ndarray] = {}
        for name, (on, centre) in REGIONS.items():
            off = np.abs((angle - centre + math.pi) % (2 * math.pi) - math.pi)
            self._regions[name] = (part == ARM_PARTS.index(on)) & (off <= REGION_HALF_RAD)
        self._due_at = np.zeros(self.n_targets, int)
        self._lying = self.person.arm.pose.copy()
        self._abduction = self.person.arm.chain.index("shoulder_y")

    def _start_bodies(self) -> None:
        """The arm lies a little nearer to the body or further away."""
        pose = self._lying.copy()
        pose[self._abduction] += self.np_random.uniform(-ABDUCTION_RAD, ABDUCTION_RAD)
        self.person.arm.set_pose(pose)
        self.person.set_impairment(self.person.impairment)

    # -- the hidden preference
    def _latent_changed(self) -> None:
        super()._latent_changed()
        self._wanted = self._regions[self.sessions.latent["region"]]
        self._due_at[:] = 0
        if self._observed:
            self._find_nearest()

    def _privileged_features(self) -> np.ndarray:
        """Middle of the wanted region − cloth (m), and the region's outward normal; robot base frame."""
        middle, normal = self._middle()
        return np.concatenate([self.to_base(middle) - self._tip_local, self._base_rotation.T @ normal])

    def _middle(self) -> tuple[np.ndarray, np.ndarray]:
        """Middle of the wanted region, (3,) m, and its outward normal (3,), world."""
        part, angle = REGIONS[self.sessions.latent["region"]]
        local, normal = surface_point(self.person.size, part, 0.5, angle)
        at, rotation = self._part_frames[ARM_PARTS.index(part)]
        return rotation @ local + at, rotation @ normal

    # -- episode
    def _start_episode(self) -> None:
        self.wipes = 0
        self._due_at[:] = 0

    def _see(self) -> tuple[Sequence[Sequence[float]], Sequence[float]]:
        """Shoulder, elbow and wrist; the targets ride on the arm."""
        frames = self.world.link_frames(self.person.arm.body, LANDMARKS)
        self._part_frames = [
            (np.array(at), matrix_from_quaternion(np.array(turned))) for at, turned in frames[:2]
        ]
        self._targets = np.concatenate(
            [
                positions @ rotation.T + at
                for positions, (at, rotation) in zip(self._grids, self._part_frames, strict=True)
            ]
        )
        self._find_nearest()
        return [frame[0] for frame in frames], ()

    def _find_nearest(self) -> None:
        """The due target nearest to the cloth, or where none is due the nearest of the region."""
        due = self._wanted & (self._due_at <= self.steps)
        if not due.any():
            due = self._wanted
        offsets = self._targets[due] - np.array(self._tip)
        squares = np.einsum("ij,ij->i", offsets, offsets)
        nearest = int(squares.argmin())
        self.distance_m = math.sqrt(squares[nearest])
        self.target_position = self._targets[due][nearest]

    def _start_touches(self) -> None:
        self.cloth_force_n = 0.0
        self._touches: list[tuple[float, float, float]] = []
        at, quaternion = self._tool_frame
        self._tool_rotation, self._tool_at = matrix_from_quaternion(np.array(quaternion)), np.array(at)

    def _on_touch(self, contact: Contact) -> None:
        if contact.own_link == self._tool and on_cloth(
            self._tool_rotation.T @ (np.array(contact.position) - self._tool_at)
        ):
            self.cloth_force_n += contact.force
            self._touches.append(contact.position)

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        reward = -self.distance_m + action_cost(math.sqrt(float(action @ action)))
        reward += comfort(self._hand_speed, self.total_force_n, self.cloth_force_n)
        worth = self._pressure_worth()
        if self._touches and worth > 0:
            offsets = self._targets[:, None] - np.array(self._touches)
            near = (np.einsum("ijk,ijk->ij", offsets, offsets) < WIPE_RADIUS_M**2).any(1)
            wiped = near & self._wanted & (self._due_at <= self.steps)
            count = int(wiped.sum())
            if count:
                reward += WIPE_REWARD * worth * count
                self.wipes += count
                self._due_at[wiped] = self.steps + DUE_AGAIN_STEPS
                self._find_nearest()
        return reward, self.wipes >= SUCCESS_SHARE * self.n_targets

    def _pressure_worth(self) -> float:
        """What a wipe is worth; 1 where no pressure is preferred."""
        if "pressure" not in self.sessions.latent:
            return 1.0
        return band_worth(self.cloth_force_n, self.sessions.latent["pressure"], PRESSURE_BAND_N)

    def _measure(self) -> dict[str, Any]:
        return {
            "task_success": False,
            "wipes": self.wipes,
            "tool_force_n": self.tool_force_n,
            "cloth_force_n": self.cloth_force_n,
            "total_force_n": self.total_force_n,
        }

    # -- drawing
    def markers(self) -> Markers:
        """The middle of the wanted region, and its outward normal."""
        middle, normal = self._middle()
        return replace(super().markers(), itch=middle, itch_normal=normal)

    def cameras(self) -> tuple[CameraPreset, ...]:
        return CAMERAS
