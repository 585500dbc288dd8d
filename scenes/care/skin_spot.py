"""SkinSpot: a hidden point on the right arm's skin, and where it is now: it moves with the limb."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scenes.care.body import ARM_PARTS, surface_point
from scenes.care.chain import matrix_from_quaternion
from scenes.care.joints import MOVING_FRAMES
from scenes.care.size import BodySize
from scenes.latent import SurfacePoint

#: Links of the right arm whose frames lie at shoulder, elbow and wrist; the first two carry ARM_PARTS.
LANDMARKS: list[int] = [MOVING_FRAMES[name] for name in (*ARM_PARTS, "hand")]


class SkinSpot:
    """Attributes:
    position, normal: (3,) m and unit outwards, world, as last placed.
    """

    def __init__(self, size: BodySize, point: SurfacePoint) -> None:
        self._part = ARM_PARTS.index(point.part)
        self._local, self._outward = surface_point(size, point.part, point.axial, point.angle)
        self.position, self.normal = np.zeros(3), self._outward

    def place(self, frames: Sequence[tuple]) -> None:
        """Move it to where its limb is: position and quaternion of each of LANDMARKS, world."""
        at, quaternion = frames[self._part]
        rotation = matrix_from_quaternion(quaternion)
        self.position = rotation @ self._local + at
        self.normal = rotation @ self._outward
