"""Episodes on disk: what goes in comes out, a crash loses next to nothing, a replay is exact or says where it is not."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import policies
from dynamite.acting import Decision, Event, Frame, play
from dynamite.belief import Belief, ChoicePosterior, PointPosterior, ScalarPosterior
from robot_app import cli
from robot_app.episode import Episode, EpisodeWriter, recorded
from robot_app.recipe import SceneRecipe
from scenes.errors import InputError
from scenes.latent import SurfacePoint
from scenes.visual import Markers

RECIPE = SceneRecipe("scratch_itch", {"controller": "responsive", "fields": ["itch", "force"]}, 0.1, "drift")


def overrides(t: int) -> list[Event]:
    """An override at step 5, one for the next session at 8, a session length at 9."""
    events = {
        5: Event(5, "override", {"itch": "forearm.ventral@0.3", "force": 2.5}),
        8: Event(8, "override_next", {"itch": SurfacePoint("upper_arm", 0.25, 1.0)}),
        9: Event(9, "termination", {"length": 4}),
    }
    return [events[t]] if t in events else []


def write_run(
    folder: Path, n_steps: int = 30, recipe: SceneRecipe = RECIPE, draw: bool = True
) -> list[Frame]:
    """Record the start of a scripted run; returns its frames."""
    scene = recipe.build()
    name = f"scripted/{recipe.name}" if recipe.name == "scratch_itch" else "random"
    policy = policies.load(name, scene)
    has_point = recipe.name == "scratch_itch"
    frames = play(scene, policy, 11, events=overrides if has_point else None, draw=draw)
    with EpisodeWriter(folder, recipe, scene, seed=11, policy=policy.name) as writer:
        kept = list(itertools.islice(recorded(frames, scene, writer), n_steps + 1))
    scene.close()
    return kept


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> tuple[Path, list[Frame]]:
    folder = tmp_path_factory.mktemp("episodes") / "run"
    return folder, write_run(folder)


def assert_same(one: Frame, two: Frame) -> None:
    """Equal to the last bit, posterior grids to half precision."""
    for name in ("t", "reward", "latent", "session", "changed", "info", "done"):
        assert getattr(one, name) == getattr(two, name), name
    assert [(e.t, e.kind) for e in one.events] == [(e.t, e.kind) for e in two.events]
    for a, b in [
        (one.observation, two.observation),
        (np.asarray(one.decision.action), two.decision.action),
        (one.poses, two.poses),
    ]:
        assert (a is None) == (b is None)
        if a is not None:
            assert (a.dtype, a.shape) == (b.dtype, b.shape)
            assert np.array_equal(a, b)
    assert one.decision.value == two.decision.value
    if one.markers is not None:
        for name in ("itch", "itch_normal", "tool_tip", "force_at", "force"):
            a, b = getattr(one.markers, name), getattr(two.markers, name)
            assert (a is None and b is None) or np.array_equal(a, b), name
    a, b = one.decision.belief, two.decision.belief
    assert (a is None) == (b is None)
    if a is not None and b is not None:
        assert np.array_equal(a.mean, b.mean)
        assert np.array_equal(a.logvar, b.logvar)
        assert a.p_session_end == b.p_session_end
        assert list(a.fields) == list(b.fields)


def test_what_is_written_is_read_back(run) -> None:
    folder, frames = run
    episode = Episode.load(folder)
    assert episode.complete
    assert episode.n_steps == 30
    assert len({frame.session for frame in frames}) >= 4  # the run has something in it
    for one, two in zip(frames, episode.frames, strict=True):
        assert_same(one, two)
    assert [event.kind for event in episode.events] == ["override", "override_next", "termination"]
    assert episode.recipe == RECIPE
    assert (episode.seed, episode.step_s) == (11, 0.1)
    assert sorted(p.name for p in folder.iterdir()) == [
        "events.jsonl", "frames", "info.jsonl", "latents.jsonl", "manifest.json",
    ]  # fmt: skip


def test_beliefs_are_kept_whole(tmp_path) -> None:
    scene = RECIPE.build()
    rng = np.random.default_rng(0)
    grid = rng.random((2, 12, 16)).astype(np.float32)
    fields = {
        "itch": PointPosterior(grid / grid.sum()),
        "force": ScalarPosterior(2.25, 0.7),
        "impairment": ChoicePosterior(np.array([0.1, 0.2, 0.3, 0.4], np.float32)),
    }
    written = []
    with EpisodeWriter(tmp_path / "e", RECIPE, scene, seed=0, policy="x") as writer:
        random_policy = policies.load("random", scene)
        for frame in itertools.islice(play(scene, random_policy, 0, draw=True), 6):
            normal = rng.normal(size=(2, 8)).astype(np.float32)
            belief = Belief(normal[0], normal[1], None if frame.t == 3 else 0.125 * frame.t, fields)
            # A policy without a belief takes over at step 4; a marker of the scene's own comes and goes.
            extra = {"goal": rng.random(3)} if frame.t % 2 else {}
            assert frame.markers is not None
            frame = replace(
                frame,
                decision=Decision(
                    frame.decision.action, belief if frame.t < 4 else None, 1.5 if frame.t else None
                ),
                markers=replace(frame.markers, extra=extra),
            )
            written.append(frame)
            writer.append(frame, scene.state_hash())
    scene.close()
    read = Episode.load(tmp_path / "e").frames
    for one, two in zip(written, read, strict=True):
        assert_same(one, two)
        assert one.markers is not None
        assert two.markers is not None
        assert {k: v.tolist() for k, v in one.markers.extra.items()} == {
            k: v.tolist() for k, v in two.markers.extra.items()
        }
    belief = read[0].decision.belief
    assert belief is not None
    itch, force, impairment = (belief.fields[name] for name in ("itch", "force", "impairment"))
    assert isinstance(itch, PointPosterior)
    assert isinstance(impairment, ChoicePosterior)
    assert np.abs(itch.grid - fields["itch"].grid).max() < 1e-5  # half precision
    assert force == fields["force"]
    assert np.array_equal(impairment.probabilities, fields["impairment"].probabilities)


def test_a_run_without_pictures_and_with_numbered_actions_is_kept(tmp_path) -> None:
    recipe = SceneRecipe("gridworld", {}, 0.2)
    frames = write_run(tmp_path / "e", 60, recipe, draw=False)
    episode = Episode.load(tmp_path / "e")
    for one, two in zip(frames, episode.frames, strict=True):
        assert_same(one, two)
    assert episode.frames[-1].done
    assert episode.verify().ok


def test_a_replay_in_a_new_process_is_exact(run) -> None:
    folder, _ = run
    command = [sys.executable, "-m", "robot_app", "replay", str(folder), "--verify", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    summary = json.loads(found.stdout)
    assert summary["verified"] is True
    assert summary["steps"] == 30
    assert found.stderr == ""


@pytest.mark.parametrize("what", ["action", "reward", "event"])
def test_a_single_change_is_found_and_named(what, run, tmp_path, capsys) -> None:
    folder, _ = run
    episode = Episode.load(folder)

    def change(frame: Frame) -> Frame:
        if what == "action" and frame.t == 12:
            action = frame.decision.action.copy()
            action[0] = np.nextafter(action[0], np.float32(1))
            return replace(frame, decision=replace(frame.decision, action=action))
        if what == "reward" and frame.t == 12:
            return replace(frame, reward=float(np.nextafter(frame.reward, 1)))
        if what == "event" and frame.t == 5:
            return replace(frame, events=(replace(frame.events[0], value={"force": 2.0}),))
        return frame

    scene = episode.build_scene()
    with EpisodeWriter(tmp_path / "e", episode.recipe, scene, seed=11, policy="x") as writer:
        frames = play(scene, policies.load("scripted/scratch_itch", scene), 11, events=overrides)
        for frame in itertools.islice(frames, 31):
            writer.append(change(frame), scene.state_hash())
    scene.close()
    assert cli.main(["replay", str(tmp_path / "e"), "--verify"]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    step = {"action": 13, "reward": 12, "event": 5}[what]
    assert f"step {step} differs" in err
    found = Episode.load(tmp_path / "e").verify()
    assert (found.ok, found.step) == (False, step)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda f: (f / "manifest.json").unlink(), "manifest.json"),
        (lambda f: (f / "manifest.json").write_text("{"), "not JSON"),
        (lambda f: (f / "manifest.json").write_text("[]"), "robot-app-episode/1"),
        (lambda f: (f / "manifest.json").write_text('{"format": "dynamite-checkpoint/1"}'), "dynamite-checkpoint/1"),
        (lambda f: change_manifest(f, format="robot-app-episode/2"), "newer version"),
        (lambda f: change_manifest(f, gym_id="scenes/ScratchItch-v0"), "ScratchItch-v0"),
        (lambda f: change_manifest(f, seal=False, seed=12), "manifest.json"),
        (lambda f: cut(f / "frames" / "000.safetensors"), "000.safetensors"),
        (lambda f: (f / "frames" / "000.safetensors").unlink(), "000.safetensors"),
        (lambda f: cut(f / "latents.jsonl"), "latents.jsonl"),
        (lambda f: (f / "events.jsonl").write_text(""), "events.jsonl"),
    ],
)  # fmt: skip
def test_a_foreign_damaged_or_newer_episode_is_one_line(damage, named, run, tmp_path, capsys) -> None:
    folder = tmp_path / "e"
    shutil.copytree(run[0], folder)
    damage(folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert cli.main(["replay", str(folder), "--verify"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert named in err
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def change_manifest(folder: Path, seal: bool = True, **changes) -> None:
    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_text()), **changes}
    if seal:
        del manifest["self"]
        manifest["self"] = hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
    path.write_text(json.dumps(manifest))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def test_a_recording_never_writes_into_a_folder_in_use(tmp_path) -> None:
    scene = RECIPE.build()
    (tmp_path / "mine.txt").write_text("x")
    with pytest.raises(InputError, match="in use"):
        EpisodeWriter(tmp_path, RECIPE, scene, seed=0, policy="x")
    with pytest.raises(InputError, match="new folder"):
        EpisodeWriter(tmp_path / "mine.txt" / "e", RECIPE, scene, seed=0, policy="x")
    scene.close()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


ENDLESS = """
import sys, time
from pathlib import Path
import policies
from dynamite.acting import play
from robot_app.episode import EpisodeWriter, recorded
from robot_app.recipe import SceneRecipe

recipe = SceneRecipe("scratch_itch", {"controller": "responsive"}, 0.1)
scene = recipe.build()
policy = policies.load("scripted/scratch_itch", scene)
writer = EpisodeWriter(Path(sys.argv[1]), recipe, scene, seed=3, policy=policy.name)
for frame in recorded(play(scene, policy, 3, draw=True), scene, writer):
    print(frame.t, flush=True)
    time.sleep(0.005)
"""


def test_a_killed_recording_loads_up_to_the_last_step_and_verifies(tmp_path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ENDLESS, str(tmp_path / "e")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) == 40:
            break
    os.kill(process.pid, signal.SIGKILL)
    seen = [int(line) for line in process.stdout]
    process.stdout.close()
    process.wait()
    episode = Episode.load(tmp_path / "e")
    assert not episode.complete
    assert episode.n_steps >= max([40, *seen])
    assert episode.n_steps < 200
    assert [frame.t for frame in episode.frames] == list(range(episode.n_steps + 1))
    assert episode.verify().ok


def test_torn_records_are_left_out(tmp_path) -> None:
    scene = RECIPE.build()
    writer = EpisodeWriter(tmp_path / "e", RECIPE, scene, seed=11, policy="x")
    policy = policies.load("random", scene)
    for frame in itertools.islice(play(scene, policy, 11), 10):
        writer.append(frame, scene.state_hash())
    scene.close()
    records = tmp_path / "e" / "frames" / "000.bin"
    whole = records.read_bytes()
    records.write_bytes(whole[:-7])  # the last record is torn
    assert Episode.load(tmp_path / "e").n_steps == 8
    size = len(whole) // 10
    records.write_bytes(whole[: 5 * size] + b"\x00" * size + whole[6 * size :])  # a page the disk never got
    assert Episode.load(tmp_path / "e").n_steps == 4
    log = tmp_path / "e" / "info.jsonl"
    log.write_bytes(log.read_bytes()[:-9])
    assert Episode.load(tmp_path / "e").n_steps == 4
    records.write_bytes(b"")
    with pytest.raises(InputError, match="0 readable steps"):
        Episode.load(tmp_path / "e")


def test_markers_survive_even_where_the_scene_has_none(tmp_path) -> None:
    frames = [replace(frame, markers=Markers()) for frame in write_run(tmp_path / "a", 3)]
    scene = RECIPE.build()
    with EpisodeWriter(tmp_path / "b", RECIPE, scene, seed=11, policy="x") as writer:
        for frame in frames:
            writer.append(frame, "")
    scene.close()
    assert Episode.load(tmp_path / "b").frames[0].markers == Markers()
