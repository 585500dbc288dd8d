"""What a robot is: an arm, where it can be mounted, how it holds a tool, where its description comes from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from scenes.care.chain import (
    Chain,
    Link,
    Shape,
    Vector,
    matrix_from_quaternion,
    matrix_from_rpy,
    quaternion_from_matrix,
)
from scenes.care.furniture import Box
from scenes.care.tools.tool import Tool


@dataclass(frozen=True)
class Mount:
    """Where a robot's base stands: position in the world (m), turned by ``yaw_deg`` about z.

    Attributes:
        stand: what carries it: ``place`` (the wheelchair's bracket, the bed's cabinet), ``pedestal`` (a column of its
            own) or ``floor`` (nothing: it brings its own base).
        start: joint angles near the start pose here, where the robot's own are not.
    """

    position: tuple[float, float, float]
    yaw_deg: float = -90.0
    stand: str = "place"
    start: tuple[float, ...] | None = None

    @property
    def pose(self) -> np.ndarray:
        """(4, 4) in the world."""
        pose = np.eye(4)
        pose[:3, :3] = matrix_from_rpy((0, 0, math.radians(self.yaw_deg)))
        pose[:3, 3] = self.position
        return pose


@dataclass(frozen=True)
class Source:
    """Where a robot's numbers and meshes were read from, by ``scenes/care/assets/bake``.

    Attributes:
        package: as on PyPI, with the version that was read.
        description: the maker's own package in it.
        licence: of the description.
        text: file under ``scenes/care/assets`` with the licence's text.
    """

    package: str
    description: str
    licence: str
    text: str


@dataclass(frozen=True)
class Robot:
    """A robot, as it is mounted in each place.

    Attributes:
        label: name for people.
        links: arm links from the base outwards, without a tool.
        grip_xyz, grip_rpy: pose of a tool's handle in the last link's frame.
        mounts: place (:mod:`scenes.care.place`) → where the base stands.
        start: joint positions near a start pose, rad or m (a seed for inverse kinematics).
        seeds: further such seeds, for scenes that start elsewhere.
        base_link: the link that stands on the mount, as the look's file names it; it never moves.
        plate: half extents (x, y) of the mount's plate and its shift along y, m.
        source: where the numbers and the look come from.
        torque: joint torque limit of the ``responsive`` controller, N·m.
        lever_m: a prismatic joint moves this far (m) where an action would turn a revolute one by one radian.
        force_n: and is driven with so many N per N·m of torque limit, since it moves whole mechanisms.
        body: boxes in the base's frame: what of the robot never moves and is in the way (a torso, a second arm).
        inside: so many of the first links move inside ``body`` and do not collide with it.
    """

    label: str
    links: tuple[Link, ...]
    grip_xyz: tuple[float, float, float]
    grip_rpy: tuple[float, float, float]
    mounts: dict[str, Mount]
    start: tuple[float, ...]
    base_link: str
    plate: tuple[float, float, float]
    source: Source
    torque: float = 4.0
    seeds: tuple[tuple[float, ...], ...] = ()
    lever_m: float = 0.2
    force_n: float = 60.0
    body: tuple[Box, ...] = ()
    inside: int = 2
    levers: np.ndarray = field(init=False, compare=False, repr=False)
    strengths: np.ndarray = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Per joint (n,): ``levers``, m or rad per rad of action; ``strengths``, N or N·m per N·m of torque limit."""
        slides = np.array([link.slides for link in self.links if link.axis is not None])
        for name, value in (("levers", self.lever_m), ("strengths", self.force_n)):
            per_joint = np.where(slides, value, 1.0)
            per_joint.flags.writeable = False
            object.__setattr__(self, name, per_joint)

    def chain(self, name: str, tool: Tool) -> Chain:
        """The arm with a tool in its hand."""
        return Chain(name, (*self.links, *tool.links(self.grip_xyz, self.grip_rpy)))

    def still_boxes(self, place: str) -> tuple[Box, ...]:
        """:attr:`body` in world coordinates, as the robot stands at a place."""
        mount = self.mounts[place]
        boxes = []
        for box in self.body:
            centre = mount.pose[:3, :3] @ box.centre + mount.pose[:3, 3]
            turned = quaternion_from_matrix(
                mount.pose[:3, :3] @ matrix_from_quaternion(np.array(box.quaternion))
            )
            boxes.append(
                Box(
                    box.name, (float(centre[0]), float(centre[1]), float(centre[2])), box.half_extents, turned
                )
            )
        return tuple(boxes)

    @property
    def n_joints(self) -> int:
        return len(self.levers)


def link(
    name: str, xyz: Vector, rpy: Vector, axis: Vector, low: float, high: float, mass: float, com: Vector, inertia: Vector,
    *capsules: tuple[Vector, Vector, float], slides: bool = False,
) -> Link:  # fmt: skip
    """A row of a robot's table: joint origin (m, rad), axis and limits, mass, centre, moments, capsules (a, b, radius).

    Products of inertia are dropped; Bullet takes principal moments along the link's axes.
    """
    return Link(
        name, xyz, rpy, axis, low, high, mass, com, inertia, tuple(Shape(*c) for c in capsules), slides=slides
    )


def on_chair(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Assistive Gym's mounting offsets (m) count from the wheelchair's origin, (0, 0, 0.06)."""
    return x, y, round(z + 0.06, 9)
