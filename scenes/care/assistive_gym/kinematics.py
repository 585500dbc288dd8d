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


@dataclass(frozen=True)
class Screws:
    """An arm at rest, in its base frame.

    Attributes:
        angles: (n,) of its joints, rad.
        axes: (n, 3) unit, about which they turn.
        points: (n, 3) m, through which the axes go.
        tip: (3,) m, of the tool.
    """

    angles: np.ndarray
    axes: np.ndarray
    points: np.ndarray
    tip: np.ndarray

    def forward(self, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The tip (3,) m and its velocity per joint speed (3, n) at ``angles`` (n,) rad."""
        rotation, shift = np.eye(3), np.zeros(3)
        axes, points = [], []
        for axis, point, turn in zip(self.axes, self.points, angles - self.angles, strict=True):
            axes.append(rotation @ axis)
            points.append(rotation @ point + shift)
            own = Rotation.from_rotvec(turn * axis).as_matrix()
            shift = rotation @ (point - own @ point) + shift
            rotation = rotation @ own
        tip = rotation @ self.tip + shift
        return tip, np.cross(axes, tip - np.array(points)).T


def arm_screws(env: Any) -> Screws:
    """The screws of the left arm of an environment's robot with its tool in hand, where no other joints carry the arm."""
    bullet, rng = load().bullet, np.random.RandomState(0)
    client = bullet.connect(bullet.DIRECT)
    try:
        with quietly():
            robot, tool = type(env.robot)(env.robot.controllable_joints), type(env.tool)()
            robot.init(env.directory, client, rng)
            tool.init(robot, env.task, env.directory, client, rng, right=False, mesh_scale=[0.001] * 3)
        axes, points = [], []
        for joint in robot.left_arm_joint_indices:
            point, quaternion = robot.convert_to_realworld(*robot.get_pos_orient(joint))
            own = bullet.getJointInfo(robot.body, joint, physicsClientId=client)[13]
            axes.append(Rotation.from_quat(quaternion).apply(own))
            points.append(point)
        tip = robot.convert_to_realworld(tool.get_pos_orient(1)[0])[0]
        angles = robot.get_joint_angles(robot.left_arm_joint_indices)
    finally:
        bullet.disconnect(physicsClientId=client)
    return Screws(angles, np.array(axes), np.array(points), tip)
