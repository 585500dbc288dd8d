"""How upstream's robots move their tool, as a product of exponentials (Lynch and Park, Modern Robotics, section 4.1).

A controller needs nothing else of the robot, so that it may outlive the scene it was made from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from scenes.care.assistive_gym.upstream import load
from scenes.care.quiet import quietly

#: The link that upstream observes of each tool: the tip of the scratcher, the pad of the wiper; else the tool itself.
TOOL_LINKS = {"scratch_itch": 1, "bed_bathing": 1}
TOOL_BASE = -1


@dataclass(frozen=True)
class Screws:
    """An arm at rest, in its base frame.

    Attributes:
        angles: (n,) of its joints, rad.
        axes: (n, 3) unit, about which they turn.
        points: (n, 3) m, through which the axes go.
        tip: (3,) m, of the tool, where upstream observes it.
        rotation: (3, 3) of the tool there.
        limits: (2, n) rad, lower and upper.
    """

    angles: np.ndarray
    axes: np.ndarray
    points: np.ndarray
    tip: np.ndarray
    rotation: np.ndarray
    limits: np.ndarray

    def forward(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tip position (3,) m, rotation (3, 3) and geometric Jacobian (6, n) at ``angles`` (n,) rad."""
        rotation, shift = np.eye(3), np.zeros(3)
        axes, points = [], []
        for axis, point, turn in zip(self.axes, self.points, angles - self.angles, strict=True):
            axes.append(rotation @ axis)
            points.append(rotation @ point + shift)
            own = Rotation.from_rotvec(turn * axis).as_matrix()
            shift = rotation @ (point - own @ point) + shift
            rotation = rotation @ own
        tip = rotation @ self.tip + shift
        jacobian = np.vstack([np.cross(axes, tip - np.array(points)).T, np.array(axes).T])
        return tip, rotation @ self.rotation, jacobian


def arm_screws(env: Any) -> Screws:
    """The screws of the left arm of an environment's robot with its tool in hand, where no other joints carry the arm."""
    bullet, rng = load().bullet, np.random.RandomState(0)
    client = bullet.connect(bullet.DIRECT)
    try:
        with quietly():
            robot, tool = type(env.robot)(env.robot.controllable_joints), type(env.tool)()
            robot.init(env.directory, client, rng)
            tool.init(robot, env.task, env.directory, client, rng, right=False, mesh_scale=[0.001] * 3)
        joints = robot.left_arm_joint_indices
        axes, points = [], []
        for joint in joints:
            point, quaternion = robot.convert_to_realworld(*robot.get_pos_orient(joint))
            own = bullet.getJointInfo(robot.body, joint, physicsClientId=client)[13]
            axes.append(Rotation.from_quat(quaternion).apply(own))
            points.append(point)
        held = tool.get_pos_orient(TOOL_LINKS.get(env.task, TOOL_BASE))
        tip, turned = robot.convert_to_realworld(*held)
        limits = np.array(
            [[of[joint] for joint in joints] for of in (robot.lower_limits, robot.upper_limits)]
        )
        angles = robot.get_joint_angles(joints)
    finally:
        bullet.disconnect(physicsClientId=client)
    rotation = Rotation.from_quat(turned).as_matrix()
    return Screws(angles, np.array(axes), np.array(points), tip, rotation, limits)
