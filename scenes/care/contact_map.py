"""Where on the person how much force acts: per segment, and per patch of the arm's skin.

The arm's patches are a grid of axial × angle cells on each part, the coordinates of :class:`scenes.latent.SurfacePoint`, so
that a map of forces lies beside a map of belief.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from scenes.care.body import ARM_PARTS, surface_coordinates
from scenes.care.chain import matrix_from_quaternion
from scenes.care.contact import Contact
from scenes.care.size import BodySize

#: Cells of a patch grid along a part and about it.
GRID = (8, 12)


def force_by_segment(
    contacts: Iterable[Contact], segment_of: Mapping[tuple[int, int], str]
) -> dict[str, float]:
    """Segment → normal force in N; segments that nothing touches are left out.

    Args:
        contacts: :meth:`scenes.care.world.World.contacts` of the robot.
        segment_of: (body, link) → segment, of the person's bodies.
    """
    forces: dict[str, float] = {}
    for contact in contacts:
        segment = segment_of.get((contact.body, contact.link))
        if segment is not None:
            forces[segment] = forces.get(segment, 0.0) + contact.force
    return forces


def force_by_patch(
    contacts: Iterable[Contact],
    segment_of: Mapping[tuple[int, int], str],
    frames: Mapping[str, tuple[np.ndarray, np.ndarray]],
    size: BodySize,
) -> dict[str, np.ndarray]:
    """Part of the arm → (axial cells, angle cells) normal forces in N.

    Args:
        frames: part → position (3,) and quaternion (4,) of its frame, world.
    """
    maps = {part: np.zeros(GRID) for part in ARM_PARTS if part in frames}
    for contact in contacts:
        part = segment_of.get((contact.body, contact.link))
        if part not in maps:
            continue
        position, quaternion = frames[part]
        local = matrix_from_quaternion(np.asarray(quaternion)).T @ np.subtract(contact.position, position)
        axial, angle = surface_coordinates(size, part, local)
        row = min(int(axial * GRID[0]), GRID[0] - 1)
        column = int((angle + math.pi) / (2 * math.pi) * GRID[1]) % GRID[1]
        maps[part][row, column] += contact.force
    return maps
