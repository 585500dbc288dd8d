"""Trained policies: the same numbers step by step as in training, and refusals in one line."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

import policies
from dynamite.acting import play
from dynamite.belief import ChoicePosterior, PointPosterior
from dynamite.checkpoint import load_checkpoint, save_checkpoint
from dynamite.config_io import with_overrides
from dynamite.rollout import collect
from dynamite.spec import SceneSpec
from dynamite.variants import configure, list_variants
from dynamite.vector import SerialVector
from policies.trained import TrainedPolicy
from scenes import make_scene
from scenes.errors import InputError

SCENES = ("gridworld", "scratch_itch")


def make_checkpoint(folder, scene: str, variant: str, **overrides):
    """A checkpoint whose weights and normalisers are not at their start values."""
    from dynamite.agent import Agent

    config = with_overrides(configure(scene, variant), {"train.workers": 0, **overrides})
    torch.manual_seed(1)
    agent = Agent(SceneSpec.of(make_scene(scene)), config)
    generator = torch.Generator().manual_seed(2)
    agent.state_norm.update(torch.randn(50, agent.spec.n_observation, generator=generator))
    agent.return_norm.update(torch.randn(20, 4, generator=generator))
    if agent.side_norm is not None:
        agent.side_norm.update(torch.randn(50, agent.n_side, generator=generator))
    with torch.no_grad():  # actions that differ from step to step
        agent.actor_critic.actor[-1].weight *= 50
    return save_checkpoint(folder, agent, None, {"frames": 0})


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("variant", list_variants())
def test_stepping_equals_the_batched_agent(tmp_path, scene, variant):
    """An episode stepped by the policy, replayed through PyTorch: beliefs, actions and values agree to 1e-5."""
    overrides = {"policy.sees_termination": True} if variant == "dynamite" else {}
    folder = make_checkpoint(tmp_path / "c", scene, variant, **overrides)
    agent, env = load_checkpoint(folder).agent, make_scene(scene)
    policy = TrainedPolicy(folder, env, deterministic=True)
    frames, truths = [], []
    for frame in play(env, policy, seed=3):
        frames.append(frame)
        truths.append(env.privileged().features)
    states = torch.tensor(np.stack([f.observation for f in frames])).unsqueeze(1).float()  # (T + 1, 1, S)
    rewards = torch.tensor([f.reward for f in frames[1:]]).view(-1, 1).float()
    actions = torch.tensor(np.stack([f.decision.action for f in frames[:-1]])).view(len(frames) - 1, 1, -1)
    with torch.no_grad():
        posterior = None
        if agent.belief_model is not None:
            executed = agent.encode_action(actions.float())
            posterior = agent.belief_model.encoder(agent.model_states(states), executed, rewards)
            p_end = torch.sigmoid(agent.belief_model.termination(posterior.hidden))[:, 0]
            probed = agent.probe(posterior.mean, posterior.logvar)[:, 0].numpy()
        privileged = torch.tensor(np.stack(truths)).view(len(frames), 1, -1).float()
        side = agent.normalise_side(agent.side(posterior, privileged))
        output, value = agent.actor_critic(agent.state_norm(states), side)
    scale = float(agent.return_norm.norm.scale()[1])
    for t, frame in enumerate(frames):
        decision = frame.decision
        if agent.spec.discrete:
            assert int(decision.action) == int(output[t, 0].argmax())
        else:
            np.testing.assert_allclose(decision.action, output[t, 0].clamp(-1, 1), atol=1e-5)
        assert decision.value == pytest.approx(float(value[t, 0]) / scale, abs=1e-4)
        if posterior is None:
            assert decision.belief is None
            continue
        np.testing.assert_allclose(decision.belief.mean, posterior.mean[t, 0], atol=1e-5)
        np.testing.assert_allclose(decision.belief.logvar, posterior.logvar[t, 0], atol=1e-5)
        if variant == "dynamite":
            assert decision.belief.p_session_end == pytest.approx(float(p_end[t]), abs=1e-5)
        else:
            assert decision.belief.p_session_end is None
        expected = agent.probe.posteriors(probed[t])
        for name, found in decision.belief.fields.items():
            for key, array in vars(expected[name]).items():
                np.testing.assert_allclose(getattr(found, key), array, atol=1e-5)


def test_stepping_equals_the_rollouts_of_training(tmp_path):
    """The policy drawn from in training and the one that acts afterwards hold the same belief along an episode."""
    folder = make_checkpoint(tmp_path / "c", "gridworld", "dynamite")
    agent, config = load_checkpoint(folder).agent, load_checkpoint(folder).config
    rollout = collect(agent, SerialVector(config.scene, 1), np.array([4]), torch.Generator().manual_seed(0))
    policy = TrainedPolicy(folder, make_scene("gridworld"))
    policy.reset(4)
    for t in range(61):
        reward = float(rollout.rewards[t - 1, 0]) if t else 0.0
        belief = policy.act(rollout.states[t, 0].numpy(), reward).belief
        np.testing.assert_allclose(
            np.concatenate((belief.mean, belief.logvar)), rollout.sides[t, 0], atol=1e-5
        )
        if t < 60:
            policy._network.last_action[:] = rollout.executed[t, 0]


def test_reset_forgets_and_seeds(tmp_path):
    env = make_scene("scratch_itch")
    policy = TrainedPolicy(
        make_checkpoint(tmp_path / "c", "scratch_itch", "dynamite"), env, deterministic=False
    )
    episodes = []
    for seed in (1, 1, 2):
        policy.reset(seed)
        observation, _ = env.reset(seed=0)
        episodes.append([policy.act(observation, -0.1 * t).action for t in range(5)])
    np.testing.assert_array_equal(episodes[0], episodes[1])
    assert not np.array_equal(episodes[0], episodes[2])


def test_a_configuration_says_whether_its_policy_draws(tmp_path):
    env = make_scene("scratch_itch")
    observation, _ = env.reset(seed=0)
    for acts, draws in ((True, False), (False, True)):
        folder = make_checkpoint(
            tmp_path / str(acts), "scratch_itch", "dynamite", **{"policy.deterministic": acts}
        )
        policy = policies.load(folder, env)
        actions = []
        for seed in (1, 2):
            policy.reset(seed)
            actions.append(policy.act(observation, 0.0).action)
        assert np.array_equal(*actions) != draws


def test_a_belief_kept_from_one_step_is_not_changed_by_the_next(tmp_path):
    env = make_scene("scratch_itch")
    policy = TrainedPolicy(make_checkpoint(tmp_path / "c", "scratch_itch", "dynamite"), env)
    observation, _ = env.reset(seed=0)
    first = policy.act(observation, 0.0)
    kept = first.belief.mean.copy(), first.action.copy()
    policy.act(observation + 0.3, -1.0)
    np.testing.assert_array_equal(kept[0], first.belief.mean)
    np.testing.assert_array_equal(kept[1], first.action)


def test_the_probe_speaks_of_every_field(tmp_path):
    for scene, name, kind in (
        ("gridworld", "goal", ChoicePosterior),
        ("scratch_itch", "itch", PointPosterior),
    ):
        env = make_scene(scene)
        policy = TrainedPolicy(make_checkpoint(tmp_path / scene, scene, "varibad"), env)
        posterior = policy.act(env.reset(seed=0)[0], 0.0).belief.fields[name]
        assert isinstance(posterior, kind)
        weights = posterior.grid if isinstance(posterior, PointPosterior) else posterior.probabilities
        assert weights.sum() == pytest.approx(1.0, abs=1e-5)
        if isinstance(posterior, PointPosterior):
            assert weights.shape == (2, 12, 16)


def test_no_learned_policy_but_the_oracle_is_given_the_truth(tmp_path):
    for variant in list_variants():
        env = make_scene("gridworld")
        policy = TrainedPolicy(make_checkpoint(tmp_path / variant, "gridworld", variant), env)
        assert policy.needs_privileged is (variant == "oracle")
        observation, _ = env.reset(seed=0)
        truth = env.privileged()
        if policy.needs_privileged:
            with pytest.raises(ValueError, match="oracle"):
                policy.act(observation, 0.0)
            continue
        poisoned = dataclasses.replace(truth, features=np.full_like(truth.features, np.nan))
        plain = policy.act(observation, 0.0)
        policy.reset(0)
        assert plain.value == policy.act(observation, 0.0, poisoned).value


# ------------------------------------------------------------------------------------------------ by name
def test_policies_are_listed_and_every_one_loads_and_acts():
    for scene in SCENES:
        env = make_scene(scene)
        names = policies.list_policies(scene)
        assert names[0] == "random"
        for name in names:
            policy = policies.load(name, env)
            assert policy.name == name
            frames = [frame for frame, _ in zip(play(env, policy, seed=0), range(3), strict=False)]
            assert env.action_space.contains(
                frames[0].decision.action if scene == "scratch_itch" else int(frames[0].decision.action)
            )


@pytest.mark.parametrize(
    "name", ["nobody", "pretrained/nobody", "scripted/nobody", "scripted/scratch_itch", "/no/where"]
)
def test_an_unknown_policy_lists_those_there_are(name):
    with pytest.raises(InputError, match="random") as caught:
        policies.load(name, make_scene("gridworld"))
    assert "\n" not in str(caught.value)


def test_a_run_is_loaded_by_its_newest_checkpoint(tmp_path):
    for frames in (10, 20):
        make_checkpoint(tmp_path / "run" / "checkpoints" / f"{frames:012d}", "gridworld", "markov")
    policy = policies.load(tmp_path / "run", make_scene("gridworld"))
    assert policy.name.endswith("000000000020")


def test_a_folder_without_checkpoints_is_refused(tmp_path):
    with pytest.raises(InputError, match="manifest"):
        policies.load(tmp_path, make_scene("gridworld"))


def test_a_checkpoint_of_another_scene_is_refused(tmp_path):
    folder = make_checkpoint(tmp_path / "c", "gridworld", "markov")
    with pytest.raises(InputError, match="gridworld"):
        policies.load(folder, make_scene("scratch_itch"))


def test_random_actions_fill_the_space_and_follow_the_seed():
    env = make_scene("scratch_itch")
    policy = policies.load("random", env)
    draws = []
    for seed in (1, 1, 2):
        policy.reset(seed)
        draws.append(np.stack([policy.act(np.zeros(1), 0.0).action for _ in range(200)]))
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert draws[0].min() < -0.9
    assert draws[0].max() > 0.9
