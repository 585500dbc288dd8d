"""The simulator's process looks back, branches, changes takes; and one that was killed is replaced where it was."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from robot_app import messages
from robot_app.episode import Episode
from robot_app.messages import Crashed, Cursor, Edited, Loaded, Recorded, Refused, Status, Step
from robot_app.recipe import SceneRecipe
from robot_app.runtime import Runtime
from robot_app.takes import TakeRecord
from tests.robot_app.test_runtime import final_frames, finish, hear

RECIPE, POLICY = SceneRecipe("scratch_itch", termination=0.05), "pretrained/dynamite"
pytestmark = pytest.mark.xdist_group("runtime")


@pytest.fixture(scope="module")
def shared() -> Iterator[Runtime]:
    with Runtime() as runtime:
        yield runtime


@pytest.fixture
def played(shared: Runtime) -> tuple[Runtime, list, int]:
    """40 steps of seed 2, paused; the messages of them, and the take's number. Nothing of the last test is left."""
    shared.load(RECIPE, POLICY, seed=2)
    shared.set_speed(float("inf"))
    shared.set_loop(False)
    for _ in range(40):
        shared.step()
    said = hear(shared, lambda found: any(isinstance(m, Status) and (m.seed, m.t) == (2, 40) for m in found))
    while more := shared.wait(0.1):
        said += more
    return shared, said, [m for m in said if isinstance(m, messages.Takes)][-1].current


def saved(runtime: Runtime, folder: Path) -> Episode:
    runtime.save_episode(folder)
    runtime.wait_for(Recorded)
    return Episode.load(folder)


def test_seeking_shows_the_poses_as_they_were_and_playing_catches_up(played) -> None:
    runtime, _, number = played
    newest = runtime.frames.read()
    runtime.seek(17)
    said = hear(runtime, lambda found: any(isinstance(m, Status) for m in found))
    assert [m for m in said if isinstance(m, Cursor)] == [Cursor(number, 17)]
    past = runtime.frames.read()
    assert (past.t, past.episode) == (17, number)
    assert np.abs(past.poses - newest.poses).max() > 1e-3
    runtime.step()
    said = hear(runtime, lambda found: any(isinstance(m, Status) for m in found))
    assert [m for m in said if isinstance(m, Cursor)] == [Cursor(number, 18)]
    assert not [m for m in said if isinstance(m, Step)]  # no physics
    runtime.play()
    said = hear(runtime, lambda found: any(isinstance(m, Step) and m.frame.t >= 45 for m in found))
    assert [m.t for m in said if isinstance(m, Cursor)] == [*range(19, 40), None]
    assert [m.frame.t for m in said if isinstance(m, Step)][:5] == [41, 42, 43, 44, 45]
    assert {m.state for m in said if isinstance(m, Status)} == {"playing"}
    runtime.seek(17)
    hear(runtime, lambda found: Cursor(number, 17) in found)
    again = runtime.frames.read()
    np.testing.assert_array_equal(again.poses, past.poses)
    np.testing.assert_array_equal(again.markers.itch, past.markers.itch)
    np.testing.assert_array_equal(again.heat.grid, past.heat.grid)
    runtime.live()
    hear(runtime, lambda found: Cursor(number, None) in found)
    assert runtime.frames.read().t >= 45


def test_a_saved_branch_replays_to_the_last_bit(played, tmp_path: Path) -> None:
    runtime, _, number = played
    runtime.branch(
        20, ("override", {"itch": "forearm@0.2"}), ("termination", {"length": 6}), ("kernel", "drift")
    )
    said = hear(runtime, lambda found: sum(isinstance(m, Edited) for m in found) == 3)
    takes = next(m for m in said if isinstance(m, messages.Takes))
    assert (takes.takes[-1].parent, takes.takes[-1].start) == (number, 20)
    assert (takes.termination, takes.kernel) == ({"length": 6}, "drift")
    assert [m.frame.t for m in said if isinstance(m, Step)] == [20]
    finish(runtime)
    branch = saved(runtime, tmp_path / "branch")
    assert [(e.t, e.kind) for e in branch.events] == [(20, "override"), (20, "termination"), (20, "kernel")]
    assert (branch.n_steps, branch.verify().ok) == (200, True)
    runtime.take(number)
    hear(runtime, lambda found: any(isinstance(m, messages.Takes) and m.current == number for m in found))
    original = saved(runtime, tmp_path / "original")
    assert (original.n_steps, original.events) == (40, ())
    np.testing.assert_array_equal(original.state_hashes[:20], branch.state_hashes[:20])
    assert original.verify().ok
    finish(runtime)  # it goes on, under its own rules again
    whole = saved(runtime, tmp_path / "whole")
    assert whole.verify().ok
    np.testing.assert_array_equal(whole.state_hashes[:41], original.state_hashes)
    runtime.reset(3)  # the next episode has the rules of the take that was looked at, not of the last branch
    hear(runtime, lambda found: any(isinstance(m, Status) and (m.seed, m.t) == (3, 0) for m in found))
    following = saved(runtime, tmp_path / "following")
    assert (following.recipe.termination, following.recipe.kernel) == (0.05, RECIPE.kernel)


def test_an_episode_that_starts_drifting_replays(played, tmp_path: Path) -> None:
    runtime, _, _ = played
    runtime.set_kernel({"name": "drift", "scale": 0.02})
    runtime.set_termination({"length": 4})
    said = hear(runtime, lambda found: sum(isinstance(m, Edited) for m in found) == 2)
    assert not [m for m in said if isinstance(m, Loaded)]  # nothing started over
    frames = [f for f in final_frames(finish(runtime)) if f.changed]
    itches = [frame.latent["itch"] for frame in frames if frame.t > 44]
    assert len(itches) > 20
    assert max(abs(a.axial - b.axial) for a, b in itertools.pairwise(itches)) < 0.1
    assert saved(runtime, tmp_path / "now").verify().ok
    runtime.reset(7)  # the rules stay for the next episode, whose recipe says so
    hear(runtime, lambda found: any(isinstance(m, Status) and m.seed == 7 for m in found))
    for _ in range(12):
        runtime.step()
    following = saved(runtime, tmp_path / "next")
    assert following.recipe.kernel["name"] == "drift"
    assert following.recipe.termination == {"length": 4}
    assert following.verify().ok


def test_an_edit_while_looking_back_branches_there(played) -> None:
    runtime, _, number = played
    runtime.seek(11)
    runtime.override({"itch": "upper_arm@0.8"})
    said = hear(runtime, lambda found: any(isinstance(m, Edited) for m in found))
    edited = next(m for m in said if isinstance(m, Edited))
    assert edited.event.t == 11
    assert edited.episode == number + 1
    assert edited.latent["itch"].axial == 0.8
    finish(runtime)
    runtime.override({"itch": "upper_arm@0.8"})
    runtime.branch(200)
    runtime.branch(999)
    runtime.take(999)
    refused = hear(runtime, lambda found: sum(isinstance(m, Refused) for m in found) == 4)
    words = [m.message for m in refused if isinstance(m, Refused)]
    assert "finished" in words[0]
    assert "earlier step" in words[1]
    assert "0 to 200" in words[2]
    assert "take" in words[3]


def test_a_process_killed_while_playing_is_replaced_where_it_was(played, tmp_path: Path) -> None:
    runtime, _, _ = played
    finish(runtime)
    expected = saved(runtime, tmp_path / "expected")
    with Runtime() as mortal:
        mortal.load(RECIPE, POLICY, seed=2)
        said = mortal.wait_for(Loaded)
        mortal.set_speed(4.0)
        mortal.play()
        said += mortal.wait_for(Status)
        said += hear(mortal, lambda found: any(isinstance(m, Step) and m.frame.t >= 20 for m in found))
        os.kill(mortal.pid, signal.SIGKILL)
        said += mortal.wait_for(Crashed)
        frames = final_frames(said)
        (info,) = [m for m in said if isinstance(m, messages.Takes)][-1].takes
        mortal.restart()
        mortal.restore(RECIPE, POLICY, [TakeRecord(info, tuple(frames))], info.number, play=True)
        mortal.set_loop(False)
        mortal.set_speed(float("inf"))
        said = hear(mortal, lambda found: any(isinstance(m, Status) and m.state == "finished" for m in found))
        steps = [m for m in said if isinstance(m, Step)]
        assert [m.frame.t for m in steps] == list(range(frames[-1].t, 201))
        assert {m.episode for m in steps} == {info.number}
        again = saved(mortal, tmp_path / "again")
        assert (again.verify().ok, expected.verify().ok) == (True, True)
        np.testing.assert_array_equal(again.state_hashes, expected.state_hashes)


def test_an_episode_that_does_not_repeat_itself_starts_over_and_says_so(played) -> None:
    runtime, said, number = played
    info = next(t for m in said if isinstance(m, messages.Takes) for t in m.takes if t.number == number)
    frames = final_frames(said)
    assert [frame.t for frame in frames] == list(range(41))
    frames[9] = type(frames[9])(**{**vars(frames[9]), "reward": frames[9].reward + 1.0})
    runtime.restore(RECIPE, POLICY, [TakeRecord(info, tuple(frames))], number)
    said = hear(runtime, lambda found: any(isinstance(m, Status) and m.t == 0 for m in found))
    refused = next(m for m in said if isinstance(m, Refused))
    assert refused.message.startswith("step 9: got 'another reward than was recorded'")
    assert [m.frame.t for m in said if isinstance(m, Step)] == [0]
