"""Places: where the person is and what stands around them, one table entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scenes.care.bed import bed_boxes, bed_mesh, cabinet_boxes, cabinet_mesh
from scenes.care.furniture import Box, bracket_mesh, wheelchair_boxes, wheelchair_mesh
from scenes.care.robots.robot import Robot
from scenes.care.shapes import Mesh
from scenes.care.size import Body
from scenes.care.stand import pedestal_boxes, pedestal_mesh
from scenes.errors import InputError


@dataclass(frozen=True)
class Place:
    """A place for a person, and a robot beside them.

    Attributes:
        name: the key of :attr:`scenes.care.robots.robot.Robot.mounts`.
        posture: of the person, :data:`scenes.care.posture.POSTURES`.
        boxes: body → what a robot must not run into.
        mesh: body → the furniture's look, world coordinates.
        mount_mesh: robot → what its base stands on, world coordinates.
        mount_boxes: robot → that, as boxes.
    """

    name: str
    posture: str
    boxes: Callable[[Body], tuple[Box, ...]]
    mesh: Callable[[Body], Mesh]
    mount_mesh: Callable[[Robot], Mesh]
    mount_boxes: Callable[[Robot], tuple[Box, ...]] = lambda robot: ()

    def stand_mesh(self, robot: Robot) -> Mesh | None:
        """What a robot stands on here: what the place gives, a pedestal, or nothing but the floor."""
        mount = robot.mounts[self.name]
        if mount.stand == "place":
            return self.mount_mesh(robot)
        return pedestal_mesh(mount.position, robot.plate) if mount.stand == "pedestal" else None

    def stand_boxes(self, robot: Robot) -> tuple[Box, ...]:
        """That, as boxes to bump into."""
        mount = robot.mounts[self.name]
        if mount.stand == "place":
            return self.mount_boxes(robot)
        return pedestal_boxes(mount.position, robot.plate) if mount.stand == "pedestal" else ()


def _beside_bed(name: str) -> Place:
    """A bed, with the robot on a cabinet beside it."""
    return Place(
        name,
        "lying",
        lambda body: bed_boxes(),
        lambda body: bed_mesh(),
        lambda robot: cabinet_mesh(robot.mounts[name].position, robot.plate),
        lambda robot: cabinet_boxes(robot.mounts[name].position, robot.plate),
    )


def _in_wheelchair(name: str) -> Place:
    """A wheelchair, with the robot on a bracket of its frame."""
    return Place(
        name,
        "seated",
        wheelchair_boxes,
        wheelchair_mesh,
        lambda robot: bracket_mesh(robot.mounts[name].position, robot.plate),
    )


#: Places of one kind differ in where the robot stands: ``wheelchair`` at the person's right arm, ``wheelchair_face`` where
#: it reaches the mouth from all sides; ``bed`` at their elbow, ``bed_head`` at their shoulder.
PLACES: dict[str, Place] = {
    "wheelchair": _in_wheelchair("wheelchair"),
    "wheelchair_face": _in_wheelchair("wheelchair_face"),
    "bed": _beside_bed("bed"),
    "bed_head": _beside_bed("bed_head"),
}


def find_place(name: str) -> Place:
    if name not in PLACES:
        raise InputError("place", name, "one of " + ", ".join(PLACES))
    return PLACES[name]
