"""The cup: a nosey cup, held from the side, with room for sixty-four drops of 1 cm.

The rim of a nosey cup is cut out where the nose would be, so that one drinks from it without leaning the head back: it is
the cup of people who cannot. What meets the face is only what the cut leaves; what holds the drops goes all the way round.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from scenes.care.chain import Link, Shape
from scenes.care.shapes import Mesh, ball, lathe, merge, torus
from scenes.care.tools.tool import Tool

#: Upstream's cup is 12.5 cm high and 10 cm wide; this one is as high as a beaker for drinking.
HEIGHT = 0.10
#: Radius inside the wall, m.
RADIUS = 0.034
#: How far down the cut for the nose reaches, m.
CUT = 0.035
#: Where the cut is, about the cup's axis from its +x; drops leave opposite.
CUT_AT = math.radians(290.0)
_WALL_R = 0.0115
_N_WALL = 12
#: The middle of the cup from the hand.
_REACH = 0.075
#: Centre of the opening, where the ``tool`` frame is: x away from the hand, z out of the cup.
_TIP = (0.0, 0.0, 0.0)


def _links(xyz: tuple[float, float, float], rpy: tuple[float, float, float]) -> tuple[Link, Link]:
    """Two links, one shape each: ``handle``, and ``tool``, the cup's outside.

    Args:
        xyz, rpy: pose of the handle in the hand's frame; the cup stands at its +x and opens along its +z.
    """
    handle = Link(
        "handle", xyz, rpy, axis=None, mass=0.05, inertia=(2e-5, 2e-5, 2e-5),
        shapes=(Shape((0.005, 0, 0), (0, 0, 0), box=(0.03, 0.03, 0.03)),),
    )  # fmt: skip
    edge = 1.9 * RADIUS
    tool = Link(
        "tool", (_REACH, 0, HEIGHT / 2), axis=None, mass=0.1, com=(0, 0, -HEIGHT / 2), inertia=(2e-4, 2e-4, 2e-4),
        shapes=(Shape((0, 0, -(HEIGHT + CUT) / 2), (0, 0, 0), box=(edge, edge, HEIGHT - CUT)),),
    )  # fmt: skip
    return handle, tool


def _vessel() -> tuple[Shape, ...]:
    """A palisade of upright capsules that touch one another, and a floor: both thicker than a drop moves in a substep."""
    ring, bottom = RADIUS + 0.0095, -HEIGHT
    turns = 2 * math.pi * np.arange(_N_WALL) / _N_WALL
    feet = [(ring * math.cos(t), ring * math.sin(t)) for t in turns]
    floor = Shape((0, 0, bottom - 0.01), (0, 0, 0), box=(2 * ring, 2 * ring, 0.02))
    return floor, *(Shape((x, y, bottom), (x, y, -_WALL_R), _WALL_R) for x, y in feet)


@cache
def _mesh() -> Mesh:
    """A two-coloured beaker with a lip, a cut for the nose, a foot and a band, and the pad by which it is held."""
    body, band, dark = (238, 236, 229), (74, 140, 176), (58, 70, 82)
    r, h = RADIUS, HEIGHT
    shell = [(0.0, -h - 0.004), (r - 0.001, -h - 0.004), (r + 0.003, -h + 0.001), (r + 0.0035, -0.006), (r + 0.005, -0.001),
             (r + 0.003, 0.001), (r + 0.0005, -0.003), (r, -h), (0.0, -h)]  # fmt: skip
    ring = [(r + 0.002, -0.066), (r + 0.0044, -0.066), (r + 0.0046, -0.030), (r + 0.003, -0.030)]
    pad = ball((-r - 0.014, 0, -h / 2), (0.018, 0.015, 0.02), dark, 18, 11)
    grip = torus((0, 0, -h / 2), (0, 0, 1), r + 0.004, 0.0035, dark, 36, 8)
    turned = merge([lathe(shell, body, 48, crease_deg=50), lathe(ring, band, 48, crease_deg=30)])
    return merge([_cut_out(turned), grip, pad])


def _cut_out(mesh: Mesh) -> Mesh:
    """The mesh with its rim lowered to the cut."""
    x, y, z = mesh.vertices.T
    facing = np.clip((np.cos(np.arctan2(y, x) - CUT_AT) + 0.1) / 0.9, 0.0, 1.0)
    depth = CUT * facing * facing * (3 - 2 * facing)
    # What stood above the cut keeps a little of its height, so that the lip stays round.
    lowered = np.where(z > -depth - 0.006, np.minimum(z, -depth + np.clip(z, -0.006, 0.001)), z)
    vertices = np.column_stack([x, y, lowered]).astype(np.float32)
    return Mesh(vertices, mesh.normals, mesh.colors, mesh.faces)


CUP = Tool("cup", _links, _TIP, _mesh, _vessel())
