"""Franka Emika Panda, an arm with seven joints.

Kinematics, masses and limits are Franka Emika's; collision shapes are capsules fitted by us.
"""

from __future__ import annotations

import math

import numpy as np

from scenes.care.chain import Link, Shape
from scenes.care.robots.robot import Mount, Robot, Source, on_chair

HALF = math.pi / 2
SOURCE = Source("pybullet 3.2.7", "pybullet_data/franka_panda", "Apache-2.0", "LICENSE-panda.txt")


def _robot() -> Robot:
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
        mounts={
            "wheelchair": Mount(on_chair(-0.40, -0.35, 0.20)),
            "wheelchair_face": Mount(
                on_chair(-0.40, -0.35, 0.20), start=(0.84, -0.61, -0.59, -1.75, 1.39, 1.12, 1.94)
            ),
            "bed": Mount((-0.85, 0.0, 0.50), start=(0.17, 1.24, 2.28, -2.79, -2.39, 1.67, -1.48)),
            "bed_head": Mount(
                (-1.07, 0.32, 0.18), 90.0, start=(-0.64, 0.76, -0.22, -1.38, -1.00, 1.01, -0.91)
            ),
        },
        start=(-0.86, 0.95, -1.79, -2.01, -0.63, 1.34, -1.48), base_link="panda_link0", plate=(0.105, 0.12, 0.03),
        source=SOURCE,
    )  # fmt: skip


ROBOT = _robot()
