"""The scoop: a padded half pipe across the end of a stem, in which a limb lies while it is lifted.

Assistive Gym's is a blade of 8 × 11 cm, curved up to a handle 14 cm away, of 1 kg, given as a mesh. Ours has its size,
weight and reach, and a lip at the far end as well, so that the limb is held when it is pulled, not only when pushed.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from scenes.care.chain import Link, Shape, Vector
from scenes.care.shapes import Mesh, ball, cylinder, lathe, merge, rounded_box, tube, turn
from scenes.care.tools.tool import Tool

#: Axis of the half pipe, along y, in front of the hand; half its length; its inner radius, m.
_AXIS = 0.14
_HALF_LENGTH = 0.055
_RADIUS = 0.05
_LIP = 0.012


def _links(xyz: Vector, rpy: Vector) -> tuple[Link, Link]:
    """``handle``, and ``tool``: stem, floor and two lips."""
    handle = Link(
        "handle", xyz, rpy, axis=None, mass=0.2, inertia=(5.3e-5, 5.3e-5, 5.3e-5),
        shapes=(Shape((0, 0, 0), (0, 0, 0), box=(0.04, 0.04, 0.04)),),
    )  # fmt: skip
    near, far, y = _AXIS - _RADIUS - _LIP, _AXIS + _RADIUS + _LIP, _HALF_LENGTH - _LIP
    shapes = (
        Shape((0.02, 0, 0), (near, 0, 0), _LIP),
        Shape((near, -y, 0), (near, y, 0), _LIP),
        Shape((far, -y, -0.005), (far, y, -0.005), _LIP),
        Shape((_AXIS, 0, -_RADIUS - 0.006), (0, 0, 0), box=(1.7 * _RADIUS, 2 * _HALF_LENGTH, 0.012)),
    )
    tool = Link(
        "tool", (0, 0, 0), axis=None, mass=0.8, com=(0.12, 0, -0.02), inertia=(1.5e-3, 2.5e-3, 3.0e-3), shapes=shapes
    )  # fmt: skip
    return handle, tool


@cache
def _mesh() -> Mesh:
    shell, pad, grip, metal = (74, 128, 146), (232, 224, 206), (62, 66, 74), (190, 195, 201)
    parts = [
        lathe([(0.0, -0.022), (0.014, -0.022), (0.019, -0.015), (0.019, 0.015), (0.014, 0.022), (0.0, 0.022)],
              grip, 20, (1, 0, 0), crease_deg=50),
        tube([(0.02, 0, 0), (0.05, 0, -0.002), (_AXIS - _RADIUS - 0.006, 0, -0.012)], 0.010, metal, 12, bend=0.02),
        ball((_AXIS - _RADIUS - 0.006, 0, -0.012), (0.012, 0.020, 0.016), shell, 14, 9),
    ]  # fmt: skip
    first, last, count = math.radians(172), math.radians(366), 11
    for k in range(count):
        angle = first + (last - first) * (k + 0.5) / count
        width = _RADIUS * (last - first) / count / 2 * 1.12
        lean = turn("y", 270 - math.degrees(angle))
        outwards = np.array([math.cos(angle), 0.0, math.sin(angle)])
        centre = np.array([_AXIS, 0.0, 0.0])
        parts += [
            rounded_box((0, 0, 0), (width, _HALF_LENGTH, 0.0032), shell, 0.002).moved(
                centre + (_RADIUS + 0.0085) * outwards, lean
            ),
            rounded_box((0, 0, 0), (width, _HALF_LENGTH - 0.003, 0.0035), pad, 0.002).moved(
                centre + (_RADIUS + 0.0020) * outwards, lean
            ),
        ]
    for angle in (first, last):  # rolled edges
        x, z = _AXIS + (_RADIUS + 0.006) * math.cos(angle), (_RADIUS + 0.006) * math.sin(angle)
        parts.append(cylinder((x, -_HALF_LENGTH, z), (x, _HALF_LENGTH, z), 0.0085, pad, 12, 0.003))
    return merge(parts)


SCOOP = Tool("scoop", _links, (_AXIS, 0.0, 0.0), _mesh)
