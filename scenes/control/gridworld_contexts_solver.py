"""How well an agent can do in :mod:`scenes.control.gridworld_contexts`.

    python -m scenes.control.gridworld_contexts_solver [--layouts 1000] [--p 0.04] [--gust 0.7] [--switch 0.5] [--json]

==========  =========================================================================================================
yardstick   is the return of
==========  =========================================================================================================
oracle      the best agent that sees the latent: value iteration over (steps left, cell, latent), exact per layout
likeliest   an agent with the exact Bayes belief that acts as the oracle would under the likeliest latent
blind       the best plan for a world whose latent is drawn anew at every step, carried out in the true one; exact
random      uniformly random actions; exact
==========  =========================================================================================================

The best that an agent can do without seeing the latent lies between *likeliest* and *oracle*. It is not computed: what such
an agent may have seen of 40 latents over several sessions is too much for a table. Means are over random layouts, the same
for all agents, with their standard errors; *likeliest* is played, once in each.
"""

from __future__ import annotations

import argparse
import json
import sys

import numpy as np

from scenes.control.grid import N_CELLS, NEXT, read_view
from scenes.control.grid_arrays import GridArrays
from scenes.control.gridworld_contexts import REWARDS, STEP_REWARD, GridworldContexts
from scenes.control.latent_arrays import kernel_matrix
from scenes.errors import InputError
from scenes.session import Bernoulli, Drift

#: Layouts whose tables are held in memory at a time.
CHUNK = 100


class ContextsSolver:
    """Values of the agents in some layouts.

    Tables are (25, P, 40): of a cell, in a layout, under a latent.

    Args:
        scene: the law; its sessions end by a probability.
        starts: (P,) cells. goals: (P, 4) cells.

    Raises:
        InputError: sessions end otherwise.
    """

    def __init__(self, scene: GridworldContexts, starts: np.ndarray, goals: np.ndarray) -> None:
        if not isinstance(scene.sessions.termination, Bernoulli):
            raise InputError("termination", scene.sessions.termination, "a probability")
        self.scene, self.p, self.starts = scene, scene.sessions.termination.p, starts
        self.moves = NEXT[:, scene.first_move :]  # (25, A)
        self.kernel = kernel_matrix(scene.sessions.kernel, scene.latent_space).astype(np.float32)
        self.n_latents, self._all = len(self.kernel), np.arange(len(goals))
        n_winds = NEXT.shape[1]
        self.wind = np.arange(self.n_latents) % n_winds  # the last field of the space runs fastest
        pay = np.full((N_CELLS, len(goals), self.n_latents), STEP_REWARD, np.float32)
        for row, cells in enumerate(goals.T, start=1):
            pay[cells, self._all] = np.repeat(REWARDS[row], n_winds)
        self.pay = pay

    def reached(self, ahead: np.ndarray) -> np.ndarray:
        """Value of reaching a cell from the value of being about to move, one step later."""
        ended = ahead @ self.kernel.T
        if self.scene.reset_on_session_end:
            ended = ended[self.starts, self._all][None]
        return self.pay + (1 - self.p) * ahead + self.p * ended

    def blown(self, reached: np.ndarray) -> np.ndarray:
        """Value of stepping to a cell, before the wind pushes."""
        pushed = np.empty_like(reached)
        for wind in range(NEXT.shape[1]):
            pushed[:, :, self.wind == wind] = reached[NEXT[:, wind]][:, :, self.wind == wind]
        return self.scene.gust * pushed + (1 - self.scene.gust) * reached

    def _backward(self, average, keep: bool = False) -> tuple[np.ndarray, list[np.ndarray]]:
        """(P,) values at the start, where ``average`` turns the values of the actions (25, A, P, 40) into (25, P, 40).

        With ``keep`` also :meth:`blown` of every step, from the first on.
        """
        ahead, kept = np.zeros_like(self.pay), []
        for t in reversed(range(self.scene.episode_length)):
            stepped = self.blown(self.reached(ahead))
            ahead = average(stepped[self.moves], t)
            if keep:
                kept.append(stepped)
        return ahead[self.starts, self._all].mean(-1), kept[::-1]

    def oracle(self) -> np.ndarray:
        return self._backward(lambda values, t: values.max(1))[0]

    def random(self) -> np.ndarray:
        return self._backward(lambda values, t: values.mean(1))[0]

    def blind(self) -> np.ndarray:
        _, kept = self._backward(
            lambda values, t: np.broadcast_to(values.mean(-1, keepdims=True).max(1), self.pay.shape),
            keep=True,
        )
        plan = [
            stepped[self.moves].mean(-1).argmax(1)[:, None, :, None] for stepped in kept
        ]  # (25, 1, P, 1) each
        return self._backward(lambda values, t: np.take_along_axis(values, plan[t], 1)[:, 0])[0]

    def oracle_values(self) -> list[np.ndarray]:
        """Of every step (25, P, 40): the value of stepping to a cell for the oracle."""
        return self._backward(lambda values, t: values.max(1), keep=True)[1]


def yardsticks(
    scene: GridworldContexts, n_layouts: int = 1000, seed: int = 0
) -> dict[str, tuple[float, float]]:
    """Mean and standard error of every yardstick over random layouts."""
    found: dict[str, list[np.ndarray]] = {"oracle": [], "likeliest": [], "blind": [], "random": []}
    for first in range(0, n_layouts, CHUNK):
        n = min(CHUNK, n_layouts - first)
        arrays = GridArrays(scene, n, with_filter=True)
        now = arrays.reset(np.array([seed, first]))
        starts, goals = read_view(now.observation, scene.n_goals)
        solver = ContextsSolver(scene, starts, goals)
        found["oracle"].append(solver.oracle())
        found["blind"].append(solver.blind())
        found["random"].append(solver.random())
        found["likeliest"].append(play_likeliest(arrays, solver, starts))
    parts = {name: np.concatenate(values) for name, values in found.items()}
    return {name: (float(v.mean()), float(v.std() / np.sqrt(len(v)))) for name, v in parts.items()}


def play_likeliest(arrays: GridArrays, solver: ContextsSolver, cells: np.ndarray) -> np.ndarray:
    """(P,) returns of one episode of *likeliest* in every copy, just reset with the agents in ``cells``."""
    returns, everyone = np.zeros(arrays.n), np.arange(arrays.n)
    assert arrays.filter is not None
    for stepped in solver.oracle_values():
        likeliest = arrays.filter.p.argmax(1)
        actions = stepped[solver.moves[cells], everyone[:, None], likeliest[:, None]].argmax(
            1
        )  # (P, A) → (P,)
        now = arrays.step(actions[:, None])
        returns += now.reward
        cells, _ = read_view(now.observation, 0)
    return returns


def main(arguments: list[str] | None = None) -> int:
    """Print the yardsticks; 2 after a mistake in the arguments."""
    parser = argparse.ArgumentParser(prog="python -m scenes.control.gridworld_contexts_solver")
    parser.add_argument("--layouts", type=int, default=1000, help="random layouts")
    parser.add_argument("--p", type=float, default=0.04, help="probability that a session ends")
    parser.add_argument(
        "--switch", type=float, default=0.5, help="probability that a field is drawn afresh then"
    )
    parser.add_argument("--gust", type=float, default=0.7, help="probability that the wind pushes")
    parser.add_argument("--actions", type=int, default=5)
    parser.add_argument("--reset-on-session-end", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args(arguments)
    try:
        scene = GridworldContexts(
            termination=given.p,
            kernel=Drift(switch=given.switch),
            gust=given.gust,
            actions=given.actions,
            reset_on_session_end=given.reset_on_session_end,
        )
        if given.layouts < 2:
            raise InputError("--layouts", given.layouts, "2 or more")
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    found = yardsticks(scene, given.layouts)
    if given.json:
        print(json.dumps({"layouts": given.layouts, **{name: list(value) for name, value in found.items()}}))
    else:
        for name, (mean, spread) in found.items():
            print(f"{name:10s} {mean:7.2f} ± {spread:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
