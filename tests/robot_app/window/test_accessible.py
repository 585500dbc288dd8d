"""Whoever cannot see, or uses no mouse: every control has a name, and Tab goes through a panel as it is read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QWidget,
)

from robot_app.window.main_window import MainWindow
from robot_app.window.panel import find_panels
from robot_app.window.skin_map import SkinMap
from robot_app.window.timeline_strip import TimelineStrip

CONTROLS = (
    QAbstractButton, QComboBox, QAbstractSpinBox, QAbstractSlider, QLineEdit, QPlainTextEdit, QAbstractItemView, SkinMap,
    TimelineStrip,
)  # fmt: skip
NAMES = [panel.__module__.rpartition(".")[2] for panel in find_panels()]
#: Rows closer than this are one row, pixels.
ROW = 12


def controls(panel: QWidget) -> list[QWidget]:
    """What a person operates, without what Qt puts inside a control."""
    found = []
    for widget in panel.findChildren(QWidget):
        inside = isinstance(widget.parentWidget(), CONTROLS) or isinstance(widget, QScrollBar)
        inside = inside or widget.objectName().startswith("qt_") or widget.window() is not panel.window()
        if isinstance(widget, CONTROLS) and not inside:
            found.append(widget)
    return found


def name_of(widget: QWidget, panel: QWidget) -> str:
    """What a screen reader says: the accessible name, a button's text, or the label whose buddy it is."""
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    buddies = [label.text() for label in panel.findChildren(QLabel) if label.buddy() is widget]
    return widget.accessibleName() or text or "".join(buddies)


@pytest.mark.parametrize("name", NAMES)
def test_every_control_has_a_name(fresh: MainWindow, name: str) -> None:
    panel = fresh.panels[name]
    nameless = [repr(widget) for widget in controls(panel) if not name_of(widget, panel).strip()]
    assert nameless == []
    assert panel.accessibleName()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "viewport"])
def test_tab_goes_through_a_panel_as_it_is_read(fresh: MainWindow, name: str) -> None:
    """Never back up a column: the next control is beside or below, or begins a column to the right."""
    if name in fresh.docks:
        fresh.show_panel(name)
    panel = fresh.panels[name]
    mine = [w for w in controls(panel) if w.isVisible() and w.focusPolicy() & Qt.TabFocus]
    order, widget = [], panel.nextInFocusChain()
    while widget is not panel:
        if widget in mine:
            order.append(widget)
        widget = widget.nextInFocusChain()
    assert set(order) == set(mine)
    wrong = []
    for before, after in pairwise(order):
        a, b = (w.mapTo(panel, QPoint(0, 0)) for w in (before, after))
        same_row = abs((a.y() + before.height() / 2) - (b.y() + after.height() / 2)) < ROW
        forward = b.x() > a.x() if same_row else b.y() > a.y() or b.x() >= a.x() + before.width()
        if not forward:
            wrong.append((name_of(before, panel), (a.x(), a.y()), name_of(after, panel), (b.x(), b.y())))
    assert wrong == []


def test_every_control_of_the_window_around_the_panels_has_a_name(fresh: MainWindow) -> None:
    around = [*controls(fresh.toolbar), *controls(fresh.notice_bar), *controls(fresh.trouble_dialog)]
    assert [
        repr(widget) for widget in around if not name_of(widget, fresh).strip() and not widget.toolTip()
    ] == []
    assert all(label.accessibleName() for label in fresh.status_labels.values())
