"""The scratcher: Assistive Gym's, a handle, a shaft and a rubber tip."""

from __future__ import annotations

from functools import cache

from scenes.care.chain import Link, Shape
from scenes.care.shapes import Mesh, ball, lathe, merge
from scenes.care.tools.tool import Tool

#: Assistive Gym's scratcher: a 5 cm handle, a 1 cm × 5 cm shaft and a 1 cm tip at 7.5 cm; 3 × 0.1 kg.
_TIP = (0.075, 0.0, 0.0)


def _links(xyz: tuple[float, float, float], rpy: tuple[float, float, float]) -> tuple[Link, Link]:
    """Two links: ``handle``, and ``tool`` (shaft and tip, which together are exactly one capsule).

    Args:
        xyz, rpy: pose of the handle in the hand's frame; the tip points along the handle's +x.
    """
    cube = 0.1 * 0.05**2 / 6
    rod = 0.2 * 0.07**2 / 12
    handle = Link(
        "handle", xyz, rpy, axis=None, mass=0.1, inertia=(cube, cube, cube),
        shapes=(Shape((0, 0, 0), (0, 0, 0), box=(0.05, 0.05, 0.05)),),
    )  # fmt: skip
    tool = Link(
        "tool", (0, 0, 0), axis=None, mass=0.2, com=(0.0625, 0, 0), inertia=(1e-5, rod, rod),
        shapes=(Shape((0.025, 0, 0), _TIP, 0.01),),
    )  # fmt: skip
    return handle, tool


@cache
def _mesh() -> Mesh:
    """The scratcher along +x: a turned handle, a shaft, a rubber tip with ridges; inside the contact shapes."""
    handle, shaft, rubber = (206, 142, 70), (190, 195, 201), (226, 92, 72)
    knob = [(0.0, -0.025), (0.013, -0.025), (0.0185, -0.021), (0.0205, -0.013), (0.0190, -0.003), (0.0190, 0.004),
            (0.0205, 0.012), (0.0185, 0.019), (0.013, 0.0235), (0.0085, 0.025), (0.0, 0.025)]  # fmt: skip
    rod = [(0.0, 0.024), (0.0075, 0.024), (0.0065, 0.030), (0.0065, 0.060), (0.0, 0.060)]
    collar = [(0.0, 0.058), (0.0078, 0.058), (0.0088, 0.061), (0.0070, 0.067), (0.0, 0.067)]
    axis = (1, 0, 0)
    return merge(
        [
            lathe(knob, handle, 20, axis, crease_deg=50),
            lathe(rod, shaft, 14, axis, crease_deg=30),
            lathe(collar, handle, 16, axis, crease_deg=50),
            ball((0.075, 0, 0), 0.0098, rubber, 16, 11),
        ]
    )


SCRATCHER = Tool("scratcher", _links, _TIP, _mesh)
