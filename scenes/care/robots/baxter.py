"""Rethink Baxter: its right arm works, everything else stands still.

Kinematics, masses and limits are Rethink's. Collision shapes are capsules fitted by ``scenes/care/assets/bake``; torso,
head, pedestal and left arm are boxes.
"""

from __future__ import annotations

import math

from scenes.care.furniture import Box
from scenes.care.robots.robot import Mount, Robot, Source, link

HALF = math.pi / 2
SOURCE = Source("example-robot-data 6.0.0", "baxter_description", "BSD-3-Clause", "LICENSE-baxter.txt")

LINKS = (
    link("right_upper_shoulder", (0.06402724, -0.259027385, 0.129626), (0, 0, -0.7854), (0, 0, 1),
         -1.701679939, 1.701679939, 5.7004, (0.0178, 0.0009, 0.1913), (0.047091, 0.03767, 0.03596),
         ((0.023, 0.005, 0.207), (0.023, 0.005, 0.207), 0.170)),
    link("right_lower_shoulder", (0.069, 0, 0.27035), (-HALF, 0, 0), (0, 0, 1),
         -2.147, 1.047, 3.2271, (0.0685, 0.0027, -0.0053), (0.011752, 0.027886, 0.020788),
         ((0.038, 0.004, -0.017), (0.038, 0.004, 0.017), 0.108)),
    link("right_upper_elbow", (0.102, 0, 0), (HALF, 0, HALF), (0, 0, 1),
         -3.054179939, 3.054179939, 4.3127, (-0.0028, 0.0013, 0.1809), (0.026617, 0.028444, 0.01248),
         ((0.088, -0.002, 0.306), (0.111, -0.001, 0.245), 0.043),
         ((-0.025, 0.004, 0.242), (0.007, 0.002, 0.075), 0.089)),
    link("right_lower_elbow", (0.069, 0, 0.26242), (-HALF, -HALF, 0), (0, 0, 1),
         -0.05, 2.618, 2.0722, (0.0261, 0.0016, -0.0112), (0.007116, 0.013183, 0.009269),
         ((0.018, -0.002, 0.031), (0.021, -0.002, -0.029), 0.088)),
    link("right_upper_forearm", (0.10359, 0, 0), (HALF, 0, HALF), (0, 0, 1),
         -3.059, 3.059, 2.2468, (-0.0017, 0.0046, 0.1395), (0.016677, 0.016755, 0.003747),
         ((-0.011, 0.002, 0.043), (-0.011, 0.002, 0.263), 0.080)),
    link("right_lower_forearm", (0.01, 0, 0.2707), (-HALF, -HALF, 0), (0, 0, 1),
         -HALF, 2.094, 1.6098, (0.0604, 0.007, 0.006), (0.003876, 0.007005, 0.005528),
         ((0.119, 0.005, -0.001), (0.119, 0.005, -0.001), 0.069),
         ((0.014, -0.002, -0.032), (0.014, -0.002, 0.029), 0.071)),
    link("right_wrist", (0.115975, 0, 0), (HALF, 0, HALF), (0, 0, 1),
         -3.059, 3.059, 0.90268, (0.0031, 0.0006, 0.0872), (0.043802, 0.04385, 0.040581),
         ((0, -0.004, 0.094), (0, -0.004, 0.228), 0.053)),
)  # fmt: skip

#: What stands still, in the frame of the torso's base (0.924 m above the ground).
BODY = (
    Box("torso", (-0.01, 0, 0.407), (0.16, 0.2, 0.3)),
    Box("screen", (0.164, 0, 0.675), (0.051, 0.134, 0.09)),
    Box("pedestal", (-0.042, 0, -0.36), (0.20, 0.20, 0.36)),
    Box("foot", (-0.042, 0, -0.86), (0.40, 0.36, 0.06)),
    Box("left_upper_arm", (0.14, 0.42, 0.24), (0.13, 0.17, 0.23)),
    Box("left_forearm", (0.172, 0.485, -0.33), (0.085, 0.085, 0.35)),
)

ROBOT = Robot(
    "Rethink Baxter", LINKS, (0, 0, 0.25), (0, -HALF, 0),
    mounts={
        "wheelchair": Mount((-1.25, -0.30, 0.924), 45.0, "floor"),
        "wheelchair_face": Mount((-1.25, -0.30, 0.924), 45.0, "floor"),
        "bed": Mount((-1.10, 0.50, 0.924), 0.0, "floor", start=(0.06, -0.05, 0.35, 2.30, 2.45, 1.88, 2.45)),
    },
    start=(1.02, 0.33, 0.42, 1.24, -2.31, 1.89, 2.89),
    seeds=(
        (-0.42, -0.49, -0.33, 1.59, 1.97, 1.67, -2.59),
        (-0.86, -0.09, 0.34, 1.16, 1.72, 1.67, 1.12),
    ),
    base_link="base", plate=(0.1, 0.1, 0.0), source=SOURCE, torque=12.0,
    body=BODY,
)  # fmt: skip
