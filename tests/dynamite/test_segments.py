"""SeCBAD: the recursion over a segment's age, the likelihood that feeds it, and the encoder that restarts by it."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from dynamite.belief_model import Episodes
from dynamite.checkpoint import load_checkpoint
from dynamite.config import DecoderConfig
from dynamite.encoder import Posterior
from dynamite.metrics import session_end_detection
from dynamite.objective import gaussian_kl
from dynamite.rollout import collect
from dynamite.segment_likelihood import TransitionLikelihood
from dynamite.segment_model import SegmentBeliefModel, encode_sessions
from dynamite.segments import Hazard, advance
from dynamite.train import train
from dynamite.vector import make_vector
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny

NONE = -math.inf


# ------------------------------------------------------------------------------------------------ the recursion
def random_world(n_steps: int):
    """log p(x_t | segment began at s), as a table [s, t], and the hazard of every age."""
    generator = torch.Generator().manual_seed(n_steps)
    log_likelihood = 2.0 * torch.randn(n_steps, n_steps, generator=generator)
    return log_likelihood, 0.05 + 0.5 * torch.rand(n_steps, generator=generator)


def by_all_segmentations(log_likelihood: torch.Tensor, hazard: torch.Tensor) -> torch.Tensor:
    """b(age) after all transitions, by summing over every way to cut them: (n_steps + 1,)."""
    n_steps = len(hazard)
    weight = torch.zeros(n_steps + 1, dtype=torch.float64)
    for ends in itertools.product((False, True), repeat=n_steps):
        start, log_p = 0, 0.0
        for t, end in enumerate(ends):
            h = float(hazard[t - start])
            log_p += float(log_likelihood[start, t]) + math.log(h if end else 1 - h)
            start = t + 1 if end else start
        weight[n_steps - start] += math.exp(log_p)
    return weight / weight.sum()


def by_recursion(log_likelihood: torch.Tensor, hazard: torch.Tensor, k: int) -> dict[int, float]:
    """b(age) after all transitions with K hypotheses."""
    log_weight, age = torch.full((1, k), NONE), torch.zeros(1, k, dtype=torch.int64)
    log_weight, age, _ = advance(log_weight, age, torch.zeros(1, k), torch.full((1, k), 0.5))
    for t in range(len(hazard)):
        begins = (t - age).clamp(
            min=0
        )  # empty places have no beginning; their weight is 0 whatever they explain
        log_weight, age, _ = advance(log_weight, age, log_likelihood[begins, t], hazard[age.clamp(max=t)])
    return {int(a): float(w.exp()) for a, w in zip(age[0], log_weight[0], strict=True) if w > NONE}


@pytest.mark.parametrize("n_steps", [1, 4, 9])
def test_with_a_place_for_every_step_the_recursion_is_exact(n_steps):
    world = random_world(n_steps)
    expected, found = by_all_segmentations(*world), by_recursion(*world, k=n_steps + 1)
    assert sorted(found) == list(range(n_steps + 1))
    assert [found[a] for a in range(n_steps + 1)] == pytest.approx(expected.tolist(), abs=1e-5)


def test_few_hypotheses_come_close_where_few_are_likely():
    log_likelihood, hazard = random_world(9)
    log_likelihood[:, 5] = -8.0  # whatever began before step 5 explains it badly
    log_likelihood[5, 5] = 0.0
    expected, found = by_all_segmentations(log_likelihood, hazard), by_recursion(log_likelihood, hazard, k=4)
    assert len(found) == 4
    assert 0 in found  # a new segment is always considered
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-5)
    best = int(expected.argmax())
    assert found[best] == pytest.approx(float(expected[best]), abs=0.05)


def test_the_least_likely_hypothesis_gives_its_place_to_the_new_one():
    log_weight = torch.log(torch.tensor([[0.2, 0.7, 0.1]]))
    age = torch.tensor([[5, 9, 2]])
    after, ages, place = advance(log_weight, age, torch.zeros(1, 3), torch.full((1, 3), 0.25))
    assert place.tolist() == [[2]]
    assert ages.tolist() == [[6, 10, 0]]
    # 0.15, 0.525 and 0.25 for the new one, over their sum
    assert after.exp()[0].tolist() == pytest.approx([0.15 / 0.925, 0.525 / 0.925, 0.25 / 0.925])


def test_copies_that_have_not_begun_start_with_certainty_beside_running_ones():
    log_weight = torch.tensor([[NONE, NONE], [0.0, NONE]])
    after, ages, _ = advance(
        log_weight, torch.tensor([[0, 0], [3, 0]]), torch.zeros(2, 2), torch.full((2, 2), 0.1)
    )
    assert after.exp()[0].tolist() == [1.0, 0.0]
    assert sorted(zip(ages[1].tolist(), after.exp()[1].tolist(), strict=True)) == [
        (0, pytest.approx(0.1)),
        (4, pytest.approx(0.9)),
    ]


def test_extreme_likelihoods_do_not_underflow():
    log_weight, age = torch.tensor([[0.0, -1.0, NONE]]), torch.tensor([[4, 1, 0]])
    after, _, _ = advance(log_weight, age, torch.tensor([[-9e4, -1e5, 0.0]]), torch.full((1, 3), 0.1))
    assert after.exp()[0].tolist() == pytest.approx([0.9, 0.0, 0.1])
    assert torch.isfinite(after).all()


# ------------------------------------------------------------------------------------------------ the hazard
def test_hazard_counts_ends_over_transitions_at_each_age():
    hazard = Hazard(6)
    ended = torch.tensor([[0, 0, 1, 0, 1, 0], [0, 0, 1, 0, 0, 0]], dtype=torch.bool).T  # (6, 2)
    for _ in range(1000):  # so that the ratio over all ages weighs nothing
        hazard.update(ended)
    # ages of the transitions: 0 1 2 | 0 1 | 0 and 0 1 2 | 0 1 2; the last of each was cut off, not ended
    assert hazard.table()[:3].tolist() == pytest.approx([0.0, 0.25, 2 / 3], abs=0.01)


def test_hazard_learns_a_bernoulli_termination_and_borrows_where_it_saw_little():
    ended = torch.rand(60, 4000, generator=torch.Generator().manual_seed(0)) < 0.07
    hazard = Hazard(60)
    hazard.update(ended)
    table = hazard.table()
    assert table[:5].tolist() == pytest.approx([0.07] * 5, abs=0.01)
    assert table[59] == pytest.approx(0.07, abs=0.03)
    assert hazard(torch.tensor([0, 500])).tolist() == [float(table[0]), float(table[59])]


def test_before_any_training_an_episode_is_expected_to_hold_one_end():
    table = Hazard(50).table()
    assert table.tolist() == pytest.approx([1 / 51] * 50)


# ------------------------------------------------------------------------------------------------ encoding
def random_episodes(n_steps: int, n: int, p_end: float = 0.3, seed: int = 0) -> Episodes:
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(n_steps + 1, n, 46, generator=generator)
    actions = torch.eye(5)[torch.randint(5, (n_steps, n), generator=generator)]
    rewards = torch.randn(n_steps, n, generator=generator)
    ended = torch.rand(n_steps, n, generator=generator) < p_end
    ended[-1, 0] = True  # a session of one posterior and no transition
    ended[3:5, 1] = True  # a session of one transition
    return Episodes(states, actions, rewards, ended, torch.zeros(n_steps + 1, n, 2))


def segment_model(**overrides) -> SegmentBeliefModel:
    model = new_agent(tiny("secbad", **overrides)).belief_model
    assert isinstance(model, SegmentBeliefModel)
    return model


@pytest.mark.parametrize("kind", ["gru", "transformer"])
def test_every_session_is_encoded_as_if_an_episode_began_with_it(kind):
    model, episodes = segment_model(encoder__kind=kind), random_episodes(23, 7)
    found = encode_sessions(model.encoder, episodes)
    for n in range(7):
        cuts = [0, *(episodes.ended[:, n].nonzero().squeeze(-1) + 1).tolist(), 24]
        for a, b in itertools.pairwise(cuts):
            alone = step_by_step(model.encoder, episodes, a, b, n)
            for have, want in zip(found[:3], alone, strict=True):
                assert torch.allclose(have[a:b, n : n + 1], want, atol=1e-5)


def step_by_step(encoder, episodes: Episodes, a: int, b: int, n: int) -> list[torch.Tensor]:
    """Mean, logvar and h of steps a … b − 1 of episode n, (b − a, 1, ·), by an encoder that begins at a."""
    memory, seen = encoder.initial(1), []
    action, reward = torch.zeros(1, 5), torch.zeros(1)
    for t in range(a, b):
        posterior, memory = encoder.step(episodes.states[t, n : n + 1], action, reward, memory)
        seen.append(posterior[:3])
        if t + 1 < b:
            action, reward = episodes.actions[t, n : n + 1], episodes.rewards[t, n : n + 1]
    return [torch.stack(parts) for parts in zip(*seen, strict=True)]


def test_gradients_of_a_session_stay_inside_it():
    model, episodes = segment_model(), random_episodes(12, 2, p_end=0.0)
    episodes.ended[:] = False
    episodes.ended[5] = True
    episodes.states.requires_grad_()
    encode_sessions(model.encoder, episodes).mean[6:].sum().backward()
    touched = episodes.states.grad.abs().sum((1, 2))
    assert (touched[:6] == 0).all()
    assert (touched[6:] > 0).all()


def expect_length(model: SegmentBeliefModel, length: int) -> None:
    """Make the model certain that every segment has that many transitions."""
    model.hazard.reached[:] = 1e15
    model.hazard.ended[:] = 0.0
    model.hazard.ended[length - 1] = 1e15


@pytest.mark.parametrize(
    ("kind", "target", "sure_at"),
    [("gru", "felt", 1), ("transformer", "felt", 1), ("gru", "just_ended", 0), ("gru", "ends_now", 3)],
)
def test_acting_equals_training_where_boundaries_are_known(kind, target, sure_at):
    """Certain that sessions last 4 steps, the agent restarts exactly there, whatever the rewards say; and it is certain of
    ends at the age that the target dates them at."""
    model = segment_model(encoder__kind=kind, objective__termination_target=target)
    episodes = random_episodes(15, 5)
    episodes.ended[:] = (torch.arange(15) % 4 == 3).unsqueeze(1)
    expect_length(model, 4)
    with torch.no_grad():
        whole, stepped = model.encode(episodes), model.infer(episodes)
    for have, want in zip(stepped, whole, strict=True):
        assert torch.allclose(have, want, atol=1e-5)
    # An episode's start is no end; one that is about to come may be in its first session.
    expected = [float(t % 4 == sure_at and (t >= 4 or target == "ends_now")) for t in range(16)]
    assert whole.p_end[:, 0].tolist() == pytest.approx(expected, abs=1e-5)


def test_acting_is_the_same_for_a_copy_alone_and_among_others():
    model, episodes = segment_model(), random_episodes(20, 6)
    model.hazard.update(episodes.ended)
    outputs = []
    for part in (slice(0, 6), slice(2, 3)):
        memory = model.initial(part.stop - part.start)
        assert all(len(tensor) == part.stop - part.start for tensor in memory)
        seen = []
        with torch.no_grad():
            for t in range(20):
                move = episodes.actions[max(0, t - 1), part], episodes.rewards[max(0, t - 1), part]
                posterior, memory = model.step(episodes.states[t, part], *move, memory)
                seen.append(torch.cat((posterior.mean, posterior.p_end.unsqueeze(-1)), -1))
        outputs.append(torch.stack(seen))
    assert torch.allclose(outputs[0][:, 2:3], outputs[1], atol=1e-5)


# ------------------------------------------------------------------------------------------------ a change in a toy
class MeanEncoder(nn.Module):
    """q(z | rewards since the restart) of r ~ N(z, 0.1²), z ~ N(0, 1): the exact posterior, in place of a learnt one."""

    def initial(self, n):
        return torch.zeros(n), torch.zeros(n)

    def step(self, state, action, reward, memory):
        # A restart gives a zero reward that counts for nothing; its marker is the zero action.
        total, count = memory[0] + reward, memory[1] + action[:, 0]
        precision = 1.0 + count / 0.01
        mean = (total / 0.01 / precision).unsqueeze(-1).expand(-1, 5)
        logvar = -precision.log().unsqueeze(-1).expand(-1, 5)
        return Posterior(mean, logvar, mean), (total, count)


class IdentityDecoder(nn.Module):
    """Predicts r = z."""

    def predict(self, states, actions, z, index):
        return z[..., 0].unsqueeze(0)


def toy_model() -> SegmentBeliefModel:
    model = segment_model(encoder__hypotheses=6)
    model.encoder, model.reward_decoder = MeanEncoder(), IdentityDecoder()
    model.likelihood.reward_error.fill_(0.01)
    return model


def run_toy(model, rewards):
    memory, seen = model.initial(1), []
    for t in range(len(rewards) + 1):
        moved = torch.zeros(1, 5)
        moved[:, 0] = float(t > 0)
        reward = rewards[t - 1 : t] if t else torch.zeros(1)
        posterior, memory = model.step(torch.zeros(1, 46), moved, reward, memory)
        seen.append((float(posterior.mean[0, 0]), float(posterior.p_end)))
    return [mean for mean, _ in seen], [p for _, p in seen]


def test_the_belief_restarts_at_a_change_and_says_that_a_session_ended():
    noise = 0.1 * torch.randn(24, generator=torch.Generator().manual_seed(0))
    rewards = torch.cat((torch.full((12,), 1.0), torch.full((12,), -1.0))) + noise
    means, p_end = run_toy(toy_model(), rewards)
    assert means[12] == pytest.approx(1.0, abs=0.1)  # after the last reward of the first session
    assert means[13] == pytest.approx(-1.0, abs=0.25)  # one reward of the second is enough
    assert means[24] == pytest.approx(-1.0, abs=0.1)  # its mean over all 24 would be 0
    assert p_end[13] > 0.9
    assert max(p_end[:13] + p_end[15:]) < 0.5
    found = session_end_detection(p_end[1:], [t == 11 for t in range(24)])
    assert (found.precision, found.recall, found.delay) == (1.0, 1.0, 1.0)


def test_without_a_change_there_is_no_alarm_and_nothing_is_forgotten():
    noise = 0.1 * torch.randn(40, generator=torch.Generator().manual_seed(1))
    means, p_end = run_toy(toy_model(), 0.5 + noise)
    assert p_end[0] == 0.0  # an episode's start is not a session's end
    assert max(p_end) < 0.5
    exact = (0.5 + noise).sum() / 0.01 / (1 + 40 / 0.01)
    assert means[40] == pytest.approx(float(exact), abs=0.05)


# ------------------------------------------------------------------------------------------------ the likelihood
def likelihood_of(reward: float, mean: list[float], logvar: list[float], std: float = 0.1) -> torch.Tensor:
    """log p(r | age) of K posteriors over one latent of which r is the sign."""

    class SignDecoder(nn.Module):
        def predict(self, states, actions, z, index):
            return torch.sign(z[..., 0]).unsqueeze(0)

    likelihood = TransitionLikelihood(3, 1, DecoderConfig(reward_std=std))
    q = torch.tensor([mean, logvar]).unsqueeze(-1).unsqueeze(1)  # (2, 1, K, 1)
    at = torch.zeros(2, 1, 3), torch.zeros(1, 2), torch.tensor([reward])
    return likelihood((SignDecoder(), None), q[0], q[1], *at)[0]


def test_who_knows_nothing_is_half_surprised_and_who_knew_better_is_more():
    """A posterior at N(0, 1) gives either sign probability ½, one that was sure of the other sign close to none."""
    for reward in (1.0, -1.0):
        sure, unsure, wrong = likelihood_of(reward, [3.0 * reward, 0.0, -3.0 * reward], [-4.0, 0.0, -4.0])
        assert float(sure - unsure) == pytest.approx(math.log(2.0), abs=0.01)
        assert float(unsure - wrong) > 5.0


def test_a_surprise_counts_by_the_measured_error():
    for std in (0.1, 1.0):
        right, wrong = likelihood_of(1.0, [3.0, -3.0], [-4.0, -4.0], std)
        assert float(right - wrong) == pytest.approx(0.5 * (2.0 / std) ** 2, rel=1e-4)


class ZeroDecoder(nn.Module):
    """Predicts 0: its errors are the rewards."""

    def predict(self, states, actions, z, index):
        return torch.zeros(index.shape)


@pytest.mark.parametrize("family", ["gaussian", "student_t"])
def test_the_measured_deviation_is_the_most_likely_one_of_the_decoders_family(family):
    generator = torch.Generator().manual_seed(0)
    rewards = 0.3 * torch.randn(50, 200, generator=generator)
    if family == "student_t":  # t = normal / sqrt(χ²(3) / 3)
        rewards /= (torch.randn(50, 200, 3, generator=generator) ** 2).mean(-1).sqrt()
    likelihood = TransitionLikelihood(3, 2, DecoderConfig(reward_std=1.0, reward_likelihood=family))
    shapes = torch.zeros(51, 200, 2), torch.zeros(51, 200, 3), torch.zeros(50, 200, 2)
    for _ in range(600):
        likelihood.update((ZeroDecoder(), None), *shapes, rewards)
    assert float(likelihood.reward_error.sqrt()) == pytest.approx(0.3, rel=0.03)


def test_errors_are_those_of_predictions():
    """A posterior is held to the transition that follows it, not to the one it has seen."""

    class Echo(nn.Module):
        def predict(self, states, actions, z, index):
            return z[..., 0].unsqueeze(0)  # (1, T, N)

    likelihood = TransitionLikelihood(3, 2, DecoderConfig(reward_std=1.0))
    rewards = torch.arange(30.0).unsqueeze(1).expand(30, 4)
    mean = torch.zeros(31, 4, 2)
    mean[1:, :, 0] = rewards  # what was seen
    for _ in range(600):
        likelihood.update((Echo(), None), mean, torch.zeros(31, 4, 3), torch.zeros(30, 4, 2), rewards)
    assert float(likelihood.reward_error) == pytest.approx(29 / 30, rel=1e-3)  # each foretold one too little


def test_a_dynamics_that_changed_is_weighed_through_the_state_decoder():
    """Two posteriors foretell opposite steps of the state; the one that was right is the more likely."""

    class Steps(nn.Module):
        def predict(self, states, actions, z, index):
            return z.unsqueeze(0).expand(*[-1] * 3, 3)

    likelihood = TransitionLikelihood(3, 1, DecoderConfig())
    likelihood.state_error.fill_(0.1)
    q = torch.tensor([[1.0, -1.0], [-8.0, -8.0]]).unsqueeze(-1).unsqueeze(1)
    states = torch.stack((torch.zeros(1, 3), torch.ones(1, 3)))
    right, wrong = likelihood((None, Steps()), q[0], q[1], states, torch.zeros(1, 2), torch.zeros(1))[0]
    assert float(right - wrong) == pytest.approx(3 * 0.5 * 2.0**2 / 0.1, rel=0.02)


# ------------------------------------------------------------------------------------------------ learning
def test_a_segment_is_expected_to_begin_at_the_standard_normal():
    model, episodes = segment_model(), random_episodes(17, 6)
    with torch.no_grad():
        posterior = model.encode(episodes)
    _, terms = model.loss(episodes, posterior, torch.Generator().manual_seed(0))
    assert set(terms) == {"reconstruction_reward", "kl"}
    zero, total = torch.zeros(5), 0.0
    for n in range(6):
        for t in range(18):
            fresh = t == 0 or bool(episodes.ended[t - 1, n])
            mean, logvar = (zero, zero) if fresh else (posterior.mean[t - 1, n], posterior.logvar[t - 1, n])
            total += float(gaussian_kl(posterior.mean[t, n], posterior.logvar[t, n], mean, logvar))
    assert float(terms["kl"]) == pytest.approx(total / (6 * 18), rel=1e-4)


def test_learning_counts_ends_and_acting_does_not(tmp_path):
    config = tiny("secbad", train__frames=6 * 60 * 2)
    agent = load_checkpoint(train(config, tmp_path / "run")).agent
    model = agent.belief_model
    # two iterations, each of two batches of 4 episodes of 60 steps
    assert float(model.hazard.reached.sum()) == 2 * 2 * 4 * 60
    assert 0.02 < float(model.hazard.ended.sum()) / 960 < 0.15  # 0.07 in the scene
    assert float(model.likelihood.reward_error) != pytest.approx(config.decoder.reward_std**2, rel=1e-3)
    before = {name: value.clone() for name, value in agent.state_dict().items()}
    collect(agent, make_vector(config.scene, 3), np.arange(3), torch.Generator().manual_seed(0))
    assert all(torch.equal(value, before[name]) for name, value in agent.state_dict().items())


def test_what_is_measured_afterwards_is_what_the_agent_believed_and_not_the_truth():
    """Inferred from whole episodes: the rollout's own beliefs, the same whatever ``ended`` says."""
    config = tiny("secbad")
    agent = new_agent(config)
    agent.belief_model.hazard.update(torch.rand(60, 50, generator=torch.Generator().manual_seed(0)) < 0.3)
    rollout = collect(agent, make_vector(config.scene, 6), np.arange(6), torch.Generator().manual_seed(0))
    episodes = dataclasses.replace(rollout.episodes(), states=agent.model_states(rollout.states))
    for ended in (episodes.ended, ~episodes.ended):
        posterior = agent.belief_model.infer(dataclasses.replace(episodes, ended=ended))
        assert torch.allclose(agent.side(posterior, rollout.privileged), rollout.sides, atol=1e-5)
    assert not torch.allclose(agent.belief_model.encode(episodes).mean, posterior.mean, atol=1e-2)


def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path):
    config, seen = tiny("secbad"), []
    whole = load_checkpoint(train(config, tmp_path / "whole")).agent.state_dict()
    train(config, tmp_path / "parts", on_progress=seen.append, should_stop=lambda: len(seen) == 2)
    parts = load_checkpoint(train(config, tmp_path / "parts", resume=True)).agent.state_dict()
    assert all(torch.equal(value, parts[name]) for name, value in whole.items())


@pytest.mark.parametrize(
    ("overrides", "where"),
    [
        ({"encoder__hypotheses": 1}, "encoder.hypotheses"),
        ({"objective__session_mask": False}, "objective.session_mask"),
        ({"objective__prior_conditioning": True}, "objective.prior_conditioning"),
        ({"objective__termination_weight": 0.5}, "objective.termination_weight"),
        ({"objective__reward_weight": 0.0}, "objective.reward_weight"),
        ({"ppo__through_encoder": True}, "ppo.through_encoder"),
    ],
)
def test_options_that_contradict_a_belief_about_segments_are_refused(overrides, where):
    with pytest.raises(InputError) as caught:
        tiny("secbad", **overrides)
    assert caught.value.where == where
