"""How a tool can touch a point of a limb: at which spot near it, coming from where, with the robot's joints how.

A point on the inner side of an arm cannot be touched straight along the skin's normal: the torso is there, or the robot
does not reach round. But a touch near the point counts as well, and the tool may come obliquely. So a small search: spots
near the point on the surface of the *whole* body (a point in the crook of the elbow lies inside the other half of the
arm), and directions of the tool, those first that are nearest to straight, to pointing away from the robot's base and to
the point itself. Where tool and hand alone would be inside something the direction is dropped; for the others inverse
kinematics finds the joints, and the first pose that is clear of body and furniture is taken. Everything is where it is
when the episode starts; the limb gives way by little.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from scenes.care.body import ARM_PARTS, arm_part_capsule, capsules, surface_point
from scenes.care.chain import Kinematics, Shape, matrix_from_quaternion
from scenes.care.place import find_place
from scenes.care.scene import CareScene
from scenes.latent import SurfacePoint

#: Distances (m) of the spots from the point, about the limb and along it.
ROUND_M = (0.0, 0.01, -0.01, 0.02, -0.02, 0.03, -0.03)
ALONG_M = (0.0, 0.01, -0.01, 0.02, -0.02)
#: A touch counts within 25 mm of the point. Spots this near (m) leave room for a stroke; the others are a last resort.
ROOMY_M, NEAR_M = 0.0205, 0.024
#: Directions of the tool, evenly over the sphere; none comes flatter to the skin than by this sine.
DIRECTIONS, FLATTEST = 150, 0.1
#: Cost of a touch: per rad from straight, per rad from pointing away from the robot's base, per m from the point.
STRAIGHT, AWAY, OFF = 0.6, 0.4, 60.0
#: So many touches are tried with the whole arm, and one direction so often.
TRIES, FAILURES = 60, 2
#: Clearance (m) of tool and hand below which nothing more is tried, and that of the whole arm that is enough.
TIGHT_M, CLEAR_M = 0.003, 0.01
#: Joints further than this (rad) from the start pose are on another branch; m of clearance that one rad more is worth.
FAR_RAD, FAR_COST_M = 1.7, 0.05
#: Two touches are the same with less than this (rad) between their directions and between their spots.
SAME_DIRECTION, SAME_SPOT = 0.6, 0.3
#: The tool may dip into the limb that it touches.
DIP_M = 0.02
_SPACING_M = 0.03
_AT_ONCE = 64


@dataclass(frozen=True)
class Touch:
    """A way to touch a point of a limb.

    Attributes:
        along_m: the spot, from the limb's near joint.
        round_rad: the spot, about the limb, from the point.
        height_m: of the tip's centre above the limb's axis there.
        pointing: (3,) unit, of the tool, in the robot's base frame.
        joints: (n,) of the robot there, rad (m where they slide).
    """

    along_m: float
    round_rad: float
    height_m: float
    pointing: np.ndarray
    joints: np.ndarray


@dataclass(frozen=True)
class _Spot:
    off_m: float
    along_m: float
    round_rad: float
    height_m: float
    centre: np.ndarray  # (3,) of the tip
    normal: np.ndarray  # (3,)


class _Solids:
    """Body and furniture in the robot's base frame, to measure distances from points."""

    def __init__(self, scene: CareScene) -> None:
        turn, person = scene.base[:3, :3].T, scene.person
        parts = capsules(person.spec)
        ends = []
        for part in parts:
            frame = person.frames[part.segment]
            ends.append(
                [scene.to_base(frame[:3, :3] @ np.array(end) + frame[:3, 3]) for end in (part.a, part.b)]
            )
        self._a, b = np.array(ends).transpose(1, 0, 2)
        self._way = b - self._a
        self._length2 = np.maximum((self._way**2).sum(1), 1e-12)
        self._radius = np.array([part.radius for part in parts])
        self.of_limb = np.array([part.segment in (*ARM_PARTS, "hand") for part in parts])  # (C,)
        self._boxes = [
            (
                turn @ matrix_from_quaternion(np.array(box.quaternion)),
                scene.to_base(np.array(box.centre)),
                np.array(box.half_extents),
            )
            for box in find_place(scene.place).boxes(person.spec)
        ]

    def from_body(self, points: np.ndarray) -> np.ndarray:
        """(N, C) m from each point (N, 3) to each capsule of the body, negative inside."""
        return np.linalg.norm(points[:, None] - self._nearest(points), axis=2) - self._radius

    def out_of_body(self, point: np.ndarray) -> np.ndarray:
        """(3,) unit, away from the capsule that is nearest to a point (3,)."""
        nearest = int(self.from_body(point[None])[0].argmin())
        out = point - self._nearest(point[None])[0, nearest]
        return out / max(float(np.linalg.norm(out)), 1e-9)

    def clearance(self, points: np.ndarray, radii: np.ndarray, dips: np.ndarray) -> np.ndarray:
        """(N,) m between spheres and everything; where ``dips``, they may be ``DIP_M`` deep in the limb."""
        allowed = np.where(self.of_limb, DIP_M, 0.0) * dips[:, None]
        nearest = (self.from_body(points) + allowed).min(1)
        for turn, centre, half in self._boxes:
            outside = np.abs((points - centre) @ turn) - half
            distance = np.linalg.norm(np.maximum(outside, 0.0), axis=1) + np.minimum(outside.max(1), 0.0)
            nearest = np.minimum(nearest, distance)
        return nearest - radii

    def _nearest(self, points: np.ndarray) -> np.ndarray:
        """(N, C, 3), the nearest point on each capsule's axis."""
        share = np.clip(((points[:, None] - self._a) * self._way).sum(2) / self._length2, 0.0, 1.0)
        return self._a + share[..., None] * self._way


@dataclass(frozen=True)
class _Part:
    """A link as spheres: where the link is, their centres (S, 3) in its frame and radii (S,)."""

    kinematics: Kinematics
    centres: np.ndarray
    radii: np.ndarray
    is_tool: bool


class Approaches:
    """The search.

    Args:
        scene: whose person, place, robot and tool; read once, nothing in it is moved.

    Attributes:
        tip_radius: of the tool's tip, m.
    """

    def __init__(self, scene: CareScene) -> None:
        self._size, self._start = scene.person.size, scene.start_joints
        self._to_base = scene.to_base
        self._frames, self._turn = scene.person.frames, scene.base[:3, :3].T
        self._solids = _Solids(scene)
        chain = scene.chain
        self._low, self._high = chain.limits
        self.tip_radius = chain.links[chain.index("tool")].shapes[-1].radius
        self._kinematics = Kinematics(chain, np.eye(4), ("tool", scene.tool.tip))
        self._parts = [
            _Part(
                Kinematics(chain, np.eye(4), (link.name, (0.0, 0.0, 0.0))),
                *_spheres(link.shapes),
                link.name == "tool",
            )
            for link in chain.links
            if link.shapes
        ]
        self._hand = self._spheres_behind_tip()
        self._directions = _even_directions(DIRECTIONS)
        self._enough = min(CLEAR_M, self._clearance(self._start) - 1e-3)

    def find(self, itch: SurfacePoint, tried: Sequence[Touch] = ()) -> Touch | None:
        """A touch unlike those already tried; None if there is no other, or the point lies deep in the body."""
        best, best_score, tries = None, -math.inf, 0
        failures: dict[bytes, int] = {}
        for spot, direction in self._candidates(itch):
            if tries >= TRIES:
                break
            key = direction.tobytes()
            if failures.get(key, 0) >= FAILURES or any(_same(spot, direction, touch) for touch in tried):
                continue
            tries += 1
            joints = self._solve(spot.centre, direction)
            clearance = -math.inf if joints is None else self._clearance(joints)
            if clearance < 0:
                failures[key] = failures.get(key, 0) + 1
            if joints is None:
                continue
            beyond = max(0.0, float(np.abs(joints - self._start).max()) - FAR_RAD)
            score = min(clearance, self._enough) - FAR_COST_M * beyond
            if score > best_score:
                best_score = score
                best = Touch(spot.along_m, spot.round_rad, spot.height_m, direction, joints)
            if score >= self._enough:
                break
        return best

    def _candidates(self, itch: SurfacePoint) -> Iterator[tuple[_Spot, np.ndarray]]:
        """Spots with directions, the cheapest first, at which tool and hand are clear."""
        spots = self._spots(itch)
        pairs: list[tuple[float, _Spot, np.ndarray]] = []
        for spot in spots:
            away = np.array([spot.centre[0], spot.centre[1], 0.0]) / np.hypot(*spot.centre[:2])
            straight = -self._directions @ spot.normal
            cost = (
                STRAIGHT * np.arccos(np.clip(straight, -1.0, 1.0))
                + AWAY * np.arccos(np.clip(self._directions @ away, -1.0, 1.0))
                + OFF * spot.off_m
            )
            pairs += [(cost[i], spot, self._directions[i]) for i in np.flatnonzero(straight > FLATTEST)]
        pairs.sort(key=lambda pair: pair[0])
        for first in range(0, len(pairs), _AT_ONCE):
            some = pairs[first : first + _AT_ONCE]
            for (_, spot, direction), clear in zip(some, self._hand_is_clear(some), strict=True):
                if clear:
                    yield spot, direction

    def _hand_is_clear(self, pairs: Sequence[tuple[float, _Spot, np.ndarray]]) -> np.ndarray:
        """(P,) whether tool and hand alone, put there, are inside nothing."""
        behind, radii, dips = self._hand
        centres = np.array([spot.centre for _, spot, _ in pairs])
        pointing = np.array([direction for _, _, direction in pairs])
        points = centres[:, None] - pointing[:, None] * behind[:, None]  # (P, S, 3)
        n = len(pairs)
        clearance = self._solids.clearance(points.reshape(-1, 3), np.tile(radii, n), np.tile(dips, n))
        return clearance.reshape(n, -1).min(1) > TIGHT_M

    def _spots(self, itch: SurfacePoint) -> list[_Spot]:
        """Where the tip's centre can be when it touches the body near a point."""
        frame = self._frames[itch.part]
        radius, length = arm_part_capsule(self._size, itch.part)

        def skin(axial: float, angle: float) -> tuple[np.ndarray, np.ndarray]:
            at, normal = surface_point(self._size, itch.part, axial, angle)
            return self._to_base(frame[:3, :3] @ at + frame[:3, 3]), self._turn @ frame[:3, :3] @ normal

        point, _ = skin(itch.axial, itch.angle)
        spots = []
        for round_m, along_m in product(ROUND_M, ALONG_M):
            axial = float(np.clip(itch.axial + along_m / length, 0.0, 1.0))
            at, normal = skin(axial, itch.angle + round_m / radius)
            height = self.tip_radius
            for _ in range(30):  # out of whatever of the body is there, never further than its surface
                missing = self.tip_radius - float(self._solids.from_body((at + height * normal)[None]).min())
                height += max(missing, 0.0)
                if missing < 5e-4 or height > NEAR_M + 2 * self.tip_radius:
                    break
            centre = at + height * normal
            out = self._solids.out_of_body(centre)
            off = float(np.linalg.norm(centre - self.tip_radius * out - point))
            if off < NEAR_M:
                spots.append(_Spot(off, axial * length, round_m / radius, radius + height, centre, out))
        return [spot for spot in spots if spot.off_m < ROOMY_M] or spots

    def _clearance(self, joints: np.ndarray) -> float:
        """m between the robot at ``joints`` (n,) and whatever is nearest to it."""
        nearest = math.inf
        for part in self._parts:
            at, rotation, _ = part.kinematics.forward(joints)
            dips = np.full(len(part.radii), part.is_tool)
            clearance = self._solids.clearance(part.centres @ rotation.T + at, part.radii, dips)
            nearest = min(nearest, float(clearance.min()))
        return nearest

    def _spheres_behind_tip(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Hand and tool as spheres on the tool's axis: m behind the tip, radii, whether of the tool; (S,) each."""
        tip, rotation, _ = self._kinematics.forward(self._start)
        behind, radii, dips = [], [], []
        for part in self._parts:
            if part.kinematics.n_joints < self._kinematics.n_joints:
                continue
            at, turned, _ = part.kinematics.forward(self._start)
            behind.append((tip - part.centres @ turned.T - at) @ rotation[:, 0])
            radii.append(part.radii)
            dips.append(np.full(len(part.radii), part.is_tool))
        return np.concatenate(behind), np.concatenate(radii), np.concatenate(dips)

    def _solve(self, position: np.ndarray, direction: np.ndarray) -> np.ndarray | None:
        """Joints (n,) with the tip within 2 mm of ``position`` and the tool within 3° of ``direction``; roll is free."""
        q, weight = np.array(self._start), 0.3
        for _ in range(25):
            at, rotation, jacobian = self._kinematics.forward(q)
            turn = turn_of_axis(rotation, direction)
            missing = position - at
            if float(np.linalg.norm(missing)) < 2e-3 and float(np.linalg.norm(turn)) < 0.05:
                return q
            across = rotation[:, 1:].T
            task = np.vstack([jacobian[:3], weight * across @ jacobian[3:]])
            wanted = np.concatenate([missing, weight * across @ turn])
            step = task.T @ np.linalg.solve(task @ task.T + 1e-4 * np.eye(5), wanted)
            q = np.clip(q + np.clip(step, -0.4, 0.4), self._low, self._high)
        return None


def turn_of_axis(rotation: np.ndarray, direction: np.ndarray) -> np.ndarray:
    """Rotation vector (3,) that turns the x axis of ``rotation`` (3, 3) onto ``direction`` (3,), the short way."""
    axis, cosine = np.cross(rotation[:, 0], direction), float(rotation[:, 0] @ direction)
    if cosine < -0.9:  # nearly opposite, where the short way is ill-defined
        return rotation[:, 1] * math.pi
    sine = float(np.linalg.norm(axis))
    return axis * (math.atan2(sine, cosine) / max(sine, 1e-9))


def _same(spot: _Spot, direction: np.ndarray, touch: Touch) -> bool:
    alike = float(direction @ touch.pointing) > math.cos(SAME_DIRECTION)
    return alike and abs(spot.round_rad - touch.round_rad) < SAME_SPOT


def _spheres(shapes: Sequence[Shape]) -> tuple[np.ndarray, np.ndarray]:
    """Shapes as spheres: centres (S, 3) and radii (S,); a box is a row of them along its longest edge."""
    centres, radii = [], []
    for shape in shapes:
        a, b, radius = np.array(shape.a, float), np.array(shape.b, float), shape.radius
        if shape.box is not None:
            half = np.array(shape.box) / 2
            radius = float(np.sort(half)[1])
            end = np.where(np.arange(3) == half.argmax(), half - radius, 0.0)
            a, b = a - end, a + end
        n = max(1, math.ceil(float(np.linalg.norm(b - a)) / _SPACING_M))
        centres += [a + (b - a) * k / n for k in range(n + 1)]
        radii += [radius] * (n + 1)
    return np.array(centres), np.array(radii)


def _even_directions(n: int) -> np.ndarray:
    """(n, 3) unit vectors, evenly over the sphere: a Fibonacci lattice."""
    k = np.arange(n)
    z, angle = 1 - (2 * k + 1) / n, k * math.pi * (3 - math.sqrt(5))
    ring = np.sqrt(1 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], 1)
