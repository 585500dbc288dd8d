"""TinyRenderer: the draw() of LiveRenderer without OpenGL; PyBullet's rasteriser, marks drawn on top by Pillow.

Slow (a quarter of a second at 720p) and plainer: the belief is a field of dots instead of a smooth map.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from dynamite.belief import PointPosterior
from robot_app.render.camera import OrbitCamera
from robot_app.render.heat import heat_texture, ramp
from robot_app.render.theme import theme as theme_named
from scenes.errors import InputError
from scenes.skinning import skin
from scenes.visual import Markers, VisualModel

FORCE_SCALE, FORCE_MIN, FORCE_MAX = 0.022, 0.05, 0.30
ITCH_RADIUS = 0.020


class TinyRenderer:
    """Same arguments and pictures as :class:`robot_app.render.live.LiveRenderer`, without OpenGL."""

    def __init__(
        self,
        model: VisualModel,
        width: int,
        height: int,
        *,
        supersample: int = 1,
        shadow: bool = False,
        theme: str = "dark",
    ) -> None:
        from scenes.care.tiny_render import TinyPicture

        self.model, self.shadow = model, shadow
        self.supersample = max(1, int(supersample))
        self.set_theme(theme)
        self.resize(width, height)
        self._picture = TinyPicture(model)
        self._on_skin = np.flatnonzero(model.surface[:, 0] > 0.5)

    def resize(self, width: int, height: int) -> None:
        if width < 16 or height < 16:
            raise InputError("picture size", f"{width}x{height}", "16x16 or more")
        self.width, self.height = int(width), int(height)

    def set_theme(self, theme: str) -> None:
        self.theme = theme_named(theme)

    def close(self) -> None:
        self._picture.close()

    def __enter__(self) -> TinyRenderer:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def draw(
        self,
        poses: np.ndarray,
        camera: OrbitCamera,
        *,
        markers: Markers | None = None,
        heat: PointPosterior | None = None,
        show_truth: bool = True,
        show_heat: bool = True,
        show_force: bool = True,
    ) -> np.ndarray:
        """(height, width, 3) uint8, contiguous; see :meth:`robot_app.render.live.LiveRenderer.draw`."""
        n, markers = self.supersample, markers or Markers()
        size = (n * self.width, n * self.height)
        background = (_rgb(self.theme.top), _rgb(self.theme.bottom))
        raw = self._picture.draw(
            poses, tuple(camera.eye), tuple(camera.target), camera.fov_deg, *size, self.shadow, background
        )
        image = Image.fromarray(raw)
        if n > 1:
            image = image.resize((self.width, self.height), Image.Resampling.BOX)
        canvas = ImageDraw.Draw(image, "RGBA")
        if show_heat and heat is not None:
            self._draw_heat(canvas, poses, camera, heat)
        if show_truth and markers.itch is not None and markers.itch_normal is not None:
            self._draw_ring(canvas, camera, np.asarray(markers.itch), np.asarray(markers.itch_normal))
        if show_force and markers.force is not None and markers.force_at is not None:
            self._draw_arrow(canvas, camera, np.asarray(markers.force_at), np.asarray(markers.force))
        return np.array(image)

    def _draw_heat(
        self, canvas: ImageDraw.ImageDraw, poses, camera: OrbitCamera, heat: PointPosterior
    ) -> None:
        values, _ = heat_texture(heat.grid)
        parts, axial, angle = values.shape
        surface = self.model.surface[self._on_skin]
        row = np.clip((surface[:, 1] * axial).astype(int), 0, axial - 1)
        column = ((surface[:, 2] / (2 * np.pi) + 0.5) * angle).astype(int) % angle
        value = values[np.clip(surface[:, 0].astype(int) - 1, 0, parts - 1), row, column]
        points = skin(self.model, poses)[self._on_skin]
        centre = np.zeros_like(points)  # outward is away from the middle of the limb's cross-section
        section = (10 * surface[:, 0] + np.clip(surface[:, 1] * 6, 0, 5)).astype(int)
        for key in np.unique(section):
            centre[section == key] = points[section == key].mean(0)
        facing = ((points - centre) * (camera.eye - points)).sum(1) > 0
        pixels = camera.project(points, self.width, self.height)
        colors = ramp(64)
        for (x, y, depth), v in zip(pixels[facing], value[facing], strict=True):
            if v > 0.08 and depth > 0:
                r = max(1.5, 0.0045 * self._scale(camera) / depth)
                canvas.ellipse(
                    (x - r, y - r, x + r, y + r), fill=(*colors[int(63 * v)].tolist(), int(60 + 150 * v))
                )

    def _scale(self, camera: OrbitCamera) -> float:
        return self.height / (2 * np.tan(np.radians(camera.fov_deg) / 2))

    def _draw_ring(
        self, canvas: ImageDraw.ImageDraw, camera: OrbitCamera, at: np.ndarray, normal: np.ndarray
    ) -> None:
        side = np.cross(normal, [0.0, 0.0, 1.0] if abs(normal[2]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        angle = np.linspace(0, 2 * np.pi, 37)[:, None]
        circle = at + ITCH_RADIUS * (np.cos(angle) * side + np.sin(angle) * np.cross(normal, side))
        path = [tuple(p[:2]) for p in camera.project(circle, self.width, self.height)]
        seen = float(normal @ (camera.eye - at)) > 0
        width = max(2, self.height // 240)
        canvas.line(path, fill=(20, 18, 18, 255 if seen else 90), width=width + 2)
        canvas.line(path, fill=(255, 248, 236, 255 if seen else 120), width=width)

    def _draw_arrow(
        self, canvas: ImageDraw.ImageDraw, camera: OrbitCamera, at: np.ndarray, force: np.ndarray
    ) -> None:
        newton = float(np.linalg.norm(force))
        if newton < 1e-3:
            return
        start = at - force / newton * min(FORCE_MAX, max(FORCE_MIN, FORCE_SCALE * newton))
        tail, tip = (p[:2] for p in camera.project(np.stack([start, at]), self.width, self.height))
        along = tip - tail
        length = float(np.linalg.norm(along))
        if length < 1:
            return
        color = _rgb(self.theme.arrow)
        along /= length
        across, head = np.array([-along[1], along[0]]), min(14.0, 0.4 * length)
        neck = tip - head * along
        canvas.line([tuple(tail), tuple(neck)], fill=color, width=max(2, self.height // 180))
        canvas.polygon(
            [tuple(tip), tuple(neck + 0.45 * head * across), tuple(neck - 0.45 * head * across)], fill=color
        )


def _rgb(color: tuple[float, float, float]) -> tuple[int, int, int]:
    red, green, blue = (int(255 * value) for value in color)
    return red, green, blue
