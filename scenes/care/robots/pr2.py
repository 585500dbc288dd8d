"""Willow Garage PR2: its right arm works, everything else stands still.

Kinematics, masses and limits are those of the PR2's description; its torso is raised by 0.12 m. Collision shapes are
capsules fitted by ``scenes/care/assets/bake``; base, torso, head and left arm are boxes.
"""

from __future__ import annotations

import math

from scenes.care.furniture import Box
from scenes.care.robots.robot import Mount, Robot, Source, link

TURN = 2 * math.pi
SOURCE = Source("example-robot-data 6.0.0", "pr2_description", "BSD-3-Clause", "LICENSE-pr2.txt")

LINKS = (
    link("r_shoulder_pan_link", (-0.05, -0.188, 0.910675), (0, 0, 0), (0, 0, 1),
         -2.285398163, 0.714601837, 25.799, (-0.0012, 0.0245, -0.0982), (0.866179, 0.874217, 0.273538),
         ((0.049, 0.005, -0.026), (0.049, 0.005, 0.008), 0.178),
         ((0, -0.006, -0.391), (0, -0.006, -0.241), 0.133)),
    link("r_shoulder_lift_link", (0.1, 0, 0), (0, 0, 0), (0, 1, 0),
         -0.5236, 1.3963, 2.7499, (0.022, -0.0266, -0.0313), (0.021056, 0.021272, 0.019758),
         ((0.005, 0, 0.008), (0.005, 0, 0.008), 0.135)),
    link("r_upper_arm_roll_link", (0, 0, 0), (0, 0, 0), (1, 0, 0),
         -3.9, 0.8, 6.1177, (0.2105, -0.0159, -0.0002), (0.025403, 0.089241, 0.090617),
         ((0.025, 0, 0.005), (0.405, 0, 0.005), 0.095)),
    link("r_elbow_flex_link", (0.4, 0, 0), (0, 0, 0), (0, 1, 0),
         -2.3213, 0, 1.9033, (0.0101, 0.0003, -0.0121), (0.003465, 0.004416, 0.003592),
         ((0.076, -0.003, 0.011), (0.039, -0.004, -0.065), 0.048),
         ((-0.053, 0.001, -0.027), (-0.015, 0, 0.057), 0.044)),
    link("r_forearm_roll_link", (0, 0, 0), (0, 0, 0), (1, 0, 0),
         -TURN, TURN, 2.6897, (0.1807, -0.0002, -0.0086), (0.014684, 0.029533, 0.031013),
         ((0.098, -0.035, -0.017), (-0.001, 0.008, 0.005), 0.020),
         ((0.305, 0, -0.003), (0.134, 0.002, 0.009), 0.067)),
    link("r_wrist_flex_link", (0.321, 0, 0), (0, 0, 0), (0, 1, 0),
         -2.094, 0, 0.61402, (-0.0016, 0, -0.0008), (0.000652, 0.000198, 0.000645),
         ((-0.006, -0.002, 0), (-0.003, -0.002, 0), 0.041)),
    link("r_wrist_roll_link", (0, 0, 0), (0, 0, 0), (1, 0, 0),
         -TURN, TURN, 1.4597, (0.0852, 0.0001, -0.0011), (0.012903, 0.014334, 0.01569),
         ((0.165, 0.041, 0), (0.046, 0.017, -0.001), 0.035),
         ((0.063, -0.03, 0.001), (0.172, -0.03, 0.001), 0.031)),
)  # fmt: skip

#: What stands still, in the frame of the base's footprint.
BODY = (
    Box("base", (0, 0, 0.19), (0.334, 0.333, 0.19)),
    Box("torso", (-0.16, 0, 0.75), (0.17, 0.17, 0.43)),
    Box("head", (-0.03, 0, 1.30), (0.13, 0.15, 0.14)),
    Box("left_shoulder", (0.03, 0.235, 0.76), (0.15, 0.13, 0.28)),
    Box("left_upper_arm", (0.15, 0.31, 0.66), (0.13, 0.11, 0.20)),
    Box("left_forearm", (0.31, 0.10, 0.60), (0.10, 0.15, 0.09)),
)

ROBOT = Robot(
    "Willow Garage PR2", LINKS, (0.18, 0, 0), (0, 0, 0),
    mounts={
        "wheelchair": Mount((-1.10, -0.45, 0.0), 35.0, "floor"),
        "bed": Mount((-1.05, 0.10, 0.0), 30.0, "floor", start=(-0.28, 0.45, -0.67, -1.98, 2.66, -1.76, -2.55)),
    },
    start=(0.22, -0.15, -2.29, -1.16, -2.53, -1.76, -1.00),
    seeds=(
        (-0.58, 0.18, 0.22, -1.30, -2.44, -1.36, -3.60),
        (-0.52, 0.20, 0.48, -1.25, -2.20, -1.04, -0.17),
    ),
    base_link="base", plate=(0.1, 0.1, 0.0), source=SOURCE, torque=12.0,
    body=BODY, inside=3,
)  # fmt: skip
