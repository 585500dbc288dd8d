"""The timeline: every panel goes along with the cursor; branches and takes; what cannot be done says why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QToolButton

from robot_app.episode import Episode
from robot_app.messages import Loaded
from robot_app.window.main_window import MainWindow
from tests.robot_app.window.conftest import press

Wait = Callable[..., None]


@pytest.fixture
def lived(fresh: MainWindow, wait: Wait) -> MainWindow:
    """40 steps of seed 3, with the preference changed at step 15; paused, everything shown."""
    bench = fresh.workbench
    step_to(fresh, wait, 15)
    bench.edit({"itch": "forearm@0.25", "force": 3.0})
    step_to(fresh, wait, 40)
    for name in ("preference", "belief", "adaptation"):
        fresh.show_panel(name)
    return fresh


def step_to(window: MainWindow, wait: Wait, t: int) -> None:
    bench = window.workbench
    for _ in range(t - bench.history.last.t):
        bench.runtime.step()
    wait(lambda: bench.history.last.t == t and bench.status.t == t)


def look_at(window: MainWindow, wait: Wait, t: int) -> None:
    """Drag the strip's cursor to step ``t``."""
    strip, bench = window.panels["timeline"].strip, window.workbench
    there = QPoint(round(strip.x_of(t)), strip.height() // 2)
    QTest.mousePress(strip, Qt.LeftButton, Qt.NoModifier, QPoint(round(strip.x_of(1)), 20))
    QTest.mouseMove(strip, there)
    QTest.mouseRelease(strip, Qt.LeftButton, Qt.NoModifier, there)
    wait(lambda: bench.cursor == t)


def trigger(window: MainWindow, name: str) -> None:
    action = window.actions_by_id[f"timeline.{name}"]
    assert action.isEnabled(), action.toolTip()
    action.trigger()


def test_all_panels_go_along_with_the_cursor(lived: MainWindow, wait: Wait) -> None:
    bench, panels = lived.workbench, lived.panels
    look_at(lived, wait, 9)
    frame = bench.history.frames[9]
    wait(lambda: panels["belief"].views["itch"].truth == frame.latent["itch"])
    assert panels["belief"].views["itch"].grid is frame.decision.belief.fields["itch"]
    assert panels["preference"].editors["force"].row.value == pytest.approx(frame.latent["force"])
    total = sum(f.reward for f in bench.history.frames[1:10])
    assert panels["adaptation"].numbers["return"].text() == f"{total:.1f}"
    assert lived.status_labels["step"].text().startswith("step 9 /")
    assert "looking back" in lived.status_labels["factor"].text()
    assert bench.latent == frame.latent
    panels["adaptation"].on_plots()
    assert panels["adaptation"].reward._cursor.isVisible()
    assert panels["adaptation"].reward._cursor.value() == 9
    wait(lambda: lived.viewport.shown.t == 9)  # and so does the picture
    look_at(lived, wait, 20)
    assert panels["preference"].editors["force"].row.value == pytest.approx(3.0)
    trigger(lived, "live")
    wait(lambda: bench.cursor is None and bench.shown.t == 40)
    wait(lambda: lived.viewport.shown.t == 40)
    assert len(bench.history) == 41


def test_keys_step_and_jump(lived: MainWindow, wait: Wait) -> None:
    bench = lived.workbench
    stops = bench.timeline().stops
    assert 15 in stops
    press(lived, wait, Qt.Key_Home)
    wait(lambda: bench.cursor == 0)
    for stop in [t for t in stops if t > 0]:
        press(lived, wait, Qt.Key_Period)
        wait(lambda stop=stop: bench.shown.t == stop)
    look_at(lived, wait, 16)
    press(lived, wait, Qt.Key_Comma)
    wait(lambda: bench.cursor == 15)
    press(lived, wait, Qt.Key_Left)
    wait(lambda: bench.cursor == 14)
    press(lived, wait, Qt.Key_Right)
    wait(lambda: bench.cursor == 15)
    assert bench.history.last.t == 40  # no step was taken
    press(lived, wait, Qt.Key_End)
    wait(lambda: bench.cursor is None)


def test_a_branch_shares_the_past_and_the_first_take_is_kept(
    lived: MainWindow, wait: Wait, tmp_path: Path
) -> None:
    bench = lived.workbench
    first, original = bench.history, list(bench.history.frames)
    look_at(lived, wait, 12)
    trigger(lived, "branch")
    wait(lambda: bench.history is not first and len(bench.history) == 13)
    assert all(a is b for a, b in zip(bench.history.frames[:12], original, strict=False))
    step_to(lived, wait, 40)
    assert bench.history.frames[20].latent != original[20].latent  # the edit at 15 belongs to the first take
    combo = lived.panels["timeline"].takes
    assert [combo.itemText(i) for i in range(combo.count())][-1] == combo.currentText() == "Branch 1 at 12"
    bench.edit({"force": 4.5})
    wait(lambda: bench.history.last.events)
    bench.runtime.save_episode(tmp_path / "branch")
    recorded: list = []
    bench.episode_saved.connect(recorded.append)
    wait(lambda: recorded)
    assert Episode.load(tmp_path / "branch").verify().ok

    index = combo.findData(first.episode)
    combo.setCurrentIndex(index)
    combo.activated.emit(index)
    wait(lambda: bench.history is first)
    assert bench.shown.t == 40
    assert not bench.undo_stack.canUndo()  # the branch's edit is not this take's
    step_to(lived, wait, 41)  # and it goes on
    assert [frame.t for frame in first.frames] == list(range(42))
    trigger(lived, "next_take")
    wait(lambda: bench.history is not first)
    trigger(lived, "previous_take")
    wait(lambda: bench.history is first)


def test_changing_the_preference_in_the_past_branches_there(lived: MainWindow, wait: Wait) -> None:
    bench = lived.workbench
    first = bench.history
    look_at(lived, wait, 8)
    bench.edit({"force": 1.5})
    wait(lambda: bench.history is not first and bench.history.last.events)
    assert (bench.history.last.t, bench.history.last.events[0].value["force"]) == (8, 1.5)
    assert bench.cursor is None
    bench.undo_stack.undo()
    wait(lambda: len(bench.history.last.events) == 2)
    text = bench.scene.space.to_text
    assert text(bench.latent) == text(first.frames[8].latent)


def test_it_drifts_without_starting_over(lived: MainWindow, wait: Wait) -> None:
    bench = lived.workbench
    loaded: list[Loaded] = []
    bench.loaded.connect(loaded.append)
    before = list(bench.history.frames)
    lived.panels["preference"].drift()
    wait(lambda: bench.history.last.events)
    assert bench.history.last.events[-1].kind == "kernel"
    assert lived.panels["preference"].kernel.currentData() == "drift"
    step_to(lived, wait, 45)
    assert bench.history.frames[:40] == before[:40]
    assert not loaded
    look_at(lived, wait, 30)
    trigger(lived, "branch")  # from before it drifted
    wait(lambda: len(bench.history) == 31)
    assert lived.panels["preference"].kernel.currentData() == "uniform"
    bench.load(bench.scene.recipe, bench.scene.policy, 3)
    wait(lambda: loaded)


def test_what_cannot_be_done_says_why(fresh: MainWindow, wait: Wait) -> None:
    actions = fresh.actions_by_id
    wait(lambda: fresh.workbench.shown is not None and not actions["timeline.back"].isEnabled())
    assert "first step" in actions["timeline.back"].toolTip()
    assert "newest" in actions["timeline.live"].toolTip()
    assert "no change" in actions["timeline.next"].toolTip()
    assert actions["timeline.branch"].isEnabled()
    buttons = fresh.panels["timeline"].findChildren(QToolButton)
    assert len(buttons) == 6
    assert all(button.accessibleName() and button.toolTip() for button in buttons)
    back = next(b for b in buttons if b.defaultAction() is actions["timeline.back"])
    assert not back.isEnabled()
    step_to(fresh, wait, 2)
    wait(lambda: back.isEnabled())
    assert "first step" not in back.toolTip()


def test_the_strip_says_what_is_where(lived: MainWindow, wait: Wait) -> None:
    strip, bench = lived.panels["timeline"].strip, lived.workbench
    lived.panels["timeline"].on_plots()
    assert strip.step_at(strip.x_of(23)) == 23
    assert (strip.step_at(-50), strip.step_at(5000)) == (0, 40)
    words = strip.words_at(15)
    assert "forearm" in words
    assert "Changed by hand: override" in words
    assert f"{bench.history.rewards()[14]:+.2f}" in words
    shown = strip.grab().toImage()
    bench.set_view(truth=False)
    assert "forearm" not in strip.words_at(15)
    assert strip.grab().toImage() != shown
    bench.set_view(truth=True)
    assert strip.grab().toImage() == shown


def test_sessions_and_cursor_can_be_seen(lived: MainWindow, wait: Wait) -> None:
    strip, theme = lived.panels["timeline"].strip, lived.workbench.theme
    look_at(lived, wait, 25)
    image = strip.grab().toImage()
    colours = {image.pixelColor(x, 3).name() for x in range(image.width())}
    assert theme.truth in colours
    assert image.pixelColor(round(strip.x_of(25)), 30).lightness() > 150
    beyond = image.pixelColor(round(strip.x_of(120)), 30).name()
    assert beyond == theme.window
    assert np.isclose(strip.x_of(0) + strip.x_of(strip.timeline.length), strip.width())
