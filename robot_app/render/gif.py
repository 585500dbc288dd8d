"""GifWriter: an animated GIF written picture by picture, so that it may be long and may be cut off."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from robot_app.render.container import ContainerWriter

#: Wider pictures are brought down to this: a GIF is for a page.
GIF_WIDTH = 640


class GifWriter:
    """Args:
    path: of the file, made with the first picture.
    step_s: seconds that a picture stands; a GIF counts in hundredths.
    """

    def __init__(self, path: Path, step_s: float) -> None:
        self.path, self._step_s = path, step_s
        self._writer: ContainerWriter | None = None

    def write(self, image: np.ndarray) -> None:
        """Append one (height, width, 3) uint8 picture.

        Raises:
            OutputError: the disk refuses it.
        """
        picture = Image.fromarray(image)
        if picture.width > GIF_WIDTH:
            height = round(picture.height * GIF_WIDTH / picture.width)
            picture = picture.resize((GIF_WIDTH, height), Image.Resampling.LANCZOS)
        if self._writer is None:
            rate = Fraction(100, max(2, round(100 * self._step_s)))  # browsers slow down below two hundredths
            self._writer = ContainerWriter(self.path, "gif", "gif", picture.size, rate, "pal8")
        # A palette per picture, and no dither: what stands still must not flicker.
        indexed = picture.quantize(255, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        colors = np.array(indexed.getpalette("RGB"), np.uint8).reshape(-1, 3)
        palette = np.full((256, 4), 255, np.uint8)  # alpha, red, green, blue
        palette[: len(colors), 1:] = colors
        pixels: Any = (np.asarray(indexed), palette)  # PyAV's stubs know no pair
        self._writer.add(av.VideoFrame.from_ndarray(pixels, format="pal8"))

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> GifWriter:
        return self

    def __exit__(self, *_) -> None:
        self.close()
