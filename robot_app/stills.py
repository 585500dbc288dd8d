"""Single pictures of a film: numbered PNG, an animated GIF, and the one still that shows what matters.

Each takes one picture per step of the scene.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dynamite.acting import Frame
from robot_app.files import write_atomic

GIF_WIDTH = 640


class StillWriter:
    """``folder/000060.png`` for step 60."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, frame: Frame, image: np.ndarray) -> None:
        Image.fromarray(image).save(self.folder / f"{frame.t:06d}.png", compress_level=4)


class GifWriter:
    """An animated GIF at the scene's own rate, at most 640 pixels wide; written when closed.

    Args:
        path: of the file.
        step_s: seconds per step.
    """

    def __init__(self, path: Path, step_s: float) -> None:
        self._path, self._step_s = path, step_s
        self._pictures: list[Image.Image] = []

    def write(self, frame: Frame, image: np.ndarray) -> None:
        picture = Image.fromarray(image)
        if picture.width > GIF_WIDTH:
            picture = picture.resize(
                (GIF_WIDTH, round(picture.height * GIF_WIDTH / picture.width)), Image.Resampling.LANCZOS
            )
        # One byte per pixel from here on: 200 pictures of 640×360 are 46 MB.
        self._pictures.append(picture.quantize(255, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE))

    def __enter__(self) -> GifWriter:
        return self

    def __exit__(self, *_) -> None:
        if not self._pictures:
            return
        partial = self._path.with_name(f".{self._path.name}.partial")
        first, *others = self._pictures
        first.save(
            partial,
            format="GIF",
            save_all=True,
            append_images=others,
            duration=round(1000 * self._step_s),
            loop=0,
            optimize=False,
        )
        partial.replace(self._path)


class BestStill:
    """The first picture of the best moment: after a change of the preference, rewarded, touching — in this order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._best: tuple[bool, int, bool] | None = None
        self._image: np.ndarray | None = None

    def write(self, frame: Frame, image: np.ndarray) -> None:
        touching = frame.markers is not None and frame.markers.force is not None
        score = (frame.session > 0, round(frame.reward), touching)
        if self._best is None or score > self._best:
            self._best, self._image = score, image

    def __enter__(self) -> BestStill:
        return self

    def __exit__(self, *_) -> None:
        if self._image is not None:
            write_atomic(self._path, png(self._image))


def png(image: np.ndarray) -> bytes:
    """(H, W, 3) uint8 as a PNG file's bytes."""
    import io

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return buffer.getvalue()
