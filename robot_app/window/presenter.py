"""Presenter: the scene and what is believed about it, in large type, and nothing else; as it was before when it ends.

Every shortcut works as always: the true preference hides with its own (for an audience that is to guess along), the scene
plays, films are recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QByteArray, QEvent, QObject, Qt
from qtpy.QtWidgets import QDockWidget, QLayout, QWidget

if TYPE_CHECKING:
    from robot_app.window.main_window import MainWindow

#: Type is so many times as large in a window of this height, and larger in a taller one; smaller only where a belief about
#: many fields would not fit.
ZOOM, HEIGHT, STEP = 1.5, 800, 0.05
#: Share of the window's width that the belief gets, and at most takes.
SHARE, WIDEST = 0.38, 0.44
PANEL = "belief"
#: Pixels that a dock's title takes, at most.
TITLE = 40


class Presenter(QObject):
    """Args:
    window: whose docks and bars are put aside.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._before: QByteArray | None = None
        self._height = 0
        self._hidden: list = []
        window.installEventFilter(self)

    @property
    def presenting(self) -> bool:
        return self._before is not None

    def set_presenting(self, on: bool) -> None:
        """Begin or end; safe to call twice."""
        if on != self.presenting:
            self._begin() if on else self._end()
        self._window.set_checked("view.presenter", on)

    def _begin(self) -> None:
        window = self._window
        self._before, self._height = window.saveState(), window.height()
        bars = (window.menuBar(), window.toolbar, window.statusBar())
        docks = [dock for name, dock in window.docks.items() if name != PANEL]
        self._hidden = [widget for widget in (*bars, *docks) if not widget.isHidden()]
        for widget in self._hidden:
            widget.hide()
        self._first_steps = not window.first_steps.isHidden()
        window.first_steps.hide()
        belief = window.docks[PANEL]
        self._features = belief.features()
        belief.setFeatures(QDockWidget.NoDockWidgetFeatures)  # a title, no buttons
        belief.setFloating(False)
        window.addDockWidget(Qt.RightDockWidgetArea, belief)
        belief.show()
        self._fit()

    def _fit(self) -> None:
        window = self._window
        panel, zoom = window.panels[PANEL], ZOOM * max(1.0, self._height / HEIGHT)
        panel.set_zoom(zoom)
        widest = round(WIDEST * window.width())
        while zoom > 1.0 and not _fits(panel, widest, self._height - TITLE):
            zoom = max(1.0, zoom - STEP)
            panel.set_zoom(zoom)
        window.resizeDocks([window.docks[PANEL]], [round(SHARE * window.width())], Qt.Horizontal)

    def _end(self) -> None:
        window, before = self._window, self._before
        self._before = None
        window.panels[PANEL].set_zoom(1.0)
        _fits(window.panels[PANEL], 0, 0)  # so that its least size is known again before anybody asks
        for around in (window.docks[PANEL].widget(), window.docks[PANEL]):  # they remember the large one
            around.updateGeometry()
        window.docks[PANEL].setFeatures(self._features)
        for widget in self._hidden:
            widget.show()
        window.first_steps.setVisible(self._first_steps)
        self._hidden = []
        assert before is not None
        window.restoreState(before)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self.presenting:
            if event.type() == QEvent.KeyPress and event.key() == Qt.Key_Escape:
                self.set_presenting(False)
                return True
            if event.type() == QEvent.Resize and event.size().height() != self._height:
                self._height = event.size().height()
                self._fit()
        return False


def _fits(panel: QWidget, width: int, height: int) -> bool:
    """Whether a panel can be that small; its layouts are asked anew."""
    for layout in panel.findChildren(QLayout):
        layout.invalidate()
    panel.layout().activate()
    least = panel.minimumSizeHint()
    return least.width() <= width and least.height() <= height
