"""A layer of fat put on, or taken off, where anny's own range of weights ends.

anny's weights change the volume of an average adult by some 10 % either way; our bodies go from 0.85 to 1.25 times
the reference's radii. What is missing is moved along the normals in the A pose, where arms and legs stand off the body:
each vertex by the share of its segment's capsule radius that the radius grows, so that skin and capsules keep together.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenes.care.assets.bake.anny_body import RawBody
from scenes.care.assets.bake.surface import triangles, vertex_normals
from scenes.care.size import REFERENCE_HEIGHT_M, SIZES, BodySize

#: Vertices of the body itself in MakeHuman's base mesh; helper meshes follow.
N_BODY = 13380
_LAYERED = ("body", "helper-tights", "helper-hair")


def _radii(bones: list[str], size: BodySize) -> np.ndarray:
    """(B,) how much of a radius grows at each bone, m; hands, feet and the skull stay."""
    table = (
        (("spine", "root", "pelvis", "breast"), 0.9 * size.waist_r),
        (("clavicle", "shoulder"), 0.5 * size.pecs_r),
        (("upperarm",), size.upper_arm_r),
        (("lowerarm",), size.forearm_r),
        (("upperleg",), size.thigh_r),
        (("lowerleg",), size.shin_r),
        (("neck",), 0.5 * size.neck_r),
    )
    return np.array([next((r for names, r in table if bone.startswith(names)), 0.0) for bone in bones])


def _volume_per_height(body: RawBody) -> float:
    corners = body.vertices[triangles(body.quads["body"])]
    volume = (np.cross(corners[:, 0], corners[:, 1]) * corners[:, 2]).sum() / 6
    return float(volume / np.ptp(body.vertices[:N_BODY, 2]))


def _layer_normals(body: RawBody, rounds: int = 12) -> np.ndarray:
    """(V, 3) normals averaged with their neighbours': short in creases, where a layer would run into itself."""
    result = np.zeros_like(body.vertices)
    for group in _LAYERED:
        faces = triangles(body.quads[group])
        normals = vertex_normals(body.vertices, faces)
        i, j = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).T
        i, j = np.concatenate([i, j]), np.concatenate([j, i])
        count = np.maximum(np.bincount(i, minlength=len(normals)), 1)[:, None]
        for _ in range(rounds):
            mean = np.zeros_like(normals)
            np.add.at(mean, i, normals[j])
            normals = 0.5 * normals + 0.5 * mean / count
        used = np.unique(faces)
        result[used] = normals[used]
    return result


def at_girth(body: RawBody, average: RawBody, girth: float, gender: str) -> RawBody:
    """``body`` with radii ``girth`` times those of ``average``, the body of the same age and average weight."""
    own = np.sqrt(_volume_per_height(body) / _volume_per_height(average))
    size = SIZES[gender]
    scale = (
        np.ptp(average.vertices[:N_BODY, 2]) / REFERENCE_HEIGHT_M[gender]
    )  # anny's adults are taller than ours
    thickness = (girth / own - 1) * scale * (body.weights @ _radii(body.bones, size))
    return replace(body, vertices=body.vertices + thickness[:, None] * _layer_normals(body))
