"""Hostile actions: nothing becomes infinite, nothing passes through anything, memory stays, nothing is left behind."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.soak import care_scenes, hostile_actions, soak
from scenes import make_scene
from scenes.registry import find_scene


def check(row: dict) -> None:
    assert row["finite"]
    assert row["inside"]
    assert row["refused"]
    assert row["deepest_overlap_m"] <= find_scene(row["scene"]).load().overlap_m
    assert row["rss_growth_mb"] < 5.0


@pytest.mark.parametrize("controller", ["assistive_gym", "responsive"])
@pytest.mark.parametrize("name", care_scenes())
def test_a_short_soak(name: str, controller: str) -> None:
    check(soak(name, 1500, seed=1, controller=controller))


@pytest.mark.slow
@pytest.mark.parametrize("name", care_scenes())
def test_a_long_soak(name: str) -> None:
    check(soak(name, 200_000, seed=2, controller="responsive"))


def lived(scene, generator: dict, actions: list[np.ndarray]) -> list[str]:
    """Hash of the state after each step of an episode that starts from ``generator``."""
    scene.np_random.bit_generator.state = generator
    scene.reset()
    hashes = []
    for action in actions:
        scene.step(action)
        hashes.append(scene.state_hash())
    return hashes


@pytest.mark.slow
@pytest.mark.parametrize("name", care_scenes())
def test_hostile_episodes_leave_nothing_behind(name: str) -> None:
    """The same episodes in another order are the same, step by step: what was jammed before does not matter."""
    forwards, backwards = (make_scene(name, controller="responsive") for _ in range(2))
    hostile = hostile_actions(forwards.n_actions, np.random.default_rng(3))
    forwards.reset(seed=3)
    episodes = []
    for _ in range(35):
        generator = forwards.np_random.bit_generator.state
        actions = [next(hostile) for _ in range(200)]
        episodes.append((generator, actions, lived(forwards, generator, actions)))
    backwards.reset(seed=0)
    for generator, actions, hashes in reversed(episodes):
        assert lived(backwards, generator, actions) == hashes
    forwards.close()
    backwards.close()


def test_no_tool_is_wedged_between_the_mattress_and_the_folded_rail() -> None:
    """Actions that drove the spatula down beside the mattress, 6 cm into it, when there was a slot."""
    scene = make_scene("arm_manipulation", controller="responsive")
    hostile = hostile_actions(scene.n_actions, np.random.default_rng(2))
    scene.reset(seed=2)
    for _ in range(163):
        for _ in range(200):
            next(hostile)
        scene.reset()
    deepest = 0.0
    for _ in range(200):
        scene.step(next(hostile))
        deepest = max(deepest, scene.world.deepest_overlap())
    scene.close()
    assert 0.005 < deepest < scene.overlap_m
