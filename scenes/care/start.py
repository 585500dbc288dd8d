"""A start pose: the tool where a scene wants it, nothing touching anything.

Inverse kinematics from the robot's own seed, then from seeds scattered ever wider about it, so that the pose stays as
near to the natural one as the place allows; the first that arrives and is clear is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from scenes.care.chain import Kinematics

ATTEMPTS = 160
#: A pose counts as arrived within these, m and entries of the rotation matrix.
NEAR_M, NEAR_TURN = 1e-4, 1e-3


def solve_start(
    kinematics: Kinematics,
    tip: np.ndarray,
    rotation: np.ndarray,
    seed: np.ndarray,
    levers: np.ndarray,
    clear: Callable[[np.ndarray], bool],
) -> tuple[np.ndarray | None, str]:
    """Joint positions (n,) that bring the tool's tip to ``tip`` with ``rotation``, clear of everything.

    Args:
        seed, levers: of the robot, (n,): where to look first, and metres per radian of each joint.
        clear: whether the arm at given joint positions touches nothing.

    Returns:
        the positions, or None and what was wrong with the last pose.
    """
    rng = np.random.default_rng(0)
    low, high = kinematics.chain.limits
    low, high = np.maximum(low, -math.pi), np.minimum(high, math.pi)
    wrong = ""
    for attempt in range(ATTEMPTS):
        wide = math.pi * attempt / ATTEMPTS
        start = (
            seed if attempt == 0 else np.clip(seed + rng.uniform(-wide, wide, len(seed)) * levers, low, high)
        )
        q, error = kinematics.solve(tip, rotation, start, 500)
        turned = kinematics.forward(q)[1]
        if error > NEAR_M or float(np.abs(turned - rotation).max()) > NEAR_TURN:
            wrong = wrong or f"{1e3 * error:.0f} mm off"
        elif clear(q):
            return q, ""
        else:
            wrong = "something is in the way"
    return None, wrong
