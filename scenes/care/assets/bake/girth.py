"""A layer of fat put on, or taken off, where anny's own range of weights ends.

anny's weights change the volume of an average adult by some 10 % either way; our bodies go from 0.85 to 1.25 times
the reference's radii. What is missing is moved along the normals in the A pose, where arms and legs stand off the body:
each vertex by the share of its segment's capsule radius that the radius grows, so that skin and capsules keep together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.spatial import cKDTree

from scenes.care.assets.bake.anny_body import RawBody
from scenes.care.assets.bake.surface import triangles, vertex_normals
from scenes.care.size import REFERENCE_HEIGHT_M, SIZES, BodySize

#: Vertices of the body itself in MakeHuman's base mesh; helper meshes follow.
N_BODY = 13380


def _radii(bones: list[str], size: BodySize) -> np.ndarray:
    """(B,) the radius that grows at each bone, m; hands, feet and the skull stay.

    Above the capsule's own where the layer thins out over curved or creased skin.
    """
    table = (
        (("spine", "root", "pelvis", "breast"), 1.45 * size.waist_r),
        (("clavicle", "shoulder"), 1.0 * size.pecs_r),
        (("upperarm",), size.upper_arm_r),
        (("lowerarm",), size.forearm_r),
        (("upperleg",), 1.25 * size.thigh_r),
        (("lowerleg",), size.shin_r),
        (("neck",), 1.3 * size.neck_r),
    )
    return np.array([next((r for names, r in table if bone.startswith(names)), 0.0) for bone in bones])


def _volume_per_height(body: RawBody) -> float:
    corners = body.vertices[triangles(body.quads["body"])]
    volume = (np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6
    return float(volume / np.ptp(body.vertices[:N_BODY, 2]))


def _layer_normals(body: RawBody, rounds: int = 12) -> np.ndarray:
    """(N_BODY, 3) normals averaged with their neighbours': short in creases, where a layer would run into itself."""
    faces = triangles(body.quads["body"])
    normals = vertex_normals(body.vertices[:N_BODY], faces)
    i, j = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
    i, j = np.concatenate([i, j]), np.concatenate([j, i])
    count = np.maximum(np.bincount(i, minlength=N_BODY), 1)[:, None]
    for _ in range(rounds):
        mean = np.zeros_like(normals)
        np.add.at(mean, i, normals[j])
        normals = 0.5 * normals + 0.5 * mean / count
    return normals


def at_girth(body: RawBody, average: RawBody, girth: float, gender: str) -> RawBody:
    """``body`` with radii ``girth`` times those of ``average``, the body of the same age and average weight."""
    own = np.sqrt(_volume_per_height(body) / _volume_per_height(average))
    size = SIZES[gender]
    scale = (
        np.ptp(average.vertices[:N_BODY, 2]) / REFERENCE_HEIGHT_M[gender]
    )  # anny's adults are taller than ours
    thickness = (girth / own - 1) * scale * (body.weights[:N_BODY] @ _radii(body.bones, size))
    layer = thickness[:, None] * _layer_normals(body)
    # clothes and hair go with the skin under them, or it would come through
    skin = cKDTree(body.vertices[:N_BODY])
    distance, nearest = skin.query(body.vertices, k=4)
    share = 1 / np.maximum(distance, 1e-4)
    share /= share.sum(1, keepdims=True)
    moved = (share[:, :, None] * layer[nearest]).sum(1)
    moved[:N_BODY] = layer
    return replace(body, vertices=body.vertices + moved)
