"""How well an agent can do in :mod:`scenes.control.gridworld`: exact dynamic programming over belief states.

The goals are in view, so all that is hidden is which of the two pays. A step on either goal reveals it; between such steps
the probability that the goal last seen paying still pays falls towards ½ by powers of an eigenvalue of the session law, so
the reachable beliefs are countable and a table over (position, which goal was last seen paying, how long ago) is exact.

In *return* "how long ago" counts ends of sessions, each of which shows itself; in *stay* it counts steps.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from scenes.control.gridworld import (
    EPISODE_LENGTH,
    GOAL_REWARD,
    MOVES,
    OTHER_GOAL_REWARD,
    SESSION_END,
    SIZE,
    STEP_REWARD,
    SWAP,
    move,
)

CELLS = np.array([(row, column) for row in range(SIZE) for column in range(SIZE)])
#: Cell reached from each cell by each move, (25, 5).
NEXT = np.stack([move(CELLS, np.full(len(CELLS), a)) @ (SIZE, 1) for a in range(len(MOVES))], 1)
#: Ages are cut off here: the belief is then within 1e-3 of its limit.
MAX_AGE = {True: 14, False: 60}


def bayes_value(first: int, second: int, returns: bool = True) -> float:
    """Expected return of a Bayes-optimal agent.

    Args:
        first, second: cells (0 … 24) of the goals.
        returns: the *return* reading, from cell 0; else *stay*, the mean over all starts that are no goal.
    """
    n = MAX_AGE[returns]
    keep = (1 - 2 * SWAP) if returns else 1 - 2 * SESSION_END * SWAP
    still = 0.5 * (1 + keep ** np.arange(n))
    # Belief states: 0 nothing seen; 1 … n the first goal paid that long ago; n + 1 … 2n the second did.
    p_first = np.concatenate(([0.5], still, 1 - still))
    older = np.minimum(np.arange(n) + 1, n - 1)
    aged = np.concatenate(([0], 1 + older, 1 + n + older))
    states = np.arange(2 * n + 1)
    ahead = np.zeros((len(CELLS), 2 * n + 1))
    for _ in range(EPISODE_LENGTH):

        def after(cell: int, belief: np.ndarray | int, ahead: np.ndarray = ahead) -> np.ndarray:
            """Value to come, once a step has reached ``cell`` with ``belief`` about that step's session."""
            if returns:
                return (1 - SESSION_END) * ahead[cell, belief] + SESSION_END * ahead[0, aged[belief]]
            return ahead[cell, aged[belief]]

        value = np.empty((len(CELLS), len(states)))  # of having reached a cell
        for cell in range(len(CELLS)):
            if cell in (first, second):
                p = p_first if cell == first else 1 - p_first
                pays, other = (1, 1 + n) if cell == first else (1 + n, 1)
                value[cell] = p * (GOAL_REWARD + after(cell, pays)) + (1 - p) * (
                    OTHER_GOAL_REWARD + after(cell, other)
                )
            else:
                value[cell] = STEP_REWARD + after(cell, states)
        ahead = value[NEXT].max(1)
    return float(ahead[0, 0] if returns else np.delete(ahead[:, 0], [first, second]).mean())


def oracle_value(first: int, second: int, returns: bool = True) -> float:
    """Expected return of an agent that sees which goal pays."""
    goals = np.array([first, second])
    ahead = np.zeros((len(CELLS), 2))
    swap = SESSION_END * SWAP
    for _ in range(EPISODE_LENGTH):
        if returns:
            stay_on = SESSION_END * ((1 - SWAP) * ahead[0] + SWAP * ahead[0, ::-1])
            to_come = (1 - SESSION_END) * ahead + stay_on
        else:
            to_come = (1 - swap) * ahead + swap * ahead[:, ::-1]
        reward = np.full((len(CELLS), 2), STEP_REWARD)
        reward[goals] = OTHER_GOAL_REWARD
        reward[goals, [0, 1]] = GOAL_REWARD
        ahead = (reward + to_come)[NEXT].max(1)
    return float(ahead[0].mean() if returns else np.delete(ahead, goals, 0).mean())


def goal_pairs(returns: bool = True) -> Iterable[tuple[int, int]]:
    """All pairs of goals that an episode may have (their order does not matter)."""
    return combinations(range(1 if returns else 0, SIZE * SIZE), 2)


def bounds(returns: bool = True) -> dict[str, float]:
    """Bayes-optimal and oracle return, means over all pairs of goals. Some ten seconds."""
    pairs = list(goal_pairs(returns))
    return {
        "bayes": float(np.mean([bayes_value(*pair, returns) for pair in pairs])),
        "oracle": float(np.mean([oracle_value(*pair, returns) for pair in pairs])),
    }
