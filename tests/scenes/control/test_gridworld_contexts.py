"""Four contexts at once: the law of rewards and wind, that each field matters, the exact belief, and the yardsticks."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from scenes.control.grid import CELLS, MOVES, read_view
from scenes.control.grid_arrays import GridArrays
from scenes.control.gridworld_contexts import GOALS, GridworldContexts
from scenes.control.gridworld_contexts_solver import ContextsSolver, main, yardsticks
from scenes.control.latent_arrays import (
    all_values,
    kernel_matrix,
    next_values,
    to_latents,
    to_values,
    to_vectors,
)
from scenes.errors import InputError
from scenes.session import Alternate, Drift, Uniform

N = 3000


def expected_reward(cell: int, goals: np.ndarray, latent: dict) -> float:
    """The class docstring's table, in words."""
    if cell not in goals:
        return -0.1
    shape, colour = GOALS[goals.tolist().index(cell)]
    if shape != latent["goal"]:
        return 0.0
    if colour != latent["colours"]:
        return 0.4
    return 1.0 if latent["object"] == "prize" else -1.0


@pytest.mark.parametrize(("gust", "reset"), [(1.0, False), (0.7, True), (0.0, True)])
def test_objects_and_arrays_pay_and_blow_as_the_table_says(gust, reset):
    scene = GridworldContexts(gust=gust, reset_on_session_end=reset, termination=0.1)
    rng, pushed = np.random.default_rng(0), []

    def check(cell, action, latent, goals, reward, reached, ended, start):
        """One step; where a gust is drawn, only that it is one of the two outcomes."""
        stepped = np.clip(CELLS[cell] + MOVES[action], 0, 4)
        wind = MOVES[("none", "up", "down", "left", "right").index(latent["wind"])]
        blown = int(np.clip(stepped + wind, 0, 4) @ (5, 1))
        outcomes = [outcome for outcome, p in ((blown, gust), (int(stepped @ (5, 1)), 1 - gust)) if p > 0]
        if ended and reset:
            assert reached == start
            assert any(reward == pytest.approx(expected_reward(to, goals, latent)) for to in outcomes)
            return
        assert reached in outcomes
        assert reward == pytest.approx(expected_reward(reached, goals, latent))
        if len(set(outcomes)) == 2:
            pushed.append(reached == blown)

    for episode in range(12):
        observation, _ = scene.reset(seed=episode)
        (cell,), (goals,) = read_view(observation[None], 4)
        start, truncated = cell, False
        while not truncated:
            latent, action = scene.sessions.latent, int(rng.integers(5))
            observation, reward, _, truncated, info = scene.step(action)
            (reached,), _ = read_view(observation[None], 4)
            check(cell, action, latent, goals, reward, reached, info["session_ended"], start)
            cell = reached
    arrays = GridArrays(scene, 60)
    now = arrays.reset(np.arange(4))
    starts, goals = read_view(now.observation, 4)
    for _ in range(60):
        cells, _ = read_view(now.observation, 4)
        latents = [scene.latent_space.from_vector(row) for row in now.latent]
        actions = rng.integers(5, size=60)
        now = arrays.step(actions[:, None])
        reached, _ = read_view(now.observation, 4)
        for i, latent in enumerate(latents):
            check(cells[i], actions[i], latent, goals[i], now.reward[i], reached[i], now.ended[i], starts[i])
    if 0.0 < gust < 1.0:
        assert np.mean(pushed) == pytest.approx(gust, abs=4 * np.sqrt(gust * (1 - gust) / len(pushed)))


def test_an_oracle_is_told_the_best_goal_and_the_wind():
    scene = GridworldContexts()
    space = scene.latent_space
    latents = to_latents(space, all_values(space))
    told = scene.privileged_features(to_vectors(space, all_values(space)))
    for latent, features in zip(latents, told, strict=True):
        pays = [expected_reward(cell, np.arange(4), latent) for cell in range(4)]
        assert features[:4].tolist() == [float(number == np.argmax(pays)) for number in range(4)]
        assert features[4:].tolist() == space["wind"].to_vector(latent["wind"]).tolist()
        scene.reset(seed=0, options={"latent": latent})
        assert np.array_equal(scene.privileged().features, features)


def test_each_field_is_drawn_afresh_half_of_the_time_and_on_its_own():
    arrays = GridArrays(GridworldContexts(termination=1.0, episode_length=2), 40_000)
    before = arrays.reset(np.arange(4)).latent.copy()
    after = arrays.step(np.zeros((40_000, 1))).latent
    same = np.stack(
        [(before[:, a:b] == after[:, a:b]).all(1) for a, b in ((0, 2), (2, 4), (4, 6), (6, 11))], 1
    )
    assert same.mean(0) == pytest.approx([0.75, 0.75, 0.75, 0.6], abs=0.01)
    assert np.corrcoef(same.T)[np.triu_indices(4, 1)] == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("kernel", [Uniform(), Drift(switch=0.3), Alternate()])
def test_matrix_draws_in_arrays_and_draws_of_the_session_agree(kernel):
    """The same kernel in three forms, from every one of the 40 latents."""
    space, rng = GridworldContexts().latent_space, np.random.default_rng(0)
    values, matrix = all_values(space), kernel_matrix(kernel, space)
    assert matrix.sum(1) == pytest.approx(1.0)
    assert len({tuple(row) for row in to_vectors(space, values).tolist()}) == 40
    for m in (0, 17, 39):
        (latent,) = to_latents(space, values[m : m + 1])
        assert np.array_equal(to_values(space, latent), values[m])
        drawn = next_values(kernel, space, np.tile(values[m], (20_000, 1)), rng)
        objects = [to_values(space, kernel.draw(latent, space, rng)) for _ in range(4000)]
        for sample in (drawn, np.array(objects)):
            numbers = sample.astype(int) @ (20, 10, 5, 1)
            shares = np.bincount(numbers, minlength=40) / len(numbers)
            assert shares == pytest.approx(matrix[m], abs=5 * np.sqrt(0.25 / len(numbers)))


@pytest.mark.parametrize("field", ["goal", "colours", "object", "wind"])
def test_acting_on_a_wrong_value_of_any_one_field_costs(field):
    """The oracle's actions with one field mistaken for its next choice: each costs at least 4 of its 23.5."""
    scene = GridworldContexts()
    starts, goals = read_view(GridArrays(scene, 60).reset(np.arange(4)).observation, 4)
    solver = ContextsSolver(scene, starts, goals)
    kept = solver.oracle_values()
    values = all_values(scene.latent_space).astype(int)
    f = scene.latent_space.names.index(field)
    mistaken = values.copy()
    mistaken[:, f] = (mistaken[:, f] + 1) % scene.latent_space.fields[f].size
    taken_for = mistaken @ (20, 10, 5, 1)
    plan = [stepped[solver.moves].argmax(1)[:, None][..., taken_for] for stepped in kept]
    value = solver._backward(lambda values, t: np.take_along_axis(values, plan[t], 1)[:, 0])[0]
    assert solver.oracle().mean() - value.mean() > 4.0


def test_the_exact_belief_is_calibrated_in_every_field():
    scene = GridworldContexts(exact_belief=True)
    arrays, rng, said, true = GridArrays(scene, N), np.random.default_rng(0), [], []
    now = arrays.reset(np.arange(4))
    numbers = all_values(scene.latent_space).astype(int)
    for _ in range(60):
        now = arrays.step(rng.integers(5, size=(N, 1)))
        said.append(now.observation[:, 82:].copy())
        true.append(now.latent.copy())
    said, true = np.array(said), np.array(true)  # (T, N, 40), (T, N, 11)
    assert said.sum(-1) == pytest.approx(1.0, abs=1e-5)
    first = 0
    for f, field in enumerate(scene.latent_space.fields):
        for choice in range(field.size):
            p = said[..., numbers[:, f] == choice].sum(-1)
            is_so = true[..., first + choice]
            assert p.std() > 0.05
            for low in np.arange(0.0, 1.0, 0.1):
                inside = (p >= low) & (p < low + 0.1)
                off = ((is_so - p) * inside).sum(0)
                assert abs(off.sum()) < 4.5 * np.sqrt((off**2).sum()) + 1e-2
        first += field.size


def belief_by_hand(scene: GridworldContexts, seed: int, actions: list[int]) -> list[np.ndarray]:
    """(40,) after each step, by summing over every course of wind, ends and latents that fits what was seen."""
    space = scene.latent_space
    values, matrix = all_values(space).astype(int), kernel_matrix(scene.sessions.kernel, space)
    latents, p, found = to_latents(space, values), scene.sessions.termination.p, []
    observation, _ = scene.reset(seed=seed)
    (cell,), (goals,) = read_view(observation[None], 4)
    start, belief = cell, np.full(40, 1 / 40)
    for action in actions:
        observation, reward, *_ = scene.step(action)
        (seen,), _ = read_view(observation[None], 4)
        later = np.zeros(40)
        for m, latent in enumerate(latents):
            stepped = np.clip(CELLS[cell] + MOVES[action], 0, 4)
            blown = np.clip(stepped + MOVES[values[m, 3]], 0, 4)
            for to, p_wind in ((int(blown @ (5, 1)), scene.gust), (int(stepped @ (5, 1)), 1 - scene.gust)):
                if abs(expected_reward(to, goals, latent) - reward) > 1e-4:
                    continue
                weight = belief[m] * p_wind
                if to == seen:
                    later[m] += weight * (1 - p)
                if seen == (start if scene.reset_on_session_end else to):
                    later += weight * p * matrix[m]
        belief, cell = later / later.sum(), seen
        found.append(belief)
    return found


@pytest.mark.parametrize("options", [{}, {"reset_on_session_end": False}, {"gust": 1.0, "start": [2, 2]}])
def test_the_exact_belief_is_bayes_rule(options):
    """Also where a return to the start hides how far the wind had blown the agent."""
    options = {"termination": 0.15, **options}
    for seed in range(3):
        actions = np.random.default_rng(seed).integers(5, size=60).tolist()
        expected = belief_by_hand(GridworldContexts(**options), seed, actions)
        scene = GridworldContexts(**options, exact_belief=True)
        scene.reset(seed=seed)
        for action, belief in zip(actions, expected, strict=True):
            assert scene.step(action)[0][82:] == pytest.approx(belief, abs=1e-6)


def test_every_field_can_be_told_from_what_is_felt():
    """Walking about, the exact belief in each field's true value rises well above its share of the choices."""
    scene = GridworldContexts(exact_belief=True, termination=0.0)
    arrays, rng = GridArrays(scene, 500), np.random.default_rng(0)
    now = arrays.reset(np.arange(4))
    for _ in range(60):
        now = arrays.step(rng.integers(5, size=(500, 1)))
    numbers, first = all_values(scene.latent_space).astype(int), 0
    for f, field in enumerate(scene.latent_space.fields):
        true = now.latent[:, first : first + field.size].argmax(1)
        p = (now.observation[:, 82:] * (numbers[:, f] == true[:, None])).sum(1)
        assert p.mean() > 1 / field.size + 0.15
        first += field.size


# ------------------------------------------------------------------------------------------------ yardsticks
def test_the_oracle_equals_every_course_written_out():
    """Three steps with the wind drawn at each: expectimax over all outcomes, from the docstring's rules alone."""
    scene = GridworldContexts(
        episode_length=3, termination=0.3, start=[1, 1], goals=[[1, 2], [2, 1], [0, 1], [2, 2]], gust=0.6
    )
    goals, space = np.array(scene.goals), scene.latent_space
    values = all_values(space)
    latents = to_latents(space, values)
    matrix = kernel_matrix(scene.sessions.kernel, space)
    rewards = np.array([[expected_reward(c, goals, m) for m in latents] for c in range(25)])
    ahead = np.zeros((25, 40))
    for _ in range(3):
        now = np.zeros((25, 40))
        for cell, m in itertools.product(range(25), range(40)):
            options = []
            for move in MOVES:
                stepped = np.clip(CELLS[cell] + move, 0, 4)
                blown = np.clip(stepped + MOVES[int(values[m, 3])], 0, 4)
                total = 0.0
                for to, p in ((int(blown @ (5, 1)), 0.6), (int(stepped @ (5, 1)), 0.4)):
                    total += p * (rewards[to, m] + 0.7 * ahead[to, m] + 0.3 * matrix[m] @ ahead[6])
                options.append(total)
            now[cell, m] = max(options)
        ahead = now
    solver = ContextsSolver(scene, np.array([6]), goals[None])
    assert solver.oracle()[0] == pytest.approx(ahead[6].mean(), abs=1e-4)


def test_yardsticks_are_in_order_and_random_is_what_random_earns():
    scene = GridworldContexts()
    found = yardsticks(scene, 100)
    mean = {name: value for name, (value, _) in found.items()}
    assert mean["random"] < mean["blind"] < mean["likeliest"] < mean["oracle"]
    arrays, rng, returns = GridArrays(scene, 20_000), np.random.default_rng(0), 0.0
    arrays.reset(np.arange(4))
    for _ in range(60):
        returns += arrays.step(rng.integers(5, size=(20_000, 1))).reward.mean()
    assert returns == pytest.approx(mean["random"], abs=4 * found["random"][1] + 0.1)


def test_the_command_prints_one_object_and_a_mistake_is_one_line(capsys):
    assert main(["--layouts", "4", "--p", "0.1", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"layouts", "oracle", "likeliest", "blind", "random"}
    assert main(["--gust", "2"]) == 2
    assert capsys.readouterr().err == "error: gust: got 2.0; allowed: a probability from 0 to 1\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gust": True}, "gust: got True"),
        ({"goals": [[1, 1], [2, 2]]}, "4 cells"),
        ({"kernel": "swap"}, "kernel"),
    ],
)
def test_a_wrong_option_is_refused_in_one_line(options, message):
    with pytest.raises(InputError, match=message):
        GridworldContexts(**options)
