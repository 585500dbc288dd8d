"""A start pose: the tool where a scene wants it, nothing touching anything.

Inverse kinematics from the robot's own seeds, then from ones scattered ever wider about them, so that the pose stays as
near to a natural one as the place allows. The first pose is taken that is clear of everything, from which every corner of
the cube of start positions is reached and clear too, and whose joints are free of their limits: an arm that starts at a
limit can go one way only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from scenes.care.chain import Kinematics

#: So many scattered seeds at most, and so many once some pose is known.
ATTEMPTS, ENOUGH = 60, 20
#: A joint this far from its limits is free, rad (metres count by the joint's lever).
FREE_RAD = 0.15
#: A pose has arrived within these: m, and entries of the rotation matrix; a corner of the cube within so many m.
NEAR_M, NEAR_TURN, NEAR_CORNER_M = 1e-4, 1e-3, 5e-4


def solve_start(
    kinematics: Kinematics,
    tip: np.ndarray,
    rotation: np.ndarray,
    spread: float,
    seeds: Sequence[np.ndarray],
    levers: np.ndarray,
    is_clear: Callable[[np.ndarray], bool],
) -> tuple[np.ndarray | None, str]:
    """Joint positions (n,) that bring the tool's tip to ``tip`` with ``rotation``, clear of everything.

    Args:
        spread: half-width (m) of the cube around ``tip`` in which episodes start.
        seeds, levers: of the robot, (n,): where to look first, and metres per radian of each joint.
        is_clear: whether the arm at given joint positions touches nothing.

    Returns:
        the positions (if no pose reaches every corner with free joints, the one that reaches most, and of those the one
        whose joints are freest), or None and what was in the way.
    """
    low, high = kinematics.chain.limits
    best, worth, wrong = None, (-1, 0.0), ""
    for attempt, start in enumerate(_starts(kinematics, seeds, levers)):
        if best is not None and attempt >= ENOUGH:
            break
        q, error = kinematics.solve(tip, rotation, start, 500)
        if error > NEAR_M or float(np.abs(kinematics.forward(q)[1] - rotation).max()) > NEAR_TURN:
            wrong = wrong or f"{1e3 * error:.0f} mm off"
            continue
        if not is_clear(q):
            wrong = "something is in the way"
            continue
        corners = _corners_reached(kinematics, tip, rotation, spread, q, is_clear)
        free = min(FREE_RAD, float((np.minimum(q - low, high - q) / levers).min()))
        if (corners, free) > worth:
            best, worth = q, (corners, free)
        if worth == (8, FREE_RAD):
            break
    return best, wrong


def _starts(kinematics: Kinematics, seeds: Sequence[np.ndarray], levers: np.ndarray) -> Iterator[np.ndarray]:
    """The seeds, then random ones about them in turn, wider and wider."""
    yield from seeds
    rng = np.random.default_rng(0)
    low, high = kinematics.chain.limits
    low, high = np.maximum(low, -math.pi), np.minimum(high, math.pi)
    for attempt in range(ATTEMPTS):
        wide = math.pi * (attempt + 1) / ATTEMPTS
        about = seeds[attempt % len(seeds)]
        yield np.clip(about + rng.uniform(-wide, wide, len(about)) * levers, low, high)


def _corners_reached(
    kinematics: Kinematics,
    tip: np.ndarray,
    rotation: np.ndarray,
    spread: float,
    q: np.ndarray,
    is_clear: Callable[[np.ndarray], bool],
) -> int:
    """Of the 8 corners of the cube of start positions, how many an episode could start from."""
    n = 0
    for corner in product((-spread, spread), repeat=3):
        there, error = kinematics.solve(tip + corner, rotation, q)
        n += error < NEAR_CORNER_M and is_clear(there)
    return n
