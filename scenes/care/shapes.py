"""Meshes from primitives: rounded boxes, tubes, wheels and balls at low polygon counts, with smooth normals.

Every function returns a :class:`Mesh` in metres, faces counter-clockwise seen from outside. Low counts by
construction draw faster on a software rasteriser than a detailed model that was decimated.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

Color = tuple[int, int, int]
#: Three numbers: a tuple or an array.
Point = Sequence[float] | np.ndarray


@dataclass(frozen=True)
class Mesh:
    """V vertices (V, 3) float32 m, unit normals (V, 3) float32, sRGB colors (V, 3) uint8, faces (F, 3) uint32."""

    vertices: np.ndarray
    normals: np.ndarray
    colors: np.ndarray
    faces: np.ndarray

    def moved(self, position: Point = (0, 0, 0), rotation: np.ndarray | None = None) -> Mesh:
        """The mesh turned by ``rotation`` (3, 3), then shifted by ``position``."""
        turn = np.eye(3) if rotation is None else rotation
        vertices = (self.vertices @ turn.T + np.asarray(position)).astype(np.float32)
        return Mesh(vertices, (self.normals @ turn.T).astype(np.float32), self.colors, self.faces)

    def mirrored(self) -> Mesh:
        """The mesh with x → −x."""
        flip = np.array([-1, 1, 1], np.float32)
        return Mesh(self.vertices * flip, self.normals * flip, self.colors, self.faces[:, ::-1])


@dataclass(frozen=True)
class SkinnedMesh:
    """A mesh that bends with several frames, as cloth does.

    Attributes:
        mesh: in the coordinates of ``rest_poses``.
        frames: names of the frames; a name that the scene has already (``tool``) shares that frame.
        bones, weights: (V, 4) indices into ``frames``, and their shares; rows of weights sum to 1.
        rest_poses: (len(frames), 7) pose of each frame for which ``mesh`` is given.
    """

    mesh: Mesh
    frames: tuple[str, ...]
    bones: np.ndarray
    weights: np.ndarray
    rest_poses: np.ndarray


def merge(meshes: Iterable[Mesh]) -> Mesh:
    """One mesh of many."""
    meshes = list(meshes)
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes[:-1]])
    return Mesh(
        np.concatenate([mesh.vertices for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.colors for mesh in meshes]),
        np.concatenate([mesh.faces + np.uint32(s) for mesh, s in zip(meshes, starts, strict=True)]).astype(
            np.uint32
        ),
    )


def _mesh(vertices: np.ndarray, normals: np.ndarray, color: Color, faces: np.ndarray) -> Mesh:
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    flat = np.linalg.norm(np.cross(b - a, c - a), axis=1) < 1e-12  # triangles at poles and in caps
    return Mesh(
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(normals / np.maximum(length, 1e-12), np.float32),
        np.tile(np.array(color, np.uint8), (len(vertices), 1)),
        np.ascontiguousarray(faces[~flat], np.uint32),
    )


def rotation_between(a: Point, b: Point) -> np.ndarray:
    """The shortest rotation (3, 3) that turns direction ``a`` into direction ``b``."""
    start, end = (np.asarray(v, float) / np.linalg.norm(v) for v in (a, b))
    cross, cos = np.cross(start, end), float(start @ end)
    if cos < -1 + 1e-9:  # opposite: any half turn about a perpendicular axis
        axis = np.cross(start, np.eye(3)[int(np.argmin(np.abs(start)))])
        axis /= np.linalg.norm(axis)
        return 2 * np.outer(axis, axis) - np.eye(3)
    skew = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
    return np.eye(3) + skew + skew @ skew / (1 + cos)


def turn(axis: str, degrees: float) -> np.ndarray:
    """Right-handed rotation (3, 3) about ``"x"``, ``"y"`` or ``"z"``."""
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return {
        "x": np.array([[1, 0, 0], [0, c, -s], [0, s, c]]),
        "y": np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]),
        "z": np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]),
    }[axis]


def _grid_faces(rows: int, columns: int, wrap_rows: bool = False, wrap_columns: bool = False) -> np.ndarray:
    """Two triangles per cell of a (rows, columns) grid of vertices."""
    i, j = np.meshgrid(
        np.arange(rows - (not wrap_rows)), np.arange(columns - (not wrap_columns)), indexing="ij"
    )
    a = i * columns + j
    b = (i + 1) % rows * columns + j
    c = (i + 1) % rows * columns + (j + 1) % columns
    d = i * columns + (j + 1) % columns
    return np.stack([a, b, c, a, c, d], -1).reshape(-1, 3)


def rounded_box(centre: Point, half: Point, color: Color, bevel: float = 0.01) -> Mesh:
    """A box with edges rounded to radius ``bevel`` in two facets; 108 triangles."""
    h = np.asarray(half, float)
    r = min(bevel, 0.999 * float(h.min()))
    vertices: list[np.ndarray] = []
    normals: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        for sign in (1, -1):
            gu, gv = np.meshgrid(*([-h[k], r - h[k], h[k] - r, h[k]] for k in (u, v)), indexing="ij")
            p = np.empty((16, 3))
            p[:, axis], p[:, u], p[:, v] = sign * h[axis], gu.ravel(), gv.ravel()
            inner = np.clip(p, r - h, h - r)
            direction = p - inner
            direction /= np.linalg.norm(direction, axis=1, keepdims=True)
            quads = _grid_faces(4, 4)
            faces.append((quads if sign > 0 else quads[:, ::-1]) + 16 * len(vertices))
            vertices.append(inner + r * direction)
            normals.append(direction)
    points = np.concatenate(vertices) + np.asarray(centre)
    return _mesh(points, np.concatenate(normals), color, np.concatenate(faces))


def tube(
    points: Sequence[Point], radius: float, color: Color, sides: int = 8, bend: float = 0.0, caps: bool = True
) -> Mesh:
    """A tube along a polyline, its corners rounded off over ``bend`` metres, its ends closed by small domes."""
    path = _rounded_path(np.asarray(points, float), bend)
    tangents = np.gradient(path, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    frame = rotation_between((0, 0, 1), tangents[0])
    angle = 2 * math.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(sides)], 1)
    rows, normals = [], []
    if caps:
        rows += [path[:1].repeat(sides, 0) - 0.5 * radius * tangents[0]]
        normals += [np.tile(-tangents[0], (sides, 1))]
    for k, point in enumerate(path):
        if k:  # carry the frame along without twist
            frame = rotation_between(tangents[k - 1], tangents[k]) @ frame
        rows.append(point + radius * ring @ frame.T)
        normals.append(ring @ frame.T)
    if caps:
        rows += [path[-1:].repeat(sides, 0) + 0.5 * radius * tangents[-1]]
        normals += [np.tile(tangents[-1], (sides, 1))]
    faces = _grid_faces(len(rows), sides, wrap_columns=True)[:, ::-1]
    return _mesh(np.concatenate(rows), np.concatenate(normals), color, faces)


def _rounded_path(points: np.ndarray, bend: float) -> np.ndarray:
    if bend <= 0 or len(points) < 3:
        return points
    path = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = before - corner, after - corner
        reach = [min(bend, 0.49 * float(np.linalg.norm(v))) for v in (into, out)]
        start, end = (corner + r * v / np.linalg.norm(v) for r, v in zip(reach, (into, out), strict=True))
        for t in np.linspace(0, 1, 5):  # a quadratic Bézier arc
            path.append((1 - t) ** 2 * start + 2 * t * (1 - t) * corner + t**2 * end)
    return np.array([*path, points[-1]])


def lathe(
    profile: Sequence[tuple[float, float]],
    color: Color,
    sides: int = 24,
    axis: Point = (0, 0, 1),
    crease_deg: float = 0.0,
) -> Mesh:
    """A body of revolution: ``profile`` lists (radius, height) from bottom to top.

    Corners of the profile that turn by less than ``crease_deg`` are shaded round.
    """
    outline = np.asarray(profile, float)
    step = np.diff(outline, axis=0)
    slope = np.stack([step[:, 1], -step[:, 0]], 1)  # outward normal of each segment: (radial, axial)
    slope /= np.maximum(np.linalg.norm(slope, axis=1, keepdims=True), 1e-12)
    limit = math.cos(math.radians(crease_deg))

    def at_corner(own: int, other: int) -> np.ndarray:
        if 0 <= other < len(slope) and slope[own] @ slope[other] > limit:
            return slope[own] + slope[other]
        return slope[own]

    angle = 2 * math.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angle), np.sin(angle)], 1)
    vertices: list[np.ndarray] = []
    normals: list[np.ndarray] = []
    faces: list[np.ndarray] = []
    for k in range(len(slope)):
        for (radius, height), normal in zip(
            outline[k : k + 2], (at_corner(k, k - 1), at_corner(k, k + 1)), strict=True
        ):
            vertices.append(np.column_stack([radius * ring, np.full(sides, height)]))
            normals.append(np.column_stack([normal[0] * ring, np.full(sides, normal[1])]))
        faces.append(_grid_faces(2, sides, wrap_columns=True)[:, ::-1] + 2 * sides * k)
    mesh = _mesh(np.concatenate(vertices), np.concatenate(normals), color, np.concatenate(faces))
    return mesh.moved(rotation=rotation_between((0, 0, 1), axis))


def cylinder(a: Point, b: Point, radius: float, color: Color, sides: int = 16, bevel: float = 0.0) -> Mesh:
    """A cylinder from ``a`` to ``b`` with flat ends, their rims taken off by ``bevel``."""
    along = np.subtract(b, a)
    length = float(np.linalg.norm(along))
    profile = [
        (0.0, 0.0),
        (radius - bevel, 0.0),
        (radius, bevel),
        (radius, length - bevel),
        (radius - bevel, length),
    ]
    if bevel == 0:
        profile = [(0.0, 0.0), (radius, 0.0), (radius, length)]
    return lathe([*profile, (0.0, length)], color, sides, axis=along).moved(a)


def torus(
    centre: Point, axis: Point, major: float, minor: float, color: Color, around: int = 40, sides: int = 8
) -> Mesh:
    """A ring of radius ``major`` about ``axis``, its cross-section a circle of radius ``minor``."""
    phi = 2 * math.pi * np.arange(around) / around
    theta = 2 * math.pi * np.arange(sides) / sides
    p, t = np.meshgrid(phi, theta, indexing="ij")
    normals = np.stack([np.cos(p) * np.cos(t), np.sin(p) * np.cos(t), np.sin(t)], -1).reshape(-1, 3)
    spine = np.stack([np.cos(p), np.sin(p), np.zeros_like(p)], -1).reshape(-1, 3)
    mesh = _mesh(major * spine + minor * normals, normals, color, _grid_faces(around, sides, True, True))
    return mesh.moved(centre, rotation_between((0, 0, 1), axis))


def ball(centre: Point, radii: Point | float, color: Color, around: int = 16, rings: int = 9) -> Mesh:
    """An ellipsoid with semi-axes ``radii``."""
    semi = np.broadcast_to(np.asarray(radii, float), 3)
    polar = np.linspace(0, math.pi, rings)
    phi = 2 * math.pi * np.arange(around) / around
    a, p = np.meshgrid(polar, phi, indexing="ij")
    unit = np.stack([np.sin(a) * np.cos(p), np.sin(a) * np.sin(p), np.cos(a)], -1).reshape(-1, 3)
    faces = _grid_faces(rings, around, wrap_columns=True)
    return _mesh(unit * semi + np.asarray(centre), unit / semi, color, faces)


def cushion(centre: Point, half: Point, color: Color, around: int = 40, rings: int = 15) -> Mesh:
    """A stuffed cushion of half extents ``half``: nearly a rectangle from above, round at its seams, domed."""
    semi = np.asarray(half, float)
    polar = np.linspace(0, math.pi, rings)
    phi = 2 * math.pi * np.arange(around) / around
    a, p = np.meshgrid(polar, phi, indexing="ij")

    def bent(value: np.ndarray, power: float) -> np.ndarray:
        return np.sign(value) * np.abs(value) ** power

    flat, dome = 0.45, 0.9  # exponents of a superellipsoid
    ring = bent(np.sin(a), dome)
    unit = np.stack([ring * bent(np.cos(p), flat), ring * bent(np.sin(p), flat), bent(np.cos(a), dome)], -1)
    ring = bent(np.sin(a), 2 - dome)
    normal = np.stack(
        [ring * bent(np.cos(p), 2 - flat), ring * bent(np.sin(p), 2 - flat), bent(np.cos(a), 2 - dome)], -1
    )
    faces = _grid_faces(rings, around, wrap_columns=True)
    points, normals = unit.reshape(-1, 3) * semi + np.asarray(centre), normal.reshape(-1, 3) / semi
    return _mesh(points, normals, color, faces)
