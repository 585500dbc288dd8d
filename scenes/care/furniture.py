"""The wheelchair, as it looks and as a few boxes to bump into.

A manual frame with a power pack, since a Jaco arm draws its current from a powered chair. Its proportions follow
common 46 cm adult chairs (seat 46 × 45 cm, 24-inch drive wheels, 8-inch castors); seat, armrests and foot plates are
set to the person, as a therapist would. World coordinates, m: the person faces −y, x to the person's left, ground
z = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from scenes.care.chain import Shape, matrix_from_quaternion
from scenes.care.posture import seated_frames
from scenes.care.shapes import Mesh, ball, cylinder, lathe, merge, rounded_box, torus, tube, turn
from scenes.care.size import Body, body_size

FRAME = (104, 112, 124)
ACCENT = (38, 128, 148)
UPHOLSTERY = (58, 62, 72)
PAD = (44, 46, 52)
RUBBER = (52, 54, 58)
METAL = (186, 191, 198)
PACK = (70, 75, 84)

_HALF_WIDTH = 0.215  # of the frame; the cushion is flush with it
_WHEEL_RADIUS = 0.29
_WHEEL = (0.275, 0.15, _WHEEL_RADIUS)
_CASTOR_RADIUS = 0.095
_CASTOR = (0.205, -0.25, _CASTOR_RADIUS)
_FOOT_TILT_DEG = -10.0  # toes up, as the seated shin is 10° off the vertical


@dataclass(frozen=True)
class Box:
    """A collision box: centre and half extents (m), orientation as a quaternion (x, y, z, w)."""

    name: str
    centre: tuple[float, float, float]
    half_extents: tuple[float, float, float]
    quaternion: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)

    @property
    def shape(self) -> Shape:
        """The box in its own frame."""
        x, y, z = self.half_extents
        return Shape((0, 0, 0), (0, 0, 0), box=(2 * x, 2 * y, 2 * z))

    @property
    def frame(self) -> np.ndarray:
        """(4, 4) in the world."""
        frame = np.eye(4)
        frame[:3, :3], frame[:3, 3] = matrix_from_quaternion(np.array(self.quaternion)), self.centre
        return frame


@dataclass(frozen=True)
class _Setting:
    """How the chair is set to one person, all m: tops of seat, armrest and the centre of a foot plate's top."""

    seat: float
    armrest: float
    foot: tuple[float, float, float]


@cache
def _setting(body: Body) -> _Setting:
    size, frames = body_size(body), seated_frames(body)
    ankle = frames["left_foot"]
    sole = ankle @ np.array([0.0, size.foot_y, -1.5 * size.foot_r, 1.0])
    return _Setting(
        seat=float(frames["left_thigh"][2, 3]) - size.thigh_r - 0.004,
        armrest=float(frames["left_forearm"][2, 3]) - size.forearm_r - 0.003,
        foot=(float(sole[0]), float(sole[1]), float(sole[2])),
    )


# ------------------------------------------------------------------------------------------------------ looks
@cache
def wheelchair_mesh(body: Body = "male") -> Mesh:
    """The whole chair, set to the body; about 9k triangles."""
    s = _setting(body)
    left = [*_wheel(), *_castor(), *_side(s), *_leg_rest(s)]
    middle = [
        rounded_box((0, -0.075, s.seat - 0.035), (0.208, 0.225, 0.035), UPHOLSTERY, 0.028),
        rounded_box((0, -0.07, s.seat - 0.078), (0.205, 0.215, 0.008), PAD, 0.006),
        rounded_box((0, 0.0, 0), (0.195, 0.026, 0.205), UPHOLSTERY, 0.024).moved(
            (0, 0.196, 0.755), turn("x", -3)
        ),
        rounded_box((0, 0.0, 0), (0.2, 0.007, 0.2), PAD, 0.006).moved((0, 0.228, 0.755), turn("x", -3)),
        cylinder((-0.25, _WHEEL[1], _WHEEL[2]), (0.25, _WHEEL[1], _WHEEL[2]), 0.013, FRAME, 10),
        tube([(-0.19, -0.30, 0.30), (0.19, -0.30, 0.30)], 0.011, FRAME),
        # The power pack that feeds the arm
        rounded_box((0, 0.0, 0.255), (0.16, 0.15, 0.085), PACK, 0.02),
        rounded_box((0, 0.0, 0.30), (0.162, 0.152, 0.008), ACCENT, 0.006),
    ]
    joystick = _joystick(s.armrest)
    half = merge(left)
    return merge([half, half.mirrored(), *middle, *joystick])


def _wheel() -> list[Mesh]:
    x, y, z = _WHEEL
    axis = (1, 0, 0)
    hub = [(0, -0.03), (0.026, -0.03), (0.034, -0.012), (0.034, 0.012), (0.02, 0.034), (0, 0.036)]
    parts = [
        torus(_WHEEL, axis, _WHEEL_RADIUS - 0.015, 0.015, RUBBER, 40, 7),
        torus(_WHEEL, axis, 0.258, 0.009, METAL, 40, 5),
        torus((x + 0.028, y, z), axis, 0.232, 0.0075, METAL, 36, 5),
        lathe(hub, FRAME, 16, axis).moved(_WHEEL),
        lathe([(0.021, 0.0), (0.02, 0.005), (0, 0.006)], ACCENT, 12, axis).moved((x + 0.034, y, z)),
    ]  # fmt: skip
    for k in range(18):  # laced: hub flanges alternate, each spoke leaves its hub at a slant
        angle = 2 * np.pi * k / 18
        lean = angle + (0.45 if k % 2 else -0.45)
        flange = 0.02 if k % 4 < 2 else -0.02
        inner = (x + flange, y + 0.031 * np.cos(lean), z + 0.031 * np.sin(lean))
        rim = (x, y + 0.255 * np.cos(angle), z + 0.255 * np.sin(angle))
        parts.append(tube([inner, rim], 0.0024, METAL, 4, caps=False))
    for k in range(6):  # tabs that hold the push rim
        angle = 2 * np.pi * (k + 0.5) / 6
        c, d = np.cos(angle), np.sin(angle)
        parts.append(
            tube(
                [(x, y + 0.256 * c, z + 0.256 * d), (x + 0.028, y + 0.234 * c, z + 0.234 * d)],
                0.004,
                METAL,
                5,
            )
        )
    return parts


def _castor() -> list[Mesh]:
    x, y, z = _CASTOR
    axis = (1, 0, 0)
    fork = 0.026
    return [
        torus(_CASTOR, axis, _CASTOR_RADIUS - 0.016, 0.016, RUBBER, 24, 7),
        lathe([(0, -0.013), (0.068, -0.010), (0.068, 0.010), (0, 0.013)], METAL, 20, axis).moved(_CASTOR),
        lathe([(0, -0.03), (0.014, -0.03), (0.014, 0.03), (0, 0.03)], FRAME, 10, axis).moved(_CASTOR),
        tube(
            [(x - fork, y, z), (x - fork, y - 0.03, 0.205), (x + fork, y - 0.03, 0.205), (x + fork, y, z)],
            0.007, FRAME, 6, bend=0.02,
        ),
        cylinder((x, y - 0.03, 0.20), (x, y - 0.03, 0.31), 0.014, FRAME, 10, 0.003),
    ]  # fmt: skip


def _side(s: _Setting) -> list[Mesh]:
    """Left half of the frame: rails, back post with push handle, armrest."""
    w, rail, low = _HALF_WIDTH, s.seat - 0.088, 0.30
    arm_x = w + 0.022
    return [
        tube(
            [(w, 0.21, 0.20), (w, 0.21, rail + 0.12), (w, 0.235, 0.965), (w, 0.40, 0.985)],
            0.0125, FRAME, 8, bend=0.06,
        ),
        tube([(w, 0.325, 0.976), (w, 0.405, 0.986)], 0.018, RUBBER, 8),
        tube([(w, 0.21, rail), (w, -0.28, rail), (w - 0.035, -0.345, rail - 0.07)], 0.0125, FRAME, 8, bend=0.06),
        tube([(w, 0.21, low - 0.08), (w, 0.10, low), (w - 0.02, -0.30, low)], 0.0115, FRAME, 8, bend=0.06),
        tube([(w - 0.02, -0.28, low), (w, -0.26, rail)], 0.0115, FRAME, 8),
        tube([(w, _WHEEL[1] - 0.02, rail), (w, _WHEEL[1] - 0.02, 0.24)], 0.0115, FRAME, 8),
        # armrest on two posts, with a low side guard
        rounded_box((arm_x, -0.055, s.armrest - 0.017), (0.033, 0.165, 0.017), PAD, 0.014),
        tube([(arm_x, -0.155, rail), (arm_x, -0.155, s.armrest - 0.045), (arm_x, -0.12, s.armrest - 0.033),
              (arm_x, 0.06, s.armrest - 0.033), (arm_x, 0.095, s.armrest - 0.05), (arm_x, 0.095, rail)],
             0.0095, METAL, 8, bend=0.02),
        rounded_box((arm_x, -0.03, rail + 0.085), (0.004, 0.105, 0.075), UPHOLSTERY, 0.004),
    ]  # fmt: skip


def _leg_rest(s: _Setting) -> list[Mesh]:
    x, y, z = s.foot
    top = (_HALF_WIDTH - 0.035, -0.345, s.seat - 0.158)
    tilt = turn("x", _FOOT_TILT_DEG)
    plate_top = np.array([0.0, 0.0, -0.012])
    heel = np.array([x, y, z]) + tilt @ np.array([0.062, 0.085, -0.012])
    return [
        tube([top, (0.168, -0.40, 0.24), tuple(heel + np.array([0, 0.02, 0.03])), tuple(heel)], 0.011, FRAME, 8, bend=0.05),
        rounded_box((0, 0, 0), (0.072, 0.125, 0.010), PAD, 0.008).moved(np.array([x, y, z]) + tilt @ plate_top, tilt),
        tube([heel + np.array([0.0, 0, 0]), heel - np.array([0.125, 0, 0])], 0.009, FRAME, 6),
    ]  # fmt: skip


def _joystick(armrest: float) -> list[Mesh]:
    x = _HALF_WIDTH + 0.022
    return [
        rounded_box((x, -0.262, armrest - 0.012), (0.026, 0.042, 0.018), PACK, 0.01),
        cylinder((x, -0.272, armrest), (x, -0.274, armrest + 0.034), 0.005, PAD, 8),
        ball((x, -0.274, armrest + 0.038), 0.011, ACCENT, 10, 7),
    ]


@cache
def bracket_mesh(position: tuple[float, float, float], plate: tuple[float, float, float]) -> Mesh:
    """What carries a robot on the chair: out from the right side's rails, under the robot's base at ``position``.

    Args:
        plate: half extents (x, y) of the plate and its shift along y, m.
    """
    x, y, z = position
    w = -_HALF_WIDTH
    shift = plate[2]
    arm = z - 0.035
    parts = [
        rounded_box((x, y + shift, z - 0.008), (*plate[:2], 0.008), FRAME, 0.004),
        lathe([(0, -0.07), (0.03, -0.07), (0.034, -0.05), (0.034, -0.016), (0, -0.016)], PACK, 16).moved((x, y + shift, z)),
        tube([(x, y + shift, arm), (w, y + shift + 0.05, arm), (w, -0.10, arm)], 0.016, ACCENT, 10, bend=0.05),
        tube([(x, y + shift, arm), (x + 0.03, y + shift + 0.02, arm), (w + 0.01, -0.16, 0.30)], 0.011, FRAME, 8, bend=0.03),
        rounded_box((w, -0.13, (arm + 0.30) / 2), (0.014, 0.035, 0.028 + abs(arm - 0.30) / 2), PACK, 0.008),
    ]  # fmt: skip
    return merge(parts)


# --------------------------------------------------------------------------------------------------- collision
def wheelchair_boxes(body: Body = "male") -> tuple[Box, ...]:
    """What a robot must not run into: eleven boxes around the drawn chair."""
    s = _setting(body)
    arm_x = _HALF_WIDTH + 0.022
    half = np.radians(_FOOT_TILT_DEG) / 2
    tilt = (float(np.sin(half)), 0.0, 0.0, float(np.cos(half)))
    boxes = [
        Box("seat", (0.0, -0.075, s.seat - 0.043), (_HALF_WIDTH, 0.235, 0.043)),
        Box("back", (0.0, 0.205, 0.73), (_HALF_WIDTH + 0.01, 0.035, 0.24)),
        Box("pack", (0.0, -0.03, 0.27), (_HALF_WIDTH + 0.01, 0.24, 0.105)),
    ]
    for name, sign in (("left", 1.0), ("right", -1.0)):
        boxes += [
            Box(f"{name}_armrest", (sign * arm_x, -0.055, s.armrest - 0.022), (0.033, 0.165, 0.022)),
            Box(f"{name}_wheel", (sign * (_WHEEL[0] + 0.01), _WHEEL[1], _WHEEL[2]), (0.028, 0.25, 0.25)),
            Box(f"{name}_castor", (sign * _CASTOR[0], _CASTOR[1], 0.11), (0.03, 0.09, 0.11)),
            Box(
                f"{name}_foot_plate",
                (sign * s.foot[0], s.foot[1], s.foot[2] - 0.012),
                (0.075, 0.125, 0.012),
                tilt,
            ),
        ]
    return tuple(boxes)
