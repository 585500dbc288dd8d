"""LiveRenderer: a scene drawn by OpenGL without a screen, fast enough on a software rasteriser.

What makes it fast there: one merged vertex buffer, one draw call, skinning in the vertex shader with all frames in
one uniform buffer, back-face culling, a cheap fragment shader and no multisampling. The picture is drawn top row
first, so that reading it back needs no flip.
"""

from __future__ import annotations

import math
from importlib import resources
from typing import Any

import moderngl
import numpy as np

from dynamite.belief import PointPosterior
from robot_app.render.camera import OrbitCamera
from robot_app.render.geometry import arrow_matrix, arrow_mesh, ring_matrix, ring_mesh
from robot_app.render.heat import heat_texture, ramp
from robot_app.render.packing import contact_shadow, paintable_first, vertex_data, vertex_layout
from robot_app.render.targets import Targets
from robot_app.render.theme import theme as theme_named
from scenes.errors import InputError
from scenes.skinning import frame_matrices
from scenes.visual import Markers, VisualModel

MAX_FRAMES = 128
#: How far the arrow of a contact force reaches: m per N, and its bounds in m.
FORCE_SCALE, FORCE_MIN, FORCE_MAX = 0.022, 0.05, 0.30
ITCH_RADIUS = 0.020
_KEY = np.array([-0.45, -0.52, 0.80]) / np.linalg.norm([-0.45, -0.52, 0.80])
_SCENE_CENTRE = np.array([-0.15, -0.15, 0.55])
_FLOOR_RADIUS = 2.4
_SHADOW_SIZE = 1024
_CONTACT_SIZE = 192
#: Top row of the picture first: y turned over in clip coordinates.
_TOP_FIRST = np.diag([1.0, -1.0, 1.0, 1.0])


class LiveRenderer:
    """Draws one :class:`VisualModel`; use it from the thread that made it, and close it.

    Args:
        model: what to draw.
        width, height: of the picture, pixels.
        supersample: samples along each side of a pixel; 1 is fast, 2 is smooth.
        smooth: soften the stairs along edges of a picture that is not supersampled, for a fraction of the price.
        shadow: cast shadows with the key light.
        theme: ``"dark"`` or ``"light"``.

    Raises:
        InputError: a size below 16, or an unknown theme.
        Exception: whatever OpenGL says where no EGL context can be had.
    """

    def __init__(
        self,
        model: VisualModel,
        width: int,
        height: int,
        *,
        supersample: int = 1,
        smooth: bool = False,
        shadow: bool = False,
        theme: str = "dark",
    ) -> None:
        if len(model.frames) > MAX_FRAMES:
            raise InputError("visual model frames", len(model.frames), f"up to {MAX_FRAMES}")
        self.model, self.theme = model, theme_named(theme)
        self.supersample, self.shadow = max(1, int(supersample)), bool(shadow)
        self._finishes = bool(smooth) or self.supersample > 1
        options: dict[str, Any] = {"backend": "egl", "libegl": "libEGL.so.1", "libgl": "libGL.so.1"}
        self.context: Any = moderngl.create_context(standalone=True, **options)
        self._make_programs()
        self._make_buffers()
        self._targets = Targets(self.context, self.supersample, self._finishes)
        self._contact: Any = None
        self._heat_key: object = None
        self._heat_texture: Any = None
        self._heat_levels = (2.0, 2.0)
        self._ramp = self.context.texture((64, 1), 3, ramp(64).tobytes(), alignment=1)
        self._ramp.repeat_x = self._ramp.repeat_y = False
        self.resize(width, height)

    # ------------------------------------------------------------------------------------------------- set-up
    def _program(self, vertex: str, fragment: str, *defines: str) -> moderngl.Program:
        def source(name: str) -> str:
            text = (resources.files("robot_app.render") / "shaders" / f"{name}.glsl").read_text("utf-8")
            return text.replace(
                "#version 330", "\n".join(["#version 330", *(f"#define {d}" for d in defines)]), 1
            )

        return self.context.program(source(vertex), source(fragment))

    def _make_programs(self) -> None:
        shadow = ("SHADOW",) if self.shadow else ()
        self._plain = self._program("scene.vert", "scene.frag", *shadow)
        self._paint = self._program("scene.vert", "scene.frag", "PAINT", *shadow)
        self._back = self._program("back.vert", "back.frag", *shadow)
        self._marker = self._program("marker.vert", "marker.frag")
        self._depth = self._program("scene.vert", "depth.frag")
        self._finish = self._program("finish.vert", "resolve.frag" if self.supersample > 1 else "edges.frag")

    def _make_buffers(self) -> None:
        model, context = self.model, self.context
        faces, self._n_painted = paintable_first(model)
        self._vertices = context.buffer(vertex_data(model).tobytes())
        self._faces = context.buffer(faces.tobytes())
        self._rows = context.buffer(reserve=MAX_FRAMES * 48)

        def array(program: moderngl.Program) -> moderngl.VertexArray:
            content = [(self._vertices, *vertex_layout(program))]
            return context.vertex_array(program, content, self._faces, index_element_size=4)

        self._plain_array, self._paint_array, self._depth_array = map(
            array, (self._plain, self._paint, self._depth)
        )
        self._back_array = context.vertex_array(self._back, [])
        self._finish_array = context.vertex_array(self._finish, [])
        self._marker_arrays = {}
        for name, (vertices, normals, faces) in {"arrow": arrow_mesh(), "ring": ring_mesh()}.items():
            data = context.buffer(np.hstack([vertices, normals]).astype("f4").tobytes())
            index = context.buffer(faces.astype("u4").tobytes())
            content = [(data, "3f 3f", "in_position", "in_normal")]
            self._marker_arrays[name] = context.vertex_array(self._marker, content, index)
        if self.shadow:
            self._shadow_depth = context.depth_texture((_SHADOW_SIZE, _SHADOW_SIZE))
            self._shadow_depth.repeat_x = self._shadow_depth.repeat_y = False
            self._shadow_depth.filter = moderngl.LINEAR, moderngl.LINEAR
            self._shadow_target = context.framebuffer(depth_attachment=self._shadow_depth)

    def resize(self, width: int, height: int) -> None:
        """Give the picture another size (pixels)."""
        if width < 16 or height < 16:
            raise InputError("picture size", f"{width}x{height}", "16x16 or more")
        self.width, self.height = int(width), int(height)
        with self.context:
            self._target = self._targets.of(self.width, self.height)

    def set_theme(self, theme: str) -> None:
        """Draw with another theme from now on."""
        self.theme = theme_named(theme)

    def close(self) -> None:
        """Give the context and all it holds back; safe to call twice."""
        if self.context is not None:
            self.context.release()
            self.context = None

    def __enter__(self) -> LiveRenderer:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------ drawing
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
        """One picture.

        Args:
            poses: (K, 7) of the model's frames, see :class:`VisualModel`.
            camera: where to look from.
            markers: the true itch, the contact force.
            heat: the belief to paint on the skin.
            show_truth, show_heat, show_force: what of those to draw.

        Returns:
            (height, width, 3) uint8, contiguous, top row first.
        """
        with self.context:  # made the current one: there may be other renderers
            return self._picture(
                poses, camera, markers or Markers(), heat if show_heat else None, show_truth, show_force
            )

    def _picture(self, poses, camera, markers, heat, show_truth, show_force) -> np.ndarray:
        self._rows.write(frame_matrices(poses, self.model.rest_poses).astype("f4").tobytes())
        self._rows.bind_to_uniform_block(0)
        light = self._light_projection()
        if self._contact is None:
            self._contact = self._make_contact()
        if self.shadow:
            self._draw_shadow(light)

        self._draw_back(camera, light)
        self._target.scene.use()
        context = self.context
        context.viewport = (0, 0, *self._target.fine.size)
        context.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        context.front_face = "cw"  # because the picture is drawn top row first
        context.depth_func = "<"
        projection = _TOP_FIRST @ camera.projection(self.width / self.height) @ camera.view()
        self._draw_scene(projection, light, camera, markers, heat, show_truth)
        if show_truth or show_force:
            self._draw_markers(projection, camera, markers, show_truth, show_force)
        if self._finishes:
            self._target.result.use()
            context.viewport = (0, 0, self.width, self.height)
            context.disable(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
            self._target.fine.use(0)
            values = {"fine": 0, "n": self.supersample, "pixel": (1 / self.width, 1 / self.height)}
            for name, value in values.items():
                _set(self._finish, name, value)
            self._finish_array.render(moderngl.TRIANGLES, 3)
        image = np.empty((self.height, self.width, 3), np.uint8)
        self._target.result.read_into(image, components=3, alignment=1)
        return image

    def _draw_scene(self, projection, light, camera, markers, heat, show_truth) -> None:
        colors = self.theme
        values = {
            "eye": camera.eye, "key": _KEY, "sky": colors.sky, "ground": colors.ground,
            "key_color": colors.key, "rim_color": colors.rim,
        }  # fmt: skip
        for program in (self._plain, self._paint):
            _matrix(program, "view_projection", projection)
            _matrix(program, "light_projection", light)
            for name, value in values.items():
                _set(program, name, value)
            self._use_shadow(program)
        itch = markers.itch if show_truth else None
        normal = markers.itch_normal if itch is not None and markers.itch_normal is not None else (0, 0, 1)
        _set(self._paint, "itch", (0, 0, 0, 0) if itch is None else (*itch, ITCH_RADIUS))
        _set(self._paint, "itch_normal", normal)
        _set(self._paint, "heat_on", float(heat is not None))
        if heat is not None:
            self._load_heat(heat)
            _set(self._paint, "heat_levels", self._heat_levels)
        if self._heat_texture is not None:
            self._heat_texture.use(1)
        self._ramp.use(2)
        _set(self._paint, "heat", 1)
        _set(self._paint, "ramp", 2)
        if self._n_painted:
            self._paint_array.render(vertices=self._n_painted)
        self._plain_array.render(first=self._n_painted)

    def _draw_back(self, camera: OrbitCamera, light: np.ndarray) -> None:
        """Clear to background and floor; they are drawn anew only when the view changes, else copied."""
        key = (*camera.eye, *camera.target, camera.fov_deg, self.theme.name)
        if self.shadow or key != self._target.back_key:
            self._target.back.use()
            self.context.viewport = (0, 0, *self._target.fine.size)
            self.context.enable_only(0)
            self._draw_floor(camera, light)
            self._target.back_key = key
        self._target.scene.clear(depth=1.0)
        self.context.copy_framebuffer(self._target.scene, self._target.back)

    def _draw_floor(self, camera: OrbitCamera, light: np.ndarray) -> None:
        colors, program = self.theme, self._back
        right, up, forward = camera.axes()
        half = math.tan(math.radians(camera.fov_deg) / 2)
        self._contact.use(4)
        values = {
            "eye": camera.eye, "forward": forward, "right": half * self.width / self.height * right, "up": half * up,
            "top": colors.top, "bottom": colors.bottom, "floor_color": colors.floor, "line_color": colors.line,
            "floor_centre": _SCENE_CENTRE[:2], "floor_radius": _FLOOR_RADIUS, "shade": colors.shade, "contact": 4,
        }  # fmt: skip
        for name, value in values.items():
            _set(program, name, value)
        if self.shadow:
            _matrix(program, "light_projection", light)
        self._use_shadow(program)
        self._back_array.render(moderngl.TRIANGLES, 3)

    def _draw_markers(self, projection, camera, markers, show_truth, show_force) -> None:
        """The force arrow; and the itch's ring where the body hides it: both show through, faintly."""
        jobs = []
        if show_force and markers.force is not None and markers.force_at is not None:
            newton = float(np.linalg.norm(markers.force))
            if newton > 1e-3:
                length = min(FORCE_MAX, max(FORCE_MIN, FORCE_SCALE * newton))
                place = arrow_matrix(np.asarray(markers.force_at), np.asarray(markers.force) / newton, length)
                jobs.append(("arrow", place, self.theme.arrow, True))
        if show_truth and markers.itch is not None and markers.itch_normal is not None:
            place = ring_matrix(np.asarray(markers.itch), np.asarray(markers.itch_normal), ITCH_RADIUS)
            jobs.append(("ring", place, (1.0, 0.97, 0.92), False))
        if not jobs:
            return
        context = self.context
        context.enable(moderngl.BLEND)
        context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
        self._target.scene.depth_mask = False
        _matrix(self._marker, "view_projection", projection)
        _set(self._marker, "eye", camera.eye)
        for name, place, color, visible in jobs:
            _matrix(self._marker, "place", place)
            for function, alpha in ((">", 0.38), ("<", 1.0))[: 2 if visible else 1]:
                context.depth_func = function
                _set(self._marker, "tint", (*color, alpha))
                self._marker_arrays[name].render()
        self._target.scene.depth_mask = True
        context.disable(moderngl.BLEND)

    def _load_heat(self, heat: PointPosterior) -> None:
        if heat is self._heat_key:
            return
        values, self._heat_levels = heat_texture(heat.grid)
        parts, axial, angle = values.shape
        size = (angle, axial, parts)
        if self._heat_texture is None or self._heat_texture.size != size:
            if self._heat_texture is not None:
                self._heat_texture.release()
            self._heat_texture = self.context.texture_array(size, 1, dtype="f4")
            self._heat_texture.filter = moderngl.LINEAR, moderngl.LINEAR
            self._heat_texture.repeat_x, self._heat_texture.repeat_y = (
                True,
                False,
            )  # the angle closes on itself
        self._heat_texture.write(values.tobytes())
        self._heat_key = heat

    # ------------------------------------------------------------------------------------------------ shadows
    def _light_projection(self) -> np.ndarray:
        """(4, 4) orthographic, a ball of 1.25 m about the scene's centre seen from the key light."""
        side = np.cross([0, 0, 1], _KEY)
        side /= np.linalg.norm(side)
        rotation = np.stack([side, np.cross(_KEY, side), _KEY])
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = rotation, -rotation @ _SCENE_CENTRE
        return np.diag([1 / 1.25, 1 / 1.25, -1 / 1.6, 1.0]) @ matrix

    def _draw_shadow(self, light: np.ndarray) -> None:
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        self.context.viewport = (0, 0, _SHADOW_SIZE, _SHADOW_SIZE)
        self.context.enable_only(moderngl.DEPTH_TEST)
        self.context.depth_func = "<"
        _matrix(self._depth, "view_projection", light)
        self._shadow_depth.compare_func = ""
        self._depth_array.render()

    def _use_shadow(self, program: moderngl.Program) -> None:
        if self.shadow:
            self._shadow_depth.compare_func = "<="
            self._shadow_depth.use(3)
            _set(program, "shadow_map", 3)
            _set(program, "texel", 1.0 / _SHADOW_SIZE)

    def _make_contact(self) -> moderngl.Texture:
        """Darkness of the floor under what stands on it: the scene seen from below, blurred more the higher it is."""
        n = _CONTACT_SIZE
        scale = 1 / _FLOOR_RADIUS
        matrix = np.diag([scale, scale, 1.0, 1.0])  # z = 0…1.5 m → −1…1, from below
        matrix[:2, 3] = -scale * _SCENE_CENTRE[:2]
        matrix[2, 2], matrix[2, 3] = 2 / 1.5, -1.0
        depth = self.context.depth_texture((n, n))
        target = self.context.framebuffer(depth_attachment=depth)
        target.use()
        target.clear(depth=1.0)
        self.context.viewport = (0, 0, n, n)
        self.context.enable_only(moderngl.DEPTH_TEST)
        self.context.depth_func = "<"
        _matrix(self._depth, "view_projection", matrix)
        self._depth_array.render()
        height = 1.5 * np.frombuffer(depth.read(alignment=1), np.float32).reshape(n, n)
        target.release()
        depth.release()
        dark = contact_shadow(height, 2 * _FLOOR_RADIUS / n)
        texture = self.context.texture((n, n), 1, dark.tobytes(), alignment=1)
        texture.repeat_x = texture.repeat_y = False
        return texture


def _set(program: moderngl.Program, name: str, value) -> None:
    """Set a uniform, unless the compiler dropped it as unused."""
    uniform: Any = program[name] if name in program else None  # noqa: SIM401 - a Program has no get() that tells
    if uniform is not None:
        uniform.value = tuple(float(v) for v in value) if np.ndim(value) else value


def _matrix(program: moderngl.Program, name: str, matrix: np.ndarray) -> None:
    uniform: Any = program[name] if name in program else None  # noqa: SIM401
    if uniform is not None:
        uniform.write(matrix.T.astype("f4").tobytes())
