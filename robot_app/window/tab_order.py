"""Tab order: Tab goes through a panel in the order of its layouts, also where parts of it were made later than others."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QGridLayout, QLayout, QScrollArea, QWidget


def tab_as_read(panel: QWidget) -> None:
    """Chain every control of ``panel`` that Tab reaches: row by row, left to right."""
    layout = panel.layout()
    if layout is not None:
        for before, after in pairwise(_controls(layout)):
            QWidget.setTabOrder(before, after)


def _controls(layout: QLayout) -> Iterator[QWidget]:
    for index in _order(layout):
        item = layout.itemAt(index)
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            if widget.focusPolicy() & Qt.TabFocus:
                yield widget
            inside = widget.widget() if isinstance(widget, QScrollArea) else widget
            inner = None if inside is None else inside.layout()
        if inner is not None:
            yield from _controls(inner)


def _order(layout: QLayout) -> list[int]:
    """Indices of a layout's items as they are read."""
    indices = range(layout.count())
    if isinstance(layout, QGridLayout):
        return sorted(indices, key=lambda index: layout.getItemPosition(index)[:2])
    if isinstance(layout, QFormLayout):
        return sorted(indices, key=lambda index: layout.getItemPosition(index))
    return list(indices)
