"""The transformer encoder: single steps equal whole episodes, it looks back only and only so far, and it drops in."""

from __future__ import annotations

import math

import pytest
import torch

from dynamite.config_io import from_dict
from dynamite.encoder import Posterior
from dynamite.ppo import PPO
from dynamite.rollout import collect
from dynamite.train import Trainer
from dynamite.transformer import TransformerEncoder, sinusoids
from dynamite.vector import make_vector
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny

STEPS, N = 20, 3


def encoder(**options) -> TransformerEncoder:
    overrides = {f"encoder__{name}": value for name, value in options.items()}
    made = new_agent(tiny(**{"encoder__kind": "transformer", **overrides})).belief_model.encoder
    assert isinstance(made, TransformerEncoder)
    return made


def episodes(n: int = N) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """States (T + 1, N, S), actions (T, N, A), rewards (T, N)."""
    g = torch.Generator().manual_seed(0)
    shapes = (STEPS + 1, n, 46), (STEPS, n, 5), (STEPS, n)
    return tuple(torch.randn(*shape, generator=g) for shape in shapes)


def stepped(model: TransformerEncoder, states, actions, rewards, memory=None) -> list[Posterior]:
    n = states.shape[1]
    memory = model.initial(n) if memory is None else memory
    posteriors = []
    for t in range(len(states)):
        action = actions[t - 1] if t else torch.zeros_like(actions[0])
        reward = rewards[t - 1] if t else torch.zeros(n)
        posterior, memory = model.step(states[t], action, reward, memory)
        posteriors.append(posterior)
    return posteriors


# ------------------------------------------------------------------------------------------------ what it computes
@pytest.mark.parametrize("context", [1, 4, STEPS, STEPS + 1, 64])
@pytest.mark.parametrize("layers", [1, 3])
@torch.no_grad()
def test_step_by_step_equals_whole_episodes(layers, context):
    """Also where the ring of keys and values comes round: context 1 and 4 of 21 steps."""
    model = encoder(layers=layers, context=context)
    whole = model(*episodes())
    for t, posterior in enumerate(stepped(model, *episodes())):
        for name in ("mean", "logvar", "hidden"):
            torch.testing.assert_close(
                getattr(posterior, name), getattr(whole, name)[t], atol=1e-5, rtol=1e-5, msg=f"{name} at {t}"
            )


@torch.no_grad()
def test_copies_of_different_age_share_a_batch():
    """A copy put back to its start goes on as a fresh episode, the others as if nothing had happened."""
    model, (states, actions, rewards) = encoder(context=4), episodes()
    memory, restart = model.initial(N), torch.tensor([False, True, False])
    for t in range(7):
        _, memory = model.step(states[t], actions[t], rewards[t], memory)
    memory = tuple(
        torch.where(restart.view(-1, *[1] * (kept.dim() - 1)), fresh, kept)
        for fresh, kept in zip(model.initial(N), memory, strict=True)
    )
    posterior, _ = model.step(states[7], actions[7], rewards[7], memory)
    fresh, _ = model.step(states[7], actions[7], rewards[7], model.initial(N))
    torch.testing.assert_close(posterior.hidden[1], fresh.hidden[1])
    assert not torch.allclose(posterior.hidden[0], fresh.hidden[0], atol=1e-3)


@torch.no_grad()
def test_a_memory_handed_in_is_left_as_it_was():
    model, (states, actions, rewards) = encoder(context=4), episodes()
    memory = model.initial(N)
    for t in range(6):
        before = [kept.clone() for kept in memory]
        posterior, after = model.step(states[t], actions[t], rewards[t], memory)
        again, _ = model.step(states[t], actions[t], rewards[t], memory)
        assert all(torch.equal(kept, old) for kept, old in zip(memory, before, strict=True))
        assert torch.equal(posterior.hidden, again.hidden)
        assert [kept.shape for kept in after] == [kept.shape for kept in memory]
        memory = after


@torch.no_grad()
def test_nothing_ahead_is_seen():
    model, (states, actions, rewards) = encoder(), episodes()
    whole = model(states, actions, rewards).hidden
    states[12:], actions[12:], rewards[12:] = 5.0, -5.0, 5.0  # action and reward 12 come with state 13
    changed = model(states, actions, rewards).hidden
    assert torch.equal(whole[:12], changed[:12])
    assert not torch.allclose(whole[12:], changed[12:], atol=1e-2)


@torch.no_grad()
def test_a_layer_sees_exactly_as_far_back_as_its_context():
    states, actions, rewards = episodes()
    other = states.clone()
    other[5] += 1.0
    for layers, reach in ((1, 3), (2, 6)):  # each layer reaches context − 1 = 3 steps further
        model = encoder(layers=layers, context=4)
        apart = (model(states, actions, rewards).hidden - model(other, actions, rewards).hidden).abs()
        seen = apart.amax((1, 2)) > 1e-6
        assert seen.nonzero().flatten().tolist() == list(range(5, 5 + reach + 1))


@torch.no_grad()
def test_the_order_of_the_past_matters():
    """Without positions, attention would see a set."""
    model, (states, actions, rewards) = encoder(layers=1), episodes()
    swapped = [x.clone() for x in (states, actions, rewards)]
    swapped[0][[3, 9]], swapped[1][[2, 8]], swapped[2][[2, 8]] = (
        states[[9, 3]],
        actions[[8, 2]],
        rewards[[8, 2]],
    )
    assert not torch.allclose(
        model(states, actions, rewards).hidden[15], model(*swapped).hidden[15], atol=1e-3
    )


def test_positions_by_hand():
    found = sinusoids(torch.tensor([0.0, 2.0]), 4)  # frequencies 1 and 1/100
    assert found[0].tolist() == [0.0, 0.0, 1.0, 1.0]
    expected = [math.sin(2), math.sin(0.02), math.cos(2), math.cos(0.02)]
    assert found[1].tolist() == pytest.approx(expected, abs=1e-6)


# ------------------------------------------------------------------------------------------------ dropping in
@pytest.mark.parametrize("variant", ["dynamite", "varibad", "rl2", "contrabar", "secbad", "borel"])
def test_it_trains_under_every_kind_of_belief(variant):
    fewer = {"sac__updates": 4, "train__frames": 2 * 360}
    config = tiny(variant, encoder__kind="transformer", encoder__context=8, **fewer)
    trainer = Trainer(config, make_vector(config.scene, config.train.copies))
    before = {k: v.clone() for k, v in trainer.agent.belief_model.encoder.named_parameters()}
    while not trainer.done:
        _, metrics = trainer.iterate()
    assert all(math.isfinite(value) for value in metrics.values())
    after = dict(trainer.agent.belief_model.encoder.named_parameters())
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    untaught = {"rl2": {"head"}, "contrabar": {"head"}}.get(variant, set())
    assert {n for n in before if not any(n.startswith(u) for u in untaught)} <= moved


def test_beliefs_of_a_rollout_are_those_of_learning():
    """What PPO recomputes through the encoder equals what was acted on: the first ratio is one."""
    config = tiny("rl2", encoder__kind="transformer", encoder__context=8)
    scenes, agent = make_vector(config.scene, config.train.copies), new_agent(config)
    rollout = collect(agent, scenes, range(config.train.copies), torch.Generator().manual_seed(0))
    for state, side, picked in PPO(agent)._minibatches(rollout, torch.Generator().manual_seed(0)):
        now = agent.actor_critic.evaluate(state, side, picked(rollout.actions))
        assert torch.allclose(now.log_prob, picked(rollout.log_probs), atol=1e-5)
        assert torch.allclose(now.value, picked(rollout.values)[:-1], atol=1e-5)


def test_it_learns_to_remember():
    """A reward felt once, at the second step, is told at the last, nine steps and as many states later."""
    torch.manual_seed(0)
    model, g = encoder(layers=1, context=16, state_embedding=8), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(200):
        sign = torch.randint(2, (32,), generator=g) * 2.0 - 1.0
        rewards = torch.zeros(10, 32)
        rewards[0] = sign
        states = torch.randn(11, 32, 46, generator=g)
        loss = ((model(states, torch.zeros(10, 32, 5), rewards).mean[-1, :, 0] - sign) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.1  # 1 without a memory


@pytest.mark.parametrize(("heads", "hidden"), [(3, 64), (4, 30), (1, 7)])
def test_heads_divide_the_width(heads, hidden):
    values = {"encoder": {"kind": "transformer", "heads": heads, "hidden": hidden}}
    with pytest.raises(InputError, match=r"encoder\.heads"):
        from_dict(values)
    assert (
        from_dict({"encoder": {"heads": heads, "hidden": hidden}}).encoder.hidden == hidden
    )  # a GRU has none
