"""Every panel can be kept as a figure that says where it comes from."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from robot_app.window.main_window import MainWindow

Wait = Callable[..., None]


def keep(window: MainWindow, wait: Wait, name: str, folder: Path) -> Path:
    """Save a panel's figure; the path of its PDF."""
    panel = window.panels["recording"]
    panel.set_folder(folder)
    panel.figure_of.setCurrentIndex(panel.figure_of.findData(name))
    before = set(folder.glob("*.pdf"))
    window.actions_by_id["record.figure"].trigger()
    wait(lambda: set(folder.glob("*.pdf")) - before and "Drawing" not in panel.latest.text(), 60)
    (made,) = set(folder.glob("*.pdf")) - before
    return made


def play_to(window: MainWindow, wait: Wait, step: int) -> None:
    bench = window.workbench
    bench.set_speed(float("inf"))
    bench.runtime.play()
    wait(lambda: bench.history.last.t >= step)
    bench.runtime.pause()
    wait(lambda: bench.status.state != "playing")


def rows_of(pdf: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(pdf.with_suffix(".csv").read_text().splitlines()[3:]))


def test_every_panel_is_kept_with_seed_commit_and_scene(
    fresh: MainWindow, wait: Wait, tmp_path: Path
) -> None:
    play_to(fresh, wait, 30)
    for name, panel in fresh.panels.items():
        pdf = keep(fresh, wait, name, tmp_path)
        said = json.loads(Image.open(pdf.with_suffix(".png")).text["Provenance"])
        assert said["seed"] == 3, name
        assert said["commit"], name
        assert said["config"]["scene"]["name"] == "scratch_itch", name
        assert said["config"]["panel"] == panel.title


def test_the_figure_of_the_belief_has_what_was_believed_and_hides_what_is_hidden(
    fresh: MainWindow, wait: Wait, tmp_path: Path
) -> None:
    play_to(fresh, wait, 25)
    bench = fresh.workbench
    rows = rows_of(keep(fresh, wait, "belief", tmp_path / "seen"))
    believed = [row for row in rows if row["curve"] == "belief ± 2σ"]
    assert len(believed) == len(bench.history)
    posterior = bench.history.last.decision.belief.fields["force"]
    assert float(believed[-1]["y"]) == pytest.approx(posterior.mean)
    assert float(believed[-1]["spread"]) == pytest.approx(2 * posterior.std)
    assert any(row["curve"] == "truth" for row in rows)
    skin = [row for row in rows if row["plot"].startswith("Itch")]
    assert sum(float(row["probability"]) for row in skin) == pytest.approx(1.0, abs=1e-4)
    fresh.workbench.set_view(truth=False)
    hidden = rows_of(keep(fresh, wait, "belief", tmp_path / "blind"))
    assert not any(row["curve"] == "truth" for row in hidden)
    fresh.workbench.set_view(truth=True)


def test_a_figure_that_cannot_be_written_is_told(fresh: MainWindow, wait: Wait, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    fresh.panels["recording"].set_folder(tmp_path / "file")
    fresh.actions_by_id["record.figure"].trigger()
    wait(lambda: fresh.trouble_dialog.isVisible())
    assert "figure" in fresh.trouble_dialog.title.text()
    fresh.trouble_dialog.reject()
    fresh.panels["recording"].set_folder(tmp_path)
