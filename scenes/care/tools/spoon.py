"""The spoon: a serving spoon whose bowl holds eight pieces of food of 1 cm, held by its handle."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import numpy as np

from scenes.care.chain import Link, Shape
from scenes.care.shapes import Color, Mesh, lathe, merge, tube
from scenes.care.tools.tool import Tool

#: Centre of the bowl's opening. Upstream's spoon reaches about as far beyond the hand.
_TIP = (0.145, 0.0, 0.0)
#: Semi-axes of the rim's centre line (m), thickness of the rim, and how deep the floor lies under the opening.
_RIM = (0.0225, 0.0195)
_RIM_R = 0.004
_FLOOR = -0.007
_N_RIM = 12


def _rim_point(turn: float) -> tuple[float, float, float]:
    return _TIP[0] + _RIM[0] * math.cos(turn), _RIM[1] * math.sin(turn), 0.0


def _links(xyz: tuple[float, float, float], rpy: tuple[float, float, float]) -> tuple[Link, ...]:
    """Three links, one shape each: ``handle``, ``neck`` and ``tool`` (the bowl).

    Args:
        xyz, rpy: pose of the handle in the hand's frame; the bowl lies along the handle's +x and opens along +z.
    """
    handle = Link(
        "handle", xyz, rpy, axis=None, mass=0.04, inertia=(1e-5, 2e-5, 2e-5),
        shapes=(Shape((0, 0, 0), (0, 0, 0), box=(0.09, 0.022, 0.022)),),
    )  # fmt: skip
    neck = Link(
        "neck", (0, 0, 0), axis=None, mass=0.02, com=(0.08, 0, 0), inertia=(1e-6, 1e-5, 1e-5),
        shapes=(Shape((0.05, 0, 0.002), (_TIP[0] - _RIM[0], 0, 0.002), _RIM_R),),
    )  # fmt: skip
    bowl = Shape((_TIP[0], 0, -0.0055), (0, 0, 0), box=(2 * _RIM[0], 1.8 * _RIM[1], 0.014))
    tool = Link(
        "tool", (0, 0, 0), axis=None, mass=0.04, com=_TIP, inertia=(5e-6, 5e-6, 1e-5), shapes=(bowl,)
    )  # fmt: skip
    return handle, neck, tool


def _vessel() -> tuple[Shape, ...]:
    """A floor, thicker than anything falls in a substep, and a rim of capsules that keeps the food in."""
    rim = [_rim_point(turn) for turn in 2 * math.pi * np.arange(_N_RIM + 1) / _N_RIM]
    floor = Shape((_TIP[0], 0, _FLOOR - 0.006), (0, 0, 0), box=(2 * _RIM[0], 2 * _RIM[1], 0.012))
    return floor, *(Shape(a, b, _RIM_R) for a, b in pairwise(rim))


def _bowl(color: Color, rows: int = 9, columns: int = 28) -> Mesh:
    """A shell: half of an ellipsoid flattened at the bottom, its outside and its inside, closed by a rounded rim."""
    # (radius as a share of the semi-axes, height): outside from the bottom up, over the lip, inside down again.
    outer = [(math.sin(a), -0.0125 * math.cos(a) ** 0.8) for a in np.linspace(0, math.pi / 2, rows)]
    profile = [(1.12 * r, z) for r, z in outer] + [(1.10, 0.0016), (1.02, 0.0016)]
    profile += [(0.99 * r, 0.0004 + 0.85 * z) for r, z in outer[::-1]]
    unit = lathe(profile, color, columns, crease_deg=75)
    scale = np.array([_RIM[0], _RIM[1], 1.0], np.float32)
    normals = unit.normals / scale / np.linalg.norm(unit.normals / scale, axis=1, keepdims=True)
    return Mesh(unit.vertices * scale, normals.astype(np.float32), unit.colors, unit.faces).moved(_TIP)


@cache
def _mesh() -> Mesh:
    """A steel bowl and neck, and a thick soft handle as on cutlery for weak hands."""
    steel, grip, ring = (201, 206, 213), (52, 92, 120), (226, 132, 72)
    axis = (1, 0, 0)
    handle = [(0.0, -0.060), (0.008, -0.060), (0.0125, -0.055), (0.0135, -0.040), (0.0115, -0.010),
              (0.0115, 0.012), (0.0125, 0.030), (0.0105, 0.046), (0.0060, 0.050), (0.0, 0.050)]  # fmt: skip
    collar = [(0.0, 0.049), (0.0062, 0.049), (0.0072, 0.052), (0.0058, 0.057), (0.0, 0.057)]
    near = _TIP[0] - 1.05 * _RIM[0]
    neck = tube(
        [(0.05, 0, 0), (0.085, 0, 0.0045), (near - 0.012, 0, 0.0035), (near, 0, -0.001)],
        0.0032,
        steel,
        10,
        0.02,
    )
    return merge([lathe(handle, grip, 20, axis, 50), lathe(collar, ring, 16, axis, 50), neck, _bowl(steel)])


SPOON = Tool("spoon", _links, _TIP, _mesh, _vessel())
