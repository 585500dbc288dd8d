"""FilmTap: pictures as they are drawn, at uneven times, into a film of even ones; encoding on a thread of its own."""

from __future__ import annotations

import queue
import threading
import time

import numpy as np
from PIL import Image

from robot_app.drawing import Filmed
from robot_app.files import OutputError
from robot_app.render.video import FilmWriter

#: A picture stands at most this long in the film: a pause in the window is not a pause in the film.
LONGEST_S = 0.5


class FilmTap:
    """Args:
    path: an MP4 that does not exist yet. size: (width, height), even; other pictures are scaled to it.

    Raises:
        InputError: the film cannot be begun.
    """

    def __init__(self, path: str, size: tuple[int, int], fps: float) -> None:
        self.path, self._size, self._fps = path, size, fps
        self._writer = FilmWriter(path, size, fps)
        self._queue: queue.Queue[tuple[np.ndarray, int] | None] = queue.Queue(maxsize=8)
        self._error = ""
        self._last: tuple[np.ndarray, float] | None = None
        self._owed = 0.0
        self._thread = threading.Thread(target=self._encode, name="film", daemon=True)
        self._thread.start()

    @property
    def error(self) -> str:
        """Why nothing more can be written; empty while all is well."""
        return self._error

    def add(self, image: np.ndarray) -> None:
        """The picture on show from now on."""
        now = time.perf_counter()
        self._put(now)
        if (image.shape[1], image.shape[0]) != self._size:
            image = np.asarray(Image.fromarray(image).resize(self._size, Image.Resampling.BILINEAR))
        self._last = (image.copy(), now)

    def _put(self, now: float) -> None:
        """Give the last picture the time it stood."""
        if self._last is None or self._error:
            return
        image, since = self._last
        self._owed += min(now - since, LONGEST_S) * self._fps
        n = int(self._owed)
        if n:
            self._owed -= n
            self._queue.put((image, n))

    def _encode(self) -> None:
        while (item := self._queue.get()) is not None:
            image, n = item
            try:
                for _ in range(n):
                    if not self._error:
                        self._writer.write(image)
            except OutputError as error:
                self._error = str(error)

    def close(self) -> Filmed:
        """Finish the file."""
        self._put(time.perf_counter())
        self._queue.put(None)
        self._thread.join()
        try:
            self._writer.close()
        except OSError as error:  # what has reached the disk is a film all the same
            self._error = self._error or f"{self.path}: {error.strerror or error}"
        return Filmed(self.path, False, self._writer.n_frames / self._fps, self._error)
