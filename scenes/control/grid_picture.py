"""The picture of a gridworld: a board seen from above, marks on it, and the agent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scenes.control.grid import SIZE

Colour = tuple[int, int, int]
#: Colours that the colour-blind can tell apart (Okabe and Ito, 2008).
ORANGE, BLUE, GREEN, VERMILION = (230, 159, 0), (0, 114, 178), (0, 158, 115), (213, 94, 0)
BACKGROUND, CELL, LINE, INK, PAPER = (
    (250, 250, 248),
    (236, 236, 232),
    (206, 206, 200),
    (40, 40, 40),
    (255, 255, 255),
)
#: Edges are smooth because the board is drawn this many times larger.
SUPERSAMPLE = 3


@dataclass(frozen=True)
class Mark:
    """Something on the board.

    Attributes:
        place: row and column; cells have their centres at whole numbers.
        shape: a filled ``disc`` or ``square``; a ``ring`` or a ``cross``, for what is hidden.
        text: a letter on it.
    """

    place: tuple[float, float]
    shape: Literal["disc", "square", "ring", "cross"]
    colour: Colour
    text: str = ""


def draw_board(
    agent: tuple[int, int],
    start: tuple[int, int],
    marks: Sequence[Mark],
    caption: str = "",
    cell_px: int = 80,
) -> np.ndarray:
    """(H, W, 3) uint8.

    Args:
        agent, start: row and column.
        caption: a line under the board.
        cell_px: side of a cell.
    """
    unit = cell_px * SUPERSAMPLE
    margin, foot = unit // 4, (unit // 2 if caption else unit // 4)
    width = SIZE * unit + 2 * margin
    image = Image.new("RGB", (width, SIZE * unit + margin + foot), BACKGROUND)
    pen = ImageDraw.Draw(image)

    def box(row: float, column: float, half: float) -> tuple[float, float, float, float]:
        """A square of 2 · ``half`` cells around a place."""
        x, y = margin + (column + 0.5) * unit, margin + (row + 0.5) * unit
        return (x - half * unit, y - half * unit, x + half * unit, y + half * unit)

    for cell in range(SIZE * SIZE):
        pen.rectangle(box(*divmod(cell, SIZE), 0.5), fill=CELL, outline=LINE, width=SUPERSAMPLE)
    pen.rectangle(box(*start, 0.44), outline=LINE, width=unit // 20)
    for mark in marks:
        place = box(*mark.place, 0.36)
        if mark.shape == "disc":
            pen.ellipse(place, fill=mark.colour)
        elif mark.shape == "square":
            pen.rectangle(place, fill=mark.colour)
        elif mark.shape == "ring":
            pen.ellipse(box(*mark.place, 0.46), outline=mark.colour, width=unit // 16)
        else:
            x0, y0, x1, y1 = box(*mark.place, 0.2)
            for ends in ((x0, y0, x1, y1), (x0, y1, x1, y0)):
                pen.line(ends, fill=mark.colour, width=unit // 16)
        if mark.text:
            x0, y0, x1, _ = box(*mark.place, 0.5)
            font = ImageFont.load_default(unit * 0.3)
            pen.text(((x0 + x1) / 2, y0 + 0.5 * unit), mark.text, PAPER, font, anchor="mm")
    pen.ellipse(box(*agent, 0.2), fill=INK, outline=PAPER, width=unit // 24)
    if caption:
        font = ImageFont.load_default(unit * 0.22)
        pen.text((margin, SIZE * unit + margin + foot / 2), caption, INK, font, anchor="lm")
    smooth = image.resize((width // SUPERSAMPLE, image.height // SUPERSAMPLE), Image.Resampling.LANCZOS)
    return np.asarray(smooth)
