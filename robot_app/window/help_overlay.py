"""The help page (F1): every key and what the mouse does, over the whole window; any click or Esc closes it."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from robot_app.window.actions import ACTIONS, MENUS, MOUSE
from robot_app.window.theme import Theme

#: Menus per column, so that columns are about equally long.
_COLUMNS = (("Run", "File", "Training"), ("Preference", "Record", "Help"), ("View",))


def key_text(shortcut: str) -> str:
    """As the platform writes it."""
    return QKeySequence(shortcut).toString(QKeySequence.NativeText)


class HelpOverlay(QFrame):
    """Args:
    host: the window it covers.
    """

    closed = Signal()

    def __init__(self, host: QWidget, theme: Theme) -> None:
        super().__init__(host)
        self._host = host
        self.setObjectName("help")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        self._page = QWidget()
        self._page.setObjectName("helpPage")
        self._row = QHBoxLayout(self._page)
        self._row.setContentsMargins(48, 32, 48, 32)
        self._row.setSpacing(40)
        self._labels: list[QLabel] = []
        for _ in _COLUMNS:
            label = QLabel()
            label.setTextFormat(Qt.RichText)
            label.setAlignment(Qt.AlignTop)
            self._row.addWidget(label, 1, Qt.AlignTop)
            self._labels.append(label)
        area = QScrollArea()
        area.setWidget(self._page)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.NoFrame)
        outer.addWidget(area)
        for widget in (self, self._page, area.viewport()):
            widget.installEventFilter(self)
        self.set_theme(theme)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self.setStyleSheet(
            f"#help, #helpPage {{ background: {theme.window}; }} QLabel {{ background: transparent; }}"
        )
        for i, (label, menus) in enumerate(zip(self._labels, _COLUMNS, strict=True)):
            assert all(menu in MENUS for menu in menus)
            tables = [self._table(theme, menu) for menu in menus]
            if i == len(_COLUMNS) - 1:
                tables.append(self._mouse(theme))
            label.setText("".join(tables))

    @staticmethod
    def _rows(theme: Theme, title: str, rows: list[tuple[str, str]]) -> str:
        cells = "".join(
            f'<tr><td style="color:{theme.accent}; padding:2px 18px 2px 0;"><b>{key}</b></td>'
            f'<td style="color:{theme.text}; padding:2px 0;">{words}</td></tr>'
            for key, words in rows
        )
        return f'<p style="color:{theme.quiet}; margin:10px 0 4px 0;"><b>{title}</b></p><table cellspacing="0">{cells}</table>'

    def _table(self, theme: Theme, menu: str) -> str:
        rows, cameras = [], False
        for action in ACTIONS:
            if action.menu != menu or not action.shortcut:
                continue
            if action.id.startswith("view.camera_"):
                if not cameras:
                    rows.append(("1 … 6", "The scene's views"))
                cameras = True
                continue
            rows.append((key_text(action.shortcut), action.title.rstrip("…")))
        return self._rows(theme, menu, rows)

    def _mouse(self, theme: Theme) -> str:
        return self._rows(theme, "Mouse, over the scene", list(MOUSE))

    def place(self) -> None:
        self.setGeometry(self._host.rect())

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.place()
        self.raise_()
        self.setFocus()

    def eventFilter(self, watched, event) -> bool:
        if event.type() == QEvent.MouseButtonPress:
            self._leave()
            return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event) -> None:
        if event.key() == Qt.Key_Escape:
            self._leave()
        else:
            super().keyPressEvent(event)

    def _leave(self) -> None:
        self.hide()
        self.closed.emit()
