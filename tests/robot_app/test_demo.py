"""The demo: films without a screen, opens the window with one, and never changes its policy silently."""

from __future__ import annotations

import json
import sys
import types

import av
import numpy as np
import pytest
from PIL import Image

import policies
from robot_app import cli, demo
from robot_app.episode import Episode

SHORT = ["demo", "--size", "320x180", "--steps", "12", "--json"]


@pytest.fixture
def no_screen(monkeypatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("robot_app.commands.demo.has_screen", lambda: False)


def test_without_a_screen_it_leaves_film_still_trace_and_episode(
    no_screen, tmp_path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(SHORT) == 0
    made = json.loads(capsys.readouterr().out)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "demo.csv",
        "demo.episode",
        "demo.mp4",
        "demo.png",
    ]
    assert set(made["outputs"].values()) == {f"out/demo.{e}" for e in ("mp4", "png", "csv", "episode")}
    with av.open("out/demo.mp4") as film:
        n = sum(1 for _ in film.decode(video=0))
    assert n == made["n_pictures"] == 37
    still = np.array(Image.open("out/demo.png"))
    assert still.shape == (180, 320, 3)
    assert still.std() > 15  # not an empty picture
    episode = Episode.load("out/demo.episode")
    assert episode.verify().ok
    assert made["episode_return"] == pytest.approx(sum(frame.reward for frame in episode.frames))
    # A second time it says what is in the way; with --force it replaces it.
    assert cli.main(SHORT) == 2
    assert "--force" in capsys.readouterr().err
    assert cli.main([*SHORT, "--force"]) == 0


def test_the_preference_changes_twice_where_the_script_says() -> None:
    recipe = demo.demo_recipe("scripted/scratch_itch")
    scene = recipe.build()
    try:
        scene.reset(seed=7)
        seen = []
        for _ in range(scene.episode_length):
            seen.append(scene.sessions.latent["itch"])
            scene.step(np.zeros(scene.action_space.shape))
    finally:
        scene.close()
    changes = [t for t in range(1, len(seen)) if seen[t] != seen[t - 1]]
    assert changes == [60, 130]
    assert (seen[60].part, seen[60].axial) == ("forearm", 0.6)
    assert (seen[130].part, seen[130].axial) == ("upper_arm", 0.5)


def test_the_still_shows_a_rewarded_touch_after_the_first_change(no_screen, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(demo, "SCRIPT", ((2, "forearm.dorsal@0.5"),))
    out = tmp_path / "d.mp4"
    made = demo.film_demo("scripted/scratch_itch", 7, out, (320, 180), steps=32, show_progress=False)
    frames = Episode.load(tmp_path / "d.episode").frames
    best = max(frames, key=lambda f: (f.session > 0, round(f.reward), f.markers.force is not None))
    assert round(best.reward) == 5  # a scratch
    with av.open(str(out)) as film:
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in film.decode(video=0)]
    still = np.array(Image.open(made["outputs"]["best"])).astype(int)
    differences = [np.abs(still - picture).mean() for picture in pictures]
    assert int(np.argmin(differences)) == 3 * best.t


def test_another_policy_than_the_packaged_agent_is_announced(monkeypatch, capsys) -> None:
    monkeypatch.setattr(policies, "list_policies", lambda scene: ("random", "scripted/scratch_itch"))
    assert demo.choose_policy("scratch_itch") == "scripted/scratch_itch"
    err = capsys.readouterr().err
    assert "pretrained/dynamite" in err
    assert "using scripted/scratch_itch" in err
    names = ("random", "scripted/scratch_itch", "pretrained/oracle", "pretrained/varibad")
    monkeypatch.setattr(policies, "list_policies", lambda scene: names)
    assert demo.choose_policy("scratch_itch") == "pretrained/varibad"
    assert "using pretrained/varibad" in capsys.readouterr().err
    monkeypatch.setattr(policies, "list_policies", lambda scene: ("random",))
    assert demo.choose_policy("scratch_itch") == "random"
    assert "using random" in capsys.readouterr().err
    monkeypatch.setattr(policies, "list_policies", lambda scene: ("random", "pretrained/dynamite"))
    assert demo.choose_policy("scratch_itch") == "pretrained/dynamite"
    assert capsys.readouterr().err == ""


def test_with_a_screen_it_opens_the_window_on_the_same_script(monkeypatch) -> None:
    calls = []
    window = types.ModuleType("robot_app.window.app")
    window.run = lambda **arguments: calls.append(arguments) or 0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "robot_app.window.app", window)
    monkeypatch.setattr("robot_app.commands.demo.has_screen", lambda: True)
    assert cli.main(["demo", "--policy", "scripted/scratch_itch", "--seed", "3"]) == 0
    (arguments,) = calls
    assert arguments["policy"] == "scripted/scratch_itch"
    assert arguments["seed"] == 3
    assert arguments["script"] == [(60, "forearm.dorsal@0.6"), (130, "upper_arm.lateral@0.5")]
    assert arguments["scene"].name == "scratch_itch"
