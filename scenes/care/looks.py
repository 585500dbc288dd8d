"""What a care scene looks like: person, wheelchair, robot and tool as one :class:`~scenes.visual.VisualModel`.

The person and the robots are small files under ``assets/`` (see its README); wheelchair, mount and tool are built
from primitives here. Frames, in the order of a scene's ``poses()``::

    world · person/torso · person/{pecs, upper_arm, forearm, hand, head} · robot/<moving link> … · tool · objects …

``world`` also carries the furniture, the mount and the robot's base, ``person/torso`` all of the person that never
moves. The person rests in the place's posture; robot links, tool and objects rest at the origin, in their own
coordinates.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from scenes.care.body import ARM_PARTS
from scenes.care.person_mesh import ASSETS, MOVING_SEGMENTS, PersonMesh, person_mesh
from scenes.care.place import Place, find_place
from scenes.care.posture import posture_frames
from scenes.care.robots import find_robot
from scenes.care.shapes import Mesh, SkinnedMesh, merge, turn
from scenes.care.size import Body, BodySpec, body_spec
from scenes.care.tools.scratcher import SCRATCHER
from scenes.care.tools.tool import Tool
from scenes.visual import VisualModel

PERSON_FRAMES = tuple(f"person/{segment}" for segment in MOVING_SEGMENTS)

#: Looks of a scene's own objects, in the order of its poses: frame name and mesh, or a mesh over several frames.
Objects = Callable[[], tuple[tuple[str, Mesh] | SkinnedMesh, ...]]


def build_visual_model(
    body: Body,
    robot: str,
    place: str = "wheelchair",
    tool: Tool = SCRATCHER,
    objects: Objects | None = None,
    mouth_open: float = 0.0,
) -> VisualModel:
    """The whole scene: a person in a place, a robot with a tool, and whatever else moves (frame name, look).

    Args:
        mouth_open: 0 closed … 1 open for a spoon.

    Raises:
        InputError: an unknown person, robot or place.
    """
    find_robot(robot)
    return _build(body_spec(body), robot, find_place(place), tool, objects, mouth_open)


@cache
def _build(
    body: BodySpec, name: str, place: Place, tool: Tool, objects: Objects | None, mouth_open: float
) -> VisualModel:
    robot = find_robot(name)
    person, machine = person_mesh(body, place.posture, mouth_open), _load(f"{name}.npz")
    links = [str(link) for link in machine["links"] if link != robot.base_link]
    others = objects() if objects else ()
    frames = (
        "world",
        *PERSON_FRAMES,
        *(f"robot/{link}" for link in links),
        "tool",
    )
    for other in others:
        own = other.frames if isinstance(other, SkinnedMesh) else (other[0],)
        frames = (*frames, *(frame for frame in own if frame not in frames))
    rest = rest_poses(body, place.posture, frames)

    parts: list[tuple[Mesh, np.ndarray, np.ndarray, np.ndarray]] = []  # mesh, bones, weights, surface

    def rigid(mesh: Mesh, frame: str, share: np.ndarray | float = 0.0) -> None:
        """A mesh on one frame; ``share`` (V,) of each vertex follows the next frame (the tubes of a telescope)."""
        n = len(mesh.vertices)
        weights = np.zeros((n, 4), np.float32)
        weights[:, 0], weights[:, 1] = 1.0 - share, share
        bones = np.zeros((n, 4), np.uint8)
        bones[:, 0] = frames.index(frame)
        if np.any(share):
            bones[:, 1] = frames.index(frame) + 1
        parts.append((mesh, bones, weights, np.zeros((n, 3), np.float32)))

    rigid(_lit(place.mesh(body), person.furniture_light), "world")
    stand = place.stand_mesh(robot)
    if stand is not None:
        rigid(stand, "world")
    parts.append(_person(person))
    mount = robot.mounts[place.name]
    for index, link in enumerate(map(str, machine["links"])):
        mesh, share = _link(machine, index)
        if link == robot.base_link:
            rigid(mesh.moved(mount.position, turn("z", mount.yaw_deg)), "world")
        else:
            rigid(mesh, f"robot/{link}", share)
    rigid(tool.mesh(), "tool")
    for other in others:
        if isinstance(other, SkinnedMesh):
            places = np.array([frames.index(frame) for frame in other.frames])
            own_surface = np.zeros((len(other.mesh.vertices), 3), np.float32)
            parts.append((other.mesh, places[other.bones].astype(np.uint8), other.weights, own_surface))
            rest[places] = other.rest_poses
        else:
            rigid(other[1], other[0])

    whole = merge(part[0] for part in parts)
    bones, weights, surface = (np.concatenate([part[k] for part in parts]) for k in (1, 2, 3))
    return _frozen(
        VisualModel(
            frames=frames,
            vertices=whole.vertices,
            normals=whole.normals,
            colors=whole.colors,
            faces=whole.faces,
            bones=bones,
            weights=weights,
            rest_poses=rest,
            surface=surface,
            parts=ARM_PARTS,
        )
    )


def rest_poses(body: Body, posture: str, frames: tuple[str, ...]) -> np.ndarray:
    """(K, 7) float32: the person's moving frames as in the posture, every other frame at the world's origin."""
    poses = np.zeros((len(frames), 7), np.float32)
    poses[:, 6] = 1.0
    resting = posture_frames(body, posture)
    for name in PERSON_FRAMES[1:]:
        matrix = resting[name.split("/")[1]]
        poses[frames.index(name), :3] = matrix[:3, 3]
        poses[frames.index(name), 3:] = _quaternion(matrix[:3, :3])
    return poses


def _quaternion(m: np.ndarray) -> np.ndarray:
    """(x, y, z, w) of a rotation matrix, by the largest of the four (Shepperd's method)."""
    squares = np.array([1 + m[0, 0] - m[1, 1] - m[2, 2], 1 - m[0, 0] + m[1, 1] - m[2, 2],
                        1 - m[0, 0] - m[1, 1] + m[2, 2], 1 + np.trace(m)])  # fmt: skip
    rows = np.array([
        [squares[0], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
        [m[0, 1] + m[1, 0], squares[1], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
        [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], squares[2], m[1, 0] - m[0, 1]],
        [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], squares[3]],
    ])  # fmt: skip
    q = rows[int(np.argmax(squares))]
    return q / np.linalg.norm(q)


def _load(name: str) -> dict[str, np.ndarray]:
    with np.load(ASSETS / name) as data:
        return {key: data[key] for key in data.files}


def _person(person: PersonMesh) -> tuple[Mesh, np.ndarray, np.ndarray, np.ndarray]:
    """The person's mesh with bones, weights and surface; of six weights the largest four."""
    order = np.argsort(-person.weights, axis=1, kind="stable")[:, :4]
    largest = np.take_along_axis(person.weights, order, 1)
    bones = (order + 1).astype(np.uint8)  # PERSON_FRAMES follow the world
    return person.mesh, bones, largest / largest.sum(1, keepdims=True), person.surface


def _link(data: dict[str, np.ndarray], index: int) -> tuple[Mesh, np.ndarray | float]:
    """One link of a robot, and what share of each vertex follows the next link; its vertices are stored together."""
    picked = np.flatnonzero(data["link"] == index)
    low, high = picked[0], picked[-1] + 1
    faces = data["faces"].astype(np.uint32)
    faces = faces[(faces[:, 0] >= low) & (faces[:, 0] < high)] - np.uint32(low)
    mesh = Mesh(data["vertices"][low:high], _normals(data)[low:high], data["colors"][low:high], faces)
    return mesh, data["share"][low:high].astype(np.float32) if "share" in data else 0.0


def _normals(data: dict[str, np.ndarray]) -> np.ndarray:
    normals = data["normals"].astype(np.float32)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)


def _lit(furniture: Mesh, light: np.ndarray) -> Mesh:
    """The furniture under its person: darkened where they keep the light out, if the asset was baked for it."""
    if len(light) != len(furniture.vertices):
        return furniture
    colors = (furniture.colors * (light[:, None] / np.float32(255))).astype(np.uint8)
    return Mesh(furniture.vertices, furniture.normals, colors, furniture.faces)


def _frozen(model: VisualModel) -> VisualModel:
    """The model is shared between scenes: nobody may write to its arrays."""
    for name in ("vertices", "normals", "colors", "faces", "bones", "weights", "rest_poses", "surface"):
        getattr(model, name).flags.writeable = False
    return model
