"""ScheduleEditor: changes of the preference at given steps, listed; what is put in force comes from the editors above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QListWidget, QListWidgetItem, QPushButton, QSpinBox, QWidget

from scenes.latent import LatentSpace


class ScheduleEditor(QWidget):
    """Args:
    values: what the editors of the preference say now, JSON-plain.

    Signals:
        changed: the entries, ``{"step", "latent"}`` in rising order.
    """

    changed = Signal(list)

    def __init__(self, values: Callable[[], dict[str, Any]]) -> None:
        super().__init__()
        self._values = values
        self._space: LatentSpace | None = None
        self._blind = False
        self.entries: list[dict[str, Any]] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(5)
        self.list = QListWidget()
        self.list.setAccessibleName("Scheduled changes of the preference")
        self.list.setToolTip("Sessions end at these steps and nowhere else.")
        self.list.setFixedHeight(40)
        self.step = QSpinBox()
        self.step.setRange(0, 10_000)
        self.step.setValue(40)
        self.step.setPrefix("step ")
        self.step.setAccessibleName("Step of the scheduled change")
        self.add, self.remove = QPushButton("Schedule"), QPushButton("Remove")
        self.add.setToolTip(
            "At this step, the preference becomes what the editors above say; at step 0, from the start."
        )
        self.remove.setToolTip("Take the chosen change off the schedule.")
        grid.addWidget(self.list, 0, 0, 1, 3)
        for column, widget in enumerate((self.step, self.add, self.remove)):
            grid.addWidget(widget, 1, column)
        grid.setColumnStretch(0, 1)
        self.add.clicked.connect(self._add)
        self.remove.clicked.connect(self._remove)
        self.list.currentRowChanged.connect(lambda row: self.remove.setEnabled(row >= 0))

    def set_space(self, space: LatentSpace, length: int) -> None:
        """Of another scene, and how many steps its episodes have; nothing is scheduled yet."""
        self._space, self.entries = space, []
        self.step.setMaximum(max(1, length - 1))

    def set_blind(self, blind: bool) -> None:
        """Whether what is true may not be read."""
        self._blind = blind
        self._show()

    def show_entries(self, entries: list[dict[str, Any]]) -> None:
        """Those in force."""
        self.entries = list(entries)
        self._show()

    def _show(self) -> None:
        self.list.clear()
        assert self._space is not None or not self.entries
        for entry in self.entries:
            text = "hidden, as the true preference" if self._blind else self._words(entry)
            self.list.addItem(QListWidgetItem(text))
        if not self.entries:
            empty = QListWidgetItem("Nothing is scheduled: sessions do not end.")
            empty.setFlags(Qt.NoItemFlags)
            self.list.addItem(empty)
        self.remove.setEnabled(self.list.currentRow() >= 0)

    def _words(self, entry: dict[str, Any]) -> str:
        latent = entry["latent"]
        assert self._space is not None
        fields = self._space.fields
        if isinstance(latent, str):  # of the first field, as LatentSpace.validate reads it
            said = LatentSpace(fields[:1])
        else:
            said = LatentSpace(tuple(field for field in fields if field.name in latent))
        return f"step {entry['step']}: {said.to_text(said.validate(latent))}"

    def _add(self) -> None:
        step, values = self.step.value(), self._values()
        if values:
            others = [entry for entry in self.entries if entry["step"] != step]
            entries = sorted([*others, {"step": step, "latent": values}], key=lambda entry: entry["step"])
            self.changed.emit(entries)

    def _remove(self) -> None:
        row = self.list.currentRow()
        if 0 <= row < len(self.entries):
            self.changed.emit(self.entries[:row] + self.entries[row + 1 :])
