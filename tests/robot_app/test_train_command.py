"""``robot-app train``: reports, stops on Ctrl-C with a checkpoint, and resumes as if it had never stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dynamite.checkpoint import latest_checkpoint
from robot_app import cli
from robot_app.interrupt import Interrupt

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


def test_ctrl_c_finishes_the_iteration_saves_and_says_how_to_go_on(tmp_path, monkeypatch, capsys) -> None:
    """The signal goes to the whole process group, as from a terminal: workers must not die of it."""
    settings = [
        "train.frames=1000000",
        "train.copies=2",
        "train.workers=1",
        "train.checkpoint_every=10000000",
    ]
    settings += ["model.batch_episodes=2", "ppo.minibatches=1", "ppo.epochs=1", "model.updates=1"]
    command = [sys.executable, "-m", "robot_app", "train", "--run-dir", "run"]
    command += [part for setting in settings for part in ("--set", setting)]
    log = tmp_path / "log"
    with open(log, "w") as file:
        process = subprocess.Popen(command, cwd=tmp_path, stderr=file, stdout=file, start_new_session=True)
    deadline = time.monotonic() + 60
    while "steps" not in log.read_text() and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    assert latest_checkpoint(tmp_path / "run") is None
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130, log.read_text()
    said = log.read_text()
    assert "Traceback" not in said
    assert "finishing this iteration" in said
    assert "robot-app train --run-dir run --resume" in said
    last = latest_checkpoint(tmp_path / "run")
    assert last is not None
    steps = int(last.name)
    monkeypatch.chdir(tmp_path)
    again = ["train", "--run-dir", "run", "--resume", "--set", f"train.frames={steps + 400}", "--json"]
    assert cli.main([*again, "--set", "train.workers=0"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["frames"] == steps + 400
    assert lines[-1]["finished"] is True


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.3)


def test_ctrl_c_is_a_request_inside_and_an_interrupt_outside() -> None:
    with Interrupt() as interrupt:
        assert not interrupt.is_set()
        press_ctrl_c()
        assert interrupt.is_set()
        with pytest.raises(KeyboardInterrupt):  # the second time
            press_ctrl_c()
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()


def test_a_child_started_inside_does_not_hear_ctrl_c() -> None:
    code = "import time; print('up', flush=True); time.sleep(0.5); print('done', flush=True)"
    with Interrupt():
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=30)[0] == "done\n"
    assert child.returncode == 0
