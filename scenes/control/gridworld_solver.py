"""How well an agent can do in :mod:`scenes.control.gridworld`: exact dynamic programming over belief states.

    python -m scenes.control.gridworld_solver [--scene gridworld] [--actions 4] [--p 0 0.07 1] [--json] …

The goals are in view, so all that is hidden is which of the two pays. A step on either reveals it. In between, the agent's
x = 2 P(first pays) − 1 shrinks by one of two factors: 1 − 2·swap when it sees a session end (it is sent back to its start),
and 1 − 2·p·swap at a step that may have ended one unseen (no one is sent back; or the agent had reached its start by
itself). So the reachable beliefs are few, and a table over (steps left, cell, x) is exact. Where both factors occur, unseen
ends beyond the first few in a row (:data:`UNSEEN_AT_START`) are rounded to the nearest x in the table; only an agent that
keeps waiting at its start would notice, and none of those here gains by that.

==========  =====================================================================================
yardstick   is the expected return of
==========  =====================================================================================
bayes       the best agent that does not see which goal pays
oracle      the best that does
react       one that turns to the other goal whenever a goal does not pay
stuck       one that does so until it found a goal that pays, and never leaves that one
random      uniformly random actions
==========  =====================================================================================

*react* and *stuck* start for the nearest goal; each step brings them nearer to theirs or keeps them on it, by moves drawn
uniformly from those that do so best. The means are over starts and goals as the scene draws them.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import dataclass
from itertools import product

import numpy as np

from scenes.control.grid import DISTANCE, N_CELLS, NEXT, SIZE
from scenes.control.gridworld import (
    GOAL_REWARD,
    OTHER_GOAL_REWARD,
    SESSION_END,
    STEP_REWARD,
    SWAP,
    Gridworld,
    GridworldStay,
)
from scenes.control.latent_arrays import choice_matrix
from scenes.errors import InputError
from scenes.session import Bernoulli, FixedLength

#: Unseen ends in a row at the start that the table tells apart, where an agent otherwise sees sessions end.
UNSEEN_AT_START = 2
#: A belief this close to ½ (in x) counts as ½.
SMALLEST_X = 1e-4


# ------------------------------------------------------------------------------------------------ what is averaged over
@dataclass(frozen=True)
class Problems:
    """The starts and goals that a scene may draw, up to symmetry.

    Attributes:
        goals: (P, 2) cells.
        starts: (P,) cell that the agent is sent back to; 0 where it never is.
        weights: (25, P) probability of the problem together with a start in each cell; the sum is 1.
    """

    goals: np.ndarray
    starts: np.ndarray
    weights: np.ndarray

    @staticmethod
    def of(scene: Gridworld) -> Problems:
        starts = range(N_CELLS) if scene.start is None else [scene.start]
        pairs = (
            [scene.goals] if scene.goals else [(a, b) for a in range(N_CELLS) for b in range(a + 1, N_CELLS)]
        )
        maps = _symmetries() if scene.goals is None else np.arange(N_CELLS)[None]
        if scene.start is not None:
            maps = maps[maps[:, scene.start] == scene.start]
        weights: dict[tuple[int, ...], np.ndarray] = {}
        for start in starts:
            for pair in pairs:
                if start in pair:
                    continue
                images = [(*sorted((int(m[pair[0]]), int(m[pair[1]]))), int(m[start])) for m in maps]
                *key, at = min(images)
                if scene.reset_on_session_end:
                    key.append(at)
                weights.setdefault(tuple(key), np.zeros(N_CELLS))[at] += 1
        table = np.array(list(weights))
        back = table[:, 2] if scene.reset_on_session_end else np.zeros(len(table), int)
        likely = np.array(list(weights.values())).T
        return Problems(table[:, :2], back, likely / likely.sum())

    def mean(self, values: np.ndarray) -> float:
        """Mean over starts and goals of (25, P) values of starting in each cell."""
        return float((self.weights * values).sum())


def _symmetries() -> np.ndarray:
    """(8, 25) where each cell goes under the turns and reflections of the board."""
    board = np.arange(N_CELLS).reshape(SIZE, SIZE)
    return np.stack([np.rot90(b, k).ravel() for b in (board, board.T) for k in range(4)])


# ------------------------------------------------------------------------------------------------ beliefs
class Beliefs:
    """The values of x that an agent can come to hold, and how they change.

    Args:
        seen: factor of a session's end that is seen; None: none ever is.
        unseen: factors of a step that may have ended a session unseen.
        n_steps: of an episode.

    Attributes:
        x: (B,) rising.
    """

    def __init__(self, seen: float | None, unseen: list[float], n_steps: int) -> None:
        powers = np.ones(1)
        for factor, times in [(seen, n_steps), *((f, UNSEEN_AT_START if seen else n_steps) for f in unseen)]:
            if factor is not None:
                powers = np.outer(powers, float(factor) ** np.arange(times + 1)).ravel()
                powers = np.unique(powers[np.abs(powers) > SMALLEST_X].round(12))
        self.x = np.unique(np.concatenate((powers, -powers, [0.0])))

    def index(self, x: np.ndarray | float) -> np.ndarray:
        """Number of the nearest belief."""
        above = np.clip(np.searchsorted(self.x, x), 1, len(self.x) - 1)
        return np.where(np.abs(self.x[above - 1] - x) <= np.abs(self.x[above] - x), above - 1, above)

    def times(self, factor: float) -> np.ndarray:
        """(B,) number of the belief that each becomes."""
        return self.index(self.x * factor)


# ------------------------------------------------------------------------------------------------ dynamic programming
class GridworldSolver:
    """Values of a scene with two goals, for all goals and starts that it may draw.

    Tables are (25, P, …): of being in each cell, about to move, in each problem, with a belief, a habit's mode or the truth.

    Args:
        scene: its options are the law; its sessions end by a probability or a length.

    Raises:
        InputError: sessions end otherwise, or another kernel than those of :func:`choice_matrix`.
    """

    def __init__(self, scene: Gridworld) -> None:
        self.problems, self.resets, self.n_steps = (
            Problems.of(scene),
            scene.reset_on_session_end,
            scene.episode_length,
        )
        self.moves = NEXT[:, scene.first_move :]  # (25, A)
        self.swap = float(choice_matrix(scene.sessions.kernel, 2)[0, 1])
        #: (T,) probability that a session ends with each step.
        self.p_end = _end_probabilities(scene)
        unseen = [1 - 2 * p * self.swap for p in np.unique(self.p_end)]
        self.beliefs = Beliefs(1 - 2 * self.swap if self.resets else None, unseen, self.n_steps)
        self._all = np.arange(len(self.problems.goals))

    def bayes(self, keep_actions: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
        """The best agent that does not see which goal pays.

        Returns:
            (25, P) expected returns of starting in each cell, and with ``keep_actions`` the numbers (T, 25, P, B) of the
            actions that reach them.
        """
        beliefs, problems = self.beliefs, self.problems
        ahead = np.zeros((N_CELLS, len(self._all), len(beliefs.x)))
        actions = []
        for p in self.p_end[::-1]:
            later = self._step_later(ahead, p)
            value = STEP_REWARD + later
            for cells, sign in zip(problems.goals.T, (1.0, -1.0), strict=True):
                p_pays = (1 + sign * beliefs.x) / 2  # (B,)
                if_pays = GOAL_REWARD + later[cells, self._all, beliefs.index(sign)]  # (P,)
                if_not = OTHER_GOAL_REWARD + later[cells, self._all, beliefs.index(-sign)]
                value[cells, self._all] = p_pays * if_pays[:, None] + (1 - p_pays) * if_not[:, None]
            for cell, reached in enumerate(self.moves):
                np.max([value[to] for to in set(reached)], axis=0, out=ahead[cell])
            if keep_actions:
                actions.append(value[self.moves].argmax(1).astype(np.uint8))
        return ahead[:, :, beliefs.index(0.0)], np.stack(actions[::-1]) if keep_actions else None

    def _step_later(self, ahead: np.ndarray, p: float) -> np.ndarray:
        """(25, P, B) value to come once a step has led to a cell, with a belief about that step's session.

        Args:
            p: probability that the session ends with the step.
        """
        unseen = self.beliefs.times(1 - 2 * p * self.swap)
        if not self.resets:
            return ahead[:, :, unseen]
        at_start = ahead[self.problems.starts, self._all]  # (P, B)
        later = (1 - p) * ahead + p * at_start[:, self.beliefs.times(1 - 2 * self.swap)]
        later[self.problems.starts, self._all] = at_start[:, unseen]
        return later

    def oracle(self, keep_actions: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
        """The best agent that sees which goal pays.

        Returns:
            (25, P) expected returns of starting in each cell, and with ``keep_actions`` the numbers (T, 25, P, 2) of the
            actions that reach them while the first, or the second, goal pays.
        """
        ahead = np.zeros((N_CELLS, len(self._all), 2))
        actions = []
        for p in self.p_end[::-1]:
            reached = (self._pay() + self._truth_later(ahead, p))[self.moves]  # (25, A, P, 2)
            ahead = reached.max(1)
            if keep_actions:
                actions.append(reached.argmax(1).astype(np.uint8))
        return ahead.mean(-1), np.stack(actions[::-1]) if keep_actions else None

    def habit(self, turns: bool) -> np.ndarray:
        """(25, P) expected returns of an agent that heads for one goal until it has a reason not to; see the module.

        Args:
            turns: it heads for the other goal whenever one does not pay (*react*), not only until it found one (*stuck*).
        """
        # Modes: heading for the first or the second goal; and the same for good. Tables are (25, P, mode, which pays).
        ahead = np.zeros((N_CELLS, len(self._all), 4, 2))
        distance = DISTANCE[self.problems.goals].transpose(2, 0, 1)  # (25, P, goal)
        nearer = _shares_of_least(distance[self.moves])[..., [0, 1, 0, 1]]  # (25, A, P, mode)
        for p in self.p_end[::-1]:
            later = self._truth_later(ahead, p)
            value = self._pay()[:, :, None] + later
            for goal, cells in enumerate(self.problems.goals.T):
                for mode, pays in product(range(4 if turns else 2), range(2)):
                    new_mode = 1 - goal if pays != goal else goal if turns else 2 + goal
                    here = later[cells, self._all]  # (P, mode, which pays)
                    value[cells, self._all, mode, pays] += here[:, new_mode, pays] - here[:, mode, pays]
            ahead = np.einsum("capm,capmw->cpmw", nearer, value[self.moves])
        return np.einsum("cpm,cpm->cp", _shares_of_least(distance, axis=2), ahead[:, :, :2].mean(-1))

    def random(self) -> np.ndarray:
        """(25, P) expected returns of uniformly random actions."""
        ahead = np.zeros((N_CELLS, len(self._all), 2))
        for p in self.p_end[::-1]:
            ahead = (self._pay() + self._truth_later(ahead, p))[self.moves].mean(1)
        return ahead.mean(-1)

    def _pay(self) -> np.ndarray:
        """(25, P, 2) reward of reaching a cell while the first, or the second, goal pays."""
        pay = np.full((N_CELLS, len(self._all), 2), STEP_REWARD)
        for goal, cells in enumerate(self.problems.goals.T):
            pay[cells, self._all] = OTHER_GOAL_REWARD
            pay[cells, self._all, goal] = GOAL_REWARD
        return pay

    def _truth_later(self, ahead: np.ndarray, p: float) -> np.ndarray:
        """(25, P, …, 2) value to come once a step has led to a cell, the last axis being which goal paid for it."""
        ended = (1 - self.swap) * ahead + self.swap * ahead[..., ::-1]
        if self.resets:
            ended = ended[self.problems.starts, self._all]
        return (1 - p) * ahead + p * ended

    def bounds(self) -> dict[str, float]:
        """Every yardstick's mean return."""
        values = {
            "bayes": self.bayes()[0],
            "oracle": self.oracle()[0],
            "react": self.habit(turns=True),
            "stuck": self.habit(turns=False),
            "random": self.random(),
        }
        return {name: self.problems.mean(value) for name, value in values.items()}


def _shares_of_least(values: np.ndarray, axis: int = 1) -> np.ndarray:
    """1 spread evenly over the least of ``values`` along an axis."""
    least = values == values.min(axis, keepdims=True)
    return least / least.sum(axis, keepdims=True)


def _end_probabilities(scene: Gridworld) -> np.ndarray:
    """(T,) probability that a session ends with each step of an episode."""
    termination, steps = scene.sessions.termination, np.arange(1, scene.episode_length + 1)
    if isinstance(termination, Bernoulli):
        return np.full(len(steps), termination.p)
    if isinstance(termination, FixedLength):
        return (steps % termination.length == 0).astype(float)
    raise InputError("termination", termination, "a probability or a length")


def bounds(scene: Gridworld) -> dict[str, float]:
    """Mean returns of the module's yardsticks in a scene."""
    return GridworldSolver(scene).bounds()


# ------------------------------------------------------------------------------------------------ command line
READINGS = {"gridworld": Gridworld, "gridworld_stay": GridworldStay}


def main(arguments: list[str] | None = None) -> int:
    """Print the yardsticks; 2 after a mistake in the arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m scenes.control.gridworld_solver", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--scene", nargs="+", choices=READINGS, default=list(READINGS))
    parser.add_argument("--actions", nargs="+", type=int, default=[5, 4], help="5, or 4 without staying")
    parser.add_argument(
        "--p", nargs="+", type=float, default=[SESSION_END], help="probabilities that a session ends"
    )
    parser.add_argument("--length", type=int, help="fixed length of a session, instead of --p")
    parser.add_argument("--swap", type=float, default=SWAP, help="probability that the other goal pays next")
    parser.add_argument("--start", help="corner, random or row,column")
    parser.add_argument("--goals", nargs=2, help="row,column row,column")
    parser.add_argument("--reset-on-session-end", action=argparse.BooleanOptionalAction)
    parser.add_argument("--episode-length", type=int, default=60)
    parser.add_argument("--json", action="store_true", help="one JSON object")
    given = parser.parse_args(arguments)
    try:
        print(_report(given))
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def _report(given: argparse.Namespace) -> str:
    rows = []
    ends = given.p if given.length is None else [FixedLength(given.length)]
    for name, actions, end in product(given.scene, given.actions, ends):
        scene = READINGS[name](
            termination=end,
            swap=given.swap,
            actions=actions,
            start=_cell(given.start) if given.start and "," in given.start else given.start,
            goals=[_cell(goal) for goal in given.goals] if given.goals else "random",
            reset_on_session_end=given.reset_on_session_end,
            episode_length=given.episode_length,
        )
        session = {"p": end} if given.length is None else {"length": given.length}
        rows.append({"scene": name, "actions": actions, **session, **bounds(scene)})
    if given.json:
        return json.dumps({"yardsticks": rows})
    lines = ["".join(f"{key:>16}" if key == "scene" else f"{key:>9}" for key in rows[0])]
    for row in rows:
        cells = [
            f"{v:9.2f}" if isinstance(v, float) else f"{v:>{16 if k == 'scene' else 9}}"
            for k, v in row.items()
        ]
        lines.append("".join(cells))
    return "\n".join(lines)


def _cell(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise InputError("cell", text, "row,column, such as 2,4") from None


if __name__ == "__main__":
    sys.exit(main())
