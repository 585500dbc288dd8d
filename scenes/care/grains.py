"""Grains: small free spheres carried in a tool — pieces of food on a spoon, drops in a cup.

Each is *pending* until it was eaten or spilled, and *fresh* until it was eaten or has fallen on the person; that is
Assistive Gym's account (``foods`` and ``foods_active``). One that was eaten, or fell through the floor, is *away*: it
falls for ever beside the world, where it meets nothing.

What keeps save and restore exact, though Bullet's sorts are unstable and its broadphase remembers:

- the number of bodies never changes, none ever sleeps and none is turned by what touches it: neither sleep nor a
  turned inertia is part of a saved state;
- the vessel is many bodies of one shape each: several contacts of one pair of bodies, as with a compound shape, would
  have no order of their own. They are heavy and carried along by the tool, which is far faster than more links of the
  arm; the price is that the arm does not feel the grains' weight (8 and 64 g);
- the solver always does all its iterations, and a restore forgets all contacts (:class:`scenes.care.world.World`).

How deep they overlap others: a spilled grain moves centimetres per substep, and is up to 6 cm inside the thigh or foot on
which it lands before it is pushed out (``benchmarks.soak``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenes.care.chain import Shape, Vector, matrix_from_quaternion, quaternion_from_matrix, shape_frame
from scenes.care.world import World

GRAVITY_M_S2 = 9.81
#: Upstream's spheres: 5 mm, 1 g.
RADIUS_M = 0.005
MASS_KG = 0.001
#: Where grains that are away start to fall, and how far apart.
_AWAY_M = (50.0, 50.0, -10.0)
_APART_M = 0.5
_FLOOR_M = 0.0
#: Drawn for a grain that is away: under the floor.
_UNSEEN = (0.0, 0.0, -40.0)


@dataclass(frozen=True)
class Helping:
    """What a tool's vessel is filled with.

    Attributes:
        grid: (n, 3) where grains are dropped from, in the tool's frame, to find how they come to rest; m.
        low, high: corners of the box that counts as inside the vessel, in the tool's frame, m.
        friction: lateral friction coefficient of a grain.
    """

    grid: np.ndarray
    low: Vector
    high: Vector
    friction: float


class Grains:
    """The grains of one scene, and the vessel they are carried in.

    Args:
        world: where they are made.
        helping: what there is.
        vessel: shapes in the tool's frame, :attr:`scenes.care.tools.tool.Tool.vessel`.

    Attributes:
        n: how many.
        positions: (n, 3) m, world, as last read.
        pending, fresh, away: (n,) bool, see the module's docstring.
    """

    def __init__(self, world: World, helping: Helping, vessel: Sequence[Shape]) -> None:
        self._world = world
        self.n = len(helping.grid)
        self._low, self._high = np.array(helping.low), np.array(helping.high)
        self._parking = np.array(_AWAY_M) + np.outer(np.arange(self.n), [_APART_M, 0.0, 0.0])
        self._bodies = world.add_spheres(self._parking, RADIUS_M, MASS_KG, helping.friction, GRAVITY_M_S2)
        self._walls = world.add_vessel(vessel)
        frames = [shape_frame(shape) for shape in vessel]
        self._wall_at = np.array([at for at, _ in frames])
        self._wall_turn = np.array([quaternion_from_matrix(turn) for _, turn in frames])
        self._at_rest = helping.grid
        self._forget()

    def _forget(self) -> None:
        self.positions = self._parking.copy()
        self.pending = np.zeros(self.n, bool)
        self.fresh = np.zeros(self.n, bool)
        self.away = np.ones(self.n, bool)

    def carry(self, motion: tuple) -> None:
        """Take the vessel along with the tool, whose pose and velocity this is (:meth:`World.link_motion`)."""
        position, (x, y, z, w), linear, angular = motion
        product = np.array([[w, -z, y, x], [z, w, -x, y], [-y, x, w, z], [-x, -y, -z, w]])
        quaternions = self._wall_turn @ product.T
        arms = self._wall_at @ matrix_from_quaternion(np.array((x, y, z, w))).T
        positions = (arms + position).tolist()
        p, q, r = angular
        speeds = (arms @ np.array([[0.0, r, -q], [-r, 0.0, p], [q, -p, 0.0]]) + linear).tolist()
        self._world.carry(
            self._walls,
            list(zip(positions, quaternions.tolist(), strict=True)),
            [(speed, angular) for speed in speeds],
        )

    def settle(self, motion: tuple, substeps: int) -> None:
        """Learn how the grains lie in a tool held still at ``motion``, by dropping them into it; then put them away."""
        position, rotation = np.array(motion[0]), matrix_from_quaternion(np.array(motion[1]))
        self.carry(motion)
        self.serve(position, rotation)
        with self._world.close_contacts():
            self._world.step(substeps)
        self.read()
        self._at_rest = (self.positions - position) @ rotation
        self.remove(np.ones(self.n, bool))

    def serve(self, position: np.ndarray, rotation: np.ndarray) -> None:
        """A new helping in the tool, whose frame this is."""
        self.positions = self._at_rest @ rotation.T + position
        self._world.place_spheres(self._bodies, self.positions)
        self.pending[:] = self.fresh[:] = True
        self.away[:] = False

    def start(self) -> None:
        """The world was restored to where all are away."""
        self._forget()

    def remove(self, which: np.ndarray) -> None:
        """Take grains (n,) bool out of the world."""
        chosen = np.flatnonzero(which & ~self.away)
        self._world.place_spheres([self._bodies[i] for i in chosen], self._parking[chosen])
        self.pending[chosen] = self.fresh[chosen] = False
        self.away[chosen] = True

    def read(self) -> None:
        """Where those that are in the world are now."""
        here = np.flatnonzero(~self.away)
        if len(here):
            self.positions[here] = self._world.sphere_positions([self._bodies[i] for i in here])

    def speed(self, index: int) -> float:
        """m/s."""
        return self._world.sphere_speed(self._bodies[index])

    def off_tool(self, position: np.ndarray, rotation: np.ndarray) -> np.ndarray:
        """(n,) m, how far each is from the vessel of the tool at this frame; 0 inside."""
        local = (self.positions - position) @ rotation
        return np.linalg.norm(local - np.clip(local, self._low, self._high), axis=1)

    def sweep(self) -> None:
        """Take away what fell through the floor."""
        fallen = (self.positions[:, 2] < _FLOOR_M) & ~self.away
        if fallen.any():
            self.remove(fallen)

    def poses(self) -> list[tuple[float, ...]]:
        """Position and quaternion of each, for drawing."""
        return [
            (*(_UNSEEN if gone else at), 0.0, 0.0, 0.0, 1.0)
            for at, gone in zip(self.positions.tolist(), self.away.tolist(), strict=True)
        ]
