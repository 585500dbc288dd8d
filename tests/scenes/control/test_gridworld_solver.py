"""The yardsticks of the gridworld: against METHOD's numbers, against every history written out, and against play."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from scenes.control import gridworld_solver
from scenes.control.grid import DISTANCE, NEXT
from scenes.control.grid_arrays import GridArrays
from scenes.control.gridworld import Gridworld, GridworldStay
from scenes.control.gridworld_solver import Beliefs, GridworldSolver, Problems, bounds, main
from scenes.session import FixedLength


def test_the_yardsticks_of_the_method():
    """METHOD's table, ± 0.2."""
    expected = {
        Gridworld(): {"bayes": 43.2, "oracle": 44.5, "react": 38.5, "stuck": 26.7, "random": -3.6},
        GridworldStay(): {"bayes": 46.1, "oracle": 50.8, "stuck": 32.6, "random": -3.1},
        GridworldStay(actions=4): {"bayes": 36.8, "oracle": 41.1, "stuck": 25.7, "random": -3.1},
    }
    for scene, table in expected.items():
        found = bounds(scene)
        assert {name: found[name] for name in table} == pytest.approx(table, abs=0.2)
        if isinstance(scene, GridworldStay):
            assert found["bayes"] - found["react"] < 0.4  # there the latent's dynamics buy nothing


# ------------------------------------------------------------------------------------------------ every history
def best_return(scene: Gridworld, told: bool = False) -> float:
    """Bayes-optimal return by expectimax over all that an agent may see; nothing is known of beliefs but Bayes' rule.

    Args:
        scene: with fixed start and goals.
        told: the agent is told of every end of a session.
    """
    start, goals = scene.start, scene.goals
    swap, last = scene.sessions.kernel.p, scene.episode_length

    @cache
    def value(cell: int, weights: tuple[float, float], t: int) -> float:
        if t == last:
            return 0.0
        termination = scene.sessions.termination
        p = (
            float((t + 1) % termination.length == 0)
            if isinstance(termination, FixedLength)
            else termination.p
        )
        best = -np.inf
        for to in NEXT[cell, scene.first_move :]:
            gain, seen = 0.0, {}
            for m, weight in enumerate(weights):
                reward = -0.1 if to not in goals else float(to == goals[m])
                gain += weight * reward
                for ended, p_d in ((False, 1 - p), (True, p)):
                    at = start if ended and scene.reset_on_session_end else int(to)
                    for swapped, p_m in ((False, 1 - swap), (True, swap)) if ended else ((False, 1.0),):
                        seen.setdefault((reward, at, ended and told), [0.0, 0.0])[m ^ swapped] += (
                            weight * p_d * p_m
                        )
            for (_, at, _), joint in seen.items():
                mass = sum(joint)
                if mass > 0:
                    gain += mass * value(at, tuple(round(w / mass, 12) for w in joint), t + 1)
            best = max(best, gain)
        return best

    return value(start, (0.5, 0.5), 0)


LAWS = {
    "return": {},
    "return, unseen ends": {"start": [2, 2], "goals": [[2, 1], [2, 3]], "termination": 0.3},
    "return, unseen ends, four actions": {"start": [0, 2], "goals": [[0, 1], [0, 3]], "termination": 0.4, "actions": 4},
    "stay": {"reset_on_session_end": False},
    "stay, p 0.5": {"reset_on_session_end": False, "termination": 0.5, "swap": 0.9},
    "always swaps": {"reset_on_session_end": False, "termination": 0.3, "swap": 1.0},
    "never swaps": {"swap": 0.0, "termination": 0.3},
    "forgets": {"swap": 0.5, "termination": 0.3},
    "p 0": {"termination": 0.0},
    "p 1, return": {"termination": 1.0},
    "p 1, stay": {"termination": 1.0, "reset_on_session_end": False},
    "p 1, swaps always": {"termination": 1.0, "swap": 1.0, "reset_on_session_end": False},
    "fixed length, return": {"termination": FixedLength(3)},
    "fixed length, stay": {"termination": FixedLength(2), "reset_on_session_end": False},
}  # fmt: skip


@pytest.mark.parametrize("law", LAWS)
def test_beliefs_in_a_table_equal_every_history_written_out(law):
    options = {"goals": [[0, 2], [1, 1]], "episode_length": 7, **LAWS[law]}
    scene = Gridworld(**options)
    solver = GridworldSolver(scene)
    table, _ = solver.bayes()
    assert table[scene.start, 0] == pytest.approx(best_return(scene), abs=1e-6)


def test_unseen_ends_matter_to_an_agent_between_its_goals():
    """So the test above would see a solver that takes them for seen."""
    scene = Gridworld(**LAWS["return, unseen ends"], episode_length=7)
    assert best_return(scene, told=True) > best_return(scene) + 0.01


@pytest.mark.parametrize(
    "options",
    [
        {"goals": [[0, 3], [4, 4]]},
        {"goals": [[1, 2], [3, 0]], "termination": 0.2},
        {"goals": [[2, 0], [2, 3]], "start": [2, 2], "swap": 0.95},
    ],
)
def test_a_finer_table_changes_nothing(options, monkeypatch):
    coarse = bounds(Gridworld(**options))["bayes"]
    monkeypatch.setattr(gridworld_solver, "UNSEEN_AT_START", 3)
    monkeypatch.setattr(gridworld_solver, "SMALLEST_X", 1e-5)
    assert bounds(Gridworld(**options))["bayes"] == pytest.approx(coarse, abs=1e-6)


# ------------------------------------------------------------------------------------------------ play
N = 20_000


def play(scene: Gridworld, agent) -> tuple[float, float]:
    """Mean return of ``agent.act(t, cells, now)``, and its standard error."""
    arrays = GridArrays(scene, N)
    now, returns = arrays.reset(np.zeros(4, int)), np.zeros(N)
    for t in range(scene.episode_length):
        cells = now.hot[:, 0] * 5 + now.hot[:, 1] - 5
        now = arrays.step(agent.act(t, cells, now)[:, None])
        returns += now.reward
    return returns.mean(), returns.std() / np.sqrt(N)


class Planned:
    """Looks its actions up in what the solver kept for one pair of goals, by the exact belief or by the truth."""

    def __init__(self, solver: GridworldSolver, sees_truth: bool) -> None:
        self.sees_truth, self.beliefs = sees_truth, solver.beliefs
        solve = solver.oracle if sees_truth else solver.bayes
        values, self.actions = solve(keep_actions=True)
        self.value = solver.problems.mean(values)

    def act(self, t, cells, now):
        if self.sees_truth:
            return self.actions[t, cells, 0, now.latent[:, 1].astype(int)]
        return self.actions[t, cells, 0, self.beliefs.index(now.observation[:, 46].astype(float))]


class Habit:
    """Heads for the nearest goal, then for the other where one did not pay; ``turns`` also after one has paid."""

    def __init__(self, scene: Gridworld, turns: bool) -> None:
        self.first_move, self.turns, self.rng = scene.first_move, turns, np.random.default_rng(1)

    def act(self, t, cells, now):
        if t == 0:
            offsets = now.hot[:, 2:].reshape(N, 2, 2) - np.array([[10, 19], [28, 37]]) - 4
            self.goals = cells[:, None] + offsets @ (5, 1)
            distance = DISTANCE[cells[:, None], self.goals]
            self.target = (distance + self.rng.random((N, 2)) / 2).argmin(1)
            self.settled = np.zeros(N, bool)
        else:
            self._learn(now.reward == 1.0)
        target = np.take_along_axis(self.goals, self.target[:, None], 1)
        leads = DISTANCE[NEXT[cells, self.first_move :], target]  # (N, A)
        action = (leads + self.rng.random(leads.shape) / 2).argmin(1)
        self.reached = NEXT[cells, action + self.first_move]
        return action

    def _learn(self, paid):
        free = ~self.settled | self.turns
        for goal in range(2):
            on = free & (self.reached == self.goals[:, goal])
            self.target = np.where(on, np.where(paid, goal, 1 - goal), self.target)
            self.settled |= on & paid


class Random:
    def __init__(self, scene: Gridworld) -> None:
        self.n, self.rng = int(scene.action_space.n), np.random.default_rng(2)

    def act(self, t, cells, now):
        return self.rng.integers(self.n, size=N)


@pytest.mark.parametrize("sees_truth", [False, True])
@pytest.mark.parametrize(
    "scene",
    [
        Gridworld(goals=[[0, 4], [3, 1]], exact_belief=True),
        Gridworld(goals=[[2, 0], [2, 3]], start=[2, 2], termination=0.2, exact_belief=True),
        GridworldStay(goals=[[0, 4], [3, 1]], exact_belief=True),
        GridworldStay(goals=[[1, 1], [2, 3]], actions=4, termination=0.5, exact_belief=True),
        GridworldStay(goals=[[1, 1], [2, 3]], termination=FixedLength(9), exact_belief=True),
    ],
)
def test_the_best_agents_earn_in_play_what_the_solver_says(scene, sees_truth):
    """The solver's actions on the scene's own exact belief: agreement within 4 standard errors, which are below 0.15."""
    agent = Planned(GridworldSolver(scene), sees_truth)
    mean, error = play(scene, agent)
    assert error < 0.15
    assert mean == pytest.approx(agent.value, abs=4 * error)


@pytest.mark.parametrize("scene", [Gridworld(), GridworldStay(), GridworldStay(actions=4)])
def test_simple_agents_earn_in_play_what_the_solver_says(scene):
    """Goals and starts drawn by the scene: agreement within 4 standard errors, which are below 0.12."""
    expected = bounds(scene)
    for name, agent in {
        "random": Random(scene),
        "react": Habit(scene, True),
        "stuck": Habit(scene, False),
    }.items():
        mean, error = play(scene, agent)
        assert error < 0.12
        assert mean == pytest.approx(expected[name], abs=4 * error)


# ------------------------------------------------------------------------------------------------ sense
@pytest.mark.parametrize("cls", [Gridworld, GridworldStay])
@pytest.mark.parametrize("p", [0.0, 0.02, 0.2, 0.5, 1.0])
def test_yardsticks_are_in_order_whatever_p(cls, p):
    found = bounds(cls(termination=p))
    assert found["random"] < min(found["react"], found["stuck"])
    assert max(found["react"], found["stuck"]) <= found["bayes"] + 1e-9 <= found["oracle"] + 2e-9


def test_without_ends_all_that_search_are_alike():
    found = bounds(Gridworld(termination=0.0))
    assert found["react"] == pytest.approx(found["bayes"])
    assert found["stuck"] == pytest.approx(found["bayes"])


def test_a_kernel_is_its_probability_of_swapping():
    goals = [[0, 3], [4, 4]]
    for swap, kernel in (0.5, "uniform"), (1.0, "alternate"), (0.15, {"name": "drift", "switch": 0.3}):
        one, other = Gridworld(swap=swap, goals=goals), Gridworld(kernel=kernel, goals=goals)
        assert bounds(one) == pytest.approx(bounds(other))


def test_symmetry_saves_work_and_changes_nothing():
    scene = Gridworld(termination=0.2, episode_length=12)
    problems = Problems.of(scene)
    assert len(problems.goals) == 146 < 276
    assert problems.weights.sum() == pytest.approx(1.0)
    pairs = [(a, b) for a in range(1, 25) for b in range(a + 1, 25)]
    goals = [[list(divmod(cell, 5)) for cell in pair] for pair in pairs[::9]]
    one_by_one = {}
    for pair in goals:
        solver = GridworldSolver(Gridworld(termination=0.2, episode_length=12, goals=pair))
        one_by_one[str(pair)] = solver.problems.mean(solver.bayes()[0])
        mirrored = [cell[::-1] for cell in pair]
        solver = GridworldSolver(Gridworld(termination=0.2, episode_length=12, goals=mirrored))
        assert solver.problems.mean(solver.bayes()[0]) == pytest.approx(one_by_one[str(pair)])


def test_beliefs_that_only_alternate_are_two():
    assert Beliefs(None, [-1.0], 60).x.tolist() == [-1.0, 0.0, 1.0]
    assert Beliefs(1.0, [1.0], 60).x.tolist() == [-1.0, 0.0, 1.0]


def test_the_command_prints_one_object(capsys):
    assert main(["--scene", "gridworld", "--actions", "5", "--p", "0.07", "1", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["yardsticks"]
    assert [row["p"] for row in rows] == [0.07, 1.0]
    assert rows[0]["bayes"] == pytest.approx(43.159, abs=1e-3)


def test_a_mistake_is_one_line(capsys):
    assert main(["--swap", "1.2"]) == 2
    assert "swap: got 1.2" in capsys.readouterr().err
