"""TinyPicture: a scene drawn by PyBullet's own software rasteriser, where no OpenGL is to be had.

It needs nothing beyond PyBullet, and is what ``render_mode="rgb_array"`` uses. Every frame becomes one rigid body
(the person's skin rides on whichever frame moves it most), colours become a small palette texture.
"""

from __future__ import annotations

import os
import tempfile

import numpy as np
from PIL import Image

from scenes.care.world import p as bullet
from scenes.visual import VisualModel

Color = tuple[int, int, int]
_TOP, _BOTTOM = (58, 64, 76), (104, 112, 124)
_LIGHT = (-0.45, -0.52, 0.80)


class TinyPicture:
    """Draws one :class:`VisualModel` in a physics client of its own; close it when done."""

    def __init__(self, model: VisualModel) -> None:
        self.model = model
        self._client = bullet.connect(bullet.DIRECT)
        texture, uv = self._palette()
        dominant = model.bones[np.arange(len(model.bones)), np.argmax(model.weights, 1)]
        owner = dominant[model.faces[:, 0]]
        self._bodies: dict[int, int] = {}
        for frame in np.unique(owner):
            self._bodies[int(frame)] = self._body(int(frame), owner == frame, uv, texture)

    def _palette(self) -> tuple[int, np.ndarray]:
        """A texture of up to 256 colours, and each face's place in it (F, 2)."""
        model = self.model
        face_colors = model.colors[model.faces].astype(float).mean(1)
        image = Image.fromarray(np.round(face_colors).astype(np.uint8)[None])
        coded = image.quantize(256, method=Image.Quantize.MEDIANCUT)
        colors = np.array(coded.getpalette(), np.uint8).reshape(-1, 3)
        square = np.zeros((256, 3), np.uint8)
        square[: len(colors)] = colors[:256]
        index = np.asarray(coded)[0].astype(int)
        # a file, because that is the only way in; 8 pixels a colour, against interpolation at the edges
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "palette.png")
            Image.fromarray(square.reshape(16, 16, 3)).resize((128, 128), Image.Resampling.NEAREST).save(path)
            texture = bullet.loadTexture(path, physicsClientId=self._client)
        return texture, np.stack([(index % 16 + 0.5) / 16, 1 - (index // 16 + 0.5) / 16], 1)

    def _body(self, frame: int, mine: np.ndarray, uv: np.ndarray, texture: int) -> int:
        model = self.model
        faces, face_uv = model.faces[mine], uv[mine]
        corners = np.repeat(face_uv, 3, 0)
        key = np.column_stack([faces.ravel(), np.round(corners * 4096).astype(int)])
        _, first, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
        picked = faces.ravel()[first]
        rest = model.rest_poses[frame]
        position, turn = bullet.invertTransform(rest[:3].tolist(), rest[3:].tolist())
        rotation = np.array(bullet.getMatrixFromQuaternion(turn)).reshape(3, 3)
        shape = bullet.createVisualShape(
            bullet.GEOM_MESH,
            vertices=(model.vertices[picked] @ rotation.T + position).tolist(),
            normals=(model.normals[picked] @ rotation.T).tolist(),
            uvs=corners[first].tolist(),
            indices=inverse.ravel().tolist(),
            rgbaColor=(1, 1, 1, 1),
            specularColor=(0.1, 0.1, 0.1),
            physicsClientId=self._client,
        )
        body = bullet.createMultiBody(0, -1, shape, physicsClientId=self._client)
        bullet.changeVisualShape(body, -1, textureUniqueId=texture, physicsClientId=self._client)
        return body

    def draw(
        self,
        poses: np.ndarray,
        eye: tuple[float, float, float],
        target: tuple[float, float, float],
        fov_deg: float,
        width: int,
        height: int,
        shadow: bool = False,
        background: tuple[Color, Color] = (_TOP, _BOTTOM),
    ) -> np.ndarray:
        """(height, width, 3) uint8 of the frames at ``poses`` (K, 7), seen from ``eye`` (m, world).

        ``background`` runs from its first colour at the top to its second at the bottom.
        """
        for frame, body in self._bodies.items():
            pose = poses[frame].tolist()
            bullet.resetBasePositionAndOrientation(body, pose[:3], pose[3:], physicsClientId=self._client)
        view = bullet.computeViewMatrix(list(map(float, eye)), list(map(float, target)), (0, 0, 1))
        projection = bullet.computeProjectionMatrixFOV(float(fov_deg), width / height, 0.05, 12.0)
        _, _, color, _, owner = bullet.getCameraImage(
            width,
            height,
            view,
            projection,
            lightDirection=_LIGHT,
            lightColor=(1, 0.98, 0.95),
            lightAmbientCoeff=0.55,
            lightDiffuseCoeff=0.5,
            lightSpecularCoeff=0.15,
            shadow=int(shadow),
            renderer=bullet.ER_TINY_RENDERER,
            physicsClientId=self._client,
        )
        image = np.ascontiguousarray(np.asarray(color, np.uint8).reshape(height, width, 4)[:, :, :3])
        empty = np.asarray(owner).reshape(height, width) < 0
        ramp = np.linspace(*background, height)[:, None].astype(np.uint8)
        np.copyto(image, np.broadcast_to(ramp, image.shape), where=empty[:, :, None])
        return image

    def close(self) -> None:
        """Free the physics client; safe to call twice."""
        if self._client is not None:
            bullet.disconnect(physicsClientId=self._client)
            self._client = None
