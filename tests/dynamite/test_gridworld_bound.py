"""The yardsticks of the gridworld, against METHOD's numbers and against play."""

from __future__ import annotations

import numpy as np
import pytest

from dynamite.config import SceneConfig
from dynamite.vector import make_vector
from scenes.control.gridworld_bound import bayes_value, bounds, goal_pairs, oracle_value


@pytest.mark.parametrize("returns", [True, False])
def test_the_oracle_is_never_below_bayes(returns):
    for pair in list(goal_pairs(returns))[::40]:
        assert bayes_value(*pair, returns) <= oracle_value(*pair, returns)


def test_goals_in_one_place_in_mind_are_symmetric():
    assert bayes_value(3, 17) == pytest.approx(bayes_value(17, 3))
    assert bayes_value(1, 2) > bayes_value(23, 24)  # nearer to the start


def test_the_oracle_value_is_what_an_oracle_earns():
    """Walking straight to the paying goal, 8,000 episodes: the dynamic programme's mean over all goals."""
    vector = make_vector(SceneConfig(name="gridworld"), 8000)
    now, returns = vector.reset(np.arange(8)), 0.0
    for _ in range(60):
        first = now.latent[:, :1] == 1.0
        rows = np.where(first, now.observation[:, 10:19], now.observation[:, 28:37]).argmax(1) - 4
        columns = np.where(first, now.observation[:, 19:28], now.observation[:, 37:46]).argmax(1) - 4
        down = np.where(rows > 0, 2, 1)
        sideways = np.where(columns > 0, 4, np.where(columns < 0, 3, 0))
        now = vector.step(np.where(rows != 0, down, sideways)[:, None])
        returns += now.reward.mean()
    expected = np.mean([oracle_value(*pair) for pair in list(goal_pairs())[::3]])
    assert returns == pytest.approx(expected, abs=0.5)


@pytest.mark.slow
def test_the_yardsticks_of_the_method():
    assert bounds(True) == pytest.approx({"bayes": 43.2, "oracle": 44.5}, abs=0.1)
    assert bounds(False) == pytest.approx({"bayes": 46.1, "oracle": 50.7}, abs=0.1)
