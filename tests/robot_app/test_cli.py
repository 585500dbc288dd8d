"""The command line: help is quick, every mistake is one line with exit code 2, and nothing is written by it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from robot_app import cli
from robot_app.commands import VERBS, find_verb
from robot_app.commands.scenes import Scenes

ROBOT_APP = [sys.executable, "-m", "robot_app"]


@pytest.fixture
def empty(tmp_path, monkeypatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def everything_in(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() if p.is_file() else b"" for p in folder.rglob("*")}


def test_help_comes_within_a_second_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, resource; from robot_app.cli import main; assert main(['--help']) == 0;"
        "heavy = {'torch', 'pybullet', 'moderngl', 'PyQt5', 'av', 'open3d'} & set(sys.modules);"
        "print(heavy, file=sys.stderr) if heavy else None;"
        "used = resource.getrusage(resource.RUSAGE_SELF); print(used.ru_utime + used.ru_stime, file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all(verb in run.stdout for verb in VERBS)
    assert float(run.stderr) < 1.0  # CPU seconds: what a quiet machine's clock would show


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_with_examples_that_parse(verb, capsys) -> None:
    assert cli.main([verb, "--help"]) == 0
    page = capsys.readouterr().out
    assert "examples:" in page
    assert find_verb(verb).examples
    for example in find_verb(verb).examples:
        program, name, *arguments = shlex.split(example)
        assert (program, name) == ("robot-app", verb)
        assert isinstance(cli._read(verb, arguments), find_verb(verb))


ORACLE = ["--policy", "scripted/scratch_itch"]
#: What was typed, and what the one line must name.
MISTAKES: dict[str, tuple[list[str], list[str]]] = {
    "unknown verb": (["recrod"], ["'recrod'", "did you mean record?"]),
    "unknown option": (["evaluate", "--polcy", "x"], ["--polcy", "--policy"]),
    "option of another verb": (["doctor", "--seed", "1"], ["--seed"]),
    "text for a number": (["record", "--seed", "many"], ["--seed", "'many'", "a whole number"]),
    "option without value": (["record", "--seed"], ["--seed", "a value"]),
    "missing argument": (["replay"], ["EPISODE"]),
    "unknown scene": (["record", "--scene", "scratch_itc"], ["'scratch_itc'", "scratch_itch", "gridworld"]),
    "unknown scene, train": (["train", "--scene", "moon"], ["scene", "'moon'", "scratch_itch"]),
    "unknown scene, gui": (["gui", "--scene", "moon"], []),
    "scene that cannot be drawn": (
        ["record", "--scene", "gridworld", "--policy", "random"],
        ["gridworld", "drawn"],
    ),
    "unknown policy": (["record", "--policy", "pretrained/nobody"], ["'pretrained/nobody'", "random"]),
    "unknown policy, evaluate": (["evaluate", "--policy", "nobody"], ["'nobody'", "scripted/scratch_itch"]),
    "unknown policy, demo": (["demo", "--headless", "--policy", "nobody"], ["'nobody'"]),
    "unknown variant": (["train", "--variant", "rainbow"], ["'rainbow'", "dynamite"]),
    "unknown scene option": (["record", *ORACLE, "--option", "robt=jaco"], ["robt", "controller"]),
    "bad scene option": (["record", *ORACLE, "--option", "robot=r2d2"], ["'r2d2'", "jaco"]),
    "option of a wrong type": (["record", *ORACLE, "--option", "fields=3"], ["fields", "3"]),
    "option without =": (["record", *ORACLE, "--option", "robot"], ["--option", "key=value"]),
    "bad probability": (["evaluate", *ORACLE, "--option", "p=1.5"], ["1.5", "0 to 1"]),
    "probability in words": (["evaluate", *ORACLE, "--option", "p=often"], ["--option p", "'often'"]),
    "bad session length": (["evaluate", *ORACLE, "--option", "length=0"], ["length", "0", "1 or more"]),
    "two terminations": (["evaluate", *ORACLE, "--option", "p=0.1", "--option", "length=4"], ["one of"]),
    "unknown kernel": (["evaluate", *ORACLE, "--option", "kernel=jump"], ["'jump'", "uniform"]),
    "no episodes": (["evaluate", *ORACLE, "--episodes", "0"], ["--episodes", "0"]),
    "changes without colon": (["record", *ORACLE, "--changes", "60 forearm"], ["--changes", "'60 forearm'"]),
    "change at no step": (["record", *ORACLE, "--changes", "x:forearm"], ["--changes[0].step", "'x'"]),
    "change to no part": (
        ["record", *ORACLE, "--changes", "5:nose"],
        ["--changes[0].latent", "'nose'", "forearm"],
    ),
    "change out of range": (["record", *ORACLE, "--changes", "5:forearm@1.5"], ["axial", "1.5", "0 to 1"]),
    "changes out of order": (["record", *ORACLE, "--changes", "9:forearm,5:forearm"], ["rising order"]),
    "change after the end": (
        ["record", *ORACLE, "--changes", "250:forearm"],
        ["--changes", "250", "below 200"],
    ),
    "changes and probability": (["record", "--changes", "5:forearm", "--option", "p=0.1"], ["one of"]),
    "no schedule file": (["record", "--schedule", "none.yaml"], ["--schedule", "none.yaml"]),
    "size in words": (["record", *ORACLE, "--size", "large"], ["--size", "'large'", "1920x1080"]),
    "odd size": (["record", *ORACLE, "--size", "321x240"], ["--size", "321x240", "even"]),
    "tiny size": (["record", *ORACLE, "--size", "2x2"], ["--size", "2x2"]),
    "a camera twice": (["record", *ORACLE, "--camera", "front,front"], ["--camera", "each camera once"]),
    "unknown rival": (["record", *ORACLE, "--versus", "nobody"], ["policy", "'nobody'"]),
    "fps": (["record", *ORACLE, "--fps", "0"], ["--fps", "0", "1 to 120"]),
    "camera": (["record", *ORACLE, "--camera", "moon"], ["--camera", "'moon'", "shoulder"]),
    "overlay": (["record", *ORACLE, "--overlay", "belief,mood"], ["--overlay", "'mood'", "reward"]),
    "theme": (["record", *ORACLE, "--theme", "pink"], ["theme", "'pink'", "dark"]),
    "steps": (["record", *ORACLE, "--steps", "0"], ["--steps", "0", "200"]),
    "negative seed": (["record", *ORACLE, "--seed", "-1"], ["--seed", "-1"]),
    "film of another kind": (["record", *ORACLE, "--out", "film.avi"], ["film.avi", ".mp4"]),
    "unwritable output": (["record", *ORACLE, "--out", "/dev/null/film.mp4"], ["--out", "/dev/null"]),
    "no episode": (["replay", "nothing"], ["nothing", "manifest.json"]),
    "setting without =": (["train", "--set", "ppo.lr"], ["--set", "'ppo.lr'"]),
    "unknown setting": (["train", "--set", "ppo.rate=1"], ["ppo.rate", "unknown field", "lr"]),
    "bad setting": (["train", "--set", "ppo.lr=fast"], ["ppo.lr", "'fast'", "above 0"]),
    "no configuration": (["train", "--config", "none.yaml"], ["none.yaml", "readable"]),
    "resume of nothing": (["train", "--run-dir", "runs/none", "--resume"], ["--resume", "runs/none"]),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_exit_code_2_and_no_file(case, empty, capsys) -> None:
    argv, named = MISTAKES[case]
    assert cli.main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    assert err.startswith("robot-app")
    assert "Traceback" not in err
    for part in named:
        assert part in err
    assert everything_in(empty) == {}


@pytest.mark.parametrize("case", ["unknown scene option", "change out of range", "unknown option"])
def test_a_mistake_in_a_real_shell(case, empty) -> None:
    argv, named = MISTAKES[case]
    run = subprocess.run([*ROBOT_APP, *argv], cwd=empty, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.count("\n") == 1
    assert all(part in run.stderr for part in named)
    assert everything_in(empty) == {}


def test_a_renderer_that_does_not_exist_leaves_nothing_behind(empty, monkeypatch, capsys) -> None:
    monkeypatch.setenv("ROBOT_APP_RENDERER", "crayon")
    assert cli.main(["record", *ORACLE, "--out", "film.mp4"]) == 2
    assert "'crayon'" in capsys.readouterr().err
    assert everything_in(empty) == {}


@pytest.mark.parametrize("text", ["- step: 5", "step: 5", "[{step: 5, latent: nose}]", "[{step: 5", "[]"])
def test_a_malformed_schedule_file_is_refused(text, empty, capsys) -> None:
    Path("changes.yaml").write_text(text)
    assert cli.main(["record", *ORACLE, "--schedule", "changes.yaml"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--schedule" in err
    assert list(everything_in(empty)) == ["changes.yaml"]


def test_nothing_that_exists_is_overwritten_without_force(empty, capsys) -> None:
    for taken in ("film.episode/notes.txt", "film.csv", "film.mp4"):
        Path(taken).parent.mkdir(exist_ok=True)
        Path(taken).write_text("mine")
        before = everything_in(empty)
        assert cli.main(["record", *ORACLE, "--out", "film.mp4", "--steps", "2"]) == 2
        err = capsys.readouterr().err
        assert "--force" in err
        assert taken.split("/")[0] in err
        assert everything_in(empty) == before
    # A folder that this program did not write stays even with --force.
    Path("film.mp4").unlink()
    Path("film.csv").unlink()
    assert cli.main(["record", *ORACLE, "--out", "film.mp4", "--steps", "2", "--force"]) == 2
    assert list(everything_in(empty)) == ["film.episode", "film.episode/notes.txt"]


@pytest.mark.parametrize("verb", ["record", "evaluate"])
def test_a_damaged_or_foreign_checkpoint_is_refused(verb, empty, capsys) -> None:
    folder = Path("agent")
    folder.mkdir()
    for content in ('{"format": "other/1"}', '{"format": "dynamite-checkpoint/1"}', "{"):
        (folder / "manifest.json").write_text(content)
        assert cli.main([verb, "--policy", "agent"]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert "manifest.json" in err
    assert sorted(everything_in(empty)) == ["agent", "agent/manifest.json"]


def test_a_checkpoint_cut_short_is_refused(empty, capsys) -> None:
    assert cli.main(["train", *SMALL_TRAINING, "--run-dir", "run"]) == 0
    capsys.readouterr()
    model = next(Path("run/checkpoints").glob("*/model.safetensors"))
    model.write_bytes(model.read_bytes()[:-100])
    assert cli.main(["evaluate", "--scene", "gridworld", "--policy", "run"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "model.safetensors" in err


SMALL_TRAINING = ["--scene", "gridworld", "--set", "train.frames=960", "--set", "train.copies=16"]
SMALL_TRAINING += [
    "--set",
    "model.batch_episodes=4",
    "--set",
    "ppo.minibatches=1",
    "--set",
    "model.updates=1",
]


def test_an_unexpected_error_is_one_line_and_a_traceback_only_with_debug(monkeypatch, capsys) -> None:
    monkeypatch.setattr(Scenes, "run", lambda self: 1 / 0)
    assert cli.main(["scenes"]) == 1
    err = capsys.readouterr().err
    assert err == "robot-app scenes: ZeroDivisionError: division by zero (run with --debug to see where)\n"
    for argv in (["scenes", "--debug"], ["--debug", "scenes"]):
        assert cli.main(argv) == 1
        assert "Traceback" in capsys.readouterr().err


def test_ctrl_c_is_a_line_not_a_traceback(monkeypatch, capsys) -> None:
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Scenes, "run", interrupted)
    assert cli.main(["scenes"]) == 130
    assert capsys.readouterr().err == "robot-app scenes: interrupted\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{shlex.join(ROBOT_APP)} scenes --json | true; exit ${{PIPESTATUS[0]}}"
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def test_scenes_and_policies_are_listed_as_json(capsys) -> None:
    assert cli.main(["scenes", "--json"]) == 0
    scenes = json.loads(capsys.readouterr().out)
    assert "controller" in next(row for row in scenes if row["name"] == "scratch_itch")["options"]
    assert cli.main(["policies", "--json", "--scene", "scratch_itch"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert set(listed) == {"scratch_itch"}
    assert {"random", "scripted/scratch_itch"} <= set(listed["scratch_itch"])


def test_lists_for_people_name_everything(capsys) -> None:
    assert cli.main(["scenes"]) == 0
    assert "scratch_itch" in capsys.readouterr().out
    assert cli.main(["policies"]) == 0
    assert "scripted/scratch_itch" in capsys.readouterr().out


def test_the_version_names_a_release(capsys) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.split()[0].count(".") >= 1


def test_the_window_needs_a_screen(monkeypatch, capsys) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    if sys.platform in ("win32", "darwin"):
        pytest.skip("always has a screen")
    assert cli.main(["gui"]) == 2
    err = capsys.readouterr().err
    assert "DISPLAY" in err
    assert "demo --headless" in err
    assert "DISPLAY" not in os.environ
