"""The simulator's process: every frame, in order; edits at once; what breaks is told."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

import policies
from dynamite.acting import Event, Frame, play
from robot_app.episode import Episode
from robot_app.live_episode import LiveEpisode
from robot_app.messages import Crashed, Edited, Loaded, Recorded, Reference, Refused, Status, Step
from robot_app.recipe import SceneRecipe
from robot_app.runtime import Runtime
from scenes import make_scene

ORACLE = "scripted/scratch_itch"
pytestmark = pytest.mark.xdist_group("runtime")


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    with Runtime() as runtime:
        runtime.load(SceneRecipe("scratch_itch"), ORACLE, seed=0)
        runtime.wait_for(Status)
        yield runtime


@pytest.fixture
def runtime(shared: Runtime) -> Runtime:
    """Loaded, paused at step 0 of seed 0, with nothing left to hear."""
    shared.pause()
    shared.set_speed(1.0)
    shared.set_loop(False)
    shared.reset(0)
    shared.set_termination(0.02)  # as the scene has it
    hear(shared, lambda found: any(isinstance(m, Edited) for m in found))
    shared.reset(0)
    hear(shared, lambda found: [m.state for m in found if isinstance(m, Status)] == ["paused"])
    return shared


def hear(runtime: Runtime, enough, seconds: float = 20.0) -> list:
    found: list = []
    until = time.monotonic() + seconds
    while not enough(found):
        found += runtime.wait(0.05)
        assert time.monotonic() < until, [type(m).__name__ for m in found]
    return found


def finish(runtime: Runtime) -> list:
    """Play to the end as fast as it goes; everything that was said."""
    runtime.set_speed(float("inf"))
    runtime.play()
    return hear(runtime, lambda found: any(isinstance(m, Status) and m.state == "finished" for m in found))


def final_frames(messages: list) -> list[Frame]:
    frames: dict[int, Frame] = {}
    for message in messages:
        if isinstance(message, Step):
            frames[message.frame.t] = message.frame
    return [frames[t] for t in sorted(frames)]


@pytest.mark.parametrize("policy", ["random", ORACLE])
def test_a_live_episode_is_what_play_gives(policy: str) -> None:
    events = {
        0: [Event(0, "override", {"itch": "forearm.ventral"})],
        31: [Event(31, "override_next", {"itch": "upper_arm"}), Event(31, "termination", {"length": 20})],
        90: [Event(90, "override", {"itch": "forearm@0.2"}), Event(90, "termination", 0.1)],
    }
    expected_scene, scene = make_scene("scratch_itch"), make_scene("scratch_itch")
    acting = policies.load(policy, expected_scene)
    expected = list(play(expected_scene, acting, 5, events=lambda t: events.get(t, []), draw=True))
    episode = LiveEpisode(scene, policies.load(policy, scene), 5)
    found = []
    while True:
        for event in events.get(episode.t, []) if not episode.done else []:
            episode.edit(event.kind, event.value)
        found.append(episode.advance())
        if found[-1].done:
            break
    assert len(found) == len(expected) == 201
    for a, b in zip(found, expected, strict=True):
        assert (a.t, a.reward, a.session, a.changed, a.latent, a.events, a.done) == (
            b.t, b.reward, b.session, b.changed, b.latent, b.events, b.done,
        )  # fmt: skip
        np.testing.assert_array_equal(a.decision.action, b.decision.action)
        np.testing.assert_array_equal(a.poses, b.poses)
    expected_scene.close()
    scene.close()


def test_every_frame_arrives_once_and_in_order(runtime: Runtime) -> None:
    told = [m.frame.t for m in finish(runtime) if isinstance(m, Step)]
    assert told == list(range(1, 201))  # step 0 was told when it was loaded


def test_the_next_episode_has_the_next_seed(runtime: Runtime) -> None:
    finish(runtime)
    runtime.play()
    said = hear(runtime, lambda found: any(isinstance(m, Step) and m.frame.t > 2 for m in found))
    steps = [m for m in said if isinstance(m, Step)]
    assert {m.seed for m in steps} == {1}
    assert steps[0].frame.t == 0


def test_step_takes_one_step(runtime: Runtime) -> None:
    for n in (1, 2, 3):
        runtime.step()
        said = hear(runtime, lambda found: any(isinstance(m, Status) for m in found))
        assert [m.frame.t for m in said if isinstance(m, Step)] == [n]


def test_an_edit_while_paused_is_in_force_and_in_the_picture_at_once(runtime: Runtime) -> None:
    before = runtime.frames.read()
    began = time.perf_counter()
    runtime.override({"itch": "forearm.dorsal@0.7"})
    said = runtime.wait_for(Edited)
    assert time.perf_counter() - began < 0.5
    revised = [m for m in said if isinstance(m, Step)]
    assert [m.frame.t for m in revised] == [0]
    assert revised[0].revised
    itch = revised[0].frame.latent["itch"]
    assert (itch.part, itch.axial, itch.angle) == ("forearm", 0.7, 0.0)
    after = runtime.frames.read()
    assert before is not None
    assert after is not None
    assert after.edits == before.edits + 1
    assert np.linalg.norm(after.markers.itch - before.markers.itch) > 0.02


def test_an_edit_for_the_next_session_waits_for_it(runtime: Runtime) -> None:
    runtime.set_termination({"length": 5})
    runtime.override({"itch": "forearm.dorsal@0.7"}, at_next_session=True)
    frames = final_frames(finish(runtime))
    itch = [frame.latent["itch"] for frame in frames]
    assert itch[2].axial != 0.7
    first = next(frame for frame in frames if frame.latent["itch"].axial == 0.7)
    assert first.changed
    assert first.t == 5


def test_speed_is_kept(runtime: Runtime) -> None:
    runtime.set_speed(4.0)
    runtime.play()
    hear(runtime, lambda found: any(isinstance(m, Step) for m in found))
    began = time.perf_counter()
    said = hear(runtime, lambda found: sum(isinstance(m, Step) for m in found) >= 40)
    seconds = time.perf_counter() - began
    assert len([m for m in said if isinstance(m, Step)]) < 48
    assert 0.8 < seconds < 2.5  # 40 steps of 0.1 s at four times real time; a busy machine may be late


def test_the_oracle_is_as_good_as_its_reference(runtime: Runtime) -> None:
    runtime.load(SceneRecipe("scratch_itch"), ORACLE, seed=0)
    loaded = next(m for m in runtime.wait_for(Loaded) if isinstance(m, Loaded))
    runtime.set_policy(loaded.reference)
    runtime.wait_for(Loaded)
    runtime.override({"itch": "upper_arm.lateral"})
    runtime.wait_for(Edited)
    runtime.set_termination({"length": 50})
    runtime.wait_for(Edited)
    said = hear(runtime, lambda found: any(isinstance(m, Reference) and m.complete for m in found))
    reference = [m for m in said if isinstance(m, Reference)][-1]
    frames = final_frames(finish(runtime))
    np.testing.assert_array_equal(reference.rewards, [frame.reward for frame in frames if frame.t > 0])


def test_a_saved_episode_replays_to_the_last_bit(runtime: Runtime, tmp_path: Path) -> None:
    runtime.load(SceneRecipe("scratch_itch"), ORACLE, seed=0)
    runtime.wait_for(Loaded)
    for _ in range(3):
        runtime.step()
    runtime.override({"itch": "forearm.medial"})
    runtime.set_termination({"length": 7})
    for _ in range(20):
        runtime.step()
    runtime.save_episode(tmp_path / "episode")
    saved = next(m for m in runtime.wait_for(Recorded) if isinstance(m, Recorded))
    assert saved.n_frames == 24
    episode = Episode.load(tmp_path / "episode")
    assert [event.kind for event in episode.events] == ["override", "termination"]
    assert episode.verify().ok


def test_a_refused_command_changes_nothing(runtime: Runtime) -> None:
    runtime.set_policy("nobody")
    runtime.override({"itch": "left_ear"})
    said = hear(runtime, lambda found: sum(isinstance(m, Refused) for m in found) == 2)
    nobody, ear = (m.message for m in said if isinstance(m, Refused))
    assert "nobody" in nobody
    assert ORACLE in nobody
    assert "left_ear" in ear
    assert "forearm" in ear
    assert len([m for m in finish(runtime) if isinstance(m, Step)]) == 200


def test_a_scene_without_a_picture_still_runs() -> None:
    with Runtime() as runtime:
        runtime.load(SceneRecipe("gridworld"), "random", seed=1)
        loaded = next(m for m in runtime.wait_for(Status) if isinstance(m, Loaded))
        if loaded.drawable:
            pytest.skip("gridworld has learnt to be drawn")
        assert loaded.why_not
        assert [frame.t for frame in final_frames(finish(runtime))] == list(
            range(1, loaded.episode_length + 1)
        )


def test_a_killed_process_is_told_once_and_can_be_replaced() -> None:
    runtime = Runtime()
    runtime.load(SceneRecipe("scratch_itch"), "random", seed=0, play=True)
    runtime.wait_for(Loaded)
    os.kill(runtime.pid, signal.SIGKILL)
    crash = [m for m in runtime.wait_for(Crashed) if isinstance(m, Crashed)]
    assert len(crash) == 1
    assert "signal 9" in crash[0].report
    assert not runtime.alive
    runtime.play()  # into the void, without harm
    assert runtime.poll() == []
    runtime.restart()
    runtime.load(SceneRecipe("scratch_itch"), "random", seed=0)
    runtime.wait_for(Loaded)
    pid = runtime.pid
    runtime.close()
    runtime.close()
    assert not psutil.pid_exists(pid)


def test_close_ends_a_process_that_is_busy_talking() -> None:
    runtime = Runtime()
    runtime.load(SceneRecipe("scratch_itch"), "random", seed=0)
    runtime.wait_for(Loaded)
    runtime.set_speed(float("inf"))
    runtime.play()
    time.sleep(1.0)  # nobody listens: its messages fill the pipe
    pid = runtime.pid
    began = time.monotonic()
    runtime.close()
    assert time.monotonic() - began < 5.0
    assert not psutil.pid_exists(pid)
