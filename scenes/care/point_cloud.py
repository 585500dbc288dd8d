"""PointCloud, and the PLY files of clouds and bodies (binary, little-endian), as MeshLab and Open3D read them.

Open3D writes the files. It takes a second to import, so it is imported where it is needed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scenes.care.quiet import quietly
from scenes.errors import InputError
from scenes.skinning import frame_matrices, skin, skin_normals
from scenes.visual import VisualModel


@dataclass(frozen=True)
class PointCloud:
    """What a depth camera saw.

    Attributes:
        points: (N, 3) float32, m, world.
        colors: (N, 3) uint8, sRGB.
        eye: (3,) m, world: where the camera stood.
    """

    points: np.ndarray
    colors: np.ndarray
    eye: np.ndarray

    def __len__(self) -> int:
        return len(self.points)


def write_cloud(path: str | Path, cloud: PointCloud) -> None:
    """One vertex per point: float x, y, z and uchar red, green, blue.

    Raises:
        InputError: the file cannot be written; what was there before is untouched.
    """
    import open3d

    tensor = open3d.core.Tensor.from_numpy
    made = open3d.t.geometry.PointCloud(tensor(np.ascontiguousarray(cloud.points, np.float32)))
    made.point.colors = tensor(np.ascontiguousarray(cloud.colors, np.uint8))
    _write(Path(path), 15 * len(cloud), lambda file: open3d.t.io.write_point_cloud(file, made))


def write_body(path: str | Path, body: VisualModel, poses: np.ndarray) -> None:
    """A mesh with normals and colours, its frames at ``poses`` (K, 7): a person, or a whole scene.

    Raises:
        InputError: the file cannot be written; what was there before is untouched.
    """
    import open3d

    maps = frame_matrices(poses, body.rest_poses)
    mesh = open3d.geometry.TriangleMesh(
        open3d.utility.Vector3dVector(skin(body, poses)),
        open3d.utility.Vector3iVector(body.faces.astype(np.int32)),
    )
    normals = skin_normals(body.normals, body.bones, body.weights, maps)
    mesh.vertex_normals = open3d.utility.Vector3dVector(normals)
    mesh.vertex_colors = open3d.utility.Vector3dVector(body.colors / 255.0)
    n_bytes = 51 * len(body.vertices) + 13 * len(body.faces)
    _write(Path(path), n_bytes, lambda file: open3d.io.write_triangle_mesh(file, mesh))


def _write(path: Path, n_bytes: int, save: Callable[[Path], Any]) -> None:
    """Beside the target first, so that a full disk leaves no half file.

    Open3D answers False where it fails, and not always: a file of fewer than ``n_bytes`` has failed too.
    """
    if path.suffix.lower() != ".ply":
        raise InputError("PLY file", str(path), "a name that ends in .ply")
    partial = path.with_name(f".{path.stem}.partial.ply")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()  # says in the system's words why not, where not
        with quietly():  # what its C library prints is said below, in one line
            written = save(partial)
        if not written or partial.stat().st_size < n_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        partial.replace(path)
    except OSError as error:
        raise InputError("PLY file", str(path), f"a path that can be written ({error.strerror})") from None
    finally:
        with suppress(OSError):
            partial.unlink()
