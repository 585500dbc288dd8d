"""The panel on the page *Add a panel*, saved where the page says, is there and works."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from robot_app.recipe import SceneRecipe
from robot_app.window import panels

PAGE = Path(__file__).parents[3] / "docs" / "add-a-panel.md"


@pytest.fixture
def saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    (tmp_path / "sessions.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(panels, "__path__", [*panels.__path__, str(tmp_path)])
    yield
    sys.modules.pop(f"{panels.__name__}.sessions", None)


@pytest.mark.usefixtures("saved")
def test_the_panel_of_the_documentation_counts_sessions(open_window, wait) -> None:
    window = open_window(
        scene=SceneRecipe("scratch_itch", termination={"length": 10}), policy="random", seed=0
    )
    panel = window.panels["sessions"]
    window.show_panel("sessions")
    bench = window.workbench
    bench.set_speed(float("inf"))
    bench.runtime.set_loop(False)
    bench.runtime.play()
    wait(lambda: bench.history.last.done)
    wait(lambda: panel.label.text() == "21 sessions, 9.5 steps each")
    assert panel.accessibleName() == "Sessions"
