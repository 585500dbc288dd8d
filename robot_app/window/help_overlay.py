"""The help page (F1): every key and what the mouse does, over the window; any click or Esc closes it."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QColor, QKeySequence, QPainter
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from robot_app.window.actions import ACTIONS, MOUSE
from robot_app.window.theme import Theme

#: Menus per column, so that columns are about equally long.
_COLUMNS = (
    ("Run", "File", "Training"), ("Preference", "Timeline", "Help"), ("View", "Record", "Mouse, over the scene"),
)  # fmt: skip


def key_text(shortcut: str) -> str:
    """As the platform writes it, arrows as arrows."""
    return QKeySequence(shortcut).toString(QKeySequence.NativeText).replace("Right", "→").replace("Left", "←")


def rows_of(section: str) -> list[tuple[str, str]]:
    """(key, words) of a menu, or of the mouse."""
    if section.startswith("Mouse"):
        return list(MOUSE)
    rows: list[tuple[str, str]] = []
    for action in ACTIONS:
        if action.menu != section or not action.shortcut:
            continue
        if action.id.startswith("view.camera_"):
            if action.shortcut == "1":
                rows.append(("1 … 6", "The scene's views"))
            continue
        rows.append((key_text(action.shortcut), action.title.rstrip("…")))
    return rows


class HelpOverlay(QWidget):
    """Args:
    host: the window it covers.
    """

    closed = Signal()

    def __init__(self, host: QWidget, theme: Theme) -> None:
        super().__init__(host)
        self._host = host
        self.setFocusPolicy(Qt.StrongFocus)
        self.setAccessibleName("Keys and mouse")
        outer = QVBoxLayout(self)
        self._card = QFrame()
        self._card.setObjectName("helpCard")
        outer.addWidget(self._card, 0, Qt.AlignCenter)
        inside = QVBoxLayout(self._card)
        inside.setContentsMargins(32, 22, 32, 22)
        inside.setSpacing(8)
        self._title = QLabel()
        self._title.setTextFormat(Qt.RichText)
        inside.addWidget(self._title)
        row = QHBoxLayout()
        row.setSpacing(44)
        self._columns: list[QLabel] = []
        for _ in _COLUMNS:
            label = QLabel()
            label.setTextFormat(Qt.RichText)
            row.addWidget(label, 0, Qt.AlignTop)
            self._columns.append(label)
        inside.addLayout(row)
        self.set_theme(theme)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._card.setStyleSheet(
            f"#helpCard {{ background: {theme.panel}; border: 1px solid {theme.border}; border-radius: 8px; }}"
            "#helpCard QLabel { background: transparent; border: none; }"
        )
        self._title.setText(
            f'<span style="font-size:15px; color:{theme.text}"><b>Keys and mouse</b></span>'
            f'<span style="color:{theme.quiet}">&nbsp;&nbsp; Esc or a click closes this</span>'
        )
        for label, sections in zip(self._columns, _COLUMNS, strict=True):
            label.setText("".join(self._section(section) for section in sections))

    def _section(self, section: str) -> str:
        theme = self._theme
        cells = "".join(
            f'<tr><td style="color:{theme.accent}; padding:2px 16px 2px 0;">{key}</td>'
            f'<td style="color:{theme.text}; padding:2px 0;">{words}</td></tr>'
            for key, words in rows_of(section)
        )
        head = f'<p style="color:{theme.quiet}; margin:10px 0 4px 0;"><b>{section}</b></p>'
        return f'{head}<table cellspacing="0">{cells}</table>'

    def place(self) -> None:
        """Cover the host."""
        self.setGeometry(self._host.rect())

    def paintEvent(self, _) -> None:
        veil = QColor(self._theme.window)
        veil.setAlpha(190)
        QPainter(self).fillRect(self.rect(), veil)

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.place()
        self.raise_()
        self.setFocus()

    def event(self, event) -> bool:
        if event.type() == QEvent.MouseButtonPress or (
            event.type() == QEvent.KeyPress and event.key() == Qt.Key_Escape
        ):
            self.hide()
            self.closed.emit()
            return True
        return super().event(event)
