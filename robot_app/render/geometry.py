"""Small geometry of pictures: the force arrow, the ring that shows a hidden itch."""

from __future__ import annotations

from functools import cache

import numpy as np

from scenes.care.shapes import lathe, merge, rotation_between, torus


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
