"""How a window lives and ends: what it remembers, what it leaves behind (nothing), what it survives."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from qtpy.QtCore import Qt

from robot_app.messages import Loaded
from robot_app.window.main_window import MainWindow
from robot_app.window.settings import SETTINGS_VARIABLE, Settings
from tests.robot_app.window.conftest import our_processes

Wait = Callable[..., None]


def test_a_window_ends_its_processes_and_remembers_itself(
    open_window: Callable[..., MainWindow], wait: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTINGS_VARIABLE, str(tmp_path / "settings.ini"))
    before = our_processes()
    window = open_window(policy="random", seed=1, play=True, script=[(3, "forearm.dorsal"), (9, "upper_arm")])
    bench = window.workbench
    pids = {bench.runtime.pid, bench.drawing.pid}
    assert pids <= our_processes() - before
    wait(lambda: bench.history.last.t >= 10)  # it plays by itself, and the script happens
    assert [frame.t for frame in bench.history.frames if frame.changed] == [0, 3, 9]
    assert bench.history.frames[4].latent["itch"].part == "forearm"
    window.set_theme("light")
    window.viewport.camera.zoom(0.5)
    distance = window.viewport.camera.distance
    window.docks["belief"].hide()
    window.addDockWidget(Qt.LeftDockWidgetArea, window.docks["log"])
    window.actions_by_id["view.heat"].trigger()
    window.close()
    assert our_processes() == before
    window.close()  # again, without harm

    again = open_window(policy="random", settings=Settings())
    assert again.workbench.theme.name == "light"
    assert again.docks["belief"].isHidden()
    assert again.dockWidgetArea(again.docks["log"]) == Qt.LeftDockWidgetArea
    assert not again.workbench.view.heat
    assert not again.actions_by_id["view.heat"].isChecked()
    assert again.viewport.camera.distance == pytest.approx(distance, rel=1e-4)


def test_a_window_survives_its_simulator(open_window: Callable[..., MainWindow], wait: Wait) -> None:
    window = open_window(policy="random", seed=2)
    bench = window.workbench
    os.kill(bench.runtime.pid, signal.SIGKILL)
    wait(lambda: window.notice_bar.isVisible())
    assert "stopped unexpectedly" in window.notice_bar.text.text()
    assert "signal 9" in window.commands.report()
    bench.play_pause()  # nothing to play, no harm
    loaded: list[Loaded] = []
    bench.loaded.connect(loaded.append)
    window.notice_bar.action.click()
    wait(lambda: loaded)
    window.actions_by_id["run.play_pause"].trigger()
    wait(lambda: bench.history.last is not None and bench.history.last.t >= 2)
    shown = window.viewport.n_shown
    wait(lambda: window.viewport.n_shown > shown)


def test_a_window_survives_its_drawing_process(open_window: Callable[..., MainWindow], wait: Wait) -> None:
    window = open_window(policy="random", seed=2, play=True)
    pid = window.workbench.drawing.pid
    os.kill(pid, signal.SIGKILL)
    wait(lambda: window.notice_bar.isVisible())
    assert "cannot be drawn" in window.notice_bar.text.text()
    t = window.workbench.history.last.t
    wait(lambda: window.workbench.history.last.t > t)
    assert psutil.pid_exists(window.workbench.runtime.pid)
