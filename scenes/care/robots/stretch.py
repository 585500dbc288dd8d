"""Hello Robot Stretch 3: a mast on a rolling base, an arm that telescopes, a wrist of three joints.

Kinematics, masses and limits are Hello Robot's (SE3 with the dexterous wrist and its gripper). The four tubes of the arm
slide together and are one joint of 0.52 m; the tubes' mass stays with the lift. Collision shapes are fitted by
``scenes/care/assets/bake``; the arm's is a rod as long as the arm is at its longest, which reaches out behind the mast
when it is drawn in, where nobody is.
"""

from __future__ import annotations

import math

from scenes.care.chain import Link, Shape
from scenes.care.robots.robot import Mount, Robot, Source, link

HALF = math.pi / 2
PI = math.pi
SOURCE = Source("hello-robot-stretch-urdf 0.1.2", "SE3", "BSD-3-Clause-Clear", "LICENSE-stretch.txt")

LINKS = (
    # The base rolls along its own x; two wheels cannot move it sideways, and turning is left out.
    Link(
        "base_link", (0, 0, 0), (0, 0, 0), (1, 0, 0), -0.8, 0.8, 20.944, (-0.0791, 0.0128, 0.2069),
        (2.7951, 2.741002, 0.288855), slides=True,
        shapes=(
            Shape((-0.114, 0, 0.082), (0, 0, 0), box=(0.324, 0.342, 0.158)),
            Shape((-0.067, 0.135, 0.16), (-0.067, 0.135, 1.30), 0.034),
            Shape((-0.02, 0.02, 1.36), (-0.02, 0.09, 1.38), 0.06),
        ),
    ),
    link("link_lift", (-0.104385, 0.134999388, 0.195), (1.5708036732, -0.0000036732, 0), (0, 1, -0.000003673),
         0, 1.1, 2.6138, (-0.0262, 0.017, 0.0516), (0.017358, 0.021307, 0.007671),
         ((-0.048, 0.032, 0.009), (-0.089, -0.01, 0.08), 0.065),
         ((0.025, 0.014, 0.004), (0.003, 0.002, 0.25), 0.055),
         slides=True),
    link("link_arm_l0", (0.000000936, 0.000000936, 0.27995), (0, 0, 0), (0, 0, 1),
         0, 0.52, 0.42773, (0.0337, -0.0008, -0.0317), (0.001689, 0.002107, 0.000571),
         ((0.001, -0.001, -0.53), (0.001, -0.001, -0.048), 0.022),
         ((0.08, -0.003, -0.003), (0.008, 0.007, 0), 0.034),
         slides=True),
    link("link_wrist_yaw", (0.083, -0.03075, 0), (-HALF, 0, PI), (0, 0, -1),
         -1.75, 4, 0.19897, (0.0324, 0.012, 0.0159), (0.000171, 0.000212, 0.000184),
         ((0.007, 0.003, -0.023), (0.007, 0.003, -0.01), 0.020),
         ((0.044, 0.017, 0.028), (0.046, 0.017, 0.028), 0.038)),
    link("link_wrist_pitch", (0.019455, 0, 0.0305), (-1.5707926536, 0, 1.5707889804), (0, 0, -1),
         -1.57, 0.56, 0.11659, (-0.0007, -0.0147, 0.0195), (0.000058, 0.000036, 0.000064),
         ((-0.013, -0.031, 0.019), (0.003, -0.031, 0.019), 0.026),
         ((-0.001, -0.001, 0.018), (-0.001, -0.001, 0.02), 0.024)),
    link("link_wrist_roll", (-0.018859, -0.024, 0.01955), (0.0000073464, 1.5707926536, PI), (0, 0, 1),
         -3.14, 3.14, 0.48811, (-0.0015, -0.0137, 0.0874), (0.002337, 0.005283, 0.004526),
         ((0.002, 0.027, 0.052), (-0.003, -0.067, 0.066), 0.028),
         ((-0.001, 0, 0.039), (-0.002, 0.001, 0.232), 0.031)),
)  # fmt: skip

ROBOT = Robot(
    "Hello Robot Stretch 3", LINKS, (0, 0, 0.235), (0, -HALF, 0),
    mounts={
        "wheelchair": Mount((-1.05, -0.30, 0.0), 105.0, "floor"),
        "bed": Mount((-1.0, 0.10, 0.0), 90.0, "floor", start=(0.12, 0.89, 0.17, 0.0, 0.0, 1.57)),
    },
    start=(0.26, 0.69, 0.14, -0.26, 0.0, 1.57),
    seeds=(
        (-0.56, 0.98, 0.41, 0.61, 0.0, 1.57),
        (-0.58, 0.93, 0.33, 0.38, 0.49, -0.92),
    ),
    base_link="", plate=(0.1, 0.1, 0.0), source=SOURCE, torque=12.0,
)  # fmt: skip
