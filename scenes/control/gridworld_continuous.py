"""Gridworld with a continuous context: a hidden spot anywhere on the board, felt by how much a cell pays.

The gridworld of DynaMITE-RL (arXiv 2402.15957, section 5.1) hides one of two cells. Here the latent is a point of the plane
that drifts from session to session, so that a belief has a mean and a width, and the last session says where to look next.
"""

from __future__ import annotations

import numpy as np

from scenes.control.grid import CELLS, SIZE
from scenes.control.grid_picture import GREEN, Mark
from scenes.control.grid_scene import GridOptions, GridScene
from scenes.errors import InputError
from scenes.latent import LatentSpace, ScalarField
from scenes.session import Drift, Kernel, Termination

STEP_REWARD, SPOT_REWARD = -0.1, 1.0


class GridworldContinuous(GridScene):
    """A hidden spot on the board; a cell pays the more the nearer it lies.

    **Action** Discrete(5): stay, up, down, left, right; with ``actions=4`` without staying.
    **Observation** (10,) float32, one-hot: row, column (5 + 5). Nothing of the spot is in view.

    **Latent** ``row`` and ``column`` of the spot, each from 0 to 4, cells having their centres at whole numbers.
    **Reward** −0.1 + 1.1 exp(−d² / (2 reach²)) + noise, d being the distance from the cell reached to the spot in cells:
    1 on the spot, 0.57 one cell and 0.05 two cells off, −0.1 far away; the noise is Gaussian with deviation 0.05.
    **Sessions** end with p = 0.05 per step; then row and column take a Gaussian step of deviation 0.8 cells, reflected at
    the edge. **Start** in any cell; when a session ends the agent returns to where it started. **Episode**: 60 steps.
    **Success**: the cell nearest to the spot was reached at least once.

    ========================  ===============================  =============  ==============================================
    option                    allowed                          default        meaning
    ========================  ===============================  =============  ==============================================
    ``reach``                 above 0                          1              how far the spot is felt, in cells
    ``noise``                 0 or more                        0.05           deviation of the reward's noise
    ``actions``               4, 5                             5              with 4 an agent cannot stay
    ``start``                 corner, random, [row, column]    random         where an episode starts
    ``reset_on_session_end``  true, false                      true           a new session starts where the episode started
    ``termination``           p from 0 to 1, or a Termination  0.05           when sessions end
    ``kernel``                uniform, drift, alternate,       drift, scale   what the next latent is
                              or {name: …, …}                  0.2
    ``episode_length``        steps, 1 or more                 60
    ``render_mode``           None, rgb_array                  None
    ========================  ===============================  =============  ==============================================

    Returns with the defaults (``python -m scenes.control.gridworld_continuous_solver``): oracle 50.53, the likeliest spot
    under the exact belief taken for certain 47.26 ± 0.15, the best plan that does not attend to rewards 17.17, random 7.69.
    The best without seeing the spot lies between the first two.

    **Version history**: v1, the first.
    """

    n_privileged = 2

    def __init__(
        self,
        termination: Termination | float = 0.05,
        kernel: Kernel | str | dict = Drift(scale=0.2),  # noqa: B008 (frozen)
        reach: float = 1.0,
        noise: float = 0.05,
        actions: int = 5,
        start: str | list[int] = "random",
        reset_on_session_end: bool = True,
        episode_length: int = 60,
        render_mode: str | None = None,
    ) -> None:
        for name, value, ok, allowed in (
            ("reach", reach, lambda v: 0.0 < v < np.inf, "a number of cells above 0"),
            ("noise", noise, lambda v: 0.0 <= v < np.inf, "a deviation, 0 or more"),
        ):
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not ok(value):
                raise InputError(name, value, allowed)
        space = LatentSpace(
            (
                ScalarField("row", "Row of the spot", 0.0, SIZE - 1.0, "cells"),
                ScalarField("column", "Column of the spot", 0.0, SIZE - 1.0, "cells"),
            )
        )
        options = GridOptions(
            actions,
            start,
            reset_on_session_end=reset_on_session_end,
            episode_length=episode_length,
            render_mode=render_mode,
        )
        super().__init__(space, termination, kernel, 0, options)
        self.reach, self.noise = float(reach), float(noise)

    def mean_reward(self, cells: np.ndarray, spots: np.ndarray) -> np.ndarray:
        """Reward without noise of cells (N,) under spots (N, 2), rows and columns."""
        distance_squared = ((CELLS[cells] - spots) ** 2).sum(-1)
        share = np.exp(-distance_squared / (2 * self.reach**2))
        return STEP_REWARD + (SPOT_REWARD - STEP_REWARD) * share

    def pay(
        self, cells: np.ndarray, goals: np.ndarray, latents: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        reward = self.mean_reward(cells, latents) + self.noise * rng.standard_normal(len(cells))
        nearest = np.rint(latents).astype(int) @ (SIZE, 1)
        return reward.astype(np.float32), cells == nearest

    def marks(self, truth: bool) -> list[Mark]:
        latent = self.sessions.latent
        return [Mark((latent["row"], latent["column"]), "cross", GREEN)] if truth else []
