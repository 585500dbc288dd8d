"""Two policies side by side in the window: both pictures, both returns, one camera; ending it leaves nothing."""

from __future__ import annotations

import contextlib
import csv
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

from robot_app.window.main_window import MainWindow
from robot_app.window.panels.compare import Panel
from tests.reliability.disk import room_for
from tests.robot_app.window.conftest import our_processes, waiter

Wait = Callable[..., None]
ORACLE = "scripted/scratch_itch"


@pytest.fixture(scope="module")
def pair(window: MainWindow, qapp: QApplication) -> Iterator[MainWindow]:
    """The window with the oracle beside the novice."""
    begin(window, waiter(qapp))
    yield window
    window.panels["compare"].set_comparing(False)


@pytest.fixture
def both(pair: MainWindow, fresh: MainWindow, wait: Wait) -> MainWindow:
    """That, from the start of seed 3 lived for 30 steps, paused."""
    play_to(fresh, wait, 30)
    return fresh


def begin(window: MainWindow, wait: Wait) -> None:
    panel = window.panels["compare"]
    wait(lambda: panel.second.findData(ORACLE) >= 0)
    panel.second.setCurrentIndex(panel.second.findData(ORACLE))
    window.actions_by_id["run.compare"].trigger()
    wait(lambda: panel.comparing.comparison is not None and panel.comparing.comparison.ready, 60)


def play_to(window: MainWindow, wait: Wait, step: int) -> None:
    bench = window.workbench
    bench.set_speed(float("inf"))
    bench.runtime.play()
    wait(lambda: bench.history.last.t >= step, 60)
    bench.runtime.pause()
    wait(lambda: bench.status.state != "playing")


def second(window: MainWindow):
    return window.panels["compare"].comparing.comparison.history


def test_any_checkpoint_on_disk_may_be_the_second(
    fresh: MainWindow, wait: Wait, checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel: Panel = fresh.panels["compare"]
    chosen = panel.second.currentData()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(checkpoint))
    index = panel.second.count() - 1
    panel.second.setCurrentIndex(index)
    panel.second.activated.emit(index)
    assert panel.second.currentData() == str(checkpoint)
    assert not panel.on
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    panel.second.setCurrentIndex(panel.second.count() - 1)
    panel.second.activated.emit(panel.second.count() - 1)
    wait(lambda: fresh.trouble_dialog.isVisible())
    fresh.trouble_dialog.reject()
    assert panel.second.currentData() == str(checkpoint)
    panel.second.setCurrentIndex(panel.second.findData(chosen))


def test_a_policy_that_cannot_act_is_told(fresh: MainWindow, wait: Wait) -> None:
    panel = fresh.panels["compare"]
    panel.comparing.start("nobody")
    wait(lambda: not panel.on, 60)
    assert "nobody" in fresh.notice_bar.text.text()


def test_ending_it_leaves_nothing_and_the_first_goes_on(fresh: MainWindow, wait: Wait) -> None:
    bench, panel = fresh.workbench, fresh.panels["compare"]
    fresh.resize(1280, 800)
    fresh.viewport.look_from(0)
    distance = fresh.viewport.camera.distance
    begin(fresh, wait)
    wait(lambda: panel.numbers["b"].text() == "0.0")
    assert abs(fresh.viewport.width() - panel.view.width()) <= 2
    assert fresh.viewport.camera.distance > distance
    pids = {panel.comparing.comparison.follower.pid, panel.comparing.drawing.pid}
    assert pids <= our_processes()
    QTest.mouseClick(panel.button, Qt.LeftButton)
    assert not pids & our_processes()
    assert not fresh.actions_by_id["run.compare"].isChecked()
    assert not panel.view.isVisible()
    assert fresh.viewport.caption[0] == ""
    assert fresh.viewport.camera.distance == pytest.approx(distance)
    assert panel.numbers["b"].text() == "–"
    play_to(fresh, wait, bench.history.last.t + 10)


@pytest.mark.slow
def test_when_the_second_dies_the_first_goes_on_and_says_so(fresh: MainWindow, wait: Wait) -> None:
    bench, panel = fresh.workbench, fresh.panels["compare"]
    begin(fresh, wait)
    bench.runtime.play()
    os.kill(panel.comparing.comparison.follower.pid, signal.SIGKILL)
    wait(lambda: not panel.on)
    assert "goes on alone" in fresh.notice_bar.text.text()
    assert not fresh.actions_by_id["run.compare"].isChecked()
    t = bench.history.last.t
    wait(lambda: bench.history.last.t != t)


def test_a_film_that_the_end_of_the_comparison_cuts_off_is_whole(
    fresh: MainWindow, wait: Wait, tmp_path: Path
) -> None:
    recording = fresh.panels["recording"]
    recording.set_folder(tmp_path)
    begin(fresh, wait)
    fresh.panels["compare"].view.forget_picture()
    fresh.actions_by_id["record.film"].trigger()
    assert "second picture is not there yet" in fresh.notice_bar.text.text()
    assert not fresh.actions_by_id["record.film"].isChecked()
    fresh.workbench.runtime.step()
    wait(lambda: fresh.panels["compare"].view.shown is not None and fresh.viewport.shown.t == 1, 60)
    fresh.actions_by_id["record.film"].trigger()
    wait(lambda: recording.pair.filming)
    t = fresh.workbench.history.last.t
    for _ in range(3):
        fresh.workbench.runtime.step()
    wait(lambda: fresh.viewport.shown.t == t + 3)
    fresh.panels["compare"].set_comparing(False)
    assert not recording.pair.filming
    assert not fresh.actions_by_id["record.film"].isChecked()
    with av.open(str(next(tmp_path.glob("*.mp4")))) as film:
        assert sum(1 for _ in film.decode(video=0)) > 0


def test_both_are_shown_at_the_same_step_of_the_same_sessions(both: MainWindow, wait: Wait) -> None:
    bench, panel = both.workbench, both.panels["compare"]
    a, b = bench.history, second(both)
    assert [f.latent for f in a.frames] == [f.latent for f in b.frames]
    assert [f.session for f in a.frames] == [f.session for f in b.frames]
    t = a.last.t
    wait(lambda: both.viewport.shown.t == t and panel.view.shown is not None and panel.view.shown.t == t)
    assert both.actions_by_id["run.compare"].isChecked()
    assert panel.view.isVisible()
    assert panel.view.caption[0] == f"B  {ORACLE}"
    assert both.viewport.caption[0].startswith("A  ")
    panel.on_frame(bench.shown)
    returns = float(a.returns()[-1]), float(b.returns()[-1])
    assert returns[0] != returns[1]
    assert panel.numbers["a"].text() == f"{returns[0]:.1f}"
    assert panel.numbers["b"].text() == f"{returns[1]:.1f}"
    assert panel.numbers["gap"].text() == f"{returns[0] - returns[1]:+.1f}"


def test_an_edit_and_a_new_seed_reach_both(both: MainWindow, wait: Wait) -> None:
    bench = both.workbench
    t = bench.history.last.t
    bench.edit({"force": 4.5})
    wait(lambda: second(both).last.events)
    assert second(both).last.t == bench.history.last.t == t
    assert second(both).last.latent == bench.history.last.latent
    bench.undo_stack.undo()
    wait(lambda: len(second(both).last.events) == 2)
    both.actions_by_id["run.next_seed"].trigger()
    wait(lambda: bench.history.seed == 4 and len(second(both)) == 1)
    assert second(both).seed == 4
    assert second(both).last.latent == bench.history.last.latent


def test_looking_back_shows_both_as_they_were(both: MainWindow, wait: Wait) -> None:
    bench, panel = both.workbench, both.panels["compare"]
    bench.runtime.seek(12)
    # A busy machine draws the first late.
    wait(lambda: both.viewport.shown is not None and panel.view.shown is not None)
    wait(lambda: bench.cursor == 12 and both.viewport.shown.t == 12 and panel.view.shown.t == 12)
    panel.on_frame(bench.shown)
    assert panel.numbers["b"].text() == f"{second(both).returns()[11]:.1f}"
    panel.on_plots()
    assert panel.returns._cursor.value() == 12


def test_one_camera_for_both(both: MainWindow, wait: Wait) -> None:
    panel, view = both.panels["compare"], both.viewport
    before, n = view.camera.azimuth, (view.n_shown, panel.view.n_shown)
    QTest.mousePress(panel.view, Qt.LeftButton, Qt.NoModifier, QPoint(40, 60))
    move = QMouseEvent(QEvent.MouseMove, QPointF(90, 60), Qt.LeftButton, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(panel.view, move)
    QTest.mouseRelease(panel.view, Qt.LeftButton, Qt.NoModifier, QPoint(90, 60))
    assert view.camera.azimuth != before
    wait(lambda: view.n_shown > n[0] and panel.view.n_shown > n[1])
    pixels = panel.view.n_shown
    both.actions_by_id["view.camera_2"].trigger()
    wait(lambda: panel.view.n_shown > pixels)


def test_curves_and_changes_of_both(both: MainWindow, wait: Wait, tmp_path: Path) -> None:
    bench, panel = both.workbench, both.panels["compare"]
    bench.edit({"itch": "forearm@0.25"})
    play_to(both, wait, 60)
    panel.on_plots()
    steps = [int(panel.table.item(i, 0).text()) for i in range(panel.table.rowCount())]
    assert steps == bench.history.change_steps() == second(both).change_steps()
    assert steps
    assert panel.returns.chart().spans[1][0] == steps[0]
    bench.set_view(truth=False)
    assert panel.table.rowCount() == 0
    assert panel.returns.chart().spans == ()
    bench.set_view(truth=True)
    assert panel.table.rowCount() == len(steps)
    recording = both.panels["recording"]
    recording.set_folder(tmp_path)
    recording.figure_of.setCurrentIndex(recording.figure_of.findData("compare"))
    both.actions_by_id["record.figure"].trigger()
    wait(lambda: list(tmp_path.glob("*.csv")), 60)
    text = next(tmp_path.glob("*.csv")).read_text()
    assert f'"second_policy": "{ORACLE}"' in text
    last: dict[str, float] = {}
    for row in csv.DictReader(text.splitlines()[3:]):
        last[row["curve"]] = float(row["y"])
    assert last["difference"] == pytest.approx(last["A"] - last["B"])
    assert last["B"] == pytest.approx(float(second(both).returns()[-1]))
    wait(lambda: "Drawing" not in recording.latest.text(), 60)


def test_a_film_of_the_comparison_has_both_pictures(both: MainWindow, wait: Wait, tmp_path: Path) -> None:
    bench, recording = both.workbench, both.panels["recording"]
    recording.set_folder(tmp_path)
    wait(lambda: recording.pair.why_not() == "")
    ends: list = []
    bench.filmed.connect(ends.append)
    both.actions_by_id["record.film"].trigger()
    wait(lambda: both.actions_by_id["record.film"].isChecked() and bench.film is not None)
    bench.set_speed(1.0)
    t = bench.history.last.t
    bench.runtime.play()
    wait(lambda: bench.history.last.t >= t + 8, 60)
    bench.runtime.pause()
    both.actions_by_id["record.film"].trigger()
    wait(lambda: len(ends) == 2)
    bench.filmed.disconnect(ends.append)
    assert not both.actions_by_id["record.film"].isChecked()
    assert bench.view.adaptive
    assert (ends[1].error, ends[1].path) == ("", str(next(tmp_path.glob("*-film-*.mp4"))))
    with av.open(ends[1].path) as film:
        frames = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    width, height = both.viewport.full_size()
    assert abs(frames[0].shape[1] - 2 * width) < 0.03 * width
    assert frames[0].shape[0] == height
    assert len(frames) == pytest.approx(30 * ends[1].seconds, abs=1)
    halves = [frames[-1][:, :width].astype(int), frames[-1][:, -width:].astype(int)]
    assert all(half.std() > 10 for half in halves)  # a picture on either side
    assert np.abs(halves[0] - halves[1]).max() > 60  # of two arms that do different things
    moved = [
        np.abs(frames[0][:, side].astype(int) - frames[-1][:, side]).mean()
        for side in (slice(0, width), slice(-width, None))
    ]
    assert min(moved) > 0.05


def test_a_disk_that_fills_during_a_film_of_both_is_told_and_what_was_filmed_plays(
    both: MainWindow, wait: Wait, tmp_path: Path
) -> None:
    bench, recording, panel = both.workbench, both.panels["recording"], both.panels["compare"]
    recording.set_folder(tmp_path)
    wait(lambda: recording.pair.why_not() == "")
    ends: list = []
    bench.filmed.connect(ends.append)
    bench.set_speed(1.0)
    try:
        with room_for(250_000):
            both.actions_by_id["record.film"].trigger()
            bench.runtime.play()
            wait(lambda: len(ends) == 2, 90)
    finally:
        bench.filmed.disconnect(ends.append)
    path = next(tmp_path.glob("*-film-*.mp4"))
    assert ends[1].path == str(path)
    assert ends[1].error
    wait(lambda: both.trouble_dialog.isVisible())
    assert both.trouble_dialog.title.text() == "The disk is full"
    assert str(path) in both.trouble_dialog.shown.happened
    both.trouble_dialog.reject()
    assert not recording.pair.filming
    assert not both.actions_by_id["record.film"].isChecked()
    assert recording.film_button.text() == "Record film"
    assert "Recording" not in recording.latest.text()
    assert bench.view.adaptive
    assert panel.on  # both go on
    t = bench.history.last.t
    wait(lambda: bench.history.last.t > t and second(both).last.t > t, 60)
    bench.runtime.pause()
    frames = []
    with (
        av.open(str(path)) as film,
        contextlib.suppress(av.error.InvalidDataError),
    ):  # the last picture is torn
        for frame in film.decode(video=0):
            frames.append(frame)
    assert len(frames) >= 5
    assert abs(frames[0].width - 2 * both.viewport.full_size()[0]) < 10
    assert frames[0].to_ndarray(format="rgb24").std() > 10


def test_a_still_of_the_comparison_has_both_pictures(both: MainWindow, wait: Wait, tmp_path: Path) -> None:
    recording = both.panels["recording"]
    recording.set_folder(tmp_path)
    wait(lambda: recording.pair.why_not() == "")
    recording.latest.setText("")
    both.actions_by_id["record.still"].trigger()
    wait(lambda: "-still-" in recording.latest.text(), 60)
    (path,) = list(tmp_path.iterdir())  # the halves are gone
    image = np.asarray(Image.open(path)).astype(int)
    width, height = both.viewport.full_size()
    assert image.shape[0] == height
    assert abs(image.shape[1] - 2 * width) < 0.03 * width
    assert np.abs(image[:, :width] - image[:, -width:]).max() > 60
    gutter = image[:, (image.shape[1] - 4) // 2 : (image.shape[1] + 4) // 2]
    assert np.ptp(gutter, axis=(0, 1)).max() == 0  # one colour between them
    assert f"{image.shape[1]} × {height}" in recording.latest.text()
