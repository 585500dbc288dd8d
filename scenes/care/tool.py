"""Tools a robot holds, as links welded to its hand.

Upstream welds the tool with a 500 N constraint; a fixed joint is the same thing without the constraint to solve.
"""

from __future__ import annotations

from scenes.care.chain import Link, Shape

#: Assistive Gym's scratcher: a 5 cm handle, a 1 cm × 5 cm shaft and a 1 cm tip at 7.5 cm; 3 × 0.1 kg.
SCRATCHER_TIP = (0.075, 0.0, 0.0)


def scratcher(xyz: tuple[float, float, float], rpy: tuple[float, float, float]) -> tuple[Link, Link]:
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
        shapes=(Shape((0.025, 0, 0), SCRATCHER_TIP, 0.01),),
    )  # fmt: skip
    return handle, tool
