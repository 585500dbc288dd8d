"""Cloth as a net of points: springs stepped by projective dynamics, contact with capsules, forces on both sides.

Each substep solves backward Euler by projective dynamics (Bouaziz et al. 2014, "Projective Dynamics: Fusing Constraint
Projections for Fast Simulation", SIGGRAPH): every spring names the vector it would like to be (the local step), then one
linear system, the same at every step and therefore inverted once, finds the points (the global step). It is stable at
any stiffness and any motion of what holds the net, and a step is a handful of small matrix products.

Contacts are felt at *samples*, weighted sums S x of the points: the points themselves, and more between them, so that
nothing slips through the meshes. They are solved on top, with the forces as unknowns: a sample that came to lie inside a
capsule is kept outside the plane that touches the capsule where the sample was nearest before the step. That plane has
the whole capsule behind it, so no sample can jump through a limb. With G the inverse of the system and C the samples in
contact, the forces λ that put them where they belong solve ``(S G Sᵀ)[C, C] λ = Δ``; Coulomb's cone clips them;
``x += (G Sᵀ)[:, C] λ`` lets the rest of the net follow. λ is what the body feels, and the springs' pull on the held points
is what the holder feels.

The state is two arrays, so that saving and restoring it is copying.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Local and global steps per substep.
ITERATIONS = 2
#: Share of the speed that is left after a substep.
KEPT_SPEED = 0.96
#: Bound of each point's speed, m/s.
MAX_SPEED = 3.0
#: How often contacts that would pull are left out and the others solved again.
ACTIVE_ROUNDS = 4
#: Give of a contact, m/N; it also makes the system regular where samples outnumber points.
GIVE_M_N = 3e-4
#: That give where a sample hangs on held points alone; in between it grows with their share.
GIVE_HELD_M_N = 6e-3
#: Bound of the press of one sample, N: beyond it the cloth gives way.
MAX_PRESS_N = 12.0
#: How near (m) a sample must come to a capsule to be tested against it.
NEAR_M = 0.08


@dataclass(frozen=True)
class Springs:
    """E springs between points of a net.

    Attributes:
        ends: (E, 2) indices.
        length: (E,) m, at which a spring starts to pull.
        slack: (E,) share of ``length`` below which it pushes; between the two it is limp, as cloth is.
        stiffness: (E,) N/m.
    """

    ends: np.ndarray
    length: np.ndarray
    slack: np.ndarray
    stiffness: np.ndarray


@dataclass(frozen=True)
class Touches:
    """K samples in contact.

    Attributes:
        samples: (K,) which.
        capsules: (K,) which capsule each touches.
        at: (K, 3) where, m, world.
        forces: (K, 3) N, on the capsule.
    """

    samples: np.ndarray
    capsules: np.ndarray
    at: np.ndarray
    forces: np.ndarray


NO_TOUCHES = Touches(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 3)), np.zeros((0, 3)))


class Net:
    """N points of equal mass, the first of them held by something else.

    Args:
        n_points, n_held: how many, and how many are held.
        springs: between them.
        samples: (S, N) weights of the points at which contacts are felt; rows sum to 1.
        mass: kg of the whole.
        time_step: s.
        thickness: m between a point and the surface it rests on.
        friction: Coulomb's coefficient.
        gravity: m/s², downwards.

    Attributes:
        n_held: how many are held.
        points, speeds: (N, 3) m and m/s, world.
        touches: of the last step.
        pull: (n_held, 3) N, force on what holds each held point.
    """

    def __init__(
        self,
        n_points: int,
        n_held: int,
        springs: Springs,
        samples: np.ndarray,
        mass: float,
        time_step: float,
        thickness: float,
        friction: float,
        gravity: float = 9.81,
    ) -> None:
        self.n_held, self._springs = n_held, springs
        self._time_step, self._thickness, self._friction = time_step, thickness, friction
        self._point_mass = mass / n_points
        self._inertia = self._point_mass / time_step**2
        self._fall = np.array([0.0, 0.0, -gravity * time_step**2])
        n_springs = len(springs.ends)
        incidence = np.zeros((n_springs, n_points))
        incidence[np.arange(n_springs), springs.ends[:, 0]] = 1.0
        incidence[np.arange(n_springs), springs.ends[:, 1]] = -1.0
        self._tails, self._heads = springs.ends.T.copy()
        self._spread = incidence.T * springs.stiffness  # forces = spread @ wanted vectors
        laplacian = self._spread @ incidence
        free = slice(n_held, None)
        system = laplacian[free, free] + self._inertia * np.eye(n_points - n_held)
        self._inverse = np.linalg.inv(system)
        self._spread_free, self._coupling = self._spread[free], laplacian[free, :n_held]
        self._spread_held, self._laplacian_held = self._spread[:n_held], laplacian[:n_held]
        self._sampled = samples
        self._sampled_free, self._sampled_held = samples[:, free], samples[:, :n_held]
        give = GIVE_M_N + (GIVE_HELD_M_N - GIVE_M_N) * self._sampled_held.sum(1)
        self._follow = (
            self._sampled_free @ self._inverse
        )  # (S, F): how the free points follow a force on a sample
        self._yield = self._follow @ self._sampled_free.T + np.diag(give)
        self._shortest = springs.length * springs.slack
        self.points, self.speeds = np.zeros((n_points, 3)), np.zeros((n_points, 3))
        self.touches, self.pull = NO_TOUCHES, np.zeros((n_held, 3))

    def place(self, points: np.ndarray) -> None:
        """Put the net at ``points`` (N, 3), at rest and touching nothing."""
        self.points, self.speeds = np.array(points), np.zeros_like(points)
        self.touches, self.pull = NO_TOUCHES, np.zeros((self.n_held, 3))

    def step(
        self, held: np.ndarray, starts: np.ndarray, ends: np.ndarray, radii: np.ndarray, carried: np.ndarray
    ) -> None:
        """One substep.

        Args:
            held: (n_held, 3) where the held points are now.
            starts, ends, radii: (C, 3), (C, 3), (C,) the capsules, m.
            carried: (C, 3, 4) each capsule's motion since the last substep, so that friction drags the net along.
        """
        n_held = self.n_held
        before = self._sampled @ self.points
        inertial = self.points[n_held:] + self._time_step * self.speeds[n_held:] + self._fall
        x = np.concatenate([held, inertial])
        near, capsule, normal, plane = self._planes(before, starts, ends, radii)
        fixed = self._inertia * inertial - self._coupling @ held
        near_free, near_held = self._sampled_free[near], self._sampled_held[near] @ held
        touches, wanted = NO_TOUCHES, np.zeros((len(self._springs.length), 3))
        for _ in range(ITERATIONS):
            vectors = x[self._tails] - x[self._heads]
            length = np.sqrt(np.einsum("ij,ij->i", vectors, vectors)) + 1e-12
            wanted = vectors * (np.clip(length, self._shortest, self._springs.length) / length)[:, None]
            free = self._inverse @ (fixed + self._spread_free @ wanted)
            at = near_free @ free + near_held
            touches, shift = self._contacts(at, before, near, capsule, normal, plane, carried)
            x[n_held:] = free + shift
        self.pull = self._spread_held @ wanted - self._laplacian_held @ x
        self.pull -= self._sampled_held[touches.samples].T @ touches.forces
        self.touches = touches
        speeds = (x - self.points) * (KEPT_SPEED / self._time_step)
        size = np.sqrt(np.einsum("ij,ij->i", speeds, speeds))
        if size.max() > MAX_SPEED:
            speeds *= np.minimum(1.0, MAX_SPEED / np.maximum(size, 1e-9))[:, None]
        self.points, self.speeds = x, speeds

    def _planes(
        self, points: np.ndarray, starts: np.ndarray, ends: np.ndarray, radii: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Of the points near a capsule: index (K,), capsule (K,), normal (K, 3), and the least n·x (K,) allowed."""
        axes = ends - starts
        along = points[:, None] - starts  # (F, C, 3)
        share = np.einsum("fcj,cj->fc", along, axes) / np.maximum(np.einsum("cj,cj->c", axes, axes), 1e-12)
        share = np.minimum(np.maximum(share, 0.0), 1.0)
        out = along - share[:, :, None] * axes
        distance = np.sqrt(np.einsum("fcj,fcj->fc", out, out))
        gap = distance - (radii + self._thickness)
        nearest = gap.argmin(1)
        rows = np.arange(len(points))
        near = np.flatnonzero(gap[rows, nearest] < NEAR_M)
        capsule = nearest[near]
        normal = out[near, capsule] / np.maximum(distance[near, capsule], 1e-9)[:, None]
        axis_point = points[near] - out[near, capsule]
        plane = np.einsum("kj,kj->k", normal, axis_point) + radii[capsule] + self._thickness
        return near, capsule, normal, plane

    def _contacts(
        self,
        at: np.ndarray,
        before: np.ndarray,
        near: np.ndarray,
        capsule: np.ndarray,
        normal: np.ndarray,
        plane: np.ndarray,
        carried: np.ndarray,
    ) -> tuple[Touches, np.ndarray | float]:
        """The touches of the samples ``near``, which would lie ``at`` (K, 3), and how they shift the free points."""
        depth = plane - np.einsum("kj,kj->k", normal, at)
        inside = np.flatnonzero(depth > 0)
        if not len(inside):
            return NO_TOUCHES, 0.0
        samples, capsules, normals, depth = near[inside], capsule[inside], normal[inside], depth[inside]
        coupling = self._yield[np.ix_(samples, samples)]
        press = _pressing(coupling * (normals @ normals.T), depth)
        pushed = at[inside] + coupling @ (press[:, None] * normals)
        # Stuck to the skin: where the limb carried the sample. Lumped rows never overshoot.
        maps = carried[capsules]
        slide = np.einsum("kij,kj->ki", maps[:, :, :3], before[samples]) + maps[:, :, 3] - pushed
        slide -= np.einsum("kj,kj->k", slide, normals)[:, None] * normals
        drag = slide / np.abs(coupling).sum(1)[:, None]
        size = np.sqrt(np.einsum("kj,kj->k", drag, drag))
        drag *= np.minimum(1.0, self._friction * press / np.maximum(size, 1e-12))[:, None]
        force = press[:, None] * normals + drag
        return Touches(samples, capsules, at[inside], -force), self._follow[samples].T @ force


def _pressing(system: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Forces λ (K,) ≥ 0 with ``system λ = depth`` where they press: those that would pull are left out, in turns."""
    press = np.zeros(len(depth))
    active = np.arange(len(depth))
    for _ in range(ACTIVE_ROUNDS):
        solved = np.linalg.solve(system[np.ix_(active, active)], depth[active])
        pushes = solved > 0
        active, solved = active[pushes], solved[pushes]
        if pushes.all() or not len(active):
            break
    press[active] = np.minimum(solved, MAX_PRESS_N)
    return press
