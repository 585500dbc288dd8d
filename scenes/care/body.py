"""The person: sizes, joints, impairments, and the surface of the arm.

All numbers are Assistive Gym 1.0's 50th-percentile bodies (Healthcare-Robotics/assistive-gym, MIT, ``human_creation``;
there from Tilley & Dreyfuss, *The Measure of Man and Woman*): capsule radii and lengths in m, joint limits in degrees,
masses as fractions of the body's. Only the right arm moves in the care scenes built so far; every other segment is
posed once (seated) and static, which is what makes a step fast.

Frames: x to the person's left, z up; the seated person faces −y. A limb's frame sits at its near joint and the limb
points along −z. Joint angles are right-handed about the listed axes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

Gender = Literal["male", "female"]
GENDERS: tuple[str, ...] = ("male", "female")
IMPAIRMENTS: tuple[str, ...] = ("none", "limits", "weakness", "tremor")

#: The two parts an itch may lie on, in the order used by every grid and one-hot.
ARM_PARTS: tuple[str, ...] = ("upper_arm", "forearm")


@dataclass(frozen=True)
class BodySize:
    """Dimensions of one body (m, kg). ``*_r`` are capsule radii, ``*_l`` the capsule's cylinder lengths."""

    mass: float
    base_height: float  # of the chest's centre when seated in the wheelchair
    chest_r: float
    chest_l: float
    pecs_r: float
    pecs_l: float
    pecs_x: float  # sideways offset of the pectoral capsule's centre
    neck_r: float
    neck_l: float
    upper_arm_r: float
    upper_arm_l: float
    forearm_r: float
    forearm_l: float
    hand_r: float
    waist_r: float
    waist_l: float
    hips_r: float
    hips_l: float
    hips_z: float
    thigh_r: float
    thigh_l: float
    shin_r: float
    shin_l: float
    foot_r: float
    foot_l: float
    foot_y: float
    # joint positions relative to the parent frame
    shoulder_rise: float  # chest → pecs, twice
    neck_z: float
    head_z: float
    upper_arm_x: float  # pecs → shoulder, to the right
    waist_z: float
    hip_z: float
    thigh_x: float
    thigh_z: float
    foot_z: float


SIZES: dict[str, BodySize] = {
    "male": BodySize(
        mass=78.4, base_height=0.89,
        chest_r=0.127, chest_l=0.056, pecs_r=0.106, pecs_l=0.253 / 8, pecs_x=0.253 / 2.5 - 0.253 / 16,
        neck_r=0.06, neck_l=0.124, upper_arm_r=0.043, upper_arm_l=0.279, forearm_r=0.033, forearm_l=0.257,
        hand_r=0.043, waist_r=0.1205, waist_l=0.049, hips_r=0.1335, hips_l=0.094, hips_z=-0.08125,
        thigh_r=0.08, thigh_l=0.424, shin_r=0.05, shin_l=0.403, foot_r=0.05, foot_l=0.215, foot_y=-0.1,
        shoulder_rise=0.1415 / 2, neck_z=0.1515, head_z=0.399 - 0.1415 - 0.1205, upper_arm_x=-0.106 - 0.073,
        waist_z=-0.156, hip_z=-0.08125, thigh_x=0.08 + 0.009, thigh_z=-0.08125, foot_z=-0.403 - 0.025,
    ),
    "female": BodySize(
        mass=62.5, base_height=0.86,
        chest_r=0.127, chest_l=0.01, pecs_r=0.092, pecs_l=0.225 / 8, pecs_x=0.225 / 2.5 - 0.225 / 16,
        neck_r=0.05, neck_l=0.121, upper_arm_r=0.0355, upper_arm_l=0.264, forearm_r=0.027, forearm_l=0.234,
        hand_r=0.0355, waist_r=0.11, waist_l=0.009, hips_r=0.127, hips_l=0.117, hips_z=-0.075,
        thigh_r=0.0775, thigh_l=0.391, shin_r=0.045, shin_l=0.367, foot_r=0.045, foot_l=0.195, foot_y=-0.09,
        shoulder_rise=0.132 / 2, neck_z=0.132, head_z=0.12, upper_arm_x=-0.092 - 0.067,
        waist_z=-0.15, hip_z=-0.075, thigh_x=0.0775 + 0.0145, thigh_z=-0.075, foot_z=-0.367 - 0.0225,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ArmJoint:
    """One revolute joint of the right arm: limits in degrees, share of the body's mass its link carries."""

    name: str
    axis: tuple[float, float, float]
    low_deg: float
    high_deg: float
    mass_share: float
    seated_deg: float = 0.0


#: The right arm, from the chest outwards. Links without mass of their own are dummies between two axes of one joint.
ARM_JOINTS: tuple[ArmJoint, ...] = (
    ArmJoint("pecs_x", (1, 0, 0), -10, 10, 0.0),
    ArmJoint("pecs_y", (0, 1, 0), -10, 30, 0.0),
    ArmJoint("pecs_z", (0, 0, 1), -35, 35, 0.05),
    ArmJoint("shoulder_y", (0, 1, 0), 5, 198, 0.0, 30.0),
    ArmJoint("shoulder_x", (1, 0, 0), -188, 61, 0.0),
    ArmJoint("shoulder_z", (0, 0, 1), -90, 90, 0.033),
    ArmJoint("elbow", (1, 0, 0), -128, 0, 0.0, -90.0),
    ArmJoint("forearm_z", (0, 0, 1), -90, 90, 0.019),
    ArmJoint("wrist_x", (1, 0, 0), -81, 90, 0.0),
    ArmJoint("wrist_y", (0, 1, 0), -27, 47, 0.0065),
)


def arm_joint_offsets(size: BodySize) -> list[tuple[float, float, float]]:
    """Position of each of ARM_JOINTS in its parent's frame (m); the first in the chest's."""
    rise = (0.0, 0.0, size.shoulder_rise)
    none = (0.0, 0.0, 0.0)
    return [
        rise, rise, none,
        (size.upper_arm_x, 0.0, 0.0), none, none,
        (0.0, 0.0, -size.upper_arm_l), none,
        (0.0, 0.0, -(size.forearm_r + size.forearm_l)), none,
    ]  # fmt: skip


#: Frames that move, and the ARM_JOINTS index whose link carries each.
MOVING_FRAMES: dict[str, int] = {"pecs": 2, "upper_arm": 5, "forearm": 7, "hand": 9}


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


# ------------------------------------------------------------------------------------------------ seated pose
def _rotation(axis: tuple[float, float, float], angle_deg: float) -> np.ndarray:
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    x, y, z = axis
    return np.array(
        [
            [c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s],
            [y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s],
            [z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c)],
        ]
    )


def _offset(
    parent: np.ndarray, position: tuple[float, float, float], rotation: np.ndarray | None = None
) -> np.ndarray:
    child = np.eye(4)
    child[:3, 3] = position
    if rotation is not None:
        child[:3, :3] = rotation
    return parent @ child


def seated_frames(gender: str) -> dict[str, np.ndarray]:
    """World pose, (4, 4) each, of every segment's frame with the person seated in the wheelchair.

    Segments: chest, pecs, upper_arm, forearm, hand (right arm, as ARM_JOINTS at ``seated_deg``); left_pecs,
    left_upper_arm, left_forearm, left_hand; neck, head, waist, hips; {right,left}_{thigh,shin,foot}.
    """
    size = SIZES[gender]
    chest = np.eye(4)
    chest[:3, 3] = (0.0, 0.03, size.base_height)
    frames = {"chest": chest}

    for side, sign in (("", 1.0), ("left_", -1.0)):
        frame = chest
        for index, (joint, offset) in enumerate(zip(ARM_JOINTS, arm_joint_offsets(size), strict=True)):
            degrees = joint.seated_deg
            if side:  # upstream leaves the left shoulder at its limit of −5° and bends the elbow
                degrees = {"shoulder_y": -5.0, "elbow": -90.0}.get(joint.name, 0.0)
            frame = _offset(frame, (sign * offset[0], offset[1], offset[2]), _rotation(joint.axis, degrees))
            for name, carrier in MOVING_FRAMES.items():
                if carrier == index:
                    frames[side + name] = frame

    frames["neck"] = _offset(chest, (0, 0, size.neck_z))
    frames["head"] = _offset(frames["neck"], (0, 0, size.head_z))
    frames["waist"] = _offset(chest, (0, 0, size.waist_z))
    frames["hips"] = _offset(frames["waist"], (0, 0, size.hip_z))
    for side, sign in (("right", -1.0), ("left", 1.0)):
        thigh = _offset(frames["hips"], (sign * size.thigh_x, 0, size.thigh_z), _rotation((1, 0, 0), -90))
        shin = _offset(thigh, (0, 0, -size.thigh_l), _rotation((1, 0, 0), 80))
        frames[f"{side}_thigh"], frames[f"{side}_shin"] = thigh, shin
        frames[f"{side}_foot"] = _offset(shin, (0, 0, size.foot_z))
    return frames


@dataclass(frozen=True)
class Capsule:
    """A capsule in a segment's frame: end points of its axis (m) and radius (m)."""

    segment: str
    a: tuple[float, float, float]
    b: tuple[float, float, float]
    radius: float


def capsules(gender: str) -> tuple[Capsule, ...]:
    """The whole body as capsules (a sphere has a = b); the head is an upright capsule of adult head size."""
    s = SIZES[gender]

    def along_x(segment: str, length: float, radius: float, x: float = 0.0, z: float = 0.0) -> Capsule:
        return Capsule(segment, (x - length / 2, 0, z), (x + length / 2, 0, z), radius)

    def limb(segment: str, length: float, radius: float) -> Capsule:
        return Capsule(segment, (0, 0, 0), (0, 0, -length), radius)

    parts = [
        along_x("chest", s.chest_l, s.chest_r),
        along_x("pecs", s.pecs_l, s.pecs_r, -s.pecs_x),
        along_x("left_pecs", s.pecs_l, s.pecs_r, s.pecs_x),
        Capsule("neck", (0, 0, 0.09 - s.neck_l / 2), (0, 0, 0.09 + s.neck_l / 2), s.neck_r),
        # Adult head: about 0.15 wide, 0.19 deep, 0.23 high (NASA-STD-3000); a capsule of its mean girth.
        Capsule("head", (0, -0.02, 0.05), (0, -0.02, 0.12), 0.085),
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
