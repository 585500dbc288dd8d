"""The site is built without a warning, with a page for every scene."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dynamite.sweep.loaded import find_source
from dynamite.sweep.plan import load_plan
from robot_app.figures.spec import parse_figures
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


@pytest.mark.parametrize("page", ["index", "quickstart", "scripting"])
def test_python_on_a_page_runs(page: str) -> None:
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    for code in re.findall(r"```python\n(.*?)```", text, re.S):
        names: dict = {}
        exec(code, names)
        names["scene"].close()
        if "frames" in names:
            assert len(names["frames"]) == 201
            assert set(names["frames"][60].belief.likeliest(names["scene"].latent_space)) == {"itch"}


def test_the_sweep_on_the_page_is_one_with_as_many_jobs_as_its_axes_multiply_to(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    (tmp_path / "sweep.yaml").write_text(re.findall(r"```yaml\n(.*?)```", text, re.S)[0], encoding="utf-8")
    plan = load_plan(tmp_path / "sweep.yaml", find_source)
    assert len(plan.jobs()) == 2 * 3 * 3
    assert [figure.name for figure in parse_figures(plan.figures)] == ["returns", "return_by_p"]


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
