"""The person in the world: static capsules for what does not move, a chain for each limb that does, impairments.

A limb is held by weak position motors (gain 0.01, 1 N·m × strength, as upstream), so it gives way when pushed and comes
back slowly; an active person's are stronger and follow a :class:`~scenes.care.motion.Motion`. Impairments follow Assistive
Gym: *limits* scales the joint limits by U(0.5, 1), *weakness* the motors' torque by U(0.25, 1), *tremor* adds
U(−10°, 10°) per joint to the motors' targets, its sign flipping each step.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes.care.body import IMPAIRMENTS, capsules
from scenes.care.chain import Chain, Link, Shape, capsule_inertia
from scenes.care.joints import ARM_JOINTS, MOVING_FRAMES, ArmJoint, arm_joint_offsets
from scenes.care.motion import ACTIVE_GAIN, ACTIVE_TORQUE_NM, parse_motion
from scenes.care.posture import find_posture, posture_frames
from scenes.care.size import Body, BodySize, body_size, body_spec
from scenes.care.world import World
from scenes.errors import InputError

HOLD_GAIN = 0.01
HOLD_TORQUE_NM = 1.0
TREMOR_RAD = math.radians(10.0)


@dataclass(frozen=True)
class LimbSpec:
    """A limb that may move.

    Attributes:
        root: the segment its first joint is carried by.
        joints: from the root outwards; ``mass_share`` is that of the segment a joint's link carries.
        offsets: body size → position of each joint in its parent's frame, m.
        segments: segment → index of the joint whose link carries it.
        sunk: the segment that lies inside the torso at rest, whose contacts with it mean nothing.
    """

    root: str
    joints: tuple[ArmJoint, ...]
    offsets: Callable[[BodySize], list[tuple[float, float, float]]]
    segments: dict[str, int]
    sunk: str


#: Upstream's three head joints and their limits; the head turns about the top of the neck.
HEAD_JOINTS: tuple[ArmJoint, ...] = (
    ArmJoint("head_x", (1, 0, 0), -50, 50, 0.0),
    ArmJoint("head_y", (0, 1, 0), -34, 34, 0.0),
    ArmJoint("head_z", (0, 0, 1), -70, 70, 0.07),
)

LIMBS: dict[str, LimbSpec] = {
    "right_arm": LimbSpec("chest", ARM_JOINTS, arm_joint_offsets, MOVING_FRAMES, "pecs"),
    "head": LimbSpec(
        "neck", HEAD_JOINTS, lambda size: [(0.0, 0.0, size.head_z), (0, 0, 0), (0, 0, 0)], {"head": 2}, "head"
    ),
}


def limb_chain(name: str, body: Body) -> Chain:
    """The chain of one of LIMBS; masses as shares of the body's."""
    spec, size = LIMBS[name], body_size(body)
    shapes = {c.segment: c for c in capsules(body) if c.segment in spec.segments}
    carried = {index: segment for segment, index in spec.segments.items()}
    links = []
    for index, (joint, offset) in enumerate(zip(spec.joints, spec.offsets(size), strict=True)):
        mass, com, inertia = joint.mass_share * size.mass, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
        shape: tuple[Shape, ...] = ()
        if index in carried:
            capsule = shapes[carried[index]]
            com = tuple((np.array(capsule.a) + capsule.b) / 2)
            length = float(np.linalg.norm(np.subtract(capsule.a, capsule.b)))
            inertia = capsule_inertia(mass, capsule.radius, length)
            shape = (Shape(capsule.a, capsule.b, capsule.radius),)
        low, high = math.radians(joint.low_deg), math.radians(joint.high_deg)
        links.append(Link(joint.name, offset, axis=joint.axis, low=low, high=high, mass=mass, com=com,
                          inertia=inertia, shapes=shape))  # fmt: skip
    return Chain(name, tuple(links))


class Limb:
    """One limb of a person in a world: its chain, and the motors that hold it.

    Attributes:
        body: id in the world.
        joints, names: its joints' link indices and names.
        segments: segment → link index.
        pose: (n,) rad, where the motors hold it when nothing impairs them.
    """

    def __init__(
        self,
        world: World,
        name: str,
        body: Body,
        root: np.ndarray,
        pose_deg: Mapping[str, float],
        active: bool,
    ) -> None:
        spec = LIMBS[name]
        self._world = world
        self.name = name
        self.chain = limb_chain(name, body)
        self.joints = list(self.chain.movable)
        self.names = [joint.name for joint in spec.joints]
        self.segments = spec.segments
        self.body = world.add_chain(self.chain, root)
        self.pose = np.radians([pose_deg.get(joint.name, 0.0) for joint in spec.joints])
        self._low, self._high = self.chain.limits
        self._gains = [ACTIVE_GAIN if active else HOLD_GAIN] * len(self.joints)
        self._torque = ACTIVE_TORQUE_NM if active else HOLD_TORQUE_NM
        self._limited = False
        self._torques = [self._torque] * len(self.joints)
        self._rest = self.pose
        world.set_joints(self.body, self.joints, self.pose)

    def hold(self, limit_scale: float, strength: float) -> None:
        """Motors towards the pose, within limits scaled by ``limit_scale``, with torques scaled by ``strength``."""
        limited = limit_scale != 1.0
        if limited or self._limited:  # only then do PyBullet's limits differ from the chain's
            self._world.set_limits(self.body, self.joints, self._low * limit_scale, self._high * limit_scale)
        self._limited = limited
        self._rest = np.clip(self.pose, self._low * limit_scale, self._high * limit_scale)
        self._torques = [self._torque * strength] * len(self.joints)
        self.aim(np.zeros(len(self.joints)))

    def aim(self, offset: np.ndarray) -> None:
        """Motors towards the held pose plus ``offset`` (n,) rad."""
        self._world.drive(self.body, self.joints, (self._rest + offset).tolist(), self._gains, self._torques)

    def relax(self, torque_nm: float) -> None:
        """Hold on with another torque than the usual 1 N·m."""
        self._torque = torque_nm
        self.hold(1.0, 1.0)

    def angles_deg(self) -> dict[str, float]:
        """Joint → degrees, as they are."""
        angles, _ = self._world.joint_states(self.body, self.joints)
        return dict(zip(self.names, map(math.degrees, angles), strict=True))

    def offset_to(self, wanted_deg: Mapping[str, float]) -> np.ndarray:
        """(n,) rad from the held pose to the wanted angles, within the limits; 0 where nothing is wanted."""
        wanted = [
            math.radians(wanted_deg[n]) if n in wanted_deg else at
            for n, at in zip(self.names, self._rest, strict=True)
        ]
        return np.clip(wanted, self._low, self._high) - self._rest

    def set_pose(self, pose: np.ndarray) -> None:
        """Put the limb at ``pose`` (n,) rad, at rest, and hold it there."""
        self.pose = np.clip(pose, self._low, self._high)
        self._world.set_joints(self.body, self.joints, self.pose)


class Person:
    """The person's bodies in a world.

    Args:
        body: size and gender.
        posture: of :data:`scenes.care.posture.POSTURES`.
        moving: which of LIMBS move; all else is static.
        pose_deg: limb → joint → degrees, where it differs from the posture's.
        motion: what the person does, :func:`scenes.care.motion.parse_motion`; None: nothing.

    Attributes:
        spec, size: who it is.
        frames: segment → world pose (4, 4) of the posture; those of limbs that move are where they started.
        limbs: name → Limb, for those that move.
        statics: body id → segment name of what does not move.
        bodies: ids of all of the person's bodies.
        segment_of: (body, link) → segment, for everything that can be touched.
    """

    def __init__(
        self,
        world: World,
        body: Body,
        posture: str,
        moving: tuple[str, ...] = ("right_arm",),
        pose_deg: Mapping[str, Mapping[str, float]] | None = None,
        motion: Any = None,
    ) -> None:
        self.spec, self.size = body_spec(body), body_size(body)
        pose = {name: dict((pose_deg or {}).get(name, {})) for name in moving}
        if "right_arm" in moving:
            pose["right_arm"] = {**find_posture(posture).right_arm(self.size), **pose["right_arm"]}
        self.frames = frames = posture_frames(body, posture, pose.get("right_arm"))
        carried = {segment for name in moving for segment in LIMBS[name].segments}
        self.statics = {
            world.add_static(Shape(c.a, c.b, c.radius), frames[c.segment]): c.segment
            for c in capsules(body)
            if c.segment not in carried
        }
        self.limbs = {
            name: Limb(world, name, body, frames[LIMBS[name].root], pose[name], motion is not None)
            for name in moving
        }
        for name, limb in self.limbs.items():
            for static in self.statics:  # the shoulder girdle lies inside the torso, the head on the neck
                world.ignore(limb.body, limb.segments[LIMBS[name].sunk], static, -1)
        self.bodies = {*self.statics, *(limb.body for limb in self.limbs.values())}
        self.segment_of = {(static, -1): segment for static, segment in self.statics.items()}
        for limb in self.limbs.values():
            self.segment_of.update({(limb.body, link): segment for segment, link in limb.segments.items()})
        self.motion = parse_motion(
            motion,
            {
                name: math.degrees(at)
                for limb in self.limbs.values()
                for name, at in zip(limb.names, limb.pose, strict=True)
            },
            {
                link.name: (math.degrees(link.low), math.degrees(link.high))
                for limb in self.limbs.values()
                for link in limb.chain.links
            },
        )
        self.impairment = "none"
        self._severity: tuple[float, float, np.ndarray] = (1.0, 1.0, np.zeros(self._n_joints))

    @property
    def _n_joints(self) -> int:
        return sum(len(limb.joints) for limb in self.limbs.values())

    @property
    def arm(self) -> Limb:
        """The right arm, where it moves."""
        return self.limbs["right_arm"]

    def reset(self, rng: np.random.Generator, impairment: str) -> None:
        """Draw this episode's severities (always the same number of draws) and apply ``impairment``."""
        self._severity = (
            rng.uniform(0.5, 1.0),
            rng.uniform(0.25, 1.0),
            rng.uniform(-TREMOR_RAD, TREMOR_RAD, self._n_joints),
        )
        self.set_impairment(impairment)

    def set_impairment(self, impairment: str) -> None:
        """Switch the impairment, also mid-episode; severities stay those of the episode."""
        if impairment not in IMPAIRMENTS:
            raise InputError("impairment", impairment, "one of " + ", ".join(IMPAIRMENTS))
        self.impairment = impairment
        limit_scale, strength, tremor = self._severity
        for limb in self.limbs.values():
            limb.hold(
                limit_scale if impairment == "limits" else 1.0, strength if impairment == "weakness" else 1.0
            )
        self._tremor = tremor if impairment == "tremor" else None

    def act(self, step: int, time_s: float) -> None:
        """The person's own motion before control step ``step``: nothing, the tremor, what they want to do, or both."""
        if self.motion is None and self._tremor is None:
            return
        wanted: Mapping[str, float] = {}
        if self.motion is not None:
            now = {name: at for limb in self.limbs.values() for name, at in limb.angles_deg().items()}
            wanted = self.motion.wants(time_s, now)
        first = 0
        for limb in self.limbs.values():
            offset = limb.offset_to(wanted)
            if self._tremor is not None:
                shake = self._tremor[first : first + len(limb.joints)]
                offset = offset + (shake if step % 2 else -shake)
            limb.aim(offset)
            first += len(limb.joints)
