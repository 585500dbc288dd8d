"""A surface with per-vertex attributes, and what the bake does to it: cut along level sets, rims, normals, occlusion."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Surface:
    """V vertices with attributes, F triangles.

    Attributes:
        at: (V, 3) posed position, m.
        rest: (V, 3) position in the A pose, where cuts are easiest to say.
        normal: (V, 3) unit, of the posed surface.
        weights: (V, W) skin weights.
        color: (V, 3) sRGB 0…255.
        part: (V,) index + 1 of the itchy part the vertex lies on, 0 elsewhere.
        faces: (F, 3).
        delta: (V, 3S) how far ``at`` moves, m, when the body has each of S other shapes.
        hair: (V, 1) 1 where it is hair that greys.
    """

    at: np.ndarray
    rest: np.ndarray
    normal: np.ndarray
    weights: np.ndarray
    color: np.ndarray
    part: np.ndarray
    faces: np.ndarray
    delta: np.ndarray
    hair: np.ndarray

    def keep(self, faces: np.ndarray) -> Surface:
        """Only the given faces, (n, 3) indices or (F,) mask, and the vertices they use."""
        faces = self.faces[faces] if faces.dtype == bool else faces
        used, inverse = np.unique(faces, return_inverse=True)
        fields = {k: getattr(self, k)[used] for k in FIELDS}
        return Surface(**fields, faces=inverse.reshape(-1, 3))

    def painted(self, color) -> Surface:
        return replace(self, color=np.broadcast_to(np.asarray(color, float), self.at.shape).copy())

    def on_part(self, index: int) -> Surface:
        return replace(self, part=np.full(len(self.at), index))

    def inflated(self, distance) -> Surface:
        """Moved along the normals by ``distance`` (m, a number or (V,))."""
        shift = np.broadcast_to(distance, len(self.at))[:, None] * self.normal
        return replace(self, at=self.at + shift)


#: What every vertex has, and what of it is interpolated along an edge.
SMOOTH = ("at", "rest", "normal", "weights", "color", "delta", "hair")
FIELDS = (*SMOOTH, "part")


def join(surfaces: list[Surface]) -> Surface:
    """One surface of many."""
    surfaces = [s for s in surfaces if len(s.faces)]
    starts = np.cumsum([0] + [len(s.at) for s in surfaces[:-1]])
    joined = {k: np.concatenate([getattr(s, k) for s in surfaces]) for k in FIELDS}
    faces = np.concatenate([s.faces + n for s, n in zip(surfaces, starts, strict=True)])
    return Surface(**joined, faces=faces)


def triangles(quads: np.ndarray) -> np.ndarray:
    """(F, 3) of quads (Q, 4); a quad that repeats a corner is one triangle."""
    both = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return both[(both[:, 0] != both[:, 1]) & (both[:, 1] != both[:, 2]) & (both[:, 0] != both[:, 2])]


def vertex_normals(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals, each face weighted by its angle at the vertex (so that quads split either way agree)."""
    normals = np.zeros_like(points)
    corners = points[faces]
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-15)
    for k in range(3):
        a, b = corners[:, (k + 1) % 3] - corners[:, k], corners[:, (k + 2) % 3] - corners[:, k]
        cos = (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-15)
        np.add.at(normals, faces[:, k], np.arccos(np.clip(cos, -1, 1))[:, None] * flat)
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def cut(surface: Surface, value: np.ndarray) -> tuple[Surface, Surface]:
    """Split along ``value`` (V,) = 0, straight through the triangles; returns (value > 0, value < 0)."""
    value = np.asarray(value, float).copy()
    faces = surface.faces
    # a crossing close to a vertex is moved onto it: no slivers
    for k in range(3):
        i, j = faces[:, k], faces[:, (k + 1) % 3]
        crossing = value[i] * value[j] < 0
        share = np.abs(value[i]) / np.maximum(np.abs(value[i]) + np.abs(value[j]), 1e-15)
        value[i[crossing & (share < 0.04)]] = 0.0
        value[j[crossing & (share > 0.96)]] = 0.0

    sign = np.sign(value).astype(int)
    s = sign[faces]
    plain_up, plain_down = (s >= 0).all(1) & (s > 0).any(1), (s <= 0).all(1)
    mixed = ~(plain_up | plain_down)

    new_edges: dict[tuple[int, int], int] = {}
    pairs: list[tuple[int, int]] = []

    def middle(i: int, j: int) -> int:
        key = (min(i, j), max(i, j))
        if key not in new_edges:
            new_edges[key] = len(value) + len(pairs)
            pairs.append(key)
        return new_edges[key]

    up: list[list[int]] = []
    down: list[list[int]] = []
    for face in faces[mixed].tolist():
        loop: list[tuple[int, int]] = []
        for k in range(3):
            i, j = face[k], face[(k + 1) % 3]
            loop.append((i, int(sign[i])))
            if sign[i] * sign[j] < 0:
                loop.append((middle(i, j), 0))
        for side, out in ((1, up), (-1, down)):
            kept = [v for v, g in loop if g * side >= 0]
            out += [[kept[0], kept[k], kept[k + 1]] for k in range(1, len(kept) - 1)]

    if pairs:
        ends = np.array(pairs)
        t = (value[ends[:, 0]] / (value[ends[:, 0]] - value[ends[:, 1]]))[:, None]

        def extended(x: np.ndarray) -> np.ndarray:
            return np.concatenate([x, (1 - t) * x[ends[:, 0]] + t * x[ends[:, 1]]])

        fields = {k: extended(getattr(surface, k)) for k in SMOOTH}
        fields["normal"] /= np.maximum(np.linalg.norm(fields["normal"], axis=1, keepdims=True), 1e-12)
        part = np.concatenate([surface.part, surface.part[ends[:, 0]]])
        surface = Surface(**fields, part=part, faces=faces)
    empty = np.zeros((0, 3), int)
    pieces = []
    for plain, extra in ((plain_up, up), (plain_down, down)):
        pieces.append(surface.keep(np.concatenate([faces[plain], np.array(extra, int) if extra else empty])))
    return pieces[0], pieces[1]


def rim(surface: Surface, near, depth: float, color) -> Surface:
    """A strip that folds inwards from those boundary edges whose both ends satisfy ``near`` (V,) bool: a hem."""
    edges = np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]], surface.faces[:, [2, 0]]])
    key = np.sort(edges, 1)
    _, first, count = np.unique(key, axis=0, return_index=True, return_counts=True)
    border = edges[first[count == 1]]
    border = border[np.asarray(near)[border].all(1)]
    i, j = border.T
    n = len(border)
    inward = surface.at.copy()
    used = np.unique(border)
    apart = np.linalg.norm(surface.at[used][:, None] - surface.at[used], axis=2)
    mean = (
        np.exp(-((apart / 0.02) ** 2)) @ surface.normal[used]
    )  # along the hem: one odd normal is a tooth in it
    inward[used] -= depth * mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    at = np.concatenate([surface.at[j], surface.at[i], inward[i], inward[j]])
    faces = np.concatenate([np.stack([np.arange(n) + a * n for a in t], 1) for t in ((0, 1, 2), (0, 2, 3))])
    pick = np.concatenate([j, i, i, j])
    fields = {k: getattr(surface, k)[pick] for k in FIELDS if k != "at"}
    strip = Surface(at=at, faces=faces, **fields)
    normal = vertex_normals(at, faces)
    return replace(strip, normal=normal).painted(color)


def occlusion(
    points: np.ndarray, normals: np.ndarray, blockers, n_rays: int = 96, reach: float = 0.6
) -> np.ndarray:
    """(V,) share of the sky each point sees, cosine-weighted, within ``reach`` m.

    Args:
        blockers: pairs of vertices (n, 3) and faces (m, 3) that stop light.
    """
    import open3d

    scene = open3d.t.geometry.RaycastingScene(nthreads=1)
    for vertices, faces in blockers:
        tensor = open3d.core.Tensor.from_numpy
        scene.add_triangles(tensor(vertices.astype(np.float32)), tensor(faces.astype(np.uint32)))
    k = np.arange(n_rays)
    r, phi = (
        np.sqrt((k + 0.5) / n_rays),
        k * np.pi * (3 - np.sqrt(5)),
    )  # a sunflower over the disc: cosine-weighted
    local = np.stack([r * np.cos(phi), r * np.sin(phi), np.sqrt(1 - r * r)], 1)
    side = np.cross(normals, np.where(np.abs(normals[:, :1]) < 0.8, [[1.0, 0, 0]], [[0, 1.0, 0]]))
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = np.cross(normals, side)
    seen = np.zeros(len(points))
    for direction in local:
        d = direction[0] * side + direction[1] * other + direction[2] * normals
        start = points + 0.0015 * normals + 0.001 * d
        rays = open3d.core.Tensor.from_numpy(np.hstack([start, d]).astype(np.float32))
        distance = scene.cast_rays(rays)["t_hit"].numpy()
        # a distant blocker takes less away than a near one
        seen += np.where(distance > reach, 1.0, 0.55 * np.minimum(distance, reach) / reach)
    return seen / n_rays


def smoothed(
    surface: Surface, where: np.ndarray, rounds: int, strength: float = 0.5, shrink: bool = True
) -> Surface:
    """Vertices moved towards the mean of their neighbours, ``where`` (V,) 0…1 says how much.

    Without ``shrink`` every second round moves them away again, a little further (Taubin 1995): detail goes, size stays.
    """
    edges = np.concatenate([surface.faces[:, [0, 1]], surface.faces[:, [1, 2]], surface.faces[:, [2, 0]]])
    edges = np.unique(np.sort(edges, 1), axis=0)
    i, j = np.concatenate([edges, edges[:, ::-1]]).T
    count = np.bincount(i, minlength=len(surface.at))[:, None]
    at, rest, delta = surface.at.copy(), surface.rest.copy(), surface.delta.copy()
    for k in range(rounds):
        step = strength if shrink or k % 2 == 0 else -1.04 * strength
        for field in (at, rest, delta):
            mean = np.zeros_like(field)
            np.add.at(mean, i, field[j])
            field += step * where[:, None] * np.where(count > 0, mean / np.maximum(count, 1) - field, 0)
    return replace(surface, at=at, rest=rest, delta=delta, normal=vertex_normals(at, surface.faces))


def rounded(surface: Surface, where: np.ndarray) -> Surface:
    """Every face whose corners are all in ``where`` (V,) split in four, the new vertices lifted onto a smooth surface.

    Phong tessellation (Boubekeur & Alexa 2008): an edge's middle is drawn to the tangent planes of its ends. Edges on
    the border of the region stay straight, and the faces beside them are split there too, so that no crack opens.
    """
    inside = where[surface.faces].all(1)
    faces = surface.faces[inside]
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), 1)
    unique, inverse, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    i, j = unique.T
    n, start = len(faces), len(surface.at)

    def middle(field: np.ndarray) -> np.ndarray:
        return np.concatenate([field, (field[i] + field[j]) / 2])

    at, normal = middle(surface.at), middle(surface.normal)
    flat = at[start:]
    pulled = [
        flat - ((flat - surface.at[k]) * surface.normal[k]).sum(1, keepdims=True) * surface.normal[k]
        for k in (i, j)
    ]
    lift = np.where(count[:, None] > 1, 0.75 * ((pulled[0] + pulled[1]) / 2 - flat), 0)
    at[start:] += lift
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    ab, bc, ca = (start + inverse.ravel()[k * n : (k + 1) * n] for k in range(3))
    a, b, c = faces.T
    quarter = np.concatenate([np.stack(t, 1) for t in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    fields = {k: middle(getattr(surface, k)) for k in SMOOTH} | {"at": at, "normal": normal}
    part = np.concatenate([surface.part, surface.part[i]])
    beside = _split_at(surface.faces[~inside], unique, start)
    return Surface(**fields, part=part, faces=np.concatenate([beside, quarter]))


def _split_at(faces: np.ndarray, edges: np.ndarray, start: int) -> np.ndarray:
    """Faces that have some of ``edges`` (E, 2), split at their middles, which are the vertices from ``start`` on."""
    middles = {(int(a), int(b)): start + k for k, (a, b) in enumerate(edges)}
    touched = np.isin(faces, edges).sum(1) >= 2
    pieces: list[list[int]] = []
    for face in faces[touched].tolist():
        on = [middles.get((min(a, b), max(a, b))) for a, b in zip(face, face[1:] + face[:1], strict=True)]
        loop = [v for corner, middle in zip(face, on, strict=True) for v in (corner, middle) if v is not None]
        # fan out from a middle, so that no piece is a line
        first = next((k for k, v in enumerate(loop) if v >= start), 0)
        loop = loop[first:] + loop[:first]
        pieces += [[loop[0], loop[k], loop[k + 1]] for k in range(1, len(loop) - 1)]
    return np.concatenate([faces[~touched], np.array(pieces, int).reshape(-1, 3)])
