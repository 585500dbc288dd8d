"""The person in the world: static capsules for what does not move, a chain for the right arm, impairments.

The arm is held by weak position motors (gain 0.01, 1 N·m × strength, as upstream), so it gives way when pushed and
comes back slowly. Impairments follow Assistive Gym: *limits* scales the joint limits by U(0.5, 1), *weakness* the
motors' torque by U(0.25, 1), *tremor* adds U(−10°, 10°) per joint to the motors' targets, its sign flipping each step.
"""

from __future__ import annotations

import math

import numpy as np

from scenes.care.body import (
    ARM_JOINTS,
    ARM_PARTS,
    IMPAIRMENTS,
    MOVING_FRAMES,
    SIZES,
    arm_joint_offsets,
    capsules,
    seated_frames,
)
from scenes.care.chain import Chain, Link, Shape, capsule_inertia
from scenes.care.world import World
from scenes.errors import InputError

ARM_GAIN = 0.01
ARM_TORQUE_NM = 1.0
TREMOR_RAD = math.radians(10.0)


def arm_chain(gender: str) -> Chain:
    """The right arm from the chest, as ARM_JOINTS has it; masses as shares of the body's."""
    size = SIZES[gender]
    shapes = {c.segment: c for c in capsules(gender) if c.segment in MOVING_FRAMES}
    carried = {index: name for name, index in MOVING_FRAMES.items()}
    links = []
    for index, (joint, offset) in enumerate(zip(ARM_JOINTS, arm_joint_offsets(size), strict=True)):
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
    return Chain("right_arm", tuple(links))


class Person:
    """The person's bodies in a world.

    Attributes:
        arm: body id of the right arm.
        statics: body id → segment name of what does not move.
        part_links: link index of each of ARM_PARTS.
        landmarks: link indices whose frames lie at shoulder, elbow and wrist.
    """

    def __init__(self, world: World, gender: str) -> None:
        if gender not in SIZES:
            raise InputError("gender", gender, "one of " + ", ".join(SIZES))
        self._world = world
        self.gender, self.size = gender, SIZES[gender]
        self.chain = arm_chain(gender)
        self.joints = list(self.chain.movable)
        frames = seated_frames(gender)
        self.statics = {
            world.add_static(Shape(c.a, c.b, c.radius), frames[c.segment]): c.segment
            for c in capsules(gender)
            if c.segment not in MOVING_FRAMES
        }
        self.arm = world.add_chain(self.chain, frames["chest"])
        for body in self.statics:  # the shoulder girdle lies inside the torso
            world.ignore(self.arm, MOVING_FRAMES["pecs"], body, -1)
        self.bodies = {*self.statics, self.arm}
        self.part_links = tuple(MOVING_FRAMES[part] for part in ARM_PARTS)
        self.landmarks = [MOVING_FRAMES["upper_arm"], MOVING_FRAMES["forearm"], MOVING_FRAMES["hand"]]
        self._seated = np.radians([joint.seated_deg for joint in ARM_JOINTS])
        self._low, self._high = self.chain.limits
        self._gains = [ARM_GAIN] * len(self.joints)
        self._limited = False
        world.set_joints(self.arm, self.joints, self._seated)
        self.impairment = "none"
        self._severity = (1.0, 1.0, np.zeros(len(self.joints)))

    def reset(self, rng: np.random.Generator, impairment: str) -> None:
        """Draw this episode's severities (always the same number of draws) and apply ``impairment``."""
        n = len(self.joints)
        self._severity = (
            rng.uniform(0.5, 1.0),
            rng.uniform(0.25, 1.0),
            rng.uniform(-TREMOR_RAD, TREMOR_RAD, n),
        )
        self.set_impairment(impairment)

    def set_impairment(self, impairment: str) -> None:
        """Switch the impairment, also mid-episode; severities stay those of the episode."""
        if impairment not in IMPAIRMENTS:
            raise InputError("impairment", impairment, "one of " + ", ".join(IMPAIRMENTS))
        self.impairment = impairment
        limit_scale, strength, tremor = self._severity
        limited = impairment == "limits"
        if limited or self._limited:  # only then do PyBullet's limits differ from the chain's
            scale = limit_scale if limited else 1.0
            self._world.set_limits(self.arm, self.joints, self._low * scale, self._high * scale)
        self._limited = limited
        scale = limit_scale if limited else 1.0
        self._rest = np.clip(self._seated, self._low * scale, self._high * scale)
        self._tremor = tremor if impairment == "tremor" else None
        torque = ARM_TORQUE_NM * (strength if impairment == "weakness" else 1.0)
        self._torques = [torque] * len(self.joints)
        self._world.drive(self.arm, self.joints, self._rest.tolist(), self._gains, self._torques)

    def act(self, step: int) -> None:
        """The person's own motion before control step ``step``: nothing, or the tremor."""
        if self._tremor is not None:
            targets = self._rest + (self._tremor if step % 2 else -self._tremor)
            self._world.drive(self.arm, self.joints, targets.tolist(), self._gains, self._torques)
