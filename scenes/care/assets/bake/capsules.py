"""Few capsules around a cloud of surface points: the collision shapes of a robot's link."""

from __future__ import annotations

import numpy as np

Capsule = tuple[np.ndarray, np.ndarray, float]
#: Share of a capsule's points that lie inside it: corners of brackets and covers stick out by millimetres.
INSIDE = 0.94
#: A further capsule must save this share of the volume.
SAVING = 0.22


def fit(points: np.ndarray, most: int = 2, seed: int = 0) -> list[Capsule]:
    """At most ``most`` capsules (a, b, radius; m) around ``points`` (N, 3)."""
    rng = np.random.default_rng(seed)
    best = [_one(points)]
    for n in range(2, most + 1):
        trials = [_several(points, n, rng) for _ in range(6)]
        found = min((t for t in trials if t), key=_volume, default=None)
        if found is None or _volume(found) > (1 - SAVING) * _volume(best):
            break
        best = found
    return best


def _one(points: np.ndarray) -> Capsule:
    """Along the principal axis, or the one of the three that gives the least volume."""
    centre = (points.max(0) + points.min(0)) / 2
    _, _, axes = np.linalg.svd(points - points.mean(0), full_matrices=False)
    return min((_along(points, axis) for axis in (*axes, *np.eye(3))), key=lambda c: _volume([c])) if len(points) else (
        centre, centre, 0.0
    )  # fmt: skip


def _along(points: np.ndarray, axis: np.ndarray) -> Capsule:
    along = points @ axis
    across = points - np.outer(along, axis)
    middle = across.mean(0)
    for _ in range(25):  # towards the middle of the smallest enclosing circle
        offsets = across - middle
        middle = middle + 0.1 * offsets[np.argmax(np.linalg.norm(offsets, axis=1))]
    radius = float(np.quantile(np.linalg.norm(across - middle, axis=1), INSIDE))
    low, high = np.quantile(along, [0.004, 0.996])
    # Ends are domes: the axis stops short by part of the radius, so that flat ends stick out a little
    short = min(0.75 * radius, (high - low) / 2)
    return middle + axis * (low + short), middle + axis * (high - short), radius


def _several(points: np.ndarray, n: int, rng: np.random.Generator) -> list[Capsule] | None:
    labels = np.argmin(
        np.linalg.norm(points[:, None] - points[rng.choice(len(points), n, replace=False)][None], axis=2),
        axis=1,
    )
    capsules: list[Capsule] = []
    for _ in range(15):
        groups = [points[labels == k] for k in range(n)]
        if min(len(g) for g in groups) < 40:
            return None
        capsules = [_one(g) for g in groups]
        new = np.argmin(np.stack([_distance(points, c) - c[2] for c in capsules]), axis=0)
        if (new == labels).all():
            break
        labels = new
    return capsules


def _distance(points: np.ndarray, capsule: Capsule) -> np.ndarray:
    a, b, _ = capsule
    d = b - a
    t = np.clip((points - a) @ d / max(d @ d, 1e-12), 0, 1)
    return np.linalg.norm(points - a - t[:, None] * d, axis=1)


def _volume(capsules: list[Capsule]) -> float:
    return sum(float(np.pi * r**2 * (np.linalg.norm(b - a) + 4 / 3 * r)) for a, b, r in capsules)
