"""``robot-app train``: reports, stops on Ctrl-C with a checkpoint, and resumes as if it had never stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from dynamite.checkpoint import latest_checkpoint
from robot_app import cli

SMALL = ["--scene", "gridworld", "--set", "train.copies=16", "--set", "model.batch_episodes=4"]
SMALL += ["--set", "ppo.minibatches=1", "--set", "model.updates=1"]


def test_json_lines_one_per_iteration_and_a_last_one(tmp_path, capsys) -> None:
    run_dir = tmp_path / "run"
    command = ["train", *SMALL, "--set", "train.frames=1920", "--run-dir", str(run_dir), "--json"]
    assert cli.main(command) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["frames"] for line in lines[:-1]] == [960, 1920]
    assert {"fps", "return_mean", "seconds_left", "metrics"} <= set(lines[0])
    assert "belief/kl" in lines[0]["metrics"]
    assert lines[-1]["finished"] is True
    assert Path(lines[-1]["checkpoint"]) == latest_checkpoint(run_dir)
    assert list((run_dir / "tensorboard").iterdir())
    # The same folder again is refused, and left alone.
    before = sorted(p for p in run_dir.rglob("*"))
    assert cli.main(command) == 2
    assert "--resume" in capsys.readouterr().err
    assert sorted(p for p in run_dir.rglob("*")) == before


def test_progress_for_people_names_steps_rate_return_and_loss(tmp_path, capsys) -> None:
    run_dir = tmp_path / "run"
    assert cli.main(["train", *SMALL, "--set", "train.frames=960", "--run-dir", str(run_dir)]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    for part in (
        "960 steps",
        "/s",
        "return",
        "left",
        "KL",
        "consistency",
        "termination",
        "tensorboard --logdir",
    ):
        assert part in err, part
    assert "resume" not in err


def test_the_default_folder_is_named_after_scene_variant_and_seed(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    more = ["--variant", "varibad", "--set", "train.frames=960", "--set", "train.seed=4", "--json"]
    assert cli.main(["train", *SMALL, *more]) == 0
    capsys.readouterr()
    assert latest_checkpoint("runs/gridworld-varibad-s4") is not None
    # Resuming finds it by the same name, and goes on with the settings it was started with.
    longer = [
        "--variant",
        "varibad",
        "--set",
        "train.frames=1920",
        "--set",
        "train.seed=4",
        "--json",
        "--resume",
    ]
    assert cli.main(["train", "--scene", "gridworld", *longer]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["frames"] for line in lines[:-1]] == [1920]


def test_ctrl_c_finishes_the_iteration_saves_and_says_how_to_go_on(tmp_path) -> None:
    """The signal goes to the whole process group, as from a terminal: workers must not die of it."""
    settings = [
        *SMALL,
        "--set",
        "train.frames=1000000",
        "--set",
        "train.workers=1",
        "--set",
        "train.checkpoint_every=10000000",
    ]
    settings[1] = "gridworld_stay"
    command = [sys.executable, "-m", "robot_app", "train", *settings, "--run-dir", "run"]
    log = tmp_path / "log"
    with open(log, "w") as file:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=file, stdout=file, start_new_session=True)
    deadline = time.monotonic() + 60
    while "steps" not in log.read_text() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    assert latest_checkpoint(tmp_path / "run") is None
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    said = log.read_text()
    assert "Traceback" not in said
    assert "finishing this iteration" in said
    assert "robot-app train --run-dir run --resume" in said
    assert latest_checkpoint(tmp_path / "run") is not None
    steps = int(latest_checkpoint(tmp_path / "run").name)
    again = [
        *command[:3],
        "train",
        "--run-dir",
        "run",
        "--resume",
        "--set",
        f"train.frames={steps + 960}",
        "--json",
    ]
    resumed = subprocess.run(again, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = [json.loads(line) for line in resumed.stdout.splitlines()]
    assert lines[0]["frames"] == steps + 960
    assert lines[-1]["finished"] is True
