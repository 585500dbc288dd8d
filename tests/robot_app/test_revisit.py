"""A recorded episode comes back with its whole past: proved bit for bit, branched from, and honest where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import policies
from robot_app.episode import Episode, EpisodeWriter
from robot_app.messages import Cursor, Loaded, Replayed, Step
from robot_app.recipe import SceneRecipe
from robot_app.recorded_actions import PREFIX, RecordedActions
from robot_app.revisit import past_of, prove
from robot_app.runtime import Runtime
from robot_app.session_rules import SessionRules
from robot_app.takes import Takes
from scenes.base import SessionEnv
from scenes.session import Bernoulli, Uniform

RECIPE, POLICY, STEPS = SceneRecipe("scratch_itch", termination=0.05), "pretrained/dynamite", 30
pytestmark = pytest.mark.xdist_group("revisit")


@pytest.fixture(scope="module")
def scene() -> Iterator[SessionEnv]:
    made = RECIPE.build()
    yield made
    made.close()


@pytest.fixture(scope="module")
def recorded(scene: SessionEnv, tmp_path_factory: pytest.TempPathFactory) -> tuple[Episode, Takes, list]:
    """30 steps of seed 4, edited at steps 8 and 20; the takes that were lived, and every Frame and state of them."""
    takes = Takes(scene, policies.load(POLICY, scene), draw=True)
    takes.start(4, SessionRules.of(scene))
    episode, folder = takes.physics(), tmp_path_factory.mktemp("episodes") / "lived"
    for t in range(STEPS):
        if t == 8:
            episode.edit("override", {"itch": "forearm@0.1"})
        if t == 20:
            episode.edit("termination", {"length": 5})
        episode.advance()
    lived = [takes.at(t) for t in range(STEPS + 1)]
    takes.branch(0)  # physics stands elsewhere, as others are about to use the scene
    takes.choose(1)
    with EpisodeWriter(folder, RECIPE, scene, seed=4, policy=POLICY) as writer:
        for frame, state in lived:
            writer.append(frame, state)
    return Episode.load(folder), takes, lived


def recalled(scene: SessionEnv, episode: Episode, policy) -> Takes:
    takes = Takes(scene, policy, draw=True)
    rules = SessionRules(Bernoulli(0.05), Uniform())
    takes.restore([past_of(episode, 1, rules)], 1)
    return takes


def test_a_recording_is_run_again_to_the_last_bit_and_branches_as_the_live_one_did(recorded, scene) -> None:
    episode, lived, _ = recorded
    takes = recalled(scene, episode, policies.load(POLICY, scene))
    assert takes.at(17)[0].poses is not None  # before anything is run again
    assert prove(takes, episode) == Replayed(1, STEPS)
    assert [takes.at(t)[1] for t in range(STEPS + 1)] == [lived.at(t)[1] for t in range(STEPS + 1)]
    futures = []
    for past in (takes, lived):
        past.choose(1)
        past.branch(13, [("override", {"itch": "upper_arm@0.6"})])
        for _ in range(12):
            past.physics().advance()
        futures.append([past.at(t)[1] for t in range(26)])
        past.choose(1)
    assert futures[0] == futures[1]


def test_where_its_policy_chooses_otherwise_the_recorded_actions_prove_it(recorded, scene) -> None:
    episode, *_ = recorded
    takes = recalled(scene, episode, policies.load("random", scene))
    found = prove(takes, episode)
    assert (found.steps, found.differs) == (STEPS, "")
    assert "step 0" in found.instead
    assert "action" in found.instead
    assert isinstance(takes.policy, RecordedActions)
    takes.branch(10)
    takes.physics().advance()
    np.testing.assert_array_equal(takes.at(10)[0].decision.action, episode.frames[10].decision.action)


def test_a_scene_that_behaves_otherwise_is_told_and_the_past_before_is_gone_on_from(recorded) -> None:
    episode, *_ = recorded
    other = SceneRecipe("scratch_itch", {"controller": "responsive"}, termination=0.05).build()
    try:
        takes = recalled(other, episode, policies.load(POLICY, other))
        found = prove(takes, episode)
        assert "step 1" in found.differs
        assert takes.at(17)[0].reward == episode.frames[17].reward  # still to be looked at
        takes.branch(0)
        takes.physics().advance()
        assert takes.n_steps == 1
    finally:
        other.close()


def test_a_state_that_differs_where_nothing_else_does_is_found(recorded, scene) -> None:
    episode, *_ = recorded
    hashes = episode.state_hashes.copy()
    hashes[12, 0] ^= 1
    forged = Episode(episode.folder, episode.manifest, episode.frames, hashes)
    found = prove(recalled(scene, forged, policies.load(POLICY, scene)), forged)
    assert "step 12" in found.differs
    assert "state" in found.differs
    assert found.instead == ""  # other actions would not have helped


def test_recorded_actions_end_in_rest(recorded) -> None:
    episode, *_ = recorded
    policy = RecordedActions(episode.folder)
    policy.reset(0)
    seen = episode.frames[0].observation
    actions = [policy.act(seen, 0.0).action for _ in range(STEPS + 2)]
    np.testing.assert_array_equal(actions[:STEPS], [f.decision.action for f in episode.frames[:STEPS]])
    assert not np.any(actions[STEPS:])


def test_the_simulator_tells_the_past_before_it_proves_it_and_does_without_who_acted(
    recorded, scene, tmp_path: Path
) -> None:
    episode, *_ = recorded
    orphan = tmp_path / "orphan"
    with EpisodeWriter(orphan, RECIPE, scene, seed=4, policy=str(tmp_path / "gone")) as writer:
        for frame, state in recorded[2]:
            writer.append(frame, state)
    with Runtime() as runtime:
        for folder, acting in ((episode.folder, POLICY), (orphan, f"{PREFIX}{orphan}")):
            runtime.revisit(folder)
            said = runtime.wait_for(Replayed, 60)
            kinds = [type(message) for message in said]
            steps = [m.frame.t for m in said if isinstance(m, Step)]
            assert steps == list(range(STEPS + 1))
            assert kinds.index(Cursor) > kinds.index(Step)
            assert [m.t for m in said if isinstance(m, Cursor)][-1] == 0
            assert [m.policy for m in said if isinstance(m, Loaded)] == [acting]
            (replayed,) = (m for m in said if isinstance(m, Replayed))
            assert (replayed.steps, replayed.differs) == (STEPS, "")
            assert bool(replayed.instead) == (folder == orphan)
        runtime.verify()
        (again,) = (m for m in runtime.wait_for(Replayed, 60) if isinstance(m, Replayed))
        assert again.differs == ""
