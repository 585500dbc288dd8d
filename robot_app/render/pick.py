"""What lies under a pixel: the posed skin, ray-cast, gives back a point of the latent space.

Skinning is done on the CPU (a few ms) and only when somebody clicks; Open3D, slow to import, is loaded then.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from robot_app.render.camera import OrbitCamera
from scenes.latent import SurfacePoint
from scenes.skinning import skin
from scenes.visual import VisualModel

#: Pixels from a click within which skin is meant; and where is looked, the click itself first.
REACH = 14
AROUND = (
    (0.0, 0.0),
    *(
        (radius * math.cos(k * math.pi / 6), radius * math.sin(k * math.pi / 6))
        for radius in (REACH / 3, 2 * REACH / 3, REACH)
        for k in range(12)
    ),
)


class Picker:
    """Answers clicks on one :class:`VisualModel`; keeps the last pose's search tree."""

    def __init__(self, model: VisualModel) -> None:
        self.model = model
        self._poses: np.ndarray | None = None
        self._scene: Any = None

    def _cast(self, poses: np.ndarray, camera: OrbitCamera, x: float, y: float, width: int, height: int):
        import open3d

        tensor = open3d.core.Tensor.from_numpy
        if self._poses is None or not np.array_equal(self._poses, poses):
            scene = open3d.t.geometry.RaycastingScene(nthreads=1)
            scene.add_triangles(
                tensor(skin(self.model, poses).astype(np.float32)), tensor(self.model.faces.copy())
            )
            self._scene, self._poses = scene, np.array(poses)
        origin, direction = camera.ray(x, y, width, height)
        ray = np.concatenate([origin, direction]).astype(np.float32)[None]
        return self._scene.cast_rays(tensor(ray)), origin, direction

    def pick(
        self, poses: np.ndarray, camera: OrbitCamera, x: float, y: float, width: int, height: int
    ) -> SurfacePoint | None:
        """The surface point under pixel (x, y) of a width × height picture, or None.

        None where the line of sight first meets anything else: background, clothes off the parts, the robot.
        """
        hit, _, _ = self._cast(poses, camera, x, y, width, height)
        if not math.isfinite(float(hit["t_hit"].numpy()[0])):
            return None
        corners = self.model.faces[int(hit["primitive_ids"].numpy()[0])]
        u, v = hit["primitive_uvs"].numpy()[0]
        weight = np.array([1 - u - v, u, v])
        part, axial, angle = self.model.surface[corners].T
        index = round(float(part[0]))
        if index < 1 or np.ptp(part) > 0.01 or index > len(self.model.parts):
            return None
        # the angle closes on itself: mean the directions, not the numbers
        around = math.atan2(float(weight @ np.sin(angle)), float(weight @ np.cos(angle)))
        return SurfacePoint(self.model.parts[index - 1], float(np.clip(weight @ axial, 0, 1)), around)

    def nearest(
        self, poses: np.ndarray, camera: OrbitCamera, x: float, y: float, width: int, height: int
    ) -> SurfacePoint | None:
        """As :meth:`pick`; where nothing lies there, what lies nearest within :data:`REACH` pixels: an arm is thin."""
        for dx, dy in AROUND:
            found = self.pick(poses, camera, x + dx, y + dy, width, height)
            if found is not None:
                return found
        return None

    def point(self, poses: np.ndarray, camera: OrbitCamera, x: float, y: float, width: int, height: int):
        """(3,) m, world: where the line of sight first meets the scene, or None."""
        hit, origin, direction = self._cast(poses, camera, x, y, width, height)
        distance = float(hit["t_hit"].numpy()[0])
        return origin + distance * direction if math.isfinite(distance) else None
