"""Metrics on synthetic traces, statistics on known numbers, evaluation on real episodes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

import policies
from dynamite.belief_scores import Categorical, Gaussian, read_probe
from dynamite.evaluate import evaluate
from dynamite.metrics import (
    Recovery,
    adaptation_curve,
    adaptation_times,
    calibration_error,
    coming_rate,
    cross_entropy,
    median_time,
    recovery_after,
    reliability,
    session_end_detection,
    session_starts,
)
from dynamite.stats import (
    band,
    bootstrap_interval,
    iqm,
    probability_of_improvement,
    stratified_interval,
    summary,
)
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


def as_columns(*episodes: list) -> np.ndarray:
    """Episodes as the columns of (T, N)."""
    return np.stack([np.asarray(episode) for episode in episodes], 1)


def test_recovery_is_counted_from_the_change_to_the_first_full_reward():
    ended, rewards = np.zeros((12, 2), bool), np.zeros((12, 2))
    ended[3] = ended[8, 0] = True
    rewards[4, 1] = 1.0  # copy 1 is paid at once
    rewards[6, 0] = rewards[7, 0] = 1.0  # copy 0 with its third step, and not at all after its second change
    found = recovery_after(rewards, ended, ended, level=1.0)
    assert sorted(zip(found.steps.tolist(), found.paid.tolist(), strict=True)) == [
        (1, True),
        (3, False),
        (3, True),
    ]


def test_a_session_that_ends_without_a_change_asks_for_no_recovery():
    ended, changed = np.zeros((6, 1), bool), np.zeros((6, 1), bool)
    ended[2] = True
    assert len(recovery_after(np.ones((6, 1)), ended, changed, 1.0).steps) == 0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_the_median_recovery_is_not_moved_by_when_sessions_happen_to_end(seed):
    """Geometric recovery with p = 0.2 (median 4), sessions cut short at random: Kaplan–Meier finds it all the same, where
    the median of the recovered alone would be too low."""
    rng = np.random.default_rng(seed)
    needed, given_up = rng.geometric(0.2, 20_000), rng.geometric(0.15, 20_000)
    recovery = Recovery(np.minimum(needed, given_up).astype(float), needed <= given_up)
    assert recovery.quantile(0.5) == np.median(needed)
    assert recovery.quantile(0.25) == np.quantile(needed, 0.25)
    assert np.median(recovery.steps[recovery.paid]) < np.median(needed)


def test_a_recovery_that_sessions_are_too_short_for_has_no_median():
    assert Recovery(np.array([2.0, 3.0, 3.0]), np.array([True, False, False])).quantile(0.5) is None
    assert Recovery(np.array([2.0]), np.array([False])).quantile(0.5) is None


def test_the_adaptation_curve_stays_inside_the_two_sessions_of_each_change():
    """Rewards number the sessions: before a change only the session before counts, after it only the new one."""
    ended = as_columns([False] * 4 + [True] + [False] * 5 + [True] + [False] * 9)
    session = np.cumsum(np.concatenate((np.zeros((1, 1)), ended[:-1])), 0)
    lag, reward, n = adaptation_curve(session, ended, ended, before=8, after=12)
    at = {int(k): (float(r), int(c)) for k, r, c in zip(lag, reward, n, strict=True)}
    assert at[-1] == (0.5, 2)  # sessions 0 and 1
    assert at[0] == (1.5, 2)  # sessions 1 and 2
    assert at[-6] == (1.0, 1)  # only the second change has six steps before it
    assert at[-7][1] == 0
    assert at[5] == (1.5, 2)
    assert at[6] == (2.0, 1)  # session 1 is over
    assert at[9][1] == 0


# ------------------------------------------------------------------------------------------------ belief
FORCE, MOOD, ITCH = (
    ScalarField("force", "Force", 0.0, 10.0, "N"),
    ChoiceField("mood", "Mood", ("good", "bad")),
    PointField("itch", "Itch", ("upper", "lower")),
)
SEEDS = st.integers(0, 2**32 - 1)


def test_likelihoods_by_hand():
    coin = Categorical(np.array([[0.25, 0.75], [0.25, 0.75]]), np.array([0, 1]))
    assert coin.nll() == pytest.approx([math.log(4), math.log(4 / 3)])
    scalar = Gaussian(np.array([3.0]), np.array([2.0]), np.array([5.0]))
    assert scalar.nll() == pytest.approx(0.5 + math.log(2) + 0.5 * math.log(2 * math.pi))
    assert Categorical(np.array([[1.0, 0.0]]), np.array([1])).nll() > 20


def test_credible_regions_by_hand():
    mood = Categorical(np.array([[0.95, 0.05]] * 2), np.array([0, 1]))
    assert mood.covered(0.95).tolist() == [1.0, 0.0]
    assert mood.covered(0.5) == pytest.approx([0.5 / 0.95, 0.0])
    assert mood.covered(0.96) == pytest.approx([1.0, 0.2])
    force = Gaussian(np.array([3.0, 3.0]), np.array([1.0, 1.0]), np.array([4.6, 4.7]))
    assert force.covered(0.9).tolist() == [1.0, 0.0]


@given(SEEDS, st.integers(2, 6), st.floats(0.2, 3.0), st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=25, deadline=None)
def test_calibrated_categorical_beliefs_cover_at_their_level_and_pay_their_entropy(seed, n, sharpness, level):
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(n, 1 / sharpness), 20_000)
    truth = (rng.random((20_000, 1)) > weights.cumsum(1)).sum(1).clip(0, n - 1)
    belief = Categorical(weights, truth)
    assert belief.covered(level).mean() == pytest.approx(level, abs=0.02)
    nll, entropy = belief.nll(), belief.entropy()
    assert nll.mean() == pytest.approx(entropy.mean(), abs=5 * (nll - entropy).std() / math.sqrt(len(nll)))


@given(SEEDS, st.floats(0.1, 5.0), st.sampled_from([0.5, 0.8, 0.9]))
@settings(max_examples=25, deadline=None)
def test_calibrated_gaussian_beliefs_cover_at_their_level_and_pay_their_entropy(seed, spread, level):
    rng = np.random.default_rng(seed)
    mean, std = rng.normal(0, 3, 20_000), spread * rng.uniform(0.5, 2.0, 20_000)
    belief = Gaussian(mean, std, rng.normal(mean, std))
    assert belief.covered(level).mean() == pytest.approx(level, abs=0.02)
    assert belief.nll().mean() == pytest.approx(belief.entropy().mean(), abs=0.03)


def test_an_overconfident_belief_covers_too_little_and_an_even_one_exactly():
    rng = np.random.default_rng(0)
    truth = rng.normal(0.0, 2.0, 5000)
    assert Gaussian(np.zeros(5000), np.ones(5000), truth).covered(0.9).mean() < 0.65
    even = Categorical(np.full((4, 2), 0.5), np.array([0, 1, 1, 0]))
    assert even.covered(0.9) == pytest.approx(0.9)
    assert even.entropy() == pytest.approx(math.log(2))


def test_a_probe_is_read_in_the_fields_own_unit():
    half_way = read_probe(FORCE, np.array([[0.0, math.log(0.2)]]), np.array([[0.4]]), (1, 1))
    assert (half_way.mean, half_way.std, half_way.truth) == (
        pytest.approx(5.0),
        pytest.approx(1.0),
        pytest.approx(7.0),
    )
    mood = read_probe(MOOD, np.log([[0.3, 0.7]]), MOOD.to_vector("bad")[None], (1, 1))
    assert mood.nll() == pytest.approx(-math.log(0.7))


@pytest.mark.parametrize("angle", [-3.1, -0.2, 0.1, 3.1])
def test_the_cell_of_a_point_is_the_one_its_posterior_names(angle):
    """The same outputs through the single-step posterior: the true cell is where a spike would be drawn."""
    point, n = SurfacePoint("lower", 0.62, angle), (4, 8)
    cell = read_probe(ITCH, np.zeros((1, 64)), ITCH.to_vector(point)[None], n).truth[0]
    part, along, around = np.unravel_index(cell, (2, *n))
    assert (ITCH.parts[part], along) == ("lower", 2)
    centre = -math.pi + 2 * math.pi * (around + 0.5) / 8
    assert abs((centre - angle + math.pi) % (2 * math.pi) - math.pi) <= math.pi / 8 + 1e-9


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


@given(SEEDS, st.integers(0, 10), st.floats(0.0, 1.0), st.integers(0, 20))
@settings(max_examples=40, deadline=None)
def test_synthetic_alarms_are_found_as_they_were_made(seed, delay, heard, n_false):
    """Ends 40 steps apart, a share ``heard`` of them answered after ``delay`` steps, and false alarms far from any end."""
    rng = np.random.default_rng(seed)
    ends = np.arange(20, 4000, 40)
    answered = ends[rng.random(len(ends)) < heard]
    false = rng.choice(ends, n_false, replace=False) + 25
    p, ended = np.zeros(4040), np.zeros(4040, bool)
    p[answered + delay] = p[false] = 0.8
    ended[ends] = True
    found = session_end_detection(p, ended)
    assert found.recall == pytest.approx(len(answered) / len(ends))
    alarms = len(answered) + n_false
    assert found.precision == (pytest.approx(len(answered) / alarms) if alarms else None)
    assert found.delay == (delay if len(answered) else None)


def test_one_alarm_answers_one_end():
    p, ended = np.zeros(30), np.zeros(30, bool)
    ended[[10, 12]] = True
    p[13] = 1.0
    found = session_end_detection(p, ended)
    assert (found.precision, found.recall, found.delay) == (1.0, 0.5, 3.0)


def test_calibration_error_by_hand():
    assert calibration_error([0.9] * 10, [True] * 9 + [False]) == pytest.approx(0.0)
    assert calibration_error([0.9] * 10 + [0.1] * 10, [False] * 20) == pytest.approx(0.5)


@given(SEEDS, st.floats(0.3, 3.0), st.floats(0.3, 3.0))
@settings(max_examples=20, deadline=None)
def test_calibrated_probabilities_have_no_calibration_error_and_shifted_ones_their_shift(seed, a, b):
    rng = np.random.default_rng(seed)
    p = rng.beta(a, b, 50_000)
    happened = rng.random(50_000) < p
    assert calibration_error(p, happened) < 0.02
    assert calibration_error(0.8 * p, happened) == pytest.approx(0.2 * p.mean(), abs=0.02)
    assert cross_entropy(p, happened) < cross_entropy(np.full(50_000, happened.mean()), happened) + 0.01


def test_reliability_bins_hold_what_fell_into_them():
    bins = reliability([0.05, 0.06, 0.95], [False, True, True])
    assert bins.predicted == pytest.approx([0.055, 0.95])
    assert bins.observed.tolist() == [0.5, 1.0]
    assert bins.count.tolist() == [2, 1]


# ------------------------------------------------------------------------------------------------ statistics
def test_iqm_is_the_mean_of_the_middle_half():
    assert iqm([1, 2, 3, 100]) == pytest.approx(2.5)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40))
@settings(max_examples=50, deadline=None)
def test_iqm_is_scipys_and_blind_to_the_outer_quarters(values):
    assert iqm(values) == pytest.approx(float(scipy.stats.trim_mean(values, 0.25)))
    cut = len(values) // 4
    wild = sorted(values)
    wild[:cut], wild[len(wild) - cut :] = [-1e9] * cut, [1e9] * cut
    assert iqm(wild) == pytest.approx(iqm(values), abs=1e-6)


def test_bootstrap_intervals():
    values = np.random.default_rng(0).normal(3.0, 1.0, 400)
    low, high = bootstrap_interval(values)
    assert low < 3.0 < high
    assert high - low == pytest.approx(2 * 1.96 / 20, rel=0.2)
    assert bootstrap_interval(values) == (low, high)
    assert bootstrap_interval([2.0]) == (2.0, 2.0)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap_interval([])


@pytest.mark.parametrize("statistic", [np.mean, iqm])
def test_bootstrap_intervals_hold_the_truth_as_often_as_they_say(statistic):
    rng = np.random.default_rng(1)
    inside = 0
    for k in range(200):
        low, high = bootstrap_interval(rng.normal(0.0, 1.0, 40), statistic, resamples=400, seed=k)
        inside += low <= 0.0 <= high
    assert 0.88 <= inside / 200 <= 0.99


def test_strata_are_resampled_by_themselves():
    """Two cells far apart: pooled resampling would carry the distance into the interval of the mean."""
    rng = np.random.default_rng(2)
    cells = [rng.normal(0.0, 1.0, 50), rng.normal(100.0, 1.0, 50)]
    low, high = stratified_interval(cells, np.mean)
    assert high - low == pytest.approx(2 * 1.96 / 10, rel=0.25)
    pooled = bootstrap_interval(np.concatenate(cells))
    assert pooled[1] - pooled[0] > 10 * (high - low)
    alone = stratified_interval(
        [cells[0], [100.0]], np.mean
    )  # a cell with one seed cannot move, and counts once
    assert alone[0] < (cells[0].sum() + 100.0) / 51 < alone[1]


def test_a_band_is_the_interval_at_every_point():
    runs = np.random.default_rng(4).normal([[0.0, 10.0]], [[1.0, 3.0]], (60, 2))
    centre, low, high = band(runs)
    assert centre == pytest.approx(iqm(runs, axis=0))
    for point in range(2):
        assert (low[point], high[point]) == pytest.approx(bootstrap_interval(runs[:, point], iqm), abs=0.2)
    alone = band(runs[:1])
    assert all(part.tolist() == runs[0].tolist() for part in alone)


def test_probability_of_improvement():
    assert probability_of_improvement([2.0, 3.0], [0.0, 1.0]) == (1.0, 1.0, 1.0)
    assert probability_of_improvement([1.0, 1.0], [1.0, 1.0])[0] == 0.5
    rng = np.random.default_rng(3)
    value, low, high = probability_of_improvement(rng.normal(1, 1, 60), rng.normal(0, 1, 60))
    truth = scipy.stats.norm.cdf(1 / math.sqrt(2))
    assert low < truth < high
    assert low < value < high


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
