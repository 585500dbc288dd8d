"""The scripted oracle of upstream's tasks; skipped where upstream is not installed."""

from __future__ import annotations

import numpy as np
import pytest

import policies
from policies.scripted.assistive_gym import Oracle
from scenes import make_scene
from scenes.base import SessionEnv
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


def play(
    scene: SessionEnv, policy: str, latent: dict | str, steps: int, told: dict | str | None = None
) -> tuple[float, dict]:
    """The return and the last info of an episode's beginning, where the policy may be ``told`` another latent."""
    actor = policies.load(policy, scene)
    observation, info = scene.reset(seed=0, options={"latent": latent})
    actor.reset(0)
    total, reward = 0.0, 0.0
    for _ in range(steps):
        if told is not None:
            scene.override(told)
        truth = scene.privileged() if actor.needs_privileged else None
        if told is not None:
            scene.override(latent)
        observation, reward, _, _, info = scene.step(actor.act(observation, reward, truth).action)
        total += reward
    return total, info


ORACLE = "scripted/assistive_gym"


@pytest.mark.parametrize(
    ("task", "latent", "steps", "margin"),
    [
        where_installed("assistive_gym", task, latent, steps, margin)
        for task, latent, steps, margin in (
            ("FeedingJaco-v1", {"side": 0.02, "ahead": 0.03}, 60, 150),
            ("ArmManipulationJaco-v1", {"across": 0.0, "along": 0.0}, 110, 10),
        )
    ],
)
def test_the_oracle_meets_upstreams_success_and_earns_more_than_random(
    task: str, latent: dict, steps: int, margin: float
) -> None:
    scene = make_scene("assistive_gym", task=task, termination=0.0)
    (random, failed), (known, done) = (play(scene, policy, latent, steps) for policy in ("random", ORACLE))
    assert known > random + margin
    assert done["task_success"]
    assert not failed["task_success"]
    scene.close()


@pytest.mark.slow
@pytest.mark.parametrize("task", [where_installed("assistive_gym", "DrinkingJaco-v1")])
def test_the_oracle_pours_where_the_person_wants_to_drink_and_beside_with_a_wrong_preference(
    task: str,
) -> None:
    scene = make_scene("assistive_gym", task=task, termination=0.0)
    left, right = ({"side": side, "ahead": 0.03} for side in (0.04, -0.04))
    (known, done), (wrong, spilt) = play(scene, ORACLE, left, 170), play(scene, ORACLE, left, 170, told=right)
    assert done["task_success"]
    assert not spilt["task_success"]
    assert known > wrong + 300
    scene.close()


@pytest.mark.parametrize("task", [where_installed("assistive_gym", "BedBathingJaco-v1")])
def test_the_oracle_washes_the_spot_and_little_with_a_wrong_one(task: str) -> None:
    scene = make_scene("assistive_gym", task=task, termination=0.0)
    spot, other = "forearm.ventral@0.5", "upper_arm.ventral@0.3"
    known, _ = play(scene, ORACLE, spot, 80)
    wrong, _ = play(scene, ORACLE, spot, 80, told=other)
    assert known > wrong + 15  # three targets
    scene.close()


@pytest.mark.parametrize("task", [where_installed("assistive_gym", "FeedingJaco-v1")])
def test_the_oracle_follows_a_preference_that_changes(task: str) -> None:
    scene = make_scene("assistive_gym", task=task, termination=0.0)
    oracle = policies.load(ORACLE, scene)
    observation, _ = scene.reset(seed=0, options={"latent": {"side": 0.03, "ahead": 0.03}})
    oracle.reset(0)
    for side in (0.03, -0.03):
        scene.override({"side": side, "ahead": 0.03})
        for _ in range(50):
            observation, *_ = scene.step(oracle.act(observation, 0.0, scene.privileged()).action)
        assert np.linalg.norm(scene.privileged().features[:3]) < 0.03  # the two lie 6 cm apart
    scene.close()


@with_upstream
def test_the_oracle_refuses_robots_that_carry_the_arm_on_other_joints(name: str) -> None:
    scene = make_scene(name, task="ScratchItchPR2-v1")
    with pytest.raises(InputError, match="mounted arm"):
        Oracle(scene)
    assert policies.find_oracle(scene) is None
    scene.close()
