"""Files that reach the window — dropped, recent, chosen — are opened, or a dialog says why not and what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from qtpy.QtCore import QMimeData, QPoint, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

from robot_app.episode import Episode
from robot_app.window.main_window import MainWindow
from robot_app.window.settings import Settings

Wait = Callable[..., None]


def drop(window: MainWindow, path: Path) -> bool:
    """Drag a file over the window and let it go; whether the window took it."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    over = QDragEnterEvent(QPoint(400, 300), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(window, over)
    assert window.drops.hint.isVisible() == over.isAccepted()
    let_go = QDropEvent(QPoint(400, 300), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier)
    QApplication.sendEvent(window, let_go)
    assert not window.drops.hint.isVisible()
    return let_go.isAccepted()


def trouble_of(window: MainWindow):
    dialog = window.trouble_dialog
    assert dialog.isVisible()
    assert not dialog.isModal()
    return dialog


def test_a_dropped_checkpoint_acts_and_is_remembered(fresh: MainWindow, wait: Wait, checkpoint: Path) -> None:
    number = fresh.workbench.scene.number
    assert drop(fresh, checkpoint / "model.safetensors")
    wait(lambda: fresh.workbench.scene.number > number)
    assert fresh.workbench.scene.policy == str(checkpoint)
    fresh.opener.fill_menu()
    entry = fresh.opener.menu.actions()[0]
    assert entry.text() == "novice at 1,000 steps (checkpoint, scratch itch)"
    number = fresh.workbench.scene.number
    entry.trigger()
    wait(lambda: fresh.workbench.scene.number > number)


def test_a_checkpoint_of_another_scene_asks_before_it_changes_the_scene(
    fresh: MainWindow, wait: Wait, tmp_path: Path
) -> None:
    from dynamite.agent import Agent
    from dynamite.checkpoint import save_checkpoint
    from dynamite.spec import SceneSpec
    from dynamite.variants import configure
    from scenes import make_scene

    scene = make_scene("gridworld")
    save_checkpoint(tmp_path / "grid", Agent(SceneSpec.of(scene), configure("gridworld", "dynamite")))
    number, bench = fresh.workbench.scene.number, fresh.workbench
    drop(fresh, tmp_path / "grid")
    dialog = trouble_of(fresh)
    assert dialog.title.text() == "A checkpoint of another scene"
    assert "gridworld" in dialog.happened.text()
    assert "scratch itch" in dialog.happened.text()
    assert bench.scene.number == number
    fresh.actions_by_id["run.step"].trigger()  # the window behind it lives
    wait(lambda: bench.history.last.t == 1)
    dialog.remedies["open"].click()
    assert not dialog.isVisible()
    wait(lambda: bench.scene.recipe.name == "gridworld")
    assert bench.scene.policy == str(tmp_path / "grid")


def record(window: MainWindow, wait: Wait, folder: Path, steps: int = 20) -> Path:
    """An episode of seed 11, edited at step 10; the window is at another one afterwards."""
    bench, panel = window.workbench, window.panels["recording"]
    panel.set_folder(folder)
    bench.reset(11)
    wait(lambda: bench.history.seed == 11)
    for t in range(steps):
        if t == 10:
            bench.edit({"itch": "forearm@0.3"})
        bench.runtime.step()
    wait(lambda: bench.history.last.t == steps)
    panel.latest.setText("")
    window.actions_by_id["record.episode"].trigger()
    wait(lambda: "-episode-" in panel.latest.text())
    (made,) = folder.glob("*-episode-*")
    bench.reset(3)
    wait(lambda: bench.history.seed == 3)
    return made


def test_an_episode_is_opened_with_its_whole_past(
    fresh: MainWindow, wait: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, folder = fresh.workbench, record(fresh, wait, tmp_path)
    recorded = Episode.load(folder)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    fresh.actions_by_id["file.episode"].trigger()
    wait(lambda: bench.replayed.get(bench.history.episode) is not None, 60)
    assert "Replay verified: all 20 steps" in fresh.notice_bar.text.text()
    takes = fresh.panels["timeline"].takes
    assert takes.currentText() == "Recording of seed 11 ✓ · edited at 10"
    assert "last bit" in takes.toolTip()
    assert [frame.observation.tobytes() for frame in bench.history.frames] == [
        frame.observation.tobytes() for frame in recorded.frames
    ]
    timeline = bench.timeline()
    assert (timeline.at, timeline.newest, timeline.live) == (0, 20, False)
    assert timeline.edits == ((10, "override"),)
    wait(lambda: fresh.viewport.shown is not None and fresh.viewport.shown.t == 0)
    bench.runtime.seek(14)
    wait(lambda: bench.cursor == 14 and fresh.viewport.shown.t == 14)
    assert bench.shown.latent["itch"].part == "forearm"
    bench.runtime.play()  # what was, and then on from its end
    wait(lambda: bench.history.last.t > 20, 60)
    bench.runtime.pause()
    bench.runtime.seek(12)
    wait(lambda: bench.cursor == 12)
    first = bench.history
    fresh.actions_by_id["timeline.branch"].trigger()
    wait(lambda: bench.history is not first and len(bench.history) == 13)
    assert bench.history.last.observation.tobytes() == recorded.frames[12].observation.tobytes()
    bench.runtime.step()
    wait(lambda: bench.history.last.t == 13)
    assert bench.history.last.observation.tobytes() == recorded.frames[13].observation.tobytes()


def test_an_episode_whose_policy_is_gone_is_played_as_recorded(
    fresh: MainWindow, wait: Wait, tmp_path: Path, checkpoint: Path
) -> None:
    bench = fresh.workbench
    shutil.copytree(checkpoint, tmp_path / "mortal")
    number = bench.scene.number
    drop(fresh, tmp_path / "mortal")
    wait(lambda: bench.scene.number > number and bench.status.state == "paused")
    folder = record(fresh, wait, tmp_path / "recordings", 12)
    shutil.rmtree(tmp_path / "mortal")
    drop(fresh, folder)
    wait(lambda: bench.replayed.get(bench.history.episode) is not None, 60)
    assert "Replay verified" in fresh.notice_bar.text.text()
    assert "mortal" in fresh.notice_bar.text.text()
    assert len(bench.history) == 13
    assert "actions recorded in" in fresh.windowTitle()
    bench.reset(11)  # from the start again, with the same actions
    wait(lambda: len(bench.history) == 1)
    bench.runtime.step()
    wait(lambda: len(bench.history) == 2)
    assert bench.history.last.decision.belief is not None


def test_a_damaged_episode_is_told_and_not_opened(fresh: MainWindow, wait: Wait, tmp_path: Path) -> None:
    bench, folder = fresh.workbench, record(fresh, wait, tmp_path, 1)
    damaged = tmp_path / "damaged"
    shutil.copytree(folder, damaged)
    frames = damaged / "frames" / "000.safetensors"
    frames.write_bytes(frames.read_bytes()[:-9])
    number = bench.scene.number
    drop(fresh, damaged)
    dialog = trouble_of(fresh)
    assert dialog.title.text() == "This episode cannot be opened"
    assert "000.safetensors" in dialog.happened.text()
    QTest.keyClick(dialog, Qt.Key_Escape)
    assert not dialog.isVisible()
    assert bench.scene.number == number
    assert damaged not in [entry.path for entry in fresh.opener.recent.entries]


def test_a_dropped_configuration_goes_to_the_training_panel(fresh: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("variant: markov\nscene: {name: gridworld}\nppo: {lr: 0.002}\n")
    drop(fresh, tmp_path / "mine.yaml")
    wish = fresh.panels["training"].form.wish()
    assert (wish.scene, wish.variant, wish.config) == ("gridworld", "markov", tmp_path / "mine.yaml")
    assert fresh.panels["training"].isVisible()
    (tmp_path / "bad.yaml").write_text("ppo: {warmth: 1}\n")
    drop(fresh, tmp_path / "bad.yaml")
    assert "ppo.warmth" in trouble_of(fresh).happened.text()
    fresh.trouble_dialog.reject()


def test_a_recent_file_that_vanished_can_be_forgotten(fresh: MainWindow, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("scene: {name: gridworld}\n")
    drop(fresh, tmp_path / "mine.yaml")
    (tmp_path / "mine.yaml").unlink()
    fresh.opener.fill_menu()
    fresh.opener.menu.actions()[0].trigger()
    dialog = trouble_of(fresh)
    assert dialog.title.text() == "It is no longer there"
    dialog.remedies["forget"].click()
    assert tmp_path / "mine.yaml" not in [entry.path for entry in fresh.opener.recent.entries]
    assert str(tmp_path) not in fresh.workbench.settings.value("files/recent", "")


def test_text_is_not_taken_and_nothing_known_is_told(fresh: MainWindow, tmp_path: Path) -> None:
    data = QMimeData()
    data.setText("hello")
    over = QDragEnterEvent(QPoint(5, 5), Qt.CopyAction, data, Qt.LeftButton, Qt.NoModifier)
    over.ignore()
    QApplication.sendEvent(fresh, over)
    assert not over.isAccepted()
    (tmp_path / "notes.txt").write_text("hello")
    drop(fresh, tmp_path / "notes.txt")
    assert "notes.txt" in trouble_of(fresh).happened.text()
    drop(fresh, tmp_path / "notes.txt")  # the same again: told once
    fresh.trouble_dialog.reject()
    assert not fresh.trouble_dialog.isVisible()


def test_recordings_that_do_not_fit_on_the_disk_are_told_and_the_scene_goes_on(
    fresh: MainWindow, wait: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    bench, panel = fresh.workbench, fresh.panels["recording"]
    panel.set_folder(tmp_path / "full")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "roomy"))
    for pid, action in ((bench.drawing.pid, "record.still"), (bench.drawing.pid, "record.film"),
                        (bench.runtime.pid, "record.episode")):  # fmt: skip
        unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (2000, unlimited[1]))
        try:
            fresh.actions_by_id[action].trigger()
            if action == "record.film":
                bench.runtime.play()
            wait(lambda: fresh.trouble_dialog.isVisible(), 60)
            assert fresh.trouble_dialog.title.text() == "The disk is full"
            assert str(tmp_path / "full") in fresh.trouble_dialog.shown.happened
        finally:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)
        assert not fresh.actions_by_id["record.film"].isChecked()
        fresh.trouble_dialog.remedies["folder"].click()
        assert panel.folder == tmp_path / "roomy"
        panel.set_folder(tmp_path / "full")
    shown, t = fresh.viewport.n_shown, bench.history.last.t
    bench.runtime.play()
    wait(lambda: fresh.viewport.n_shown > shown and bench.history.last.t != t)
    panel.set_folder(tmp_path / "roomy")
    fresh.actions_by_id["record.still"].trigger()
    wait(lambda: list((tmp_path / "roomy").glob("*.png")), 60)


def test_without_opengl_the_scene_is_drawn_and_the_dialog_says_how_to_mend_it(
    open_window: Callable[..., MainWindow], wait: Wait, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOT_APP_RENDERER", "tiny")
    Settings().set_flag("told/no_opengl", False)
    window = open_window(policy="random", seed=1, patience=60.0)
    wait(lambda: window.trouble_dialog.isVisible(), 60)
    assert "libegl1" in window.trouble_dialog.advice.text()
    wait(lambda: window.viewport.n_shown > 0)
    window.trouble_dialog.reject()
    window.close()
    again = open_window(policy="random", seed=1, patience=60.0)  # told once on a machine, then only logged
    wait(lambda: any("Drawn without OpenGL" in text for _, _, text in again.panels["log"].entries), 60)
    assert not again.trouble_dialog.isVisible()
