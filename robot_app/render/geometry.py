"""Small geometry of pictures: frames as matrices, the force arrow, the ring that shows a hidden itch."""

from __future__ import annotations

from functools import cache

import numpy as np

from scenes.care.shapes import lathe, merge, rotation_between, torus


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


def skin(model, poses: np.ndarray) -> np.ndarray:
    """(V, 3) world positions of a :class:`~scenes.visual.VisualModel`'s vertices: linear-blend skinning."""
    maps = frame_matrices(poses, model.rest_poses)
    blended = np.einsum("vk,vkij->vij", model.weights, maps[model.bones])
    return np.einsum("vij,vj->vi", blended[:, :, :3], model.vertices) + blended[:, :, 3]


@cache
def arrow_mesh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A unit arrow along +z, its point at the origin: vertices, normals (V, 3), faces (F, 3)."""
    mesh = lathe([(0, -1.0), (0.045, -1.0), (0.045, -0.30), (0.12, -0.30), (0.0, 0.0)], (0, 0, 0), 14)
    return mesh.vertices, mesh.normals, mesh.faces


@cache
def ring_mesh() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A ring of radius 1 about +z and a dot in its middle."""
    mesh = merge([torus((0, 0, 0), (0, 0, 1), 1.0, 0.09, (0, 0, 0), 32, 6),
                  lathe([(0, -0.08), (0.2, -0.08), (0.2, 0.08), (0, 0.08)], (0, 0, 0), 12)])  # fmt: skip
    return mesh.vertices, mesh.normals, mesh.faces


def arrow_matrix(point: np.ndarray, direction: np.ndarray, length: float) -> np.ndarray:
    """(4, 4) that puts the unit arrow's tip at ``point``; its width follows its length within reason."""
    width = float(np.clip(length, 0.09, 0.16))
    return _place(point, direction, (width, width, length))


def ring_matrix(point: np.ndarray, normal: np.ndarray, radius: float) -> np.ndarray:
    """(4, 4) that lays the unit ring about ``point``."""
    return _place(point, normal, (radius, radius, radius))


def _place(point: np.ndarray, direction: np.ndarray, scale: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_between((0, 0, 1), direction) * np.asarray(scale)
    matrix[:3, 3] = point
    return matrix
