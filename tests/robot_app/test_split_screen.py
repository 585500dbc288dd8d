"""One run in several cameras, two policies beside each other, and what a full disk leaves of all their files."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from robot_app import cli
from robot_app.episode import Episode
from robot_app.film import FilmLook
from robot_app.recipe import SceneRecipe
from robot_app.render.camera import OrbitCamera
from robot_app.render.gif import GifWriter
from robot_app.split import Grid, near_square
from tests.reliability.disk import room_for

RECORD = ["record", "--policy", "scripted/scratch_itch", "--option", "controller=responsive",
          "--changes", "3:forearm.dorsal",
          "--steps", "8", "--fps", "10", "--overlay", "none", "--seed", "5", "--json"]  # fmt: skip


def pictures(path: Path) -> np.ndarray:
    """(N, H, W, 3) int of a film."""
    with av.open(str(path)) as film:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]).astype(int)


def run(capsys, *arguments: str) -> dict:
    assert cli.main(list(arguments)) == 0
    return json.loads(capsys.readouterr().out)


def test_several_cameras_see_one_run_each_in_its_own_file(tmp_path, capsys) -> None:
    more = ["--size", "160x120", "--out", str(tmp_path / "a.mp4"), "--gif", "--camera", "shoulder,front"]
    made = run(capsys, *RECORD, *more)
    assert set(made["outputs"]) == {
        "film.shoulder",
        "gif.shoulder",
        "film.front",
        "gif.front",
        "trace",
        "episode",
    }
    shoulder, front = (pictures(tmp_path / f"a.{name}.mp4") for name in ("shoulder", "front"))
    assert shoulder.shape == front.shape == (9, 120, 160, 3)
    assert np.abs(shoulder - front).mean() > 10
    assert not (tmp_path / "a.mp4").exists()
    # each is what that camera alone would have filmed
    alone = [
        "record",
        "--episode",
        str(tmp_path / "a.episode"),
        "--size",
        "160x120",
        "--fps",
        "10",
        "--overlay",
        "none",
    ]
    run(capsys, *alone, "--json", "--camera", "front", "--out", str(tmp_path / "alone.mp4"))
    assert np.array_equal(front, pictures(tmp_path / "alone.mp4"))
    # and side by side they share a picture
    both = ["--camera", "shoulder,front", "--side-by-side", "--json", "--out", str(tmp_path / "both.mp4")]
    run(capsys, *alone[:3], "--size", "322x120", *alone[5:], *both)
    shared = pictures(tmp_path / "both.mp4")
    assert shared.shape == (9, 120, 322, 3)
    assert np.abs(shared[4, :, :160] - shoulder[4]).mean() < 4
    assert np.abs(shared[4, :, 162:] - front[4]).mean() < 4
    assert cli.main([*alone, "--camera", "front,front", "--out", str(tmp_path / "c.mp4")]) == 2
    assert "each camera once" in capsys.readouterr().err


def test_two_policies_meet_the_same_seed_and_changes_left_and_right(tmp_path, capsys) -> None:
    more = ["--size", "322x120", "--out", str(tmp_path / "a.mp4"), "--versus", "random", "--stills"]
    made = run(capsys, *RECORD, *more)
    assert made["policy"] == "scripted/scratch_itch | random"
    left, right = Episode.load(tmp_path / "a.episode"), Episode.load(tmp_path / "a.versus.episode")
    assert left.seed == right.seed == 5
    assert [f.latent for f in left.frames] == [f.latent for f in right.frames]
    assert [f.changed for f in left.frames] == [f.changed for f in right.frames]
    assert np.array_equal(left.frames[0].observation, right.frames[0].observation)
    assert not np.array_equal(left.frames[5].observation, right.frames[5].observation)
    assert left.verify().ok
    assert right.verify().ok
    assert made["episode_return"] == pytest.approx(sum(f.reward for f in left.frames))
    assert made["rival_return"] == pytest.approx(sum(f.reward for f in right.frames))
    assert (tmp_path / "a.versus.csv").read_bytes().count(b"\n") == 10
    film = pictures(tmp_path / "a.mp4")
    assert film.shape == (9, 120, 322, 3)
    start = np.array(Image.open(tmp_path / "a.stills" / "000000.png"))
    assert np.array_equal(start[:, :160], start[:, 162:])
    assert (np.abs(film[-1, :, :160] - film[-1, :, 162:]).max(-1) > 60).sum() > 50  # and then they part
    # the right half is what the other policy does alone
    alone = ["record", "--episode", str(tmp_path / "a.versus.episode"), "--size", "160x120", "--fps", "10"]
    run(capsys, *alone, "--overlay", "none", "--json", "--out", str(tmp_path / "b.mp4"))
    assert np.abs(film[-1, :, 162:] - pictures(tmp_path / "b.mp4")[-1]).mean() < 4


def test_each_half_says_who_acts(tmp_path, capsys) -> None:
    command = [part for part in RECORD if part not in ("--overlay", "none")]
    command[command.index("8")] = "4"
    more = ["--size", "642x200", "--versus", "random", "--overlay", "title", "--stills"]
    run(capsys, *command, *more, "--out", str(tmp_path / "a.mp4"))
    still = np.array(Image.open(tmp_path / "a.stills" / "000000.png")).astype(int)
    changed = np.abs(still[:, :320] - still[:, 322:]).max(-1) > 40
    rows, columns = np.nonzero(changed)
    assert changed.sum() > 50
    assert rows.max() < 20  # the titles differ, the scenes do not yet
    assert columns.max() < 160


@pytest.mark.parametrize("n", range(1, 7))
@pytest.mark.parametrize("size", [(320, 180), (322, 242), (1280, 720), (1922, 1080)])
def test_cells_are_equal_and_fill_the_picture(n, size) -> None:
    grid = Grid.of(size, *near_square(n))
    assert grid.rows * grid.columns >= n
    for length, cell, count, gutter in zip(
        size, grid.cell, (grid.columns, grid.rows), grid.gutters, strict=True
    ):
        assert count * cell + (count - 1) * gutter == length
    joined = grid.join(
        [np.full((grid.cell[1], grid.cell[0], 3), 10 * (k + 1), np.uint8) for k in range(n)], "dark"
    )
    assert joined.shape == (size[1], size[0], 3)
    for k in range(n):
        assert (joined == 10 * (k + 1)).all(-1).sum() == grid.cell[0] * grid.cell[1]


def test_a_narrow_picture_sees_as_much_from_left_to_right() -> None:
    scene = SceneRecipe("scratch_itch").build()
    look = FilmLook.of(scene, "scratch_itch")
    scene.close()
    preset = OrbitCamera.from_preset(look.cameras[0])
    reach = [np.tan(np.radians(look.camera("", aspect).fov_deg) / 2) * aspect for aspect in (4 / 3, 1.0, 0.5)]
    assert reach == pytest.approx([reach[0]] * 3)
    assert look.camera("", 16 / 9).fov_deg == preset.fov_deg


def gif_picture(k: int) -> np.ndarray:
    y, x = np.indices((60, 800))
    return np.stack([(x // 4 + 9 * k) % 256, (4 * y) % 256, np.full_like(x, 40 * k % 256)], -1).astype(
        np.uint8
    )


def test_a_gif_is_on_the_disk_while_it_is_made(tmp_path) -> None:
    path = tmp_path / "a.gif"
    with GifWriter(path, 0.1) as writer:
        for k in range(6):
            writer.write(gif_picture(k))
        left = tmp_path / "left.gif"  # what a kill would leave
        left.write_bytes(path.read_bytes())
    for file, n in ((path, 6), (left, 5)):
        with Image.open(file) as gif:
            assert gif.size == (640, 48)
            assert gif.n_frames >= n
            gif.seek(3)
            assert gif.info["duration"] == 100
            shown = np.array(gif.convert("RGB")).astype(int)
    wanted = np.array(Image.fromarray(gif_picture(3)).resize((640, 48), Image.Resampling.LANCZOS))
    assert np.abs(shown - wanted).mean() < 12


@pytest.mark.parametrize(
    ("room", "more"), [(9_000, []), (9_000, ["--stills"]), (40_000, ["--gif", "--stills"])]
)
def test_a_full_disk_is_one_line_and_every_file_is_whole_up_to_there(room, more, tmp_path, capsys) -> None:
    """With room for 9,000 bytes the episode or the film fail, or a still if there are any, with 40,000 the GIF."""
    command = [part for part in RECORD if part != "--json"]
    command[command.index("8")] = "40"
    more = [*more, "--size", "160x120", "--versus", "random", "--out", str(tmp_path / "a.mp4")]
    with room_for(room):
        code = cli.main([*command, *more])
    said = capsys.readouterr().err
    assert code == 1
    assert said.count("\n") == 1
    assert "File too large; what was written before is whole" in said
    for name in ("a.episode", "a.versus.episode"):
        assert Episode.load(tmp_path / name).verify().ok
    n_steps = Episode.load(tmp_path / "a.episode").n_steps
    for path in tmp_path.glob("a.stills/*"):
        assert np.array(Image.open(path)).shape == (120, 160, 3)
    if room == 40_000:
        assert len(pictures(tmp_path / "a.mp4")) >= n_steps - 1
        with Image.open(tmp_path / "a.gif") as gif:
            assert 0 < gif.n_frames <= n_steps
            gif.seek(gif.n_frames - 1)
            gif.load()
    with open(tmp_path / "a.csv", newline="") as file:
        assert len({len(row) for row in csv.reader(file)}) == 1
    assert not [name for name in os.listdir(tmp_path) if "partial" in name]
