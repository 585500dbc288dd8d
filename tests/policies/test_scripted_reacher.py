"""Reacher's scripted oracle: it reaches every goal, far better than chance, by the truth alone."""

from __future__ import annotations

import numpy as np
import pytest

import policies
from dynamite.acting import play
from scenes import make_scene
from tests.scenes.scene_cases import where_installed

reacher = pytest.mark.parametrize("name", [where_installed("reacher")])


def returns(name: str, policy: str, reward: str, episodes: int) -> tuple[float, float]:
    """Mean return, and share of successful episodes."""
    scene = make_scene(name, reward=reward)
    actor = policies.load(policy, scene)
    sums, successes = [], []
    for seed in range(episodes):
        frames = list(play(scene, actor, seed))
        sums.append(sum(frame.reward for frame in frames))
        successes.append(frames[-1].info["task_success"])
    scene.close()
    return float(np.mean(sums)), float(np.mean(successes))


@reacher
def test_it_succeeds_always_and_random_actions_never(name: str) -> None:
    shaped, success = returns(name, "scripted/reacher", "shaped", 20)
    assert success == 1.0
    assert shaped > -5.0
    assert returns(name, "scripted/reacher", "sparse", 10)[0] > 170.0
    by_chance, lucky = returns(name, "random", "shaped", 10)
    assert lucky == 0.0
    assert by_chance < 8 * shaped


@reacher
def test_it_holds_still_on_any_goal_and_follows_one_that_moves(name: str) -> None:
    scene = make_scene(name, termination=0.0)
    oracle = policies.load("scripted/reacher", scene)
    rng = np.random.default_rng(0)
    for seed in range(12):
        observation, _ = scene.reset(seed=seed)
        for _ in range(3):  # three goals an episode
            goal = scene.override(scene.latent_space.sample(rng))
            for _ in range(60):
                action = oracle.act(observation, 0.0, scene.privileged()).action
                observation, *_ = scene.step(action)
            assert np.hypot(observation[6] - goal["goal_x"], observation[7] - goal["goal_y"]) < 0.02
            assert np.abs(action).max() < 0.05
    scene.close()
