"""The Training panel with a real, small training beside the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from qtpy.QtGui import QDesktopServices

from robot_app.training_runs import TrainingRun, Wish
from robot_app.window.main_window import MainWindow
from robot_app.window.settings import SETTINGS_VARIABLE, Settings

Wait = Callable[..., None]
SMALL = "train.copies=16 model.updates=1 model.batch_episodes=8 train.checkpoint_every=2000"


def test_a_training_starts_draws_curves_is_watched_and_stops(
    open_window: Callable[..., MainWindow], wait: Wait, tmp_path: Path
) -> None:
    window = open_window(scene="gridworld", policy="random", play=True)
    bench, panel = window.workbench, window.panels["training"]
    panel.root = tmp_path / "runs"
    assert panel.form.scene.currentData() == "gridworld"
    panel.form.settings.setText(SMALL)
    panel.form.frames.setValue(5000)
    window.actions_by_id["training.start"].trigger()
    run = panel.run
    assert run is not None
    pid = run.pid
    assert pid is not None
    assert panel.stop_button.isEnabled()
    wait(lambda: len(run.lines) >= 3, 90)
    panel.look()
    x, y = panel.plots["Return"]._curves["return_mean"].getData()
    assert len(x) == len(y) >= 3
    assert x[-1] == run.lines[-1]["frames"]
    assert "return" in panel.words.text()

    window.actions_by_id["training.watch"].trigger()
    wait(lambda: str(tmp_path) in bench.scene.policy, 60)
    assert Path(bench.scene.policy).parent == run.folder / "checkpoints"
    wait(lambda: bench.history.last.decision.belief is not None)
    assert window.actions_by_id["training.watch"].isChecked()
    window.actions_by_id["training.watch"].trigger()
    assert not panel.watching

    window.actions_by_id["training.stop"].trigger()
    wait(lambda: not run.running, 60)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    panel.look()
    assert panel.start_button.text() == "Resume"
    assert run.checkpoint() is not None


def test_a_mistyped_setting_starts_nothing(open_window: Callable[..., MainWindow], tmp_path: Path) -> None:
    window = open_window(scene="gridworld", policy="random")
    panel = window.panels["training"]
    panel.root = tmp_path / "runs"
    panel.form.settings.setText("ppo.warmth=3")
    window.actions_by_id["training.start"].trigger()
    assert panel.run is None
    assert "ppo.warmth" in window.notice_bar.text.text()
    assert not (tmp_path / "runs").exists()
    window.actions_by_id["training.watch"].trigger()
    assert not window.actions_by_id["training.watch"].isChecked()


def test_a_run_started_elsewhere_is_followed_and_outlives_the_window(
    open_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    run = TrainingRun(tmp_path / "elsewhere")
    run.folder.mkdir()
    (run.folder / "progress.jsonl").write_text(
        '{"iteration": 0, "frames": 960, "total_frames": 9600, "fps": 100.0, "seconds_left": 86.4, "phase": "ppo",'
        ' "return_mean": 2.0, "return_std": 1.0, "metrics": {"belief/kl": 0.1}, "checkpoint": null}\n'
    )
    window = open_window(scene="gridworld", policy="random")
    panel = window.panels["training"]
    panel.follow(run)
    assert panel.table.currentItem().text(0) == "elsewhere"
    assert "1 k of 10 k" in panel.words.text()
    window.close()
    assert (run.folder / "progress.jsonl").exists()


def test_a_paused_training_is_found_by_the_next_window_and_goes_on(
    open_window: Callable[..., MainWindow], wait: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTINGS_VARIABLE, str(tmp_path / "settings.ini"))
    Settings().set_folder("runs", tmp_path / "runs")
    small = (("train.copies", 16), ("model.updates", 1), ("model.batch_episodes", 8))
    wish = Wish("gridworld", "markov", frames=9_000_000, overrides=small)
    other = TrainingRun.start(tmp_path / "runs" / "other", wish)
    window = open_window(scene="gridworld", policy="random")
    panel = window.panels["training"]
    try:
        assert panel.run.folder == other.folder  # it runs, and is found
        wait(lambda: panel.table.topLevelItem(1).text(1).startswith("running"), 60)
        window.show_panel("training")
        window.actions_by_id["training.pause"].trigger()
        assert not panel.pause_button.isEnabled()
        assert "Finishing" in panel.words.text()
        wait(lambda: not other.running, 60)
        panel.look()
        assert panel.table.topLevelItem(1).text(1).startswith("paused")
        assert panel.start_button.text() == "Resume"
        done = panel.run.lines[-1]["frames"]
        window.close()

        again = open_window(scene="gridworld", policy="random", settings=Settings()).panels["training"]
        assert again.run.folder == other.folder
        again.start_button.click()
        wait(lambda: again.run.state == "running" and again.run.lines[-1]["frames"] > done, 60)
        assert again.run.about["variant"] == "markov"
        again.stop_button.click()
        wait(lambda: again.run.state == "stopped", 60)
    finally:
        other.kill()
        TrainingRun(other.folder).kill()


def test_several_runs_are_listed_and_a_new_one_starts_from_a_file(
    open_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    window = open_window(scene="gridworld", policy="random")
    panel = window.panels["training"]
    window.show_panel("training")
    panel.root = tmp_path / "runs"
    for name, frames in (("one", 500), ("two", 1000)):
        (panel.root / name).mkdir(parents=True)
        (panel.root / name / "config.yaml").write_text("variant: varibad\nscene: {name: reacher}\n")
        (panel.root / name / "progress.jsonl").write_text(
            f'{{"iteration": 0, "frames": {frames}, "total_frames": 1000, "fps": 9.0, "seconds_left": 1.0, "phase": "ppo",'
            ' "return_mean": 1.5, "return_std": null, "metrics": {}, "checkpoint": null}\n'
        )
    panel.look()
    rows = [panel.table.topLevelItem(i) for i in range(panel.table.topLevelItemCount())]
    listed = {row.text(0): (row.text(1), row.text(2)) for row in rows[1:]}
    assert listed == {"one": ("failed", "1.5"), "two": ("finished", "1.5")}
    panel.table.setCurrentItem(rows[1 + [row.text(0) for row in rows[1:]].index("two")])
    assert panel.run.folder.name == "two"
    assert "1 k of 1 k" in panel.words.text()
    assert not panel.start_button.isEnabled()
    panel.table.setCurrentItem(rows[0])
    assert panel.stack.currentWidget() is panel.form
    assert panel.plots["Return"].chart().curves == ()

    config = tmp_path / "mine.yaml"
    config.write_text("variant: varibad\nscene: {name: gridworld_stay}\nppo: {lr: 0.004}\n")
    panel.form.take_config(config)
    wish = panel.form.wish()
    assert (wish.scene, wish.variant, wish.config) == ("gridworld_stay", "varibad", config)
    assert "--config" in wish.command(tmp_path / "run")


def test_tensorboard_opens_on_the_runs_and_ends_with_the_window(
    open_window: Callable[..., MainWindow], wait: Wait, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url.toString()) or True)
    window = open_window(scene="gridworld", policy="random")
    panel = window.panels["training"]
    panel.root = tmp_path
    panel.follow(None)
    window.actions_by_id["training.board"].trigger()
    assert "no curves" in window.notice_bar.text.text()
    (tmp_path / "run" / "tensorboard").mkdir(parents=True)
    (tmp_path / "run" / "tensorboard" / "events.out.tfevents.1").write_bytes(b"")
    window.actions_by_id["training.board"].trigger()
    wait(lambda: shown, 60)
    assert shown == [panel.board.url]
    process = panel.board._process
    window.close()
    assert process.poll() is not None
