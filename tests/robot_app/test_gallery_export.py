"""The gallery shows every scene under every policy it is asked for; an episode leaves for CSV and Minari and comes back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from robot_app import cli
from robot_app.episode import Episode
from robot_app.gallery import LABEL, THUMBNAIL, GallerySettings, make_gallery


def test_a_gallery_has_a_clip_a_still_and_a_line_for_each_pair(tmp_path, capsys) -> None:
    out = tmp_path / "g"
    command = ["gallery", "--scene", "gridworld", "--scene", "scratch_itch", "--policy", "random", "--policy",
               "pretrained/dynamite", "--steps", "3", "--size", "160x90", "--out", str(out), "--json"]  # fmt: skip
    assert cli.main(command) == 0
    made = json.loads(capsys.readouterr().out)
    pairs = [(clip["scene"], clip["policy"]) for clip in made["clips"]]
    assert pairs == [(s, p) for s in ("scratch_itch", "gridworld") for p in ("random", "pretrained/dynamite")]
    assert made["left_out"] == []
    assert made["out"] == str(out)
    page, readme = (out / "index.html").read_text(), (out / "README.md").read_text()
    for clip in made["clips"]:
        with av.open(str(out / clip["film"])) as film:
            n = sum(1 for _ in film.decode(video=0))
            assert (film.streams.video[0].width, film.streams.video[0].height) == (160, 90)
        assert n == (7 if clip["scene"] == "scratch_itch" else 4)  # 20 pictures a second; or one per step
        assert np.array(Image.open(out / clip["still"])).std() > 5
        assert f'src="{clip["film"]}"' in page
        assert clip["film"] in readme
    sheet = np.array(Image.open(out / "sheet.png"))
    corners = [sheet[60:180, LABEL + j * (THUMBNAIL[0] + 12) :][:, : THUMBNAIL[0]] for j in range(2)]
    assert all(part.std() > 5 for part in corners)
    assert made["megabytes"] * 1e6 == sum(path.stat().st_size for path in (out / "clips").iterdir())
    # What is there stays, unless it may be replaced; and a folder that is no gallery stays in any case.
    assert cli.main(command) == 2
    assert "--force" in capsys.readouterr().err
    (out / "mine.txt").write_text("precious")
    assert cli.main([*command, "--force"]) == 2
    assert (out / "mine.txt").read_text() == "precious"


def test_a_gallery_stops_at_its_size_and_says_what_is_missing(tmp_path, capsys) -> None:
    command = [
        "gallery",
        "--scene",
        "gridworld",
        "--steps",
        "2",
        "--size",
        "160x90",
        "--most-mb",
        "0.001",
        "--json",
    ]
    assert cli.main([*command, "--out", str(tmp_path / "g")]) == 0
    said = capsys.readouterr()
    made = json.loads(said.out)
    assert (made["n_clips"], len(made["left_out"])) == (1, 2)
    assert "0.001 MB" in (tmp_path / "g" / "index.html").read_text()


def test_ctrl_c_leaves_a_gallery_of_what_was_made_that_may_be_replaced(tmp_path) -> None:
    out, settings = tmp_path / "g", GallerySettings((160, 90), steps=2, scenes=("gridworld",))

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_gallery(out, settings, on_clip=interrupt)
    page = (out / "index.html").read_text()
    assert page.count("<video") == 1
    assert {path.name for path in out.iterdir()} == {
        "clips", "sheet.png", "index.html", "README.md", "gallery.json",
    }  # fmt: skip
    assert make_gallery(out, settings, force=True)["n_clips"] == 3


@pytest.fixture(scope="module")
def episodes(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("episodes")
    for seed in (1, 2):
        command = [
            "record",
            "--policy",
            "random",
            "--steps",
            "6",
            "--size",
            "64x64",
            "--overlay",
            "none",
            "--fps",
            "10",
        ]
        assert cli.main([*command, "--seed", str(seed), "--json", "--out", str(folder / f"{seed}.mp4")]) == 0
    return [folder / f"{seed}.episode" for seed in (1, 2)]


def test_an_exported_trace_is_the_one_beside_the_film(episodes, tmp_path) -> None:
    assert cli.main(["episode", "export", *map(str, episodes), "--csv", "--out", str(tmp_path)]) == 0
    for episode in episodes:
        exported = tmp_path / f"{episode.stem}.csv"
        assert exported.read_bytes() == episode.with_suffix(".csv").read_bytes()
        with open(exported, newline="") as file:
            assert [int(row["t"]) for row in csv.DictReader(file)] == list(range(7))
    assert cli.main(["episode", "export", str(episodes[0]), "--csv"]) == 2  # the film's own is there


def test_minari_reads_back_what_was_recorded(episodes, tmp_path, monkeypatch, capsys) -> None:
    minari = pytest.importorskip("minari")
    command = ["episode", "export", *map(str, episodes), "--minari", "--out", str(tmp_path), "--json"]
    assert cli.main(command) == 0
    name = json.loads(capsys.readouterr().out)["minari"]["dataset"]
    assert name == "scratch_itch/random-v0"
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))
    dataset = minari.load_dataset(name)
    assert (dataset.total_episodes, dataset.total_steps) == (2, 12)
    for read, folder in zip(dataset, episodes, strict=True):
        episode = Episode.load(folder)
        frames = episode.frames
        assert np.array_equal(read.observations, np.stack([f.observation for f in frames]))
        assert np.array_equal(read.actions, np.stack([f.decision.action for f in frames[:-1]]))
        assert np.array_equal(read.rewards, [f.reward for f in frames[1:]])
        assert read.truncations.tolist() == [False] * 5 + [True]
        assert not read.terminations.any()
        assert np.array_equal(read.infos["session"], [f.session for f in frames])
        assert np.allclose(read.infos["latent"][3], episode.latent_space.to_vector(frames[3].latent))
    scene = dataset.recover_environment()
    assert scene.observation_space.shape == read.observations.shape[1:]
    scene.close()
    assert cli.main(command) == 2
    assert "--force" in capsys.readouterr().err
    assert cli.main([*command, "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["EPISODE"], "--csv"),
        (["nowhere.episode", "--csv"], "no episode there"),
        (["EPISODE", "--minari", "--dataset", "no version"], "--dataset"),
        (["EPISODE", "--csv", "--dataset", "a-v0"], "--minari"),
        (["EPISODE", "EPISODE", "--csv", "--out", "x"], "different names"),
    ],
)
def test_what_cannot_be_exported_is_one_line(
    arguments, named, episodes, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    told = [str(episodes[0]) if part == "EPISODE" else part for part in arguments]
    assert cli.main(["episode", "export", *told]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert named in said
    assert list(tmp_path.iterdir()) == []
