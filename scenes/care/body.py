"""The person's body: its segments as capsules, the surface of the arm, where the mouth is.

Sizes, joints and postures live in :mod:`scenes.care.size`, :mod:`scenes.care.joints` and
:mod:`scenes.care.posture`, and can be had from here. Only the right arm and the head can move; every other segment is
posed once and static, which is what makes a step fast.

Frames: x to the person's left, z up; the seated person faces −y. A limb's frame sits at its near joint and the limb
points along −z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenes.care.joints import ARM_JOINTS, MOVING_FRAMES, ArmJoint, arm_joint_offsets
from scenes.care.posture import MATTRESS_TOP_M, POSTURES, lying_frames, posture_frames, seated_frames
from scenes.care.size import GENDERS, SIZES, Body, BodySize, BodySpec, Gender, body_size, body_spec

__all__ = [
    "ARM_JOINTS", "ARM_PARTS", "GENDERS", "IMPAIRMENTS", "MATTRESS_TOP_M", "MOUTH", "MOVING_FRAMES", "POSTURES",
    "SIZES", "ArmJoint", "Body", "BodySize", "BodySpec", "Capsule", "Gender", "arm_joint_offsets",
    "arm_part_capsule", "body_size", "body_spec", "capsules", "lying_frames", "mouth", "posture_frames",
    "seated_frames", "surface_coordinates", "surface_point",
]  # fmt: skip

IMPAIRMENTS: tuple[str, ...] = ("none", "limits", "weakness", "tremor")

#: The two parts an itch may lie on, in the order used by every grid and one-hot.
ARM_PARTS: tuple[str, ...] = ("upper_arm", "forearm")

#: Middle of the line between the lips in the head's frame (m) of the reference bodies, as drawn.
MOUTH: dict[str, tuple[float, float, float]] = {"male": (0.0, -0.114, 0.017), "female": (0.0, -0.1055, 0.022)}
#: The same at the oldest age: the lips sink back.
_OLD_MOUTH = {"male": (0.0, -0.1087, 0.0129), "female": (0.0, -0.1044, 0.0221)}


def mouth(body: Body) -> np.ndarray:
    """(3,) m, the middle of the line between the lips in the head's frame."""
    spec = body_spec(body)
    young, old = np.array(MOUTH[spec.gender]), np.array(_OLD_MOUTH[spec.gender])
    return spec.stature * (young + spec.old * (old - young))


def arm_part_capsule(size: BodySize, part: str) -> tuple[float, float]:
    """(radius, length) in m of a part an itch may lie on."""
    return {
        "upper_arm": (size.upper_arm_r, size.upper_arm_l),
        "forearm": (size.forearm_r, size.forearm_l),
    }[part]


def surface_point(size: BodySize, part: str, axial: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """A skin point in its part's frame.

    The angle is measured about the limb's axis from −x (the outer, "dorsal" side of the seated arm) towards −y.

    Returns:
        position (3,) m and outward unit normal (3,).
    """
    radius, length = arm_part_capsule(size, part)
    normal = np.array([-math.cos(angle), -math.sin(angle), 0.0])
    return radius * normal + np.array([0.0, 0.0, -axial * length]), normal


def surface_coordinates(size: BodySize, part: str, point: np.ndarray) -> tuple[float, float]:
    """(axial, angle) of a point (3,) in the part's frame: inverse of :func:`surface_point`, clipped to the part."""
    _, length = arm_part_capsule(size, part)
    return float(np.clip(-point[2] / length, 0.0, 1.0)), math.atan2(-point[1], -point[0])


@dataclass(frozen=True)
class Capsule:
    """A capsule in a segment's frame: end points of its axis (m) and radius (m)."""

    segment: str
    a: tuple[float, float, float]
    b: tuple[float, float, float]
    radius: float


def capsules(body: Body | BodySize) -> tuple[Capsule, ...]:
    """The whole body as capsules (a sphere has a = b); the head is an upright capsule of adult head size."""
    s = body_size(body)

    def along_x(segment: str, length: float, radius: float, x: float = 0.0, z: float = 0.0) -> Capsule:
        return Capsule(segment, (x - length / 2, 0, z), (x + length / 2, 0, z), radius)

    def limb(segment: str, length: float, radius: float) -> Capsule:
        return Capsule(segment, (0, 0, 0), (0, 0, -length), radius)

    parts = [
        along_x("chest", s.chest_l, s.chest_r),
        along_x("pecs", s.pecs_l, s.pecs_r, -s.pecs_x),
        along_x("left_pecs", s.pecs_l, s.pecs_r, s.pecs_x),
        Capsule("neck", (0, 0, s.neck_mid - s.neck_l / 2), (0, 0, s.neck_mid + s.neck_l / 2), s.neck_r),
        Capsule("head", (0, s.head_y, s.head_low), (0, s.head_y, s.head_high), s.head_r),
        along_x("waist", s.waist_l, s.waist_r),
        along_x("hips", s.hips_l, s.hips_r, 0.0, s.hips_z),
    ]
    for side in ("", "left_"):
        parts += [
            limb(f"{side}upper_arm", s.upper_arm_l, s.upper_arm_r),
            limb(f"{side}forearm", s.forearm_l, s.forearm_r),
            Capsule(f"{side}hand", (0, 0, -s.hand_r), (0, 0, -s.hand_r), s.hand_r),
        ]
    for side in ("right", "left"):
        parts += [
            limb(f"{side}_thigh", s.thigh_l, s.thigh_r),
            limb(f"{side}_shin", s.shin_l, s.shin_r),
            Capsule(
                f"{side}_foot",
                (0, s.foot_y + s.foot_l / 2, -s.foot_r / 2),
                (0, s.foot_y - s.foot_l / 2, -s.foot_r / 2),
                s.foot_r,
            ),
        ]
    return tuple(parts)
