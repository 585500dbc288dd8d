"""Contrastive prediction of the future: the loss by hand, and what it makes an encoder keep."""

from __future__ import annotations

import math

import pytest
import torch

from dynamite.config import Config, ContrastiveConfig
from dynamite.config_io import from_dict
from dynamite.contrastive import ContrastivePredictor, info_nce, other_episodes
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny
from tests.dynamite.test_objective import model_terms, random_episodes


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# ------------------------------------------------------------------------------------------------ the loss
def test_info_nce_by_hand():
    # −log( e² / (e² + e¹ + e⁰) ) and −log( e⁰ / (e⁰ + e⁰ + e^{log 2}) )
    positive = torch.tensor([2.0, 0.0])
    negatives = torch.tensor([[1.0, 0.0], [0.0, math.log(2.0)]])
    found = info_nce(positive, negatives)
    assert found.tolist() == pytest.approx([-2 + math.log(math.e**2 + math.e + 1), math.log(4.0)])


def test_scores_that_say_nothing_cost_the_log_of_the_candidates():
    assert info_nce(torch.zeros(3), torch.zeros(15, 3)).tolist() == pytest.approx([math.log(16)] * 3)


def test_info_nce_does_not_care_about_a_common_shift_nor_overflow():
    positive, negatives = torch.randn(7, generator=seeded()), torch.randn(4, 7, generator=seeded(1))
    assert torch.allclose(info_nce(positive + 300, negatives + 300), info_nce(positive, negatives), atol=1e-4)
    assert info_nce(torch.tensor([-500.0]), torch.tensor([[500.0]])).item() == pytest.approx(1000.0)


def test_info_nce_is_the_cross_entropy_of_picking_what_happened():
    positive, negatives = torch.randn(7, generator=seeded()), torch.randn(4, 7, generator=seeded(1))
    logits = torch.cat((positive.unsqueeze(0), negatives)).T
    expected = torch.nn.functional.cross_entropy(logits, torch.zeros(7, dtype=torch.long), reduction="none")
    assert torch.allclose(info_nce(positive, negatives), expected)


def test_negatives_are_of_other_episodes_and_of_any_step():
    rows = other_episodes(6, 4, (2000, 3, 4), seeded())
    step, episode = rows // 4, rows % 4
    assert not (episode == torch.arange(4)).any()
    for own in range(4):
        counts = torch.bincount(episode[..., own].flatten(), minlength=4)
        assert counts[own] == 0
        assert (counts / counts.sum())[[i for i in range(4) if i != own]].tolist() == pytest.approx(
            [1 / 3] * 3, abs=0.02
        )
    assert (torch.bincount(step.flatten()) / step.numel()).tolist() == pytest.approx([1 / 6] * 6, abs=0.01)


# ------------------------------------------------------------------------------------------------ the predictor
def predictor(n_steps_ahead: int = 3, **options) -> ContrastivePredictor:
    torch.manual_seed(0)
    return ContrastivePredictor(5, 2, 4, ContrastiveConfig(steps=n_steps_ahead, **options))


def batch(n_steps: int = 6, n: int = 3) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """h (T + 1, N, 4), actions (T, N, 2), outcomes (T, N, 5)."""
    g = seeded()
    return tuple(
        torch.randn(*shape, generator=g) for shape in ((n_steps + 1, n, 4), (n_steps, n, 2), (n_steps, n, 5))
    )


def test_the_mean_loss_written_out_with_loops():
    """From every t, k = 1 … K: c is the action-GRU after a_t … a_{t+k−1} from h_t; the outcome is that of step t + k − 1."""
    net, (hidden, actions, outcomes) = predictor(samples=0), batch()
    found = net(hidden, actions, outcomes, seeded(5))
    negative = other_episodes(6, 3, (15, 3, 6, 3), seeded(5))  # the same draws

    def score(context: torch.Tensor, outcome: torch.Tensor) -> torch.Tensor:
        return net.score(torch.relu(net.from_outcome(outcome) + net.from_context(context)))[0]

    losses = []
    for t in range(6):
        for n in range(3):
            for k in range(1, 4):
                if t + k > 6:
                    continue
                _, state = net.action_gru(actions[t : t + k, n : n + 1], hidden[t, n].view(1, 1, -1))
                context = torch.cat((state.flatten(), hidden[t, n]))
                happened = score(context, outcomes[t + k - 1, n])
                others = [score(context, outcomes.flatten(0, 1)[r]) for r in negative[:, k - 1, t, n]]
                losses.append(info_nce(happened.unsqueeze(0), torch.stack(others).unsqueeze(1)))
    assert len(losses) == 3 * (6 + 5 + 4)
    assert found.item() == pytest.approx(torch.cat(losses).mean().item(), rel=1e-5)


def test_nothing_after_the_predicted_step_is_used():
    """With K = 2 from t = 0 only: gradients of the loss reach a_0 and a_1, and no later action."""
    net, (hidden, actions, _) = predictor(2, samples=0), batch(6, 2)
    actions.requires_grad_()
    context = net._contexts(hidden[:1, :1], actions[:2, None, :1])  # t = 0, both k
    context[0].sum().backward(retain_graph=True)
    assert actions.grad[0, 0].abs().sum() > 0
    assert actions.grad[1:].abs().sum() == 0  # k = 1 knows a_0 alone
    context[1].sum().backward()
    assert actions.grad[1, 0].abs().sum() > 0
    assert actions.grad[2:].abs().sum() == 0


def test_episodes_shorter_than_the_horizon_are_predicted_to_their_end():
    net, (hidden, actions, outcomes) = predictor(50), batch(4)
    assert math.isfinite(net(hidden, actions, outcomes, seeded()).item())


def test_sampled_starts_estimate_the_mean_over_all():
    net, inputs = predictor(samples=0), batch(12, 5)
    with torch.no_grad():
        exact = sum(net(*inputs, seeded(i)).item() for i in range(100)) / 100
        net.config = ContrastiveConfig(steps=3, samples=4)
        sampled = sum(net(*inputs, seeded(i)).item() for i in range(500)) / 500
    assert sampled == pytest.approx(exact, rel=0.02)


def test_it_keeps_of_the_past_what_tells_the_future():
    """Each episode has a sign that its outcomes carry under action +1 and its negative under −1; h is told the sign by its
    first entry. A predictor that saw neither sign nor action would stay at log 2 with one negative."""
    g = seeded()
    losses = {}
    for told in (True, False):
        torch.manual_seed(0)
        net = ContrastivePredictor(1, 1, 8, ContrastiveConfig(steps=2, negatives=1, samples=0, hidden=16))
        optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
        for _ in range(100):
            sign = torch.randint(2, (1, 32, 1), generator=g) * 2.0 - 1.0
            actions = torch.randint(2, (4, 32, 1), generator=g) * 2.0 - 1.0
            hidden = torch.cat((sign.expand(5, -1, -1) * told, torch.zeros(5, 32, 7)), -1)
            loss = net(hidden, actions, actions * sign, g)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        losses[told] = loss.item()
    assert losses[False] == pytest.approx(math.log(2.0), abs=0.05)
    # Half of the negatives are equal to what happened, and cost log 2 whatever is known.
    assert losses[True] == pytest.approx(0.5 * math.log(2.0), abs=0.08)


# ------------------------------------------------------------------------------------------------ in the objective
def test_the_term_exists_only_where_it_is_weighted():
    assert "contrastive" not in model_terms()[2]
    model, total, terms = model_terms("contrabar", objective__contrastive_weight=3.0)
    assert set(terms) == {"contrastive"}
    assert total == pytest.approx(3.0 * terms["contrastive"].item())
    assert model.reward_decoder is None
    assert new_agent(tiny()).belief_model.contrast is None


def test_it_teaches_the_encoder_memory_and_embeddings():
    model = new_agent(tiny("contrabar")).belief_model
    episodes = random_episodes()
    model.loss(episodes, model.encode(episodes), seeded())[0].backward()
    for name, parameter in model.named_parameters():
        taught = name.startswith("contrast.") or (name.startswith("encoder.") and "head" not in name)
        assert (parameter.grad is not None and parameter.grad.abs().sum() > 0) == taught, name


def test_the_future_of_an_outcome_is_the_next_state_and_its_reward():
    """outcomes(s_{u+1}, r_u): the same numbers as the encoder's own embeddings of the step after u."""
    encoder = new_agent(
        tiny("contrabar", encoder__action_embedding=0, encoder__mixing=0)
    ).belief_model.encoder
    episodes = random_episodes()
    outcomes = encoder.outcomes(episodes.states[1:], episodes.rewards)
    felt = encoder._embed(episodes.states[1:], episodes.actions, episodes.rewards)
    assert torch.allclose(outcomes, felt)
    assert outcomes.shape[-1] == encoder.n_outcome


def test_one_episode_has_no_others():
    values = {"objective": {"contrastive_weight": 1.0}, "model": {"batch_episodes": 1}}
    with pytest.raises(InputError, match=r"model\.batch_episodes"):
        from_dict(values)
    assert Config().objective.contrastive_weight == 0.0
