"""The joints of the right arm, from the chest outwards: axes, limits, shares of the body's mass.

Limits in degrees and mass shares are Assistive Gym 1.0's (Healthcare-Robotics/assistive-gym, MIT, ``human_creation``).
A limb's frame sits at its near joint and the limb points along −z. Angles are right-handed about the listed axes.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenes.care.size import BodySize


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
