"""Training runs followed through their folders: real small trainings, and folders as a crash would leave them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import psutil
import pytest

from dynamite.config_io import load_yaml
from robot_app.training_runs import TrainingRun, Wish, free_folder, glance, list_runs
from scenes.errors import InputError

#: Small enough that iterations take a tenth of a second; long enough that it does not end by itself.
SMALL = (
    ("train.copies", 16),
    ("model.updates", 1),
    ("model.batch_episodes", 8),
    ("train.checkpoint_every", 5_000_000),
)


def line(frames: int, total: int = 1000) -> str:
    metrics = {"belief/kl": 0.5}
    return json.dumps(
        {
            "iteration": 0, "frames": frames, "total_frames": total, "fps": 9.0, "seconds_left": 1.0, "phase": "ppo",
            "return_mean": 1.5, "return_std": None, "metrics": metrics, "checkpoint": None,
        }
    )  # fmt: skip


def wait_for(condition, seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        time.sleep(0.05)
        assert time.monotonic() < until, "it did not happen"


def test_a_run_starts_reports_stops_and_is_resumed(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "one"
    run = TrainingRun.start(folder, Wish("gridworld", "dynamite", seed=1, frames=5_000_000, overrides=SMALL))
    assert run.state in ("starting", "running")
    wait_for(lambda: run.state == "running")
    pid = run.pid
    assert pid is not None

    follower = TrainingRun(folder)  # a window opened later
    assert follower.running
    assert follower.about["variant"] == "dynamite"
    with pytest.raises(InputError, match="training has ended"):
        TrainingRun.start(folder, Wish("gridworld", "dynamite"))

    run.stop(kill_after_s=30.0)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert not follower.running
    assert run.state == "stopped"
    checkpoint = run.checkpoint()
    assert checkpoint is not None
    frames = run.lines[-1]["frames"]
    assert int(checkpoint.name) == frames

    with pytest.raises(InputError, match="Resume"):
        TrainingRun.start(folder, Wish("gridworld", "dynamite"))
    again = TrainingRun.start(
        folder, Wish("gridworld", "dynamite", seed=1, frames=frames + 2000, overrides=SMALL), resume=True
    )
    wait_for(lambda: again.state == "finished")
    assert again.lines[0]["frames"] < frames < again.lines[-1]["frames"]


def test_a_paused_run_goes_on_as_it_was_begun(tmp_path: Path) -> None:
    wish = Wish("gridworld", "markov", seed=7, frames=9_000_000, overrides=SMALL)
    run = TrainingRun.start(tmp_path / "run", wish)
    wait_for(lambda: run.state == "running")
    run.pause()
    assert TrainingRun(run.folder).state == "pausing"
    run.pause()  # again: a second Ctrl-C would lose the iteration
    wait_for(lambda: not run.running)
    assert run.state == "paused"
    assert glance(run.folder).state == "paused"
    frames = run.lines[-1]["frames"]
    assert int(run.checkpoint().name) == frames

    later = TrainingRun(run.folder)  # a window opened later knows nothing but the folder
    later.resume()
    try:
        wait_for(lambda: later.state == "running" and later.lines[-1]["frames"] > frames)
        config = load_yaml(run.folder / "config.yaml")
        assert (config.variant, config.train.seed, config.train.copies) == ("markov", 7, 16)
        with pytest.raises(InputError, match="has ended"):
            later.resume()
        later.stop(kill_after_s=60.0)
        assert later.state == "stopped"
    finally:
        later.kill()


def test_a_run_stopped_while_it_starts_can_start_anew(tmp_path: Path) -> None:
    run = TrainingRun.start(tmp_path / "run", Wish("gridworld", "markov", frames=2000, overrides=SMALL))
    run.pause()
    wait_for(lambda: not run.running)
    assert run.state == "paused"
    run.resume()
    wait_for(lambda: run.state == "finished")


def test_a_setting_that_does_not_exist_is_told(tmp_path: Path) -> None:
    wish = Wish("gridworld", "dynamite", overrides=(("ppo.warmth", 3),))
    run = TrainingRun.start(tmp_path / "run", wish)
    wait_for(lambda: not run.running)
    assert run.state == "failed"
    assert "ppo.warmth" in run.complaint()


def test_progress_is_read_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    run = TrainingRun(tmp_path)
    assert run.read() == []
    path.write_text(line(100) + "\n" + line(200)[:30])
    assert [entry["frames"] for entry in run.read()] == [100]
    path.write_text(line(100) + "\n" + line(200) + "\n")
    assert [entry["frames"] for entry in run.read()] == [200]
    assert run.column("frames") == [100.0, 200.0]
    assert run.column("belief/kl") == [0.5, 0.5]
    assert all(value != value for value in run.column("return_std"))  # null is NaN
    path.write_text(line(100) + "\n")  # a resumed run dropped what a crash had lost
    run.read()
    assert run.column("frames") == [100.0]


def test_a_finished_run_is_told_from_a_cut_off_one(tmp_path: Path) -> None:
    (tmp_path / "progress.jsonl").write_text(line(1000) + "\n")
    assert TrainingRun(tmp_path).state == "finished"
    (tmp_path / "progress.jsonl").write_text(line(900) + "\n")
    assert TrainingRun(tmp_path).state == "failed"
    (tmp_path / "checkpoints" / "000000000900").mkdir(parents=True)
    (tmp_path / "checkpoints" / "000000000900" / "manifest.json").write_text("{}")
    assert TrainingRun(tmp_path).state == "stopped"


def test_another_process_with_the_same_number_is_not_the_run(tmp_path: Path) -> None:
    started = psutil.Process(os.getpid()).create_time()
    for process_started, running in ((started, True), (started - 100.0, False)):
        (tmp_path / "run.json").write_text(
            json.dumps({"pid": os.getpid(), "process_started": process_started})
        )
        assert TrainingRun(tmp_path).running is running


def test_a_new_run_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    first = free_folder(tmp_path, "gridworld", "dynamite", 3)
    assert first.name == "gridworld-dynamite-s3"
    first.mkdir()
    assert free_folder(tmp_path, "gridworld", "dynamite", 3) == first  # empty: free still
    (first / "config.yaml").write_text("")
    assert free_folder(tmp_path, "gridworld", "dynamite", 3).name == "gridworld-dynamite-s3-2"
    assert list_runs(tmp_path) == [first]
