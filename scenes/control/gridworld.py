"""Gridworld: the smallest world in which a latent changes between sessions.

The 5×5 world with two goals of DynaMITE-RL (arXiv 2402.15957, section 5.1) in the two readings its text allows; how well an
agent *can* do in each is computed exactly by :mod:`scenes.control.gridworld_solver`.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from scenes.control.grid import NEXT, place_of, read_view
from scenes.control.grid_picture import BLUE, GREEN, ORANGE, Mark
from scenes.control.grid_scene import GridOptions, GridScene
from scenes.control.latent_arrays import Swap
from scenes.errors import InputError
from scenes.latent import ChoiceField, LatentSpace
from scenes.session import Kernel, Termination

SESSION_END = 0.07
SWAP = 0.8
GOAL_REWARD, OTHER_GOAL_REWARD, STEP_REWARD = 1.0, 0.0, -0.1


class Gridworld(GridScene):
    """Two goals in view, one of them pays; which one changes when a session ends.

    **Action** Discrete(5): stay, up, down, left, right; with ``actions=4`` Discrete(4): up, down, left, right.
    **Observation** (46,) float32, one-hot: row, column (5 + 5), and row and column offset to the first and to the second
    goal (9 each); with ``exact_belief`` one more entry, 2 p − 1 for the exact Bayes probability p that the first goal pays.

    **Latent** ``goal``: ``first`` or ``second`` pays. **Reward** 1 on the paying goal, 0 on the other, −0.1 elsewhere.
    **Sessions** end with p = 0.07 per step; then the goals swap roles with probability 0.8. **Episode**: 60 steps.
    **Success**: the paying goal was reached at least once.

    ========================  ===============================  ==========  =================================================
    option                    allowed                          default     meaning
    ========================  ===============================  ==========  =================================================
    ``actions``               4, 5                             5           with 4 an agent cannot stay
    ``start``                 corner, random, [row, column]    corner      where an episode starts
    ``goals``                 random, two cells [row, column]  random      uniform over different cells, none of them the
                                                                           start; or the same in every episode
    ``reset_on_session_end``  true, false                      true        a new session starts where the episode started
    ``termination``           p from 0 to 1, or a Termination  0.07        when sessions end
    ``kernel``                swap, uniform, drift, alternate  swap        which goal pays in the next session
                              or {name: …, …}
    ``swap``                  from 0 to 1, with kernel swap    0.8         probability that the other one does
    ``exact_belief``          true, false                      false       append the exact filter's answer: it separates a
                                                                           policy's failings from a belief's
    ``episode_length``        steps, 1 or more                 60
    ``render_mode``           None, rgb_array                  None
    ========================  ===============================  ==========  =================================================

    Arrays (:meth:`vector`) take the same options, except that sessions end by p or by a fixed length.

    Expected returns with the defaults (``python -m scenes.control.gridworld_solver``): Bayes-optimal 43.16, oracle 44.50, an
    agent that never leaves the first goal it found paying 26.65, random −3.65.

    **Version history**: v1, the first.
    """

    n_privileged = 1
    #: What ``start`` and ``reset_on_session_end`` are where they are not given: the reading.
    reading: ClassVar[tuple[str, bool]] = ("corner", True)

    def __init__(
        self,
        termination: Termination | float = SESSION_END,
        kernel: Kernel | str | dict = "swap",
        swap: float | None = None,
        actions: int = 5,
        start: str | list[int] | None = None,
        goals: str | list[list[int]] = "random",
        reset_on_session_end: bool | None = None,
        exact_belief: bool = False,
        episode_length: int = 60,
        render_mode: str | None = None,
    ) -> None:
        if swap is not None and kernel != "swap":
            raise InputError("swap", swap, f"nothing beside kernel {kernel!r}")
        options = GridOptions(
            actions=actions,
            start=self.reading[0] if start is None else start,
            goals=goals,
            reset_on_session_end=self.reading[1] if reset_on_session_end is None else reset_on_session_end,
            exact_belief=exact_belief,
            episode_length=episode_length,
            render_mode=render_mode,
        )
        space = LatentSpace((ChoiceField("goal", "Paying goal", ("first", "second")),))
        super().__init__(space, termination, "uniform" if kernel == "swap" else kernel, 2, options, 1)
        if kernel == "swap":
            self.sessions.kernel = Swap(SWAP if swap is None else swap)

    def pay(
        self, cells: np.ndarray, goals: np.ndarray, latents: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        on_first, on_second = cells == goals[:, 0], cells == goals[:, 1]
        paid = np.where(latents[:, 0] == 0, on_first, on_second)
        reward = np.full(len(cells), STEP_REWARD, np.float32)
        reward[on_first | on_second] = OTHER_GOAL_REWARD
        reward[paid] = GOAL_REWARD
        return reward, paid

    def likelihood(
        self, before: np.ndarray, moves: np.ndarray, after: np.ndarray, goals: np.ndarray, reward: np.ndarray
    ) -> np.ndarray:
        """1 where move and reward fit, else 0."""
        on_goal, paid = after[:, None] == goals, reward[:, None] == GOAL_REWARD  # (N, 2), (N, 1)
        paid_as_expected = np.where(on_goal, paid, ~(on_goal[:, ::-1] & paid))
        return paid_as_expected * (NEXT[before, moves] == after).astype(float)[:, None]

    def relabel(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray, latents: np.ndarray
    ) -> np.ndarray:
        if self.exact_belief:
            raise InputError(
                "exact_belief", True, "false, to relabel: what was seen depends on what was paid"
            )
        cells, goals = read_view(states, self.n_goals)
        # Not from the next state: a new session may put the agent back to its start, yet what it reached is what is paid.
        reached = NEXT[cells, actions.argmax(1) + self.first_move]
        return self.pay(reached, goals, latents.argmax(1)[:, None], self.np_random)[0]

    def belief_features(self, p: np.ndarray) -> np.ndarray:
        return 2 * p[:, :1] - 1

    def privileged_features(self, vectors: np.ndarray) -> np.ndarray:
        return 2 * vectors[:, :1] - 1

    def marks(self, truth: bool) -> list[Mark]:
        places = [place_of(cell) for cell in self._layout[0]]
        marks = [Mark(places[0], "disc", ORANGE, "1"), Mark(places[1], "disc", BLUE, "2")]
        if truth:
            marks.append(Mark(places[self.sessions.latent["goal"] == "second"], "ring", GREEN))
        return marks


class GridworldStay(Gridworld):
    """:class:`Gridworld` in the other reading: a random start, and nothing but the reward tells that a session ended.

    That is ``start`` ``random`` and ``reset_on_session_end`` false where they are not given; all else is the same.
    Expected returns: Bayes-optimal 46.05, oracle 50.69, never leaves 32.41, random −3.21.
    """

    reading = ("random", False)
