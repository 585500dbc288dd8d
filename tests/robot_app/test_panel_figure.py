"""A panel's numbers as files: what they show, and where they say they come from."""

from __future__ import annotations

import csv
import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from robot_app.figures.panel import Chart, Curve, Origin, PanelFigure, Picture, SkinChart, save_figure

ORIGIN = Origin(
    31, "abc123+", {"scene": {"name": "scratch_itch", "options": {"robot": "panda"}}, "policy": "random"}
)
STEPS = np.arange(50.0)
CHART = Chart(
    "Reward", "step", "reward per step",
    (Curve("policy", STEPS, np.sin(STEPS), spread=np.full(50, 0.2)), Curve("oracle", STEPS, np.cos(STEPS), "oracle", True)),
    spans=((0, 20), (20, 50)), inferred=(23,),
)  # fmt: skip
SKIN = SkinChart("Itch at step 9", ("upper_arm", "forearm"), np.full((2, 3, 4), 1 / 24), (1, 0.5, 0.3))


def figure(*parts) -> PanelFigure:
    return PanelFigure("Adaptation", parts, ORIGIN)


def test_every_file_carries_seed_commit_and_configuration(tmp_path: Path) -> None:
    paths = save_figure(figure(CHART, SKIN), tmp_path / "one")
    assert [path.suffix for path in paths] == [".png", ".pdf", ".csv"]
    said = json.loads(Image.open(paths[0]).text["Provenance"])
    assert said["seed"] == 31
    assert said["commit"] == "abc123+"
    assert said["config"]["scene"]["options"]["robot"] == "panda"
    pdf = paths[1].read_bytes()
    assert b"seed 31" in pdf
    assert b"abc123+" in pdf
    assert b"panda" in pdf
    lines = paths[2].read_text().splitlines()
    assert lines[1] == "# scratch_itch, random, seed 31, commit abc123+"
    assert json.loads(lines[2][2:]) == said


def test_the_table_has_every_point(tmp_path: Path) -> None:
    save_figure(figure(CHART, SKIN), tmp_path / "one")
    text = (tmp_path / "one.csv").read_text().splitlines()[3:]
    rows = list(csv.DictReader(text))
    policy = [row for row in rows if row["curve"] == "policy"]
    assert [float(row["x"]) for row in policy] == STEPS.tolist()
    np.testing.assert_allclose([float(row["y"]) for row in policy], np.sin(STEPS))
    assert {row["spread"] for row in policy} == {"0.2"}
    skin = [float(row["probability"]) for row in rows if row["plot"].startswith("Itch")]
    np.testing.assert_allclose(skin, 1 / 24)


def test_a_picture_is_drawn_with_its_origin_under_it(tmp_path: Path) -> None:
    image = np.zeros((60, 90, 3), np.uint8)
    image[:, :, 0] = 255
    paths = save_figure(figure(Picture("Log", image)), tmp_path / "log")
    assert [path.suffix for path in paths] == [".png", ".pdf"]  # a picture has no table
    drawn = np.asarray(Image.open(paths[0]).convert("RGB"))
    assert (drawn.reshape(-1, 3) == (255, 0, 0)).all(1).mean() > 0.5


def test_it_is_drawn_in_a_process_of_its_own(tmp_path: Path) -> None:
    def draw(stem: Path) -> subprocess.CompletedProcess:
        request = pickle.dumps((figure(CHART), str(stem)))
        command = [sys.executable, "-m", "robot_app.figures.panel"]
        return subprocess.run(command, input=request, capture_output=True, check=False)

    done = draw(tmp_path / "two")
    assert sorted(Path(path).suffix for path in json.loads(done.stdout)) == [".csv", ".pdf", ".png"]
    assert (tmp_path / "two.pdf").stat().st_size > 5000
    (tmp_path / "file").write_text("")
    refused = draw(tmp_path / "file" / "three")
    assert refused.returncode == 1
    assert refused.stderr.decode().strip().count("\n") == 0
