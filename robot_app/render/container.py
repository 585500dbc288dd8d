"""ContainerWriter: pictures through an encoder into a file that is whole after every picture it took.

What reaches the disk plays: nothing is buffered here, and where the disk refuses a piece, the file is cut back to the
last whole one.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from robot_app.files import OutputError, WholeFile
from scenes.errors import InputError


class ContainerWriter:
    """Args:
        path: of the file; its folder is made. container, codec: names of FFmpeg's.
        size: (width, height), pixels. rate: pictures per second.
        pix_fmt: what the encoder takes. options: of the container.

    Attributes:
        n_frames: pictures written.

    Raises:
        InputError: the file cannot be made.
    """

    def __init__(
        self,
        path: Path,
        container: str,
        codec: str,
        size: tuple[int, int],
        rate: Fraction,
        pix_fmt: str,
        options: dict[str, str] | None = None,
    ) -> None:
        self.path, self.n_frames = path, 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = WholeFile(path, "w")
        except OSError as error:
            raise InputError(
                "film path", str(path), f"a file that can be written ({error.strerror})"
            ) from None
        self._container: av.container.OutputContainer | None = av.open(
            self._file, "w", format=container, options={"flush_packets": "1", **(options or {})}
        )
        stream: Any = self._container.add_stream(codec, rate=rate)
        self._stream = stream
        self._stream.width, self._stream.height = size
        self._stream.pix_fmt = pix_fmt
        self._stream.time_base = 1 / rate
        self._whole = 0

    @property
    def encoder(self) -> Any:
        """The codec's context, to be set up before the first picture."""
        return self._stream.codec_context

    @property
    def closed(self) -> bool:
        return self._container is None

    def add(self, frame: av.VideoFrame) -> None:
        """Append one picture.

        Raises:
            OutputError: the disk refuses it; the file has been closed, and holds what it took before.
        """
        assert self._container is not None
        frame.pts = self.n_frames
        try:
            self._container.mux(self._stream.encode(frame))
        except (OSError, av.FFmpegError) as error:
            self._cut()
            raise OutputError(self.path, getattr(error, "strerror", None)) from None
        self._whole = self._file.tell()
        self.n_frames += 1

    def close(self) -> None:
        """Finish the file; safe to call twice.

        Raises:
            OutputError: the disk refuses the end of it.
        """
        if self._container is None:
            return
        try:
            if self.n_frames:
                self._container.mux(self._stream.encode(None))
            self._container.close()
        except (OSError, av.FFmpegError) as error:
            self._cut()
            raise OutputError(self.path, getattr(error, "strerror", None)) from None
        self._container = None
        self._file.close()

    def _cut(self) -> None:
        """Give up, and leave the pieces that are whole."""
        container, self._container = self._container, None
        try:
            if container is not None:
                container.close()
        except (OSError, av.FFmpegError):
            pass  # the disk is as full as before
        self._file.truncate(self._whole)
        self._file.close()
