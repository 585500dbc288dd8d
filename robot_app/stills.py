"""Single pictures of a film: numbered PNG, and the one still that shows what matters.

Each takes one picture per step of the scene.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from dynamite.acting import Frame
from robot_app.files import write_atomic


class StillWriter:
    """``folder/000060.png`` for step 60, whole or not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, frame: Frame, image: np.ndarray) -> None:
        path = self.folder / f"{frame.t:06d}.png"
        partial = path.with_suffix(".partial")
        try:
            partial.write_bytes(png(image))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


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
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG", compress_level=4)
    return buffer.getvalue()
