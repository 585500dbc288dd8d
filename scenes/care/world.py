"""The only file that talks to PyBullet's physics: one client, bodies, steps, contacts, exact save and restore.

PyBullet never releases the GIL and keeps its state per client; a World owns one client and is not to be shared
between threads. Units are SI; quaternions (x, y, z, w).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scenes.care.chain import Chain, Shape, quaternion_from_matrix, rotation_between_z_and, to_urdf


@contextmanager
def quietly() -> Iterator[None]:
    """Silence what C code prints: PyBullet greets whoever imports it, which would spoil ``--json`` output."""
    libc = ctypes.CDLL(None)
    libc.fflush(None)
    kept, sink = (os.dup(1), os.dup(2)), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        yield
        libc.fflush(None)
    finally:
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        os.close(kept[0])
        os.close(kept[1])
        os.close(sink)


with quietly():
    import pybullet as p


@dataclass(frozen=True)
class Contact:
    """One contact point between a link of a chain and another body.

    Attributes:
        body, link: ids of the other body.
        own_link: link index on the chain asked about.
        position: (3,) on the other body, m, world.
        normal: (3,) unit, from the other body towards the chain.
        force: normal force, N.
    """

    own_link: int
    body: int
    link: int
    position: tuple[float, float, float]
    normal: tuple[float, float, float]
    force: float


class World:
    """A PyBullet DIRECT client.

    Args:
        time_step: s per substep.
        solver_iterations: of the constraint solver, per substep.
    """

    def __init__(self, time_step: float, solver_iterations: int) -> None:
        self._client = p.connect(p.DIRECT)
        if self._client < 0:
            raise RuntimeError("PyBullet refused a new physics client (it allows 1,024 at once)")
        p.setPhysicsEngineParameter(
            fixedTimeStep=time_step,
            numSolverIterations=solver_iterations,
            deterministicOverlappingPairs=1,
            physicsClientId=self._client,
        )
        p.setGravity(0, 0, 0, physicsClientId=self._client)
        self._saved = -1
        self._stepped = False

    def close(self) -> None:
        """Disconnect; safe to call twice."""
        if self._client >= 0:
            p.disconnect(physicsClientId=self._client)
            self._client = -1

    # -- building
    def add_static(self, shape: Shape, frame: np.ndarray) -> int:
        """A shape that never moves, given in ``frame`` (4, 4)."""
        a, b = np.array(shape.a, float), np.array(shape.b, float)
        length = float(np.linalg.norm(b - a))
        turn = np.eye(3)
        if shape.box is not None:
            half = [edge / 2 for edge in shape.box]
            collision = p.createCollisionShape(p.GEOM_BOX, halfExtents=half, physicsClientId=self._client)
        elif length < 1e-9:
            collision = p.createCollisionShape(
                p.GEOM_SPHERE, radius=shape.radius, physicsClientId=self._client
            )
        else:
            turn = rotation_between_z_and(b - a)
            collision = p.createCollisionShape(
                p.GEOM_CAPSULE, radius=shape.radius, height=length, physicsClientId=self._client
            )
        centre = frame[:3, :3] @ ((a + b) / 2) + frame[:3, 3]
        return p.createMultiBody(
            0,
            collision,
            basePosition=centre.tolist(),
            baseOrientation=quaternion_from_matrix(frame[:3, :3] @ turn),
            useMaximalCoordinates=True,  # a plain static rigid body: half the cost of a multibody base
            physicsClientId=self._client,
        )

    def add_chain(self, chain: Chain, base: np.ndarray) -> int:
        """A chain with its base fixed at pose ``base`` (4, 4); all motors off."""
        with tempfile.TemporaryDirectory() as folder:  # PyBullet reads URDF from files only
            path = Path(folder) / "chain.urdf"
            path.write_text(to_urdf(chain))
            body = p.loadURDF(
                str(path),
                basePosition=base[:3, 3].tolist(),
                baseOrientation=quaternion_from_matrix(base[:3, :3]),
                useFixedBase=True,
                flags=p.URDF_USE_INERTIA_FROM_FILE | p.URDF_MAINTAIN_LINK_ORDER,
                physicsClientId=self._client,
            )
        joints = list(chain.movable)
        p.setJointMotorControlArray(
            body, joints, p.VELOCITY_CONTROL, forces=[0.0] * len(joints), physicsClientId=self._client
        )
        return body

    def ignore(self, body_a: int, link_a: int, body_b: int, link_b: int) -> None:
        """Let two links pass through each other."""
        p.setCollisionFilterPair(body_a, body_b, link_a, link_b, 0, physicsClientId=self._client)

    def share_island(self, body_a: int, link_a: int, body_b: int, link_b: int) -> None:
        """Keep two chains in one simulation island for good, by a gear that can exert no force.

        Bullet sorts solver rows by island with an unstable sort, and unites islands by a broadphase whose stale
        pairs depend on history. Rows are solved in sequence, so the same state would step differently after a
        reset than in a fresh process; with the islands always united it does not (tests prove it).
        """
        gear = p.createConstraint(
            body_a,
            link_a,
            body_b,
            link_b,
            p.JOINT_GEAR,
            [0, 0, 1],
            [0, 0, 0],
            [0, 0, 0],
            physicsClientId=self._client,
        )
        p.changeConstraint(gear, gearRatio=0, maxForce=0, physicsClientId=self._client)

    # -- moving
    def set_joints(self, body: int, joints: list[int], angles: np.ndarray) -> None:
        """Put joints at ``angles`` (rad), at rest."""
        for joint, angle in zip(joints, angles, strict=True):
            p.resetJointState(body, joint, float(angle), 0.0, physicsClientId=self._client)

    def set_limits(self, body: int, joints: list[int], low: np.ndarray, high: np.ndarray) -> None:
        for joint, lower, upper in zip(joints, low, high, strict=True):
            p.changeDynamics(
                body,
                joint,
                jointLowerLimit=float(lower),
                jointUpperLimit=float(upper),
                physicsClientId=self._client,
            )

    def drive(
        self, body: int, joints: list[int], targets: list[float], gains: list[float], torques: list[float]
    ) -> None:
        """Position motors: aim each joint at a target (rad) with a gain and a torque limit (N·m)."""
        p.setJointMotorControlArray(
            body,
            joints,
            p.POSITION_CONTROL,
            targetPositions=targets,
            positionGains=gains,
            forces=torques,
            physicsClientId=self._client,
        )

    def step(self, substeps: int) -> None:
        self._stepped = True
        for _ in range(substeps):
            p.stepSimulation(physicsClientId=self._client)

    # -- reading
    def joint_states(self, body: int, joints: list[int]) -> tuple[list[float], list[float]]:
        """Angles (rad) and speeds (rad/s)."""
        states = p.getJointStates(body, joints, physicsClientId=self._client)
        return [s[0] for s in states], [s[1] for s in states]

    def link_frames(self, body: int, links: list[int], velocity: bool = False) -> list[tuple]:
        """Per link: position, quaternion of its frame, and its linear velocity (m/s) if asked for."""
        states = p.getLinkStates(
            body,
            links,
            computeLinkVelocity=velocity,
            computeForwardKinematics=True,
            physicsClientId=self._client,
        )
        if velocity:
            return [(s[4], s[5], s[6]) for s in states]
        return [(s[4], s[5]) for s in states]

    def contacts(self, body: int) -> list[Contact]:
        """Every contact of a chain with other bodies, as the last step left them; none before the first step."""
        if not self._stepped:  # PyBullet would answer with those of before the restore
            return []
        points = p.getContactPoints(bodyA=body, physicsClientId=self._client)
        return [Contact(c[3], c[2], c[4], c[6], c[7], c[9]) for c in points] if points else []

    def closest_distance(self, body_a: int, body_b: int, within: float) -> float:
        """Smallest distance between two bodies in m (negative: overlap), or ``within`` if further apart."""
        points = p.getClosestPoints(body_a, body_b, within, physicsClientId=self._client)
        return min((c[8] for c in points), default=within)

    # -- exactness
    def save(self) -> None:
        """Remember the present state for :meth:`restore`."""
        self._saved = p.saveState(physicsClientId=self._client)

    def restore(self) -> None:
        """Go back to the saved state, bit for bit."""
        self._stepped = False
        p.restoreState(stateId=self._saved, physicsClientId=self._client)

    def digest(self, chains: dict[int, list[int]]) -> str:
        """SHA-256 over the joint states of ``chains`` (body → joints)."""
        sha = hashlib.sha256()
        for body, joints in chains.items():
            angles, speeds = self.joint_states(body, joints)
            sha.update(np.array([*angles, *speeds]).tobytes())
        return sha.hexdigest()
