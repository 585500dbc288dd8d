"""The sleeve: rings of points from the hoop to the cuff, the springs between them, and the skin that makes them cloth.

Rings are counted from the opening, which is sewn to the hoop, to the cuff, which hangs free. In the hoop's frame the
sleeve rests along −z, behind the direction in which it is drawn.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from scenes.care.cloth import Net, Springs
from scenes.care.shapes import Mesh, SkinnedMesh
from scenes.care.tools.hoop import CENTRE, RADIUS_M

#: Radius of each ring, m, and what lies between two rings.
RING_RADII = (RADIUS_M, 0.086, 0.081, 0.077, 0.074, 0.072, 0.072)
RING_GAP_M = 0.062
AROUND = 8
N_RINGS = len(RING_RADII)
MASS_KG = 0.04
#: Between a point and the skin.
THICKNESS_M = 0.006
FRICTION = 0.25
#: Stiffness, N/m: of a thread around and along, of a cell against shear, of the struts that keep a ring open, and against
#: bending. A hospital gown's cotton hangs limp with these and lets a hand find its way in.
AROUND_N_M, ALONG_N_M, SHEAR_N_M = 300.0, 100.0, 40.0
STRUT_N_M, BEND_N_M = 5.0, 3.0
#: The first rings after the opening are faced with stiffer cloth, so that it stands open before the hand.
COLLAR, COLLAR_BEND_N_M = 2, 40.0

FRAMES: tuple[str, ...] = tuple(f"sleeve/{r}.{k}" for r in range(1, N_RINGS) for k in range(AROUND))


@cache
def rest_points() -> np.ndarray:
    """(N_RINGS · AROUND, 3) m in the tool's frame, ring by ring."""
    angle = 2 * math.pi * np.arange(AROUND) / AROUND
    circle = np.stack([np.cos(angle), np.sin(angle), np.zeros(AROUND)], 1)
    rings = [
        np.array(CENTRE) + radius * circle - [0.0, 0.0, RING_GAP_M * r] for r, radius in enumerate(RING_RADII)
    ]
    points = np.concatenate(rings)
    points.flags.writeable = False
    return points


def springs() -> Springs:
    """Threads around and along, shear across each cell, and struts across each ring that keep it from folding."""
    pairs: list[tuple[int, int]] = []
    slack: list[float] = []
    stiffness: list[float] = []

    def add(a: int, b: int, push_below: float, newton_per_m: float) -> None:
        pairs.append((a, b))
        slack.append(push_below)
        stiffness.append(newton_per_m)

    def at(ring: int, k: int) -> int:
        return ring * AROUND + k % AROUND

    for r in range(1, N_RINGS):
        for k in range(AROUND):
            add(at(r, k), at(r, k + 1), 0.75, AROUND_N_M)
            add(at(r, k), at(r, k + 2), 0.65, STRUT_N_M)
            if k < AROUND // 2:
                add(at(r, k), at(r, k + AROUND // 2), 0.55, STRUT_N_M)
            push_below = 0.85 if r <= COLLAR else 0.5
            add(at(r - 1, k), at(r, k), push_below, ALONG_N_M)
            add(at(r - 1, k), at(r, k + 1), push_below, SHEAR_N_M)
            add(at(r - 1, k), at(r, k - 1), push_below, SHEAR_N_M)
            if r > 1:
                add(at(r - 2, k), at(r, k), 0.93, COLLAR_BEND_N_M if r <= COLLAR else BEND_N_M)
    ends = np.array(pairs)
    rest = rest_points()
    length = np.linalg.norm(rest[ends[:, 0]] - rest[ends[:, 1]], axis=1)
    return Springs(ends, length, np.array(slack), np.array(stiffness))


def samples() -> np.ndarray:
    """(S, N) the free points, and the middle of each cell between four."""
    rows: list[np.ndarray] = []

    def mean(*points: tuple[int, int]) -> None:
        row = np.zeros(N_RINGS * AROUND)
        for ring, k in points:
            row[ring * AROUND + k % AROUND] = 1 / len(points)
        rows.append(row)

    for r in range(1, N_RINGS):
        for k in range(AROUND):
            mean((r, k))
            mean((r - 1, k), (r, k), (r - 1, k + 1), (r, k + 1))
    return np.array(rows)


def sleeve_net(time_step: float) -> Net:
    """A sleeve whose opening is held."""
    return Net(N_RINGS * AROUND, AROUND, springs(), samples(), MASS_KG, time_step, THICKNESS_M, FRICTION)


# ------------------------------------------------------------------------------------------------ what is drawn
def frames_of(points: np.ndarray) -> np.ndarray:
    """(len(FRAMES), 7) position and quaternion of each free point's frame: along the ring, along the sleeve, out."""
    grid = points.reshape(N_RINGS, AROUND, 3)
    around = (np.roll(grid, -1, 1) - np.roll(grid, 1, 1))[1:]
    along = np.concatenate([grid[2:], grid[-1:]]) - grid[:-1]
    z = np.cross(around, along)
    x = around / np.linalg.norm(around, axis=2, keepdims=True)
    z -= np.einsum("rkj,rkj->rk", z, x)[:, :, None] * x
    z /= np.maximum(np.linalg.norm(z, axis=2, keepdims=True), 1e-9)
    rotations = np.stack([x, np.cross(z, x), z], -1).reshape(-1, 3, 3)
    return np.concatenate([points[AROUND:], _quaternions(rotations)], 1)


def _quaternions(m: np.ndarray) -> np.ndarray:
    """(K, 4) x, y, z, w of rotations (K, 3, 3), each by the largest of its four squares (Shepperd's method)."""
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    squares = np.stack([1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz, 1 + xx + yy + zz], 1)
    yx, zx, zy = m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1]
    wx, wy, wz = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    rows = np.stack([
        np.stack([squares[:, 0], yx, zx, wx], 1), np.stack([yx, squares[:, 1], zy, wy], 1),
        np.stack([zx, zy, squares[:, 2], wz], 1), np.stack([wx, wy, wz, squares[:, 3]], 1),
    ], 1)  # fmt: skip
    q = rows[np.arange(len(m)), squares.argmax(1)]
    return q / np.linalg.norm(q, axis=1, keepdims=True)


_FINE = 3  # mesh rows per ring, and columns per point
_CLOTH, _HEM, _LINING = (120, 178, 196), (86, 146, 170), (96, 150, 168)
_HALF_M = 0.0016
#: The cloth is drawn so far outside the net: between two of its points the arm is rounder than a thread.
_LIFT_M = 0.005


@cache
def sleeve_look() -> tuple[SkinnedMesh, ...]:
    """The cloth, two layers thick, over the frames of the points; its first ring rides on the hoop."""
    rows, columns = (N_RINGS - 1) * _FINE + 1, AROUND * _FINE
    u, v = np.meshgrid(np.arange(rows) / _FINE, np.arange(columns) / _FINE, indexing="ij")
    radius = np.interp(u, np.arange(N_RINGS), RING_RADII)
    slope = np.gradient(radius[:, 0])[:, None] / (RING_GAP_M / _FINE) * np.ones_like(radius)
    angle = 2 * math.pi * v / AROUND
    normal = np.stack([np.cos(angle), np.sin(angle), slope], -1)
    normal /= np.linalg.norm(normal, axis=2, keepdims=True)
    middle = np.array(CENTRE) + np.stack(
        [radius * np.cos(angle), radius * np.sin(angle), -RING_GAP_M * u], -1
    )
    middle += (_LIFT_M * np.minimum(u, 1.0))[:, :, None] * normal  # none at the hoop
    hem = (u > N_RINGS - 1.4) | (u < 0.4)
    thick = np.where(hem, 1.8, 1.0)[:, :, None] * _HALF_M

    ring = np.minimum(u.astype(int), N_RINGS - 2)
    point = v.astype(int)
    up, across = u - ring, v - point
    corners = [
        (0, 0, (1 - up) * (1 - across)), (1, 0, up * (1 - across)), (0, 1, (1 - up) * across), (1, 1, up * across),
    ]  # fmt: skip
    index = np.stack([(ring + i) * AROUND + (point + j) % AROUND for i, j, _ in corners], -1)
    bones = np.maximum(index - AROUND + 1, 0).reshape(-1, 4)  # 0: the hoop
    weights = np.stack([w for *_, w in corners], -1).reshape(-1, 4)

    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    c, d = a + columns, b + columns
    outer = np.stack([a, c, d, a, d, b], -1).reshape(-1, 3)
    n = rows * columns
    colors = np.where(hem[:, :, None], _HEM, _CLOTH)
    mesh = Mesh(
        np.concatenate([middle + thick * normal, middle - thick * normal]).reshape(-1, 3).astype(np.float32),
        np.concatenate([normal, -normal]).reshape(-1, 3).astype(np.float32),
        np.concatenate([colors.reshape(-1, 3), np.tile(_LINING, (n, 1))]).astype(np.uint8),
        np.concatenate([outer, outer[:, ::-1] + n]).astype(np.uint32),
    )
    return (
        SkinnedMesh(
            mesh,
            ("tool", *FRAMES),
            np.tile(bones, (2, 1)),
            np.tile(weights, (2, 1)).astype(np.float32),
            np.concatenate([[[0, 0, 0, 0, 0, 0, 1]], frames_of(rest_points())]).astype(np.float32),
        ),
    )
