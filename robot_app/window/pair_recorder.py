"""PairRecorder: films and stills of a comparison, both pictures side by side with their captions.

Each picture is drawn by a process of its own, so they are put together here: of a film, whatever stands on the screen; of a
still, what both drew with care. What encodes is imported when it is first needed: the window opens without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, QTimer

from robot_app.drawing import Filmed, Saved
from robot_app.files import write_atomic
from robot_app.split import GUTTER_COLOR
from robot_app.window.comparing import Comparing
from robot_app.window.panels.viewport import Panel as Viewport
from scenes.errors import InputError

if TYPE_CHECKING:
    from robot_app.film_tap import FilmTap

#: Pictures a second of a film; pixels between the two pictures.
FPS, GUTTER = 30.0, 4


class PairRecorder(QObject):
    """Args:
    viewport: where A is seen. comparing: what holds B.

    What comes of it is told as for one picture: by the workbench's ``filmed`` and ``still_saved``.
    """

    def __init__(self, viewport: Viewport, comparing: Comparing, parent: QObject) -> None:
        super().__init__(parent)
        self._bench, self._viewport, self._comparing = comparing.workbench, viewport, comparing
        self._tap: FilmTap | None = None
        self._size, self._seen = (0, 0), (0, 0)
        self._still: tuple[Path, float] | None = None  # where to, and how large
        self._parts: dict[Path, Saved | None] = {}
        self._timer = QTimer(self, interval=round(1000 / FPS))
        self._timer.timeout.connect(self._add)
        comparing.changed.connect(self._changed)
        comparing.still_saved.connect(self._part_saved)
        self._bench.still_saved.connect(self._part_saved)

    @property
    def wanted(self) -> bool:
        """Whether there are two pictures, or are about to be."""
        return self._comparing.comparison is not None

    @property
    def filming(self) -> bool:
        return self._tap is not None

    def is_part(self, path: str) -> bool:
        """Whether this is half of a still."""
        return Path(path) in self._parts

    def why_not(self) -> str:
        """One line, where there are not two pictures to be put together; empty where there are."""
        if self._viewport.shown is None or self._comparing.view.shown is None:
            return "The second picture is not there yet: try again when both policies act, or stop comparing."
        return ""

    # ------------------------------------------------------------------------------------------------ films
    def film(self, path: str) -> None:
        """Begin a film of what both views show."""
        from robot_app.film_tap import FilmTap

        try:
            self._size = _size(*self._viewport.full_size())
            self._tap = FilmTap(path, self._size, FPS)
        except InputError as error:
            self._tell(Filmed(path, False, error=str(error)))
            return
        self._bench.set_view(adaptive=False)  # every pixel of both, as in a film of one
        self._captions = [view.caption_pixels(self._bench.theme) for view in self._views]
        self._timer.start()
        self._tell(Filmed(path, True))

    def end_film(self) -> None:
        """Finish the file; safe to call twice."""
        tap, self._tap = self._tap, None
        if tap is not None:
            self._timer.stop()
            self._bench.set_view(adaptive=True)
            self._tell(tap.close())

    def _tell(self, filmed: Filmed) -> None:
        self._bench.film = filmed.path if filmed.running else None
        self._bench.filmed.emit(filmed)

    @property
    def _views(self) -> tuple:
        return self._viewport, self._comparing.view

    def _add(self) -> None:
        """What stands on the screen, if it is another picture than before."""
        seen = self._viewport.n_shown, self._comparing.view.n_shown
        pictures = [view.pixels for view in self._views]
        if self._tap is None or seen == self._seen or any(picture is None for picture in pictures):
            return
        self._seen = seen
        self._tap.add(side_by_side(pictures, self._size, self._captions, self._bench.theme.name))
        if self._tap.error:  # said at once, not when the film was meant to end
            self.end_film()

    # ------------------------------------------------------------------------------------------------ stills
    def still(self, path: Path, scale: float) -> None:
        """A careful picture of both; while one is being made, another waits for nobody."""
        drawing = self._comparing.drawing
        if self._still is not None or drawing is None:
            self._bench.tell("info", "The still before is not finished yet: try again in a moment.")
            return
        halves = [path.with_name(f".{path.stem}-{name}.png") for name in ("a", "b")]
        self._still, self._parts = (path, scale), dict.fromkeys(halves)
        for half, draws in zip(halves, (self._bench.drawing, drawing), strict=True):
            draws.still(str(half), scale)

    def _part_saved(self, saved: Saved) -> None:
        if self._still is None or not self.is_part(saved.path):
            return
        self._parts[Path(saved.path)] = saved
        if all(part is not None for part in self._parts.values()):
            self._join()

    def _join(self) -> None:
        from PIL import Image

        from robot_app.stills import png

        assert self._still is not None
        (path, scale), parts = self._still, [part for part in self._parts.values() if part is not None]
        error, size = next((part.error for part in parts if part.error), ""), (0, 0)
        try:
            if not error:
                pictures = [np.asarray(Image.open(part.path)) for part in parts]
                size = _size(parts[0].width, parts[0].height)
                captions = [view.caption_pixels(self._bench.theme, scale) for view in self._views]
                write_atomic(path, png(side_by_side(pictures, size, captions, self._bench.theme.name)))
        except OSError as failure:
            error = f"{failure.strerror or failure}"
        self._forget_parts()
        self._bench.still_saved.emit(Saved(str(path), *size, error=error))

    def _forget_parts(self) -> None:
        for half in self._parts:
            half.unlink(missing_ok=True)
        self._still, self._parts = None, {}

    # ------------------------------------------------------------------------------------------------ life
    def _changed(self) -> None:
        """The comparison began or ended: a film of both ends with it, a half of a still is none."""
        if self.wanted:
            return
        self.end_film()
        if self._still is not None:
            path = self._still[0]
            self._forget_parts()
            self._bench.still_saved.emit(
                Saved(str(path), error="The comparison ended before both were drawn.")
            )

    def close(self) -> None:
        """The window closes."""
        self.end_film()
        self._forget_parts()


def _size(width: int, height: int) -> tuple[int, int]:
    """(width, height) of two pictures of that size and a gutter."""
    return 2 * width + GUTTER, height


def side_by_side(
    pictures: list[np.ndarray], size: tuple[int, int], captions: list[np.ndarray], theme: str
) -> np.ndarray:
    """(H, W, 3) uint8 from two pictures.

    Args:
        pictures: (h, w, 3) uint8; another size than the cell's is scaled to it.
        captions: (h, w, 4) uint8 with premultiplied alpha, to be laid over the upper left corner of each.
    """
    cell_size, cells = ((size[0] - GUTTER) // 2, size[1]), []
    for picture, caption in zip(pictures, captions, strict=True):
        if (picture.shape[1], picture.shape[0]) != cell_size:
            from PIL import Image

            cell = np.array(Image.fromarray(picture).resize(cell_size, Image.Resampling.BILINEAR))
        else:
            cell = np.array(picture)
        height, width = min(len(cell), len(caption)), min(cell.shape[1], caption.shape[1])
        over = caption[:height, :width].astype(np.uint16)
        under = cell[:height, :width]
        under[:] = over[..., :3] + under * (255 - over[..., 3:]) // 255
        cells.append(cell)
    between = np.broadcast_to(np.array(GUTTER_COLOR[theme], np.uint8), (size[1], GUTTER, 3))
    return np.concatenate([cells[0], between, cells[1]], axis=1)
