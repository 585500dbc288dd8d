"""The robots: one file and one table entry each. Adding a robot is a file here and, for its look, a bake.

A robot's own links do not collide with each other (no start pose or policy of ours brings them close); with what of
it stands still, its ``body``, the outer ones do.
"""

from __future__ import annotations

from scenes.care.robots import baxter, jaco, jaco7, panda, pr2, sawyer, stretch, ur5, xarm7
from scenes.care.robots.robot import Robot
from scenes.errors import InputError

ROBOTS: dict[str, Robot] = {
    "jaco": jaco.ROBOT,
    "panda": panda.ROBOT,
    "jaco7": jaco7.ROBOT,
    "xarm7": xarm7.ROBOT,
    "ur5": ur5.ROBOT,
    "sawyer": sawyer.ROBOT,
    "stretch": stretch.ROBOT,
    "baxter": baxter.ROBOT,
    "pr2": pr2.ROBOT,
}


def find_robot(name: str) -> Robot:
    if name not in ROBOTS:
        raise InputError("robot", name, "one of " + ", ".join(ROBOTS))
    return ROBOTS[name]


def robots_at(place: str) -> tuple[str, ...]:
    """Names of the robots that have a mount at a place."""
    return tuple(name for name, robot in ROBOTS.items() if place in robot.mounts)
