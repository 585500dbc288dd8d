"""The grid of the gridworld family: 25 cells, the moves between them, and how an agent sees them.

A cell is its number, row · 5 + column. An observation is one-hot: the agent's row and column, then row and column offset to
each goal in view; it is written from the few columns that are 1 (:class:`View`, :class:`OneHot`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scenes.errors import InputError

SIZE = 5
N_CELLS = SIZE * SIZE
#: (25, 2) row and column of every cell.
CELLS = np.stack(np.divmod(np.arange(N_CELLS), SIZE), 1)
#: Stay, up, down, left, right as (row, column) steps.
MOVES = np.array([(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)])
#: (25, 5) cell that each move leads to; the border stops a step.
NEXT = np.clip(CELLS[:, None] + MOVES, 0, SIZE - 1) @ (SIZE, 1)
#: (25, 25) steps between two cells.
DISTANCE = np.abs(CELLS[:, None] - CELLS).sum(-1)

#: Entries of a one-hot position (row, column), and of a one-hot offset to a goal (row, column).
N_POSITION, N_OFFSET = 2 * SIZE, 2 * (2 * SIZE - 1)


def n_one_hot(n_goals: int) -> int:
    """Entries of an observation with ``n_goals`` goals in view."""
    return N_POSITION + n_goals * N_OFFSET


class View:
    """What agents see: the columns of their observations that are 1.

    Args:
        goals: (N, G) cells in view, which stay where they are.
    """

    def __init__(self, goals: np.ndarray) -> None:
        n, n_goals = goals.shape
        starts = N_POSITION + np.arange(2 * n_goals) * (N_OFFSET // 2)  # of each offset's block
        #: (N, G, 2) column that is hot when the agent stands in row or column 0.
        self._anchors = CELLS[goals] + starts.reshape(n_goals, 2) + SIZE - 1
        self._columns = np.empty((n, 1 + n_goals, 2), np.intp)

    def hot(self, cells: np.ndarray) -> np.ndarray:
        """(N,) cells → (N, 2 + 2 G) columns; overwritten by the next call."""
        place = np.take(CELLS, cells, axis=0)  # (N, 2)
        self._columns[:, 0] = place
        self._columns[:, 0, 1] += SIZE
        np.subtract(self._anchors, place[:, None], out=self._columns[:, 1:])
        return self._columns.reshape(len(cells), -1)


def read_view(observations: np.ndarray, n_goals: int) -> tuple[np.ndarray, np.ndarray]:
    """What was seen: observations (n, S) → the agent's cells (n,) and the goals' (n, G)."""

    def hot(first: int, width: int) -> np.ndarray:
        return observations[:, first : first + width].argmax(1)

    place = np.stack((hot(0, SIZE), hot(SIZE, SIZE)), 1)  # (n, 2)
    width = N_OFFSET // 2
    columns = [hot(N_POSITION + i * width, width) for i in range(2 * n_goals)]
    offsets = np.array(columns, int).T.reshape(len(place), n_goals, 2) - (SIZE - 1)
    return place @ (SIZE, 1), (place[:, None] + offsets) @ (SIZE, 1)


class OneHot:
    """Writes one-hot rows into an array, touching only what changes.

    Args:
        out: (N, S) contiguous; columns that are never hot are left alone.
    """

    def __init__(self, out: np.ndarray) -> None:
        self._flat, self._rows = out.reshape(-1), np.arange(len(out))[:, None] * out.shape[1]
        self._hot = np.zeros(0, np.intp)

    def write(self, columns: np.ndarray) -> None:
        """Make ``columns`` (N, H) the ones of each row."""
        self._flat[self._hot] = 0.0
        self._hot = (columns + self._rows).ravel()
        self._flat[self._hot] = 1.0


def place_of(cell: int) -> tuple[int, int]:
    """Row and column of a cell's number."""
    return int(cell) // SIZE, int(cell) % SIZE


def parse_cell(value: Any, where: str) -> int:
    """A cell's number from ``[row, column]``."""
    whole = isinstance(value, (list, tuple)) and len(value) == 2
    if not whole or not all(type(v) is int and 0 <= v < SIZE for v in value):
        raise InputError(where, value, f"[row, column], whole numbers from 0 to {SIZE - 1}")
    return int(value[0]) * SIZE + int(value[1])


def draw_layouts(
    n: int, start: int | None, goals: Sequence[int] | None, n_goals: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Starts (N,) and goals (N, G), all different within a copy, uniform over the cells that are not given.

    Args:
        start, goals: cells that are the same in every copy; None: drawn.
    """
    taken = ({start} if start is not None else set()) | set(goals or ())
    free = np.array([cell for cell in range(N_CELLS) if cell not in taken])
    # A random order of the free cells: goals from its front, the start from its back.
    order = free[rng.random((n, len(free))).argsort(1)]
    starts = order[:, -1] if start is None else np.full(n, start)
    return starts, order[:, :n_goals] if goals is None else np.tile(goals, (n, 1))
