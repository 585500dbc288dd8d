"""Type and smooth shapes on a picture: fonts, fitted text, and cards drawn at twice the size and brought down."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Rgba = tuple[int, int, int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Ink:
    """Colours of an overlay."""

    card: Rgba
    text: Rgba
    quiet: Rgba
    grid: Rgba
    band: tuple[Rgba, Rgba]
    belief: Rgba
    truth: Rgba
    reward: Rgba
    force: Rgba
    change: Rgba


INKS: dict[str, Ink] = {
    "dark": Ink(
        card=(16, 19, 25, 196), text=(240, 243, 247, 255), quiet=(160, 169, 182, 255), grid=(255, 255, 255, 34),
        band=((255, 255, 255, 20), (255, 255, 255, 48)), belief=(74, 196, 176, 255), truth=(255, 243, 230, 255),
        reward=(133, 178, 255, 255), force=(255, 184, 64, 255), change=(255, 110, 120, 255),
    ),
    "light": Ink(
        card=(255, 255, 255, 214), text=(24, 28, 36, 255), quiet=(96, 104, 117, 255), grid=(0, 0, 0, 26),
        band=((20, 30, 50, 12), (20, 30, 50, 34)), belief=(0, 128, 112, 255), truth=(60, 20, 24, 255),
        reward=(36, 92, 190, 255), force=(196, 104, 0, 255), change=(205, 32, 52, 255),
    ),
}  # fmt: skip


@cache
def _font_folder() -> Path:
    """DejaVu Sans comes with matplotlib; its folder is found without importing it."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("matplotlib, whose fonts are used, is not installed")
    return Path(next(iter(spec.submodule_search_locations))) / "mpl-data" / "fonts" / "ttf"


@cache
def font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(_font_folder() / name), max(8, size))


@lru_cache(maxsize=1024)  # numbers change with every step: a long film must not keep them all
def fitted(text: str, size: int, width: int, bold: bool = False) -> str:
    """``text``, shortened with an ellipsis until it is at most ``width`` pixels wide."""
    face = font(size, bold)
    if face.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        if face.getlength(text[:middle].rstrip() + "…") <= width:
            low = middle
        else:
            high = middle - 1
    return text[:low].rstrip() + "…" if low else ""


class Card:
    """A translucent card on a picture: shapes in the card's own pixels, smooth; then text, sharp.

    Args:
        picture: (H, W, 3) uint8, written to by :meth:`done`; only the card's pixels are ever converted or copied.
        box: left, top, right, bottom in pixels.
        text_boxes: if given, collects where text was written.
    """

    def __init__(
        self, picture: np.ndarray, box: Box, ink: Ink, radius: int, text_boxes: list[Box] | None
    ) -> None:
        self.box, self.ink = box, ink
        self.width, self.height = box[2] - box[0], box[3] - box[1]
        self._pixels = picture[box[1] : box[3], box[0] : box[2]]
        under = Image.fromarray(np.ascontiguousarray(self._pixels))
        under.paste(ink.card[:3], (0, 0), _mask(self.width, self.height, radius, ink.card[3]))
        # twice the size, and opaque: an RGB picture is brought down many times faster than one with alpha
        self._layer = under.resize((2 * self.width, 2 * self.height), Image.Resampling.NEAREST)
        self._draw = ImageDraw.Draw(self._layer, "RGBA")
        self._text_boxes = text_boxes

    # -- shapes: before shapes_done()
    def rectangle(
        self, left: float, top: float, right: float, bottom: float, color: Rgba, radius: float = 0
    ) -> None:
        if right > left and bottom > top:
            box = (2 * left, 2 * top, max(2 * left, 2 * right - 1), max(2 * top, 2 * bottom - 1))
            if radius:
                self._draw.rounded_rectangle(box, 2 * radius, fill=color)
            else:
                self._draw.rectangle(box, fill=color)

    def line(self, points: Sequence[tuple[float, float]], color: Rgba, width: float = 1.0) -> None:
        if len(points) > 1:
            path = [(2 * x, 2 * y) for x, y in points]
            self._draw.line(path, fill=color, width=max(1, round(2 * width)), joint="curve")

    def area(self, points: Sequence[tuple[float, float]], base: float, color: Rgba) -> None:
        """What lies between a curve and the level ``base``."""
        if len(points) > 1:
            path = [(2 * x, 2 * y) for x, y in points]
            self._draw.polygon([(path[0][0], 2 * base), *path, (path[-1][0], 2 * base)], fill=color)

    def disc(self, x: float, y: float, radius: float, color: Rgba, hole: float = 0.0) -> None:
        box = (2 * (x - radius), 2 * (y - radius), 2 * (x + radius), 2 * (y + radius))
        if hole:
            self._draw.ellipse(box, outline=color, width=max(1, round(2 * (radius - hole))))
        else:
            self._draw.ellipse(box, fill=color)

    def triangle(self, x: float, y: float, size: float, color: Rgba) -> None:
        """A mark that points down at (x, y)."""
        top = 2 * (y - 1.5 * size)
        self._draw.polygon([(2 * x, 2 * y), (2 * (x - size), top), (2 * (x + size), top)], fill=color)

    def shapes_done(self) -> None:
        self._layer = self._layer.reduce(2)
        self._draw = ImageDraw.Draw(self._layer)

    def done(self) -> None:
        """Put the card on the picture."""
        self._pixels[:] = np.asarray(self._layer)

    # -- text: after shapes_done()
    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: int,
        color: Rgba,
        bold: bool = False,
        anchor: str = "ls",
        width: float | None = None,
    ) -> None:
        """Write ``text`` with its baseline at y, at most ``width`` wide."""
        room = self.width - x - 2 if width is None else width
        if anchor[0] == "r":
            room = x - 2 if width is None else width
        elif anchor[0] == "m":
            room = 2 * min(x, self.width - x) if width is None else width
        text = fitted(text, size, max(0, int(room)), bold)
        if not text:
            return
        at = (round(x), round(y))
        face = font(size, bold)
        self._draw.text(at, text, font=face, fill=color[:3], anchor=anchor)
        if self._text_boxes is not None:
            left, top, right, bottom = map(int, self._draw.textbbox(at, text, font=face, anchor=anchor))
            x0, y0 = self.box[:2]
            self._text_boxes.append((x0 + left, y0 + top, x0 + right, y0 + bottom))


@cache
def _mask(width: int, height: int, radius: int, opacity: int) -> Image.Image:
    """A card's coverage, its corners round and smooth."""
    mask = Image.new("L", (4 * width, 4 * height), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, 4 * width - 1, 4 * height - 1), 4 * radius, fill=opacity)
    return mask.reduce(4)
