"""A panel that is higher than its place scrolls up and down, once it cannot be made less high; never to the side."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, QSize, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

#: px that a panel's height insists on, at most: all of a belief about one point, at the smallest window.
_HEIGHT = 390


class Yielding(QWidget):
    """A part of a panel that asks for no more height than it must have: Qt asks, for a part with text that wraps, for all
    that it would like."""

    def hasHeightForWidth(self) -> bool:
        return False

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        return QSize(layout.minimumSize().width(), layout.minimumHeightForWidth(self.width()))

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()


class _UpAndDown(QScrollArea):
    """Its contents are resized here: left to Qt, those with text that wraps get the height that they would like best, and
    are scrolled though they would fit."""

    def __init__(self, inside: QWidget) -> None:
        super().__init__()
        self.setFrameShape(QFrame.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setWidget(inside)

    def minimumSizeHint(self) -> QSize:
        least = self.widget().minimumSizeHint()
        bar = self.verticalScrollBar().sizeHint().width() if least.height() > _HEIGHT else 0
        return QSize(least.width() + bar, min(least.height(), _HEIGHT) + 1)  # a dock keeps a pixel of it

    def sizeHint(self) -> QSize:
        return self.widget().sizeHint()

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.widget() and event.type() == QEvent.LayoutRequest:
            self.updateGeometry()
            self._fit()
        return super().eventFilter(watched, event)

    def _fit(self) -> None:
        inside, room = self.widget(), self.viewport().size()
        least = inside.minimumSizeHint()
        width = max(room.width(), least.width())
        layout = inside.layout()
        height = layout.minimumHeightForWidth(width) if layout.hasHeightForWidth() else least.height()
        inside.resize(width, max(room.height(), height))


def scrolled(widget: QWidget) -> QScrollArea:
    """``widget``, which has a layout, in a place that may be less high than it."""
    return _UpAndDown(widget)
