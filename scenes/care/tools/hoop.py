"""The hoop that holds a sleeve open: a ring on a stem, the arm goes through it.

It stands in for the two fingers with which a dresser spreads the opening of a sleeve; the sleeve's first ring of points is
sewn to it (:mod:`scenes.care.sleeve`).
"""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np

from scenes.care.chain import Link, Shape, Vector
from scenes.care.shapes import Mesh, lathe, merge, torus
from scenes.care.tools.tool import Tool

RADIUS_M = 0.09
WIRE_M = 0.006
#: Length of the stem between handle and ring, m.
_STEM = 0.015
#: The ring's centre; its axis is the tool's z, towards which it is drawn over the arm.
CENTRE: Vector = (0.025 + _STEM + RADIUS_M, 0.0, 0.0)
#: Straight pieces that make up the ring for contacts.
_PIECES = 10


def _links(xyz: Vector, rpy: Vector) -> tuple[Link, Link]:
    cube = 0.1 * 0.05**2 / 6
    handle = Link(
        "handle", xyz, rpy, axis=None, mass=0.1, inertia=(cube, cube, cube),
        shapes=(Shape((0, 0, 0), (0, 0, 0), box=(0.05, 0.05, 0.05)),),
    )  # fmt: skip
    angles = math.pi + 2 * math.pi * np.arange(_PIECES + 1) / _PIECES
    corners = [(CENTRE[0] + RADIUS_M * math.cos(a), RADIUS_M * math.sin(a), 0.0) for a in angles]
    ring = tuple(Shape(a, b, WIRE_M) for a, b in pairwise(corners))
    across = 0.1 * RADIUS_M**2 / 2
    tool = Link(
        "tool", (0, 0, 0), axis=None, mass=0.1, com=CENTRE, inertia=(across, across, 2 * across),
        shapes=(Shape((0.025, 0, 0), corners[0], WIRE_M), *ring),
    )  # fmt: skip
    return handle, tool


@cache
def _mesh() -> Mesh:
    handle, steel = (206, 142, 70), (198, 203, 209)
    knob = [(0.0, -0.025), (0.013, -0.025), (0.0185, -0.021), (0.0205, -0.013), (0.0190, -0.003), (0.0190, 0.004),
            (0.0205, 0.012), (0.0185, 0.019), (0.013, 0.0235), (0.0085, 0.025), (0.0, 0.025)]  # fmt: skip
    end = 0.025 + _STEM + 0.002
    stem = [(0.0, 0.02), (0.0065, 0.02), (0.0050, 0.032), (0.0050, end), (0.0, end)]
    return merge([
        lathe(knob, handle, 20, (1, 0, 0), crease_deg=50),
        lathe(stem, steel, 14, (1, 0, 0), crease_deg=30),
        torus(CENTRE, (0, 0, 1), RADIUS_M, WIRE_M - 0.001, steel, 48, 8),
    ])  # fmt: skip


HOOP = Tool("hoop", _links, CENTRE, _mesh)
