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


def test_a_window_goes_on_where_its_simulator_died(
    open_window: Callable[..., MainWindow], wait: Wait
) -> None:
    window = open_window(policy="random", seed=2)
    bench = window.workbench
    bench.edit({"itch": "forearm@0.3"})
    bench.runtime.play()
    wait(lambda: bench.history.last.t >= 12)
    before, latent, episode = list(bench.history.frames), bench.latent, bench.history.episode
    os.kill(bench.runtime.pid, signal.SIGKILL)
    wait(lambda: window.notice_bar.isVisible())
    assert "goes on at step" in window.notice_bar.text.text()
    assert "signal 9" in window.commands.report()
    wait(lambda: bench.history.last.t >= len(before) + 5)  # it plays by itself
    assert bench.history.episode == episode
    assert [frame.t for frame in bench.history.frames] == list(range(len(bench.history)))
    assert all(a is b for a, b in zip(bench.history.frames, before[:-1], strict=False))
    assert bench.history.frames[len(before)].latent == latent
    assert bench.undo_stack.canUndo()
    shown = window.viewport.n_shown
    wait(lambda: window.viewport.n_shown > shown)


def test_a_simulator_that_dies_again_at_once_is_not_started_for_ever(
    open_window: Callable[..., MainWindow], wait: Wait
) -> None:
    window = open_window(policy="random", seed=2)
    bench = window.workbench
    os.kill(bench.runtime.pid, signal.SIGKILL)
    loaded: list[Loaded] = []
    bench.loaded.connect(loaded.append)
    wait(lambda: loaded)
    os.kill(bench.runtime.pid, signal.SIGKILL)
    wait(lambda: window.notice_bar.action.isVisible())
    assert "stopped unexpectedly" in window.notice_bar.text.text()
    bench.play_pause()  # nothing to play, no harm
    window.notice_bar.action.click()
    wait(lambda: len(loaded) == 2)
    window.actions_by_id["run.play_pause"].trigger()
    wait(lambda: bench.history.last is not None and bench.history.last.t >= 2)


def test_a_window_survives_its_drawing_process(open_window: Callable[..., MainWindow], wait: Wait) -> None:
    window = open_window(policy="random", seed=2, play=True)
    pid = window.workbench.drawing.pid
    os.kill(pid, signal.SIGKILL)
    wait(lambda: window.trouble_dialog.isVisible())
    assert "cannot be drawn" in window.trouble_dialog.title.text()
    t = window.workbench.history.last.t
    wait(lambda: window.workbench.history.last.t > t)
    assert psutil.pid_exists(window.workbench.runtime.pid)
