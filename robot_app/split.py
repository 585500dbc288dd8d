"""A picture shared by several views of equal size, with a gutter between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

GUTTER_COLOR = {"dark": (6, 7, 9), "light": (255, 255, 255)}


@dataclass(frozen=True)
class Grid:
    """``rows`` × ``columns`` cells in a picture.

    Attributes:
        cell: (width, height) of each, pixels; equal, so that one renderer serves all.
        gutters: (horizontal, vertical) pixels between neighbours.
    """

    rows: int
    columns: int
    size: tuple[int, int]
    cell: tuple[int, int]
    gutters: tuple[int, int]

    @staticmethod
    def of(size: tuple[int, int], rows: int, columns: int) -> Grid:
        across, down = _gutter(size[0], columns), _gutter(size[1], rows)
        cell = ((size[0] - across * (columns - 1)) // columns, (size[1] - down * (rows - 1)) // rows)
        return Grid(rows, columns, size, cell, (across, down))

    def join(self, pictures: list[np.ndarray], theme: str) -> np.ndarray:
        """(H, W, 3) uint8 from the cells' pictures, row by row; cells without one stay empty."""
        if len(pictures) == 1 and self.cell == self.size:
            return pictures[0]
        whole = np.empty((self.size[1], self.size[0], 3), np.uint8)
        whole[:] = GUTTER_COLOR[theme]
        for k, picture in enumerate(pictures):
            row, column = divmod(k, self.columns)
            top = row * (self.cell[1] + self.gutters[1])
            left = column * (self.cell[0] + self.gutters[0])
            whole[top : top + self.cell[1], left : left + self.cell[0]] = picture
        return whole


def near_square(n: int) -> tuple[int, int]:
    """Rows and columns for ``n`` cells: two and three side by side, four as two by two."""
    rows = max(1, math.floor(math.sqrt(n)))
    return rows, math.ceil(n / rows)


def _gutter(length: int, n: int) -> int:
    """At least 2 pixels, and such that the rest is divided evenly."""
    if n == 1:
        return 0
    least = max(2, round(length / 400))
    return next(g for g in range(least, least + 2 * n + 1) if (length - g * (n - 1)) % n == 0)
