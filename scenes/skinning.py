"""Where a VisualModel's vertices are now: frames as matrices, linear-blend skinning of points and normals."""

from __future__ import annotations

import numpy as np

from scenes.visual import VisualModel


def pose_matrices(poses: np.ndarray) -> np.ndarray:
    """(K, 4, 4) of poses (K, 7): position (m) and quaternion (x, y, z, w)."""
    poses = np.asarray(poses, float)
    x, y, z, w = (poses[:, 3:] / np.linalg.norm(poses[:, 3:], axis=1, keepdims=True)).T
    matrices = np.zeros((len(poses), 4, 4))
    matrices[:, 0, 0], matrices[:, 0, 1], matrices[:, 0, 2] = (
        1 - 2 * (y * y + z * z),
        2 * (x * y - z * w),
        2 * (x * z + y * w),
    )
    matrices[:, 1, 0], matrices[:, 1, 1], matrices[:, 1, 2] = (
        2 * (x * y + z * w),
        1 - 2 * (x * x + z * z),
        2 * (y * z - x * w),
    )
    matrices[:, 2, 0], matrices[:, 2, 1], matrices[:, 2, 2] = (
        2 * (x * z - y * w),
        2 * (y * z + x * w),
        1 - 2 * (x * x + y * y),
    )
    matrices[:, :3, 3], matrices[:, 3, 3] = poses[:, :3], 1.0
    return matrices  # fmt: skip


def frame_matrices(poses: np.ndarray, rest_poses: np.ndarray) -> np.ndarray:
    """(K, 3, 4) maps from rest coordinates to the world: pose · rest⁻¹."""
    return (pose_matrices(poses) @ np.linalg.inv(pose_matrices(rest_poses)))[:, :3]


def skin(model: VisualModel, poses: np.ndarray) -> np.ndarray:
    """(V, 3) world positions of a model's vertices at ``poses`` (K, 7)."""
    maps = frame_matrices(poses, model.rest_poses)
    return skin_points(model.vertices, model.bones, model.weights, maps)


def skin_points(points: np.ndarray, bones: np.ndarray, weights: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(N, 3) points (m, rest) carried by ``maps`` (K, 3, 4), blended as ``bones``, ``weights`` (N, 4) say."""
    blended = np.einsum("vk,vkij->vij", weights, maps[bones])
    return np.einsum("vij,vj->vi", blended[:, :, :3], points) + blended[:, :, 3]


def skin_normals(normals: np.ndarray, bones: np.ndarray, weights: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """(N, 3) unit normals turned with the points: by the blended rotations, which shear little where they differ."""
    blended = np.einsum("vk,vkij->vij", weights, maps[bones][..., :3])
    turned = np.einsum("vij,vj->vi", blended, normals)
    return turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)
