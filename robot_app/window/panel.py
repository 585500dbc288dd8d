"""BasePanel: what a panel is, and how panels are found. A new panel is one file in ``panels/`` with a class ``Panel``."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any, ClassVar

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QLabel, QMenu, QVBoxLayout, QWidget

from dynamite.acting import Frame
from robot_app.figures.panel import Chart, Origin, Picture, SkinChart
from robot_app.messages import Loaded
from robot_app.version import code_version
from robot_app.window import panels
from robot_app.window.plots import StepPlot
from robot_app.window.workbench import Workbench


class BasePanel(QWidget):
    """One dock. Override the hooks that matter; each is called on the window's thread.

    Class attributes:
        title: of the dock. area: ``left``, ``right``, ``bottom``, ``centre``, or ``strip``: a thin one between centre
            and bottom. order: within its area.
        scrolls: put it in a scroll area, for panels taller than a small window.
    """

    title: ClassVar[str] = "Panel"
    area: ClassVar[str] = "right"
    order: ClassVar[int] = 50
    scrolls: ClassVar[bool] = False

    def __init__(self, workbench: Workbench) -> None:
        super().__init__()
        self.workbench = workbench
        self.setObjectName("panel")
        self.setAttribute(Qt.WA_StyledBackground)
        self.setAccessibleName(self.title)
        workbench.loaded.connect(self.on_loaded)
        workbench.frame.connect(self._frame)
        workbench.plots.connect(self._plots)
        workbench.theme_changed.connect(self.on_theme)

    def _frame(self, frame: Frame) -> None:
        if self.isVisible():
            self.on_frame(frame)

    def _plots(self) -> None:
        if self.isVisible():
            self.on_plots()

    def showEvent(self, event) -> None:
        """A panel that was hidden catches up."""
        super().showEvent(event)
        if self.workbench.shown is not None:
            self.on_frame(self.workbench.shown)
            self.on_plots()

    def contextMenuEvent(self, event) -> None:
        """A right click anywhere on the panel offers its figure."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WA_DeleteOnClose)
        menu.addAction(f"Save Figure of {self.title}").triggered.connect(self.workbench_figure)
        menu.popup(event.globalPos())

    def workbench_figure(self) -> None:
        """Ask for this panel as a figure."""
        self.workbench.figure_wanted.emit(self)

    # -- hooks
    def figure_parts(self) -> list[Chart | SkinChart | Picture]:
        """What a figure of this panel shows: its plots; of a panel without any, how it looks."""
        charts = [plot.chart() for plot in self.findChildren(StepPlot)]
        drawn = [chart for chart in charts if chart.curves]
        return list(drawn) or [Picture(self.title, pixels(self))]

    def figure_origin(self) -> Origin:
        """Seed, commit and configuration that a figure carries: of the scene, unless a panel is about something else."""
        scene, history = self.workbench.scene, self.workbench.history
        config: dict[str, Any] = {"panel": self.title}
        if scene is not None:
            config |= {"scene": scene.recipe.to_json(), "policy": scene.policy, "episode": history.episode}
        if history.last is not None:
            config |= {"step": self.workbench.shown.t if self.workbench.shown is not None else history.last.t}
            events = [event for frame in history.frames for event in frame.events]
            config |= {"events": [{"t": e.t, "kind": e.kind, "value": e.value} for e in events]}
        return Origin(self.workbench.seed, code_version()["commit"], config)

    def on_loaded(self, loaded: Loaded) -> None:
        """Another scene or policy."""

    def on_frame(self, frame: Frame) -> None:
        """The frame that is looked at (the newest, or one of the past), at most 30 times a second.

        ``workbench.history`` has them all.
        """

    def on_plots(self) -> None:
        """Time to redraw what is costly, at most 8 times a second."""

    def set_zoom(self, zoom: float) -> None:
        """Larger type, for people who look from afar; 1 is as always."""
        size = round(12 * zoom)
        value = round(15 * zoom)
        self.setStyleSheet(
            ""
            if zoom == 1.0
            else f"QLabel {{ font-size: {size}px; }} QLabel#value {{ font-size: {value}px; }}"
        )
        for widget in self.findChildren(QWidget):
            if hasattr(widget, "set_zoom"):
                widget.set_zoom(zoom)

    def on_theme(self, theme) -> None:
        """Other colours."""

    def on_close(self) -> None:
        """The window closes: stop what is yours."""


def pixels(widget: QWidget) -> np.ndarray:
    """(H, W, 3) uint8: how a widget looks."""
    image = widget.grab().toImage().convertToFormat(QImage.Format_RGB888)
    rows = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8)
    return (
        rows.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()]
        .reshape(image.height(), image.width(), 3)
        .copy()
    )


def find_panels() -> list[type[BasePanel]]:
    """Every panel class, in order."""
    found = [
        importlib.import_module(f"{panels.__name__}.{m.name}").Panel
        for m in pkgutil.iter_modules(panels.__path__)
    ]
    return sorted(found, key=lambda panel: (panel.area, panel.order))


def column(
    widget: QWidget, margins: tuple[int, int, int, int] = (10, 8, 10, 8), spacing: int = 6
) -> QVBoxLayout:
    """A vertical layout with the panels' margins."""
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(*margins)
    layout.setSpacing(spacing)
    return layout


def quiet(text: str, wrap: bool = False) -> QLabel:
    """A label in the quiet colour."""
    label = QLabel(text)
    label.setObjectName("quiet")
    label.setWordWrap(wrap)
    return label


def heading(text: str) -> QLabel:
    label = QLabel(text)
    label.setObjectName("heading")
    return label


def empty_state(text: str) -> QLabel:
    """What a panel says while it has nothing to show."""
    label = QLabel(text)
    label.setObjectName("empty")
    label.setAlignment(Qt.AlignCenter)
    label.setWordWrap(True)
    return label
