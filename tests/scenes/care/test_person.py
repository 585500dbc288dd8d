"""The person: an active one moves as told and gives way, and where they are touched is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from policies import load
from scenes import make_scene
from scenes.care.contact_map import GRID
from scenes.errors import InputError

BEND = {"keyframes": [[0.0, {}], [2.0, {"elbow": -60.0}], [6.0, {"elbow": -60.0}]]}


def run(scene, steps: int) -> None:
    still = np.zeros(scene.action_space.shape)
    for _ in range(steps):
        scene.step(still)


def test_an_active_person_follows_the_script_and_a_passive_one_stays() -> None:
    angles = {}
    for motion in (None, BEND):
        scene = make_scene("scratch_itch", motion=motion)
        scene.reset(seed=0)
        run(scene, 50)
        angles[motion is None] = scene.person.arm.angles_deg()["elbow"]
        scene.close()
    assert angles[True] == pytest.approx(-90.0, abs=2.0)
    assert angles[False] == pytest.approx(-60.0, abs=3.0)


def test_an_active_person_can_follow_a_policy() -> None:
    class Shrug:
        def wants(self, time_s, angles):
            return {"elbow": angles["elbow"] + 5.0}  # as far as it has come, and a little more

    scene = make_scene("scratch_itch", motion=Shrug())
    scene.reset(seed=0)
    run(scene, 60)
    assert scene.person.arm.angles_deg()["elbow"] > -80.0
    scene.close()


def test_motion_is_the_same_under_the_same_seed() -> None:
    hashes = []
    for _ in range(2):
        scene = make_scene("scratch_itch", motion="restless", impairment="tremor")
        for seed in (3, 5):
            scene.reset(seed=seed)
            run(scene, 30)
        hashes.append(scene.state_hash())
        scene.close()
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize(
    "motion",
    [
        "dances",
        "looks_around",  # the head does not move in this scene
        {"keyframes": []},
        {"keyframes": [[1.0, {}]]},
        {"keyframes": [[0.0, {}], [0.0, {"elbow": -60}]]},
        {"keyframes": [[0.0, {"knee": 10}]]},
        {"keyframes": [[0.0, {"elbow": 30}]]},
        {"keyframes": [[0.0, {"elbow": "up"}]]},
        {"keyframes": [[0.0, {}]], "speed": 2},
        {"keyframes": [[0.0, {}]], "loop": 1},
    ],
)
def test_a_motion_that_cannot_be_is_refused(motion) -> None:
    with pytest.raises(InputError, match="motion"):
        make_scene("scratch_itch", motion=motion)


def test_forces_are_known_by_segment_and_by_patch_where_the_itch_is() -> None:
    scene = make_scene("scratch_itch", termination=0.0)
    policy = load("scripted/scratch_itch", scene)
    observation, _ = scene.reset(
        seed=1, options={"latent": {"itch": {"part": "forearm", "axial": 0.5, "angle": 0.2}}}
    )
    reward, touches = 0.0, 0
    row, column = int(0.5 * GRID[0]), int((0.2 + math.pi) / (2 * math.pi) * GRID[1])
    for _ in range(120):
        decision = policy.act(observation, reward, scene.privileged())
        observation, reward, _, _, info = scene.step(decision.action)
        segments, patches = scene.force_by_segment(), scene.force_by_patch()
        assert sum(segments.values()) == pytest.approx(info["total_force_n"])
        assert patches["forearm"].sum() == pytest.approx(segments.get("forearm", 0.0))
        if 0 < info["force_on_target_n"] == info["total_force_n"]:  # all within 2.5 cm of the itch
            near = patches["forearm"][row - 2 : row + 2, column - 2 : column + 3]
            assert near.sum() == pytest.approx(info["force_on_target_n"])
            touches += 1
    scene.close()
    assert touches > 5
