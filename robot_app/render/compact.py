"""The overlay of a small picture: rows of text at the edges, as many as leave the middle free, and none that do not fit.

The first to go are the belief's rows, then the title; a picture too small for one row of text is left alone.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from robot_app.render.past import Past
from robot_app.render.readout import force_of, number, readings
from robot_app.render.typeset import Box, Card, Ink, font
from scenes.latent import LatentSpace

#: Pixels: height of a row, size of its type (the smallest that can be read), and how far from the edge.
ROW, TYPE, EDGE = 14, 9, 3
#: Share of the picture's height that rows may take.
MOST = 0.5
#: Pixels below which no number fits.
NARROWEST = 40


def draw_compact(
    picture: np.ndarray,
    past: Past,
    parts: Collection[str],
    names: tuple[str, str],
    space: LatentSpace | None,
    total_steps: int,
    step_s: float,
    ink: Ink,
    boxes: list[Box] | None,
) -> None:
    """Write on ``picture`` (H, W, 3) uint8; arguments as for :func:`robot_app.render.overlay.draw_overlay`."""
    height, width = picture.shape[:2]
    frame = past.frame
    room = int((MOST * height - EDGE) / ROW)
    if frame is None or width < NARROWEST or room < 1:
        return

    def card(top: int, rows: int) -> Card:
        return Card(picture, (EDGE, top, width - EDGE, top + rows * ROW + 2), ink, 4, boxes)

    bottom = {"reward", "session", "force"} & set(parts)
    if bottom:
        room -= 1
        _numbers(card(height - EDGE - ROW - 2, 1), past, bottom, total_steps, ink)
    title = "title" in parts and room > 0
    believes = frame.belief is not None
    belief = "belief" in parts and room >= 1 + believes + title and width >= 3 * NARROWEST
    if not (title or belief):
        return
    top = card(EDGE, title + (1 + believes) * belief)
    if belief:
        reading, first = readings(frame, space)[0], ROW * title
        top.disc(8, first + 8, 4, ink.truth, hole=2.5)
        if believes:
            top.disc(8, first + ROW + 8, 3.5, ink.belief)
    top.shapes_done()
    if title:
        clock = f"{frame.t * step_s:.1f} s"
        taken = _type(top, top.width - 5, 0, clock, ink, anchor="rs")
        _type(top, 5, 0, names[0] or names[1] or "policy", ink, room=top.width - taken - 16)
    if belief:
        sure = f"  {100 * reading.sure:.0f} %" if np.isfinite(reading.sure) else ""
        _type(top, 16, title, reading.truth, ink, room=top.width - 20)
        if believes:
            _type(top, 16, title + 1, reading.guess + sure, ink, room=top.width - 20)
    top.done()


def _numbers(card: Card, past: Past, parts: Collection[str], total_steps: int, ink: Ink) -> None:
    """Return, sessions as bands with the changes between them, force: from left to right, the bands in between."""
    assert past.frame is not None
    left, right = 5.0, card.width - 5.0
    total = number(past.total) if "reward" in parts else ""
    force = f"{force_of(past.frame):.1f} N" if "force" in parts else ""
    face = font(TYPE, True)
    start = left + (face.getlength(total) + 6 if total else 0)
    end = right - (face.getlength(force) + 6 if force else 0)
    if start > end:  # not both: the return is what counts
        force, end = "", right
    if "session" in parts and end - start >= 12:
        steps = max(total_steps, past.curve[-1][0], 1)
        at = [start + (end - start) * t / steps for t in (*(t for t, _ in past.starts), past.curve[-1][0])]
        for k, (_, session) in enumerate(past.starts):
            card.rectangle(at[k], 4, at[k + 1], ROW - 2, ink.band[session % 2])
            if k:
                card.line([(at[k], 3), (at[k], ROW - 1)], ink.change, 1.0)
        card.line([(start, ROW - 2), (end, ROW - 2)], ink.grid, 1.0)
        card.line([(at[-1], 3), (at[-1], ROW - 1)], ink.text, 1.0)
    card.shapes_done()
    _type(card, left, 0, total, ink, bold=True)
    _type(card, right, 0, force, ink, bold=True, anchor="rs")
    card.done()


def _type(
    card: Card,
    x: float,
    row: int,
    text: str,
    ink: Ink,
    bold: bool = False,
    anchor: str = "ls",
    room: float | None = None,
) -> float:
    """Write into a row; returns how wide the whole text is."""
    card.text(x, row * ROW + 12, text, TYPE, ink.text, bold=bold, anchor=anchor, width=room)
    return font(TYPE, bold).getlength(text)
