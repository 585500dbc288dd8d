"""What a care scene looks like: person, wheelchair, robot and tool as one :class:`~scenes.visual.VisualModel`.

The person and the robots are small files under ``assets/`` (see its README); wheelchair, mount and tool are built
from primitives here. Frames, in the order of a scene's ``poses()``::

    world · person/torso · person/{pecs, upper_arm, forearm, hand} · robot/<moving link> … · tool

``world`` also carries the wheelchair, the mount and the robot's base, ``person/torso`` all of the person that never
moves. The person rests seated; robot links and the tool rest at the origin, in their own coordinates.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from scenes.care.body import ARM_PARTS, GENDERS, seated_frames
from scenes.care.furniture import ROBOT_MOUNTS, ROBOT_YAW_DEG, mount_mesh, wheelchair_mesh
from scenes.care.shapes import Mesh, ball, lathe, merge, turn
from scenes.errors import InputError
from scenes.visual import VisualModel

ASSETS = Path(__file__).parent / "assets"
PERSON_FRAMES = ("person/torso", "person/pecs", "person/upper_arm", "person/forearm", "person/hand")
#: The link that stands on the mount; it never moves, so it rides on ``world``.
ROBOT_BASES = {"jaco": "j2s6s200_link_base", "panda": "panda_link0"}


def build_visual_model(gender: str, robot: str) -> VisualModel:
    """The whole scene of one person and one robot.

    Raises:
        InputError: an unknown person or robot.
    """
    if gender not in GENDERS:
        raise InputError("person", gender, "one of " + ", ".join(GENDERS))
    if robot not in ROBOT_BASES:
        raise InputError("robot", robot, "one of " + ", ".join(ROBOT_BASES))
    return _build(gender, robot)


@cache
def _build(gender: str, robot: str) -> VisualModel:
    person, machine = _load(f"person_{gender}.npz"), _load(f"{robot}.npz")
    links = [str(name) for name in machine["links"] if name != ROBOT_BASES[robot]]
    frames = ("world", *PERSON_FRAMES, *(f"robot/{name}" for name in links), "tool")

    parts: list[tuple[Mesh, np.ndarray, np.ndarray, np.ndarray]] = []  # mesh, bones, weights, surface

    def rigid(mesh: Mesh, frame: str) -> None:
        n = len(mesh.vertices)
        weights = np.zeros((n, 4), np.float32)
        weights[:, 0] = 1.0
        bones = np.zeros((n, 4), np.uint8)
        bones[:, 0] = frames.index(frame)
        parts.append((mesh, bones, weights, np.zeros((n, 3), np.float32)))

    rigid(_wheelchair(gender, person["chair_light"]), "world")
    rigid(mount_mesh(robot), "world")
    parts.append(_person(person))
    yaw = turn("z", ROBOT_YAW_DEG)
    for index, name in enumerate(map(str, machine["links"])):
        mesh = _link(machine, index)
        if name == ROBOT_BASES[robot]:
            rigid(mesh.moved(ROBOT_MOUNTS[robot], yaw), "world")
        else:
            rigid(mesh, f"robot/{name}")
    rigid(scratcher_mesh(), "tool")

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
            rest_poses=rest_poses(gender, frames),
            surface=surface,
            parts=ARM_PARTS,
        )
    )


def rest_poses(gender: str, frames: tuple[str, ...]) -> np.ndarray:
    """(K, 7) float32: the person's moving frames as seated, every other frame at the world's origin."""
    poses = np.zeros((len(frames), 7), np.float32)
    poses[:, 6] = 1.0
    seated = seated_frames(gender)
    for name in PERSON_FRAMES[1:]:
        matrix = seated[name.split("/")[1]]
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


def _person(data: dict[str, np.ndarray]) -> tuple[Mesh, np.ndarray, np.ndarray, np.ndarray]:
    """The person's mesh with bones, weights and surface; five stored weights become the largest four."""
    weights = data["weights"].astype(np.float32)  # (V, 5) over PERSON_FRAMES
    order = np.argsort(-weights, axis=1, kind="stable")[:, :4]
    largest = np.take_along_axis(weights, order, 1)
    mesh = Mesh(data["vertices"], _normals(data), data["colors"], data["faces"].astype(np.uint32))
    bones = (order + 1).astype(np.uint8)  # PERSON_FRAMES follow the world
    return mesh, bones, largest / largest.sum(1, keepdims=True), data["surface"]


def _link(data: dict[str, np.ndarray], index: int) -> Mesh:
    """One link of a robot; its vertices are stored together."""
    picked = np.flatnonzero(data["link"] == index)
    low, high = picked[0], picked[-1] + 1
    faces = data["faces"].astype(np.uint32)
    faces = faces[(faces[:, 0] >= low) & (faces[:, 0] < high)] - np.uint32(low)
    return Mesh(data["vertices"][low:high], _normals(data)[low:high], data["colors"][low:high], faces)


def _normals(data: dict[str, np.ndarray]) -> np.ndarray:
    normals = data["normals"].astype(np.float32)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-6)


def _wheelchair(gender: str, light: np.ndarray) -> Mesh:
    """The chair under its person: darkened where they keep the light out, if the asset was baked for this chair."""
    chair = wheelchair_mesh(gender)
    if len(light) != len(chair.vertices):
        return chair
    colors = (chair.colors * (light[:, None] / np.float32(255))).astype(np.uint8)
    return Mesh(chair.vertices, chair.normals, colors, chair.faces)


@cache
def scratcher_mesh() -> Mesh:
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


def _frozen(model: VisualModel) -> VisualModel:
    """The model is shared between scenes: nobody may write to its arrays."""
    for name in ("vertices", "normals", "colors", "faces", "bones", "weights", "rest_poses", "surface"):
        getattr(model, name).flags.writeable = False
    return model
