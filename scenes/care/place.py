"""Places: where the person is and what stands around them, one table entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scenes.care.arm import Robot
from scenes.care.furniture import Box, bracket_mesh, wheelchair_boxes, wheelchair_mesh
from scenes.care.shapes import Mesh
from scenes.care.size import Body
from scenes.errors import InputError


@dataclass(frozen=True)
class Place:
    """A place for a person, and a robot beside them.

    Attributes:
        name: the key of :attr:`scenes.care.arm.Robot.mounts`.
        posture: of the person, :data:`scenes.care.posture.POSTURES`.
        boxes: body → what a robot must not run into.
        mesh: body → the furniture's look, world coordinates.
        mount_mesh: robot → what its base stands on, world coordinates.
    """

    name: str
    posture: str
    boxes: Callable[[Body], tuple[Box, ...]]
    mesh: Callable[[Body], Mesh]
    mount_mesh: Callable[[Robot], Mesh]


PLACES: dict[str, Place] = {
    "wheelchair": Place(
        "wheelchair",
        "seated",
        wheelchair_boxes,
        wheelchair_mesh,
        lambda robot: bracket_mesh(robot.mounts["wheelchair"].position, robot.plate),
    ),
}


def find_place(name: str) -> Place:
    if name not in PLACES:
        raise InputError("place", name, "one of " + ", ".join(PLACES))
    return PLACES[name]
