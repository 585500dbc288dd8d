"""What cannot be opened, written or shown is said in words, with what to do."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

import numpy as np
import pytest

from robot_app.cli import main
from robot_app.film_tap import FilmTap
from robot_app.opening import Unopenable, find_out
from robot_app.recent import LONGEST, RecentFiles
from robot_app.recipe import SceneRecipe
from robot_app.screen import why_no_screen
from robot_app.troubles import is_disk_full, no_opengl, not_written, other_scene, unreadable, vanished
from tests.reliability.disk import room_for


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten steps of the gridworld."""
    import itertools

    import policies
    from dynamite.acting import play
    from robot_app.episode import EpisodeWriter, recorded

    folder, recipe = tmp_path_factory.mktemp("episodes") / "ten", SceneRecipe("gridworld")
    scene = recipe.build()
    policy = policies.load("random", scene)
    with EpisodeWriter(folder, recipe, scene, seed=4, policy="random") as writer:
        for _ in recorded(itertools.islice(play(scene, policy, 4), 10), scene, writer):
            pass
    scene.close()
    return folder


def test_an_episode_is_known_by_its_folder_or_any_file_in_it(episode: Path) -> None:
    for path in (episode, episode / "manifest.json", episode / "info.jsonl"):
        found = find_out(path)
        assert (found.kind, found.scene, found.path) == ("episode", "gridworld", episode)
        assert found.episode is not None
        assert found.episode.seed == 4
    assert found.title == "ten (episode, gridworld)"


@pytest.mark.parametrize("damage", ["cut", "flip", "manifest"])
def test_a_corrupt_episode_is_refused_with_its_name(episode: Path, tmp_path: Path, damage: str) -> None:
    import shutil

    folder = tmp_path / "broken"
    shutil.copytree(episode, folder)
    frames = folder / "frames" / "000.safetensors"
    if damage == "cut":
        frames.write_bytes(frames.read_bytes()[:-7])
    elif damage == "flip":
        data = bytearray(frames.read_bytes())
        data[-3] ^= 1
        frames.write_bytes(data)
    else:
        (folder / "manifest.json").write_text("{")
    with pytest.raises(Unopenable) as caught:
        find_out(folder)
    assert caught.value.kind == "episode"
    trouble = unreadable("episode", caught.value.path, str(caught.value))
    assert "broken" in trouble.happened
    assert "--verify" in trouble.advice


def test_checkpoints_runs_and_configurations_name_their_scene(tmp_path: Path) -> None:
    run = tmp_path / "run"
    (run / "checkpoints" / "000000002000").mkdir(parents=True)
    (run / "checkpoints" / "000000002000" / "config.yaml").write_text("scene: {name: reacher}\n")
    (run / "checkpoints" / "000000002000" / "manifest.json").write_text('{"format": "dynamite-checkpoint/1"}')
    assert (find_out(run).kind, find_out(run).scene) == ("checkpoint", "reacher")
    found = find_out(run / "checkpoints" / "000000002000")
    assert found.title == "run at 2,000 steps (checkpoint, reacher)"
    (tmp_path / "mine.yaml").write_text("scene: {name: gridworld}\nppo: {lr: 0.001}\n")
    assert find_out(tmp_path / "mine.yaml").kind == "configuration"
    (tmp_path / "bad.yaml").write_text("ppo: {warmth: 3}\n")
    with pytest.raises(Unopenable, match=r"ppo\.warmth") as caught:
        find_out(tmp_path / "bad.yaml")
    assert caught.value.kind == "configuration"
    (tmp_path / "notes.txt").write_text("hello")
    for path in (tmp_path / "notes.txt", tmp_path / "gone"):
        with pytest.raises(Unopenable, match="allowed: a checkpoint's"):
            find_out(path)


def test_every_trouble_says_what_happened_and_what_to_do(tmp_path: Path) -> None:
    full = not_written("film", tmp_path / "film.mp4", f"film path: ({os.strerror(errno.ENOSPC)})")
    assert full.title == "The disk is full"
    assert full.remedies[0][0] == "folder"
    denied = not_written("still", tmp_path / "a.png", os.strerror(errno.EACCES))
    assert denied.title == "The still was not written"
    assert not is_disk_full(denied.details)
    gone = vanished(tmp_path / "gone")
    elsewhere = other_scene(tmp_path, "gridworld_stay", "scratch_itch")
    assert "gridworld stay" in elsewhere.happened
    for trouble in (
        full,
        denied,
        gone,
        elsewhere,
        no_opengl("libEGL.so.1 is missing", "apt-get install libegl1"),
    ):
        assert trouble.advice.endswith((".", "libegl1"))
        assert "\n" not in trouble.line


def test_a_film_on_a_full_disk_says_so_and_keeps_what_was_written(tmp_path: Path) -> None:
    import av

    path, noise = tmp_path / "film.mp4", np.random.default_rng(0)
    with room_for(600_000):
        tap = FilmTap(str(path), (320, 240), 30.0)
        for _ in range(400):
            tap.add(noise.integers(0, 255, (240, 320, 3), dtype=np.uint8))
            tap._last = (tap._last[0], tap._last[1] - 0.1)  # as if it had been shown for a tenth of a second
            if tap.error:
                break
        told = tap.error
        film = tap.close()
    assert is_disk_full(told)
    assert is_disk_full(film.error)
    assert film.seconds > 0
    n = 0
    with (
        av.open(str(path)) as container,
        contextlib.suppress(av.error.InvalidDataError),
    ):  # the last picture is torn
        for _ in container.decode(video=0):
            n += 1
    assert n >= 25


def test_recent_files_are_few_unique_and_survive_nonsense(tmp_path: Path) -> None:
    recent = RecentFiles("[{]")
    for i in range(LONGEST + 3):
        recent.add(tmp_path / str(i), f"number {i}")
    recent.add(tmp_path / "7", "seven")
    again = RecentFiles(recent.to_text())
    assert again.entries == recent.entries
    assert [entry.title for entry in again.entries][:2] == ["seven", f"number {LONGEST + 2}"]
    assert len({entry.path for entry in again.entries}) == LONGEST
    again.remove(tmp_path / "7")
    assert len(again.entries) == LONGEST - 1
    assert RecentFiles('{"path": 3}').entries == []


def test_without_a_screen_the_command_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    for name in ("QT_QPA_PLATFORM", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["gui"]) == 2
    assert "neither DISPLAY" in (said := capsys.readouterr().err)
    assert "demo --headless" in said
    monkeypatch.setenv("DISPLAY", ":973")  # nobody there: Qt would abort the process
    assert main(["gui"]) == 2
    assert "DISPLAY=:973 does not answer" in capsys.readouterr().err
    assert "shows nothing" in why_no_screen({"QT_QPA_PLATFORM": "offscreen", "DISPLAY": ":0"})
    assert why_no_screen({"QT_QPA_PLATFORM": "eglfs"}) == ""
