"""The two-goal gridworld: its law, its options, its exact belief, and that objects and arrays obey the same."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenes.control.grid import CELLS, MOVES
from scenes.control.grid_arrays import GridArrays
from scenes.control.gridworld import Gridworld, GridworldStay
from scenes.errors import InputError
from scenes.session import FixedLength, Schedule

N = 4000


def decode(observation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Agents (N, 2) and goals (N, 2, 2), rows and columns, from what is seen."""
    agents = np.stack((observation[:, :5].argmax(1), observation[:, 5:10].argmax(1)), 1)
    offsets = np.stack([observation[:, a : a + 9].argmax(1) - 4 for a in (10, 19, 28, 37)], 1)
    return agents, agents[:, None] + offsets.reshape(-1, 2, 2)


def same_places(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return (one == other).all(-1)


# ------------------------------------------------------------------------------------------------ the law of the arrays
LAWS = {
    "return": Gridworld(),
    "stay": GridworldStay(),
    "return, four actions, random start": Gridworld(actions=4, start="random", termination=0.2),
    "stay, corner, fixed goals": GridworldStay(start="corner", goals=[[0, 3], [4, 4]], swap=0.3),
    "ends always, swaps always": Gridworld(termination=1.0, swap=1.0),
    "never ends": Gridworld(termination=0.0),
    "fixed length": GridworldStay(termination=FixedLength(7), swap=0.0),
    "drift": Gridworld(kernel={"name": "drift", "switch": 0.4}),
}


@pytest.mark.parametrize("law", LAWS)
def test_every_step_of_the_arrays_is_what_the_rules_say(law):
    scene, rng = LAWS[law], np.random.default_rng(0)
    arrays = GridArrays(scene, N)
    now = arrays.reset(np.arange(4))
    starts, goals = decode(now.observation)
    n_actions, p = scene.action_space.n, getattr(scene.sessions.termination, "p", 1 / 7)
    swap = {
        "drift": 0.2,
        "stay, corner, fixed goals": 0.3,
        "fixed length": 0.0,
        "ends always, swaps always": 1.0,
    }
    ended_share, swapped_share, session = [], [], np.zeros(N)
    success = np.zeros(N, bool)
    for t in range(scene.episode_length):
        agents, _ = decode(now.observation)
        pays, was_second = now.latent[:, 0] == 1.0, now.latent[:, 1].copy()
        assert np.array_equal(now.privileged[:, 0], 1.0 - 2.0 * was_second)
        actions = rng.integers(n_actions, size=(N, 1))
        now = arrays.step(actions)
        reached = np.clip(agents + MOVES[actions[:, 0] + 5 - n_actions], 0, 4)
        on = same_places(reached[:, None], goals)  # (N, 2)
        expected = np.where(on.any(1), np.where(pays, on[:, 0], on[:, 1]), -0.1)
        np.testing.assert_allclose(now.reward, expected, atol=1e-6)
        success |= expected == 1.0
        assert np.array_equal(now.success, success)
        assert np.array_equal(now.session, session)
        session += now.ended
        at, still = decode(now.observation)
        assert np.array_equal(still, goals)
        back = now.ended if scene.reset_on_session_end else np.zeros(N, bool)
        assert np.array_equal(at, np.where(back[:, None], starts, reached))
        assert np.array_equal(now.observation[:, :46].sum(1), np.full(N, 6.0))
        changed = now.latent[:, 1] != was_second
        assert not (changed & ~now.ended).any()
        ended_share.append(now.ended.mean())
        swapped_share += changed[now.ended].tolist()
        if law == "fixed length":
            assert now.ended.all() == now.ended.any() == ((t + 1) % 7 == 0)
    error = np.sqrt(p * (1 - p) / (N * 60))
    assert np.mean(ended_share) == pytest.approx(8 / 60 if law == "fixed length" else p, abs=4 * error + 1e-9)
    if p > 0:
        expected, count = swap.get(law, 0.8), len(swapped_share)
        assert np.mean(swapped_share) == pytest.approx(
            expected, abs=4 * np.sqrt(0.25 / count) * (0 < expected < 1)
        )


def test_starts_and_goals_are_uniform_over_different_cells():
    arrays = GridArrays(GridworldStay(), 50_000)
    agents, goals = decode(arrays.reset(np.array([3])).observation)
    numbers = np.concatenate((agents[:, None], goals), 1) @ (5, 1)  # (N, 3)
    assert (np.sort(numbers, 1)[:, 1:] != np.sort(numbers, 1)[:, :-1]).all()
    for column in numbers.T:
        assert np.bincount(column, minlength=25) == pytest.approx(2000, abs=5 * np.sqrt(2000))
    corner, goals = decode(GridArrays(Gridworld(), 50_000).reset(np.array([3])).observation)
    assert not corner.any()
    for column in (goals @ (5, 1)).T:
        assert np.bincount(column, minlength=25)[0] == 0
        assert np.bincount(column, minlength=25)[1:] == pytest.approx(50_000 / 24, abs=5 * np.sqrt(2100))


def test_a_seed_fixes_the_arrays_and_another_changes_them():
    def play(seed: int) -> list[bytes]:
        arrays, rng, seen = GridArrays(Gridworld(), 50), np.random.default_rng(0), []
        now = arrays.reset(np.array([seed, 1]))
        for _ in range(60):
            seen.append(now.observation.tobytes() + now.reward.tobytes())
            now = arrays.step(rng.integers(5, size=(50, 1)))
        return seen

    assert play(1) == play(1) != play(2)


def test_the_compact_form_is_the_observation():
    arrays = GridArrays(Gridworld(), 100)
    now = arrays.reset(np.arange(4))
    for _ in range(30):
        now = arrays.step(np.random.default_rng(0).integers(5, size=(100, 1)))
        dense = np.zeros_like(now.observation)
        np.put_along_axis(dense, now.hot, 1.0, 1)
        assert np.array_equal(dense, now.observation)


# ------------------------------------------------------------------------------------------------ objects as arrays
@pytest.mark.parametrize("law", LAWS)
def test_objects_follow_the_law_of_the_arrays(law):
    """One copy: the same checks of moves and pay, and the same share of ended sessions and changed goals."""
    scene, rng = LAWS[law], np.random.default_rng(1)
    n_actions, ends, changes, steps = scene.action_space.n, 0, 0, 0
    for episode in range(40):
        observation, _ = scene.reset(seed=episode)
        starts, goals = decode(observation[None])
        truncated = False
        while not truncated:
            latent = scene.sessions.latent["goal"]
            agent, _ = decode(observation[None])
            action = int(rng.integers(n_actions))
            observation, reward, _, truncated, info = scene.step(action)
            reached = np.clip(agent + MOVES[action + 5 - n_actions], 0, 4)
            on = same_places(reached, goals[0])
            expected = -0.1 if not on.any() else float(on[("first", "second").index(latent)])
            assert reward == pytest.approx(expected)
            at, _ = decode(observation[None])
            back = info["session_ended"] and scene.reset_on_session_end
            assert np.array_equal(at, starts if back else reached)
            ends, steps = ends + info["session_ended"], steps + 1
            changes += scene.sessions.latent["goal"] != latent
    arrays = GridArrays(scene, N)
    now, array_ends, array_changes = arrays.reset(np.arange(4)), 0, 0
    for _ in range(60):
        before = now.latent.copy()
        now = arrays.step(np.zeros((N, 1)))
        array_ends += now.ended.sum()
        array_changes += (now.latent != before).any(1).sum()
    for mine, theirs in ((ends, array_ends), (changes, array_changes)):
        p = theirs / (60 * N)
        assert mine / steps == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / steps) + 1e-9)


def test_an_action_out_of_range_is_refused():
    scene = Gridworld(actions=4)
    scene.reset(seed=0)
    for bad in (4, -1, 1.5, "up", None):
        with pytest.raises(InputError, match="whole number from 0 to 3"):
            scene.step(bad)


# ------------------------------------------------------------------------------------------------ the exact belief
BELIEFS = [
    {},
    {"termination": 0.0},
    {"termination": 0.5, "swap": 0.6},
    {"termination": 1.0},
    {"reset_on_session_end": False},
    {"reset_on_session_end": False, "termination": 0.3, "swap": 0.95},
    {"reset_on_session_end": False, "termination": FixedLength(5), "swap": 0.7},
    {"start": [2, 2], "termination": 0.3, "kernel": "drift"},
]


@pytest.mark.parametrize("options", BELIEFS)
def test_the_exact_belief_is_calibrated(options):
    """Of all steps at which the filter says p, the first goal pays in a share p, also right after a return to the start."""
    arrays = GridArrays(Gridworld(**options, exact_belief=True, goals=[[0, 1], [2, 1]]), N)
    rng, said, true, at_start = np.random.default_rng(0), [], [], []
    now = arrays.reset(np.arange(4))
    start = now.hot[0, :2].copy()
    for _ in range(60):
        now = arrays.step(rng.integers(5, size=(N, 1)))
        said.append((now.observation[:, -1] + 1) / 2)
        true.append(now.latent[:, 0].copy())
        at_start.append((now.hot[:, :2] == start).all(1))
    said, true, at_start = np.array(said), np.array(true), np.array(at_start)  # (T, N)
    assert (np.abs(said - 0.5) > 0.05).mean() > 0.05
    for where in (at_start, ~at_start):
        for low in np.arange(-0.025, 1.0, 0.05):
            inside = where & (said >= low) & (said < low + 0.05)
            if inside.sum() > 500:
                off = ((true - said) * inside).sum(0)  # (N,): steps of one copy hang together, copies do not
                assert abs(off.sum()) < 4 * np.sqrt((off**2).sum()) + 1e-3


def bayes_by_hand(scene: Gridworld, actions: list[int]) -> list[float]:
    """P(first pays) after each step, by summing over every course of the hidden half that fits what was seen."""
    observation, _ = scene.reset(seed=4)
    start, swap, p = scene._start[0], scene.sessions.kernel.p, scene.sessions.termination.p
    goals = scene._layout[0]
    weights, found = {0: 0.5, 1: 0.5}, []
    for action in actions:
        agent, _ = decode(observation[None])
        observation, reward, _, _, _ = scene.step(action)
        reached = int(np.clip(agent + MOVES[action], 0, 4)[0] @ (5, 1))
        seen_at = int(decode(observation[None])[0][0] @ (5, 1))
        later = {0: 0.0, 1: 0.0}
        for m, weight in weights.items():
            fits = reward == pytest.approx(float(reached == goals[m]) if reached in goals else -0.1)
            for ended, p_d in ((False, 1 - p), (True, p)):
                at = start if ended and scene.reset_on_session_end else reached
                for m_next in (0, 1):
                    p_m = (swap if m_next != m else 1 - swap) if ended else float(m_next == m)
                    later[m_next] += weight * fits * (at == seen_at) * p_d * p_m
        weights = {m: weight / sum(later.values()) for m, weight in later.items()}
        found.append(weights[0])
    return found


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("p", [0.07, 0.4, 1.0])
def test_the_exact_belief_is_bayes_rule(reset, p):
    options = {"termination": p, "reset_on_session_end": reset, "goals": [[0, 1], [1, 0]], "swap": 0.7}
    actions = np.random.default_rng(2).integers(5, size=60).tolist()
    expected = bayes_by_hand(Gridworld(**options), actions)
    scene = Gridworld(**options, exact_belief=True)
    scene.reset(seed=4)
    said = [(scene.step(action)[0][-1] + 1) / 2 for action in actions]
    assert said == pytest.approx(expected, abs=1e-6)


def test_the_exact_belief_recovers_from_a_change_from_outside():
    scene = Gridworld(termination=0.0, exact_belief=True, goals=[[0, 1], [4, 4]])
    scene.reset(seed=0, options={"latent": {"goal": "first"}})
    assert scene.step(4)[0][-1] == 1.0
    scene.override({"goal": "second"})
    assert scene.step(0)[0][-1] == -1.0


# ------------------------------------------------------------------------------------------------ bad options
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"actions": 6}, "actions: got 6"),
        ({"actions": True}, "actions: got True"),
        ({"start": "middle"}, "start: got 'middle'"),
        ({"start": [0, 5]}, "start: got"),
        ({"start": [0]}, "start: got"),
        ({"start": 3}, "start: got 3"),
        ({"goals": [[1, 1]]}, "goals: got"),
        ({"goals": "fixed"}, "goals: got 'fixed'"),
        ({"goals": [[1, 1], [1, 1]]}, "different cells"),
        ({"goals": [[0, 0], [1, 1]]}, "none of them the start"),
        ({"goals": [[0, 1], [1, "a"]]}, r"goals\[1\]: got"),
        ({"reset_on_session_end": 1}, "reset_on_session_end: got 1"),
        ({"exact_belief": "yes"}, "exact_belief: got 'yes'"),
        ({"episode_length": 0}, "episode_length: got 0"),
        ({"termination": 1.5}, "probability"),
        ({"termination": True}, "termination: got True"),
        ({"swap": -0.1}, "swap: got -0.1"),
        ({"swap": "often"}, "swap: got 'often'"),
        ({"swap": 0.5, "kernel": "uniform"}, "swap: got 0.5"),
        ({"kernel": "slide"}, "kernel"),
        ({"render_mode": "human"}, "render_mode: got 'human'"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line_in_both_forms(options, message):
    for make in (Gridworld, lambda **given: Gridworld.vector(3, **given)):
        with pytest.raises(InputError, match=message) as caught:
            make(**options)
        assert "\n" not in str(caught.value)


def test_arrays_refuse_a_schedule_and_so_does_the_exact_belief():
    schedule = Schedule(((5, {"goal": "first"}),))
    with pytest.raises(InputError, match="for arrays"):
        Gridworld.vector(3, termination=schedule)
    with pytest.raises(InputError, match="by p or length"):
        Gridworld(termination=schedule, exact_belief=True).reset(seed=0)


@settings(max_examples=60, deadline=None)
@given(
    actions=st.sampled_from([4, 5]),
    start=st.one_of(
        st.sampled_from(["corner", "random"]), st.lists(st.integers(0, 4), min_size=2, max_size=2)
    ),
    reset=st.booleans(),
    p=st.floats(0, 1),
    swap=st.floats(0, 1),
    belief=st.booleans(),
    length=st.integers(1, 20),
    seed=st.integers(0, 2**31),
)
def test_any_options_make_a_world_in_both_forms(actions, start, reset, p, swap, belief, length, seed):
    options = {
        "actions": actions,
        "start": start,
        "reset_on_session_end": reset,
        "termination": p,
        "swap": swap,
    }
    options |= {"exact_belief": belief, "episode_length": length}
    scene, arrays = Gridworld(**options), Gridworld.vector(5, **options)
    observation, _ = scene.reset(seed=seed)
    now, rng, truncated, steps = arrays.reset(np.array([seed])), np.random.default_rng(seed), False, 0
    while not truncated:
        assert scene.observation_space.contains(observation)
        assert all(scene.observation_space.contains(row) for row in now.observation)
        observation, _, _, truncated, _ = scene.step(int(rng.integers(actions)))
        now, steps = arrays.step(rng.integers(actions, size=(5, 1))), steps + 1
    assert steps == length


# ------------------------------------------------------------------------------------------------ the picture
def test_the_picture_shows_the_agent_and_hides_the_truth():
    scene = Gridworld(render_mode="rgb_array", goals=[[0, 4], [4, 0]], termination=0.0)
    pictures = {}
    for goal in ("first", "second"):
        scene.reset(seed=0, options={"latent": {"goal": goal}})
        pictures[goal] = scene.render(), scene.picture(truth=True)
    assert pictures["first"][0].shape == (440, 440, 3)
    assert np.array_equal(pictures["first"][0], pictures["second"][0])
    assert not np.array_equal(pictures["first"][1], pictures["second"][1])

    def darkest(picture: np.ndarray) -> list[int]:
        """Row and column of the cell with the most ink in its middle."""
        middles = [
            picture[20 + 80 * r + 30 : 20 + 80 * r + 50, 20 + 80 * c + 30 : 20 + 80 * c + 50]
            for r, c in CELLS
        ]
        return CELLS[int(np.argmin([middle.mean() for middle in middles]))].tolist()

    assert darkest(scene.render()) == [0, 0]
    for action in (2, 4, 4):
        scene.step(action)
    assert darkest(scene.render()) == [1, 2]
