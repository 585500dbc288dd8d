"""What can be kept: a film of the view, a careful still, the episode that replays exactly, a table of its steps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from qtpy.QtCore import QTimer, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from robot_app.csv_trace import TraceWriter
from robot_app.drawing import Filmed, Saved
from robot_app.figures.panel import PanelFigure
from robot_app.messages import Recorded, Refused
from robot_app.troubles import not_written
from robot_app.window.figure_saver import FigureSaver
from robot_app.window.pair_recorder import PairRecorder
from robot_app.window.panel import BasePanel, column, heading, quiet
from robot_app.window.workbench import Workbench, default_recordings
from scenes.errors import InputError


def short(path: Path) -> str:
    """A path as people write it, their home as ~."""
    home = str(Path.home())
    return f"~{str(path)[len(home) :]}" if path.is_relative_to(home) else str(path)


class Panel(BasePanel):
    title = "Recording"
    area = "right"
    order = 30
    scrolls = True

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.folder = workbench.settings.folder("recordings", default_recordings())
        self._since = 0.0
        self._episode_path = self.folder
        layout = column(self, spacing=8)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(8)
        self.film_button = self._button(
            grid,
            0,
            "Record film",
            "Ctrl+R",
            "film_wanted",
            "What the view shows, both policies while comparing; 30 pictures a second, MP4.",
        )
        self._button(
            grid, 1, "Take still", "Ctrl+P", "still_wanted", "This moment with smooth edges and shadows, PNG."
        )
        self._button(
            grid,
            2,
            "Save episode",
            "Ctrl+S",
            "episode_wanted",
            "From its start to now; robot-app replay repeats it exactly.",
        )
        self._button(
            grid, 3, "Export table", "Ctrl+E", "table_wanted", "The episode so far, a row per step, CSV."
        )
        self._button(
            grid, 4, "Save figure", "Ctrl+Shift+F", "figure_wanted", "A panel's plots as PDF, PNG and CSV."
        )
        grid.setColumnStretch(1, 1)
        layout.addLayout(grid)

        row = QHBoxLayout()
        row.addWidget(quiet("Figure of"))
        self.figure_of = QComboBox()
        self.figure_of.setAccessibleName("Panel to keep as a figure")
        self.figure_of.setToolTip("The panel used last; a right click on any panel keeps that one.")
        row.addWidget(self.figure_of, 1)
        layout.addLayout(row)
        row = QHBoxLayout()
        row.addWidget(quiet("Size of stills"))
        self.scale = QComboBox()
        self.scale.setAccessibleName("Size of stills")
        for words, factor in (("as the view", 1.0), ("twice as large", 2.0), ("three times", 3.0)):
            self.scale.addItem(words, factor)
        row.addWidget(self.scale, 1)
        layout.addLayout(row)

        layout.addWidget(heading("Folder"))
        row = QHBoxLayout()
        self.place = quiet("", wrap=True)
        row.addWidget(self.place, 1)
        change = QPushButton("Change…")
        change.clicked.connect(self._choose_folder)
        row.addWidget(change)
        layout.addLayout(row)
        layout.addWidget(heading("Latest"))
        self.latest = QLabel("Nothing recorded yet.")
        self.latest.setObjectName("quiet")
        self.latest.setWordWrap(True)
        layout.addWidget(self.latest)
        layout.addStretch(1)

        self._clock = QTimer(self, interval=500)
        self._clock.timeout.connect(self._show_time)
        self._panels: Mapping[str, BasePanel] = {}
        self.pair: PairRecorder | None = None
        self.saver = FigureSaver(self)
        self.saver.saved.connect(self._figure_saved)
        self.saver.failed.connect(lambda stem, why: self.tell_not_written("figure", stem, why))
        workbench.figure_wanted.connect(self._figure_of)
        workbench.filmed.connect(self._filmed)
        workbench.still_saved.connect(self._still_saved)
        workbench.episode_saved.connect(self._episode_saved)
        workbench.not_saved.connect(self._not_saved)
        self._show_folder()

    def _button(
        self, grid: QGridLayout, row: int, title: str, key: str, signal: str, tip: str
    ) -> QPushButton:
        button = QPushButton(title)
        button.setToolTip(f"{tip} ({key})")
        button.clicked.connect(lambda: self.attempt(signal))
        grid.addWidget(button, row, 0)
        grid.addWidget(quiet(tip, wrap=True), row, 1)
        return button

    # ------------------------------------------------------------------------------------------------ what the buttons do
    def attempt(self, what: str, *arguments: object) -> None:
        """Do what a button or an action asks for; a folder that nothing can be written to is told."""
        try:
            getattr(self, what)(*arguments)
        except InputError as error:
            self.workbench.tell("error", str(error))
            if self.workbench.film is None:
                self.workbench.filmed.emit(Filmed("", False))  # none has begun

    def film_wanted(self) -> None:
        self.set_film(self.workbench.film is None)

    def set_film(self, on: bool) -> None:
        """Begin or end a film."""
        bench = self.workbench
        if on and (why := self._why_no_film()):
            bench.tell("warning", why)
            bench.filmed.emit(Filmed("", False, error="nothing to film"))
        elif on and self.pair is not None and self.pair.wanted:
            self.pair.film(str(self._path("film", ".mp4")))
        elif on:
            bench.drawing.film(str(self._path("film", ".mp4")))
        elif self.pair is not None and self.pair.filming:
            self.pair.end_film()
        elif bench.film is not None:
            bench.drawing.film(None)

    def _why_no_film(self) -> str:
        scene = self.workbench.scene
        if scene is None or not scene.drawable:
            return "There is no picture to film yet."
        return self.pair.why_not() if self.pair is not None and self.pair.wanted else ""

    def still_wanted(self) -> None:
        """Of the view, or of both while comparing."""
        path, scale = self._path("still", ".png"), float(self.scale.currentData())
        if self.pair is None or not self.pair.wanted:
            self.workbench.drawing.still(str(path), scale)
        elif why := self.pair.why_not():
            self.workbench.tell("warning", why)
        else:
            self.pair.still(path, scale)

    def episode_wanted(self) -> None:
        self._episode_path = self._path("episode", "")
        self.workbench.runtime.save_episode(self._episode_path)

    def table_wanted(self) -> None:
        bench = self.workbench
        path = self._path("table", ".csv")
        if bench.scene is None or bench.history.last is None:
            bench.tell("warning", "There is no episode to export yet.")
            return
        try:
            with TraceWriter(path, bench.scene.space, bench.scene.step_s) as writer:
                for frame in bench.history.frames:
                    writer.write(frame)
        except OSError as error:
            path.unlink(missing_ok=True)
            self.tell_not_written("table", path, str(error.strerror or error))
        else:
            self._done(path, f"{len(bench.history)} rows")

    def offer_figures(self, panels: Mapping[str, BasePanel]) -> None:
        """Every panel; the one that has the focus is chosen."""
        self._panels = panels
        self.pair = PairRecorder(panels["viewport"], panels["compare"].comparing, self)
        self.figure_of.clear()
        for name, panel in panels.items():
            self.figure_of.addItem(panel.title, name)
        self.figure_of.setCurrentIndex(max(0, self.figure_of.findData("belief")))
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.focusChanged.connect(self._focus_changed)

    def _focus_changed(self, _old: QWidget | None, new: QWidget | None) -> None:
        for name, panel in self._panels.items():
            if panel is not self and new is not None and panel.isAncestorOf(new):
                self.figure_of.setCurrentIndex(self.figure_of.findData(name))

    def figure_wanted(self) -> None:
        """Keep the chosen panel."""
        self._figure_of(self._panels[self.figure_of.currentData()])

    def _figure_of(self, panel: BasePanel) -> None:
        try:
            path = self._path(panel.title.lower().replace(" ", "-"), ".pdf")
        except InputError as error:
            self.tell_not_written("figure", self.folder, str(error))
            return
        origin = panel.figure_origin()
        title = f"{panel.title}: {origin.line()}"
        self.saver.save(PanelFigure(title, tuple(panel.figure_parts()), origin), path.with_suffix(""))
        self.latest.setText(f"Drawing the figure of {panel.title}…")

    def _figure_saved(self, paths: list[Path]) -> None:
        kinds = ", ".join(path.suffix[1:].upper() for path in paths)
        self._done(paths[0].with_suffix(""), kinds)

    def show_folder(self) -> None:
        """Open the folder in the file manager."""
        self._make_folder()
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder))):
            self.workbench.tell("info", f"Recordings are in {self.folder}")

    def set_folder(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.workbench.settings.set_folder("recordings", self.folder)
        self._show_folder()

    def _choose_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Folder for recordings", str(self.folder))
        if chosen:
            self.set_folder(Path(chosen))

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                "recordings folder", str(self.folder), f"a folder that can be made ({error.strerror})"
            ) from None

    def _path(self, kind: str, suffix: str) -> Path:
        """A path that is free; its folder is made."""
        scene = "scene" if self.workbench.scene is None else self.workbench.scene.recipe.name
        stem = f"{scene}-{kind}-{time.strftime('%Y%m%d-%H%M%S')}"
        self._make_folder()
        path, n = self.folder / f"{stem}{suffix}", 2
        while path.exists():
            path, n = self.folder / f"{stem}-{n}{suffix}", n + 1
        return path

    # ------------------------------------------------------------------------------------------------ what came of it
    def _filmed(self, film: Filmed) -> None:
        self.film_button.setText("Stop recording" if film.running else "Record film")
        if film.error and film.path:
            kept = "What was filmed before is in that file, and plays." if film.seconds >= 2 else ""
            self.tell_not_written("film", Path(film.path), film.error, kept)
            said = (
                f"{Path(film.path).name}\n{film.seconds:.1f} s, then cut off"
                if film.seconds
                else "No film was written."
            )
            self.latest.setText(said)
        if film.running:
            self._since = time.monotonic()
            self._clock.start()
            self._show_time()
            self.workbench.log(f"Recording {film.path}")
            return
        self._clock.stop()
        if film.path and not film.error:
            self._done(Path(film.path), f"{film.seconds:.1f} s")

    def _show_time(self) -> None:
        self.latest.setText(f"Recording… {time.monotonic() - self._since:.0f} s")

    def _still_saved(self, still: Saved) -> None:
        if self.pair is not None and self.pair.is_part(still.path):
            return
        if still.error:
            self.tell_not_written("still", Path(still.path), still.error)
        else:
            self._done(Path(still.path), f"{still.width} × {still.height}")

    def _episode_saved(self, message: Recorded) -> None:
        self._done(Path(message.path), f"{message.n_frames} frames")

    def _not_saved(self, refused: Refused) -> None:
        kept = "The episode itself goes on, and can be saved again."
        self.tell_not_written("episode", self._episode_path, refused.message, kept)

    def tell_not_written(self, what: str, path: Path, reason: str, kept: str = "") -> None:
        """In a dialog, with a way out."""
        trouble = not_written(what, path, reason, kept)
        self.workbench.tell_trouble(trouble, {"folder": self._choose_folder})

    def _done(self, path: Path, what: str) -> None:
        self.latest.setText(f"{path.name}\n{what}")
        self.workbench.log(f"Saved {path} ({what}).")
        self.workbench.kept.emit(path, what)

    def _show_folder(self) -> None:
        self.place.setText(short(self.folder))

    def on_close(self) -> None:
        self._clock.stop()
        if self.pair is not None:
            self.pair.close()
        self.saver.close()
        application = QApplication.instance()
        if isinstance(application, QApplication) and self._panels:
            self._panels = {}
            application.focusChanged.disconnect(self._focus_changed)
