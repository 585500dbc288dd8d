"""Two people without a screen: one trains, scores and films an agent; one just runs the demo."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import av
import pytest

from robot_app import cli
from robot_app.episode import Episode

SMALL = ("train.frames=400", "train.copies=2", "train.workers=0", "ppo.epochs=1", "ppo.minibatches=1", "model.updates=1",
         "model.batch_episodes=2", "scene.options.controller=responsive")  # fmt: skip


def robot_app(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """The installed command, as in a shell without a screen."""
    program = shutil.which("robot-app", path=str(Path(sys.executable).parent))
    command = [program] if program else [sys.executable, "-m", "robot_app"]
    hidden = {"DISPLAY", "WAYLAND_DISPLAY"}
    environment = {key: value for key, value in os.environ.items() if key not in hidden}
    return subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_train_score_film_and_replay_an_agent(tmp_path, monkeypatch, capsys) -> None:
    settings = [part for setting in SMALL for part in ("--set", setting)]
    trained = robot_app(tmp_path, "train", "--run-dir", "runs/mine", *settings, "--json")
    assert trained.returncode == 0, trained.stderr
    assert trained.stderr == ""
    assert json.loads(trained.stdout.splitlines()[-1])["finished"]

    monkeypatch.chdir(
        tmp_path
    )  # these two in this process: importing PyTorch again would be most of the test
    assert cli.main(["evaluate", "--policy", "runs/mine", "--episodes", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["env_steps_per_s"] > 50

    command = ["record", "--policy", "runs/mine", "--changes", "5:forearm.dorsal", "--steps", "12"]
    command += ["--size", "320x180", "--fps", "20", "--out", "films/mine.mp4", "--json"]
    assert cli.main(command) == 0
    made = json.loads(capsys.readouterr().out)
    with av.open(str(tmp_path / made["outputs"]["film"])) as film:
        assert sum(1 for _ in film.decode(video=0)) == 25
    episode = Episode.load(tmp_path / made["outputs"]["episode"])
    assert episode.recipe.options == {"controller": "responsive"}  # as it was trained
    beliefs = [frame.decision.belief for frame in episode.frames]
    assert all(
        belief is not None and belief.fields["itch"].grid.sum() == pytest.approx(1, abs=0.01)
        for belief in beliefs
    )
    assert len(episode.manifest["policy"]["sha256"]) == 64

    replayed = robot_app(tmp_path, "replay", "films/mine.episode", "--verify", "--json")
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)["verified"] is True


def test_the_demo_without_a_screen(tmp_path) -> None:
    ran = robot_app(tmp_path, "demo", "--steps", "5", "--size", "320x180")
    assert ran.returncode == 0, ran.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "demo.csv",
        "demo.episode",
        "demo.mp4",
        "demo.png",
    ]
    assert "out/demo.mp4" in ran.stderr
    again = robot_app(tmp_path, "demo", "--steps", "5", "--size", "320x180")
    assert again.returncode == 2
    assert again.stderr.splitlines()[-1].endswith("--force")


def test_the_speed_of_a_scene_is_one_json_object(tmp_path) -> None:
    command = [sys.executable, "-m", "benchmarks.scene_speed", "--json", "--robot", "panda", "--steps", "200"]
    run = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    row = json.loads(run.stdout)
    assert list(row) == ["scene", "robot", "steps_per_cpu_s", "reset_ms_median", "reset_ms_p99", "rss_mb"]
    assert (row["scene"], row["robot"]) == ("scratch_itch", "panda")
    assert row["steps_per_cpu_s"] > 500
    assert row["reset_ms_median"] <= row["reset_ms_p99"]
    assert run.stderr == ""
