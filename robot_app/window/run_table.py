"""RunTable: every training under a folder, what it is doing and how far it is; the first row is a new one."""

from __future__ import annotations

import math
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QBrush, QColor
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTreeWidget, QTreeWidgetItem

from robot_app.training_runs import Glance, glance, list_runs
from robot_app.window.theme import Theme

#: Runs listed at most, the newest.
OFFERED = 30
NEW = "New run…"


class RunTable(QTreeWidget):
    """Args:
    theme: a run that is alive is written in its accent.
    """

    chosen = Signal(object)  # Path of a run's folder, or None for a new one

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.setColumnCount(3)
        self.setHeaderLabels(["Run", "State", "Return"])
        self.setRootIsDecorated(False)
        self.setUniformRowHeights(True)
        self.setIndentation(0)
        self.setSelectionMode(QAbstractItemView.SingleSelection)
        self.setTextElideMode(Qt.ElideMiddle)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarAlwaysOff)
        self.setAccessibleName("Runs")
        self.setStyleSheet(
            "QTreeWidget::item { padding: 3px 4px 3px 2px; } QHeaderView::section { padding: 3px 2px; }"
        )
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeToContents)
        self.headerItem().setTextAlignment(2, Qt.AlignRight | Qt.AlignVCenter)
        self.currentItemChanged.connect(self._tell)
        self._silent = False
        self.show_runs([])

    # -- filling
    def look(self, root: Path, also: Path | None = None) -> list[Glance]:
        """Read the runs under ``root`` (and one elsewhere) and show them."""
        folders = list_runs(root)[:OFFERED]
        if also is not None and also not in folders:
            folders.insert(0, also)
        found = [glance(folder) for folder in folders]
        self.show_runs(found)
        return found

    def show_runs(self, runs: list[Glance]) -> None:
        """Rows in that order; the choice stays."""
        self._silent = True
        here = self.folder()
        listed = [self.topLevelItem(i).data(0, Qt.UserRole) for i in range(1, self.topLevelItemCount())]
        if not self.topLevelItemCount() or listed != [str(run.folder) for run in runs]:
            self.clear()
            self.addTopLevelItem(QTreeWidgetItem([NEW, "", ""]))
            for run in runs:
                item = QTreeWidgetItem([run.folder.name, "", ""])
                item.setData(0, Qt.UserRole, str(run.folder))
                item.setToolTip(0, str(run.folder))
                item.setTextAlignment(2, Qt.AlignRight | Qt.AlignVCenter)
                self.addTopLevelItem(item)
        for i, run in enumerate(runs, start=1):
            item = self.topLevelItem(i)
            item.setText(1, state_text(run))
            item.setText(2, "" if math.isnan(run.return_mean) else f"{run.return_mean:.1f}")
            ink = self.theme.accent if run.alive else self.theme.quiet
            item.setForeground(1, QBrush(QColor(ink)))
        self._select(here)
        self._silent = False

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme

    # -- choosing
    def folder(self) -> Path | None:
        """Of the chosen run; None where a new one is chosen."""
        item = self.currentItem()
        name = None if item is None else item.data(0, Qt.UserRole)
        return None if name is None else Path(name)

    def choose(self, folder: Path | None) -> None:
        """Select a row, without telling."""
        self._silent = True
        self._select(folder)
        self._silent = False

    def _select(self, folder: Path | None) -> None:
        for i in range(self.topLevelItemCount()):
            if self.topLevelItem(i).data(0, Qt.UserRole) == (None if folder is None else str(folder)):
                self.setCurrentItem(self.topLevelItem(i))
                return
        self.setCurrentItem(self.topLevelItem(0))

    def _tell(self, *_: object) -> None:
        if not self._silent:
            self.chosen.emit(self.folder())


def state_text(run: Glance) -> str:
    """``running 42 %``."""
    return (
        run.state
        if run.state in ("finished", "failed", "starting")
        else f"{run.state} {100 * run.share:.0f} %"
    )
