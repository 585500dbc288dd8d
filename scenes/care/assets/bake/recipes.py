"""How each robot's description is read: which joints, what is left out, which colours; one entry per robot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from scenes.care.assets.bake.description import pose_of
from scenes.care.assets.bake.robots import CARBON, JACO_COLORS
from scenes.care.shapes import turn

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Recipe:
    """How one robot is read.

    Attributes:
        file: description, under one of the folders (``robots``, ``stretch``, ``robosuite``).
        joints: of the arm, from the base outwards.
        still: other joints → where they stand, rad or m.
        without: prefixes of bodies that are not drawn.
        triangles: budget of the look.
        color: (body, mesh file, colour in the description) → colour.
        hand: where a plain two-finger hand of ours is put on the last link (pose), if the description has none.
        last_mass: overrides mass, com, inertia (diagonal) of the last link.
        parallel: index of a link that gets the orientation of the next one's frame (the next one slides along it).
        blended: body → share with which it follows the next link: the tubes of a telescope.
        capsules: at most so many per link.
        base: name of the base in the look's file.
    """

    folder: str
    file: str
    joints: tuple[str, ...]
    still: dict[str, float] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    triangles: int = 9000
    color: Callable[[str, str, Rgb], Rgb] = lambda body, file, rgb: rgb
    hand: np.ndarray | None = None
    last_mass: tuple[float, tuple[float, float, float], tuple[float, float, float]] | None = None
    parallel: int | None = None
    blended: dict[str, float] = field(default_factory=dict)
    capsules: int = 2
    base: str = "base"


def _jaco_color(_: str, file: str, __: Rgb) -> Rgb:
    return JACO_COLORS.get(file.replace(".stl", ".dae"), CARBON)


def _soft(low: int = 44, high: int = 226) -> Callable[[str, str, Rgb], Rgb]:
    """The description's colour, neither black nor white: both lose the shading."""

    def color(_: str, __: str, rgb: Rgb) -> Rgb:
        r, g, b = (round(low + (high - low) * c / 255) for c in rgb)
        return r, g, b

    return color


def _stretch_color(body: str, file: str, rgb: Rgb) -> Rgb:
    if "tip" in body or "wheel" in body or "caster" in body:
        return (52, 54, 58)
    if any(word in body for word in ("mast", "arm_l", "lift")):
        return (196, 200, 205) if "arm_l" in body or "mast" in body else (70, 74, 80)
    return (74, 78, 84)


def _xarm_color(body: str, file: str, rgb: Rgb) -> Rgb:
    return (150, 155, 162) if body == "link7" else (203, 207, 212)


def _pr2_color(body: str, file: str, rgb: Rgb) -> Rgb:
    """The description's blue, green and red mark parts; the robot itself is white and grey."""
    _, green, blue = rgb
    if "wheel" in body or "gripper" in body:
        return (72, 76, 82)
    if max(rgb) - min(rgb) < 60:
        return (205, 208, 212)
    return (152, 158, 166) if blue == max(rgb) else (182, 187, 193) if green == max(rgb) else (84, 88, 94)


RECIPES: dict[str, Recipe] = {
    "jaco7": Recipe(
        "robosuite", "robots/jaco/robot.xml", tuple(f"j2s7s300_joint_{k}" for k in range(1, 8)),
        color=_jaco_color, last_mass=(0.99, (0, 0, -0.06), (0.0003453236187, 0.0003453236187, 0.0005816)), capsules=1,
    ),
    "xarm7": Recipe(
        "robots", "xarm_description/urdf/xarm7.urdf", tuple(f"joint{k}" for k in range(1, 8)), color=_xarm_color,
        hand=pose_of((0, 0, 0)),
    ),
    "ur5": Recipe(
        "robots", "ur_description/urdf/ur5_robot.urdf",
        ("shoulder_pan_joint", "shoulder_lift_joint", "elbow_joint", "wrist_1_joint", "wrist_2_joint", "wrist_3_joint"),
        color=_soft(60, 220), hand=pose_of((0, 0.0823, 0), turn("x", -90)),
    ),
    "sawyer": Recipe(
        "robosuite", "robots/sawyer/robot.xml", tuple(f"right_j{k}" for k in range(7)),
        triangles=8400,
        color=_soft(), hand=pose_of((0, 0, 0.024)),
    ),
    "stretch": Recipe(
        "stretch", "SE3/stretch_description_SE3_eoa_wrist_dw3_tool_sg3.urdf",
        ("joint_lift", "joint_arm_l0", "joint_wrist_yaw", "joint_wrist_pitch", "joint_wrist_roll"),
        still={"joint_head_pan": -1.57, "joint_head_tilt": -0.5}, without=("camera", "gripper_camera", "link_aruco"),
        triangles=7800, color=_stretch_color, base="base_link", parallel=1,
        blended={"link_arm_l3": 0.25, "link_arm_l2": 0.5, "link_arm_l1": 0.75},
    ),
    "baxter": Recipe(
        "robots", "baxter_description/urdf/baxter.urdf",
        ("right_s0", "right_s1", "right_e0", "right_e1", "right_w0", "right_w1", "right_w2"),
        still={"left_s0": 0.35, "left_s1": 0.9, "left_e0": 0.0, "left_e1": 0.55, "left_w1": 0.3,
               "r_gripper_l_finger_joint": 0.012, "r_gripper_r_finger_joint": -0.012},
        triangles=9000, color=_soft(),
    ),
    "pr2": Recipe(
        "robots", "pr2_description/urdf/pr2.urdf",
        ("r_shoulder_pan_joint", "r_shoulder_lift_joint", "r_upper_arm_roll_joint", "r_elbow_flex_joint",
         "r_forearm_roll_joint", "r_wrist_flex_joint", "r_wrist_roll_joint"),
        still={"torso_lift_joint": 0.12, "l_shoulder_pan_joint": 0.55, "l_shoulder_lift_joint": 1.1,
               "l_upper_arm_roll_joint": 1.57, "l_elbow_flex_joint": -1.7, "l_wrist_flex_joint": -0.5,
               "r_gripper_l_finger_joint": 0.12, "r_gripper_r_finger_joint": 0.12,
               "r_gripper_l_finger_tip_joint": 0.12, "r_gripper_r_finger_tip_joint": 0.12},
        triangles=10500, color=_pr2_color,
    ),
}  # fmt: skip
