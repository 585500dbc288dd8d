"""Robot descriptions, URDF or MJCF, folded onto the joints of one arm.

A description is read as bodies, each carried by its parent. Everything between two joints of the arm (fixed joints,
fingers, a head, a second arm held still) is folded into the body that carries it.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scenes.care.chain import matrix_from_quaternion, matrix_from_rpy


@dataclass
class Visual:
    """A mesh file, its pose (4, 4; a scale may be in it) in its body's frame, and its colour if the file has none."""

    path: Path
    pose: np.ndarray
    color: tuple[int, int, int] | None = None


@dataclass
class Body:
    """A body and the joint that carries it: ``kind`` is ``fixed``, ``revolute`` or ``prismatic``; inertia about com."""

    parent: str | None
    origin: np.ndarray
    joint: str = ""
    kind: str = "fixed"
    axis: np.ndarray = field(default_factory=lambda: np.array([0.0, 0.0, 1.0]))
    limits: tuple[float, float] = (-2 * math.pi, 2 * math.pi)
    mass: float = 0.0
    com: np.ndarray = field(default_factory=lambda: np.zeros(3))
    inertia: np.ndarray = field(default_factory=lambda: np.zeros((3, 3)))
    visuals: list[Visual] = field(default_factory=list)


Description = dict[str, Body]


def pose_of(xyz: Sequence[float] = (0, 0, 0), rotation: np.ndarray | None = None) -> np.ndarray:
    pose = np.eye(4)
    pose[:3, 3] = xyz
    if rotation is not None:
        pose[:3, :3] = rotation
    return pose


def _numbers(text: str | None, default: str) -> list[float]:
    return [float(v) for v in (text or default).split()]


def read_urdf(path: Path, resolve: Callable[[str], Path]) -> Description:
    """The bodies of a URDF file; ``resolve`` turns a mesh's name into a path."""
    root = ElementTree.parse(path).getroot()

    def origin(element: ElementTree.Element | None) -> np.ndarray:
        if element is None:
            return np.eye(4)
        r, p, y = _numbers(element.get("rpy"), "0 0 0")
        return pose_of(_numbers(element.get("xyz"), "0 0 0"), matrix_from_rpy((r, p, y)))

    colors = {
        str(m.get("name")): m.find("color").get("rgba")  # type: ignore[union-attr]
        for m in root.iter("material")
        if m.find("color") is not None
    }
    bodies: Description = {}
    for link in root.findall("link"):
        body = Body(None, np.eye(4))
        inertial = link.find("inertial")
        if inertial is not None:
            pose = origin(inertial.find("origin"))
            body.mass = float(inertial.find("mass").get("value", "0"))  # type: ignore[union-attr]
            i = {k: float(v) for k, v in inertial.find("inertia").attrib.items()}  # type: ignore[union-attr]
            tensor = np.array([
                [i["ixx"], i["ixy"], i["ixz"]], [i["ixy"], i["iyy"], i["iyz"]], [i["ixz"], i["iyz"], i["izz"]],
            ])  # fmt: skip
            body.com, body.inertia = pose[:3, 3], pose[:3, :3] @ tensor @ pose[:3, :3].T
        for visual in link.findall("visual"):
            mesh = visual.find("geometry/mesh")
            if mesh is None:
                continue
            scale = np.diag([*_numbers(mesh.get("scale"), "1 1 1"), 1.0])
            material = visual.find("material")
            rgba = None if material is None else colors.get(str(material.get("name")))
            body.visuals.append(
                Visual(
                    resolve(str(mesh.get("filename"))),
                    origin(visual.find("origin")) @ scale,
                    None if rgba is None else _rgb(rgba),
                )
            )
        bodies[str(link.get("name"))] = body
    for joint in root.findall("joint"):
        body = bodies[joint.find("child").get("link")]  # type: ignore[union-attr,index]
        body.parent = joint.find("parent").get("link")  # type: ignore[union-attr]
        body.origin, body.joint = origin(joint.find("origin")), str(joint.get("name"))
        kind = str(joint.get("type"))
        body.kind = "revolute" if kind == "continuous" else kind
        axis, limit = joint.find("axis"), joint.find("limit")
        if body.kind != "fixed" and axis is not None:
            body.axis = np.array(_numbers(axis.get("xyz"), "1 0 0"))
        if kind != "continuous" and limit is not None:
            body.limits = (float(limit.get("lower", "0")), float(limit.get("upper", "0")))
    return bodies


def read_mjcf(path: Path) -> Description:
    """The bodies of an MJCF file as robosuite writes them: hinges with limits, meshes in group 1."""
    root = ElementTree.parse(path).getroot()
    meshes = {str(m.get("name")): path.parent / str(m.get("file")) for m in root.findall("asset/mesh")}
    colors = {str(m.get("name")): m.get("rgba", "0.5 0.5 0.5 1") for m in root.findall("asset/material")}

    def pose(element: ElementTree.Element) -> np.ndarray:
        w, x, y, z = _numbers(element.get("quat"), "1 0 0 0")
        q = np.array([x, y, z, w]) / math.sqrt(w * w + x * x + y * y + z * z)
        return pose_of(_numbers(element.get("pos"), "0 0 0"), matrix_from_quaternion(q))

    bodies: Description = {}

    def visit(element: ElementTree.Element, parent: str | None) -> None:
        body = Body(parent, pose(element))
        name = str(element.get("name"))
        inertial, joint = element.find("inertial"), element.find("joint")
        if inertial is not None:
            at = pose(inertial)
            body.mass, body.com = float(inertial.get("mass", "0")), at[:3, 3]
            principal = np.diag(_numbers(inertial.get("diaginertia"), "0 0 0"))
            body.inertia = at[:3, :3] @ principal @ at[:3, :3].T
        if joint is not None:
            body.joint, body.kind = str(joint.get("name")), "revolute"
            body.axis = np.array(_numbers(joint.get("axis"), "0 0 1"))
            low, high = _numbers(joint.get("range"), "-6.2832 6.2832")
            body.limits = (low, high)
        for geom in element.findall("geom"):
            if geom.get("mesh") and geom.get("group") == "1":
                color = _rgb(colors.get(str(geom.get("material")), "0.5 0.5 0.5 1"))
                body.visuals.append(Visual(meshes[str(geom.get("mesh"))], pose(geom), color))
        bodies[name] = body
        for child in element.findall("body"):
            visit(child, name)

    for element in root.findall("worldbody/body"):
        visit(element, None)
    return bodies


def _rgb(rgba: str) -> tuple[int, int, int]:
    r, g, b = (round(255 * float(v)) for v in rgba.split()[:3])
    return r, g, b


@dataclass
class Folded:
    """A link of the arm, or its base (``body`` is None then), with all that it carries.

    Attributes:
        origin: (4, 4) of its joint, in the frame of the link before.
        mass, com, inertia: of all its bodies together, in its own frame, kg, m, kg·m² about com.
        parts: (name of the body, its pose in this frame, the body).
    """

    name: str
    body: Body | None
    origin: np.ndarray
    mass: float
    com: np.ndarray
    inertia: np.ndarray
    parts: list[tuple[str, np.ndarray, Body]]

    def visuals(self) -> Iterator[tuple[str, Visual, np.ndarray]]:
        for name, pose, body in self.parts:
            for visual in body.visuals:
                yield name, visual, pose @ visual.pose


def fold(
    description: Description,
    joints: Sequence[str],
    still: dict[str, float] | None = None,
    without: Sequence[str] = (),
) -> list[Folded]:
    """The base and one link per joint of ``joints``; other joints stand at ``still`` (rad or m; default 0).

    Args:
        without: prefixes of bodies that are not drawn.
    """
    still = still or {}
    carriers: list[str | None] = [
        None,
        *(next(n for n, b in description.items() if b.joint == j) for j in joints),
    ]

    def place(name: str) -> tuple[str | None, np.ndarray]:
        """The carrier of a body, and its pose there."""
        pose = np.eye(4)
        here: str | None = name
        while here is not None and here not in carriers[1:]:
            body = description[here]
            step = np.eye(4)
            value = still.get(body.joint, 0.0)
            if value and body.kind == "prismatic":
                step[:3, 3] = value * body.axis
            elif value:
                step[:3, :3] = about(body.axis, value)
            pose = body.origin @ step @ pose
            here = body.parent
        return here, pose

    links = []
    for carrier in carriers:
        parts = []
        for name, body in description.items():
            if name.startswith(tuple(without)):
                body.visuals = []
            owner, pose = place(name)
            if owner == carrier:
                parts.append((name, pose, body))
        moving = None if carrier is None else description[carrier]
        origin = np.eye(4)
        if moving is not None:
            assert moving.parent is not None
            before, pose = place(moving.parent)
            assert before == carriers[carriers.index(carrier) - 1], (carrier, before)
            origin = pose @ moving.origin
        links.append(Folded(carrier or "base", moving, origin, *_together(parts), parts))
    return links


def about(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation (3, 3) by ``angle`` rad about a unit axis."""
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + math.sin(angle) * k + (1 - math.cos(angle)) * k @ k


def _together(parts: list[tuple[str, np.ndarray, Body]]) -> tuple[float, np.ndarray, np.ndarray]:
    """Mass, centre and inertia of several bodies (parallel axes)."""
    mass = sum(body.mass for _, _, body in parts)
    if mass == 0:
        return 0.0, np.zeros(3), np.zeros((3, 3))
    centres = [pose[:3, :3] @ body.com + pose[:3, 3] for _, pose, body in parts]
    com = np.sum([b.mass * c for c, (_, _, b) in zip(centres, parts, strict=True)], axis=0) / mass
    inertia = np.zeros((3, 3))
    for centre, (_, pose, body) in zip(centres, parts, strict=True):
        d = centre - com
        inertia += pose[:3, :3] @ body.inertia @ pose[:3, :3].T
        inertia += body.mass * (d @ d * np.eye(3) - np.outer(d, d))
    return mass, com, inertia
