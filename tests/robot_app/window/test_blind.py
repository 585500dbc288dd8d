"""A blind demonstration: with the true preference hidden, no panel tells it or when it changes; and all comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from qtpy.QtCore import QCoreApplication, QEvent
from qtpy.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QLabel,
    QPlainTextEdit,
    QTableWidget,
    QWidget,
)

from robot_app.window.main_window import MainWindow
from robot_app.window.panel import pixels

Wait = Callable[..., None]


@pytest.fixture
def lived(fresh: MainWindow, wait: Wait) -> Iterator[MainWindow]:
    """24 steps in which the preference was edited at step 9 and surprised at 15; all panels seen once."""
    bench = fresh.workbench
    for t in range(24):
        if t == 9:
            bench.edit({"itch": "forearm@0.31", "force": 4.37})
        if t == 15:
            bench.edit({"force": 1.83, "impairment": "tremor"})
        bench.runtime.step()
    wait(lambda: bench.history.last.t == 24 and bench.status.t == 24)
    for name in ("setup", "log", "compare", "recording", "preference", "belief", "adaptation"):
        fresh.show_panel(name)
    yield fresh
    bench.set_view(truth=True)


def said(widget: QWidget) -> str:
    """Everything that is written anywhere in a widget, tooltips and words for screen readers too."""
    found = []
    for part in (widget, *widget.findChildren(QWidget)):
        found += [part.toolTip(), part.accessibleName(), part.accessibleDescription()]
        if isinstance(part, QLabel | QAbstractButton):
            found.append(part.text())
        elif isinstance(part, QPlainTextEdit):
            found.append(part.toPlainText())
        elif isinstance(part, QComboBox):
            found.append(part.currentText())
        elif isinstance(part, QDoubleSpinBox):
            found.append(part.text())
        elif isinstance(part, QTableWidget):
            rows, columns = part.rowCount(), part.columnCount()
            cells = [part.item(i, j) for i in range(rows) for j in range(columns)]
            found += [cell.text() for cell in cells if cell is not None]
    return "\n".join(filter(None, found))


def test_nothing_that_is_written_tells_it_until_it_is_shown_again(lived: MainWindow, wait: Wait) -> None:
    bench = lived.workbench
    telling = ("4.37", "1.83", "tremor", "step 9:", "step 15:")
    before = said(lived)
    assert all(word in before for word in telling[1:])
    lived.actions_by_id["view.truth"].trigger()
    wait(lambda: not bench.view.truth)
    hidden = said(lived)
    assert [line for line in hidden.splitlines() if any(word in line for word in telling)] == []
    strip = lived.panels["timeline"].strip
    assert not any("Preference" in strip.words_at(t) or "by hand" in strip.words_at(t) for t in range(25))
    for _ in range(3):  # nor as it goes on
        bench.runtime.step()
    bench.runtime.seek(12)
    wait(lambda: bench.cursor == 12 and bench.history.last.t == 27)
    hidden = said(lived)
    assert [line for line in hidden.splitlines() if any(word in line for word in telling)] == []
    bench.runtime.live()
    wait(lambda: bench.cursor is None)
    lived.actions_by_id["view.truth"].trigger()
    after = said(lived)
    assert all(word in after for word in telling[1:])


def test_panels_look_the_same_whatever_is_true(lived: MainWindow, wait: Wait) -> None:
    """Two preferences, the same past: what is drawn of belief, editors and plots must not depend on which is in force."""
    bench = lived.workbench
    bench.set_view(truth=False)
    looks, status = [], []
    for edit in ({"itch": "upper_arm@0.9", "force": 1.1}, {"itch": "forearm@0.05", "force": 4.9}):
        n = len(bench.history.last.events)
        bench.edit(edit)
        wait(lambda n=n: len(bench.history.last.events) == n + 1)
        bench.tick()
        for name in ("preference", "belief", "adaptation", "timeline", "log"):
            lived.panels[name].on_frame(bench.shown)
            lived.panels[name].on_plots()
        for _ in range(3):  # words that became shorter make room only then
            QCoreApplication.sendPostedEvents(None, QEvent.LayoutRequest)
        looks.append(
            {name: pixels(lived.panels[name]) for name in ("preference", "belief", "timeline", "log")}
        )
        # Pictures per second are a clock's.
        words = {name: label.text() for name, label in lived.status_labels.items() if name != "fps"}
        status.append((lived.statusBar().currentMessage(), words))
    for name in looks[0]:
        assert np.array_equal(looks[0][name], looks[1][name]), name
    assert status[0] == status[1]
    shown = pixels(lived.panels["preference"])
    bench.set_view(truth=True)
    assert not np.array_equal(pixels(lived.panels["preference"]), shown)


def test_what_was_not_touched_stays_as_it_is_when_edited_blindly(lived: MainWindow, wait: Wait) -> None:
    bench, panel = lived.workbench, lived.panels["preference"]
    before = bench.scene.space.to_json(bench.latent)
    bench.set_view(truth=False)
    assert not panel.now.isEnabled()
    panel.editors["force"].row.box.setValue(3.21)
    n = len(bench.history.last.events)
    panel.now.click()
    wait(lambda: len(bench.history.last.events) == n + 1)
    assert bench.scene.space.to_json(bench.latent) == {**before, "force": pytest.approx(3.21)}
    assert panel.editors["force"].value() == pytest.approx(3.0)  # the middle again
    assert panel.editors["impairment"].combo.currentIndex() == -1
    lived.actions_by_id["preference.undo"].trigger()
    wait(lambda: len(bench.history.last.events) == n + 2)
    assert bench.scene.space.to_json(bench.latent) == before
    bench.set_view(truth=True)
    assert panel.editors["force"].value() == pytest.approx(before["force"])
