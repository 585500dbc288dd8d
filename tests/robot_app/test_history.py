"""The history of an episode: adaptation times and marks, against hand-made cases."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamite.acting import Decision, Frame
from dynamite.belief import Belief, ChoicePosterior, PointPosterior
from robot_app.history import History, adaptation_time, field_entropy, running_mean


def frame(
    t: int, reward: float = 0.0, session: int = 0, changed: bool = False, p_end: float | None = None
) -> Frame:
    belief = None if p_end is None else Belief(np.zeros(2), np.zeros(2), p_end)
    return Frame(
        t, np.zeros(1), reward, Decision(np.zeros(1), belief), {}, session, changed or t == 0, (), {}
    )


def test_adaptation_counts_steps_until_the_rate_is_back() -> None:
    oracle = np.full(60, 2.0)
    rewards = np.concatenate((np.zeros(20), np.full(40, 2.0)))
    # 9 of the last 10 steps must be good ones: that is after step 20 + 9.
    assert adaptation_time(rewards, oracle) == 29
    assert adaptation_time(np.zeros(60), oracle) is None
    assert adaptation_time(rewards, np.full(60, -1.0)) is None  # an oracle that earns nothing is no measure
    assert adaptation_time(rewards[:5], oracle[:5]) is None


def test_sessions_returns_and_changes_come_from_the_frames() -> None:
    history = History(1, 7)
    for t in range(50):
        history.add(frame(t, reward=1.0, session=t // 20, changed=t % 20 == 0))
    history.oracle_rewards = np.ones(200)
    assert history.session_spans() == [(0, 20), (20, 40), (40, 49)]
    assert history.returns()[-1] == 49.0
    assert history.oracle_returns()[-1] == 49.0  # not beyond where the episode is
    assert [(change.t, change.adapted_after) for change in history.changes()] == [(20, 10), (40, None)]


def test_a_revised_frame_replaces_the_last() -> None:
    history = History()
    history.add(frame(0))
    history.add(frame(1))
    history.add(frame(1, session=1, changed=True))
    assert len(history) == 2
    assert history.change_steps() == [1]


def test_an_inferred_change_is_where_the_probability_rises() -> None:
    history = History()
    for t, p in enumerate((0.9, 0.1, 0.6, 0.7, 0.2, 0.51)):
        history.add(frame(t, p_end=p))
    assert history.predicted_changes() == [0, 2, 5]


def test_uncertainty_is_a_share_of_not_knowing() -> None:
    nothing = Belief(np.zeros(1), np.zeros(1), None, {"itch": PointPosterior(np.full((2, 3, 4), 1 / 24))})
    half = Belief(np.zeros(1), np.zeros(1), None, {"side": ChoicePosterior(np.array([0.5, 0.5, 0.0, 0.0]))})
    assert field_entropy(nothing) == pytest.approx(1.0)
    assert field_entropy(half) == pytest.approx(0.5)
    assert math.isnan(field_entropy(None))


def test_a_running_mean_starts_with_what_there_is() -> None:
    assert running_mean(np.array([2.0, 4.0, 6.0, 8.0]), 2).tolist() == [2.0, 3.0, 5.0, 7.0]
    assert running_mean(np.zeros(0), 10).tolist() == []
