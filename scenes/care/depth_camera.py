"""A depth camera in a scene: depth image and coloured point cloud of the geometry that the eye sees.

Rays are cast (Open3D's RaycastingScene, Embree) at the scene's :class:`~scenes.visual.VisualModel` in its present
poses. PyBullet's own camera would see capsules and boxes, or through :class:`~scenes.care.tiny_render.TinyPicture` the
model with each triangle of the skin bound to a single bone and depth quantised by the projection; a cast ray meets the
blended skin itself, in float32, in no more time (``python -m benchmarks.perception`` prints both).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenes.base import SessionEnv
from scenes.care.point_cloud import PointCloud
from scenes.errors import InputError
from scenes.skinning import skin
from scenes.visual import CameraPreset, VisualModel

WIDTH, HEIGHT = 640, 480


@dataclass(frozen=True)
class DepthImage:
    """One exposure.

    Attributes:
        depth: (H, W) float32, m along the camera's axis; infinite where nothing was met.
        colors: (H, W, 3) uint8, sRGB, unlit; black where nothing was met.
        directions: (H, W, 3) float32, world: from the eye to the point of depth 1 under each pixel's middle.
        eye: (3,) m, world.
    """

    depth: np.ndarray
    colors: np.ndarray
    directions: np.ndarray
    eye: np.ndarray

    def cloud(self) -> PointCloud:
        """A point per pixel that met something, row by row."""
        met = np.isfinite(self.depth)
        points = self.eye + self.depth[met][:, None] * self.directions[met].astype(np.float64)
        return PointCloud(points.astype(np.float32), self.colors[met], self.eye)


class DepthCamera:
    """A pinhole depth camera.

    Args:
        model: what there is to see.
        view: where the camera stands and what it looks at; its field of view is the vertical one.
        width, height: pixels.
        noise_m: standard deviation of Gaussian noise on the depth, m.
        seed: of the noise; captures of one camera draw from one stream.

    Raises:
        InputError: a picture below 16 × 16, noise that is negative or not finite, or an eye on its target.
    """

    def __init__(
        self,
        model: VisualModel,
        view: CameraPreset,
        width: int = WIDTH,
        height: int = HEIGHT,
        noise_m: float = 0.0,
        seed: int = 0,
    ) -> None:
        if min(width, height) < 16:
            raise InputError("depth image", f"{width}x{height}", "16x16 or more")
        if not (math.isfinite(noise_m) and noise_m >= 0):
            raise InputError("noise_m", noise_m, "0 or more, in m")
        self.model, self.view, self.noise_m = model, view, float(noise_m)
        self._eye = np.array(view.eye, float)
        self._directions = pixel_directions(view, width, height)
        self._rng = np.random.default_rng(seed)

    def capture(self, poses: np.ndarray) -> DepthImage:
        """The scene with its frames at ``poses`` (K, 7)."""
        import open3d

        tensor = open3d.core.Tensor.from_numpy
        scene = open3d.t.geometry.RaycastingScene()
        scene.add_triangles(
            tensor(skin(self.model, poses).astype(np.float32)), tensor(self.model.faces.astype(np.uint32))
        )
        origins = np.broadcast_to(self._eye.astype(np.float32), self._directions.shape)
        hit = scene.cast_rays(tensor(np.concatenate([origins, self._directions], axis=-1)))
        depth = hit["t_hit"].numpy()  # directions reach depth 1, so the ray's parameter is the depth
        met = np.isfinite(depth)
        u, v = hit["primitive_uvs"].numpy()[met].T
        corners = self.model.faces[hit["primitive_ids"].numpy()[met]]
        mixed = np.einsum("nk,nkc->nc", np.stack([1 - u - v, u, v], 1), self.model.colors[corners])
        colors = np.zeros((*depth.shape, 3), np.uint8)
        colors[met] = np.clip(np.round(mixed), 0, 255)
        if self.noise_m > 0:
            depth = depth + self._rng.normal(0.0, self.noise_m, depth.shape).astype(np.float32)
        return DepthImage(depth, colors, self._directions, self._eye)


def scene_camera(
    scene: SessionEnv,
    name: str = "",
    width: int = WIDTH,
    height: int = HEIGHT,
    noise_m: float = 0.0,
    seed: int = 0,
) -> DepthCamera:
    """A depth camera where one of the scene's named views is (the first by default); the rest as :class:`DepthCamera`.

    Raises:
        InputError: no view of that name, or a scene that cannot be drawn.
    """
    try:
        model = scene.visual_model()
    except NotImplementedError:
        raise InputError("scene", type(scene).__name__, "a scene that can be drawn") from None
    for view in scene.cameras():
        if name in ("", view.name):
            return DepthCamera(model, view, width, height, noise_m, seed)
    raise InputError("camera", name, "one of " + ", ".join(view.name for view in scene.cameras()))


def pixel_directions(view: CameraPreset, width: int, height: int) -> np.ndarray:
    """(H, W, 3) float32, world: through each pixel's middle, of length 1 along the camera's axis. Pixel rows run down."""
    forward = np.subtract(view.target, view.eye).astype(float)
    distance = float(np.linalg.norm(forward))
    if distance < 1e-9:
        raise InputError("camera", view.name, "an eye away from its target")
    forward /= distance
    right = np.cross(forward, (0.0, 0.0, 1.0))
    if np.linalg.norm(right) < 1e-6:  # straight up or down: any way may be right
        right = np.array([1.0, 0.0, 0.0])
    right /= np.linalg.norm(right)
    up = np.cross(right, forward)
    half = math.tan(math.radians(view.fov_deg) / 2)
    x = half * (2 * (np.arange(width) + 0.5) - width) / height
    y = half * (height - 2 * (np.arange(height) + 0.5)) / height
    return (forward + x[None, :, None] * right + y[:, None, None] * up).astype(np.float32)
