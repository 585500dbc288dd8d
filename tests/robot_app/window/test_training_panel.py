"""The Training panel with a real, small training beside the scene."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psutil

from robot_app.window.main_window import MainWindow

Wait = Callable[..., None]
SMALL = "train.copies=16 model.updates=1 model.batch_episodes=8 train.checkpoint_every=2000"


def test_a_training_starts_draws_curves_is_watched_and_stops(
    open_window: Callable[..., MainWindow], wait: Wait, tmp_path: Path
) -> None:
    window = open_window(scene="gridworld", policy="random", play=True)
    bench, panel = window.workbench, window.panels["training"]
    panel.root = tmp_path / "runs"
    assert panel.scene.currentData() == "gridworld"
    panel.settings.setText(SMALL)
    panel.frames.setValue(5000)
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
    panel.settings.setText("ppo.warmth=3")
    window.actions_by_id["training.start"].trigger()
    assert panel.run is None
    assert "ppo.warmth" in window.notice_bar.text.text()
    assert not (tmp_path / "runs").exists()
    window.actions_by_id["training.watch"].trigger()
    assert not window.actions_by_id["training.watch"].isChecked()


def test_a_run_started_elsewhere_is_followed_and_outlives_the_window(
    open_window: Callable[..., MainWindow], tmp_path: Path
) -> None:
    from robot_app.training_runs import TrainingRun

    run = TrainingRun(tmp_path / "elsewhere")
    run.folder.mkdir()
    (run.folder / "progress.jsonl").write_text(
        '{"iteration": 0, "frames": 960, "total_frames": 9600, "fps": 100.0, "seconds_left": 86.4, "phase": "ppo",'
        ' "return_mean": 2.0, "return_std": 1.0, "metrics": {"belief/kl": 0.1}, "checkpoint": null}\n'
    )
    window = open_window(scene="gridworld", policy="random")
    panel = window.panels["training"]
    panel.follow(run)
    assert panel.runs.currentText() == "elsewhere"
    assert "1 k of 10 k" in panel.words.text()
    window.close()
    assert (run.folder / "progress.jsonl").exists()
