"""What the timeline says of an episode: sessions, edits, where the jumps go, why one cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynamite.acting import Event, Frame
from robot_app.history import History
from robot_app.timeline import Timeline, another, timeline_of
from scenes.latent import ChoiceField, LatentSpace
from tests.robot_app.test_history import frame

SPACE = LatentSpace((ChoiceField("side", "Side", ("left", "right")),))


@pytest.fixture
def history() -> History:
    """31 steps; sessions begin at 0, 10, 20; an edit at 20; changes inferred at 12 and 23."""
    made = History(3, 7)
    for t in range(31):
        one: Frame = frame(t, 0.5 * t, t // 10, t in (10, 20), p_end=0.9 if t in (12, 23) else 0.1)
        latent = {"side": "left" if t < 10 else "right"}
        events = (Event(20, "override", {"side": "right"}), Event(20, "kernel", "drift")) if t == 20 else ()
        made.add(replace(one, latent=latent, events=events, done=t == 30))
    return made


def test_bands_edits_and_rewards_are_the_histories(history: History) -> None:
    line = timeline_of(history, SPACE, 40)
    assert [(band.first, band.last) for band in line.bands] == [(0, 10), (10, 20), (20, 30)]
    assert ["left" in band.text for band in line.bands] == [True, False, False]
    assert line.edits == ((20, "override and kernel"),)
    assert line.inferred == (12, 23)
    assert (line.newest, line.length, line.at, line.live, line.over) == (30, 40, 30, True, True)
    np.testing.assert_array_equal(line.rewards, 0.5 * np.arange(1, 31))


@pytest.mark.parametrize(
    ("at", "before", "after"),
    [(0, None, 10), (9, None, 10), (10, None, 20), (11, 10, 20), (20, 10, None), (29, 20, None)],
)
def test_jumps_go_to_the_nearest_change(
    history: History, at: int, before: int | None, after: int | None
) -> None:
    line = timeline_of(history, SPACE, 40, cursor=at)
    assert (line.previous(), line.next()) == (before, after)
    why = line.why_not(1)
    assert bool(why["previous"]) == (before is None)
    assert bool(why["next"]) == (after is None)
    assert bool(why["back"]) == bool(why["start"]) == (at == 0)
    assert why["live"] == why["branch"] == ""


def test_a_hidden_truth_is_not_on_the_line(history: History) -> None:
    line = timeline_of(history, SPACE, 40, cursor=15, truth=False)
    assert (line.bands, line.edits, line.changes) == ((), (), ())
    assert (line.previous(), line.next()) == (12, 23)


def test_what_cannot_be_done_has_a_reason(history: History) -> None:
    nothing = Timeline().why_not(0)
    assert set(nothing.values()) == {"Nothing is loaded yet."}
    ended = timeline_of(history, SPACE, 40)
    assert set(nothing) == set(ended.why_not(1))
    assert "over" in ended.why_not(1)["branch"]
    assert "newest" in ended.why_not(1)["live"]
    assert "one take" in ended.why_not(1)["next_take"]
    assert ended.why_not(2)["previous_take"] == ""
    assert timeline_of(History(), SPACE, 40).empty


def test_takes_go_round() -> None:
    assert [another([2, 5, 6], n, +1) for n in (2, 5, 6)] == [5, 6, 2]
    assert [another([2, 5, 6], n, -1) for n in (2, 5, 6)] == [6, 2, 5]


def test_a_branch_of_a_history_shares_the_past_and_nothing_else(history: History) -> None:
    history.oracle_rewards = np.ones(30)
    branch = history.branch(8, 20)
    assert (branch.episode, branch.seed, len(branch)) == (8, 7, 20)
    assert all(a is b for a, b in zip(branch.frames, history.frames, strict=False))
    branch.add(replace(history.frames[20], reward=-1.0))
    assert history.frames[20].reward == 10.0
    assert branch.rewards()[-1] == -1.0
    assert branch.predicted_changes() == [12]
    assert len(branch.p_session_end()) == len(branch.entropy()) == 21
    assert len(branch.oracle_rewards) == 20
