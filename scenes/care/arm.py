"""The robots: one table entry per robot, and the two controllers.

Kinematics, masses and limits are the makers' published ones (Kinova's ``j2s6s200`` description, BSD; Franka Emika's
``panda`` description, Apache-2.0). Collision shapes are capsules fitted by us: they are what makes a step fast.
A robot's own links do not collide with each other (no start pose or policy of ours brings them close).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenes.care.chain import Chain, Link, Shape, matrix_from_rpy
from scenes.care.tools.tool import Tool
from scenes.errors import InputError

HALF = math.pi / 2


@dataclass(frozen=True)
class Mount:
    """Where a robot's base stands: position in the world (m), turned by ``yaw_deg`` about z."""

    position: tuple[float, float, float]
    yaw_deg: float = -90.0

    @property
    def pose(self) -> np.ndarray:
        """(4, 4) in the world."""
        pose = np.eye(4)
        pose[:3, :3] = matrix_from_rpy((0, 0, math.radians(self.yaw_deg)))
        pose[:3, 3] = self.position
        return pose


@dataclass(frozen=True)
class Robot:
    """A robot, as it is mounted in each place.

    Attributes:
        label: name for people.
        links: arm links from the base outwards, without a tool.
        grip_xyz, grip_rpy: pose of a tool's handle in the last link's frame.
        mounts: place (:mod:`scenes.care.place`) → where the base stands.
        start: joint angles near a start pose, rad (a seed for inverse kinematics).
        base_link: the link that stands on the mount, as the look's file names it; it never moves.
        plate: half extents (x, y) of the mount's plate and its shift along y, m.
        torque: joint torque limit of the ``responsive`` controller, N·m.
        speed: joint speed of a full action under the ``responsive`` controller, rad/s.
    """

    label: str
    links: tuple[Link, ...]
    grip_xyz: tuple[float, float, float]
    grip_rpy: tuple[float, float, float]
    mounts: dict[str, Mount]
    start: tuple[float, ...]
    base_link: str
    plate: tuple[float, float, float]
    torque: float = 4.0
    speed: float = 1.0

    def chain(self, name: str, tool: Tool) -> Chain:
        """The arm with a tool in its hand."""
        return Chain(name, (*self.links, *tool.links(self.grip_xyz, self.grip_rpy)))

    @property
    def n_joints(self) -> int:
        return len(self.links)


def _on_chair(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Assistive Gym's mounting offsets (m) count from the wheelchair's origin, (0, 0, 0.06)."""
    return x, y, round(z + 0.06, 9)


def _jaco() -> Robot:
    def link(i: int, xyz, rpy, low, high, mass, com, inertia, to, radius) -> Link:
        shapes = (Shape((0, 0, 0), to, radius),)
        return Link(f"j2s6s200_link_{i}", xyz, rpy, (0, 0, 1), low, high, mass, com, inertia, shapes)

    turn = (-2 * math.pi, 2 * math.pi)
    links = (
        link(1, (0, 0, 0.15675), (0, math.pi, 0), *turn, 0.7477, (0, -0.002, -0.0605),
             (0.00152031725, 0.00152031725, 0.00059816), (0, 0.0016, -0.11875), 0.045),
        link(2, (0, 0.0016, -0.11875), (-HALF, 0, math.pi), 0.820304748, 5.462880559, 0.99, (0, -0.2065, -0.01),
             (0.010502207991, 0.000792, 0.010502207991), (0, -0.41, -0.01), 0.045),
        link(3, (0, -0.41, 0), (0, math.pi, 0), 0.331612558, 5.951572749, 0.6763, (0, 0.081, -0.0086),
             (0.00142022431908, 0.000304335, 0.00142022431908), (0, 0.2073, -0.0114), 0.04),
        link(4, (0, 0.2073, -0.0114), (-HALF, 0, math.pi), *turn, 0.463, (0, 0.0028848942, -0.0541932613),
             (0.0004321316048, 0.0004321316048, 9.26e-05), (0, 0, -0.10375), 0.035),
        link(5, (0, 0, -0.10375), (HALF, 0, math.pi), 0.523598776, 5.759586532, 0.463,
             (0, 0.0497208855, -0.0028562765), (0.0004321316048, 9.26e-05, 0.0004321316048), (0, 0.10375, 0), 0.035),
        link(6, (0, 0.10375, 0), (-HALF, 0, math.pi), *turn, 1.03, (0, 0, -0.06),
             (0.0003453236187, 0.0003453236187, 0.0005816), (0, 0, -0.12), 0.042),
    )  # fmt: skip
    # The maker's end-effector frame lies at z = −0.16 of link 6, pointing along −z; upstream grips 2 cm further out.
    return Robot(
        "Kinova Jaco (6-DoF)", links, (0, 0, -0.18), (0, HALF, 0),
        mounts={"wheelchair": Mount(_on_chair(-0.35, -0.30, 0.30))},
        start=(-1.03, 4.91, 4.24, -0.66, 1.01, -0.39), base_link="j2s6s200_link_base", plate=(0.062, 0.062, 0.0),
    )  # fmt: skip


def _panda() -> Robot:
    def link(i: int, xyz, roll, low, high, mass, com, a, b, radius) -> Link:
        # The published description gives no inertias of its own; a solid capsule's are used.
        length = float(np.linalg.norm(np.subtract(a, b)))
        moment = mass * (length**2 / 12 + radius**2 / 3)
        return Link(
            f"panda_link{i}", xyz, (roll, 0, 0), (0, 0, 1), low, high, mass, com, (moment, moment, moment),
            (Shape(a, b, radius),),
        )  # fmt: skip

    links = (
        link(1, (0, 0, 0.333), 0, -2.9671, 2.9671, 2.7, (0, -0.04, -0.05), (0, 0, -0.14), (0, 0, 0), 0.06),
        link(2, (0, 0, 0), -HALF, -1.8326, 1.8326, 2.73, (0, -0.04, 0.06), (0, 0, 0), (0, -0.13, 0), 0.06),
        link(3, (0, -0.316, 0), HALF, -2.9671, 2.9671, 2.04, (0.01, 0.01, -0.05), (0, 0, -0.12), (0.0825, 0, 0), 0.055),
        link(4, (0.0825, 0, 0), HALF, -3.1416, 0.0, 2.08, (-0.03, 0.03, 0.02), (0, 0, 0), (-0.0825, 0.1, 0), 0.055),
        link(5, (-0.0825, 0.384, 0), -HALF, -2.9671, 2.9671, 3.0, (0, 0.04, -0.12), (0, 0, -0.23), (0, 0.05, -0.02), 0.055),
        link(6, (0, 0, 0), HALF, -0.0873, 3.8223, 1.3, (0.04, 0, 0), (0, 0, 0), (0.088, 0, 0), 0.05),
        link(7, (0.088, 0, 0), HALF, -2.9671, 2.9671, 1.21, (0, 0, 0.1), (0, 0, 0.03), (0, 0, 0.165), 0.042),
    )  # fmt: skip
    # Grasp point: flange at 0.107 m, hand turned by −45°, fingers' pinch 0.105 m further (franka_description).
    return Robot(
        "Franka Panda", links, (0, 0, 0.212), (0, -HALF, 0),
        mounts={"wheelchair": Mount(_on_chair(-0.40, -0.35, 0.20))},
        start=(-0.86, 0.95, -1.79, -2.01, -0.63, 1.34, -1.48), base_link="panda_link0", plate=(0.105, 0.12, 0.03),
    )  # fmt: skip


ROBOTS: dict[str, Robot] = {"jaco": _jaco(), "panda": _panda()}


def find_robot(name: str) -> Robot:
    if name not in ROBOTS:
        raise InputError("robot", name, "one of " + ", ".join(ROBOTS))
    return ROBOTS[name]


# ------------------------------------------------------------------------------------------------ controllers
@dataclass(frozen=True)
class Controller:
    """How an action in [−1, 1]ⁿ moves the joints: a position target and the motor that follows it.

    Attributes:
        gain: PyBullet's position gain: the joint aims at speed gain · error / Δt each substep.
        torque: limit in N·m; None takes the robot's own.
        reach: rad that a full action adds to the reference, per control step.
        from_target: whether the reference is the last target (kept within ``slack`` of the joint) or the
            measured joint.
        slack: rad.
    """

    gain: float
    torque: float | None
    reach: float
    from_target: bool
    slack: float = 0.0


CONTROLLERS: dict[str, Controller] = {
    # Assistive Gym 1.0's constants: 0.05 rad·a added five times to the measured joints, gain 0.05, 1 N·m.
    "assistive_gym": Controller(gain=0.05, torque=1.0, reach=0.25, from_target=False),
    # A joint-velocity servo: 0.1 rad per 0.1 s step at full action, a target that cannot run away from the joint.
    "responsive": Controller(gain=0.25, torque=None, reach=0.1, from_target=True, slack=0.12),
}


def find_controller(name: str) -> Controller:
    if name not in CONTROLLERS:
        raise InputError("controller", name, "one of " + ", ".join(CONTROLLERS))
    return CONTROLLERS[name]
