"""How much of a region of skin a wiper has covered, weighted by area, while the limb moves under it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenes.care.body_surface import sample_surface
from scenes.errors import InputError
from scenes.skinning import frame_matrices, skin_normals, skin_points
from scenes.visual import VisualModel


@dataclass(frozen=True)
class SkinRegion:
    """A piece of a body part's skin.

    Attributes:
        part: name of one of the body's parts.
        axial: from, to, shares of the part's length, within 0–1.
        angle: from, to in rad, counted the way angles rise; it may run through ±π. All round where 2π or more apart.
    """

    part: str
    axial: tuple[float, float] = (0.0, 1.0)
    angle: tuple[float, float] = (-math.pi, math.pi)

    def holds(self, axial: np.ndarray, angle: np.ndarray) -> np.ndarray:
        """(N,) whether coordinates on the part lie in the region."""
        low, high = self.angle
        around = (angle - low) % (2 * math.pi) <= high - low
        if high - low >= 2 * math.pi - 1e-9:
            around = np.ones(np.shape(angle), bool)
        return (axial >= self.axial[0]) & (axial <= self.axial[1]) & around


class WipingCoverage:
    """Counts skin once it has been within ``radius`` of a contact.

    The skin is kept as small pieces that ride on the body's frames, so that what was wiped stays wiped wherever the
    arm moves. A contact is first moved onto the skin, because contacts happen on the physics' capsules (up to a
    centimetre off it); skin that faces away from it, through a thin limb, is not covered.

    Args:
        body: of :func:`~scenes.care.body_surface.body_of`.
        regions: what there is to wipe; overlaps count once.
        radius: m.
        spacing: longest edge of a piece, m.

    Raises:
        InputError: an unknown part, bounds in the wrong order, a region without skin, or a radius that is not positive.
    """

    def __init__(
        self, body: VisualModel, regions: tuple[SkinRegion, ...], radius: float, spacing: float = 0.005
    ) -> None:
        if not radius > 0:
            raise InputError("radius", radius, "above 0, in m")
        self.body, self.regions, self.radius = body, regions, float(radius)
        on_parts = np.flatnonzero((body.surface[body.faces, 0] > 0.5).any(1))
        points, areas = sample_surface(body, body.vertices, spacing, on_parts)
        part, axial, angle = points.part_coordinates(body)
        wanted = np.zeros(len(areas), bool)
        for i, region in enumerate(regions):
            mine = part == _part_index(body, region, f"regions[{i}]")
            wanted |= mine & region.holds(axial, angle)
        if not wanted.any():
            raise InputError("regions", regions, "some skin")
        # A piece moves as the corner nearest to it does: at most one triangle's share of a joint's bend off.
        corner = body.faces[points.faces, np.argmax(points.weights, axis=1)]
        self._bones, self._weights = body.bones[corner], body.weights[corner]
        self._rest, self._rest_normals = points.of(body, body.vertices), points.of(body, body.normals)
        self._wanted = wanted
        self._areas = np.where(wanted, areas, 0.0)
        self.area = float(self._areas.sum())
        self.reset()

    def reset(self) -> None:
        """Nothing is wiped."""
        self._covered = np.zeros(len(self._areas), bool)

    @property
    def fraction(self) -> float:
        """Share of the regions' area covered so far, 0–1."""
        return float(self._areas[self._covered].sum() / self.area)

    def wipe(self, poses: np.ndarray, contacts: np.ndarray) -> float:
        """Cover what is about ``contacts`` (N, 3) m, world, with the body's frames at ``poses`` (K, 7).

        Contacts further than ``radius`` from the skin of the parts do nothing.

        Returns:
            The share of the area that is newly covered.

        Raises:
            InputError: contacts that are not (N, 3) finite numbers.
        """
        contacts = np.atleast_2d(np.asarray(contacts, float))
        if contacts.size == 0:
            return 0.0
        if contacts.ndim != 2 or contacts.shape[1] != 3 or not np.isfinite(contacts).all():
            raise InputError("contacts", f"shape {contacts.shape}", "finite numbers of shape (N, 3)")
        before = self.fraction
        at, normals = self._skin(poses)
        for contact in contacts:
            distance = np.linalg.norm(at - contact, axis=1)
            nearest = int(np.argmin(distance))
            if distance[nearest] <= self.radius:
                may = np.flatnonzero(distance <= 2 * self.radius)
                near = np.linalg.norm(at[may] - at[nearest], axis=1) <= self.radius
                self._covered[may[near & (normals[may] @ normals[nearest] > 0)]] = True
        return self.fraction - before

    def pieces(self, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The regions' pieces of skin now: (N, 3) m, world, and (N,) whether each is covered; for drawing."""
        return self._skin(poses)[0][self._wanted], self._covered[self._wanted]

    def _skin(self, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        maps = frame_matrices(poses, self.body.rest_poses)
        return (
            skin_points(self._rest, self._bones, self._weights, maps),
            skin_normals(self._rest_normals, self._bones, self._weights, maps),
        )


def _part_index(body: VisualModel, region: SkinRegion, where: str) -> int:
    if region.part not in body.parts:
        raise InputError(f"{where}.part", region.part, "one of " + ", ".join(body.parts))
    if not 0 <= region.axial[0] < region.axial[1] <= 1:
        raise InputError(f"{where}.axial", region.axial, "from, to in rising order within 0 to 1")
    if not region.angle[0] < region.angle[1]:
        raise InputError(f"{where}.angle", region.angle, "from, to in rising order, rad")
    return body.parts.index(region.part)
