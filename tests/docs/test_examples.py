"""The examples run, and show what they say they show."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(script: str, *options: str) -> str:
    """What an example prints."""
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / script), *options],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(EXAMPLES.parent)},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_examples_are_short() -> None:
    assert all(len(path.read_text().splitlines()) < 60 for path in EXAMPLES.glob("*.py"))


def test_the_belief_follows_the_truth_of_a_gridworld() -> None:
    lines = run("belief.py", "--scene", "gridworld", "--every", "1").splitlines()[1:-1]
    guesses = [line.split()[-2:] for line in lines]
    assert len(guesses) == 61
    assert sum(believed == true for believed, true in guesses) > 40


def test_a_belief_about_the_skin_is_told_as_a_place() -> None:
    printed = run("belief.py", "--steps", "20")
    assert re.search(r"\n  20 .* (forearm|upper arm) \d+ %, [+-]\d+° +(forearm|upper arm) \d+ %", printed)


def test_longer_sessions_earn_more() -> None:
    printed = run(
        "session_lengths.py", "--scene", "gridworld", "--policies", "random", "dynamite", "--lengths", "4", "30",
        "--episodes", "20",
    )  # fmt: skip
    rows = {line.split()[0]: re.findall(r"(-?\d+\.\d+) \[", line) for line in printed.splitlines()[2:]}
    assert float(rows["30"][1]) > float(rows["4"][1]) + 5
    assert float(rows["30"][1]) > float(rows["30"][0]) + 20


def test_a_film_of_a_change_can_be_repeated_bit_for_bit(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    printed = run(
        "film_a_change.py",
        "--changes",
        "4:upper_arm",
        "--steps",
        "8",
        "--size",
        "320x180",
        "--out",
        str(film),
    )
    assert "sessions began at steps [0, 4]; repeated bit for bit: True" in printed
    assert film.stat().st_size > 1000
    assert film.with_suffix(".csv").read_text().count("\n") == 10  # head, and steps 0 to 8


def test_a_scene_of_ones_own_passes_gymnasiums_checker_and_is_scored() -> None:
    assert float(run("own_scene.py").split()[-1]) < -400


def test_an_agent_of_ones_own_learns_what_the_person_likes() -> None:
    returns = [
        float(value) for value in re.findall(r"return +(-?[\d.]+)", run("own_agent.py", "--episodes", "20"))
    ]
    assert returns[1] > returns[0] + 400


@pytest.mark.slow
@pytest.mark.skipif(
    importlib.util.find_spec("stable_baselines3") is None,
    reason='needs pip install "dynamite-care[examples]"',
)
def test_stable_baselines3_trains_on_a_care_scene() -> None:
    printed = run("stable_baselines3_ppo.py", "--steps", "400", "--rollout", "200", "--episodes", "1")
    assert len(re.findall(r"return -?\d+\.\d ± ", printed)) == 2
    assert "after 400 steps" in printed
