"""Contrastive prediction of the future: the loss by hand, and what it makes an encoder keep."""

from __future__ import annotations

import math

import pytest
import torch

from dynamite.config import Config, ContrastiveConfig, EncoderConfig
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
SIZES = EncoderConfig(hidden=4, state_embedding=5, reward_embedding=3)


def predictor(n_steps_ahead: int = 3, **options) -> ContrastivePredictor:
    torch.manual_seed(0)
    return ContrastivePredictor(2, SIZES, ContrastiveConfig(steps=n_steps_ahead, **options))


def batch(n_steps: int = 6, n: int = 3) -> tuple[torch.Tensor, ...]:
    """h (T + 1, N, 4), actions (T, N, 2), embedded states (T, N, 5) and rewards (T, N, 3)."""
    g = seeded()
    shapes = (n_steps + 1, n, 4), (n_steps, n, 2), (n_steps, n, 5), (n_steps, n, 3)
    return tuple(torch.randn(*shape, generator=g) for shape in shapes)


@pytest.mark.parametrize("relabelled", [0, 6, 15])
def test_the_mean_loss_written_out_with_loops(relabelled):
    """From every t, k = 1 … K: c is the action-GRU after a_t … a_{t+k−1} from h_t; what happened is what step t + k − 1 led
    to; the first negatives keep its state."""
    net, (hidden, actions, states, rewards) = predictor(samples=0, relabelled=relabelled), batch()
    found = net(hidden, actions, states, rewards, seeded(5))
    negative = other_episodes(6, 3, (15, 3, 6, 3), seeded(5))  # the same draws

    def score(context: torch.Tensor, state: torch.Tensor, reward: torch.Tensor) -> torch.Tensor:
        return net.score(
            torch.relu(net.from_state(state) + net.from_reward(reward) + net.from_context(context))
        )[0]

    losses = []
    for t in range(6):
        for n in range(3):
            for k in range(1, 4):
                if t + k > 6:
                    continue
                _, rolled = net.action_gru(actions[t : t + k, n : n + 1], hidden[t, n].view(1, 1, -1))
                context = torch.cat((rolled.flatten(), hidden[t, n]))
                u = t + k - 1
                others = []
                for j, row in enumerate(negative[:, k - 1, t, n].tolist()):
                    state = states[u, n] if j < relabelled else states.flatten(0, 1)[row]
                    others.append(score(context, state, rewards.flatten(0, 1)[row]))
                happened = score(context, states[u, n], rewards[u, n])
                losses.append(info_nce(happened.unsqueeze(0), torch.stack(others).unsqueeze(1)))
    assert len(losses) == 3 * (6 + 5 + 4)
    assert found.item() == pytest.approx(torch.cat(losses).mean().item(), rel=1e-5)


def test_nothing_after_the_predicted_step_is_used():
    """With K = 2 from t = 0 only: gradients of the loss reach a_0 and a_1, and no later action."""
    net, (hidden, actions, *_) = predictor(2, samples=0), batch(6, 2)
    actions.requires_grad_()
    context = net._contexts(hidden[:1, :1], actions[:2, None, :1])  # t = 0, both k
    context[0].sum().backward(retain_graph=True)
    assert actions.grad[0, 0].abs().sum() > 0
    assert actions.grad[1:].abs().sum() == 0  # k = 1 knows a_0 alone
    context[1].sum().backward()
    assert actions.grad[1, 0].abs().sum() > 0
    assert actions.grad[2:].abs().sum() == 0


def test_episodes_shorter_than_the_horizon_are_predicted_to_their_end():
    net = predictor(50)
    assert math.isfinite(net(*batch(4), seeded()).item())


def test_sampled_starts_estimate_the_mean_over_all():
    net, inputs = predictor(samples=0), batch(12, 5)
    with torch.no_grad():
        exact = sum(net(*inputs, seeded(i)).item() for i in range(100)) / 100
        net.config = ContrastiveConfig(steps=3, samples=4)
        sampled = sum(net(*inputs, seeded(i)).item() for i in range(500)) / 500
    assert sampled == pytest.approx(exact, rel=0.02)


def told_and_untold(relabelled: int, shown: bool) -> dict[bool, float]:
    """Losses after training in a world where the reward is the episode's hidden sign times the action, for a memory that is
    told the sign and one that is not; where ``shown``, states carry a mark of the episode that the memory knows too."""
    g, losses = seeded(), {}
    sizes = EncoderConfig(hidden=8, state_embedding=3, reward_embedding=1)
    for told in (True, False):
        torch.manual_seed(0)
        options = ContrastiveConfig(steps=2, negatives=2, relabelled=relabelled, samples=0, hidden=32)
        net = ContrastivePredictor(1, sizes, options)
        optimiser = torch.optim.Adam(net.parameters(), lr=0.02)
        for _ in range(120):
            sign = torch.randint(2, (1, 32, 1), generator=g) * 2.0 - 1.0
            mark = 3 * torch.randn(1, 32, 3, generator=g) * shown
            actions = torch.randint(2, (4, 32, 1), generator=g) * 2.0 - 1.0
            known = torch.cat((sign * told, mark, torch.zeros(1, 32, 4)), -1).expand(5, -1, -1)
            loss = net(known, actions, mark.expand(4, -1, -1), actions * sign, g)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        losses[told] = loss.item()
    return losses


def test_it_asks_of_the_memory_what_tells_the_future():
    losses = told_and_untold(relabelled=2, shown=False)
    assert losses[False] == pytest.approx(math.log(3.0), abs=0.05)  # nothing to tell them apart by
    # Two negatives are each equal to what happened with probability a half, and cost log 2 or log 3 then.
    assert losses[True] == pytest.approx(0.5 * math.log(2.0) + 0.25 * math.log(3.0), abs=0.12)


def test_relabelled_rewards_ask_for_the_latent_where_states_give_episodes_away():
    """A state that marks its episode makes other episodes' outcomes easy to refuse, and the hidden sign worth little."""
    worth = {}
    for relabelled in (0, 2):
        losses = told_and_untold(relabelled, shown=True)
        worth[relabelled] = losses[False] - losses[True]
    assert worth[2] > 3 * abs(worth[0])


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


def test_what_a_step_led_to_is_embedded_as_the_encoder_will_see_it():
    """The next state and the reward felt on the way there: the encoder's own embeddings of the step after."""
    encoder = new_agent(
        tiny("contrabar", encoder__action_embedding=0, encoder__mixing=0)
    ).belief_model.encoder
    episodes = random_episodes()
    outcomes = encoder.outcomes(episodes.states[1:], episodes.rewards)
    felt = encoder._embed(episodes.states[1:], episodes.actions, episodes.rewards)
    assert torch.allclose(torch.cat(outcomes, -1), felt)


def test_no_more_are_relabelled_than_there_are():
    with pytest.raises(InputError, match=r"contrastive\.relabelled"):
        from_dict({"contrastive": {"negatives": 4}})


def test_one_episode_has_no_others():
    values = {"objective": {"contrastive_weight": 1.0}, "model": {"batch_episodes": 1}}
    with pytest.raises(InputError, match=r"model\.batch_episodes"):
        from_dict(values)
    assert Config().objective.contrastive_weight == 0.0
