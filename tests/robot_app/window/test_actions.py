"""The table of actions: each can be reached in every way, has a key of its own, and does what it says."""

from __future__ import annotations

import pkgutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices, QGuiApplication, QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QFileDialog

from robot_app.window import panels
from robot_app.window.actions import ACTIONS, MENUS, TOOLBAR
from robot_app.window.help_overlay import _COLUMNS, rows_of
from robot_app.window.main_window import MainWindow
from tests.robot_app.window.conftest import press

Wait = Callable[..., None]
#: Triggered where their effect is tested: in which file of this folder.
ELSEWHERE = {
    "training.start": "test_training_panel", "training.pause": "test_training_panel",
    "training.stop": "test_training_panel", "training.watch": "test_training_panel",
    "training.board": "test_training_panel", "record.film": "test_panels", "record.still": "test_opening",
    "record.episode": "test_opening", "record.figure": "test_figure_of_panel", "view.presenter": "test_presenter",
    "run.compare": "test_compare_panel", "file.episode": "test_opening",
}  # fmt: skip


def trigger(window: MainWindow, name: str) -> None:
    window.actions_by_id[name].trigger()


def test_ids_and_shortcuts_are_unique_and_real() -> None:
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)
    keys = [key for action in ACTIONS for key in (action.shortcut, action.also) if key]
    assert all(QKeySequence(key).count() == 1 for key in keys)
    assert len({QKeySequence(key).toString() for key in keys}) == len(keys)
    assert {action.menu for action in ACTIONS} == set(MENUS)
    assert {name for name in TOOLBAR if name} <= {action.id for action in ACTIONS if action.icon}
    assert all(action.shortcut and action.tip.endswith(".") for action in ACTIONS)


def test_every_action_is_in_a_menu_the_palette_and_the_help(window: MainWindow) -> None:
    in_menus = {
        a.objectName() for title in MENUS for a in window.findChild(object, f"menu.{title}").actions()
    }
    window.palette_box.open()
    listed = window.palette_box.list
    in_palette = {listed.topLevelItem(i).data(0, Qt.UserRole) for i in range(listed.topLevelItemCount())}
    window.palette_box.hide()
    disabled = {name for name, action in window.actions_by_id.items() if not action.isEnabled()}
    assert set(MENUS) <= {section for column in _COLUMNS for section in column}
    helped = {words for menu in MENUS for _, words in rows_of(menu)}
    for action in ACTIONS:
        assert action.id in in_menus
        assert action.id in in_palette | disabled
        assert action.title.rstrip("…") in helped or action.id.startswith("view.camera_")


def play_pause(window: MainWindow, wait: Wait) -> None:
    bench = window.workbench
    trigger(window, "run.play_pause")
    wait(lambda: bench.status.state == "playing" and bench.history.last.t >= 2)
    trigger(window, "run.play_pause")
    wait(lambda: bench.status.state == "paused")


def step(window: MainWindow, wait: Wait) -> None:
    trigger(window, "run.step")
    wait(lambda: window.workbench.history.last.t == 1)


def reset(window: MainWindow, wait: Wait) -> None:
    step(window, wait)
    trigger(window, "run.reset")
    wait(lambda: window.workbench.history.last.t == 0)
    assert window.workbench.history.seed == 3


def next_seed(window: MainWindow, wait: Wait) -> None:
    trigger(window, "run.next_seed")
    wait(lambda: window.workbench.history.seed == 4)


def speed(name: str, expected: float) -> Callable[[MainWindow, Wait], None]:
    def check(window: MainWindow, wait: Wait) -> None:
        window.workbench.set_speed(1.0 if name != "run.real_time" else 4.0)
        wait(lambda: window.workbench.status.speed != expected)
        trigger(window, name)
        wait(lambda: window.workbench.status.speed == expected)

    return check


def loop(window: MainWindow, wait: Wait) -> None:
    before = window.actions_by_id["run.loop"].isChecked()
    trigger(window, "run.loop")
    assert window.workbench.settings.flag("run/loop", True) is not before
    trigger(window, "run.loop")


def place(window: MainWindow, wait: Wait) -> None:
    trigger(window, "preference.place")
    assert window.viewport.placing
    QTest.keyClick(window.viewport, Qt.Key_Escape)
    assert not window.viewport.placing
    assert not window.actions_by_id["preference.place"].isChecked()


def apply(name: str) -> Callable[[MainWindow, Wait], None]:
    def check(window: MainWindow, wait: Wait) -> None:
        bench, editor = window.workbench, window.panels["preference"].editors["force"]
        editor.row.slider.setValue(333)
        trigger(window, name)
        wait(lambda: bench.history.last.events)
        event = bench.history.last.events[-1]
        assert event.kind == ("override" if name.endswith("now") else "override_next")
        assert event.value["force"] == pytest.approx(1 + 4 * 0.333)

    return check


def surprise(window: MainWindow, wait: Wait) -> None:
    bench = window.workbench
    before = bench.latent
    trigger(window, "preference.surprise")
    wait(lambda: bench.history.last.events and bench.latent != before)


def undo(window: MainWindow, wait: Wait) -> None:
    bench = window.workbench
    before = bench.latent
    surprise(window, wait)
    trigger(window, "preference.undo")
    wait(lambda: bench.scene.space.to_text(bench.latent) == bench.scene.space.to_text(before))


def redo(window: MainWindow, wait: Wait) -> None:
    bench = window.workbench
    undo(window, wait)
    trigger(window, "preference.redo")
    wait(lambda: len(bench.history.last.events) == 3 and bench.latent == bench.history.last.latent)


def drift(window: MainWindow, wait: Wait) -> None:
    bench, episode = window.workbench, window.workbench.history.episode
    trigger(window, "preference.drift")
    wait(lambda: bench.history.last.events)
    assert (bench.history.last.events[-1].kind, bench.history.last.events[-1].value) == ("kernel", "drift")
    assert bench.history.episode == episode  # nothing started over
    number = bench.scene.number
    bench.reload(kernel=None)
    wait(lambda: bench.scene.number > number)


def seek(name: str, start: int, end: int) -> Callable[[MainWindow, Wait], None]:
    """Of 6 steps with an edit at step 3: from ``start``, the action leads to ``end``."""

    def check(window: MainWindow, wait: Wait) -> None:
        bench = window.workbench
        bench.runtime.set_termination(0.0)
        for t in range(6):
            if t == 3:
                bench.runtime.override({"force": 2.0})
            bench.runtime.step()
        wait(lambda: bench.status.t == 6)
        bench.runtime.seek(start)
        wait(lambda: bench.shown.t == start and window.actions_by_id[name].isEnabled())
        trigger(window, name)
        wait(lambda: bench.shown.t == end)
        bench.runtime.set_termination(0.02)

    return check


def branch(window: MainWindow, wait: Wait) -> None:
    bench, first = window.workbench, window.workbench.history
    for _ in range(4):
        bench.runtime.step()
    bench.runtime.seek(2)
    wait(lambda: bench.cursor == 2)
    trigger(window, "timeline.branch")
    wait(lambda: bench.history is not first and bench.history.last.t == 2)


def another_take(name: str) -> Callable[[MainWindow, Wait], None]:
    def check(window: MainWindow, wait: Wait) -> None:
        branch(window, wait)
        bench = window.workbench
        second = bench.history
        trigger(window, name)
        wait(lambda: bench.history is not second)

    return check


def toggle(name: str) -> Callable[[MainWindow, Wait], None]:
    def check(window: MainWindow, wait: Wait) -> None:
        bench, before, shown = window.workbench, getattr(window.workbench.view, name), window.viewport.n_shown
        trigger(window, f"view.{name}")
        assert getattr(bench.view, name) is not before
        wait(lambda: window.viewport.n_shown > shown)
        trigger(window, f"view.{name}")
        assert getattr(bench.view, name) is before

    return check


def follow(window: MainWindow, wait: Wait) -> None:
    trigger(window, "view.follow")
    before = window.viewport.camera.target.copy()
    window.workbench.runtime.play()
    wait(lambda: not np.allclose(window.viewport.camera.target, before))
    window.workbench.runtime.pause()
    trigger(window, "view.follow")
    assert not window.viewport.following


def camera(number: int) -> Callable[[MainWindow, Wait], None]:
    def check(window: MainWindow, wait: Wait) -> None:
        window.viewport.camera.orbit(0.3, 0.2)
        trigger(window, f"view.camera_{number}")
        preset = window.workbench.scene.cameras[number - 1]
        np.testing.assert_allclose(window.viewport.camera.target, preset.target)

    return check


def theme(window: MainWindow, wait: Wait) -> None:
    before = window.workbench.theme.name
    trigger(window, "view.theme")
    assert window.workbench.settings.theme != before
    trigger(window, "view.theme")
    assert window.workbench.settings.theme == before


def full_screen(window: MainWindow, wait: Wait) -> None:
    trigger(window, "view.full_screen")
    wait(window.isFullScreen)
    trigger(window, "view.full_screen")
    wait(lambda: not window.isFullScreen())


def layout(window: MainWindow, wait: Wait) -> None:
    window.docks["belief"].hide()
    trigger(window, "view.layout")
    assert not window.docks["belief"].isHidden()


def scene(window: MainWindow, wait: Wait) -> None:
    trigger(window, "file.scene")
    wait(lambda: window.panels["setup"].isVisible() and not window.panels["setup"].visibleRegion().isEmpty())
    window.show_panel("preference")


def palette(window: MainWindow, wait: Wait) -> None:
    trigger(window, "help.palette")
    assert window.palette_box.isVisible()
    QTest.keyClicks(window.palette_box.line, "next seed")
    QTest.keyClick(window.palette_box.line, Qt.Key_Return)
    wait(lambda: window.workbench.history.seed == 4)
    assert not window.palette_box.isVisible()


def keys(window: MainWindow, wait: Wait) -> None:
    trigger(window, "help.keys")
    assert window.help.isVisible()
    QTest.keyClick(window.help, Qt.Key_Escape)
    assert not window.help.isVisible()
    assert not window.actions_by_id["help.keys"].isChecked()


def first_steps(window: MainWindow, wait: Wait) -> None:
    window.first_steps.put_away()
    trigger(window, "help.first")
    assert window.first_steps.isVisible()
    assert window.first_steps.at == 0
    QTest.mouseClick(window.first_steps.dismiss, Qt.LeftButton)
    assert not window.first_steps.isVisible()


def report(window: MainWindow, wait: Wait) -> None:
    trigger(window, "help.report")
    text = QGuiApplication.clipboard().text()
    assert '"scene"' in text
    assert "Loaded scratch itch" in text


def verify(window: MainWindow, wait: Wait) -> None:
    bench = window.workbench
    assert not window.actions_by_id["timeline.verify"].isEnabled()  # there is no step yet
    for _ in range(4):
        bench.runtime.step()
    wait(lambda: window.actions_by_id["timeline.verify"].isEnabled() and bench.status.t == 4)
    trigger(window, "timeline.verify")
    wait(lambda: bench.replayed.get(bench.history.episode) is not None)
    assert "Replay verified: all 4 steps" in window.notice_bar.text.text()


def table(window: MainWindow, wait: Wait) -> None:
    step(window, wait)
    with tempfile.TemporaryDirectory() as folder:
        window.panels["recording"].set_folder(Path(folder))
        trigger(window, "record.table")
        (written,) = Path(folder).glob("*.csv")
        assert len(written.read_text().splitlines()) == 3  # a header, steps 0 and 1


def recent(window: MainWindow, wait: Wait) -> None:
    trigger(window, "file.recent")
    menu = window.opener.menu
    assert menu.isVisible()
    assert menu.actions()  # what was opened lately, or that nothing was
    QTest.keyClick(menu, Qt.Key_Escape)
    assert not menu.isVisible()


EFFECTS: dict[str, Callable[[MainWindow, Wait], None]] = {
    "file.scene": scene,
    "run.play_pause": play_pause,
    "run.step": step,
    "run.reset": reset,
    "run.next_seed": next_seed,
    "run.faster": speed("run.faster", 2.0),
    "run.slower": speed("run.slower", 0.5),
    "run.real_time": speed("run.real_time", 1.0),
    "run.loop": loop,
    "preference.place": place,
    "preference.apply_now": apply("preference.apply_now"),
    "preference.apply_next": apply("preference.apply_next"),
    "preference.drift": drift,
    "preference.surprise": surprise,
    "preference.undo": undo,
    "preference.redo": redo,
    "timeline.start": seek("timeline.start", 5, 0),
    "timeline.back": seek("timeline.back", 5, 4),
    "timeline.previous": seek("timeline.previous", 5, 3),
    "timeline.next": seek("timeline.next", 1, 3),
    "timeline.live": seek("timeline.live", 2, 6),
    "timeline.branch": branch,
    "timeline.verify": verify,
    "timeline.next_take": another_take("timeline.next_take"),
    "timeline.previous_take": another_take("timeline.previous_take"),
    **{f"view.{name}": toggle(name) for name in ("heat", "truth", "force", "shadow")},
    "view.follow": follow,
    **{f"view.camera_{n}": camera(n) for n in range(1, 7)},
    "view.theme": theme,
    "view.full_screen": full_screen,
    "view.layout": layout,
    "help.palette": palette,
    "help.keys": keys,
    "help.first": first_steps,
    "help.report": report,
    "record.table": table,
    "file.recent": recent,
}
#: Tested by a function of their own, below.
BELOW = {"file.policy", "file.configuration", "file.quit", "record.folder"}
HERE = Path(__file__).parent


def test_no_action_is_forgotten() -> None:
    """An action without a test of its effect fails here, as does one that its file does not trigger (any more)."""
    assert sorted([*EFFECTS, *BELOW, *ELSEWHERE]) == sorted(action.id for action in ACTIONS)
    for name in BELOW:
        assert f'trigger(fresh, "{name}")' in Path(__file__).read_text(encoding="utf-8"), name
    for name, file in ELSEWHERE.items():
        assert f'actions_by_id["{name}"].trigger()' in (HERE / f"{file}.py").read_text(encoding="utf-8"), name


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(panels.__path__)])
def test_every_panel_is_tested_in_a_window(name: str) -> None:
    used = "window.viewport" if name == "viewport" else f'panels["{name}"]'
    files = [file.stem for file in HERE.glob("test_*.py") if used in file.read_text(encoding="utf-8")]
    assert {f"test_{name}_panel", f"test_{name}", "test_panels"} & set(files), files


def test_only_what_moves_by_steps_repeats_while_its_key_is_held(window: MainWindow) -> None:
    repeating = {name for name, action in window.actions_by_id.items() if action.autoRepeat()}
    assert repeating == {"run.step", "timeline.back", "timeline.previous", "timeline.next"}


@pytest.mark.parametrize("name", list(EFFECTS))
def test_an_action_does_what_it_says(name: str, fresh: MainWindow, wait: Wait) -> None:
    EFFECTS[name](fresh, wait)


def test_a_checkpoint_is_opened_from_the_menu(
    fresh: MainWindow, wait: Wait, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = fresh.workbench
    number = bench.scene.number
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(checkpoint.parents[1]))
    trigger(fresh, "file.policy")
    wait(lambda: bench.scene.number > number)
    assert bench.scene.policy == str(checkpoint)


def test_a_configuration_is_opened_from_the_menu(
    fresh: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text("variant: markov\nscene: {name: gridworld}\n")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "mine.yaml"), ""))
    trigger(fresh, "file.configuration")
    assert fresh.panels["training"].form.wish().variant == "markov"
    assert fresh.panels["training"].form.scene.currentData() == "gridworld"


def test_recordings_are_shown_in_the_file_manager(
    fresh: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toLocalFile()) or True)
    fresh.panels["recording"].set_folder(tmp_path / "films")
    trigger(fresh, "record.folder")
    assert shown == [str(tmp_path / "films")]


def test_quit_closes_the_window(fresh: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = []
    monkeypatch.setattr(fresh, "close", lambda: closed.append(True))
    trigger(fresh, "file.quit")
    assert closed


def test_a_key_pressed_in_the_window_runs_its_action(fresh: MainWindow, wait: Wait) -> None:
    press(fresh, wait, Qt.Key_Right)
    wait(lambda: fresh.workbench.history.last.t == 1)
    press(fresh, wait, Qt.Key_N)
    wait(lambda: fresh.workbench.history.seed == 4)


def test_arrow_keys_belong_to_a_slider_that_has_the_focus(fresh: MainWindow, wait: Wait) -> None:
    fresh.show_panel("preference")
    slider = fresh.panels["preference"].editors["itch"].axial.slider
    slider.setFocus()
    before = slider.value()
    QTest.keyClick(slider, Qt.Key_Right)
    assert slider.value() > before
    assert fresh.workbench.history.last.t == 0
