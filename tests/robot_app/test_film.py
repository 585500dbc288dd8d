"""Films: playable, of the right size, rate and length, showing what moved; and whole after a kill."""

from __future__ import annotations

import csv
import json
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import policies
from dynamite.acting import play
from robot_app import cli
from robot_app.episode import Episode, EpisodeWriter
from robot_app.film import FilmLook, FilmSettings, Side, film, parse_overlay, parse_size
from robot_app.film_outputs import FilmOutputs
from robot_app.motion import markers_between, poses_between
from robot_app.recipe import SceneRecipe
from robot_app.render.camera import OrbitCamera
from scenes.errors import InputError

STEPS = 15
SIZE = (192, 144)
RECORD = [
    "record", "--policy", "scripted/scratch_itch", "--option", "controller=responsive",
    "--changes", "8:forearm.dorsal", "--steps", str(STEPS), "--seed", "5",
]  # fmt: skip


def read_film(path: Path) -> tuple[np.ndarray, float, float]:
    """(N, H, W, 3) pictures, rate, and seconds from the first picture's start to the last one's end."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"  # what every player takes
        decoded = list(container.decode(stream))
        pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in decoded])
        rate = float(stream.average_rate)
        return pictures, rate, float(decoded[-1].pts * stream.time_base) + 1 / rate


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A short film with everything beside it."""
    folder = tmp_path_factory.mktemp("film")
    size = f"{SIZE[0]}x{SIZE[1]}"
    more = ["--size", size, "--fps", "30", "--overlay", "none", "--stills", "--gif", "--json"]
    assert cli.main([*RECORD, *more, "--out", str(folder / "a.mp4")]) == 0
    return folder


def test_a_film_has_the_size_rate_and_length_that_was_asked_for(made) -> None:
    pictures, rate, seconds = read_film(made / "a.mp4")
    assert pictures.shape == (3 * STEPS + 1, SIZE[1], SIZE[0], 3)
    assert rate == 30
    assert seconds == pytest.approx(0.1 * STEPS + 1 / 30, abs=1e-3)


def test_pixels_change_where_the_arm_moves_and_nowhere_else(made) -> None:
    pictures, _, _ = read_film(made / "a.mp4")
    episode = Episode.load(made / "a.episode")
    scene = episode.build_scene()
    look = FilmLook.of(scene, "scratch_itch")
    scene.close()
    camera = look.camera("")
    first, last = episode.frames[0], episode.frames[-1]
    assert first.poses is not None
    assert last.poses is not None
    moved = np.linalg.norm(first.poses[:, :3] - last.poses[:, :3], axis=1)
    change = np.abs(pictures[0].astype(int) - pictures[-1]).max(-1)  # (H, W)
    for k in np.argsort(-moved)[:2]:  # the tool and the last link
        assert moved[k] > 0.08
        x, y, _ = camera.project(last.poses[k, :3], *SIZE)[0].astype(int)
        near = change[max(0, y - 12) : y + 12, max(0, x - 12) : x + 12]
        assert near.max() > 60, look.model.frames[k]
    assert change[:40, :60].max() < 12  # the empty corner stays as it is, compression apart
    # And smoothly: every picture differs from the one before, while the scene stepped only every third.
    steps = np.abs(np.diff(pictures.astype(int), axis=0)).max(-1).reshape(len(pictures) - 1, -1)
    assert ((steps > 20).sum(1) > 5).mean() > 0.9


def test_every_step_leaves_a_row_a_still_and_a_record(made) -> None:
    with open(made / "a.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    episode = Episode.load(made / "a.episode")
    assert len(rows) == len(episode.frames) == STEPS + 1
    total = 0.0
    for row, frame in zip(rows, episode.frames, strict=True):
        total += frame.reward
        assert int(row["t"]) == frame.t
        assert float(row["time_s"]) == pytest.approx(0.1 * frame.t)
        assert float(row["reward"]) == frame.reward
        assert float(row["return"]) == total
        assert int(row["session_started"]) == frame.changed == (frame.t in (0, 8))
        assert float(row["total_force_n"]) == frame.info["total_force_n"]
        assert float(row["action_5"]) == frame.decision.action[5]
    assert rows[8]["latent"].startswith("forearm 50 %")
    assert episode.verify().ok
    stills = sorted((made / "a.stills").iterdir())
    assert [p.name for p in stills] == [f"{t:06d}.png" for t in range(STEPS + 1)]
    pictures, _, _ = read_film(made / "a.mp4")
    still = np.array(Image.open(stills[6]))
    assert np.abs(still.astype(int) - pictures[18]).mean() < 3  # the film's, but for its compression
    with Image.open(made / "a.gif") as gif:
        assert gif.size == SIZE
        assert gif.n_frames == STEPS + 1
        assert gif.info["duration"] == 100


def test_overlay_camera_and_theme_change_the_picture(tmp_path) -> None:
    scene = SceneRecipe("scratch_itch", {"controller": "responsive"}, 0.0).build()
    look = FilmLook.of(scene, "scratch_itch")
    frames = list(play(scene, policies.load("random", scene), 0, draw=True))[:2]
    scene.close()
    images = {}
    variants = {
        "plain": FilmSettings(480, 270, 10, overlay=()),
        "overlay": FilmSettings(480, 270, 10),
        "camera": FilmSettings(480, 270, 10, cameras=("top",), overlay=()),
        "light": FilmSettings(480, 270, 10, theme="light", overlay=()),
        "untrue": FilmSettings(480, 270, 10, overlay=(), truth=False),
        "studio": FilmSettings(480, 270, 10, overlay=(), studio=True),
    }
    for name, settings in variants.items():
        outputs = FilmOutputs(tmp_path / f"{name}.mp4", best=tmp_path / f"{name}.png")
        outputs.prepare(force=False)
        report = film([Side(frames, "random")], look, settings, outputs)
        assert report.n_pictures == 2
        assert report.n_steps == 1
        images[name] = np.array(Image.open(tmp_path / f"{name}.png")).astype(int)
    plain = images.pop("plain")
    for name, image in images.items():
        assert np.abs(image - plain).max() > 30, name
    assert np.abs(images["light"] - plain).mean() > 60
    same = np.abs(images["overlay"] - plain).max(-1) == 0
    assert same[90:180, 120:360].all()  # the overlay leaves the middle alone


def test_a_recorded_episode_is_filmed_again_as_it_was_or_from_elsewhere(made, tmp_path, capsys) -> None:
    look = ["--size", f"{SIZE[0]}x{SIZE[1]}", "--overlay", "none", "--json"]
    again = ["record", "--episode", str(made / "a.episode"), *look, "--out", str(tmp_path / "again.mp4")]
    assert cli.main(again) == 0
    assert "episode" not in json.loads(capsys.readouterr().out)["outputs"]
    live, repeated = read_film(made / "a.mp4")[0], read_film(tmp_path / "again.mp4")[0]
    assert np.array_equal(live, repeated)
    assert (tmp_path / "again.csv").read_bytes() == (made / "a.csv").read_bytes()
    # An episode that nobody drew is run again, and looks the same.
    episode = Episode.load(made / "a.episode")
    scene = episode.build_scene()
    with EpisodeWriter(
        tmp_path / "b.episode", episode.recipe, scene, seed=episode.seed, policy="x"
    ) as writer:
        for frame in episode.frames:
            writer.append(replace(frame, poses=None, markers=None), "")
    scene.close()
    undrawn = [*again, "--episode", str(tmp_path / "b.episode"), "--out", str(tmp_path / "b.mp4")]
    assert cli.main(undrawn) == 0
    capsys.readouterr()
    assert np.array_equal(live, read_film(tmp_path / "b.mp4")[0])
    other = [*again[:-1], str(tmp_path / "front.mp4"), "--camera", "front", "--steps", "2", "--no-csv"]
    assert cli.main(other) == 0
    capsys.readouterr()
    front = read_film(tmp_path / "front.mp4")[0]
    assert len(front) == 7
    assert np.abs(front[0].astype(int) - live[0]).mean() > 10
    assert cli.main([*other, "--force", "--seed", "4"]) == 2
    assert "--seed" in capsys.readouterr().err


@pytest.mark.parametrize(("fps", "n"), [(10, 11), (25, 26), (60, 61), (4, 5)])
def test_any_rate_plays_in_real_time(fps, n, tmp_path) -> None:
    scene = SceneRecipe("scratch_itch", {}, 0.0).build()
    look = FilmLook.of(scene, "scratch_itch")
    frames = list(play(scene, policies.load("random", scene), 0, draw=True))[:11]  # one second
    scene.close()
    outputs = FilmOutputs(tmp_path / "a.mp4")
    outputs.prepare(force=False)
    assert film([Side(frames)], look, FilmSettings(64, 64, fps, overlay=()), outputs).n_pictures == n
    _, rate, seconds = read_film(tmp_path / "a.mp4")
    assert rate == fps
    assert seconds == pytest.approx(1 + 1 / fps, abs=2e-3)


def test_poses_in_between_take_the_short_way(made) -> None:
    frames = Episode.load(made / "a.episode").frames
    a, b = frames[3], frames[4]
    assert a.poses is not None
    assert b.poses is not None
    flipped = b.poses.copy()
    flipped[:, 3:] *= -1  # the same rotation
    half = poses_between(a.poses, b.poses, 0.5)
    assert np.allclose(half, poses_between(a.poses, flipped, 0.5), atol=1e-6)
    assert np.allclose(half[:, :3], (a.poses[:, :3] + b.poses[:, :3]) / 2, atol=1e-6)
    assert np.allclose(np.linalg.norm(half[:, 3:], axis=1), 1, atol=1e-6)
    assert poses_between(a.poses, b.poses, 0.0) is a.poses
    assert poses_between(a.poses, b.poses, 1.0) is b.poses


def test_a_target_that_was_replaced_jumps_and_one_on_a_moving_arm_glides(made) -> None:
    frames = Episode.load(made / "a.episode").frames
    before, after = frames[7], frames[8]
    assert after.changed
    between = markers_between(before, after, 0.5)
    assert before.markers is not None
    assert after.markers is not None
    assert between is not None
    assert np.array_equal(between.itch, before.markers.itch)
    assert not np.allclose(between.itch, after.markers.itch, atol=0.02)
    glide = markers_between(frames[2], frames[3], 0.5)
    assert glide is not None
    assert np.allclose(glide.itch, (frames[2].markers.itch + frames[3].markers.itch) / 2)
    assert markers_between(replace(before, markers=None), after, 0.5) is None


def test_force_replaces_a_film_and_what_lies_beside_it(tmp_path) -> None:
    command = [
        *RECORD,
        "--size",
        "64x64",
        "--overlay",
        "none",
        "--fps",
        "10",
        "--stills",
        "--json",
        "--out",
        str(tmp_path / "a.mp4"),
    ]
    assert cli.main(command) == 0
    first = (tmp_path / "a.episode" / "manifest.json").read_bytes()
    (tmp_path / "a.stills" / "000099.png").write_bytes(b"old")
    assert cli.main(command) == 2
    assert (tmp_path / "a.episode" / "manifest.json").read_bytes() == first
    assert cli.main([*command, "--force", "--seed", "6"]) == 0
    assert Episode.load(tmp_path / "a.episode").seed == 6
    assert len(list((tmp_path / "a.stills").iterdir())) == STEPS + 1


def test_a_schedule_file_may_name_several_fields(tmp_path, capsys) -> None:
    schedule = tmp_path / "changes.yaml"
    schedule.write_text(
        "- {step: 0, latent: {itch: upper_arm, force: 2}}\n- {step: 4, latent: {force: 4.5}}\n"
    )
    command = ["record", "--policy", "random", "--option", "fields=itch,force", "--schedule", str(schedule)]
    command += [
        "--steps",
        "6",
        "--size",
        "64x64",
        "--overlay",
        "none",
        "--fps",
        "10",
        "--json",
        "--out",
        str(tmp_path / "a.mp4"),
    ]
    assert cli.main(command) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["n_steps"] == 6
    assert set(made["outputs"]) == {"film", "trace", "episode"}
    frames = Episode.load(tmp_path / "a.episode").frames
    assert [frame.latent["force"] for frame in frames] == [2.0] * 4 + [4.5] * 3
    assert {frame.latent["itch"].part for frame in frames} == {"upper_arm"}
    assert Episode.load(tmp_path / "a.episode").verify().ok


def test_sizes_and_overlays_are_read_from_text() -> None:
    assert parse_size("1920x1080") == (1920, 1080)
    assert parse_overlay("belief, reward") == ("belief", "reward")
    assert parse_overlay("none") == parse_overlay("") == ()
    for text in ("1920", "x", "axb", "1920x", "-2x2"):
        with pytest.raises(InputError):
            parse_size(text)


def test_the_first_camera_is_the_default(made) -> None:
    scene = SceneRecipe("scratch_itch").build()
    look = FilmLook.of(scene, "scratch_itch")
    scene.close()
    assert np.allclose(look.camera("").eye, OrbitCamera.from_preset(look.cameras[0]).eye)
    assert np.allclose(look.camera("front").eye, next(c for c in look.cameras if c.name == "front").eye)


def start_recording(folder: Path, limit_kb: int | None = None) -> subprocess.Popen:
    """A whole episode, filmed by another process; with a limit on the size of a file where one is given."""
    command = [sys.executable, "-m", "robot_app", *RECORD[:-4], "--seed", "5", "--out", "a.mp4"]
    command += ["--size", "96x72", "--overlay", "none", "--fps", "10"]
    if limit_kb is not None:
        command = ["bash", "-c", f"ulimit -f {limit_kb}; exec {shlex.join(command)}"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for_rows(process: subprocess.Popen, trace: Path, n: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if trace.exists() and trace.read_bytes().count(b"\n") > n:
            break
        time.sleep(0.005)
    assert process.poll() is None, "it ended by itself"


def test_a_killed_recording_leaves_a_film_that_plays_and_an_episode_that_loads(tmp_path) -> None:
    process, trace = start_recording(tmp_path), tmp_path / "a.csv"
    wait_for_rows(process, trace, 40)
    process.kill()
    process.communicate()
    steps = trace.read_bytes().count(b"\n") - 2
    episode = Episode.load(tmp_path / "a.episode")
    assert not episode.complete
    assert episode.n_steps >= steps
    assert episode.verify().ok
    pictures, rate, _ = read_film(tmp_path / "a.mp4")
    assert len(pictures) >= steps - rate - 2  # at most the last second is missing


def test_ctrl_c_leaves_a_shorter_film_and_a_whole_episode(tmp_path) -> None:
    process = start_recording(tmp_path)
    wait_for_rows(process, tmp_path / "a.csv", 20)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines() == [
        "stopped: what was filmed so far is whole, in a.mp4", "robot-app record: interrupted",
    ]  # fmt: skip
    episode = Episode.load(tmp_path / "a.episode")
    assert episode.complete
    assert 20 <= episode.n_steps < 200
    assert episode.n_steps <= len(read_film(tmp_path / "a.mp4")[0]) + 1


def test_a_disk_that_is_full_is_one_line_and_leaves_what_there_was(tmp_path) -> None:
    process = start_recording(tmp_path, limit_kb=30)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (1, 2)
    assert err.count("\n") == 1
    assert "too large" in err.lower()
    assert "Traceback" not in err
    assert Episode.load(tmp_path / "a.episode").verify().ok


@pytest.mark.slow
def test_a_film_three_times_as_long_needs_no_more_memory(tmp_path) -> None:
    """Every step of it new, and everything drawn; after 2,048 steps the curves hold all the points they ever will."""
    from benchmarks.film import frames, resident_mb

    scene = SceneRecipe("scratch_itch").build()
    look = replace(FilmLook.of(scene, "scratch_itch"), n_steps=6600)
    run = frames(scene, policies.load("scripted/scratch_itch", scene), look.n_steps)
    used: dict[int, float] = {}

    def on_step(t: int) -> None:
        if t in (2200, 6600):
            used[t] = resident_mb()

    settings = FilmSettings(160, 120, fps=10)
    report = film(
        [Side(run, "oracle")], look, settings, FilmOutputs(tmp_path / "a.mp4", tmp_path / "a.csv"), on_step
    )
    scene.close()
    assert report.n_pictures == 6601
    # A number of 8 bytes kept per pixel row and picture would be 4 MB; a picture kept per second, 25 MB.
    assert used[6600] - used[2200] < 2.0


@pytest.mark.parametrize(
    "moment", ["before the first picture", "in the first second", "while it is finished"]
)
def test_killed_at_its_edges_a_recording_leaves_what_can_be_played(moment, tmp_path) -> None:
    process, film_file = start_recording(tmp_path), tmp_path / "a.mp4"
    manifest = tmp_path / "a.episode" / "manifest.json"

    def reached() -> bool:
        if moment == "before the first picture":
            return manifest.exists()
        if moment == "in the first second":
            return film_file.exists() and film_file.stat().st_size > 0
        return (tmp_path / "a.csv").exists() and (tmp_path / "a.csv").read_bytes().count(b"\n") > 201

    deadline = time.monotonic() + 120
    while not reached() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    process.communicate()
    if moment == "while it is finished":
        assert len(read_film(film_file)[0]) >= 201 - 10 - 2  # at most the last second is missing
        assert Episode.load(tmp_path / "a.episode").n_steps == 200
    elif film_file.exists() and film_file.stat().st_size:
        with av.open(str(film_file)) as container:  # it opens, even where it holds no picture yet
            assert container.streams.video[0].codec_context.width == 96
    assert all(path.name.startswith("a.") for path in tmp_path.iterdir())  # nothing half-made beside it
