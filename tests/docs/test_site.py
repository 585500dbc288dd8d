"""The site is built without a warning, with a page for every scene."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scenes.registry import SCENES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.stem)
def test_commands_on_a_page_exist(page: Path) -> None:
    from robot_app.commands import VERBS

    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"robot-app ([a-z]+)", text.replace("robot-app\n", "robot-app "))) <= set(VERBS)
    for path in re.findall(
        r"`((?:sweeps|examples|scenes|dynamite|policies|robot_app|tests)/[\w./]+\.\w+)`", text
    ):
        assert (ROOT / path).is_file(), path


@pytest.mark.slow
@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in ("sphinx", "myst_parser", "furo")),
    reason='needs pip install "dynamite-care[docs]"',
)
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "docs", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for name, entry in SCENES.items():
        text = (tmp_path / "scenes" / f"{name}.html").read_text(encoding="utf-8")
        assert entry.gym_id in text
        assert not entry.installed or "<img" in text
