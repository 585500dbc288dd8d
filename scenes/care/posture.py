"""How a person sits or lies: joint angles and the pose of the chest, and from them every segment's frame.

Seated is Assistive Gym 1.0's pose in the wheelchair (hips 90°, knees 80°, elbows 90°). Lying is on the back on a
mattress, head towards +y, feet towards −y; the arms rest on the mattress, the right one 30° away from the body, as in
upstream's bed bathing. The mattress is flat and firm: the back touches it where the body is deepest.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from scenes.care.joints import ARM_JOINTS, MOVING_FRAMES, arm_joint_offsets
from scenes.care.size import Body, BodySize, body_size
from scenes.errors import InputError

#: Height of the mattress a person lies on, m.
MATTRESS_TOP_M = 0.70

Angles = Mapping[str, float]


@dataclass(frozen=True)
class Posture:
    """Angles in degrees; a joint that is not named is at 0.

    Attributes:
        chest: size → position of the chest's centre, m, world.
        lean_deg: of the whole person about x: 0 upright, −90 on the back.
        right_arm, left_arm: size → angle of ARM_JOINTS by name; the left arm's joints turn about the same axes.
        hip_deg: size → angle about x; −90 is seated.
        knee_deg, ankle_deg: about x.
        spread_deg: each leg outwards.
    """

    chest: Callable[[BodySize], tuple[float, float, float]]
    lean_deg: float
    right_arm: Callable[[BodySize], Angles]
    left_arm: Callable[[BodySize], Angles]
    hip_deg: Callable[[BodySize], float]
    knee_deg: float
    ankle_deg: float = 0.0
    spread_deg: float = 0.0


def _depth(size: BodySize) -> float:
    """From the chest's frame to the back of the body, m."""
    return max(size.chest_r, size.pecs_r, size.waist_r, size.hips_r)


def _resting_arm(size: BodySize) -> dict[str, float]:
    """The arm beside a lying person: elbow and hand on the mattress."""
    drop = _depth(size) - size.upper_arm_r
    down = math.degrees(math.asin(drop / size.upper_arm_l))
    reach = size.forearm_r + size.forearm_l + size.hand_r
    up = math.degrees(math.asin((size.hand_r - size.upper_arm_r) / reach))
    return {"shoulder_x": down, "elbow": -down - up}


#: A relaxed foot points away from the shin's right angle.
_RELAXED_ANKLE_DEG = 25.0


def _resting_leg(size: BodySize) -> float:
    """How far (degrees) a lying person's straight leg slopes down from the hip until its heel is on the mattress."""
    ankle = math.radians(_RELAXED_ANKLE_DEG)
    back, down = size.foot_y + size.foot_l / 2, size.foot_r / 2  # the heel in the foot's frame
    behind = back * math.cos(ankle) + down * math.sin(ankle) + size.foot_r
    along = size.thigh_l - size.foot_z + down * math.cos(ankle) - back * math.sin(ankle)
    return math.degrees(math.asin((_depth(size) - max(behind, size.shin_r)) / along))


POSTURES: dict[str, Posture] = {
    "seated": Posture(
        chest=lambda size: (0.0, 0.03, size.base_height),
        lean_deg=0.0,
        right_arm=lambda size: {joint.name: joint.seated_deg for joint in ARM_JOINTS},
        left_arm=lambda size: {
            "shoulder_y": -5.0,
            "elbow": -90.0,
        },  # upstream leaves this shoulder at its limit
        hip_deg=lambda size: -90.0,
        knee_deg=80.0,
    ),
    "lying": Posture(
        chest=lambda size: (0.0, 0.20, MATTRESS_TOP_M + _depth(size)),
        lean_deg=-90.0,
        right_arm=lambda size: {"shoulder_y": 30.0, **_resting_arm(size)},
        left_arm=lambda size: {"shoulder_y": -14.0, **_resting_arm(size)},
        hip_deg=_resting_leg,
        knee_deg=0.0,
        ankle_deg=_RELAXED_ANKLE_DEG,
        spread_deg=5.0,
    ),
}


def find_posture(name: str) -> Posture:
    """
    Raises:
        InputError: an unknown posture.
    """
    if name not in POSTURES:
        raise InputError("posture", name, "one of " + ", ".join(POSTURES))
    return POSTURES[name]


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


def posture_frames(
    body: Body | BodySize, posture: str = "seated", right_arm: Angles | None = None
) -> dict[str, np.ndarray]:
    """World pose, (4, 4) each, of every segment's frame.

    Segments: chest, pecs, upper_arm, forearm, hand (right arm); left_pecs, left_upper_arm, left_forearm, left_hand;
    neck, head, waist, hips; {right,left}_{thigh,shin,foot}.

    Args:
        right_arm: ARM_JOINTS by name → degrees, instead of the posture's.

    Raises:
        InputError: an unknown posture or joint.
    """
    size, pose = body_size(body), find_posture(posture)
    chest = np.eye(4)
    if pose.lean_deg:
        chest[:3, :3] = _rotation((1, 0, 0), pose.lean_deg)
    chest[:3, 3] = pose.chest(size)
    frames = {"chest": chest}

    names = [joint.name for joint in ARM_JOINTS]
    for name in right_arm or {}:
        if name not in names:
            raise InputError("right_arm", name, "one of " + ", ".join(names))
    for side, sign, angles in (
        ("", 1.0, {**pose.right_arm(size), **(right_arm or {})}),
        ("left_", -1.0, pose.left_arm(size)),
    ):
        frame = chest
        for index, (joint, offset) in enumerate(zip(ARM_JOINTS, arm_joint_offsets(size), strict=True)):
            turned = _rotation(joint.axis, angles.get(joint.name, 0.0))
            frame = _offset(frame, (sign * offset[0], offset[1], offset[2]), turned)
            for name, carrier in MOVING_FRAMES.items():
                if carrier == index:
                    frames[side + name] = frame

    frames["neck"] = _offset(chest, (0, 0, size.neck_z))
    frames["head"] = _offset(frames["neck"], (0, 0, size.head_z))
    frames["waist"] = _offset(chest, (0, 0, size.waist_z))
    frames["hips"] = _offset(frames["waist"], (0, 0, size.hip_z))
    for side, sign in (("right", -1.0), ("left", 1.0)):
        hip = _rotation((1, 0, 0), pose.hip_deg(size))
        if pose.spread_deg:
            hip = _rotation((0, 1, 0), -sign * pose.spread_deg) @ hip
        ankle = _rotation((1, 0, 0), pose.ankle_deg) if pose.ankle_deg else None
        thigh = _offset(frames["hips"], (sign * size.thigh_x, 0, size.thigh_z), hip)
        shin = _offset(thigh, (0, 0, -size.thigh_l), _rotation((1, 0, 0), pose.knee_deg))
        frames[f"{side}_thigh"], frames[f"{side}_shin"] = thigh, shin
        frames[f"{side}_foot"] = _offset(shin, (0, 0, size.foot_z), ankle)
    return frames


def seated_frames(body: Body | BodySize) -> dict[str, np.ndarray]:
    """:func:`posture_frames` in the wheelchair."""
    return posture_frames(body, "seated")


def lying_frames(body: Body | BodySize, right_arm: Angles | None = None) -> dict[str, np.ndarray]:
    """:func:`posture_frames` on the bed."""
    return posture_frames(body, "lying", right_arm)
