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


@pytest.mark.parametrize(
    "task", [where_installed("assistive_gym", f"ScratchItch{robot}-v1") for robot in ("Jaco", "Panda")]
)
def test_the_oracle_knows_where_the_tool_is_and_how_the_joints_move_it(task: str) -> None:
    scene = make_scene("assistive_gym", task=task)
    screws = scene.screws()
    observation, _ = scene.reset(seed=1)
    n, rng = scene.n_actions, np.random.default_rng(0)
    for _ in range(6):
        tip, _, jacobian = screws.forward(observation[7 : 7 + n].astype(float))
        assert np.allclose(
            tip, observation[:3], atol=5e-3
        )  # the tool hangs on a constraint that gives a little
        for i in range(n):
            nudged = observation[7 : 7 + n] + 1e-6 * np.eye(n)[i]
            plain = observation[7 : 7 + n].astype(float)
            assert np.allclose(
                (screws.forward(nudged)[0] - screws.forward(plain)[0]) / 1e-6, jacobian[:3, i], atol=1e-4
            )
        observation, *_ = scene.step(rng.uniform(-1, 1, n))
    scene.close()


@with_upstream
def test_the_oracle_refuses_robots_that_carry_the_arm_on_other_joints(name: str) -> None:
    scene = make_scene(name, task="ScratchItchPR2-v1")
    with pytest.raises(InputError, match="mounted arm"):
        Oracle(scene)
    assert policies.find_oracle(scene) is None
    scene.close()
