"""Each term of the objective against a case worked out by hand (METHOD, the objective)."""

from __future__ import annotations

import math

import pytest
import torch

from dynamite import objective
from dynamite.belief_model import BeliefModel, Episodes
from dynamite.variants import configure
from tests.dynamite.conftest import new_agent, tiny

#: Five transitions, one episode; the session ends with transition 1 and with transition 4.
ENDED = torch.tensor([[0], [1], [0], [0], [1]], dtype=torch.bool)


def gaussian(*means: float, variance: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    """(T + 1, 1, 1) posteriors with given means."""
    mean = torch.tensor(means).view(-1, 1, 1)
    return mean, torch.full_like(mean, math.log(variance))


def test_kl_of_gaussians_by_hand():
    zero, one = torch.zeros(1), torch.ones(1)
    # KL(N(1, 1) ‖ N(0, 1)) = ½; KL(N(0, e) ‖ N(0, 1)) = ½ (e − 1 − 1)
    assert objective.gaussian_kl(one, zero, zero, zero).item() == pytest.approx(0.5)
    assert objective.gaussian_kl(zero, one, zero, zero).item() == pytest.approx(0.5 * (math.e - 2))
    # KL(N(0, 1) ‖ N(2, 4)) = ½ (ln 4 − 0 + ¼ + 4/4 − 1)
    wide = torch.tensor([math.log(4.0)])
    assert objective.gaussian_kl(zero, zero, 2 * one, wide).item() == pytest.approx(
        0.5 * (math.log(4) + 0.25)
    )


def test_kl_sums_over_the_embedding():
    mean, zero = torch.ones(3, 4), torch.zeros(3, 4)
    assert objective.gaussian_kl(mean, zero, zero, zero).tolist() == pytest.approx([2.0] * 3)


def test_sessions_start_right_after_an_end():
    sessions = objective.sessions_of(ENDED)
    assert sessions.first[:, 0].tolist() == [0, 0, 2, 2, 2, 5]
    assert sessions.last[:, 0].tolist() == [1, 1, 4, 4, 4, 5]
    assert sessions.count[:, 0].tolist() == [2, 2, 3, 3, 3, 0]


def test_session_mask_pairs_only_transitions_of_the_same_session():
    pairs = objective.reconstruction_pairs(ENDED)
    expected = [  # rows u, columns t
        [1, 1, 0, 0, 0, 0],
        [1, 1, 0, 0, 0, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1, 0],
        [0, 0, 1, 1, 1, 0],
    ]
    assert pairs.index is None
    assert pairs.weight[:, :, 0].tolist() == expected


def test_without_session_mask_every_posterior_reconstructs_every_transition():
    assert objective.reconstruction_pairs(ENDED, session_mask=False).weight.eq(1).all()


def test_reconstruction_by_hand():
    log_prob = torch.arange(30.0).view(5, 6, 1)
    weight = objective.reconstruction_pairs(ENDED).weight
    # Pairs (u, t), value 6u + t: session one 0 + 1 + 6 + 7; session two Σ_{u=2..4} Σ_{t=2..4} (6u + t) = 54 · 3 + 27
    assert objective.reconstruction(log_prob, weight).item() == pytest.approx((14 + 162 + 27) / 6)


def test_mean_reduction_weighs_sessions_alike():
    weight = objective.reconstruction_pairs(ENDED, mean=True).weight
    assert weight.sum(0)[:, 0].tolist() == pytest.approx([1, 1, 1, 1, 1, 0])


def test_sampled_pairs_stay_inside_the_session():
    ended = torch.rand(50, 20, generator=torch.Generator().manual_seed(0)) < 0.1
    sessions = objective.sessions_of(ended)
    pairs = objective.reconstruction_pairs(ended, samples=4, generator=torch.Generator().manual_seed(1))
    inside = (pairs.index >= sessions.first) & (pairs.index < sessions.first + sessions.count)
    assert (inside | (sessions.count == 0)).all()
    assert (pairs.weight[0][sessions.count == 0] == 0).all()


@pytest.mark.parametrize("mean", [False, True])
def test_sampling_transitions_is_unbiased(mean):
    generator = torch.Generator().manual_seed(0)
    ended = torch.rand(30, 1, generator=generator) < 0.1
    values = torch.rand(30, 1, 1, generator=generator)
    everything = objective.reconstruction_pairs(ended, mean=mean)
    exact = objective.reconstruction(values.expand(30, 31, 1), everything.weight)
    total = 0.0
    for _ in range(2000):
        pairs = objective.reconstruction_pairs(ended, samples=3, mean=mean, generator=generator)
        total += objective.reconstruction(values[pairs.index, 0, 0], pairs.weight).item()
    assert total / 2000 == pytest.approx(exact.item(), rel=0.01)


def test_latent_kl_by_hand():
    mean, logvar = gaussian(1.0, 3.0, 0.0, 0.0, 1.0, 1.0)
    prior_mean, prior_logvar = torch.full((5, 1, 1), 2.0), torch.zeros(5, 1, 1)
    found = objective.latent_kl(mean, logvar, ENDED, prior_mean, prior_logvar)
    # unit variances: ½ Δ². N(0,I): 1; q0→q1: 4; boundary, prior 2 → 0: 4; 0; 1; boundary, prior 2 → 1: 1
    assert found.item() == pytest.approx(0.5 * (1 + 4 + 4 + 0 + 1 + 1) / 6)


def test_latent_kl_of_varibad_goes_to_the_previous_posterior_throughout():
    mean, logvar = gaussian(1.0, 3.0, 0.0, 0.0, 1.0, 1.0)
    assert objective.latent_kl(mean, logvar, ENDED).item() == pytest.approx(0.5 * (1 + 4 + 9 + 0 + 1 + 0) / 6)


@pytest.mark.parametrize("detach", [False, True])
def test_gradient_into_the_previous_posterior_is_a_switch(detach):
    mean, logvar = gaussian(0.0, 1.0)
    mean.requires_grad_()
    ended = torch.zeros(1, 1, dtype=torch.bool)
    objective.latent_kl(mean, logvar, ended, detach_previous=detach).backward()
    # d/dμ0 of ½ μ0² + ½ (μ1 − μ0)², over 2 posteriors
    assert mean.grad[0].item() == pytest.approx(0.0 if detach else -0.5)


def test_consistency_by_hand():
    mean, logvar = gaussian(3.0, 0.0, 1.0, 2.0, 0.0, 5.0)
    # session one ends at 0: 3 → 0 comes nearer, 0. Session two ends at 0: ½·1 → ½·4 (+1.5), ½·4 → 0 nearer.
    # Three steps lie inside sessions.
    assert objective.consistency(mean, logvar, ENDED).item() == pytest.approx(1.5 / 3)


def test_consistency_moves_the_end_only_when_asked():
    for detach in (True, False):
        mean, logvar = gaussian(1.0, 2.0, 0.0)
        mean.requires_grad_()
        objective.consistency(mean, logvar, torch.zeros(2, 1, dtype=torch.bool), detach).backward()
        assert (mean.grad[2].item() == 0.0) is detach


def test_consistency_of_an_episode_of_single_step_sessions_is_zero():
    mean, logvar = gaussian(1.0, 2.0, 0.0)
    assert objective.consistency(mean, logvar, torch.ones(2, 1, dtype=torch.bool)).item() == 0.0


@pytest.mark.parametrize(
    ("target", "logits"),
    [
        ("just_ended", [0, -3, 3, -3, -3, 3]),
        ("felt", [0, 0, -3, 3, -3, -3]),
        ("ends_now", [-3, 3, -3, -3, 3, 0]),
    ],
)
def test_termination_by_hand(target, logits):
    logit = torch.tensor(logits, dtype=torch.float32).view(-1, 1)
    assert objective.termination(logit, ENDED, target).item() == pytest.approx(math.log(1 + math.exp(-3)))


def random_episodes(n_obs: int = 46, n_actions: int = 5, steps: int = 12, n: int = 3) -> Episodes:
    g = torch.Generator().manual_seed(0)
    return Episodes(
        states=torch.rand(steps + 1, n, n_obs, generator=g),
        actions=torch.rand(steps, n, n_actions, generator=g),
        rewards=torch.rand(steps, n, generator=g),
        ended=torch.rand(steps, n, generator=g) < 0.2,
        latents=torch.zeros(steps + 1, n, 2),
    )


def model_terms(variant: str = "dynamite", **overrides) -> tuple[BeliefModel, float, dict[str, torch.Tensor]]:
    model = new_agent(tiny(variant, **overrides)).belief_model
    episodes = random_episodes()
    total, terms = model.loss(episodes, model.encode(episodes), torch.Generator().manual_seed(0))
    return model, total.item(), terms


@pytest.mark.parametrize(
    ("weight", "term"),
    [
        ("objective__reward_weight", "reconstruction_reward"),
        ("objective__kl_weight", "kl"),
        ("objective__consistency_weight", "consistency"),
        ("objective__termination_weight", "termination"),
    ],
)
def test_weight_zero_removes_its_term(weight, term):
    _, _, with_term = model_terms()
    _, _, without = model_terms(**{weight: 0.0})
    assert set(with_term) - set(without) == {term}


def test_a_state_decoder_exists_only_where_states_are_reconstructed():
    assert model_terms()[0].state_decoder is None
    model, _, terms = model_terms(objective__state_weight=1.0)
    assert model.state_decoder is not None
    assert terms["reconstruction_state"] < 0


def test_a_task_decoder_exists_only_where_it_is_asked_for_and_then_teaches_the_encoder():
    assert model_terms()[0].task_decoder is None
    model, _, terms = model_terms(objective__task_weight=2.0)
    assert set(model_terms()[2]) == set(terms) - {"reconstruction_task"}
    others = [p for name, p in model.named_parameters() if "gru" in name]
    gradients = torch.autograd.grad(model_task_term(model), others)
    assert all(g.abs().sum() > 0 for g in gradients)


def model_task_term(model: BeliefModel) -> torch.Tensor:
    episodes = random_episodes()
    return model.loss(episodes, model.encode(episodes), torch.Generator().manual_seed(0))[1][
        "reconstruction_task"
    ]


def test_total_is_the_weighted_sum_of_its_terms():
    weights = {
        "objective__reward_weight": 2.0,
        "objective__kl_weight": 0.3,
        "objective__consistency_weight": 0.7,
    }
    _, total, terms = model_terms(objective__termination_weight=0.2, **weights)
    expected = (
        -2.0 * terms["reconstruction_reward"]
        + 0.3 * terms["kl"]
        + 0.7 * terms["consistency"]
        + 0.2 * terms["termination"]
    )
    assert total == pytest.approx(expected.item(), rel=1e-5)


def test_varibad_is_its_own_formula():
    """The variant's loss against VariBAD's ELBO written out with loops (arXiv 1910.08348, equations 5 and 8)."""
    model = new_agent(tiny("varibad", objective__reconstruction_samples=0)).belief_model
    episodes = random_episodes()
    q = model.encode(episodes)
    total, terms = model.loss(episodes, q, torch.Generator().manual_seed(0))
    assert set(terms) == {"reconstruction_reward", "kl"}

    z = q.mean + torch.exp(0.5 * q.logvar) * torch.randn(
        q.mean.shape, generator=torch.Generator().manual_seed(0)
    )
    net, config = model.reward_decoder.net, configure("gridworld", "varibad")
    steps, n = episodes.rewards.shape
    loss = 0.0
    for i in range(n):
        for t in range(steps + 1):
            for u in range(steps):
                x = torch.cat((episodes.states[u, i], episodes.actions[u, i], episodes.states[u + 1, i]))
                hidden = torch.relu(net.from_transition(x) + net.from_latent(z[t, i]))
                error = (episodes.rewards[u, i] - net.above(hidden)[0]) / config.decoder.reward_std
                loss += 0.5 * error**2
            before = torch.distributions.Normal(0.0, 1.0)
            if t > 0:
                before = torch.distributions.Normal(q.mean[t - 1, i], torch.exp(0.5 * q.logvar[t - 1, i]))
            now = torch.distributions.Normal(q.mean[t, i], torch.exp(0.5 * q.logvar[t, i]))
            loss += config.objective.kl_weight * torch.distributions.kl_divergence(now, before).sum()
    assert total.item() == pytest.approx(loss.item() / (n * (steps + 1)), rel=1e-4)
