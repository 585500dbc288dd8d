"""The scripted oracle of upstream's ScratchItch; skipped where upstream is not installed."""

from __future__ import annotations

import numpy as np
import pytest

import policies
from policies.scripted.assistive_gym import Oracle
from scenes import make_scene
from scenes.errors import InputError
from tests.scenes.scene_cases import where_installed

with_upstream = pytest.mark.parametrize("name", [where_installed("assistive_gym")])


@with_upstream
def test_the_oracle_scratches_and_with_a_wrong_itch_it_does_not(name: str) -> None:
    scene = make_scene(name, termination=0.0)
    oracle = policies.load("scripted/assistive_gym", scene)
    returns = {}
    for told in ("forearm.dorsal@0.7", "upper_arm.dorsal@0.4"):
        observation, _ = scene.reset(seed=1, options={"latent": "forearm.dorsal@0.7"})
        oracle.reset(1)
        returns[told] = 0.0
        for _ in range(120):
            truth = scene.privileged()
            if told != "forearm.dorsal@0.7":
                scene.override(told)
                truth = scene.privileged()
                scene.override("forearm.dorsal@0.7")
            observation, reward, *_ = scene.step(oracle.act(observation, 0.0, truth).action)
            returns[told] += reward
    right, wrong = returns.values()
    assert right > wrong + 60
    scene.close()


@with_upstream
def test_the_tools_jacobian_is_what_the_joints_do_to_it(name: str) -> None:
    scene = make_scene(name)
    scene.reset(seed=1)
    env, rows = scene.upstream, scene.tool_jacobian()
    hand, joints = env.robot.left_end_effector, env.robot.left_arm_joint_indices
    start, angles = env.robot.get_pos_orient(hand)[0], env.robot.get_joint_angles(joints)
    lever = env.tool.get_pos_orient(1)[0] - start
    base_from_world = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1]])  # upstream turns the Jaco by −90° about z
    for i, joint in enumerate(joints):
        env.robot.set_joint_angles([joint], [angles[i] + 1e-3])
        moved = (env.robot.get_pos_orient(hand)[0] - start) / 1e-3
        env.robot.set_joint_angles([joint], [angles[i]])
        spin = base_from_world.T @ rows[3:, i]
        assert np.allclose(base_from_world.T @ rows[:3, i], moved + np.cross(spin, lever), atol=2e-3)
    scene.close()


@with_upstream
def test_the_oracle_refuses_tasks_it_does_not_know(name: str) -> None:
    scene = make_scene(name, task="FeedingJaco-v1")
    with pytest.raises(InputError, match="ScratchItch"):
        Oracle(scene)
    scene.close()
