"""What a MuJoCo scene looks like: as a mesh for the window and for films, and in MuJoCo's own picture.

Frames are MuJoCo's bodies, ``world`` first, each at rest in its own coordinates. The ground is a plate of ours on ``world``:
it moves under a runner, who is drawn in place and stays before a camera that stands still.
"""

from __future__ import annotations

import importlib
import math
import os
import sys
from typing import Any

import numpy as np

from scenes.care.shapes import Color, Mesh, ball, lathe, merge, rounded_box
from scenes.errors import InputError
from scenes.visual import VisualModel

PICTURE_SIZE = (640, 480)
TRACK_M = 40  # to either side of the start: more than a half-cheetah runs in an episode
GROUND: Color = (84, 90, 102)
MARK: Color = (150, 158, 172)
FIVE: Color = (214, 148, 62)


def plate(half_m: float) -> Mesh:
    """A square ground; its top is at z = 0."""
    return rounded_box((0, 0, -0.01), (half_m, half_m, 0.01), GROUND, bevel=0.001)


def track() -> Mesh:
    """A ground to run on, with a mark each metre and a coloured one each five."""
    ground = rounded_box((0, 0, -0.01), (TRACK_M + 1, 0.7, 0.01), GROUND, bevel=0.001)
    marks = [
        rounded_box((metre, 0, 0), (0.02, 0.65, 0.002), MARK if metre % 5 else FIVE, bevel=0.001)
        for metre in range(-TRACK_M, TRACK_M + 1)
    ]
    return merge([ground, *marks])


def build_visual_model(mujoco: Any, model: Any, ground: Mesh, hidden: tuple[str, ...] = ()) -> VisualModel:
    """The visible geometry of a MuJoCo model, on a ground of ours instead of its planes.

    Args:
        mujoco: the package. model: an MjModel.
        ground: what the bodies stand on, in the world's coordinates.
        hidden: bodies not to be drawn, such as a target that a marker shows instead.

    Raises:
        ValueError: a kind of geometry that is not known here.
    """
    frames = tuple(model.body(i).name for i in range(model.nbody))
    meshes: list[Mesh] = []
    owners: list[np.ndarray] = []

    def add(mesh: Mesh, body: int) -> None:
        meshes.append(mesh)
        owners.append(np.full(len(mesh.vertices), body, np.uint8))

    for i in range(model.ngeom):
        kind, body = int(model.geom_type[i]), int(model.geom_bodyid[i])
        if kind == mujoco.mjtGeom.mjGEOM_PLANE or frames[body] in hidden:
            continue
        red, green, blue = (round(255 * float(share)) for share in model.geom_rgba[i, :3])
        turn = np.empty(9)
        mujoco.mju_quat2Mat(turn, model.geom_quat[i])
        shape = _primitive(mujoco, kind, model.geom_size[i], (red, green, blue))
        add(shape.moved(model.geom_pos[i], turn.reshape(3, 3)), body)
    add(ground, 0)

    whole, owner = merge(meshes), np.concatenate(owners)
    bones, weights = np.zeros((len(owner), 4), np.uint8), np.zeros((len(owner), 4), np.float32)
    bones[:, 0], weights[:, 0] = owner, 1.0
    rest = np.tile(np.array([0, 0, 0, 0, 0, 0, 1], np.float32), (len(frames), 1))
    return VisualModel(
        frames=frames,
        vertices=whole.vertices,
        normals=whole.normals,
        colors=whole.colors,
        faces=whole.faces,
        bones=bones,
        weights=weights,
        rest_poses=rest,
        surface=np.zeros((len(owner), 3), np.float32),
    )


def body_poses(mujoco: Any, model: Any, qpos: np.ndarray) -> np.ndarray:
    """(nbody, 7) float32 position and quaternion (x, y, z, w) of every body for joint positions ``qpos``."""
    shown = mujoco.MjData(model)  # not the scene's own: looking must not touch what the next step starts from
    shown.qpos[:] = qpos
    mujoco.mj_kinematics(model, shown)
    return np.concatenate([shown.xpos, shown.xquat[:, 1:], shown.xquat[:, :1]], 1, dtype=np.float32)


def _primitive(mujoco: Any, kind: int, size: np.ndarray, color: Color) -> Mesh:
    """A MuJoCo primitive along its own z axis; ``size`` is (radius, half-length, …)."""
    radius, half = float(size[0]), float(size[1])
    if kind == mujoco.mjtGeom.mjGEOM_SPHERE:
        return ball((0, 0, 0), radius, color)
    if kind == mujoco.mjtGeom.mjGEOM_CYLINDER:
        return lathe([(0, -half), (radius, -half), (radius, half), (0, half)], color)
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        dome = [(radius * math.cos(a), radius * math.sin(a)) for a in np.linspace(0, math.pi / 2, 5)]
        outline = [(r, -half - z) for r, z in reversed(dome)] + [(r, half + z) for r, z in dome]
        return lathe(outline, color, sides=16, crease_deg=60)
    raise ValueError(f"MuJoCo geometry of kind {kind}")


class Picture:
    """MuJoCo's own picture of a model, off screen.

    Raises:
        InputError: no OpenGL context can be made.
    """

    def __init__(self, mujoco: Any, model: Any, above_m: float | None) -> None:
        width, height = PICTURE_SIZE
        backend = os.environ.get("MUJOCO_GL") or {"linux": "egl", "darwin": "cgl"}.get(sys.platform, "glfw")
        self._mujoco, self._model = mujoco, model
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        try:
            self._context = importlib.import_module(f"mujoco.{backend}").GLContext(width, height)
            self._context.make_current()
            self._buffers = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        except Exception as error:  # each backend fails in its own way: import, loading, context, framebuffer
            reason = f"no picture by {backend} ({type(error).__name__})"
            raise InputError(
                "render_mode", reason, "with OpenGL: MUJOCO_GL=egl (libegl1) or osmesa (libosmesa6)"
            ) from None
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._buffers)
        self._scene, self._options = mujoco.MjvScene(model, maxgeom=1000), mujoco.MjvOption()
        # A mirroring floor costs most of a picture's time where there is no GPU.
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._camera = mujoco.MjvCamera()
        if above_m is None:
            self._camera.type, self._camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        else:
            self._camera.azimuth, self._camera.elevation, self._camera.distance = 90.0, -90.0, above_m

    def draw(self, data: Any) -> np.ndarray:
        """(H, W, 3) uint8 of the present state."""
        mujoco, (width, height) = self._mujoco, PICTURE_SIZE
        self._context.make_current()
        shown = mujoco.MjData(self._model)  # as in body_poses
        shown.qpos[:] = data.qpos
        mujoco.mj_forward(self._model, shown)
        mujoco.mjv_updateScene(
            self._model, shown, self._options, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        viewport, pixels = mujoco.MjrRect(0, 0, width, height), np.empty((height, width, 3), np.uint8)
        mujoco.mjr_render(viewport, self._scene, self._buffers)
        mujoco.mjr_readPixels(pixels, None, viewport, self._buffers)
        return np.ascontiguousarray(pixels[::-1])

    def close(self) -> None:
        self._buffers.free()
        self._context.free()
