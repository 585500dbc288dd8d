"""TroubleDialog: what happened, what can be done, and buttons that do it. It never blocks: the scene behind it goes on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPainter, QPen
from qtpy.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from robot_app.troubles import Trouble
from robot_app.window.theme import Theme

Remedies = Mapping[str, Callable[[], object]]
#: Pixels of its text across.
_TEXT = 400


class _Sign(QWidget):
    """An exclamation mark in a ring."""

    def __init__(self) -> None:
        super().__init__()
        self.ink = "#000000"
        self.setFixedSize(30, 30)

    def paintEvent(self, _) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        painter.setPen(QPen(QColor(self.ink), 2))
        painter.drawEllipse(self.rect().adjusted(2, 2, -2, -2))
        font = painter.font()
        font.setPixelSize(17)
        font.setBold(True)
        painter.setFont(font)
        painter.drawText(self.rect(), Qt.AlignCenter, "!")


class TroubleDialog(QDialog):
    """Shows one trouble at a time; others wait their turn, the same one is shown once.

    Args:
        host: over which it opens.
        copy_report: what *Copy report* does.
    """

    def __init__(self, host: QWidget, theme: Theme, copy_report: Callable[[], None]) -> None:
        super().__init__(host)
        self.setModal(False)
        self.setWindowTitle("robot-app")
        self._waiting: deque[tuple[Trouble, Remedies]] = deque()
        self.shown: Trouble | None = None
        outer = QHBoxLayout(self)
        outer.setContentsMargins(18, 16, 18, 14)
        outer.setSpacing(14)
        self._sign = _Sign()
        outer.addWidget(self._sign, 0, Qt.AlignTop)
        box = QVBoxLayout()
        box.setSpacing(8)
        outer.addLayout(box, 1)
        self.title, self.happened, self.advice = QLabel(), QLabel(), QLabel()
        for label in (self.title, self.happened, self.advice):
            label.setWordWrap(True)
            label.setTextFormat(Qt.PlainText)
            label.setTextInteractionFlags(Qt.TextSelectableByMouse)
            box.addWidget(label)
        self.title.setObjectName("value")
        self.happened.setObjectName("quiet")
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(6)
        box.addSpacing(6)
        box.addLayout(self.buttons)
        self._copy, self._close = QPushButton("Copy report"), QPushButton("Close")
        self._copy.setAutoDefault(False)
        self._copy.clicked.connect(lambda: copy_report())
        self._close.clicked.connect(self.reject)
        self.remedies: dict[str, QPushButton] = {}
        self.buttons.addWidget(self._copy)
        self.buttons.addStretch(1)
        self.buttons.addWidget(self._close)
        self.finished.connect(lambda _: self._next())
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        self._sign.ink = theme.warning
        self._sign.update()

    def tell(self, trouble: Trouble, remedies: Remedies | None = None) -> None:
        """Show it now, or after the one that is being read."""
        if trouble == self.shown or any(trouble == waiting for waiting, _ in self._waiting):
            return
        self._waiting.append((trouble, remedies or {}))
        if self.shown is None:
            self._next()

    def _next(self) -> None:
        if not self._waiting:
            self.shown = None
            return
        trouble, remedies = self._waiting.popleft()
        self.shown = trouble
        self.title.setText(trouble.title)
        self.happened.setText(_breakable(trouble.happened))
        self.advice.setText(_breakable(trouble.advice))
        for button in self.remedies.values():
            self.buttons.removeWidget(button)
            button.deleteLater()
        self.remedies = {}
        for key, caption in trouble.remedies:
            if key in remedies:
                self.remedies[key] = self._remedy(caption, remedies[key])
        first = next(iter(self.remedies.values()), self._close)
        first.setDefault(True)
        self.ensurePolished()
        for label in (self.title, self.happened, self.advice):
            label.ensurePolished()
            label.setFixedSize(_TEXT, label.heightForWidth(_TEXT))
        self.layout().invalidate()
        self.layout().activate()
        self.setFixedSize(self.layout().sizeHint())
        host = self.parentWidget().frameGeometry()
        self.move(host.center().x() - self.width() // 2, host.top() + host.height() // 3 - self.height() // 2)
        self.show()
        self.raise_()
        first.setFocus()

    def _remedy(self, caption: str, do: Callable[[], object]) -> QPushButton:
        button = QPushButton(caption)
        button.setObjectName("primary")
        button.clicked.connect(lambda: (self.accept(), do()))
        self.buttons.insertWidget(self.buttons.count() - 1, button)
        return button

    def forget(self) -> None:
        """The window closes."""
        self._waiting.clear()
        self.reject()


def _breakable(text: str) -> str:
    """Long paths may break after a slash."""
    return text.replace("/", "/\u200b")
