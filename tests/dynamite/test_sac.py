"""Soft actor-critic: densities, targets, temperature, the beliefs of stored episodes, whole trainings."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, TanhTransform, TransformedDistribution

from dynamite.buffer import EpisodeBuffer
from dynamite.checkpoint import load_checkpoint
from dynamite.config import SACConfig
from dynamite.config_io import from_dict
from dynamite.rollout import collect
from dynamite.sac import SAC, Pool, Transitions
from dynamite.soft_actor_critic import SoftActorCritic, log_tanh_slope
from dynamite.train import Trainer, train
from dynamite.vector import make_vector
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny
from tests.dynamite.test_learning import states_equal

TINY_SAC = {
    "sac__hidden": [16],
    "sac__updates": 3,
    "sac__batch": 32,
    "sac__pool_episodes": 4,
    "sac__buffer_episodes": 16,
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tiny_sac(variant: str = "borel", **overrides):
    return tiny(variant, policy__learner="sac", **{**TINY_SAC, **overrides})


def learner_after_a_rollout(**overrides):
    """An agent, its learner, and the rollout that its buffer holds."""
    config = tiny_sac(**overrides)
    agent, buffer = new_agent(config), EpisodeBuffer(config.buffer_episodes)
    scenes = make_vector(config.scene, config.train.copies)
    rollout = collect(agent, scenes, np.arange(config.train.copies), generator())
    buffer.add(rollout)
    return agent, SAC(agent, buffer), rollout


# ------------------------------------------------------------------------------------------------ networks
def test_the_squashed_gaussian_has_its_density():
    network = SoftActorCritic(3, 0, 2, False, SACConfig(hidden=(8,)))
    # In double precision: the reference inverts tanh, which loses digits near ±1. Log deviations are clamped at 2.
    output = torch.randn(500, 4, generator=generator()).clamp(max=1.9).double()
    action, log_prob = network.sample(output, generator(1))
    mean, log_std = output.chunk(2, -1)
    expected = (
        TransformedDistribution(Normal(mean, log_std.exp()), [TanhTransform()]).log_prob(action).sum(-1)
    )
    inside = (action.abs() < 0.9999).all(-1)
    assert inside.sum() > 400
    assert torch.allclose(log_prob[inside], expected[inside], atol=1e-6)
    assert (action.abs() <= 1).all()


def test_the_slope_of_tanh_does_not_underflow():
    u = torch.tensor([-30.0, -1.0, 0.0, 1.0, 30.0])
    assert log_tanh_slope(u)[[1, 2, 3]].tolist() == pytest.approx(
        [math.log(1 - math.tanh(x) ** 2) for x in (1, 0, 1)]
    )
    assert log_tanh_slope(u)[[0, 4]].tolist() == pytest.approx([2 * math.log(2) - 60] * 2)


def test_the_mode_is_what_is_drawn_most():
    continuous = SoftActorCritic(3, 0, 2, False, SACConfig(hidden=(8,)))
    narrow = torch.cat((torch.tensor([[0.5, -1.0]]), torch.full((1, 2), -20.0)), -1)  # log σ is clamped at −5
    assert torch.allclose(continuous.mode(narrow), torch.tanh(torch.tensor([[0.5, -1.0]])))
    assert torch.allclose(continuous.sample(narrow, generator())[0], continuous.mode(narrow), atol=0.05)
    numbered = SoftActorCritic(3, 0, 4, True, SACConfig(hidden=(8,)))
    logits = torch.tensor([[0.0, 3.0, 1.0, 0.0]]).expand(1000, 4)
    drawn = numbered.sample(logits, generator())[0].long().flatten()
    assert int(numbered.mode(logits)[0]) == int(drawn.bincount().argmax()) == 1


@pytest.mark.parametrize("discrete", [True, False])
def test_the_value_is_the_smaller_critics(discrete):
    network = SoftActorCritic(3, 2, 2, discrete, SACConfig(hidden=(8,)))
    state, side = torch.randn(5, 3, generator=generator()), torch.randn(5, 2, generator=generator(1))
    output, value = network(state, side)
    seen = torch.cat((state, side), -1)
    if discrete:
        expected = (torch.softmax(output, -1) * torch.minimum(*network.critic(seen))).sum(-1)
    else:
        expected = torch.minimum(*network.critic(torch.cat((seen, network.mode(output)), -1))).squeeze(-1)
    assert value.shape == (5,)
    assert torch.allclose(value, expected)


# ------------------------------------------------------------------------------------------------ learning
def a_bandit(sac: SAC, reward, steps: int) -> None:
    """Teach ``sac`` a world of one state, where ``reward`` (n, A) → (n,) is paid for uniform actions."""
    a = sac.agent.spec.n_actions
    seen = torch.zeros(128, sac.network.actor[0].in_features)
    draw = generator(5)
    for _ in range(steps):
        if sac.network.discrete:
            actions = torch.eye(a)[torch.randint(a, (128,), generator=draw)]
        else:
            actions = 2 * torch.rand(128, a, generator=draw) - 1
        sac.step(Transitions(seen, actions, reward(actions), seen), draw)


def test_numbered_actions_are_taken_as_often_as_their_worth_over_the_temperature():
    """At a fixed α and γ = 0 the optimum is known: π = softmax(r / α)."""
    settings = {"sac__gamma": 0.0, "sac__temperature": 0.5, "sac__learn_temperature": False, "sac__lr": 1e-2}
    sac = SAC(new_agent(tiny_sac(**settings)), EpisodeBuffer(1))
    paid = torch.tensor([0.0, 0.2, 0.4, 0.6, 1.0])
    a_bandit(sac, lambda actions: actions @ paid, 400)
    pi = torch.softmax(sac.network.actor(torch.zeros(1, sac.network.actor[0].in_features)), -1)[0]
    assert torch.allclose(pi, torch.softmax(paid / 0.5, -1), atol=0.02)


def continuous_agent(**overrides):
    return new_agent(tiny_sac(**overrides), scene="scratch_itch")


def test_a_continuous_action_moves_to_where_it_pays_most_as_narrowly_as_the_temperature_allows():
    """At a fixed α and γ = 0 the optimum is known: π ∝ exp(r / α), here N(0.4, α / 8) in the entry that matters."""
    settings = {"sac__gamma": 0.0, "sac__temperature": 0.08, "sac__learn_temperature": False, "sac__lr": 5e-3}
    sac = SAC(continuous_agent(**settings, sac__hidden=[64]), EpisodeBuffer(1))
    a_bandit(sac, lambda actions: -4 * (actions[:, 0] - 0.4) ** 2, 500)
    output = sac.network.actor(torch.zeros(2000, sac.network.actor[0].in_features))
    drawn = sac.network.sample(output, generator())[0].detach()
    assert drawn.mean(0)[0] == pytest.approx(0.4, abs=0.06)
    assert drawn.std(0)[0] == pytest.approx(0.1, abs=0.03)
    assert (
        drawn.std(0)[1:] > 0.4
    ).all()  # nothing is paid for these: nearly uniform, whose deviation is 0.58


def test_values_go_on_after_the_time_limit():
    """Paid 1 at every step for ever, a state is worth 1 / (1 − γ), the last one of an episode too."""
    settings = {"sac__gamma": 0.5, "sac__temperature": 1e-6, "sac__learn_temperature": False, "sac__lr": 1e-2}
    agent, sac, rollout = learner_after_a_rollout(
        **settings, sac__tau=0.2, sac__updates=300, sac__normalise_reward=False
    )
    sac.buffer._data["rewards"][:] = 1.0
    sac.learn(generator())
    seen = torch.cat(agent.see(rollout.episodes(), rollout.privileged), -1)
    with torch.no_grad():
        q = torch.minimum(*sac.network.critic(seen[-2])) * rollout.executed[-1]
    assert q.sum(-1).mean() == pytest.approx(2.0, abs=0.15)


def test_the_last_transition_leads_to_the_last_state():
    agent, _, rollout = learner_after_a_rollout()
    pool = Pool(agent, rollout.episodes(), rollout.privileged)
    batch = pool.draw(2000, generator())
    seen = torch.cat(agent.see(rollout.episodes(), rollout.privileged), -1)  # (T + 1, N, ·)
    follows = {
        (*a.tolist(), *b.tolist())
        for a, b in zip(seen[:-1].flatten(0, 1), seen[1:].flatten(0, 1), strict=True)
    }
    assert {(*a.tolist(), *b.tolist()) for a, b in zip(batch.seen, batch.next_seen, strict=True)} <= follows
    last = {tuple(x.tolist()) for x in seen[-1]}
    assert any(tuple(x.tolist()) in last for x in batch.next_seen)


@pytest.mark.parametrize(("share", "rises"), [(1.0, True), (0.0, False)])
def test_the_temperature_steers_the_entropy(share, rises):
    _, sac, _ = learner_after_a_rollout(sac__entropy_share=share, sac__updates=20)
    with torch.no_grad():
        sac.network.actor[-1].bias[0] = 2.0  # an entropy between the two targets
    before = float(sac.log_temperature.detach())
    sac.learn(generator())
    assert (float(sac.log_temperature.detach()) > before) == rises


def test_target_entropy_is_per_action_or_a_share_of_uniform():
    assert SAC(continuous_agent(), EpisodeBuffer(1)).target_entropy == -6.0
    _, sac, _ = learner_after_a_rollout(sac__entropy_share=0.5)
    assert sac.target_entropy == pytest.approx(0.5 * math.log(5))


def test_targets_follow_the_critics_by_tau():
    _, sac, _ = learner_after_a_rollout(sac__tau=0.25, sac__updates=1)
    before = [p.clone() for p in sac.target.parameters()]
    sac.learn(generator())
    for old, mine, now in zip(before, sac.target.parameters(), sac.network.critic.parameters(), strict=True):
        assert torch.allclose(mine, 0.75 * old + 0.25 * now, atol=1e-7)
        assert not mine.requires_grad


# ------------------------------------------------------------------------------------------------ beliefs of the stored
def side_of(agent, pool_seen: Tensor) -> Tensor:
    return pool_seen[..., agent.spec.n_observation :]


@pytest.mark.parametrize("variant", ["borel", "dynamite", "secbad", "contrabar", "oracle", "markov"])
def test_the_newest_episodes_carry_the_beliefs_they_were_collected_with(variant):
    agent, _, rollout = learner_after_a_rollout(variant=variant)
    pool = Pool(agent, rollout.episodes(), rollout.privileged)
    stored = agent.normalise_side(rollout.sides).flatten(0, 1)
    assert torch.allclose(side_of(agent, pool._seen), stored, atol=1e-5)


def test_stored_episodes_carry_the_beliefs_of_todays_encoder():
    agent, _, rollout = learner_after_a_rollout()
    with torch.no_grad():
        agent.belief_model.encoder.head_mean.bias += 1.0
    pool = Pool(agent, rollout.episodes(), rollout.privileged)
    z = agent.config.encoder.latent
    moved = side_of(agent, pool._seen)[:, :z] - agent.normalise_side(rollout.sides).flatten(0, 1)[:, :z]
    scale = agent.side_norm.scale()[1][:z]
    assert torch.allclose(moved, scale.expand_as(moved), atol=1e-4)


def test_it_never_reaches_the_encoder():
    agent, sac, _ = learner_after_a_rollout()
    before = {k: v.clone() for k, v in agent.belief_model.state_dict().items()}
    sac.learn(generator())
    assert all(torch.equal(v, before[k]) for k, v in agent.belief_model.state_dict().items())
    assert all(p.grad is None for p in agent.belief_model.parameters())


# ------------------------------------------------------------------------------------------------ the buffer on disk
def test_what_is_one_hot_is_stored_in_bytes_and_nothing_is_rounded():
    _, sac, rollout = learner_after_a_rollout()
    state = sac.buffer.state_dict()
    assert state["states"].dtype == state["executed"].dtype == torch.uint8
    assert state["rewards"].dtype == torch.float32
    again = EpisodeBuffer(16)
    again.load_state_dict(state)
    batch = again.part(torch.arange(again.size))
    assert torch.equal(batch.episodes.states, rollout.states)
    assert torch.equal(batch.episodes.actions, rollout.executed)
    assert torch.equal(batch.episodes.ended, rollout.ended)
    assert batch.episodes.ended.dtype == torch.bool


def test_the_replay_has_a_capacity_of_its_own():
    config = tiny_sac(sac__buffer_episodes=9, model__buffer_episodes=3)
    trainer = Trainer(config, make_vector(config.scene, config.train.copies))
    for _ in range(2):
        trainer.iterate()
    assert trainer.buffer.size == 9


# ------------------------------------------------------------------------------------------------ whole trainings
@pytest.mark.parametrize("variant", ["borel", "oracle"])
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, variant):
    config = tiny_sac(variant)
    whole = train(config, tmp_path / "whole")
    seen = []
    train(config, tmp_path / "parts", on_progress=seen.append, should_stop=lambda: len(seen) == 1)
    parts = train(config, tmp_path / "parts", resume=True)
    assert len(seen) == 2
    assert {p.phase for p in seen} == {"sac"}
    assert states_equal(whole, parts)
    training = load_checkpoint(whole).training
    assert {"policy.log_temperature", "policy.target.first.0.weight"} <= training.keys()
    assert any(name.startswith("optimiser.sac_temperature") for name in training)


def test_a_resumed_training_with_continuous_actions_equals_an_uninterrupted_one(tmp_path):
    overrides = {
        "scene__name": "scratch_itch",
        "train__copies": 1,
        "train__frames": 2 * 200,
        "sac__updates": 5,
    }
    config = tiny_sac(**overrides)
    whole = train(config, tmp_path / "whole")
    seen = []
    train(config, tmp_path / "parts", on_progress=seen.append, should_stop=lambda: True)
    assert len(seen) == 1
    assert states_equal(whole, train(config, tmp_path / "parts", resume=True))


def test_soft_actor_critic_learns_to_go_to_the_goal(tmp_path):
    """An oracle on gridworld: from −3.6, random, to above 25 in 92,000 frames; always at the goal is 44.5."""
    overrides = {
        "train__copies": 256,
        "train__frames": 6 * 256 * 60,
        "sac__updates": 60,
        "sac__hidden": [64, 64],
        "sac__batch": 256,
        "sac__pool_episodes": 256,
        "sac__buffer_episodes": 2048,
        "sac__lr": 2e-3,
        "sac__gamma": 0.9,
        "sac__temperature": 0.05,
    }
    curve = []
    train(tiny_sac("oracle", **overrides), tmp_path / "run", on_progress=curve.append)
    assert curve[0].return_mean < 0.0
    assert curve[-1].return_mean > 25.0
    assert {"losses/critic", "losses/policy", "losses/entropy", "losses/temperature"} <= curve[
        -1
    ].metrics.keys()


def test_a_policy_is_held_still_while_the_model_is_pretrained():
    config = tiny_sac(model__pretrain_iterations=1)
    trainer = Trainer(config, make_vector(config.scene, config.train.copies))
    before = {k: v.clone() for k, v in trainer.agent.actor_critic.state_dict().items()}
    assert trainer.phase == "model"
    trainer.iterate()
    assert all(torch.equal(v, before[k]) for k, v in trainer.agent.actor_critic.state_dict().items())
    assert trainer.phase == "sac"


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"policy": {"learner": "dqn"}}, "policy.learner"),
        ({"policy": {"learner": "sac"}, "imitation": {"frames": 9, "teacher": "random"}}, "policy.learner"),
        ({"policy": {"learner": "sac"}, "ppo": {"through_encoder": True}}, "ppo.through_encoder"),
        ({"sac": {"tau": 0.0}}, "sac.tau"),
        ({"sac": {"entropy_share": 1.5}}, "sac.entropy_share"),
        ({"offline": {"policy_updates": 0}}, "offline.policy_updates"),
    ],
)
def test_what_cannot_be_is_named_by_its_path(values, where):
    with pytest.raises(InputError) as caught:
        from_dict(values)
    assert caught.value.where == where
