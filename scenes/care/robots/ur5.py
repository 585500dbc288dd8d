"""Universal Robots UR5, the six-joint arm of many laboratories.

Kinematics, masses and limits are those of ROS-Industrial's description. Collision shapes are capsules fitted by
``scenes/care/assets/bake``; the description has no hand, so a plain one of ours is drawn and felt (its mass is not
counted).
"""

from __future__ import annotations

import math

from scenes.care.robots.robot import Mount, Robot, Source, link

HALF = math.pi / 2
PI = math.pi
TURN = 2 * math.pi
SOURCE = Source("example-robot-data 6.0.0", "ur_description", "BSD-3-Clause", "LICENSE-ur5.txt")

LINKS = (
    link("shoulder_link", (0, 0, 0.089159), (0, 0, 0), (0, 0, 1),
         -TURN, TURN, 3.7, (0, 0, 0), (0.010267, 0.010267, 0.00666),
         ((0.002, 0.013, -0.012), (0.002, 0.013, 0.014), 0.071)),
    link("upper_arm_link", (0, 0.13585, 0), (0, HALF, 0), (0, 1, 0),
         -TURN, TURN, 8.393, (0, 0, 0.28), (0.226891, 0.226891, 0.015107),
         ((0.008, -0.005, -0.002), (0.004, -0.005, 0.427), 0.074)),
    link("forearm_link", (0, -0.1197, 0.425), (0, 0, 0), (0, 1, 0),
         -PI, PI, 2.275, (0, 0, 0.25), (0.049443, 0.049443, 0.004095),
         ((-0.001, 0.03, -0.013), (-0.002, 0.004, 0.384), 0.060)),
    link("wrist_1_link", (0, 0, 0.39225), (0, HALF, 0), (0, 1, 0),
         -TURN, TURN, 1.219, (0, 0, 0), (0.111173, 0.111173, 0.21942),
         ((0.001, 0.087, -0.024), (0.001, 0.087, 0.014), 0.044)),
    link("wrist_2_link", (0, 0.093, 0), (0, 0, 0), (0, 0, 1),
         -TURN, TURN, 1.219, (0, 0, 0), (0.111173, 0.111173, 0.21942),
         ((0, -0.024, 0.089), (-0.002, 0.015, 0.087), 0.045)),
    link("wrist_3_link", (0, 0, 0.09465), (0, 0, 0), (0, 1, 0),
         -TURN, TURN, 0.1879, (0, 0, 0), (0.017136, 0.017136, 0.033822),
         ((-0.002, 0.06, -0.009), (0.006, 0.061, 0.007), 0.037),
         ((0, 0.112, 0), (0, 0.182, 0), 0.042)),
)  # fmt: skip

ROBOT = Robot(
    "Universal Robots UR5", LINKS, (0, 0.2073, 0), (0, 0, HALF),
    mounts={
        "wheelchair": Mount((-0.95, -0.50, 0.70), 30.0, "pedestal"),
        "wheelchair_face": Mount((-0.60, -0.47, 0.77), -25.0, "pedestal", start=(-0.62, -1.99, 2.15, -0.16, 0.03, -3.14)),
        "bed": Mount((-1.0, 0.0, 0.80), 30.0, "pedestal", start=(0.41, -1.31, 1.98, 2.47, -2.50, 0.0)),
    },
    start=(0.52, -1.03, 1.75, -0.72, 2.62, -3.14),
    seeds=(
        (2.46, -2.03, -1.48, 0.38, -3.85, 0.0),
        (-1.10, 0.14, -1.49, 0.35, 0.59, 1.56),
    ),
    base_link="base", plate=(0.085, 0.085, 0.0), source=SOURCE, torque=10.0,
    inside=1,
)  # fmt: skip
