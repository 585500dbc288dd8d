"""The skin and clothes of one person, out of the baked looks: ``assets/person_<gender>_<posture>.npz``.

A file has the reference body of a gender in a posture, and how far each vertex moves when that body is light, heavy,
old, old and light, old and heavy, or opens its mouth. Between these shapes a person is interpolated (age × girth),
then brought to their size segment by segment: every frame of the reference's posture onto the same frame of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from scenes.care.posture import find_posture, posture_frames
from scenes.care.shapes import Mesh
from scenes.care.size import GIRTH_RANGE, BodySpec
from scenes.errors import InputError

ASSETS = Path(__file__).parent / "assets"
#: Columns of the stored weights. The first six are frames at run time; the others ride with the torso then, and are
#: only told apart to bring them to a person's size.
BAKED_SEGMENTS = (
    "torso", "pecs", "upper_arm", "forearm", "hand", "head",
    "left_pecs", "left_upper_arm", "left_forearm", "left_hand",
    "right_thigh", "right_shin", "right_foot", "left_thigh", "left_shin", "left_foot",
)  # fmt: skip
MOVING_SEGMENTS = BAKED_SEGMENTS[:6]
#: The shapes of the stored deltas, in order.
SHAPES = ("light", "heavy", "old", "old_light", "old_heavy", "open_mouth")
#: One unit of the stored deltas, m.
DELTA_STEP_M = 1e-4

#: Hair greys between these ages (years), to this colour at the brightness of the hair it replaces.
_GREYING = (38.0, 72.0)
_GREY = (156.0, 151.0, 144.0)


@dataclass(frozen=True)
class PersonMesh:
    """V vertices in the world, the person in their posture.

    Attributes:
        mesh: what is drawn.
        weights: (V, 6) float32 over MOVING_SEGMENTS, rows sum to 1.
        surface: (V, 3) float32 part index + 1, axial, angle; see :class:`scenes.visual.VisualModel`.
        furniture_light: (n,) uint8 of the vertices of the furniture the look was baked with.
    """

    mesh: Mesh
    weights: np.ndarray
    surface: np.ndarray
    furniture_light: np.ndarray


def shape_shares(spec: BodySpec, mouth_open: float = 0.0) -> np.ndarray:
    """(6,) how much of each of SHAPES a person has; all zero for the reference.

    Bilinear in age, from the reference's to the oldest (somewhat beyond for the young), and in girth, from the
    lightest or heaviest to the average. The mouth opens on top of it.
    """
    old = spec.old
    light = max(0.0, (1 - spec.girth) / (1 - GIRTH_RANGE[0]))
    heavy = max(0.0, (spec.girth - 1) / (GIRTH_RANGE[1] - 1))
    young = 1 - old
    return np.array(
        [young * light, young * heavy, old * (1 - light - heavy), old * light, old * heavy, mouth_open]
    )


@cache
def person_mesh(spec: BodySpec, posture: str, mouth_open: float = 0.0) -> PersonMesh:
    """A person's look, with the mouth closed (0) to open for a spoon (1).

    Raises:
        InputError: an unknown posture, a mouth opened beyond 0 … 1.
    """
    find_posture(posture)
    if not 0.0 <= mouth_open <= 1.0:
        raise InputError("mouth_open", mouth_open, "0 to 1")
    data = _load(spec.gender, posture)
    weights = data["weights"].astype(np.float32)
    weights /= weights.sum(1, keepdims=True)
    points, normals = data["vertices"].astype(float), _unit(data["normals"].astype(float))
    shares = shape_shares(spec, mouth_open)
    if shares.any():
        moved = points + DELTA_STEP_M * np.tensordot(shares, data["deltas"], 1).T  # (6) · (6, 3, V)
        normals = _unit(normals + _welded_normals(moved, points, data["faces"])
                        - _welded_normals(points, points, data["faces"]))  # fmt: skip
        points = moved
    if spec.stature != 1.0 or spec.girth != 1.0:
        points, normals = _to_size(points, normals, weights, spec, posture)
    light = data["furniture_light"]
    weights[:, 0] += weights[:, len(MOVING_SEGMENTS) :].sum(1)
    mesh = Mesh(points.astype(np.float32), normals.astype(np.float32), _greyed(data, spec.age_years),
                data["faces"].astype(np.uint32))  # fmt: skip
    return PersonMesh(mesh, weights[:, : len(MOVING_SEGMENTS)], data["surface"], light)


def _to_size(
    points: np.ndarray, normals: np.ndarray, weights: np.ndarray, spec: BodySpec, posture: str
) -> tuple[np.ndarray, np.ndarray]:
    """Linear-blend skinning from the reference's frames to the person's, scaled by their stature."""
    source, target = posture_frames(spec.gender, posture), posture_frames(spec, posture)
    scale = np.diag([spec.stature] * 3 + [1.0])
    names = ["chest", *BAKED_SEGMENTS[1:]]
    maps = np.stack([target[name] @ scale @ np.linalg.inv(source[name]) for name in names])
    blended = np.einsum("vs,sij->vij", weights, maps[:, :3])
    turned = np.einsum("vij,vj->vi", blended[:, :, :3], normals)
    return np.einsum("vij,vj->vi", blended[:, :, :3], points) + blended[:, :, 3], _unit(turned)


def _welded_normals(points: np.ndarray, places: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, area-weighted, shared by vertices at one place: seams stay smooth."""
    _, group = np.unique(np.round(places / 1e-5).astype(np.int64), axis=0, return_inverse=True)
    group = group.ravel()
    a, b, c = (points[faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    total = np.zeros((group.max() + 1, 3))
    for k in range(3):
        np.add.at(total, group[faces[:, k]], flat)
    return _unit(total)[group]


def _greyed(data: dict[str, np.ndarray], age: float) -> np.ndarray:
    """(V, 3) uint8 colours, the hair as grey as the age has it."""
    low, high = _GREYING
    share = float(np.clip((age - low) / (high - low), 0, 1))
    if share == 0.0:
        return data["colors"]
    colors, hair = data["colors"].astype(float), data["hair"][:, None] / 255.0
    light = colors.mean(1, keepdims=True)
    usual = light[hair > 0.9].mean()
    grey = np.clip(np.array(_GREY) * (light / usual) ** 0.6, 0, 255)
    return np.round(colors + share * hair * (grey - colors)).astype(np.uint8)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)


def _load(gender: str, posture: str) -> dict[str, np.ndarray]:
    with np.load(ASSETS / f"person_{gender}_{posture}.npz") as data:
        return {key: data[key] for key in data.files}
