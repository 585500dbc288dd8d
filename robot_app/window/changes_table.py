"""The table of changes of the preference: step, what to, and two columns of the panel's own."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget

#: What a column that counts steps to adapt says when it is pointed at.
ADAPTED = "Steps until the mean reward of 10 steps was back to 90 % of the oracle's over that session."

#: Pixels that a column takes at least: two short ones side by side stay apart.
_LEAST = 58


def changes_table(name: str, own: tuple[str, str], tips: tuple[str, str], width: int) -> QTableWidget:
    """An empty table, to be read only.

    Args:
        name: for those who cannot see it.
        own, tips: captions and explanations of the last two columns.
        width: the least, pixels.
    """
    table = QTableWidget(0, 4)
    table.setHorizontalHeaderLabels(["step", "to", *own])
    table.setAccessibleName(name)
    table.verticalHeader().hide()
    table.verticalHeader().setDefaultSectionSize(20)
    table.setShowGrid(False)
    table.setFocusPolicy(Qt.NoFocus)
    table.setEditTriggers(QAbstractItemView.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.NoSelection)
    header = table.horizontalHeader()
    header.setDefaultAlignment(Qt.AlignLeft | Qt.AlignVCenter)
    header.setMinimumSectionSize(_LEAST)
    header.setSectionResizeMode(QHeaderView.ResizeToContents)
    header.setSectionResizeMode(1, QHeaderView.Stretch)
    for column, tip in zip((2, 3), tips, strict=True):
        table.horizontalHeaderItem(column).setToolTip(tip)
    table.setMinimumWidth(width)
    return table
