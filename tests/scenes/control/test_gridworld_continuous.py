"""A continuous context: the law of the reward and of the drift, objects as arrays, and the yardsticks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scenes.control.grid import CELLS, read_view
from scenes.control.grid_arrays import GridArrays
from scenes.control.gridworld_continuous import GridworldContinuous
from scenes.control.gridworld_continuous_solver import ContinuousSolver, main, tile_matrix, yardsticks
from scenes.errors import InputError
from scenes.latent import ScalarField
from scenes.session import Drift

N = 4000


def spots_of(latents: np.ndarray) -> np.ndarray:
    return (latents + 1) * 2


def test_a_cell_pays_by_its_distance_to_the_spot_in_both_forms():
    scene, rng = (
        GridworldContinuous(noise=0.0, reset_on_session_end=False, reach=1.3),
        np.random.default_rng(0),
    )
    arrays = GridArrays(scene, N)
    now = arrays.reset(np.arange(4))
    for _ in range(60):
        spots = spots_of(now.latent)
        now = arrays.step(rng.integers(5, size=(N, 1)))
        cells, _ = read_view(now.observation, 0)
        distance = np.hypot(*(CELLS[cells] - spots).T)
        assert now.reward == pytest.approx(-0.1 + 1.1 * np.exp(-(distance**2) / (2 * 1.3**2)), abs=1e-5)
    for seed in range(20):
        scene.reset(seed=seed)
        spot = np.array(list(scene.sessions.latent.values()))
        observation, reward, *_ = scene.step(int(rng.integers(5)))
        (cell,), _ = read_view(observation[None], 0)
        assert reward == pytest.approx(-0.1 + 1.1 * np.exp(-((CELLS[cell] - spot) ** 2).sum() / (2 * 1.3**2)))


def test_the_noise_has_its_deviation_and_no_mean():
    scene = GridworldContinuous(noise=0.2, termination=0.0)
    arrays = GridArrays(scene, N)
    now, off = arrays.reset(np.arange(4)), []
    for _ in range(20):
        now = arrays.step(np.zeros((N, 1)))
        cells, _ = read_view(now.observation, 0)
        off.append(now.reward - scene.mean_reward(cells, spots_of(now.latent)))
    assert np.std(off) == pytest.approx(0.2, rel=0.02)
    assert np.mean(off) == pytest.approx(0.0, abs=0.004)


def test_spots_start_anywhere_and_drift_by_a_reflected_step():
    scene = GridworldContinuous(termination=1.0, episode_length=3)
    arrays = GridArrays(scene, 40_000)
    first = spots_of(arrays.reset(np.arange(4)).latent.copy())
    second = spots_of(arrays.step(np.zeros((40_000, 1))).latent.copy())
    for spots in (first, second):  # uniform stays uniform
        assert np.histogram(spots[:, 0], 8, (0, 4))[0] == pytest.approx(5000, abs=5 * np.sqrt(5000))
        assert ((spots >= 0) & (spots <= 4)).all()
    middle = np.abs(first[:, 0] - 2) < 0.3  # far from both edges
    assert (second - first)[middle, 0].std() == pytest.approx(0.8, rel=0.05)
    process, rng = scene.sessions, np.random.default_rng(0)
    drawn = [
        process.kernel.draw({"row": 0.5, "column": 2.0}, scene.latent_space, rng)["row"] for _ in range(8000)
    ]
    near = np.abs(first[:, 0] - 0.5) < 0.1
    assert np.mean(drawn) == pytest.approx(second[near, 0].mean(), abs=0.05)
    assert np.std(drawn) == pytest.approx(second[near, 0].std(), abs=0.05)


def test_what_is_seen_does_not_depend_on_the_spot():
    seen = []
    for row in (0.0, 4.0):
        scene = GridworldContinuous(termination=0.0)
        scene.reset(seed=1, options={"latent": {"row": row, "column": 1.0}})
        seen.append([scene.step(a % 5)[0].tobytes() for a in range(20)])
    assert seen[0] == seen[1]


# ------------------------------------------------------------------------------------------------ yardsticks
def test_the_matrix_of_tiles_is_the_drift():
    field, kernel, rng = ScalarField("row", "", 0.0, 4.0, ""), Drift(scale=0.2), np.random.default_rng(0)
    matrix = tile_matrix(kernel, field, 8)
    assert matrix.sum(0) == pytest.approx(1.0)  # uniform stays uniform
    space = GridworldContinuous().latent_space
    for tile in (0, 3):
        starts = rng.uniform(tile / 2, tile / 2 + 0.5, 6000)
        ends = [kernel.draw({"row": start, "column": 0.0}, space, rng)["row"] for start in starts]
        shares = np.histogram(ends, 8, (0, 4))[0] / 6000
        assert shares == pytest.approx(matrix[tile], abs=5 * np.sqrt(0.25 / 6000))


def test_a_finer_tiling_changes_little():
    scene = GridworldContinuous()
    oracle = [ContinuousSolver(scene, 0, n).oracle()[0] for n in (8, 24, 40)]
    assert abs(oracle[1] - oracle[2]) < 0.01
    assert abs(oracle[0] - oracle[2]) < 0.1


def test_the_solver_is_right_where_the_answer_is_plain():
    """Felt all over the board, every cell pays 1; a spot that never moves pays an oracle its cell from arrival on."""
    everywhere = yardsticks(GridworldContinuous(reach=1000.0, start=[2, 2]), 8, 5)
    assert [everywhere[name][0] for name in ("oracle", "blind", "random")] == pytest.approx(
        [60.0] * 3, abs=0.01
    )
    scene = GridworldContinuous(termination=0.0, start="corner")
    rng = np.random.default_rng(0)
    spots = rng.uniform(0, 4, (20_000, 2))
    nearest = np.rint(spots).astype(int)
    steps = nearest.sum(1)
    last = scene.mean_reward(nearest @ (5, 1), spots)
    # The way there pays too: at most as much as the cell itself, at least −0.1 a step.
    best, worst = 60 * last, (60 - np.maximum(steps - 1, 0)) * last - 0.1 * np.maximum(steps - 1, 0)
    oracle = ContinuousSolver(scene, 0, 24).oracle()[0]
    assert worst.mean() < oracle < best.mean()


def test_yardsticks_are_in_order_and_random_is_what_random_earns():
    scene = GridworldContinuous()
    found = {name: value for name, (value, _) in yardsticks(scene, 16, 40).items()}
    assert found["random"] < found["blind"] < found["likeliest"] < found["oracle"]
    arrays, rng, returns = GridArrays(scene, 20_000), np.random.default_rng(0), 0.0
    arrays.reset(np.arange(4))
    for _ in range(60):
        returns += arrays.step(rng.integers(5, size=(20_000, 1))).reward.mean()
    assert returns == pytest.approx(found["random"], abs=0.3)


def test_the_oracle_earns_in_play_what_the_solver_says():
    scene = GridworldContinuous(start=[2, 1])
    solver = ContinuousSolver(scene, 11, 24)
    value, reached = solver.oracle()
    arrays, returns = GridArrays(scene, N), np.zeros(N)
    now = arrays.reset(np.arange(4))
    for table in reached:
        tile = np.minimum(spots_of(now.latent) * 6, 23).astype(int) @ (24, 1)
        cells, _ = read_view(now.observation, 0)
        actions = table[solver.moves[cells], tile[:, None]].argmax(1)
        now = arrays.step(actions[:, None])
        returns += now.reward
    assert returns.mean() == pytest.approx(value, abs=4 * returns.std() / np.sqrt(N))


def test_the_command_prints_one_object_and_a_mistake_is_one_line(capsys):
    assert main(["--tiles", "8", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"tiles", "oracle", "likeliest", "blind", "random"}
    for arguments, message in (["--tiles", "9"], "tiles: got 9"), (["--reach", "0"], "reach: got 0.0"):
        assert main(arguments) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "options", [{"reach": 0}, {"reach": "far"}, {"noise": -1}, {"noise": True}, {"start": [5, 0]}]
)
def test_a_wrong_option_is_refused_in_one_line(options):
    with pytest.raises(InputError, match=f"{next(iter(options))}: got"):
        GridworldContinuous(**options)
