"""Gridworld: the smallest world in which a latent changes between sessions, as objects and as arrays.

The 5×5 world with two goals of DynaMITE-RL (arXiv 2402.15957, section 5.1) in the two readings its text allows; how well an
agent *can* do in each is computed exactly in :mod:`scenes.control.gridworld_bound`.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np

from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.latent import ChoiceField, Latent, LatentSpace
from scenes.session import Kernel, Termination

SIZE = 5
#: Stay, up, down, left, right as (row, column) steps.
MOVES = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])
EPISODE_LENGTH = 60
SESSION_END = 0.07
SWAP = 0.8
GOAL_REWARD, OTHER_GOAL_REWARD, STEP_REWARD = 1.0, 0.0, -0.1
#: Row and column (5 each), then row and column offset to either goal (9 each), all one-hot.
N_OBSERVATION = 2 * SIZE + 4 * (2 * SIZE - 1)


@dataclass(frozen=True)
class Swap:
    """T(m'|m): the other goal pays next with probability ``p``."""

    p: float = SWAP

    def draw(self, latent: Latent, space: LatentSpace, rng: np.random.Generator) -> Latent:
        goal = latent["goal"]
        return {"goal": ("second" if goal == "first" else "first") if rng.random() < self.p else goal}


def move(cells: np.ndarray, actions: np.ndarray) -> np.ndarray:
    """(N, 2) cells after (N,) actions; the border stops a step."""
    return np.clip(cells + MOVES[actions], 0, SIZE - 1)


def observe(cells: np.ndarray, goals: np.ndarray, out: np.ndarray) -> None:
    """Write the one-hot observations: (N, 2), (N, 2 goals, 2) → (N, N_OBSERVATION)."""
    out[:, :N_OBSERVATION] = 0.0
    offsets = (goals - cells[:, None]).reshape(len(cells), 4) + SIZE - 1  # (N, 4)
    columns = np.concatenate((cells, offsets), 1) + np.array([0, 5, 10, 19, 28, 37])
    np.put_along_axis(out, columns, 1.0, 1)


def draw_goals(starts: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(N, 2, 2): two different cells per copy, neither the start (N, 2)."""
    n, start = len(starts), starts @ (SIZE, 1)
    first = rng.integers(SIZE * SIZE - 1, size=n)
    second = rng.integers(SIZE * SIZE - 2, size=n)
    both = np.stack((first, second + (second >= first)), 1)
    both += both >= start[:, None]
    return np.stack((both // SIZE, both % SIZE), -1)


def pay(
    cells: np.ndarray, goals: np.ndarray, first_pays: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rewards (N,), and whether the first and the second goal were reached, (N,) each."""
    on_first, on_second = (cells == goals[:, 0]).all(1), (cells == goals[:, 1]).all(1)
    reward = np.full(len(cells), STEP_REWARD, np.float32)
    reward[on_first | on_second] = OTHER_GOAL_REWARD
    reward[np.where(first_pays, on_first, on_second)] = GOAL_REWARD
    return reward, on_first, on_second


def filter_belief(
    belief: np.ndarray,
    paid: np.ndarray,
    on_first: np.ndarray,
    on_second: np.ndarray,
    p_end: np.ndarray,
    swap: float,
) -> np.ndarray:
    """Exact Bayes filter of P(the first goal pays next), (N,).

    Args:
        paid: whether the step paid 1.
        p_end: probability that a session ended with the step, given what the agent saw.
    """
    belief = np.where(on_first, paid, np.where(on_second, ~paid, belief))
    swapped = (1 - swap) * belief + swap * (1 - belief)
    return (1 - p_end) * belief + p_end * swapped


class Gridworld(SessionEnv):
    """Two goals in view, one of them pays; which one changes when a session ends.

    **Action** Discrete(5): stay, up, down, left, right. **Observation** (46,) float32, one-hot: row, column (5 + 5), and
    row and column offset to the first and to the second goal (9 each); with ``exact_belief`` one more entry, 2 p − 1 for the
    exact Bayes probability p that the first goal pays.

    **Latent** ``goal``: ``first`` or ``second`` pays. **Reward** 1 on the paying goal, 0 on the other, −0.1 elsewhere.
    **Sessions** end with p = 0.07 per step; then the goals swap roles with probability 0.8. **Start** (0, 0), goals uniform
    over different other cells, and when a session ends the agent returns to (0, 0). **Episode**: 60 steps.
    **Success**: the paying goal was reached at least once.

    ==================  =====
    policy              value
    ==================  =====
    Bayes-optimal       43.2
    oracle              44.5
    never leaves        26.7
    random              −3.6
    ==================  =====

    Args:
        termination, kernel: of the session process; ``"swap"`` is the paper's kernel.
        exact_belief: append the Bayes filter's answer (the control that separates a policy's failings from a belief's).

    **Version history**: v1, the first.
    """

    episode_length = EPISODE_LENGTH
    n_privileged = 1
    returns = True

    def __init__(
        self,
        termination: Termination | float = SESSION_END,
        kernel: Kernel | str | dict = "swap",
        exact_belief: bool = False,
    ) -> None:
        space = LatentSpace((ChoiceField("goal", "Paying goal", ("first", "second")),))
        super().__init__(space, termination, "uniform" if kernel == "swap" else kernel)
        if kernel == "swap":
            self.sessions.kernel = Swap()
        self.exact_belief = exact_belief
        n = N_OBSERVATION + exact_belief
        low = np.zeros(n, np.float32)
        low[N_OBSERVATION:] = -1.0
        self.observation_space = gym.spaces.Box(low, np.ones(n, np.float32))
        self.action_space = gym.spaces.Discrete(len(MOVES))
        self._cell, self._goals = np.zeros((1, 2), int), np.zeros((1, 2, 2), int)
        self._belief = np.array([0.5])
        self._success = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        info = self._start_sessions(options)
        self._cell = np.zeros((1, 2), int)
        if not self.returns:
            self._cell = self.np_random.integers(SIZE, size=(1, 2))
        self._goals = draw_goals(self._cell, self.np_random)
        self._belief, self._success = np.array([0.5]), False
        return self._observation(), info

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._cell = move(self._cell, np.array([int(action)]))
        pays = np.array([self.sessions.latent["goal"] == "first"])
        reward, on_first, on_second = pay(self._cell, self._goals, pays)
        paid = reward == GOAL_REWARD
        self._success |= bool(paid[0])
        info = self._advance_sessions()
        # Returning shows that a session ended; staying shows nothing.
        p_end = np.array([float(info["session_ended"]) if self.returns else SESSION_END])
        self._belief = filter_belief(self._belief, paid, on_first, on_second, p_end, SWAP)
        if self.returns and info["session_ended"]:
            self._cell = np.zeros((1, 2), int)
        info["task_success"] = self._success
        truncated = self.sessions.step >= self.episode_length
        return self._observation(), float(reward[0]), False, truncated, info

    def _observation(self) -> np.ndarray:
        out = np.zeros((1, N_OBSERVATION + self.exact_belief), np.float32)
        observe(self._cell, self._goals, out)
        out[:, N_OBSERVATION:] = 2 * self._belief[:, None] - 1
        return out[0]

    def _privileged_features(self) -> np.ndarray:
        return np.array([1.0 if self.sessions.latent["goal"] == "first" else -1.0])

    def state_hash(self) -> str:
        return f"{self._cell.tolist()} {self._goals.tolist()} {self.sessions.latent['goal']} {self.sessions.step}"

    @classmethod
    def vector(cls, n: int, **options: Any) -> GridworldArrays:
        """``n`` copies as arrays, for learning."""
        return GridworldArrays(cls(**options), n)


class GridworldStay(Gridworld):
    """:class:`Gridworld` in the other reading: a random start, and nothing but the reward tells that a session ended.

    Bayes-optimal 46.1, oracle 50.8, never leaves the first goal 32.6, random −3.1.
    """

    returns = False


class GridworldArrays:
    """Thousands of gridworlds in one numpy step; the same law as :class:`Gridworld`, other random numbers.

    Args:
        scene: says which reading, which observation and which session law (a Bernoulli termination and :class:`Swap`).
        n: copies.
    """

    def __init__(self, scene: Gridworld, n: int) -> None:
        p, swap = getattr(scene.sessions.termination, "p", None), getattr(scene.sessions.kernel, "p", None)
        if p is None or swap is None:
            raise InputError(
                "kernel", "another session law", "a termination probability and kernel swap, for arrays"
            )
        self.scene, self.n, self._p_end, self._swap = scene, n, p, swap
        self._out = SimpleNamespace(
            observation=np.zeros((n, N_OBSERVATION + scene.exact_belief), np.float32),
            reward=np.zeros(n, np.float32),
            ended=np.zeros(n, bool),
            session=np.zeros(n, np.int64),
            latent=np.zeros((n, 2), np.float32),
            privileged=np.zeros((n, 1), np.float32),
            success=np.zeros(n, np.float32),
        )

    def reset(self, seeds: np.ndarray) -> SimpleNamespace:
        """Start every copy; all randomness of the episode derives from ``seeds`` (N,) together."""
        self._rng = np.random.default_rng([int(seed) for seed in seeds[:4]])
        self._cells = np.zeros((self.n, 2), int)
        if not self.scene.returns:
            self._cells = self._rng.integers(SIZE, size=(self.n, 2))
        self._goals = draw_goals(self._cells, self._rng)
        self._first_pays = self._rng.random(self.n) < 0.5
        self._belief = np.full(self.n, 0.5)
        self._sessions = np.zeros(self.n, np.int64)
        out = self._out
        out.reward[:] = out.success[:] = 0.0
        out.session[:] = 0
        out.ended[:] = False
        return self._write()

    def step(self, actions: np.ndarray) -> SimpleNamespace:
        """(N, 1) numbers of actions."""
        out, returns = self._out, self.scene.returns
        self._cells = move(self._cells, actions[:, 0].astype(int))
        out.reward[:], on_first, on_second = pay(self._cells, self._goals, self._first_pays)
        paid = out.reward == GOAL_REWARD
        np.maximum(out.success, paid, out=out.success)
        out.session[:] = self._sessions
        out.ended[:] = self._rng.random(self.n) < self._p_end
        swapped = out.ended & (self._rng.random(self.n) < self._swap)
        self._first_pays = self._first_pays ^ swapped
        self._sessions += out.ended
        p_end = out.ended.astype(float) if returns else np.full(self.n, self._p_end)
        self._belief = filter_belief(self._belief, paid, on_first, on_second, p_end, self._swap)
        if returns:
            self._cells[out.ended] = 0
        return self._write()

    def _write(self) -> SimpleNamespace:
        out = self._out
        observe(self._cells, self._goals, out.observation)
        out.observation[:, N_OBSERVATION:] = 2 * self._belief[:, None] - 1
        out.latent[:, 0], out.latent[:, 1] = self._first_pays, ~self._first_pays
        out.privileged[:, 0] = 2.0 * self._first_pays - 1.0
        return out
