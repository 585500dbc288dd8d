"""``robot-app sweep``: runs what is missing, says what it did, survives Ctrl-C, refuses mistakes in one line."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml

from robot_app import cli

QUICK = Path(__file__).parents[2] / "sweeps"
TINY = {
    "train.copies": 6,
    "train.frames": 720,
    "encoder.hidden": 16,
    "policy.hidden": [16],
    "model.batch_episodes": 4,
    "model.buffer_episodes": 8,
    "model.updates": 1,
    "ppo.minibatches": 2,
}


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """sweeps/quick.yaml, smaller still: two variants, one seed, 720 steps."""
    values = yaml.safe_load((QUICK / "quick.yaml").read_text())
    values["evaluation"]["episodes"] = 8
    values["base"]["overrides"] = TINY
    values["axes"] = {"variant": ["dynamite", "oracle"], "seed": [0]}
    file = tmp_path / "quick.yaml"
    file.write_text(yaml.safe_dump(values, sort_keys=False))
    return file


def run(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


@pytest.mark.parametrize("name", sorted(path.stem for path in QUICK.glob("*.yaml")))
def test_every_sweep_of_the_repository_can_be_read(name, tmp_path, capsys) -> None:
    if name in ("control_mujoco", "paper_table"):
        pytest.importorskip("mujoco")
    assert run("sweep", QUICK / f"{name}.yaml", "--out", tmp_path / "out", "--dry-run", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert len(listed["todo"]) >= 6
    assert listed["done"] == 0
    assert not (tmp_path / "out").exists()


def test_a_sweep_runs_once_and_its_figures_are_drawn_from_it(quick, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    assert run("sweep", quick, "--out", out, "--jobs", 1) == 0
    said = capsys.readouterr().err
    assert "2/2  variant oracle · seed 0: return" in said
    assert "results.csv (2 rows, 0 of them failures)" in said
    assert not (out / ".work").exists()
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    assert [row["variant"] for row in rows] == ["dynamite", "oracle"]
    assert float(rows[0]["reference_bayes"]) == pytest.approx(43.16, abs=0.01)
    before = (out / "results.csv").read_bytes()
    assert run("sweep", quick, "--out", out, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ran"], answer["left"], answer["rows"], answer["resume"]) == (0, 0, 2, None)
    assert (out / "results.csv").read_bytes() == before
    (out / "results.csv").unlink()
    assert run("sweep", quick, "--out", out, "--table") == 0
    assert (out / "results.csv").read_bytes() == before

    assert run("figures", "--results", out, "--json") == 0
    files = json.loads(capsys.readouterr().out)[str(out)]
    assert {Path(file).name for file in files} >= {
        "returns.md",
        "returns.tex",
        "learning_curves.png",
        "README.md",
    }
    assert all(Path(file).stat().st_size > 100 for file in files)


def test_only_and_dry_run_list_what_would_be_done(quick, tmp_path, capsys) -> None:
    assert run("sweep", quick, "--out", tmp_path / "out", "--dry-run", "--only", "variant=ora*,varibad") == 0
    out, err = capsys.readouterr()
    assert [line.split(maxsplit=1)[1] for line in out.splitlines()] == ["variant oracle · seed 0"]
    assert "1 to run, 0 done" in err


def started(sweep: Path, out: Path) -> subprocess.Popen[str]:
    """The command in a process group of its own, as a terminal starts it."""
    command = [
        sys.executable,
        "-m",
        "robot_app",
        "sweep",
        str(sweep),
        "--out",
        str(out),
        "--jobs",
        "1",
        "--json",
    ]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def test_ctrl_c_keeps_what_was_trained_and_the_same_command_goes_on(quick, tmp_path, capsys) -> None:
    values = yaml.safe_load(quick.read_text())
    values["base"]["overrides"] = {**TINY, "train.frames": 360 * 100, "train.checkpoint_every": 10**8}
    values["axes"] = {"variant": ["oracle"]}
    quick.write_text(yaml.safe_dump(values))
    out = tmp_path / "out"
    process = started(quick, out)
    deadline = time.monotonic() + 120
    while not list(out.glob(".work/*/progress.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to the workers too
    said, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    answer = json.loads(said)
    assert (answer["ran"], answer["left"]) == (0, 1)
    assert answer["resume"].startswith("robot-app sweep")
    (checkpoint,) = out.glob(".work/*/checkpoints/*")
    assert 360 <= int(checkpoint.name) < 360 * 100
    assert run(*answer["resume"].split()[1:], "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1
    (row,) = out.glob("rows/*.json")
    training = json.loads(row.read_text())["training"]
    assert (training["frames"], training["iterations"]) == (36000, 100)  # no iteration lost, none told twice


def test_ctrl_c_ends_an_evaluation_that_would_take_hours_and_keeps_the_rows(tmp_path, capsys) -> None:
    evaluated = {"base": {"scene": "gridworld"}, "axes": {"policy": ["random"]}}
    blocks = [
        {"name": "short", **evaluated, "evaluation": {"episodes": 4}},
        {"name": "long", **evaluated, "evaluation": {"episodes": 10**9}},
    ]
    file, out = tmp_path / "long.yaml", tmp_path / "out"
    file.write_text(yaml.safe_dump({"name": "long", "blocks": blocks}))
    process = started(file, out)
    deadline = time.monotonic() + 240
    while not list(out.glob("rows/*.json")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to the workers too
    said, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    answer = json.loads(said)
    assert (answer["ran"], answer["left"], answer["rows"]) == (1, 1, 1)
    _, left_over = psutil.wait_procs(workers, timeout=60)
    assert not left_over
    assert run("sweep", file, "--out", out, "--dry-run") == 0
    (todo,) = capsys.readouterr().out.splitlines()
    assert todo.endswith("long · policy random")


@pytest.mark.slow
def test_the_quick_sweep_does_all_that_it_says(tmp_path, capsys) -> None:
    out = tmp_path / "out"
    assert run("sweep", QUICK / "quick.yaml", "--out", out, "--jobs", 2, "--json") == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 6
    rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
    returns = {(row["variant"], row["seed"]): float(row["return_mean"]) for row in rows}
    assert min(returns.values()) > 15  # random actions get −3.4, the best 43
    assert run("figures", "--results", out, "--json") == 0
    assert {Path(file).name for file in json.loads(capsys.readouterr().out)[str(out)]} >= {
        "returns.tex", "learning_curves.pdf", "return_bars.pdf",
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("executor", ["local", "ray"])
def test_a_driver_that_is_killed_leaves_rows_and_the_same_command_does_the_rest(
    executor, quick, tmp_path, capsys
) -> None:
    if executor == "ray":
        pytest.importorskip("ray", reason="the extra `cluster` is not installed")
    values = yaml.safe_load(quick.read_text())
    values["axes"]["seed"] = [0, 1]
    quick.write_text(yaml.safe_dump(values, sort_keys=False))
    out, rows = tmp_path / "out", tmp_path / "out" / "rows"
    command = ["sweep", quick, "--out", out, "--executor", executor, "--jobs", "1", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "robot_app", *map(str, command)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 240
    while not list(rows.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    _, left_over = psutil.wait_procs(workers, timeout=120)
    assert not left_over  # nobody works on, or writes, for a driver that is gone
    kept = {path.name: path.read_bytes() for path in rows.glob("*.json")}
    assert 1 <= len(kept) < 4
    assert run(*command) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ran"], answer["rows"], answer["rows_failed"]) == (4 - len(kept), 4, 0)
    assert {name: (rows / name).read_bytes() for name in kept} == kept
    assert run("sweep", quick, "--out", tmp_path / "undisturbed", "--jobs", 1, "--json") == 0
    assert lines(out) == lines(tmp_path / "undisturbed")


def lines(out: Path) -> list[dict[str, str]]:
    """Of the table, digit for digit, but for the commit, which may change while a sweep is away."""
    table = csv.DictReader((out / "results.csv").read_text().splitlines())
    return [{name: value for name, value in row.items() if name != "commit"} for row in table]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"axes": {"variant": ["dinamite"]}}, "one of borel"),
        ({"base": {"overrides": {"ppo.rate": 1}}}, "ppo.rate"),
        ({"figures": [{"kind": "pie", "name": "a", "by": "variant"}]}, "figures[0].kind"),
        ({"reference": {"lines": ["paper"]}}, "reference.lines"),
    ],
)
def test_mistakes_in_the_file_are_one_line_and_nothing_is_written(
    quick, tmp_path, capsys, change, said
) -> None:
    quick.write_text(yaml.safe_dump({**yaml.safe_load(quick.read_text()), **change}))
    assert run("sweep", quick, "--out", tmp_path / "out") == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--jobs", "0"], "--jobs"),
        (["--only", "variant"], "--only"),
        (["--only", "colour=red"], "colour"),
        (["--only", "seed=9"], "leaves a job"),
        (["--address", "auto"], "--executor ray"),
    ],
)
def test_mistakes_on_the_command_line_are_one_line(quick, tmp_path, capsys, options, said) -> None:
    assert run("sweep", quick, "--out", tmp_path / "out", *options) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
