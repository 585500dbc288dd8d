"""The person's surface: the body as a mesh, the closest point on it, and the patch of skin about a contact.

The body is what rides on the ``person/…`` frames of a scene's :class:`~scenes.visual.VisualModel`, clothes and hair
included. Its surface is not closed (faces that no light reaches are left out), so there is no inside: distances are
unsigned, and which side a point lies on is read off the outward normal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenes.errors import InputError
from scenes.latent import SurfacePoint
from scenes.skinning import frame_matrices, skin, skin_normals
from scenes.visual import VisualModel

#: Names of the frames that the person rides on begin so.
PERSON_PREFIX = "person/"
#: Edge of the pieces that a patch of skin is made of.
PIECE_M = 0.003


def body_of(model: VisualModel) -> VisualModel:
    """The person alone, on the same frames.

    Raises:
        InputError: there is no person in it.
    """
    frames = np.array([name.startswith(PERSON_PREFIX) for name in model.frames])
    on_person = (model.weights * frames[model.bones]).sum(1) > 0.5
    picked = on_person[model.faces].all(1)
    if not picked.any():
        raise InputError("visual model", ", ".join(model.frames), "one with a person/… frame")
    used, faces = np.unique(model.faces[picked], return_inverse=True)
    return VisualModel(
        frames=model.frames,
        vertices=model.vertices[used],
        normals=model.normals[used],
        colors=model.colors[used],
        faces=faces.reshape(-1, 3).astype(np.uint32),
        bones=model.bones[used],
        weights=model.weights[used],
        rest_poses=model.rest_poses,
        surface=model.surface[used],
        parts=model.parts,
    )


@dataclass(frozen=True)
class SurfacePoints:
    """N points on triangles of a body, as material points: they stay what they are while the body moves.

    Attributes:
        faces: (N,) triangle indices.
        weights: (N, 3) barycentric weights of the triangle's corners.
    """

    faces: np.ndarray
    weights: np.ndarray

    def of(self, body: VisualModel, values: np.ndarray) -> np.ndarray:
        """(N, C) float64: ``values`` (V, C) at the body's vertices, interpolated."""
        return np.einsum("nk,nkc->nc", self.weights, values[body.faces[self.faces]].astype(np.float64))

    def part_coordinates(self, body: VisualModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Index into ``body.parts`` (N,) int, −1 off the parts; axial (N,) and angle (N,), 0 there.

        On a triangle with corners off the part the corners on it decide.
        """
        corners = body.surface[body.faces[self.faces]]  # (N, 3 corners, part + 1 · axial · angle)
        labels = corners[:, :, 0].round().astype(int)
        nearest = np.argmax(self.weights, axis=1)
        part = labels[np.arange(len(labels)), nearest]
        weights = self.weights * (labels == part[:, None])
        weights = weights / weights.sum(1, keepdims=True)
        axial = (weights * corners[:, :, 1]).sum(1)
        # The angle closes on itself: mean the directions, not the numbers.
        angle = np.arctan2(
            (weights * np.sin(corners[:, :, 2])).sum(1), (weights * np.cos(corners[:, :, 2])).sum(1)
        )
        on = part > 0
        return part - 1, np.where(on, np.clip(axial, 0.0, 1.0), 0.0), np.where(on, angle, 0.0)


@dataclass(frozen=True)
class Closest:
    """Answers of :meth:`BodySurface.closest` for N points.

    Attributes:
        points: (N, 3) m, world: the closest points on the body.
        normals: (N, 3) outward unit normals there.
        distances: (N,) m, unsigned.
        outside: (N,) whether the point asked about lies on the side that the normal points to.
        on: the same points as material points of the body.
        part: (N,) index into the body's parts, −1 off them.
        axial, angle: (N,) coordinates on the part, as :class:`~scenes.latent.SurfacePoint` has them; 0 off the parts.
    """

    points: np.ndarray
    normals: np.ndarray
    distances: np.ndarray
    outside: np.ndarray
    on: SurfacePoints
    part: np.ndarray
    axial: np.ndarray
    angle: np.ndarray


@dataclass(frozen=True)
class Patch:
    """The skin within some distance of a contact, on the contact's side of the limb.

    Attributes:
        vertices: (M,) indices of the body's vertices in it.
        area: m².
        centre: (3,) m, world: its centre of area.
        normal: (3,) its mean outward unit normal.
    """

    vertices: np.ndarray
    area: float
    centre: np.ndarray
    normal: np.ndarray


class BodySurface:
    """A body at one moment.

    Args:
        body: of :func:`body_of`.
        poses: (K, 7) of its frames now.
    """

    def __init__(self, body: VisualModel, poses: np.ndarray) -> None:
        import open3d

        self.body = body
        self.vertices = skin(body, poses)  # (V, 3) m, world
        maps = frame_matrices(poses, body.rest_poses)
        self.normals = skin_normals(body.normals, body.bones, body.weights, maps)
        tensor = open3d.core.Tensor.from_numpy
        edges = self.vertices[body.faces] - self.vertices[np.roll(body.faces, 1, axis=1)]
        self._longest_edge = float(np.linalg.norm(edges, axis=2).max())
        self._scene = open3d.t.geometry.RaycastingScene()
        self._scene.add_triangles(
            tensor(self.vertices.astype(np.float32)), tensor(body.faces.astype(np.uint32))
        )

    def closest(self, points: np.ndarray) -> Closest:
        """For points (N, 3) m, world.

        Raises:
            InputError: not (N, 3), or not finite.
        """
        import open3d

        asked = np.atleast_2d(np.asarray(points, float))
        if asked.ndim != 2 or asked.shape[1] != 3 or not np.isfinite(asked).all():
            raise InputError("points", f"shape {np.shape(points)}", "finite numbers of shape (N, 3)")
        found = self._scene.compute_closest_points(
            open3d.core.Tensor.from_numpy(np.ascontiguousarray(asked, np.float32))
        )
        u, v = found["primitive_uvs"].numpy().astype(float).T
        on = SurfacePoints(found["primitive_ids"].numpy().astype(int), np.stack([1 - u - v, u, v], 1))
        nearest = on.of(self.body, self.vertices)
        normals = _unit(on.of(self.body, self.normals))
        away = asked - nearest
        part, axial, angle = on.part_coordinates(self.body)
        return Closest(
            points=nearest,
            normals=normals,
            distances=np.linalg.norm(away, axis=1),
            outside=(away * normals).sum(1) >= 0,
            on=on,
            part=part,
            axial=axial,
            angle=angle,
        )

    def surface_point(self, point: np.ndarray) -> SurfacePoint | None:
        """The point of the latent space under one contact (3,), or None off the parts."""
        found = self.closest(np.asarray(point))
        if found.part[0] < 0:
            return None
        return SurfacePoint(self.body.parts[found.part[0]], float(found.axial[0]), float(found.angle[0]))

    def patch(self, contact: np.ndarray, radius: float) -> Patch:
        """The skin within ``radius`` (m) of the point of the body closest to ``contact`` (3,).

        Skin that faces the other way is left out: through a thin limb it is near, but it is not touched.

        Raises:
            InputError: a radius that is not positive, or too small for a piece of skin of 3 mm to lie inside.
        """
        if not radius > 0:
            raise InputError("radius", radius, "above 0, in m")
        found = self.closest(np.asarray(contact))
        centre, normal = found.points[0], found.normals[0]
        distance = np.linalg.norm(self.vertices - centre, axis=1)
        corners = distance[self.body.faces]
        nearby = np.flatnonzero(corners.min(1) <= radius + self._longest_edge)
        pieces, areas = sample_surface(self.body, self.vertices, PIECE_M, nearby)
        at = pieces.of(self.body, self.vertices)
        facing = _unit(pieces.of(self.body, self.normals))
        inside = (np.linalg.norm(at - centre, axis=1) <= radius) & (facing @ normal > 0)
        area = float(areas[inside].sum())
        if area == 0:
            raise InputError("radius", radius, f"{PIECE_M} m or more")
        near = (distance <= radius) & (self.normals @ normal > 0)
        return Patch(
            vertices=np.flatnonzero(near),
            area=area,
            centre=areas[inside] @ at[inside] / area,
            normal=_unit(areas[inside] @ facing[inside]),
        )


def sample_surface(
    body: VisualModel, vertices: np.ndarray, spacing: float, faces: np.ndarray | None = None
) -> tuple[SurfacePoints, np.ndarray]:
    """Triangles cut into equal similar pieces with edges of at most ``spacing`` (m); the middle of each, and its area.

    Nothing is drawn at random: areas add up to the surface's, and the same body gives the same points.

    Args:
        vertices: (V, 3) m, for lengths and areas.
        faces: (M,) which triangles; by default all.

    Returns:
        N material points, and (N,) areas in m².
    """
    faces = np.arange(len(body.faces)) if faces is None else faces
    a, b, c = (vertices[body.faces[faces, k]] for k in range(3))
    longest = np.max([np.linalg.norm(p - q, axis=1) for p, q in ((a, b), (b, c), (c, a))], axis=0)
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    cuts = np.maximum(1, np.ceil(longest / spacing)).astype(int)
    owners, weights, areas = [], [], []
    for n in np.unique(cuts):
        mine, middles = faces[cuts == n], _middles(int(n))
        owners.append(np.repeat(mine, len(middles)))
        weights.append(np.tile(middles, (len(mine), 1)))
        areas.append(np.repeat(area[cuts == n] / len(middles), len(middles)))
    return SurfacePoints(np.concatenate(owners), np.concatenate(weights)), np.concatenate(areas)


def _middles(n: int) -> np.ndarray:
    """(n², 3) barycentric centres of the pieces of a triangle whose edges are cut into ``n``."""
    i, j = (grid.ravel() for grid in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    upright, inverted = i + j < n, i + j < n - 1
    first = np.concatenate([i[upright] + 1 / 3, i[inverted] + 2 / 3]) / n
    second = np.concatenate([j[upright] + 1 / 3, j[inverted] + 2 / 3]) / n
    return np.stack([first, second, 1 - first - second], 1)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
