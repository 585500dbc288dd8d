"""Presenter mode: the scene and the belief alone, large; the truth hidden everywhere on demand; all as before at the end."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from robot_app.window.main_window import MainWindow
from robot_app.window.panel import pixels

Wait = Callable[..., None]


def seen(window: MainWindow) -> set[str]:
    return {name for name, dock in window.docks.items() if not dock.isHidden()}


def where(window: MainWindow) -> dict[str, tuple]:
    """Area and width of every dock that is in front."""
    return {
        name: (window.dockWidgetArea(dock), dock.width())
        for name, dock in window.docks.items()
        if not dock.visibleRegion().isEmpty()
    }


def test_the_scene_and_the_belief_are_all_there_is_and_large(fresh: MainWindow, wait: Wait) -> None:
    fresh.resize(1280, 1000)
    wait(lambda: fresh.viewport.height() > 500)
    before, places = seen(fresh), where(fresh)
    gauge = fresh.panels["belief"].views["force"]
    small, width = gauge.height(), fresh.docks["belief"].width()
    fresh.actions_by_id["view.presenter"].trigger()
    assert seen(fresh) == {"belief"}
    assert not fresh.menuBar().isVisible()
    assert not fresh.toolbar.isVisible()
    assert not fresh.statusBar().isVisible()
    assert gauge.height() >= 1.25 * small
    wait(lambda: fresh.docks["belief"].width() > 1.2 * width)
    assert fresh.viewport.width() > 0.5 * fresh.width()
    assert fresh.panels["belief"].z_entropy.fontInfo().pixelSize() >= 15
    fresh.actions_by_id["run.step"].trigger()  # shortcuts and actions work
    wait(lambda: fresh.workbench.history.last.t == 1)

    QTest.keyClick(fresh, Qt.Key_Escape)
    assert seen(fresh) == before
    assert fresh.menuBar().isVisible()
    assert gauge.height() == small
    assert not fresh.actions_by_id["view.presenter"].isChecked()
    wait(lambda: where(fresh) == places)
    fresh.resize(1280, 800)


def test_large_type_never_makes_the_window_larger_than_it_was(fresh: MainWindow, wait: Wait) -> None:
    fresh.resize(1280, 800)
    before = fresh.height()
    fresh.actions_by_id["view.presenter"].trigger()
    wait(lambda: fresh.docks["belief"].width() > 400)
    assert fresh.height() == before
    fresh.actions_by_id["view.presenter"].trigger()


def test_in_a_blind_demonstration_nothing_shows_the_truth(fresh: MainWindow, wait: Wait) -> None:
    bench, panel = fresh.workbench, fresh.panels["belief"]
    bench.set_speed(float("inf"))
    bench.runtime.play()
    wait(lambda: len([f for f in bench.history.frames if f.changed]) >= 2)
    bench.runtime.pause()
    wait(lambda: bench.status.state == "paused")
    fresh.actions_by_id["view.presenter"].trigger()
    wait(lambda: panel.plot.marks.marks()[0])
    orange = np.array([int(bench.theme.truth[i : i + 2], 16) for i in (1, 3, 5)])

    def n_orange() -> int:
        return int((np.abs(pixels(panel).astype(int) - orange).max(axis=2) < 24).sum())

    assert n_orange() > 40
    fresh.actions_by_id["view.truth"].trigger()  # while paused: it goes at once
    assert n_orange() == 0
    assert not bench.view.truth
    fresh.actions_by_id["view.truth"].trigger()
    assert n_orange() > 40
    fresh.actions_by_id["view.presenter"].trigger()


def test_a_window_closed_while_presenting_opens_to_work_in(
    open_window, wait: Wait, tmp_path, monkeypatch
) -> None:
    from robot_app.window.settings import SETTINGS_VARIABLE, Settings

    monkeypatch.setenv(SETTINGS_VARIABLE, str(tmp_path / "settings.ini"))
    window = open_window(scene="gridworld", policy="random")
    window.actions_by_id["view.presenter"].trigger()
    window.close()
    again = open_window(scene="gridworld", policy="random", settings=Settings())
    assert {"preference", "belief", "adaptation"} <= seen(again)
    assert again.toolbar.isVisible()
