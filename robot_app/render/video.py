"""FilmWriter: frames to an MP4 that plays everywhere, and that a crash leaves playable.

H.264 in a *fragmented* MP4: the index comes in pieces with the pictures, a piece a second, so whatever has reached the
disk is a film. Memory stays flat.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from robot_app.render.container import ContainerWriter
from scenes.errors import InputError


class FilmWriter:
    """Writes one film; use it as a context manager, or close it.

    Args:
        path: an ``.mp4`` file.
        size: (width, height) of the frames in pixels; an odd one is padded by repeating the last row or column.
        fps: frames per second.
        crf: H.264 quality, 0 (lossless) … 51; 18 looks like the original.
        preset: x264's speed: ``ultrafast`` … ``veryslow``.
        force: replace an existing file.

    Raises:
        InputError: the file exists (without ``force``), cannot be written, or an argument makes no sense.
    """

    def __init__(
        self,
        path: str | Path,
        size: tuple[int, int],
        fps: float = 30,
        *,
        crf: int = 19,
        preset: str = "veryfast",
        force: bool = False,
    ) -> None:
        self.path, self.size = Path(path), (int(size[0]), int(size[1]))
        if self.path.suffix.lower() != ".mp4":
            raise InputError("film path", str(path), "a file that ends in .mp4")
        if min(self.size) < 16 or max(self.size) > 8192:
            raise InputError("film size", f"{size[0]}x{size[1]}", "16 to 8192 pixels a side")
        if not 1 <= fps <= 240:
            raise InputError("film fps", fps, "1 to 240")
        if not 0 <= crf <= 51:
            raise InputError("film crf", crf, "0 (lossless) to 51")
        if self.path.exists() and not force:
            raise InputError("film path", str(path), "a file that does not exist yet, or --force")
        self._even = (self.size[0] + self.size[0] % 2, self.size[1] + self.size[1] % 2)
        rate = Fraction(fps).limit_denominator(1001)
        second = max(1, round(float(rate)))
        fragments = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
        self._writer = ContainerWriter(self.path, "mp4", "libx264", self._even, rate, "yuv420p", fragments)
        # No look-ahead and no B-frames: a frame given is a frame on its way to the disk.
        self._writer.encoder.gop_size = second
        self._writer.encoder.options = {
            "crf": str(crf),
            "preset": preset,
            "tune": "zerolatency",
            "x264-params": f"keyint={second}:min-keyint={second}:scenecut=0",
        }

    @property
    def n_frames(self) -> int:
        """Pictures written so far."""
        return self._writer.n_frames

    def write(self, image: np.ndarray) -> None:
        """Append one (height, width, 3) uint8 frame.

        Raises:
            InputError: its size is not the film's, or the film is closed.
            OutputError: the disk refuses it.
        """
        if self._writer.closed:
            raise InputError("film", "a frame after close()", "frames before close()")
        width, height = self.size
        if image.shape != (height, width, 3) or image.dtype != np.uint8:
            raise InputError("film frame", f"{image.shape} {image.dtype}", f"({height}, {width}, 3) uint8")
        if self._even != self.size:
            pad = ((0, self._even[1] - height), (0, self._even[0] - width), (0, 0))
            image = np.pad(image, pad, mode="edge")
        self._writer.add(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"))

    def close(self) -> None:
        """Finish the file; safe to call twice.

        Raises:
            OutputError: the disk refuses the end of it.
        """
        self._writer.close()

    def __enter__(self) -> FilmWriter:
        return self

    def __exit__(self, *_) -> None:
        self.close()
