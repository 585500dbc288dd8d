"""Kinova Jaco with seven joints and a spherical wrist.

Kinematics, masses and limits are Kinova's (``j2s7s300``); the hand is the six-joint Jaco's, whose last link has the same
frame. Collision shapes are capsules fitted by ``scenes/care/assets/bake``.
"""

from __future__ import annotations

import math

from scenes.care.robots.robot import Mount, Robot, Source, link, on_chair

HALF = math.pi / 2
PI = math.pi
TURN = 2 * math.pi
SOURCE = Source(
    "robosuite 1.5.2", "kinova_description (j2s7s300)", "BSD-3-Clause; conversion MIT", "LICENSE-jaco7.txt"
)

LINKS = (
    link("j2s7s300_link_1", (0, 0, 0.15675), (PI, 0, PI), (0, 0, 1),
         -TURN, TURN, 0.7477, (0, -0.002, -0.0605), (0.00152, 0.00152, 0.000598),
         ((0.004, -0.023, -0.125), (0.001, -0.003, -0.016), 0.045)),
    link("j2s7s300_link_2", (0, 0.0016, -0.11875), (-HALF, 0, PI), (0, 0, 1),
         0.820305, 5.46288, 0.8447, (0, -0.1036, 0), (0.002471, 0.00038, 0.002471),
         ((0.001, -0.171, -0.004), (0.001, 0.01, -0.004), 0.045)),
    link("j2s7s300_link_3", (0, -0.205, 0), (-HALF, 0, 0), (0, 0, 1),
         -TURN, TURN, 0.8447, (0, 0, -0.1022), (0.002471, 0.002471, 0.00038),
         ((0.003, 0.022, -0.21), (0.004, 0, -0.019), 0.046)),
    link("j2s7s300_link_4", (0, 0, -0.205), (HALF, 0, PI), (0, 0, 1),
         0.523599, 5.75959, 0.6763, (0, 0.081, -0.0086), (0.00142, 0.000304, 0.00142),
         ((0.003, 0.178, -0.018), (0.002, -0.011, -0.018), 0.040)),
    link("j2s7s300_link_5", (0, 0.2073, -0.0114), (-HALF, 0, PI), (0, 0, 1),
         -TURN, TURN, 0.463, (0, 0.0029, -0.0542), (0.000432, 0.000432, 0.000093),
         ((0.002, 0.025, -0.108), (0.001, 0.001, -0.01), 0.035)),
    link("j2s7s300_link_6", (0, 0, -0.10375), (HALF, 0, PI), (0, 0, 1),
         1.13446, 5.14872, 0.463, (0, 0.0497, -0.0029), (0.000432, 0.000093, 0.000432),
         ((0.001, 0.078, 0), (0.003, -0.004, -0.011), 0.038)),
    link("j2s7s300_link_7", (0, 0.10375, 0), (-HALF, 0, PI), (0, 0, 1),
         -TURN, TURN, 0.99, (0, 0, -0.06), (0.000345, 0.000345, 0.000582),
         ((0, -0.003, -0.161), (0, -0.003, -0.028), 0.049)),
)  # fmt: skip

ROBOT = Robot(
    "Kinova Jaco (7-DoF)", LINKS, (0, 0, -0.18), (0, HALF, 0),
    mounts={
        "wheelchair": Mount(on_chair(-0.50, -0.40, 0.30)),
        "wheelchair_face": Mount(on_chair(-0.50, -0.40, 0.30)),
        "bed": Mount((-0.95, 0.0, 0.70), start=(0.99, 3.79, -0.12, 0.85, 2.46, 4.60, 0.19)),
    },
    start=(2.01, 2.32, -2.35, 1.79, 0.88, 4.99, 1.20),
    base_link="base", plate=(0.062, 0.062, 0.0), source=SOURCE,
)  # fmt: skip
