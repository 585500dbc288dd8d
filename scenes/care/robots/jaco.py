"""Kinova Jaco with six joints, the arm that rides on powered wheelchairs.

Kinematics, masses and limits are Kinova's (``j2s6s200``); collision shapes are capsules fitted by us.
"""

from __future__ import annotations

import math

from scenes.care.chain import Link, Shape
from scenes.care.robots.robot import Mount, Robot, Source, on_chair

HALF = math.pi / 2
SOURCE = Source("example-robot-data 6.0.0", "kinova_description", "BSD-3-Clause", "LICENSE-jaco.txt")


def _robot() -> Robot:
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
        mounts={
            "wheelchair": Mount(on_chair(-0.35, -0.30, 0.30)),
            "wheelchair_face": Mount(on_chair(-0.35, -0.30, 0.30)),
            "bed": Mount((-0.95, 0.0, 0.70), start=(0.90, 3.78, 0.85, -0.68, 1.73, -3.01)),
            "bed_head": Mount((-0.85, 0.55, 0.50), start=(0.65, 4.30, 1.38, -2.45, 1.25, -2.89)),
        },
        start=(-1.03, 4.91, 4.24, -0.66, 1.01, -0.39), base_link="j2s6s200_link_base", plate=(0.062, 0.062, 0.0),
        source=SOURCE,
    )  # fmt: skip


ROBOT = _robot()
