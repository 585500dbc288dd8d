"""What a scene looks like: one merged mesh whose vertices ride on named frames.

A renderer needs two things from a scene: a :class:`VisualModel` once, and ``poses()`` (K, 7) float32 at every step:
position (m) and quaternion (x, y, z, w) of the K frames in the world. Rigid parts bind a vertex to one frame; the
person's skin blends up to four (linear-blend skinning), so one draw call serves all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class VisualModel:
    """A scene's geometry. V vertices, F triangles, K frames.

    Attributes:
        frames: K names, in the order of ``poses()``.
        vertices: (V, 3) float32, m, in the *rest* coordinates of ``rest_poses``.
        normals: (V, 3) float32, unit, same coordinates.
        colors: (V, 3) uint8, sRGB.
        faces: (F, 3) uint32, counter-clockwise seen from outside.
        bones: (V, 4) uint8 frame indices.
        weights: (V, 4) float32, rows sum to 1.
        rest_poses: (K, 7) float32 pose of each frame for which ``vertices`` are given: a vertex is drawn at
            Σ_j w_j · pose_j · rest_j⁻¹ · vertex.
        surface: (V, 3) float32 (part index + 1, axial, angle) of vertices on a body part that a
            :class:`~scenes.latent.PointField` may lie on; part index + 1 is 0 elsewhere.
        parts: names of those parts, in index order.
    """

    frames: tuple[str, ...]
    vertices: np.ndarray
    normals: np.ndarray
    colors: np.ndarray
    faces: np.ndarray
    bones: np.ndarray
    weights: np.ndarray
    rest_poses: np.ndarray
    surface: np.ndarray
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class CameraPreset:
    """A named view: where the eye stands, what it looks at (m, world), vertical field of view (degrees)."""

    name: str
    eye: tuple[float, float, float]
    target: tuple[float, float, float]
    fov_deg: float = 40.0


@dataclass(frozen=True)
class Markers:
    """What may be drawn over the scene at one step; every entry optional, positions in m, world.

    Attributes:
        itch: (3,) true target position and (3,) outward normal, for the ring that can be hidden.
        tool_tip: (3,).
        force: (3,) contact point and (3,) force vector in N acting on the person.
    """

    itch: np.ndarray | None = None
    itch_normal: np.ndarray | None = None
    tool_tip: np.ndarray | None = None
    force_at: np.ndarray | None = None
    force: np.ndarray | None = None
    extra: dict[str, np.ndarray] = field(default_factory=dict)
