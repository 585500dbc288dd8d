"""Between two steps: the scene steps ten times a second, a film shows thirty pictures or more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dynamite.acting import Frame
from scenes.visual import Markers


def poses_between(a: np.ndarray, b: np.ndarray, weight: float) -> np.ndarray:
    """(K, 7) poses a share ``weight`` of the way from ``a`` to ``b``, both (K, 7).

    Positions go straight; quaternions by normalised interpolation the short way round (within a step of 0.1 s the
    difference to slerp is far below a pixel).
    """
    if weight <= 0.0:
        return a
    if weight >= 1.0:
        return b
    a64, b64 = a.astype(np.float64), b.astype(np.float64)
    # q and −q are one rotation: take the nearer one.
    side = np.where((a64[:, 3:] * b64[:, 3:]).sum(1, keepdims=True) < 0, -1.0, 1.0)
    mixed = (1 - weight) * a64 + weight * np.hstack([b64[:, :3], side * b64[:, 3:]])
    mixed[:, 3:] /= np.linalg.norm(mixed[:, 3:], axis=1, keepdims=True)
    return mixed.astype(np.float32)


def markers_between(a: Frame, b: Frame, weight: float) -> Markers | None:
    """The markers on the way from ``a`` to ``b``. A target that was replaced at ``b`` jumps there; a force fades."""
    if a.markers is None or b.markers is None or weight <= 0.0:
        return a.markers
    one, two = a.markers, b.markers

    def mix(p: np.ndarray | None, q: np.ndarray | None) -> np.ndarray | None:
        return p if p is None or q is None else (1 - weight) * p + weight * q

    mixed = replace(
        one,
        tool_tip=mix(one.tool_tip, two.tool_tip),
        force_at=mix(one.force_at, two.force_at),
        force=mix(one.force, two.force),
    )
    if b.changed or b.latent != a.latent:
        return mixed
    return replace(mixed, itch=mix(one.itch, two.itch), itch_normal=mix(one.itch_normal, two.itch_normal))
