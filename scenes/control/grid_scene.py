"""GridScene: what all gridworlds share — options, reset, step, picture — around a law that is written for N copies at once.

A gridworld adds its law: how moves are made (:meth:`GridScene.land`), what a cell pays (:meth:`GridScene.pay`), and how
likely what was seen is under every latent (:meth:`GridScene.likelihood`). The object form here runs it on one copy,
:class:`scenes.control.grid_arrays.GridArrays` on thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from scenes.base import SessionEnv
from scenes.control.exact_filter import ExactFilter
from scenes.control.grid import MOVES, NEXT, OneHot, View, draw_layouts, n_one_hot, parse_cell, place_of
from scenes.control.grid_arrays import GridArrays
from scenes.control.grid_picture import Mark, draw_board
from scenes.control.latent_arrays import kernel_matrix, to_values
from scenes.errors import InputError
from scenes.latent import LatentSpace
from scenes.session import Bernoulli, FixedLength, Kernel, Termination


@dataclass(frozen=True)
class GridOptions:
    """The options that all gridworlds take.

    Attributes:
        actions: 5, or 4 without staying.
        start: ``"corner"`` (cell [0, 0]), ``"random"``, or a cell ``[row, column]``.
        goals: ``"random"``, or the cells.
        reset_on_session_end: whether the agent returns to its start when a session ends.
        exact_belief: whether the exact Bayes filter's answer is part of the observation.
        episode_length: steps.
        render_mode: None or ``"rgb_array"``.
    """

    actions: Any = 5
    start: Any = "corner"
    goals: Any = "random"
    reset_on_session_end: Any = True
    exact_belief: Any = False
    episode_length: Any = 60
    render_mode: str | None = None

    def __post_init__(self) -> None:
        if type(self.actions) is not int or self.actions not in (4, 5):
            raise InputError("actions", self.actions, "4 or 5 (with staying)")
        for name in ("reset_on_session_end", "exact_belief"):
            if not isinstance(getattr(self, name), bool):
                raise InputError(name, getattr(self, name), "true or false")
        if type(self.episode_length) is not int or self.episode_length < 1:
            raise InputError("episode_length", self.episode_length, "a whole number of steps, 1 or more")
        if self.render_mode not in (None, "rgb_array"):
            raise InputError("render_mode", self.render_mode, "None or rgb_array")

    def start_cell(self) -> int | None:
        """The cell that every episode starts in; None: drawn."""
        if isinstance(self.start, str):
            if self.start not in ("corner", "random"):
                raise InputError("start", self.start, "corner, random, or a cell [row, column]")
            return 0 if self.start == "corner" else None
        return parse_cell(self.start, "start")

    def goal_cells(self, n_goals: int) -> tuple[int, ...] | None:
        """The cells of the goals in every episode; None: drawn."""
        if self.goals == "random":
            return None
        if not isinstance(self.goals, (list, tuple)) or len(self.goals) != n_goals:
            raise InputError("goals", self.goals, f"random, or {n_goals} cells [row, column]")
        cells = tuple(parse_cell(cell, f"goals[{i}]") for i, cell in enumerate(self.goals))
        if len(set(cells) | {self.start_cell()}) != n_goals + 1:
            raise InputError("goals", self.goals, "different cells, none of them the start")
        return cells


class GridScene(SessionEnv):
    """A 5×5 grid with a hidden latent.

    Args:
        space: what is hidden.
        termination, kernel: of the session process.
        n_goals: cells that are in view.
        options: see :class:`GridOptions`.
        n_belief: entries that the exact filter's answer takes, where ``options.exact_belief`` asks for it.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 4}  # noqa: RUF012 (as gym.Env has it)

    def __init__(
        self,
        space: LatentSpace,
        termination: Termination | float,
        kernel: Kernel | str | dict,
        n_goals: int,
        options: GridOptions,
        n_belief: int = 0,
    ) -> None:
        super().__init__(space, termination, kernel)
        self.start, self.goals = options.start_cell(), options.goal_cells(n_goals)
        self.n_goals, self.reset_on_session_end = n_goals, options.reset_on_session_end
        self.exact_belief, self.episode_length = options.exact_belief, options.episode_length
        self.render_mode = options.render_mode
        #: The first of MOVES that an action can be.
        self.first_move = len(MOVES) - options.actions
        self.n_actions = options.actions
        self.action_space = gym.spaces.Discrete(self.n_actions)
        self.n_one_hot = n_one_hot(n_goals)
        self.n_observation = self.n_one_hot + (n_belief if self.exact_belief else 0)
        low = np.zeros(self.n_observation, np.float32)
        low[self.n_one_hot :] = -1.0
        self.observation_space = gym.spaces.Box(low, np.ones_like(low))
        self._start = self._cell = np.zeros(1, int)
        self._layout = np.zeros((1, n_goals), int)
        self._filter: ExactFilter | None = None
        self._success = False

    # -- the law, for N copies at once
    def land(
        self, cells: np.ndarray, moves: np.ndarray, latents: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Cells (N,) that ``moves`` (N,) lead to from ``cells`` (N,) under ``latents`` (N, F)."""
        return NEXT[cells, moves]

    def pay(
        self, cells: np.ndarray, goals: np.ndarray, latents: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Rewards (N,) of having reached ``cells`` (N,), goals (N, G); and whether that is a success, (N,) bool."""
        raise NotImplementedError

    def likelihood(
        self, before: np.ndarray, moves: np.ndarray, after: np.ndarray, goals: np.ndarray, reward: np.ndarray
    ) -> np.ndarray:
        """(N, M): how likely it was under each latent to reach ``after`` and be paid ``reward``."""
        raise NotImplementedError

    def likelihood_of_reward(
        self, before: np.ndarray, moves: np.ndarray, goals: np.ndarray, reward: np.ndarray
    ) -> np.ndarray:
        """(N, M): how likely it was under each latent to be paid ``reward``, wherever that was."""
        return self.likelihood(before, moves, NEXT[before, moves], goals, reward)

    def belief_features(self, p: np.ndarray) -> np.ndarray:
        """(N, M) probabilities of the exact filter as the entries of an observation, in [-1, 1]."""
        return p

    def privileged_features(self, vectors: np.ndarray) -> np.ndarray:
        """(N, P) what an oracle sees, from the latents' vectors (N, D)."""
        return vectors

    def learn(
        self,
        belief: ExactFilter,
        before: np.ndarray,
        moves: np.ndarray,
        now: np.ndarray,
        starts: np.ndarray,
        goals: np.ndarray,
        reward: np.ndarray,
        age: int,
    ) -> None:
        """Update an exact filter by a step from ``before`` (N,) after which the agents are seen in ``now`` (N,).

        A return to the start hides the cell that was reached. It shows that a session ended, but not to an agent that may
        have reached the start by itself.

        Args:
            age: steps of the session, this one included (only a fixed length asks).
        """
        termination = self.sessions.termination
        p = termination.p if isinstance(termination, Bernoulli) else float(age >= termination.length)  # type: ignore[attr-defined]
        likelihood = self.likelihood(before, moves, now, goals, reward)
        if not self.reset_on_session_end:
            belief.update((1 - p) * likelihood, p * likelihood)
            return
        ended, back = np.zeros_like(likelihood), np.flatnonzero(now == starts)
        ended[back] = p * self.likelihood_of_reward(before[back], moves[back], goals[back], reward[back])
        belief.update((1 - p) * likelihood, ended)

    def new_filter(self, n: int) -> ExactFilter:
        """The exact filter for ``n`` copies.

        Raises:
            InputError: sessions end by a schedule, or by a kernel that has no matrix.
        """
        if not isinstance(self.sessions.termination, (Bernoulli, FixedLength)):
            raise InputError("exact_belief", "a schedule of changes", "sessions that end by p or length")
        return ExactFilter(kernel_matrix(self.sessions.kernel, self.latent_space), n)

    # -- one copy
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        info = self._start_sessions(options)
        self._start, self._layout = draw_layouts(1, self.start, self.goals, self.n_goals, self.np_random)
        self._cell, self._success = self._start.copy(), False
        self._filter = self.new_filter(1) if self.exact_belief else None
        return self._observation(), info

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        if not self.action_space.contains(action):
            raise InputError("action", action, f"a whole number from 0 to {self.n_actions - 1}")
        before, moves = self._cell, np.array([int(action) + self.first_move])
        latents, rng = to_values(self.latent_space, self.sessions.latent)[None], self.np_random
        self._cell = self.land(before, moves, latents, rng)
        reward, success = self.pay(self._cell, self._layout, latents, rng)
        self._success |= bool(success[0])
        info = self._advance_sessions()
        if self.reset_on_session_end and info["session_ended"]:
            self._cell = self._start.copy()
        if self._filter is not None:
            age = info["session_age"]
            self.learn(self._filter, before, moves, self._cell, self._start, self._layout, reward, age)
        info["task_success"] = self._success
        truncated = self.sessions.step >= self.episode_length
        return self._observation(), float(reward[0]), False, truncated, info

    def _observation(self) -> np.ndarray:
        out = np.zeros((1, self.n_observation), np.float32)
        OneHot(out).write(View(self._layout).hot(self._cell))
        if self._filter is not None:
            out[:, self.n_one_hot :] = self.belief_features(self._filter.p)
        return out[0]

    def _privileged_features(self) -> np.ndarray:
        vector = self.latent_space.to_vector(self.sessions.latent)
        return self.privileged_features(vector[None])[0]

    def state_hash(self) -> str:
        process = self.sessions
        return f"{self._cell[0]} {self._layout[0].tolist()} {process.latent} {process.age} {process.step}"

    # -- the picture
    def marks(self, truth: bool) -> list[Mark]:
        """What is on the board besides the agent; with ``truth`` also what is hidden."""
        raise NotImplementedError

    def picture(self, truth: bool = False) -> np.ndarray:
        """(H, W, 3) uint8 of the board; the hidden latent is drawn with ``truth`` only."""
        caption = self.latent_space.to_text(self.sessions.latent) if truth else ""
        return draw_board(place_of(self._cell[0]), place_of(self._start[0]), self.marks(truth), caption)

    def render(self) -> np.ndarray | None:
        """:meth:`picture` without the truth, when ``render_mode`` is ``"rgb_array"``."""
        if self.render_mode is None:
            gym.logger.warn('render() needs render_mode="rgb_array"')
            return None
        return self.picture()

    @classmethod
    def vector(cls, n: int, **options: Any) -> GridArrays:
        """``n`` copies as arrays, for learning; ``options`` as the class takes them."""
        return GridArrays(cls(**options), n)
