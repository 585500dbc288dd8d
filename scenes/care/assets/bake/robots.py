"""Bake ``jaco.npz`` and ``panda.npz``; see ``../README.md``.

    python -m scenes.care.assets.bake.robots

Reads the makers' URDFs: Kinova's j2s6s200 from PyPI ``example-robot-data`` (BSD-3-Clause) and Franka Emika's Panda
from PyBullet's ``pybullet_data`` (Apache-2.0). Meshes are decimated piece by piece, so that colours stay apart, and
written in the frame of the moving link that carries them.
"""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ASSETS = Path(__file__).resolve().parents[1]
CREASE_DEG = 38.0

#: Triangles to keep per mesh file; others keep 14 %.
BUDGET = {
    "base.dae": 700, "shoulder.dae": 750, "arm.dae": 800, "forearm.dae": 750, "wrist_spherical_1.dae": 650,
    "wrist_spherical_2.dae": 650, "hand_2finger.dae": 1700, "ring_big.dae": 220, "ring_small.dae": 220,
    "finger_proximal.dae": 320, "finger_distal.dae": 240,
    "link1.obj": 900, "link2.obj": 900, "link3.obj": 1100, "link4.obj": 1100, "link5.obj": 1300, "link6.obj": 1500,
    "hand.obj": 1600, "finger.obj": 240,
}  # fmt: skip

#: The makers' greys as seen in photographs, by mesh file: carbon shells, satin rings, rubbered fingers.
JACO_COLORS = {
    "ring_big.dae": (188, 194, 200), "ring_small.dae": (188, 194, 200), "hand_2finger.dae": (62, 66, 72),
    "finger_proximal.dae": (78, 82, 88), "finger_distal.dae": (46, 48, 52), "base.dae": (66, 70, 76),
}  # fmt: skip
CARBON = (58, 62, 69)
#: Jaco's fingers (fixed in this URDF, wide open) closed on the tool's handle, rad about their own z.
GRIP = 0.99
JACO_GRIP = {"j2s6s200_joint_finger_1": GRIP, "j2s6s200_joint_finger_2": GRIP}
#: Fingers of the Panda stand this far open (m), around the tool's handle.
PANDA_OPENING = 0.021


def _origin(element: ElementTree.Element | None) -> np.ndarray:
    matrix = np.eye(4)
    if element is not None:
        r, p, y = (float(v) for v in element.get("rpy", "0 0 0").split())
        cr, sr, cp, sp, cy, sy = np.cos(r), np.sin(r), np.cos(p), np.sin(p), np.cos(y), np.sin(y)
        matrix[:3, :3] = [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
        matrix[:3, 3] = [float(v) for v in element.get("xyz", "0 0 0").split()]
    return matrix


def _attribute(element: ElementTree.Element, child: str, name: str) -> str:
    found = element.find(child)
    return "" if found is None else found.get(name, "")


def moving_links(urdf: Path, base: str) -> Iterator[tuple[str, str, np.ndarray]]:
    """Yield (moving link, mesh path, 4 × 4 pose of the mesh in that link's frame) for every visual of a URDF.

    Fixed joints are folded into the link that carries them; prismatic ones (the Panda's fingers) count as fixed,
    opened by PANDA_OPENING.
    """
    root = ElementTree.parse(urdf).getroot()
    parents = {_attribute(j, "child", "link"): j for j in root.findall("joint")}
    for link in root.findall("link"):
        name, pose = str(link.get("name")), np.eye(4)
        while name in parents and name != base and parents[name].get("type") in ("fixed", "prismatic"):
            joint = parents[name]
            slide = np.eye(4)
            if joint.get("type") == "prismatic":
                slide[:3, 3] = PANDA_OPENING * np.array(
                    [float(v) for v in _attribute(joint, "axis", "xyz").split()]
                )
            angle = JACO_GRIP.get(str(joint.get("name")))
            if angle is not None:
                slide[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
            pose = _origin(joint.find("origin")) @ slide @ pose
            name = _attribute(joint, "parent", "link")
        for visual in link.findall("visual"):
            mesh = visual.find("geometry/mesh")
            if mesh is not None:
                yield name, str(mesh.get("filename")), pose @ _origin(visual.find("origin"))


def load_pieces(path: Path):
    """Yield (vertices, faces, color) of each piece of a mesh file, vertices merged by position."""
    import trimesh

    scene = trimesh.load(path, force="scene")
    for node in scene.graph.nodes_geometry:
        transform, key = scene.graph[node]
        mesh = scene.geometry[key]
        vertices = np.asarray(mesh.vertices) @ transform[:3, :3].T + transform[:3, 3]
        _, first, inverse = np.unique(np.round(vertices, 5), axis=0, return_index=True, return_inverse=True)
        faces = inverse.ravel()[np.asarray(mesh.faces)]
        faces = faces[
            (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 0] != faces[:, 2])
        ]
        color = np.asarray(getattr(getattr(mesh.visual, "material", None), "main_color", (255, 255, 255)))[:3]
        yield vertices[first], faces, color


def decimate(vertices: np.ndarray, faces: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    import open3d

    mesh = open3d.geometry.TriangleMesh(
        open3d.utility.Vector3dVector(vertices), open3d.utility.Vector3iVector(faces.astype(np.int32))
    )
    if len(faces) > n:
        mesh = mesh.simplify_quadric_decimation(n)
    mesh.remove_degenerate_triangles()
    mesh.remove_unreferenced_vertices()
    return np.asarray(mesh.vertices), np.asarray(mesh.triangles)


def creased(vertices: np.ndarray, faces: np.ndarray, crease_deg: float = CREASE_DEG):
    """Vertices split where the surface turns by more than ``crease_deg``; returns vertices, normals, faces."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    weighted = np.cross(b - a, c - a)
    flat = weighted / np.maximum(np.linalg.norm(weighted, axis=1, keepdims=True), 1e-15)
    around: dict[int, list[int]] = {}
    for index, face in enumerate(faces):
        for v in face:
            around.setdefault(int(v), []).append(index)
    limit = np.cos(np.radians(crease_deg))
    corners = np.zeros((len(faces), 3, 3))
    for index, face in enumerate(faces):
        for k, v in enumerate(face):
            near = np.array(around[int(v)])
            corners[index, k] = weighted[near[flat[near] @ flat[index] > limit]].sum(0)
    normals = corners.reshape(-1, 3)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-15)
    key = np.column_stack([faces.ravel(), np.round(24 * normals).astype(int)])
    _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    return vertices[faces.ravel()[first]], normals[first], inverse.reshape(-1, 3)


def bake(urdf: Path, base: str, resolve, color_of) -> dict[str, np.ndarray]:
    """All visuals of a URDF as arrays: vertices, normals, colors, faces, and ``link`` (V,) into ``links``."""
    links: list[str] = []
    rows: dict[str, list[np.ndarray]] = {k: [] for k in ("vertices", "normals", "colors", "faces", "link")}
    start = 0
    for name, filename, pose in moving_links(urdf, base):
        path = resolve(filename)
        pieces = list(load_pieces(path))
        total = sum(len(faces) for _, faces, _ in pieces)
        budget = BUDGET.get(path.name, int(0.14 * total))
        for vertices, faces, color in pieces:
            if len(faces) < 60 and total > 5000:
                continue  # lettering and lamps
            # small pieces keep a little more than their share
            share = max(40, int(budget * (len(faces) / total) ** 0.95))
            vertices, faces = decimate(vertices, faces, share)
            if not len(faces):
                continue
            vertices, normals, faces = creased(vertices, faces)
            if name not in links:
                links.append(name)
            rows["vertices"].append(vertices @ pose[:3, :3].T + pose[:3, 3])
            rows["normals"].append(normals @ pose[:3, :3].T)
            rows["colors"].append(np.tile(color_of(path.name, color), (len(vertices), 1)))
            rows["faces"].append(faces + start)
            rows["link"].append(np.full(len(vertices), links.index(name)))
            start += len(vertices)
    data = {key: np.concatenate(value) for key, value in rows.items()}
    return {
        "vertices": data["vertices"].astype(np.float32),
        "normals": np.clip(np.round(127 * data["normals"]), -127, 127).astype(np.int8),
        "colors": data["colors"].astype(np.uint8),
        "faces": data["faces"].astype(np.uint16),
        "link": data["link"].astype(np.uint8),
        "links": np.array(links),
    }


def panda_color(_: str, color: np.ndarray) -> tuple[int, int, int]:
    if color.max() > 200 and color.min() > 200:
        return (214, 218, 222)
    if color.max() < 90:
        return (72, 76, 82)
    return (46, 120, 168)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--robot-data", type=Path, help="folder that holds kinova_description (default: found)"
    )
    arguments = parser.parse_args()
    robots = arguments.robot_data or _robot_data()
    jaco = bake(
        robots / "kinova_description/robots/kinova.urdf",
        "j2s6s200_link_base",
        lambda name: robots / name.split("robots/", 1)[1],
        lambda file, _: JACO_COLORS.get(file, CARBON),
    )
    import pybullet_data

    franka = Path(pybullet_data.getDataPath()) / "franka_panda"
    panda = bake(
        franka / "panda.urdf",
        "panda_link0",
        lambda name: franka / name.removeprefix("package://"),
        panda_color,
    )
    for name, data in (("jaco", jaco), ("panda", panda)):
        path = ASSETS / f"{name}.npz"
        np.savez_compressed(path, allow_pickle=False, **data)
        print(
            f"{path.name}: {len(data['faces'])} triangles, {list(data['links'])}, {path.stat().st_size} bytes"
        )


def _robot_data() -> Path:
    """The ``robots`` folder of the installed example-robot-data wheel."""
    import importlib.metadata

    for file in importlib.metadata.files("example-robot-data") or ():
        if file.name == "kinova.urdf":
            return Path(str(file.locate())).resolve().parents[2]
    raise SystemExit("example-robot-data is not installed: pip install -e '.[bake]'")


if __name__ == "__main__":
    main()
