"""The command palette (Ctrl+K): type a few letters, Enter does it."""

from __future__ import annotations

from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QAction, QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

_WIDTH, _ROWS = 460, 11


def match(query: str, text: str) -> int | None:
    """How well ``query`` fits: lower is better, None is not at all. Letters in order; runs and word starts count."""
    query, text = query.lower().replace(" ", ""), text.lower()
    at, cost = -1, 0
    for letter in query:
        found = text.find(letter, at + 1)
        if found < 0:
            return None
        start = found == 0 or not text[found - 1].isalnum()
        cost += 0 if found == at + 1 or start else found - at
        at = found
    return cost + len(text) // 8


class CommandPalette(QFrame):
    """Args:
    host: over which it opens. actions: by id, in the order of the table.
    """

    def __init__(self, host: QWidget, actions: dict[str, QAction], menus: dict[str, str]) -> None:
        super().__init__(host)
        self._host, self._actions, self._menus = host, actions, menus
        self.setObjectName("palette")
        self.setFrameShape(QFrame.StyledPanel)
        self.setAutoFillBackground(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        self.line, self.list = QLineEdit(), QListWidget()
        self.line.setPlaceholderText("Type a command…")
        self.line.setAccessibleName("Command")
        self.list.setFocusPolicy(Qt.NoFocus)
        self.list.setAccessibleName("Commands")
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.line.textChanged.connect(self._fill)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(self._do)
        self.hide()

    def open(self) -> None:
        """Show it, empty."""
        self.line.clear()
        self._fill("")
        self.setGeometry((self._host.width() - _WIDTH) // 2, 70, _WIDTH, 46 + 24 * _ROWS)
        self.show()
        self.raise_()
        self.line.setFocus()

    def _fill(self, query: str) -> None:
        found = []
        for i, (name, action) in enumerate(self._actions.items()):
            cost = match(query, f"{action.text()} {self._menus[name]}")
            if cost is not None and action.isEnabled():
                found.append((cost, i, name, action))
        self.list.clear()
        for _, _, name, action in sorted(found, key=lambda entry: entry[:2]):
            key = action.shortcut().toString(QKeySequence.NativeText)
            item = QListWidgetItem(f"{self._menus[name]}: {action.text()}" + (f"    {key}" if key else ""))
            item.setData(Qt.UserRole, name)
            item.setToolTip(action.toolTip())
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def _do(self, item: QListWidgetItem | None) -> None:
        self.hide()
        self._host.setFocus()
        if item is not None:
            self._actions[item.data(Qt.UserRole)].trigger()

    def eventFilter(self, watched, event) -> bool:
        if watched is self.line and event.type() == QEvent.KeyPress:
            rows = {Qt.Key_Down: 1, Qt.Key_Up: -1, Qt.Key_PageDown: _ROWS, Qt.Key_PageUp: -_ROWS}
            if event.key() in rows:
                row = self.list.currentRow() + rows[event.key()]
                self.list.setCurrentRow(max(0, min(self.list.count() - 1, row)))
                return True
            if event.key() in (Qt.Key_Return, Qt.Key_Enter):
                self._do(self.list.currentItem())
                return True
            if event.key() == Qt.Key_Escape:
                self._do(None)
                return True
        elif watched is self.line and event.type() == QEvent.FocusOut:
            self.hide()
        return False
