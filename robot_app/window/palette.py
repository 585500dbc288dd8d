"""The command palette (Ctrl+K): type a few letters, Enter does it."""

from __future__ import annotations

import re

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import (
    QAction,
    QFrame,
    QHeaderView,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from robot_app.window.help_overlay import key_text

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
    return cost + len(text) // 8 if query else 0


def mentions(query: str, text: str) -> bool:
    """Whether every word of ``query`` begins a word of ``text``."""
    said = re.findall(r"\w+", text.lower())
    return bool(query.split()) and all(
        any(word.startswith(part) for word in said) for part in query.lower().split()
    )


class CommandPalette(QFrame):
    """Args:
    host: over which it opens. actions: by id, in the order of the table. menus, words: of each, by id.
    """

    def __init__(
        self, host: QWidget, actions: dict[str, QAction], menus: dict[str, str], words: dict[str, str]
    ) -> None:
        super().__init__(host)
        self._host, self._actions, self._menus, self._words = host, actions, menus, words
        self.setObjectName("palette")
        self.setFrameShape(QFrame.StyledPanel)
        self.setAutoFillBackground(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(6)
        self.line, self.list = QLineEdit(), QTreeWidget()
        self.list.setColumnCount(2)
        self.list.setHeaderHidden(True)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, QHeaderView.Stretch)
        self.list.header().setSectionResizeMode(1, QHeaderView.ResizeToContents)
        self.line.setPlaceholderText("Type a command…")
        self.line.setAccessibleName("Command")
        self.list.setFocusPolicy(Qt.NoFocus)
        self.list.setAccessibleName("Commands")
        layout.addWidget(self.line)
        layout.addWidget(self.list)
        self.line.textChanged.connect(self._fill)
        self.line.installEventFilter(self)
        self.list.itemClicked.connect(lambda item, _: self._do(item))
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
            title, menu = action.text(), self._menus[name]
            cost = match(query, title)
            if cost is None:  # the menu's name counts, too, but less
                whole = match(query, f"{menu} {title}")
                cost = None if whole is None else whole + 20
            if cost is None and mentions(query, f"{action.statusTip()} {self._words[name]}"):
                cost = 100
            if cost is not None and action.isEnabled():
                found.append((cost, i, name, action))
        self.list.clear()
        for _, _, name, action in sorted(found, key=lambda entry: entry[:2]):
            item = QTreeWidgetItem(
                [f"{self._menus[name]}: {action.text()}", key_text(action.shortcut().toString())]
            )
            item.setData(0, Qt.UserRole, name)
            item.setToolTip(0, action.toolTip())
            item.setTextAlignment(1, Qt.AlignRight | Qt.AlignVCenter)
            item.setForeground(1, self.list.palette().placeholderText())
            self.list.addTopLevelItem(item)
        if not found:
            nothing = QTreeWidgetItem(["No command is about that. F1 lists them all."])
            nothing.setFlags(Qt.NoItemFlags)
            nothing.setFirstColumnSpanned(True)
            self.list.addTopLevelItem(nothing)
        else:
            self._choose(0)

    def _choose(self, row: int) -> None:
        n = self.list.topLevelItemCount()
        if n:
            self.list.setCurrentItem(self.list.topLevelItem(max(0, min(n - 1, row))))

    def _do(self, item: QTreeWidgetItem | None) -> None:
        self.hide()
        self._host.setFocus()
        if item is not None and item.data(0, Qt.UserRole):
            self._actions[item.data(0, Qt.UserRole)].trigger()

    def eventFilter(self, watched, event) -> bool:
        if watched is self.line and event.type() == QEvent.KeyPress:
            rows = {Qt.Key_Down: 1, Qt.Key_Up: -1, Qt.Key_PageDown: _ROWS, Qt.Key_PageUp: -_ROWS}
            if event.key() in rows:
                self._choose(self.list.indexOfTopLevelItem(self.list.currentItem()) + rows[event.key()])
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
