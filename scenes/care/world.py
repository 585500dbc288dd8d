"""The only file that talks to PyBullet's physics: one client, bodies, steps, contacts, exact save and restore.

PyBullet never releases the GIL and keeps its state per client; a World owns one client and is not to be shared
between threads. Units are SI; quaternions (x, y, z, w).
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from scenes.care.chain import Chain, Shape, quaternion_from_matrix, shape_frame, to_urdf
from scenes.care.contact import Contact
from scenes.care.quiet import quietly

with quietly():
    import pybullet as p


#: Mass of each piece of a vessel.
_VESSEL_KG = 1e6
#: Moment of inertia (kg·m²) of a body that no force of ours can turn.
_NEVER_TURNS = 1e30

#: Within which distance (m) Bullet looks for contacts, by default and where there are many spheres.
_USUAL_M, _CLOSE_M = 0.02, 0.001

# Collision groups, the first two Bullet's own, and what a free sphere meets.
_MOVING, _STATIC, _APART, _VESSEL, _SPHERE = 1, 2, 32, 64, 128
_MET_BY_SPHERES = _MOVING | _STATIC | _VESSEL | _SPHERE


class World:
    """A PyBullet DIRECT client.

    Args:
        time_step: s per substep.
        solver_iterations: of the constraint solver, per substep.
        every_pair: a broadphase that compares every pair of boxes and is emptied by a restore. Bullet's usual one swells
            the box of whatever moves by 5 cm, so that each of 64 spheres in a cup has all others for neighbours, and
            remembers earlier episodes: contacts of a jam are then solved in another order.
    """

    def __init__(self, time_step: float, solver_iterations: int, every_pair: bool = False) -> None:
        self._client = p.connect(p.DIRECT)
        if self._client < 0:
            raise RuntimeError("PyBullet refused a new physics client (it allows 1,024 at once)")
        self._every_pair = every_pair
        if every_pair:
            p.resetSimulation(flags=p.RESET_USE_SIMPLE_BROADPHASE, physicsClientId=self._client)
        p.setPhysicsEngineParameter(
            fixedTimeStep=time_step,
            numSolverIterations=solver_iterations,
            deterministicOverlappingPairs=1,
            physicsClientId=self._client,
        )
        p.setGravity(0, 0, 0, physicsClientId=self._client)
        self._weights: list[tuple[int, list[int], list[tuple[float, float, float]]]] = []
        self._saved = -1
        self._stepped = False
        self._free: dict[int, None] = {}  # the spheres, in order
        self._groups: dict[tuple[int, int], tuple[int, int]] = {}  # of what moves: (body, link) → group, mask

    def close(self) -> None:
        """Disconnect; safe to call twice."""
        if self._client >= 0:
            p.disconnect(physicsClientId=self._client)
            self._client = -1

    # -- building
    def add_static(self, shape: Shape, frame: np.ndarray) -> int:
        """A shape that never moves, given in ``frame`` (4, 4)."""
        return self._add_rigid(shape, frame, 0.0)

    def _add_rigid(self, shape: Shape, frame: np.ndarray, mass: float) -> int:
        middle, turn = shape_frame(shape)
        length = float(np.linalg.norm(np.array(shape.b, float) - np.array(shape.a, float)))
        if shape.box is not None:
            half = [edge / 2 for edge in shape.box]
            collision = p.createCollisionShape(p.GEOM_BOX, halfExtents=half, physicsClientId=self._client)
        elif length < 1e-9:
            collision = p.createCollisionShape(
                p.GEOM_SPHERE, radius=shape.radius, physicsClientId=self._client
            )
        else:
            collision = p.createCollisionShape(
                p.GEOM_CAPSULE, radius=shape.radius, height=length, physicsClientId=self._client
            )
        centre = frame[:3, :3] @ middle + frame[:3, 3]
        return p.createMultiBody(
            mass,
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
        self._groups.update({(body, link): (_MOVING, -1) for link in range(len(chain.links))})
        joints = list(chain.movable)
        p.setJointMotorControlArray(
            body, joints, p.VELOCITY_CONTROL, forces=[0.0] * len(joints), physicsClientId=self._client
        )
        return body

    def add_spheres(
        self, positions: np.ndarray, radius: float, mass: float, friction: float, gravity: float
    ) -> list[int]:
        """Free spheres at ``positions`` (n, 3) m, which fall with ``gravity`` (m/s²) though nothing else does.

        Bullet keeps gravity per rigid body and passes a new value on to those awake only: the spheres are put to sleep
        while it goes back to zero. From now on the solver does all its iterations: to stop early, it would look at other
        islands too, and which are solved together depends on history.
        """
        p.setPhysicsEngineParameter(
            solverResidualThreshold=0.0,
            collisionFilterMode=0,  # both sides' masks must agree; PyBullet's default is either
            physicsClientId=self._client,
        )
        p.setGravity(0, 0, -gravity, physicsClientId=self._client)
        shape = p.createCollisionShape(p.GEOM_SPHERE, radius=radius, physicsClientId=self._client)
        spheres = [
            p.createMultiBody(
                mass, shape, basePosition=list(at), useMaximalCoordinates=True, physicsClientId=self._client
            )
            for at in positions
        ]
        for body in spheres:
            p.changeDynamics(
                body,
                -1,
                lateralFriction=friction,
                activationState=p.ACTIVATION_STATE_SLEEP,
                physicsClientId=self._client,
            )
            self._set_group(body, -1, _SPHERE, _MET_BY_SPHERES)
        p.setGravity(0, 0, 0, physicsClientId=self._client)
        for body in spheres:
            self._stay_awake(body, mass)
        self._free.update(dict.fromkeys(spheres))
        return spheres

    def add_gravity(self, body: int, masses: dict[int, float], gravity: float) -> None:
        """Let links of a chain (index → kg) fall with ``gravity`` (m/s²), though nothing else does.

        Robots hold their own weight without effort, as upstream sets it, so the world has no gravity of its own.
        A limb that falls runs into its joint limits. With split impulses Bullet never corrects one overrun by more than
        2.3°: an elbow would stay bent backwards.
        """
        p.setPhysicsEngineParameter(useSplitImpulse=0, physicsClientId=self._client)
        self._weights.append((body, list(masses), [(0.0, 0.0, -m * gravity) for m in masses.values()]))

    def add_vessel(self, shapes: Sequence[Shape]) -> list[int]:
        """Bodies to :meth:`carry`, one per shape, that meet free spheres and nothing else.

        They weigh so much that no sphere moves them. Static ones would not do: Bullet takes them to be at rest, and
        what lies on them would be left behind.
        """
        bodies = [self._add_rigid(shape, np.eye(4), _VESSEL_KG) for shape in shapes]
        for body in bodies:
            self._stay_awake(body, _VESSEL_KG)
            self._set_group(body, -1, _VESSEL, _SPHERE)
        return bodies

    def _stay_awake(self, body: int, mass: float) -> None:
        """No sleep, and no turning by what touches it: a restore brings back neither sleep nor the turned inertia."""
        p.changeDynamics(
            body,
            -1,
            mass=mass,
            localInertiaDiagonal=(_NEVER_TURNS,) * 3,
            activationState=p.ACTIVATION_STATE_WAKE_UP,
            physicsClientId=self._client,
        )
        p.changeDynamics(
            body, -1, activationState=p.ACTIVATION_STATE_DISABLE_SLEEPING, physicsClientId=self._client
        )

    def ignore_spheres(self, body: int, link: int) -> None:
        """Let a link and free spheres pass through each other."""
        self._set_group(body, link, _APART, -1)

    def soften(self, body: int, link: int, stiffness: float, damping: float) -> None:
        """Let a link touch like a sponge: every contact point a spring (N/m) with a damper (N·s/m)."""
        p.changeDynamics(
            body, link, contactStiffness=stiffness, contactDamping=damping, physicsClientId=self._client
        )

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

    def place_spheres(self, spheres: list[int], positions: np.ndarray) -> None:
        """Put free spheres at ``positions`` (n, 3) m, at rest."""
        for body, at in zip(spheres, positions.tolist(), strict=True):
            p.resetBasePositionAndOrientation(body, at, (0.0, 0.0, 0.0, 1.0), physicsClientId=self._client)
            p.resetBaseVelocity(body, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), physicsClientId=self._client)

    def carry(self, bodies: list[int], poses: Sequence[tuple], velocities: Sequence[tuple]) -> None:
        """Put bodies at a pose (position, quaternion) each, moving (linear m/s, angular rad/s)."""
        client = self._client
        for body, pose, velocity in zip(bodies, poses, velocities, strict=True):
            p.resetBasePositionAndOrientation(body, *pose, physicsClientId=client)
            p.resetBaseVelocity(body, *velocity, physicsClientId=client)

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

    def push(self, body: int, link: int, force: np.ndarray, at: np.ndarray) -> None:
        """A force (3,) N on a link, acting at ``at`` (3,) m, world, during the next substep only."""
        p.applyExternalForce(
            body, link, force.tolist(), at.tolist(), p.WORLD_FRAME, physicsClientId=self._client
        )

    def solve_with(self, iterations: int) -> None:
        """Iterations of the constraint solver from now on."""
        p.setPhysicsEngineParameter(numSolverIterations=iterations, physicsClientId=self._client)

    def step(self, substeps: int) -> None:
        self._stepped = True
        client = self._client
        for _ in range(substeps):
            for body, links, weights in self._weights:  # Bullet forgets external forces after every step
                states = p.getLinkStates(body, links, physicsClientId=client)
                for link, weight, state in zip(links, weights, states, strict=True):
                    p.applyExternalForce(body, link, weight, state[0], p.WORLD_FRAME, physicsClientId=client)
            p.stepSimulation(physicsClientId=client)

    @contextmanager
    def close_contacts(self) -> Iterator[None]:
        """Step while Bullet looks for contacts within 1 mm instead of 2 cm: many small spheres lie in no one's way.

        Bullet swells every box of its broadphase by that distance, and keeps it once for all worlds of a process, which
        is why it is given back.
        """
        p.setPhysicsEngineParameter(contactBreakingThreshold=_CLOSE_M, physicsClientId=self._client)
        try:
            yield
        finally:
            p.setPhysicsEngineParameter(contactBreakingThreshold=_USUAL_M, physicsClientId=self._client)

    # -- reading
    def joint_states(self, body: int, joints: list[int]) -> tuple[list[float], list[float]]:
        """Angles (rad) and speeds (rad/s)."""
        states = p.getJointStates(body, joints, physicsClientId=self._client)
        return [s[0] for s in states], [s[1] for s in states]

    def link_motion(self, body: int, link: int) -> tuple:
        """Position, quaternion, linear (m/s) and angular velocity (rad/s) of a link's frame."""
        state = p.getLinkState(
            body, link, computeLinkVelocity=True, computeForwardKinematics=True, physicsClientId=self._client
        )
        (cx, cy, cz), (x, y, z), quaternion = state[0], state[4], state[5]
        (u, v, w), angular = state[6], state[7]
        p_, q_, r_ = angular  # PyBullet gives the velocity of the centre of mass
        dx, dy, dz = x - cx, y - cy, z - cz
        linear = (u + q_ * dz - r_ * dy, v + r_ * dx - p_ * dz, w + p_ * dy - q_ * dx)
        return (x, y, z), quaternion, linear, angular

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

    def sphere_positions(self, spheres: list[int]) -> np.ndarray:
        """(n, 3) m."""
        read, client = p.getBasePositionAndOrientation, self._client
        return np.array([read(body, physicsClientId=client)[0] for body in spheres])

    def sphere_speed(self, sphere: int) -> float:
        """m/s."""
        return math.hypot(*p.getBaseVelocity(sphere, physicsClientId=self._client)[0])

    def contacts(self, body: int) -> list[Contact]:
        """Every contact of a chain with other bodies but free spheres, as the last step left them.

        There are none before the first step after a restore.
        """
        if not self._stepped:  # PyBullet would answer with those of before the restore
            return []
        points = p.getContactPoints(bodyA=body, physicsClientId=self._client)
        free = self._free
        return (
            [Contact(c[3], c[2], c[4], c[6], c[7], c[9]) for c in points if c[2] not in free]
            if points
            else []
        )

    def deepest_overlap(self, body: int = -1) -> float:
        """How deep two bodies (one of them ``body``, or any) overlap most after the last step, m; 0 without contact."""
        if not self._stepped:
            return 0.0
        points = p.getContactPoints(bodyA=body, physicsClientId=self._client)
        return max((-c[8] for c in points or ()), default=0.0)

    def closest_distance(self, body_a: int, body_b: int, within: float, first_link: int = -1) -> float:
        """Smallest distance between two bodies in m (negative: overlap), or ``within`` if further apart.

        Args:
            first_link: links of ``body_a`` before this one do not count.
        """
        points = p.getClosestPoints(body_a, body_b, within, physicsClientId=self._client)
        return min((c[8] for c in points if c[3] >= first_link), default=within)

    # -- exactness
    def save(self) -> None:
        """Remember the present state for :meth:`restore`."""
        self._saved = p.saveState(physicsClientId=self._client)

    def restore(self) -> None:
        """Go back to the saved state, bit for bit."""
        self._stepped = False
        p.restoreState(stateId=self._saved, physicsClientId=self._client)
        if self._every_pair:
            self._forget_contacts()

    def _forget_contacts(self) -> None:
        """Make Bullet forget what touched or nearly touched what, and how bodies moved, before the restore.

        To set a body's collision group gives it a new place in the broadphase: its pairs, their contacts and the
        swollen box of a body that moved are gone. A saved state calls bodies by that place, so it is saved anew.
        """
        for (body, link), (group, mask) in self._groups.items():
            p.setCollisionFilterGroupMask(body, link, group, mask, physicsClientId=self._client)
        p.removeState(self._saved, physicsClientId=self._client)
        self.save()
        p.setPhysicsEngineParameter(
            constraintSolverType=p.CONSTRAINT_SOLVER_LCP_SI, physicsClientId=self._client
        )

    def _set_group(self, body: int, link: int, group: int, mask: int) -> None:
        self._groups[body, link] = group, mask
        p.setCollisionFilterGroupMask(body, link, group, mask, physicsClientId=self._client)

    def digest(self, chains: dict[int, list[int]]) -> str:
        """SHA-256 over the joint states of ``chains`` (body → joints), and every free sphere's state."""
        sha = hashlib.sha256()
        for body, joints in chains.items():
            angles, speeds = self.joint_states(body, joints)
            sha.update(np.array([*angles, *speeds]).tobytes())
        for body in self._free:
            position, _ = p.getBasePositionAndOrientation(body, physicsClientId=self._client)
            velocity, _ = p.getBaseVelocity(body, physicsClientId=self._client)
            sha.update(np.array([*position, *velocity]).tobytes())
        return sha.hexdigest()
