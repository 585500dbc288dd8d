"""Measures of an agent in parallel copies: against exact yardsticks, and against agents made to say known things."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from dynamite import measure as measuring
from dynamite.config import SceneConfig
from dynamite.measure import Seen, measure, measure_random, summarise
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny

GRID, STAY = SceneConfig(name="gridworld"), SceneConfig(name="gridworld_stay")
#: Shares of moves stay, up, down, left, right that head for a goal from its (row, column) offset.
STEPS = {(-1, 0): 1, (1, 0): 2, (0, -1): 3, (0, 1): 4}


def heads_for_the_paying_goal(output, now, generator):
    """The shortest way to whichever goal pays, read from the one-hot observation (columns 10 … 45) and the truth."""
    offsets = np.stack([now.observation[:, a : a + 9].argmax(1) - 4 for a in (10, 19, 28, 37)], 1)
    goal = np.where(now.privileged[:, :1] > 0, offsets[:, :2], offsets[:, 2:])
    down = np.where(goal[:, 0] > 0, 2, 1)
    across = np.where(goal[:, 1] > 0, 4, np.where(goal[:, 1] < 0, 3, 0))
    action = np.where(goal[:, 0] != 0, down, across)
    return torch.as_tensor(action[:, None], dtype=torch.float32), torch.zeros(len(action))


def test_random_actions_earn_what_the_solver_says():
    from scenes.control.gridworld import Gridworld
    from scenes.control.gridworld_solver import bounds

    measured = measure_random(GRID, 4096, seed=0).values
    exact = bounds(Gridworld())["random"]
    assert abs(measured["return_mean"] - exact) < 4 * measured["return_std"] / 64
    assert measured["return_low"] < measured["return_mean"] < measured["return_high"]


def test_an_oracles_way_earns_its_bound_and_adapts_in_a_walk():
    """In *stay* a change finds it on the old goal; the walk to the new one is the distance between two random cells."""
    measured = measure(new_agent(tiny("markov")), STAY, 2048, 0, heads_for_the_paying_goal).values
    assert measured["return_mean"] == pytest.approx(50.8, abs=0.6)
    assert 3 <= measured["adapt_median"] <= 4
    assert measured["adapt_p25"] < measured["adapt_median"] < measured["adapt_p75"]
    lazy = measure_random(STAY, 2048, 0).values
    assert lazy["adapt_median"] is None or lazy["adapt_median"] > 10
    assert lazy["changes"] == pytest.approx(measured["changes"], rel=0.1)


def test_the_adaptation_curve_falls_at_the_change_and_recovers():
    curve = measure(new_agent(tiny("markov")), STAY, 1024, 0, heads_for_the_paying_goal).curves["adaptation"]
    at = dict(zip(curve["lag"], curve["reward"], strict=True))
    assert at[-1] > 0.7
    assert at[0] < 0.1
    assert at[12] > 0.7
    assert curve["changes"][curve["lag"].index(0)] > curve["changes"][curve["lag"].index(30)]


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others():
    agent = new_agent(tiny("varibad"))
    first = measure(agent, GRID, 40, seed=1)
    assert measure(agent, GRID, 40, seed=1) == first
    assert measure(agent, GRID, 40, seed=2).values["return_mean"] != first.values["return_mean"]


def test_a_trained_agent_acts_by_its_mode_unless_its_configuration_says_otherwise():
    drawing = new_agent(tiny(policy__deterministic=False))
    settled = new_agent(tiny(policy__deterministic=True))
    settled.load_state_dict(drawing.state_dict())
    output, generator = torch.tensor([[0.0, 0.1, 0.0, 0.0, 0.0]] * 200), torch.Generator().manual_seed(0)
    assert (measuring.trained(settled)(output, None, generator)[0] == 1).all()
    assert len(measuring.trained(drawing)(output, None, generator)[0].unique()) == 5


def test_episodes_are_counted_exactly_over_batches(monkeypatch):
    monkeypatch.setattr(measuring, "ARRAY_COPIES", 8)
    measured = measure(new_agent(tiny()), GRID, 20, seed=0)
    assert measured.values["episodes"] == 20
    with pytest.raises(InputError, match="episodes"):
        measure(new_agent(tiny()), GRID, 0, seed=0)


@pytest.mark.parametrize(("episodes", "batches"), [(5, [5]), (8, [8]), (10, [5, 5]), (20, [7, 7, 6])])
def test_batches_are_alike_so_that_few_copies_play_for_nothing(monkeypatch, episodes, batches):
    monkeypatch.setattr(measuring, "ARRAY_COPIES", 8)
    seen = []
    monkeypatch.setattr(measuring, "_first", lambda rollout, n: seen.append((rollout, n)) or rollout)
    measure(new_agent(tiny()), GRID, episodes, seed=0)
    assert [n for _, n in seen] == batches
    assert {rollout.rewards.shape[1] for rollout, _ in seen} == {max(batches)}


def test_a_probe_that_says_nothing_scores_as_a_coin():
    agent = new_agent(tiny())
    torch.nn.init.zeros_(agent.probe.net[-1].weight)
    torch.nn.init.zeros_(agent.probe.net[-1].bias)
    values = measure(agent, GRID, 16, seed=0).values
    assert values["belief_nll"] == pytest.approx(math.log(2))
    assert values["belief_entropy"] == pytest.approx(math.log(2))
    assert values["belief_cover50"] == pytest.approx(0.5)
    assert values["belief_cover90"] == pytest.approx(0.9)


def test_a_head_that_always_says_a_tenth_is_wrong_by_its_distance_from_the_rate():
    agent = new_agent(tiny())
    torch.nn.init.zeros_(agent.belief_model.termination.linear.weight)
    torch.nn.init.constant_(agent.belief_model.termination.linear.bias, math.log(0.1 / 0.9))
    measured = measure(agent, GRID, 1024, seed=0)
    values = measured.values
    assert values["end_ece"] == pytest.approx(0.03, abs=0.005)  # sessions end with p = 0.07
    entropy = -0.07 * math.log(0.07) - 0.93 * math.log(0.93)
    assert values["end_base_nll"] == pytest.approx(entropy, abs=0.01)
    assert values["end_nll"] == pytest.approx(-0.07 * math.log(0.1) - 0.93 * math.log(0.9), abs=0.01)
    assert values["end_recall"] == 0.0
    assert values["end_precision"] is None
    assert measured.curves["termination"]["predicted"] == pytest.approx([0.1])


@pytest.mark.parametrize("variant", ["oracle", "markov"])
def test_an_agent_without_a_belief_has_none_measured(variant):
    measured = measure(new_agent(tiny(variant)), GRID, 16, seed=0)
    assert {name for name, value in measured.values.items() if value is None} >= {
        "belief_nll",
        "belief_cover90",
        "end_recall",
        "end_ece",
    }
    assert set(measured.curves) == {"adaptation"}


def test_session_ends_are_scored_by_hand():
    """Two episodes of six steps; the belief at t + 1 speaks of step t. One end is noticed one step late, one at once."""
    ended = np.zeros((6, 2), bool)
    ended[1, 0] = ended[5, 1] = True
    p_end = np.zeros((7, 2), np.float32)
    p_end[3, 0] = p_end[6, 1] = 1.0
    nothing = np.zeros((6, 2), np.float32)
    seen = Seen(nothing, ended, ended, np.full(2, np.nan), np.zeros(0), {}, p_end, "just_ended")
    values = summarise([seen, seen], GRID).values
    assert (values["end_precision"], values["end_recall"], values["end_delay"]) == (1.0, 1.0, 0.5)
    assert values["end_ece"] == pytest.approx(2 / 12)
    assert values["changes"] == 2  # an end with the last step starts no session
    assert values["success_rate"] is None


def test_a_scene_of_other_sizes_is_refused():
    with pytest.raises(InputError, match=r"evaluation\.scene"):
        measure(new_agent(tiny()), SceneConfig(name="gridworld", options={"exact_belief": True}), 4, seed=0)
