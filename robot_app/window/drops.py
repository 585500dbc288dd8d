"""Drops: files and folders dragged over the window are announced, and opened where they are let go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QEvent, QMimeData, QObject, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QWidget

from robot_app.window.theme import Theme

HINT = "Drop a checkpoint, an episode or a configuration"


class _Hint(QWidget):
    """A frame over the window that says what may be dropped."""

    def __init__(self, host: QWidget, theme: Theme) -> None:
        super().__init__(host)
        self.theme = theme
        self.setAttribute(Qt.WA_TransparentForMouseEvents)
        self.hide()

    def paintEvent(self, _) -> None:
        painter, theme = QPainter(self), self.theme
        veil = QColor(theme.window)
        veil.setAlpha(200)
        painter.fillRect(self.rect(), veil)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(QColor(theme.accent), 2, Qt.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(16, 16, -16, -16), 12, 12)
        font = painter.font()
        font.setPixelSize(20)
        painter.setFont(font)
        painter.setPen(QColor(theme.text))
        painter.drawText(self.rect(), Qt.AlignCenter, HINT)


class Drops(QObject):
    """Args:
    host: the window. open: called with every path that is dropped.
    """

    def __init__(self, host: QWidget, theme: Theme, open: Callable[[Path], None]) -> None:
        super().__init__(host)
        self._host, self._open = host, open
        self.hint = _Hint(host, theme)
        host.setAcceptDrops(True)
        host.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        self.hint.theme = theme

    def announce(self) -> None:
        """Say over the whole window what may be dropped."""
        self.hint.setGeometry(self._host.rect())
        self.hint.show()
        self.hint.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind in (QEvent.DragEnter, QEvent.DragMove):
            if paths_in(event.mimeData()):
                event.acceptProposedAction()
                self.announce()
                return True
        elif kind == QEvent.DragLeave:
            self.hint.hide()
        elif kind == QEvent.Drop:
            self.hint.hide()
            paths = paths_in(event.mimeData())
            if paths:
                event.acceptProposedAction()
                for path in paths[:1]:  # one thing is shown at a time
                    self._open(path)
                return True
        return False


def paths_in(data: QMimeData) -> list[Path]:
    """Local files and folders among what is dragged."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
