"""Metrics on synthetic traces, statistics on known numbers, evaluation on real episodes."""

from __future__ import annotations

import math

import numpy as np
import pytest

import policies
from dynamite.belief import ChoicePosterior, PointPosterior, ScalarPosterior
from dynamite.evaluate import evaluate
from dynamite.metrics import (
    adaptation_times,
    calibration_error,
    coming_rate,
    entropy,
    inside_credible_region,
    median_time,
    negative_log_likelihood,
    session_end_detection,
    session_starts,
)
from dynamite.stats import bootstrap_interval, iqm, summary
from scenes import make_scene
from scenes.errors import InputError
from scenes.latent import ChoiceField, PointField, ScalarField, SurfacePoint

TWO_SESSIONS = [0] * 50 + [1] * 50


def trace(after: list[float], before: float = 1.0) -> np.ndarray:
    """Fifty steps at ``before``, then ``after``, then 1 until step 100."""
    return np.array([before] * 50 + after + [1.0] * (50 - len(after)))


# ------------------------------------------------------------------------------------------------ adaptation
def test_session_starts():
    assert session_starts([0, 0, 1, 1, 2]) == [2, 4]


def test_the_coming_rate_is_the_mean_of_the_steps_that_follow():
    assert coming_rate(np.array([0.0, 0.0, 3.0, 3.0]), 2).tolist() == [0.0, 1.5, 3.0]


@pytest.mark.parametrize("delay", [0, 1, 7, 20])
def test_adaptation_takes_as_long_as_the_gap(delay):
    """A gap of nothing, then full pay: nine of the ten steps that follow must pay."""
    expected = max(0, delay - 1)
    assert adaptation_times(trace([0.0] * delay), TWO_SESSIONS) == [expected]


def test_adaptation_works_for_rewards_of_any_sign():
    """The same trace shifted and scaled takes the same time."""
    rewards = trace([0.0] * 12)
    for scale, shift in ((1, 0), (0.1, -5), (20, 3)):
        assert adaptation_times(scale * rewards + shift, TWO_SESSIONS) == [11]


def test_never_coming_back_is_infinite():
    times = adaptation_times(trace([0.0] * 20 + [0.5] * 30), TWO_SESSIONS)
    assert times == [math.inf]


def test_against_an_oracle_a_lucky_agent_must_still_reach_its_rate():
    rewards = trace([0.0] * 10 + [0.5] * 40, before=0.5)
    assert adaptation_times(rewards, TWO_SESSIONS) == [9]
    assert adaptation_times(rewards, TWO_SESSIONS, oracle_rewards=np.ones(100)) == [math.inf]


def test_an_unharmed_agent_adapts_in_no_time():
    assert adaptation_times(np.ones(100), TWO_SESSIONS) == [0.0]


def test_sessions_too_short_to_judge_are_left_out():
    assert adaptation_times(np.ones(100), [0] * 95 + [1] * 5) == []
    assert adaptation_times(np.ones(100), [0] * 5 + [1] * 95) == []
    assert adaptation_times(np.ones(100), [0] * 5 + [1] * 95, oracle_rewards=np.ones(100)) == [0.0]


def test_the_median_counts_changes_never_adapted_to():
    assert median_time([3.0, 5.0, math.inf]) == 5.0
    assert median_time([3.0, math.inf, math.inf]) is None
    assert median_time([]) is None


# ------------------------------------------------------------------------------------------------ belief
FORCE, MOOD, ITCH = (
    ScalarField("force", "Force", 0.0, 10.0, "N"),
    ChoiceField("mood", "Mood", ("good", "bad")),
    PointField("itch", "Itch", ("upper", "lower")),
)


def test_likelihoods_by_hand():
    assert negative_log_likelihood(ChoicePosterior(np.array([0.25, 0.75])), MOOD, "good") == pytest.approx(
        math.log(4)
    )
    scalar = ScalarPosterior(3.0, 2.0)
    assert negative_log_likelihood(scalar, FORCE, 5.0) == pytest.approx(
        0.5 + math.log(2) + 0.5 * math.log(2 * math.pi)
    )
    grid = np.zeros((2, 4, 8))
    grid[1, 3, 4] = 1.0
    point = PointPosterior(grid)
    assert negative_log_likelihood(point, ITCH, SurfacePoint("lower", 1.0, 0.1)) == pytest.approx(0.0)
    assert negative_log_likelihood(point, ITCH, SurfacePoint("upper", 1.0, 0.1)) > 20


def test_credible_regions_by_hand():
    belief = ChoicePosterior(np.array([0.95, 0.05]))
    assert inside_credible_region(belief, MOOD, "good", 0.9)
    assert not inside_credible_region(belief, MOOD, "bad", 0.9)
    assert inside_credible_region(ScalarPosterior(3.0, 1.0), FORCE, 4.6, 0.9)
    assert not inside_credible_region(ScalarPosterior(3.0, 1.0), FORCE, 4.7, 0.9)


def test_a_calibrated_belief_covers_at_its_level():
    rng = np.random.default_rng(0)
    inside = [
        inside_credible_region(ScalarPosterior(5.0, 1.0), FORCE, rng.normal(5, 1), 0.8) for _ in range(4000)
    ]
    assert np.mean(inside) == pytest.approx(0.8, abs=0.02)


def test_entropy_by_hand():
    assert entropy(ChoicePosterior(np.array([0.5, 0.5]))) == pytest.approx(math.log(2))
    assert entropy(PointPosterior(np.full((2, 2, 2), 1 / 8))) == pytest.approx(math.log(8))
    assert entropy(ScalarPosterior(0.0, 1.0)) == pytest.approx(0.5 * math.log(2 * math.pi * math.e))


# ------------------------------------------------------------------------------------------------ session ends
def test_detection_by_hand():
    p, ended = np.zeros(60), np.zeros(60, bool)
    ended[[10, 30, 50]] = True
    p[13:20] = 0.9  # three late
    p[31] = 0.9  # one late
    p[5] = 0.9  # false
    found = session_end_detection(p, ended)
    assert (found.precision, found.recall, found.delay) == (pytest.approx(2 / 3), pytest.approx(2 / 3), 2.0)


def test_detection_without_ends_or_alarms():
    silent = session_end_detection(np.zeros(5), np.zeros(5, bool))
    assert (silent.precision, silent.recall, silent.delay) == (None, None, None)


def test_calibration_error_by_hand():
    assert calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.0)
    assert calibration_error([0.9] * 10 + [0.1] * 10, [False] * 20) == pytest.approx(0.5)


# ------------------------------------------------------------------------------------------------ statistics
def test_iqm_is_the_mean_of_the_middle_half():
    assert iqm([1, 2, 3, 100]) == pytest.approx(2.5)


def test_bootstrap_intervals():
    values = np.random.default_rng(0).normal(3.0, 1.0, 400)
    low, high = bootstrap_interval(values)
    assert low < 3.0 < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.2)
    assert bootstrap_interval(values) == (low, high)
    assert bootstrap_interval([2.0]) == (2.0, 2.0)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval([])


def test_summary_across_seeds():
    row = summary([1.0, 2.0, 3.0, 100.0])
    assert row["iqm"] == pytest.approx(2.5)
    assert row["iqm_ci95"][0] <= row["iqm"] <= row["iqm_ci95"][1]


# ------------------------------------------------------------------------------------------------ evaluation
KEYS = {
    "return_mean",
    "return_std",
    "return_ci95",
    "oracle_share",
    "success_rate",
    "scratches_mean",
    "adaptation_steps_median",
    "force_p95_n",
    "sessions",
    "env_steps_per_s",
}


@pytest.mark.parametrize("scene", ["gridworld", "scratch_itch"])
def test_evaluation_gives_every_number(scene):
    policy = policies.load("random", make_scene(scene))
    row = evaluate(lambda: make_scene(scene), policy, 2, seed=5, reference_returns=(0.0, 10.0))
    assert set(row) == KEYS
    assert row["oracle_share"] == pytest.approx(row["return_mean"] / 10)
    assert row["return_ci95"][0] <= row["return_mean"] <= row["return_ci95"][1]
    assert row["sessions"] >= 2
    assert (row["scratches_mean"] is None) is (scene == "gridworld")
    again = evaluate(lambda: make_scene(scene), policy, 2, seed=5)
    assert again["return_mean"] == row["return_mean"]
    assert again["oracle_share"] is None


def test_an_oracle_beside_sets_the_rate():
    scene = make_scene("scratch_itch")
    policy, oracle = policies.load("random", scene), policies.load("scripted/scratch_itch", scene)
    row = evaluate(lambda: make_scene("scratch_itch"), policy, 2, seed=0, oracle=oracle)
    assert row["adaptation_steps_median"] is None  # random actions never come near an oracle's rate


def test_no_episodes_are_refused():
    with pytest.raises(InputError, match="episodes"):
        evaluate(lambda: make_scene("gridworld"), policies.load("random", make_scene("gridworld")), 0, 0)
