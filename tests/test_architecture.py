"""The layering holds on every run of the tests: scenes < dynamite < policies < robot_app, Qt in the window only."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3000:]


def test_no_source_file_outgrows_one_idea() -> None:
    long = {
        str(path.relative_to(ROOT)): n
        for package in ("scenes", "dynamite", "policies", "robot_app")
        for path in (ROOT / package).rglob("*.py")
        if (n := len(path.read_text().splitlines())) > 420
    }
    assert long == {}


def test_the_repository_is_light() -> None:
    files = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    heavy = [f for f in files.split("\0") if f and (ROOT / f).exists() and (ROOT / f).stat().st_size > 5e6]
    assert heavy == []
