"""No policy but an oracle may depend on the hidden latent: poison it, and nothing that they do changes."""

from __future__ import annotations

import numpy as np
import pytest

import policies
from dynamite.acting import play
from scenes import list_scenes, make_scene
from tests.scenes.scene_cases import every_name, where_installed

CASES = [
    where_installed(scene, scene, name) for scene in list_scenes() for name in policies.list_policies(scene)
]


class Untouchable:
    """Stands in for the session process: whoever looks at it fails the test."""

    def __getattribute__(self, name: str):
        raise AssertionError(f"a policy looked at the hidden latent (sessions.{name})")


@pytest.mark.parametrize(("scene_name", "policy_name"), CASES)
def test_poisoning_the_latent_changes_no_output(scene_name: str, policy_name: str) -> None:
    scene = make_scene(scene_name, termination=0.1)
    policy = policies.load(policy_name, scene)
    if policy.needs_privileged:
        scene.close()
        pytest.skip("an oracle")
    felt, done = [], []
    for frame in play(scene, policy, seed=5):
        felt.append((frame.observation.copy(), frame.reward))
        done.append(frame.decision)
        if frame.t == 60:
            break

    other = make_scene(scene_name)
    other.reset(seed=99)
    policy = policies.load(policy_name, other)
    other.sessions = Untouchable()
    other.privileged = None
    policy.reset(5)
    for (observation, reward), before in zip(felt, done, strict=True):
        decision = policy.act(observation, reward, None)
        assert np.array_equal(decision.action, before.action)
        if before.belief is not None:
            assert decision.belief is not None
            assert np.array_equal(decision.belief.mean, before.belief.mean)
    scene.close()
    other.close()


@every_name
def test_the_truth_is_in_neither_observation_nor_info(name: str) -> None:
    """Two latents, same seed and actions: what differs afterwards is the reward and what follows from touch."""
    traces = []
    for latent_seed in (1, 2):
        scene = make_scene(name, termination=0.0)
        latent = scene.latent_space.sample(np.random.default_rng(latent_seed))
        for field in scene.dynamics_fields:  # meant to be felt in the motion
            latent[field] = scene.latent_space.sample(np.random.default_rng(0))[field]
        observation, info = scene.reset(seed=0, options={"latent": latent})
        trace = [(observation.tobytes(), repr(sorted(info)))]
        scene.action_space.seed(0)
        for _ in range(5):
            observation, _, _, _, info = scene.step(scene.action_space.sample())
            trace.append((observation.tobytes(), repr(sorted(info))))
        traces.append(trace)
        scene.close()
    assert traces[0] == traces[1]
