"""OrbitCamera: an eye on a sphere about a target, z up; what the window steers and the renderers read.

Image coordinates are pixels from the top left corner, y down; the centre of the first pixel is (0.5, 0.5).
Matrices are row-major numpy arrays that act on column vectors: clip = projection @ view @ (x, y, z, 1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from scenes.visual import CameraPreset

_MAX_ELEVATION = math.radians(89.0)


@dataclass
class OrbitCamera:
    """Where the picture is taken from.

    Attributes:
        target: (3,) m, world: the point looked at and orbited about.
        distance: of the eye from the target, m.
        azimuth: of the eye about +z, rad; 0 puts it at +x of the target.
        elevation: of the eye above the target's horizon, rad, within ±89°.
        fov_deg: vertical field of view.
    """

    target: np.ndarray = field(default_factory=lambda: np.zeros(3))
    distance: float = 2.0
    azimuth: float = 0.0
    elevation: float = 0.0
    fov_deg: float = 40.0
    near: float = 0.05
    far: float = 30.0

    @classmethod
    def from_preset(cls, preset: CameraPreset) -> OrbitCamera:
        """The camera that stands where ``preset`` says."""
        offset = np.subtract(preset.eye, preset.target)
        distance = float(np.linalg.norm(offset))
        return cls(
            target=np.array(preset.target, float),
            distance=distance,
            azimuth=math.atan2(offset[1], offset[0]),
            elevation=math.asin(max(-1.0, min(1.0, offset[2] / distance))),
            fov_deg=preset.fov_deg,
        )

    @property
    def eye(self) -> np.ndarray:
        """(3,) m, world."""
        c = math.cos(self.elevation)
        out = np.array([c * math.cos(self.azimuth), c * math.sin(self.azimuth), math.sin(self.elevation)])
        return self.target + self.distance * out

    def axes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Unit vectors (3,) in the world: right, up and forward of the picture."""
        forward = (self.target - self.eye) / self.distance
        right = np.array([-math.sin(self.azimuth), math.cos(self.azimuth), 0.0])
        return right, np.cross(right, forward), forward

    # -- steering
    def orbit(self, azimuth: float, elevation: float) -> None:
        """Move the eye about the target by angles in rad."""
        self.azimuth = math.remainder(self.azimuth + azimuth, 2 * math.pi)
        self.elevation = max(-_MAX_ELEVATION, min(_MAX_ELEVATION, self.elevation + elevation))

    def pan(self, right: float, up: float) -> None:
        """Shift eye and target sideways, in heights of the picture at the target's distance."""
        height = 2 * self.distance * math.tan(math.radians(self.fov_deg) / 2)
        x, y, _ = self.axes()
        self.target = self.target + height * (right * x + up * y)

    def zoom(self, factor: float) -> None:
        """Multiply the distance by ``factor``, kept within 0.15 and 12 m."""
        self.distance = max(0.15, min(12.0, self.distance * factor))

    # -- matrices
    def view(self) -> np.ndarray:
        """(4, 4) world → camera (x right, y up, looking along −z)."""
        right, up, forward = self.axes()
        rotation = np.stack([right, up, -forward])
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation, -rotation @ self.eye
        return matrix

    def projection(self, aspect: float) -> np.ndarray:
        """(4, 4) camera → OpenGL clip coordinates, for a picture ``aspect`` times as wide as high."""
        f = 1 / math.tan(math.radians(self.fov_deg) / 2)
        n, far = self.near, self.far
        matrix = np.zeros((4, 4))
        matrix[0, 0], matrix[1, 1] = f / aspect, f
        matrix[2, 2], matrix[2, 3], matrix[3, 2] = (far + n) / (n - far), 2 * far * n / (n - far), -1.0
        return matrix

    # -- between picture and world
    def ray(self, x: float, y: float, width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
        """Origin (3,) and unit direction (3,), world, of the line of sight through pixel (x, y)."""
        right, up, forward = self.axes()
        half = math.tan(math.radians(self.fov_deg) / 2)
        direction = (
            forward + half * (2 * x / width - 1) * width / height * right + half * (1 - 2 * y / height) * up
        )
        return self.eye, direction / np.linalg.norm(direction)

    def project(self, points: np.ndarray, width: int, height: int) -> np.ndarray:
        """(N, 3) pixel x, pixel y and depth along the view (m; ≤ 0 is behind the eye) of points (N, 3)."""
        points = np.atleast_2d(np.asarray(points, float))
        camera = points @ self.view()[:3, :3].T + self.view()[:3, 3]
        depth = -camera[:, 2]
        scale = height / (2 * math.tan(math.radians(self.fov_deg) / 2)) / np.where(depth == 0, 1e-9, depth)
        return np.column_stack([width / 2 + scale * camera[:, 0], height / 2 - scale * camera[:, 1], depth])
