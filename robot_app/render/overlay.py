"""What is written over a film: who acts, what is true and what is believed, reward, sessions, force.

Everything is read from the Frames up to now, so the same call serves a live view, a film and a still. Meaning never
hangs on colour alone: truth is a ring, belief a disc, a change a marker with a line.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np

from dynamite.acting import Frame
from robot_app.render.compact import draw_compact
from robot_app.render.past import Past
from robot_app.render.readout import force_of, measures_force, number, readings
from robot_app.render.typeset import INKS, Box, Card, Ink
from scenes.errors import InputError
from scenes.latent import LatentSpace

PARTS: tuple[str, ...] = ("belief", "reward", "session", "force", "title")
#: The gauge's full scale, and where a touch becomes unpleasant (the scenes' reward: 10 N).
FORCE_FULL_N, FORCE_LIMIT_N = 15.0, 10.0
#: Design units below which cards would cover the scene or each other: then rows of text, see :mod:`.compact`.
ROOM_FOR_CARDS = (700, 500)


def check_parts(parts: Collection[str], where: str = "--overlay") -> frozenset[str]:
    """``parts`` as a set.

    Raises:
        InputError: one of them does not exist.
    """
    for part in parts:
        if part not in PARTS:
            raise InputError(where, part, ", ".join(PARTS))
    return frozenset(parts)


def draw_overlay(
    image: np.ndarray,
    history: Sequence[Frame] | Past,
    parts: Collection[str] = PARTS,
    *,
    policy: str = "",
    scene: str = "",
    latent_space: LatentSpace | None = None,
    total_steps: int = 200,
    step_s: float = 0.1,
    theme: str = "dark",
    text_boxes: list[Box] | None = None,
) -> np.ndarray:
    """``image`` with the overlay drawn on a copy.

    Args:
        image: (H, W, 3) uint8.
        history: the episode's Frames up to the one shown, oldest first; or what a long film keeps of them.
        parts: which of :data:`PARTS`; force only where the scene has any.
        policy, scene: names to show.
        latent_space: for the labels of preferences; without it values are written plainly.
        total_steps: length of the time axis (it grows with a longer episode).
        step_s: seconds per step.
        text_boxes: if given, the pixel box of every piece of text is appended.

    Returns:
        (H, W, 3) uint8, contiguous.
    """
    chosen = check_parts(parts, "overlay parts")
    past = history if isinstance(history, Past) else Past(history)
    frame = past.frame
    if frame is None:
        return np.ascontiguousarray(image)
    if not measures_force(frame):
        chosen -= {"force"}
    picture = np.array(image)
    page = _Page(picture, INKS[theme], text_boxes)
    if page.width < ROOM_FOR_CARDS[0] * page.u or page.height < ROOM_FOR_CARDS[1] * page.u:
        names = (policy, scene)
        draw_compact(picture, past, chosen, names, latent_space, total_steps, step_s, page.ink, text_boxes)
        return picture
    if "title" in chosen:
        _title(page, frame, policy, scene, step_s)
    if "belief" in chosen:
        _belief(page, frame, latent_space)
    bottom = chosen & {"reward", "session", "force"}
    if bottom:
        _bottom(page, past, bottom, total_steps, step_s)
    return picture


class _Page:
    """A picture with a unit: u pixels to a design unit, 1 at 720p and never so small that text cannot be read."""

    def __init__(self, picture: np.ndarray, ink: Ink, boxes: list[Box] | None) -> None:
        self.picture, self.ink, self.boxes = picture, ink, boxes
        self.height, self.width = picture.shape[:2]
        self.u = max(min(self.height / 720, self.width / 1000), 0.66)
        self.margin = round(16 * self.u)

    def px(self, units: float) -> int:
        return round(units * self.u)

    def card(self, left: float, top: float, width: float, height: float) -> Card:
        left, top = max(0, round(left)), max(0, round(top))
        box = (left, top, min(self.width, left + round(width)), min(self.height, top + round(height)))
        return Card(self.picture, box, self.ink, self.px(9), self.boxes)


def _title(page: _Page, frame: Frame, policy: str, scene: str, step_s: float) -> None:
    ink, px = page.ink, page.px
    lines = [text for text in (policy, scene) if text] or ["policy"]
    room = page.width - 3 * page.margin - px(300)
    card = page.card(page.margin, page.margin, min(px(400), room), px(58))
    card.shapes_done()
    clock = f"{frame.t * step_s:.1f} s"
    card.text(card.width - px(13), px(26), clock, px(17), ink.text, bold=True, anchor="rs", width=px(80))
    card.text(card.width - px(13), px(46), f"step {frame.t}", px(12.5), ink.quiet, anchor="rs", width=px(80))
    card.text(px(14), px(26), lines[0], px(17), ink.text, bold=True, width=card.width - px(108))
    second = f"{lines[1]} · session {frame.session + 1}" if len(lines) > 1 else f"session {frame.session + 1}"
    card.text(px(14), px(46), second, px(12.5), ink.quiet, width=card.width - px(108))
    card.done()


def _belief(page: _Page, frame: Frame, space: LatentSpace | None) -> None:
    """A block per latent field, as many as leave the scene in view: truth and best guess, and a bar for how sure; only
    the truth where nothing is believed."""
    ink, px = page.ink, page.px
    believes = frame.belief is not None
    block, width = (px(86), px(300)) if believes else (px(50), px(262))
    shown = readings(frame, space)[: max(1, int(0.4 * page.height / block))]
    card = page.card(page.width - page.margin - width, page.margin, width, px(10) + block * len(shown))
    x, mark = px(36), px(20)
    for k, reading in enumerate(shown):
        true, guess, bar = (k * block + px(y) for y in (47, 72, 82))
        card.disc(mark, true - px(5), px(6), ink.truth, hole=px(4))
        card.disc(mark, true - px(5), px(1.6), ink.change)
        if believes:
            card.disc(mark, guess - px(5), px(5), ink.belief)
        if math.isfinite(reading.sure):
            end = card.width - px(52)
            card.rectangle(x, bar, end, bar + px(5), ink.grid, radius=px(2.5))
            full = x + (end - x) * min(1.0, max(0.02, reading.sure))
            card.rectangle(x, bar, full, bar + px(5), ink.belief, radius=px(2.5))
    card.shapes_done()
    for k, reading in enumerate(shown):
        top = k * block
        card.text(px(14), top + px(24), reading.label.upper(), px(11), ink.quiet, bold=True)
        rows = (("true", reading.truth, 47), ("belief", reading.guess, 72))
        for name, text, y in rows if believes else rows[:1]:
            card.text(x, top + px(y), name, px(13), ink.quiet)
            card.text(x + px(58 if believes else 42), top + px(y), text, px(13.5), ink.text)
        if math.isfinite(reading.sure):
            sure, right = f"{100 * reading.sure:.0f} %", card.width - px(12)
            card.text(right, top + px(89), sure, px(11.5), ink.text, anchor="rs", width=px(40))
    card.done()


# ---------------------------------------------------------------------------------------------- the bottom strip
def _bottom(page: _Page, past: Past, parts: frozenset[str], total_steps: int, step_s: float) -> None:
    px = page.px
    height = px(92)
    card = page.card(page.margin, page.height - page.margin - height, page.width - 2 * page.margin, height)
    left, right = px(16), card.width - px(16)
    texts: list[tuple] = []
    if "reward" in parts:
        end = left + px(196) if "session" in parts else right - (px(140) if "force" in parts else 0)
        texts += _reward(page, card, past, left, end, total_steps)
        left = end + px(24)
    if "force" in parts:
        start = right - px(112)
        texts += _force(page, card, past, start, right)
        right = start - px(24)
    if "session" in parts and right - left > px(80):
        texts += _sessions(page, card, past, left, right, total_steps, step_s)
    card.shapes_done()
    for text in texts:
        card.text(*text[:5], **text[5])
    card.done()


def _axis(past: Past, total_steps: int, left: float, right: float):
    """Steps to pixels: the whole episode, which grows if it runs over."""
    steps = max(total_steps, past.curve[-1][0], 1)
    return lambda t: left + (right - left) * t / steps


def _reward(page: _Page, card: Card, past: Past, left: int, right: int, total_steps: int) -> list[tuple]:
    ink, px = page.ink, page.px
    steps, total, _ = zip(*past.curve, strict=True)
    now = past.frame.reward if past.frame is not None else 0.0
    column = left + px(84)
    at = _axis(past, total_steps, column, right)
    top, base = px(20), card.height - px(18)
    low, high = min(0.0, *total), max(1.0, *total)
    scale = (base - top) / (high - low)
    zero = base - (0 - low) * scale
    points = [(at(t), base - (value - low) * scale) for t, value in zip(steps, total, strict=True)]
    card.line([(column, zero), (right, zero)], ink.grid, px(1))
    card.area(points, zero, (*ink.reward[:3], 46))
    card.line(points, ink.reward, px(1.6))
    card.disc(*points[-1], px(2.6), ink.reward)
    return [
        (left, px(28), "RETURN", px(11), ink.quiet, {"bold": True, "width": px(76)}),
        (left, px(56), number(past.total), px(22), ink.text, {"bold": True, "width": px(78)}),
        (left, px(76), f"{now:+.2f} now", px(11.5), ink.quiet, {"width": px(78)}),
    ]


def _force(page: _Page, card: Card, past: Past, left: int, right: int) -> list[tuple]:
    ink, px = page.ink, page.px
    newton = 0.0 if past.frame is None else force_of(past.frame)
    y0, y1 = px(66), px(73)
    card.rectangle(left, y0, right, y1, ink.grid, radius=px(3))
    end = left + (right - left) * min(1.0, newton / FORCE_FULL_N)
    if end - left >= 1:
        card.rectangle(left, y0, max(end, left + px(5)), y1, ink.force, radius=px(3))
    limit = left + (right - left) * FORCE_LIMIT_N / FORCE_FULL_N
    card.line([(limit, y0 - px(4)), (limit, y1 + px(4))], ink.change, px(1.4))
    return [
        (left, px(28), "FORCE", px(11), ink.quiet, {"bold": True, "width": right - left}),
        (left, px(56), f"{newton:.1f} N", px(20), ink.text, {"bold": True, "width": right - left}),
    ]


def _sessions(
    page: _Page, card: Card, past: Past, left: int, right: int, total_steps: int, step_s: float
) -> list[tuple]:
    """Sessions as bands, true changes as marks, the predicted end of a session as a curve on the same axis."""
    ink, px = page.ink, page.px
    at = _axis(past, total_steps, left, right)
    top, base = px(38), card.height - px(24)
    starts, now = past.starts, past.curve[-1][0]
    texts: list[tuple] = []
    for (t0, session), (t1, _) in zip(starts, [*starts[1:], (now, -1)], strict=True):
        card.rectangle(at(t0), top, at(t1), base, ink.band[session % 2])
        if at(t1) - at(t0) > px(22):
            texts.append(
                ((at(t0) + at(t1)) / 2, base - px(5), str(session + 1), px(11), ink.quiet, {"anchor": "ms"})
            )
    card.line([(left, base), (right, base)], ink.grid, px(1))
    predicted = [(at(t), base - (base - top) * float(p)) for t, _, p in past.curve if p is not None]
    card.area(predicted, base, (*ink.belief[:3], 70))
    card.line(predicted, ink.belief, px(1.5))
    for t, _ in starts[1:]:
        card.line([(at(t), top - px(3)), (at(t), base)], ink.change, px(1.3))
        card.triangle(at(t), top - px(1), px(3.6), ink.change)
    card.line([(at(now), top - px(4)), (at(now), base + px(3))], ink.text, px(1.2))
    steps = max(total_steps, now, 1)
    for share in (0.0, 0.5, 1.0):
        x, anchor = left + share * (right - left), {0.0: "ls", 0.5: "ms", 1.0: "rs"}[share]
        label = f"{share * steps * step_s:.{0 if steps * step_s >= 4 else 1}f} s"
        texts.append(
            (x, card.height - px(8), label, px(10.5), ink.quiet, {"anchor": anchor, "width": px(60)})
        )
    wide = right - left > px(380)
    texts.append((left, px(22), "SESSIONS", px(11), ink.quiet, {"bold": True, "width": px(90)}))
    if wide:
        texts.append((left + px(92), px(22), "true change", px(11), ink.change, {"width": px(90)}))
        card.triangle(left + px(84), px(21), px(3.6), ink.change)
        if predicted:
            label = f"predicted end of session  {100 * (past.curve[-1][2] or 0):.0f} %"
            card.rectangle(left + px(184), px(14), left + px(196), px(20), ink.belief, radius=px(2))
            texts.append(
                (left + px(202), px(22), label, px(11), ink.belief, {"width": right - left - px(204)})
            )
    return texts
