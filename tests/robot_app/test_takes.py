"""Takes: the past as it was, branches that share it to the last bit, physics that goes on from anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

import policies
from dynamite.acting import Event, Frame
from robot_app import takes as takes_module
from robot_app.recipe import SceneRecipe
from robot_app.session_rules import SessionRules
from robot_app.takes import MAX_TAKES, TakeRecord, Takes
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.registry import SCENES
from scenes.session import Drift, FixedLength

SCRIPTED, PRETRAINED = "scripted/scratch_itch", "pretrained/dynamite"
#: Policies without a belief, with the truth, with a belief and a memory.
POLICIES = ["random", SCRIPTED, PRETRAINED]


@pytest.fixture(scope="module")
def scene() -> Iterator[SessionEnv]:
    made = SceneRecipe("scratch_itch", termination=0.05).build()
    yield made
    made.close()


@pytest.fixture(scope="module")
def rules(scene: SessionEnv) -> SessionRules:
    """Those that the scene was built with."""
    return SessionRules.of(scene)


@pytest.fixture
def begin(scene: SessionEnv, rules: SessionRules) -> Callable[..., Takes]:
    """``begin(policy)``: a first take of seed 4."""

    def make(policy: str = SCRIPTED) -> Takes:
        takes = Takes(scene, policies.load(policy, scene), draw=True)
        takes.start(4, rules)
        return takes

    return make


def live(takes: Takes, steps: int, edits: dict[int, list[tuple[str, object]]] | None = None) -> None:
    """Go on for ``steps``; ``edits`` by step."""
    episode = takes.physics()
    for _ in range(steps):
        for kind, value in (edits or {}).get(episode.t, []):
            episode.edit(kind, value)
        episode.advance()


def lived(takes: Takes) -> list[tuple[Frame, str]]:
    return [takes.at(t) for t in range(takes.n_steps + 1)]


def assert_same(one: list[tuple[Frame, str]], two: list[tuple[Frame, str]]) -> None:
    """Everything that a Frame says, to the last bit."""
    assert len(one) == len(two)
    for (a, state_a), (b, state_b) in zip(one, two, strict=True):
        assert state_a == state_b
        assert (a.t, a.reward, a.session, a.changed, a.latent, a.events, a.info, a.done) == (
            b.t, b.reward, b.session, b.changed, b.latent, b.events, b.info, b.done,
        )  # fmt: skip
        pairs = [(a.observation, b.observation), (a.decision.action, b.decision.action), (a.poses, b.poses)]
        if a.belief is not None and b.belief is not None:
            pairs += [(a.belief.mean, b.belief.mean), (a.belief.logvar, b.belief.logvar)]
            pairs += [(a.belief.fields[k].grid, b.belief.fields[k].grid) for k in a.belief.fields]
        for left, right in pairs:
            np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("policy", POLICIES)
def test_a_branch_without_an_edit_is_the_same_rest_of_the_episode(begin, policy: str) -> None:
    takes = begin(policy)
    early = {5: [("override", {"itch": "forearm.dorsal"}), ("termination", {"length": 9})]}
    live(takes, 90, early)
    before = lived(takes)
    assert len({frame.session for frame, _ in before}) > 5
    takes.branch(37)
    assert (takes.n_steps, takes.cursor) == (37, None)
    live(takes, 53)
    assert_same(before, lived(takes))
    assert all(
        a is b for (a, _), (b, _) in zip(before[:37], lived(takes)[:37], strict=True)
    )  # in memory once


@pytest.mark.parametrize("policy", [SCRIPTED, PRETRAINED])
@pytest.mark.parametrize(
    ("kind", "value"), [("override", {"itch": "upper_arm@0.9"}), ("kernel", "drift"), ("termination", 0.9)]
)
def test_an_edit_in_the_past_is_an_event_there_and_changes_only_what_comes_after(
    begin, policy: str, kind: str, value: object
) -> None:
    takes = begin(policy)
    live(takes, 80)
    before = lived(takes)
    original = takes.current.info.number
    takes.branch(30, [(kind, value)])
    live(takes, 50)
    after = lived(takes)
    assert_same(before[:30], after[:30])
    assert takes.events == [Event(30, kind, value)]
    assert [frame.t for frame, _ in after if frame.events] == [30]
    assert [frame.latent for frame, _ in after] != [frame.latent for frame, _ in before]
    assert [frame.reward for frame, _ in after[:31]] == [frame.reward for frame, _ in before[:31]]
    takes.choose(original)
    assert_same(before, lived(takes))


@pytest.mark.parametrize("name", list(SCENES))
def test_every_scene_branches_to_the_last_bit(name: str) -> None:
    try:
        scene = SceneRecipe(name).build()
    except InputError as error:
        pytest.skip(str(error))  # what it needs is not installed
    offered = policies.list_policies(name)
    policy = f"scripted/{name}" if f"scripted/{name}" in offered else "random"
    takes = Takes(scene, policies.load(policy, scene), draw=_can_be_drawn(scene))
    takes.start(3, SessionRules.of(scene))
    n = min(20, scene.episode_length - 1)
    live(takes, n // 2)
    takes.physics().edit("termination", {"length": 3})
    live(takes, n - n // 2)
    before = lived(takes)
    takes.branch(n // 2)
    live(takes, n - n // 2)
    assert [(f.reward, f.latent, s) for f, s in lived(takes)] == [(f.reward, f.latent, s) for f, s in before]
    scene.close()


def _can_be_drawn(scene: SessionEnv) -> bool:
    try:
        scene.visual_model()
    except NotImplementedError:
        return False
    return True


def test_a_branch_of_a_branch_keeps_both_edits_and_forgets_what_came_later(begin) -> None:
    takes = begin(PRETRAINED)
    live(takes, 40, {35: [("override", {"itch": "forearm@0.1"})]})
    takes.branch(10, [("override", {"itch": "upper_arm@0.5"})])
    live(takes, 20)
    first = lived(takes)
    takes.branch(20, [("kernel", {"name": "drift", "scale": 0.02}), ("termination", {"length": 3})])
    live(takes, 15)
    assert [(e.t, e.kind) for e in takes.events] == [(10, "override"), (20, "kernel"), (20, "termination")]
    assert_same(first[:20], lived(takes)[:20])
    names = [info.name for info in takes.infos()]
    assert names == ["Seed 4", "Branch 1 at 10", "Branch 2 at 20"]
    assert [info.parent for info in takes.infos()] == [None, 1, 2]
    takes.branch(20)  # what was done at that very step is done again
    assert [(e.t, e.kind) for e in takes.events] == [(10, "override"), (20, "kernel"), (20, "termination")]
    takes.branch(19)
    assert [(e.t, e.kind) for e in takes.events] == [(10, "override")]


def test_a_branch_at_the_newest_step_leaves_the_take_where_it_was(begin) -> None:
    takes = begin()
    live(takes, 25)
    before = lived(takes)
    takes.branch(25, [("override", {"itch": "forearm@0.3"})])
    live(takes, 5)
    takes.choose(1)
    assert_same(before, lived(takes))
    assert takes.events == []


def test_another_take_goes_on_as_if_nothing_had_been_in_between(begin, scene) -> None:
    takes = begin(PRETRAINED)
    live(takes, 60)
    whole = lived(takes)
    takes.start(4, takes.current.info.rules)
    live(takes, 20)
    again = takes.current.info.number
    takes.start(5, takes.current.info.rules)
    live(takes, 33)
    takes.choose(again)
    assert takes.n_steps == 20
    live(takes, 40)
    assert_same(whole, lived(takes))
    assert [info.name for info in takes.infos()] == ["Seed 4", "Seed 4, run 2", "Seed 5"]


def test_the_cursor_shows_the_past_and_the_newest_step_is_no_past(begin) -> None:
    takes = begin()
    live(takes, 12)
    poses = [frame.poses for frame, _ in lived(takes)]
    for t in (0, 7, 11):
        takes.seek(t)
        assert takes.shown.t == takes.cursor == t
        np.testing.assert_array_equal(takes.shown.poses, poses[t])
    takes.seek(12)
    assert takes.cursor is None
    assert takes.shown.t == 12
    takes.seek(-3)
    assert takes.cursor == 0
    takes.seek(99)
    assert takes.cursor is None


@pytest.mark.parametrize("what", ["reward", "observation", "state", "action", "preference"])
def test_a_rerun_that_differs_is_refused_and_names_the_step(begin, what: str) -> None:
    takes = begin()
    live(takes, 20)
    frame, state = takes.current.history[8]
    one_bit = np.nextafter(frame.observation, np.float32(9))
    action = np.nextafter(frame.decision.action, np.float32(9))
    forged = {
        "reward": (replace(frame, reward=np.nextafter(frame.reward, 9)), state),
        "observation": (replace(frame, observation=one_bit), state),
        "state": (frame, state[:-1] + ("0" if state[-1] != "0" else "1")),
        "action": (replace(frame, decision=replace(frame.decision, action=action)), state),
        "preference": (replace(frame, session=frame.session + 1), state),
    }[what]
    takes.current.history[8] = forged
    with pytest.raises(InputError, match=rf"step 8.*{what}"):
        takes.branch(15)
    assert takes.n_steps == 20
    assert len(takes.infos()) == 1
    takes.branch(8 if what == "action" else 7)  # what comes before it is sound
    assert takes.n_steps in (7, 8)


@pytest.mark.parametrize("t", [-1, 21, 3.0, True, None])
def test_a_branch_needs_a_step_of_the_take(begin, t: object) -> None:
    takes = begin()
    live(takes, 20)
    with pytest.raises(InputError, match="a step from 0 to 20"):
        takes.branch(t)


def test_an_edit_that_the_scene_refuses_makes_no_branch(begin) -> None:
    takes = begin()
    live(takes, 20)
    before = lived(takes)
    for t in (20, 9):
        with pytest.raises(InputError, match="left_ear"):
            takes.branch(t, [("override", {"itch": "forearm@0.5"}), ("override", {"itch": "left_ear"})])
    for kernel in ("sideways", ["drift"], {"name": "drift", "speed": 3}):
        with pytest.raises(InputError, match="kernel"):
            takes.branch(9, [("kernel", kernel)])
    assert len(takes.infos()) == 1
    assert_same(before, lived(takes))
    takes.physics()
    assert_same(before, lived(takes))


def test_the_last_step_of_an_episode_has_no_branch(begin) -> None:
    takes = begin("random")
    live(takes, 200)
    assert takes.newest.done
    with pytest.raises(InputError, match="an earlier step"):
        takes.branch(200)
    takes.branch(199)
    live(takes, 1)
    assert takes.newest.done


def test_takes_are_remembered_by_another_process_without_their_pictures(begin, scene) -> None:
    takes = begin(PRETRAINED)
    live(takes, 30, {12: [("override", {"itch": "forearm@0.1"})]})
    takes.branch(20, [("kernel", "drift"), ("termination", {"length": 5})])
    live(takes, 30)
    expected = lived(takes)
    records = []
    for info in takes.infos():
        takes.choose(info.number)
        slim = [replace(frame, poses=None, markers=None) for frame, _ in lived(takes)]
        records.append(TakeRecord(info, tuple(slim)))
    takes.choose(2)
    live(takes, 10)
    rest = lived(takes)

    again = Takes(scene, policies.load(PRETRAINED, scene), draw=True)
    again.restore(records, 2)
    again.physics()
    assert_same(expected[:-1], lived(again)[:-1])
    live(again, 10)
    assert_same(rest, lived(again))
    again.choose(1)
    assert again.at(0)[0].poses is None
    again.physics()
    assert again.at(0)[0].poses is not None
    assert again.branch(3).info.name == "Branch 2 at 3"
    assert again.current.info.number == 3


def test_rules_follow_events_and_go_into_a_recipe(rules: SessionRules) -> None:
    built, rules = (
        rules,
        rules.after(
            [Event(3, "kernel", {"name": "drift", "scale": 0.2}), Event(4, "termination", {"length": 7})]
        ),
    )
    assert rules == SessionRules(FixedLength(7), Drift(scale=0.2))
    recipe = SceneRecipe("scratch_itch")
    plain = rules.recipe(recipe, built)
    assert plain.termination == {"length": 7}
    again = plain.build()
    assert SessionRules.of(again) == rules
    again.close()
    assert built.recipe(recipe, built).kernel is None


def test_only_so_many_takes_are_kept_and_the_present_one_is_among_them(begin, monkeypatch) -> None:
    takes = begin()
    for seed in range(MAX_TAKES + 5):
        takes.start(seed, takes.current.info.rules)
        live(takes, 2)
    numbers = [info.number for info in takes.infos()]
    assert len(numbers) == MAX_TAKES
    assert numbers[-1] == takes.current.info.number == MAX_TAKES + 6
    with pytest.raises(InputError, match="one of"):
        takes.choose(2)
    live(takes, 30)
    monkeypatch.setattr(takes_module, "MAX_BYTES", takes.nbytes // 2)
    takes.branch(29)
    kept = [info.number for info in takes.infos()]
    assert 2 <= len(kept) < MAX_TAKES
    assert kept[-2:] == [numbers[-1], numbers[-1] + 1]
    monkeypatch.setattr(takes_module, "MAX_BYTES", 10)
    takes.branch(28)
    assert [info.name for info in takes.infos()] == [takes.current.info.name]
    live(takes, 3)


def test_an_episode_left_untouched_leaves_no_take(begin) -> None:
    takes = begin()
    takes.start(5, takes.current.info.rules)
    assert [info.name for info in takes.infos()] == ["Seed 5"]
    takes.physics().edit("override", {"itch": "forearm@0.5"})
    takes.start(6, takes.current.info.rules)
    assert [info.name for info in takes.infos()] == ["Seed 5", "Seed 6"]


def test_an_episode_of_200_steps_takes_less_than_a_megabyte(begin) -> None:
    takes = begin(PRETRAINED)
    live(takes, 200)
    assert 2e5 < takes.nbytes < 1e6
    size = takes.nbytes
    takes.branch(150)
    assert takes.nbytes == size  # the branch shares what came before it
