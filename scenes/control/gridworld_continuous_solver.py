"""How well an agent can do in :mod:`scenes.control.gridworld_continuous`.

    python -m scenes.control.gridworld_continuous_solver [--p 0.05] [--scale 0.2] [--reach 1] [--noise 0.05] [--json]

The board is cut into ``--tiles`` × ``--tiles`` equal tiles. All spots in a tile are taken to be alike: to pay what they pay
on average, and to move to other tiles as they do on average.

==========  =========================================================================================================
yardstick   is the return of
==========  =========================================================================================================
oracle      the best agent that sees the spot: value iteration over (steps left, cell, tile)
likeliest   an agent with the exact Bayes belief over the tiles that acts as the oracle would in the likeliest one; played in
            the true world, with a standard error
blind       the best agent that does not attend to rewards: value iteration on the mean reward of each cell
random      uniformly random actions
==========  =========================================================================================================

The best that an agent can do without seeing the spot lies between *likeliest* and *oracle*. It is not computed: beliefs are
densities. All but *likeliest* are exact up to the tiling; see the tests for how little a finer one changes.
"""

from __future__ import annotations

import argparse
import json
import sys
from copy import copy

import numpy as np
from scipy.special import ndtr

from scenes.control.exact_filter import ExactFilter
from scenes.control.grid import N_CELLS, NEXT, SIZE, read_view
from scenes.control.grid_arrays import GridArrays
from scenes.control.gridworld_continuous import GridworldContinuous
from scenes.errors import InputError
from scenes.latent import ScalarField
from scenes.session import Alternate, Bernoulli, Drift, Kernel, Uniform

#: Points of a tile, as shares of its side, and their weights (Gauss and Legendre).
_NODES, _WEIGHTS = (np.polynomial.legendre.leggauss(3)[0] + 1) / 2, np.polynomial.legendre.leggauss(3)[1] / 2


def tile_matrix(kernel: Kernel, field: ScalarField, n: int) -> np.ndarray:
    """(n, n) probabilities that a scalar somewhere in a tile (row) moves into each of n equal tiles."""
    if isinstance(kernel, Uniform):
        return np.full((n, n), 1 / n)
    if isinstance(kernel, Alternate):
        return np.eye(n)[::-1]
    if not isinstance(kernel, Drift):
        raise InputError("kernel", type(kernel).__name__, "uniform, drift or alternate")
    span = field.high - field.low
    edges = np.linspace(0.0, span, n + 1)
    points = edges[:-1, None] + _NODES * span / n  # (n, nodes)
    matrix = np.zeros((n, n))
    # A reflected step ends in a tile when the free one ends in one of the tile's images.
    for shift in 2 * span * np.arange(-3, 4):
        for image in (edges + shift, shift - edges):
            reached = ndtr((image - points[:, :, None]) / (kernel.scale * span))  # (n, nodes, n + 1)
            matrix += np.abs(np.diff(reached, axis=2)).transpose(0, 2, 1) @ _WEIGHTS
    return matrix / matrix.sum(1, keepdims=True)


class ContinuousSolver:
    """Values of the agents that start in one cell.

    Tables are (25, G²): of a cell, with the spot in a tile.

    Args:
        scene: the law; its sessions end by a probability.
        start: the cell.
        n: G, tiles along each side; a multiple of 8, so that every spot of a tile has the same nearest cell.

    Raises:
        InputError: another number, termination or kernel.
    """

    def __init__(self, scene: GridworldContinuous, start: int, n: int = 24) -> None:
        if n < 8 or n % 8:
            raise InputError("tiles", n, "a multiple of 8")
        if not isinstance(scene.sessions.termination, Bernoulli):
            raise InputError("termination", scene.sessions.termination, "a probability")
        self.scene, self.p, self.start, self.n = copy(scene), scene.sessions.termination.p, start, n
        self.scene.start = start
        self.moves = NEXT[:, scene.first_move :]  # (25, A)
        row, column = (tile_matrix(scene.sessions.kernel, field, n) for field in scene.latent_space.fields)  # type: ignore[arg-type]
        self.row, self.column = row, column
        along = (np.arange(n)[:, None] + _NODES).ravel() * (SIZE - 1) / n  # (3 n,) rows or columns
        spots = np.stack(np.meshgrid(along, along, indexing="ij"), -1).reshape(-1, 2)
        every = [scene.mean_reward(np.full(len(spots), cell), spots) for cell in range(N_CELLS)]
        points = np.stack(every).reshape(N_CELLS, n, 3, n, 3)
        self.pay = np.einsum("crpsq,p,q->crs", points, _WEIGHTS, _WEIGHTS).reshape(N_CELLS, -1)

    def reached(self, ahead: np.ndarray) -> np.ndarray:
        """(25, G²) value of reaching a cell from that of being about to move, one step later."""
        square = ahead.reshape(N_CELLS, self.n, self.n)
        ended = (self.row @ square @ self.column.T).reshape(ahead.shape)
        if self.scene.reset_on_session_end:
            ended = ended[self.start]
        return self.pay + (1 - self.p) * ahead + self.p * ended

    def oracle(self) -> tuple[float, np.ndarray]:
        """Expected return, and (T, 25, G²) values of reaching a cell with t steps taken."""
        ahead, kept = np.zeros_like(self.pay), []
        for _ in range(self.scene.episode_length):
            kept.append(self.reached(ahead))
            ahead = kept[-1][self.moves].max(1)
        return float(ahead[self.start].mean()), np.stack(kept[::-1])

    def without_rewards(self, best: bool) -> float:
        """Expected return of the best agent that does not attend to rewards, or of random actions.

        The spot is uniform at the start, and the kernels keep it so: to such agents a cell pays its mean.
        """
        pay, ahead = self.pay.mean(1), np.zeros(N_CELLS)
        for _ in range(self.scene.episode_length):
            ended = ahead[self.start] if self.scene.reset_on_session_end else ahead
            values = (pay + (1 - self.p) * ahead + self.p * ended)[self.moves]
            ahead = values.max(1) if best else values.mean(1)
        return float(ahead[self.start])

    def play_likeliest(self, n_copies: int, seed: int = 0) -> tuple[float, float]:
        """Mean return and its standard error of *likeliest* in ``n_copies`` episodes."""
        scene, arrays = self.scene, GridArrays(self.scene, n_copies)
        belief = ExactFilter(np.kron(self.row, self.column), n_copies)
        now = arrays.reset(np.array([seed]))
        starts, _ = read_view(now.observation, 0)
        cells, returns = starts, np.zeros(n_copies)
        deviation = max(scene.noise, 0.02)  # of the reward over a tile, at least
        for reached in self.oracle()[1]:
            values = reached[self.moves[cells], belief.p.argmax(1)[:, None]]  # (N, A)
            actions = values.argmax(1)
            landed = self.moves[cells, actions]
            now = arrays.step(actions[:, None])
            returns += now.reward
            cells, _ = read_view(now.observation, 0)
            off = (now.reward[:, None] - self.pay[landed]) / deviation  # (N, G²)
            likelihood = np.exp(-0.5 * (off**2 - (off**2).min(1, keepdims=True)))
            # A return shows an end, except where the agent had reached the start by itself.
            shown = (landed != starts) if scene.reset_on_session_end else np.zeros(n_copies, bool)
            p_end = np.where(shown, now.ended, self.p)[:, None]
            belief.update((1 - p_end) * likelihood, p_end * likelihood)
        return float(returns.mean()), float(returns.std() / np.sqrt(n_copies))


#: A start for each kind of cell up to the board's symmetry, which the spots' law shares, and how many there are.
KINDS_OF_START = {0: 4, 1: 8, 2: 4, 6: 4, 7: 4, 12: 1}


def yardsticks(
    scene: GridworldContinuous, n: int = 24, n_copies: int = 200
) -> dict[str, tuple[float, float]]:
    """Mean and standard error (0 where exact up to the tiling) of every yardstick.

    Args:
        n: tiles along each side.
        n_copies: episodes that *likeliest* plays from each kind of start.
    """
    starts = KINDS_OF_START if scene.start is None else {scene.start: 1}
    found: dict[str, list[tuple[float, float]]] = {"oracle": [], "likeliest": [], "blind": [], "random": []}
    for start in starts:
        solver = ContinuousSolver(scene, start, n)
        found["oracle"].append((solver.oracle()[0], 0.0))
        found["likeliest"].append(solver.play_likeliest(n_copies))
        found["blind"].append((solver.without_rewards(best=True), 0.0))
        found["random"].append((solver.without_rewards(best=False), 0.0))
    weights = np.array(list(starts.values())) / sum(starts.values())
    table = {name: np.array(values) for name, values in found.items()}  # (starts, 2)
    return {
        name: (float(weights @ values[:, 0]), float(np.sqrt(weights**2 @ values[:, 1] ** 2)))
        for name, values in table.items()
    }


def main(arguments: list[str] | None = None) -> int:
    """Print the yardsticks; 2 after a mistake in the arguments."""
    parser = argparse.ArgumentParser(prog="python -m scenes.control.gridworld_continuous_solver")
    parser.add_argument("--p", type=float, default=0.05, help="probability that a session ends")
    parser.add_argument(
        "--scale", type=float, default=0.2, help="deviation of the drift, as a share of the board"
    )
    parser.add_argument("--reach", type=float, default=1.0, help="how far the spot is felt, in cells")
    parser.add_argument("--noise", type=float, default=0.05, help="deviation of the reward's noise")
    parser.add_argument("--actions", type=int, default=5)
    parser.add_argument("--reset-on-session-end", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--tiles", type=int, default=24, help="along each side of the board; a multiple of 8")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args(arguments)
    try:
        scene = GridworldContinuous(
            termination=given.p,
            kernel=Drift(scale=given.scale),
            reach=given.reach,
            noise=given.noise,
            actions=given.actions,
            reset_on_session_end=given.reset_on_session_end,
        )
        found = yardsticks(scene, given.tiles)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps({"tiles": given.tiles, **{name: list(value) for name, value in found.items()}}))
    else:
        for name, (mean, spread) in found.items():
            print(f"{name:10s} {mean:7.2f}" + (f" ± {spread:.2f}" if spread else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
