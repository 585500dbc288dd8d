"""``robot-app evaluate``: one JSON object with the agreed keys, repeatable, and references beside it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from robot_app import cli, references
from robot_app.evaluation import Evaluation
from robot_app.recipe import SceneRecipe
from scenes.errors import InputError

KEYS = (
    "return_mean", "return_std", "return_ci95", "oracle_share", "success_rate", "scratches_mean",
    "adaptation_steps_median", "force_p95_n", "sessions", "env_steps_per_s",
)  # fmt: skip


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """References in a folder of the test's own."""
    monkeypatch.setattr(references, "FOLDER", tmp_path)
    return tmp_path


def scores(capsys, *arguments: str) -> dict:
    assert cli.main(["evaluate", "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_object_has_exactly_the_agreed_keys_and_repeats(shelf, capsys) -> None:
    command = ["--scene", "gridworld", "--policy", "random", "--episodes", "20", "--seed", "3"]
    one, two = scores(capsys, *command), scores(capsys, *command)
    assert tuple(one) == KEYS
    for key in KEYS[:-1]:
        assert one[key] == two[key]
    assert one["return_ci95"][0] < one["return_mean"] < one["return_ci95"][1]
    assert one["return_mean"] == pytest.approx(-3.6, abs=1.5)  # what the scene's page says of random actions
    assert 60 < one["sessions"] < 150  # 20 episodes of 60 steps, p = 0.07
    assert scores(capsys, *command, "--option", "length=30")["sessions"] == 40


def test_an_oracle_scratches_and_random_actions_do_not(shelf, capsys) -> None:
    conditions = ["--episodes", "3", "--seed", "5", "--option", "controller=responsive", "--option", "p=0.01"]
    oracle = scores(capsys, "--policy", "scripted/scratch_itch", *conditions)
    random = scores(capsys, "--policy", "random", *conditions)
    assert oracle["scratches_mean"] > 10 > random["scratches_mean"]
    assert oracle["return_mean"] > random["return_mean"] + 50
    assert oracle["force_p95_n"] > 0
    assert oracle["env_steps_per_s"] > 0


def test_references_give_a_share_under_the_same_conditions_only(shelf, capsys) -> None:
    command = ["--episodes", "1", "--option", "controller=responsive", "--option", "p=0.05", "--seed", "5"]
    random = scores(capsys, "--policy", "random", *command, "--write-reference")
    assert random["oracle_share"] is None  # one of two
    scores(capsys, "--policy", "scripted/scratch_itch", *command, "--write-reference")
    kept = json.loads((shelf / "scratch_itch.json").read_text())
    assert list(kept) == ["controller=responsive p=0.05"]
    assert list(kept["controller=responsive p=0.05"]) == ["random", "oracle"]
    assert kept["controller=responsive p=0.05"]["random"]["return_mean"] == random["return_mean"]
    assert scores(capsys, "--policy", "random", *command)["oracle_share"] == pytest.approx(0.0)
    assert scores(capsys, "--policy", "scripted/scratch_itch", *command)["oracle_share"] == pytest.approx(1.0)
    elsewhere = scores(capsys, "--policy", "random", "--episodes", "1", "--option", "p=0.05")
    assert elsewhere["oracle_share"] is None  # the other controller
    # Known references stay, unless --force.
    before = (shelf / "scratch_itch.json").read_bytes()
    again = ["evaluate", "--policy", "random", *command, "--write-reference", "--seed", "9"]
    assert cli.main(again) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "--force" in err
    assert (shelf / "scratch_itch.json").read_bytes() == before
    assert cli.main([*again, "--force"]) == 0
    assert (shelf / "scratch_itch.json").read_bytes() != before


def test_only_random_and_oracles_are_references() -> None:
    assert references.role_of("random", False) == "random"
    assert references.role_of("pretrained/oracle", True) == "oracle"
    with pytest.raises(InputError, match="pretrained/dynamite"):
        references.role_of("pretrained/dynamite", False)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], "controller=assistive_gym p=0.02"),
        (["controller=responsive", "p=0.1"], "controller=responsive p=0.1"),
        (["robot=panda", "length=40"], "controller=assistive_gym robot=panda length=40"),
        (["robot=jaco", "kernel=uniform"], "controller=assistive_gym p=0.02"),
        (["kernel=drift", "kernel.scale=0.1"], "controller=assistive_gym kernel=name:drift,scale:0.1 p=0.02"),
        (["fields=force,itch"], "controller=assistive_gym fields=force,itch p=0.02"),
    ],
)
def test_conditions_are_named_by_what_decides_a_return(options, expected) -> None:
    recipe = SceneRecipe.parse("scratch_itch", options)
    scene = recipe.build()
    assert references.conditions(recipe, scene) == expected
    scene.close()


def test_a_fixed_schedule_has_no_reference() -> None:
    recipe = SceneRecipe.parse("scratch_itch", [], "5:forearm")
    evaluation = Evaluation(recipe, "random", 1, 0)
    assert evaluation.conditions is None
    with pytest.raises(InputError, match="schedule"):
        evaluation.check_reference(force=False)


def test_a_damaged_reference_file_is_one_line(shelf, capsys) -> None:
    (shelf / "gridworld.json").write_text("{")
    assert cli.main(["evaluate", "--scene", "gridworld", "--policy", "random", "--episodes", "1"]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "gridworld.json" in err


def test_the_table_for_people_names_every_score(shelf, capsys) -> None:
    assert cli.main(["evaluate", "--scene", "gridworld", "--policy", "random", "--episodes", "2"]) == 0
    out = capsys.readouterr().out
    assert all(key in out for key in KEYS)
    assert "–" in out  # no oracle share


def test_a_terminal_sees_rate_and_time_left_and_ctrl_c_ends_an_evaluation_that_would_take_hours() -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "robot_app", "evaluate", "--scene", "gridworld", "--policy", "random"]
    process = subprocess.Popen(
        [*command, "--episodes", "100000000"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
        start_new_session=True,
    )
    os.close(theirs)
    seen = b""

    def read() -> bool:
        nonlocal seen
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is gone
            return False
        seen += piece
        return bool(piece)

    while not re.search(rb"episodes .{0,20}/s .*left.*\d:\d\d", seen) and read():
        pass
    os.killpg(process.pid, signal.SIGINT)
    while read():
        pass
    os.close(ours)
    assert process.wait(60) == 130, seen
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.read() == b""
    assert b"robot-app evaluate: interrupted" in seen
    assert b"Traceback" not in seen
