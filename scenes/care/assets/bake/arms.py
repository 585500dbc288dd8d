"""Bake the arms that come from other descriptions than Jaco and Panda: looks, numbers and reference poses.

    python -m scenes.care.assets.bake.arms --robot-data FOLDER --stretch FOLDER --robosuite FOLDER [NAME ...]

For each robot it writes ``<name>.npz`` (what it looks like), prints the link table that stands in
``scenes/care/robots/<name>.py``, and with ``--poses`` writes ``tests/scenes/care/robot_poses.json``: where pinocchio
(URDF) or MuJoCo (MJCF) says the last link is at random joint positions.

The folders are those of PyPI ``example-robot-data`` (its ``robots``), ``hello-robot-stretch-urdf``
(``stretch_urdf``) and ``robosuite`` (``robosuite/models/assets``).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from scenes.care.assets.bake.capsules import fit
from scenes.care.assets.bake.description import Folded, Visual, fold, pose_of, read_mjcf, read_urdf
from scenes.care.assets.bake.recipes import RECIPES, Recipe, Rgb
from scenes.care.assets.bake.robots import (
    ASSETS,
    creased,
    decimate,
    load_pieces,
    moving_links,
)
from scenes.care.chain import matrix_from_rpy
from scenes.care.shapes import Mesh, merge, rounded_box

POSES = Path(__file__).resolve().parents[4] / "tests/scenes/care/robot_poses.json"
HALF = np.pi / 2


# ------------------------------------------------------------------------------------------------------ reading
def read(recipe: Recipe, folders: dict[str, Path]) -> list[Folded]:
    """The base and the links of the arm, as the recipe wants them."""
    path = folders[recipe.folder] / recipe.file
    if path.suffix == ".xml":
        description = read_mjcf(path)
    elif recipe.folder == "robots":
        description = read_urdf(path, lambda name: folders["robots"] / name.split("robots/", 1)[1])
    else:
        description = read_urdf(path, lambda name: path.parent / name.removeprefix("./"))
    for (
        name
    ) in recipe.blended:  # only the last tube of a telescope moves by itself; the others follow by share
        description[name].kind = "fixed"
    links = fold(description, recipe.joints, recipe.still, recipe.without)
    links[0].name = recipe.base
    if recipe.parallel is not None:
        _turn(links, recipe.parallel, links[recipe.parallel + 1].origin[:3, :3].copy())
    return links


def _turn(links: list[Folded], i: int, rotation: np.ndarray) -> None:
    """Give link ``i`` a frame turned by ``rotation``."""
    link, pose, back = links[i], pose_of(rotation=rotation), pose_of(rotation=rotation.T)
    link.origin = link.origin @ pose
    link.com, link.inertia = rotation.T @ link.com, rotation.T @ link.inertia @ rotation
    link.parts = [(name, back @ at, body) for name, at, body in link.parts]
    assert link.body is not None
    link.body.axis = rotation.T @ link.body.axis
    if i + 1 < len(links):
        links[i + 1].origin = back @ links[i + 1].origin


def hand_mesh() -> Mesh:
    """A plain parallel hand along +z, its fingers on a tool's handle 0.125 m out."""
    grey, dark = (92, 97, 104), (58, 61, 66)
    parts = [
        rounded_box((0, 0, 0.035), (0.034, 0.046, 0.035), grey, 0.012),
        rounded_box((0, 0, 0.074), (0.018, 0.058, 0.008), dark, 0.005),
    ]
    for side in (-1.0, 1.0):
        parts.append(rounded_box((0, side * 0.030, 0.105), (0.011, 0.008, 0.036), dark, 0.005))
    return merge(parts)


# -------------------------------------------------------------------------------------------------------- looks
def look(links: list[Folded], recipe: Recipe) -> dict[str, np.ndarray]:
    """Arrays as in ``README.md``: decimated, each visual by its share of the area."""
    pieces = []
    for index, link in enumerate(links):
        for body, visual, pose in link.visuals():
            for vertices, faces, color in load_pieces(visual.path):
                placed = vertices @ pose[:3, :3].T + pose[:3, 3]
                a, b, c = (placed[faces[:, k]] for k in range(3))
                area = float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)
                given = tuple(int(v) for v in color)
                plain = given in ((255, 255, 255), (102, 102, 102)) and visual.color is not None
                rgb = recipe.color(body, visual.path.name, visual.color if plain else given)  # type: ignore[arg-type]
                if area > 2e-5:
                    pieces.append((index, body, placed, faces, rgb, area))
    total = sum(piece[-1] ** 0.7 for piece in pieces)
    names = [link.name for link in links]
    rows: dict[str, list[np.ndarray]] = {
        k: [] for k in ("vertices", "normals", "colors", "faces", "link", "share")
    }
    start = 0
    meshes: list[tuple[int, float, np.ndarray, np.ndarray, np.ndarray, Rgb]] = []
    for index, body, vertices, faces, rgb, area in pieces:
        vertices, faces = decimate(vertices, faces, max(24, int(recipe.triangles * area**0.7 / total)))
        a, b, c = (vertices[faces[:, k]] for k in range(3))
        faces = faces[np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-10]  # slivers have no normal
        if len(faces):
            vertices, normals, faces = creased(vertices, faces)
            meshes.append((index, recipe.blended.get(body, 0.0), vertices, normals, faces, rgb))
    if recipe.hand is not None:
        hand = hand_mesh().moved(recipe.hand[:3, 3], recipe.hand[:3, :3])
        for rgb in np.unique(hand.colors, axis=0):
            keep = (hand.colors[hand.faces[:, 0]] == rgb).all(1)
            used, faces = np.unique(hand.faces[keep], return_inverse=True)
            meshes.append(
                (
                    len(links) - 1,
                    0.0,
                    hand.vertices[used],
                    hand.normals[used],
                    faces.reshape(-1, 3),
                    tuple(rgb),
                )
            )
    for index, share, vertices, normals, faces, rgb in meshes:
        if share:  # in the frame of both links at once: see scenes.care.looks
            vertices = vertices - share * links[index + 1].origin[:3, 3]
        rows["vertices"].append(vertices)
        rows["normals"].append(normals)
        rows["colors"].append(np.tile(rgb, (len(vertices), 1)))
        rows["faces"].append(faces + start)
        rows["link"].append(np.full(len(vertices), index))
        rows["share"].append(np.full(len(vertices), share))
        start += len(vertices)
    data = {key: np.concatenate(value) for key, value in rows.items()}
    order = np.argsort(data["link"], kind="stable")
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    found = {
        "vertices": data["vertices"][order].astype(np.float32),
        "normals": np.clip(np.round(127 * data["normals"][order]), -127, 127).astype(np.int8),
        "colors": data["colors"][order].astype(np.uint8),
        "faces": back[data["faces"]].astype(np.uint16),
        "link": data["link"][order].astype(np.uint8),
        "links": np.array(names),
    }
    if recipe.blended:
        found["share"] = data["share"][order].astype(np.float16)
    return found


# -------------------------------------------------------------------------------------------------------- table
def surface(link: Folded, n: int = 1500) -> np.ndarray:
    """Points (N, 3) on what a link looks like, in its frame."""
    import trimesh

    triangles = []
    for _, visual, pose in link.visuals():
        for vertices, faces, _ in load_pieces(visual.path):
            triangles.append((vertices @ pose[:3, :3].T + pose[:3, 3])[faces])
    soup = np.concatenate(triangles)
    mesh = trimesh.Trimesh(soup.reshape(-1, 3), np.arange(3 * len(soup)).reshape(-1, 3), process=False)
    return np.asarray(trimesh.sample.sample_surface(mesh, n, seed=0)[0])


def table(links: list[Folded], recipe: Recipe) -> str:
    """The link table as Python source."""
    lines = ["LINKS = ("]
    for link in links[1:]:
        body = link.body
        assert body is not None
        r = _rpy(link.origin[:3, :3])
        if not np.allclose(matrix_from_rpy(r), link.origin[:3, :3], atol=1e-6):
            raise ValueError(f"{link.name}: rpy")
        mass, com, inertia = link.mass, link.com, np.diag(link.inertia)
        if link is links[-1] and recipe.last_mass is not None:
            mass, com, inertia = (
                recipe.last_mass[0],
                np.array(recipe.last_mass[1]),
                np.array(recipe.last_mass[2]),
            )
        rows = [
            f'"{link.name}", {_vector(link.origin[:3, 3])}, {_angles(r)}, {_vector(body.axis)}',
            f"{_number(body.limits[0])}, {_number(body.limits[1])}, {mass:.5g}, {_vector(com, 4)}, {_vector(inertia, 6)}",
            *(f"({_vector(a, 3)}, {_vector(b, 3)}, {r:.3f})" for a, b, r in _shapes(link, recipe, links)),
            *(["slides=True"] if body.kind == "prismatic" else []),
        ]
        lines.append("    link(" + ",\n         ".join(rows) + "),")
    lines.append(")  # fmt: skip")
    base = links[0]
    boxes = [
        f"# static boxes; mass {base.mass:.5g}, {_vector(base.com, 4)}, {_vector(np.diag(base.inertia), 6)}"
    ]
    for name, pose, body in base.parts:
        if not body.visuals:
            continue
        one = Folded(name, body, np.eye(4), 0, np.zeros(3), np.zeros((3, 3)), [(name, pose, body)])
        points = surface(one, 2000)
        low, high = points.min(0), points.max(0)
        if (high - low).max() > 0.08:
            boxes.append(
                f'    Box("{name}", {_vector((low + high) / 2, 3)}, {_vector((high - low) / 2, 3)}),'
            )
    return "\n".join([*lines, *boxes])


def _rpy(m: np.ndarray) -> tuple[float, float, float]:
    """Roll, pitch, yaw; exact next to the poles too, where makers' 1.5708 puts their joints."""
    across = float(np.hypot(m[0, 0], m[1, 0]))
    pitch = float(np.arctan2(-m[2, 0], across))
    if across < 1e-9:
        return float(np.arctan2(-m[1, 2], m[1, 1])), pitch, 0.0
    return float(np.arctan2(m[2, 1], m[2, 2])), pitch, float(np.arctan2(m[1, 0], m[0, 0]))


def _shapes(link: Folded, recipe: Recipe, links: list[Folded]):
    if not any(True for _ in link.visuals()):
        return []
    found = fit(surface(link), recipe.capsules)
    if link is links[-1] and recipe.hand is not None:
        at = recipe.hand
        found.append((at[:3, :3] @ (0, 0, 0.03) + at[:3, 3], at[:3, :3] @ (0, 0, 0.10) + at[:3, 3], 0.042))
    return found


def _number(value: float, digits: int = 9) -> str:
    if abs(abs(value) - 2 * np.pi) < 1e-6:
        return "-TURN" if value < 0 else "TURN"
    for text, exact in (("HALF", HALF), ("PI", np.pi)):
        if abs(abs(value) - exact) < 2e-11:
            return f"-{text}" if value < 0 else text
    if abs(value) < 0.5 * 10**-digits:
        return "0"
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def _vector(values: Sequence[float] | np.ndarray, digits: int = 9) -> str:
    return "(" + ", ".join(_number(float(v), digits) for v in values) + ")"


def _angles(values: Sequence[float]) -> str:
    return _vector(values, 10)


# -------------------------------------------------------------------------------------------------------- poses
def poses(name: str, recipe: Recipe, folders: dict[str, Path]) -> dict:
    """The last link's pose in the base at three random positions, by pinocchio or MuJoCo; the moving mass."""
    path = folders[recipe.folder] / recipe.file
    rng = np.random.default_rng(sum(map(ord, name)))
    if path.suffix == ".xml":
        import mujoco

        model = mujoco.MjModel.from_xml_path(str(path))
        data = mujoco.MjData(model)
        ids = [mujoco.mj_name2id(model, mujoco.mjtObj.mjOBJ_JOINT, joint) for joint in recipe.joints]
        limits = [tuple(map(float, model.jnt_range[i])) for i in ids]
        last = model.jnt_bodyid[ids[-1]]
        mass = float(model.body_subtreemass[model.jnt_bodyid[ids[0]]])

        def pose(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            for i, value in zip(ids, q, strict=True):
                data.qpos[model.jnt_qposadr[i]] = value
            mujoco.mj_kinematics(model, data)
            return data.xpos[last].copy(), data.xmat[last].reshape(3, 3).copy()
    else:
        import pinocchio

        model = pinocchio.buildModelFromUrdf(str(path))
        data = model.createData()
        children = {body.joint: link for link, body in read_urdf(path, Path).items()}
        limits = [
            tuple(
                float(v[model.joints[model.getJointId(j)].idx_q])
                for v in (model.lowerPositionLimit, model.upperPositionLimit)
            )
            for j in recipe.joints
        ]
        frame = model.getFrameId(children[recipe.joints[-1]])
        pinocchio.computeSubtreeMasses(model, data)
        mass = float(data.mass[model.getJointId(recipe.joints[0])])

        def pose(q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            full = pinocchio.neutral(model)
            values = {**recipe.still, **dict(zip(recipe.joints, q, strict=True))}
            for tube in recipe.blended:  # joint_arm_l3 … move by the same quarter
                values[tube.replace("link_", "joint_")] = values["joint_arm_l0"] / 4
            if recipe.blended:
                values["joint_arm_l0"] /= 4
            for joint, value in values.items():
                if not model.existJointName(joint):
                    continue
                j = model.joints[model.getJointId(joint)]
                if j.nq == 2:  # a continuous joint is kept as cosine and sine
                    full[j.idx_q], full[j.idx_q + 1] = np.cos(value), np.sin(value)
                else:
                    full[j.idx_q] = value
            pinocchio.framesForwardKinematics(model, data, full)
            found = data.oMf[frame]
            return found.translation.copy(), found.rotation.copy()

    rows = []
    for _ in range(3):
        low, high = (np.clip(np.array([b[k] for b in limits]), -3.0, 3.0) for k in (0, 1))
        q = np.round(rng.uniform(low, np.where(high > low, high, 3.0)), 4)
        if recipe.blended:
            q[1] *= 4
        position, rotation = pose(q)
        rows.append(
            {"q": q.tolist(), "position": position.round(9).tolist(), "rotation": rotation.round(9).tolist()}
        )
    return {
        "by": "mujoco" if path.suffix == ".xml" else "pinocchio",
        "last": recipe.joints[-1],
        "mass": round(mass, 6),
        "poses": rows,
    }


def jaco_hand(robots: Path) -> list[Visual]:
    """The six-joint Jaco's hand, which the seven-joint one shares: its last link has the same frame."""
    return [
        Visual(robots / name.split("robots/", 1)[1], pose)
        for link, name, pose in moving_links(
            robots / "kinova_description/robots/kinova.urdf", "j2s6s200_link_base"
        )
        if link == "j2s6s200_link_6"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(RECIPES))
    parser.add_argument("--robot-data", type=Path, required=True)
    parser.add_argument("--stretch", type=Path, required=True)
    parser.add_argument("--robosuite", type=Path, required=True)
    parser.add_argument("--poses", action="store_true", help="only the reference poses")
    arguments = parser.parse_args()
    folders = {"robots": arguments.robot_data, "stretch": arguments.stretch, "robosuite": arguments.robosuite}
    if arguments.poses:
        POSES.write_text(
            json.dumps({n: poses(n, RECIPES[n], folders) for n in arguments.names}, indent=1) + "\n"
        )
        return
    for name in arguments.names:
        recipe = RECIPES[name]
        links = read(recipe, folders)
        if name == "jaco7":
            assert links[-1].body is not None
            links[-1].body.visuals = jaco_hand(folders["robots"])
        data = look(links, recipe)
        path = ASSETS / f"{name}.npz"
        np.savez_compressed(path, allow_pickle=False, **data)
        print(
            f"# {path.name}: {len(data['faces'])} triangles, {path.stat().st_size} bytes, {[li.name for li in links]}"
        )
        print(table(links, recipe), flush=True)


if __name__ == "__main__":
    main()
