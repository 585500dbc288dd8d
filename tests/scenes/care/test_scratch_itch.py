"""ScratchItch: the task's constants, its reward, and the person's arm."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamite.acting import play
from policies.scripted.scratch_itch import Oracle
from scenes import make_scene
from scenes.care.body import SIZES, surface_coordinates, surface_point
from scenes.errors import InputError


@pytest.fixture
def scene():
    scene = make_scene("scratch_itch", termination=0.0)
    yield scene
    scene.close()


def test_a_full_action_moves_joint_one_as_far_as_upstream(scene) -> None:
    """SCENES: a constant 1 moves joint 1 by 0.145 rad in five steps under upstream's controller (7-DoF Jaco)."""
    scene.reset(seed=0)
    start = scene._angles[0]
    for _ in range(5):
        scene.step(np.array([1.0, 0, 0, 0, 0, 0]))
    assert scene._angles[0] - start == pytest.approx(0.145, abs=0.06)


def test_the_hand_starts_where_upstream_puts_it(scene) -> None:
    hands = []
    for seed in range(30):
        scene.reset(seed=seed)
        hands.append(np.array(scene._tip) - [0.095, 0, 0])
    offset = np.array(hands) - [-0.6, 0, 0.8]
    assert np.abs(offset).max() <= 0.05 + 1e-4
    assert np.abs(offset).max(axis=0).min() > 0.03
    assert scene.total_force_n == 0


def test_reward_far_from_the_person_is_distance_action_and_speed(scene) -> None:
    scene.reset(seed=1)
    action = np.full(6, 0.3)
    _, reward, *_ = scene.step(action)
    expected = -scene.distance_m - 0.01 * np.linalg.norm(action) - 0.25 * scene._hand_speed
    assert scene.total_force_n == 0
    assert reward == pytest.approx(expected, abs=1e-9)


def test_scratches_pay_five_each_and_need_a_stroke_of_a_centimetre(scene) -> None:
    oracle = Oracle(scene)
    last, touches = None, []
    for frame in play(scene, oracle, seed=6, options={"latent": "forearm.dorsal@0.5"}):
        gained = frame.info["scratches"] - (last or 0)
        assert gained in (0, 1)
        if gained:
            assert frame.reward > 4.0
            assert frame.info["force_on_target_n"] < 10
            touches.append(np.array(scene._last_scratch))
            assert math.dist(scene._touch, scene._itch.position) < 0.025
        elif frame.t > 0:
            assert frame.reward < 0.0
        last = frame.info["scratches"]
    assert len(touches) >= 10
    assert min(np.linalg.norm(np.diff(touches, axis=0), axis=1)) > 0.01


def test_the_target_moves_with_the_limb_and_lies_on_the_skin(scene) -> None:
    scene.reset(seed=0)
    scene.override("upper_arm.lateral@0.25")
    size = SIZES["male"]
    local, normal = surface_point(size, "upper_arm", 0.25, math.pi / 2)
    assert np.linalg.norm(local[:2]) == pytest.approx(size.upper_arm_r)
    assert local @ normal == pytest.approx(size.upper_arm_r)
    assert surface_coordinates(size, "upper_arm", local) == pytest.approx((0.25, math.pi / 2))
    markers = scene.markers()
    shoulder = np.array(scene._arm_frames[0][0])
    along = np.linalg.norm(markers.itch - shoulder)
    assert along == pytest.approx(math.hypot(0.25 * size.upper_arm_l, size.upper_arm_r), abs=1e-6)


def test_the_arm_gives_way_when_pushed_and_comes_back(scene) -> None:
    scene.reset(seed=2, options={"latent": "forearm.dorsal@0.9"})
    rest = np.array(scene._arm_frames[2][0])
    oracle = Oracle(scene)
    moved = 0.0
    for _ in play(scene, oracle, seed=2, options={"latent": "forearm.dorsal@0.9"}):
        moved = max(moved, float(np.linalg.norm(np.array(scene._arm_frames[2][0]) - rest)))
    assert 0.003 < moved < 0.3


def test_a_preferred_force_scales_what_a_scratch_is_worth() -> None:
    scene = make_scene("scratch_itch", fields=("itch", "force"))
    scene.reset(seed=0, options={"latent": {"force": 3.0}})
    worth = {}
    for force in (2.0, 3.9, 4.5, 5.0, 0.5):
        scene.target_force_n = force
        worth[force] = scene._force_worth()
    assert worth == pytest.approx({2.0: 1.0, 3.9: 1.0, 4.5: 0.5, 5.0: 0.0, 0.5: 0.0})
    scene.close()


def test_tremor_shakes_weakness_yields() -> None:
    """A tremor moves the free arm; other impairments leave it at rest until it is touched."""
    travel = {}
    for impairment in ("none", "weakness", "tremor"):
        scene = make_scene("scratch_itch", impairment=impairment)
        scene.reset(seed=4)
        wrist = []
        for _ in range(20):
            scene.step(np.zeros(6))
            wrist.append(scene._arm_frames[2][0])
        travel[impairment] = float(np.abs(np.diff(wrist, axis=0)).sum())
        scene.close()
    assert travel["none"] < 1e-3
    assert travel["weakness"] < 1e-3
    assert travel["tremor"] > 0.005


@pytest.mark.parametrize("controller", ["assistive_gym", "responsive"])
def test_an_episode_that_ended_in_a_touch_leaves_nothing_behind(controller: str) -> None:
    """Cut off while the tool presses on the arm, the next episode is as in a fresh scene, from its first observation."""

    def whole(scene, seed: int) -> list:
        return [
            (f.observation.tobytes(), f.reward, scene.state_hash(), f.info["total_force_n"])
            for f in play(scene, Oracle(scene), seed)
        ]

    used, fresh = (make_scene("scratch_itch", controller=controller) for _ in "ab")
    touched = False
    for _ in play(used, Oracle(used), seed=6, options={"latent": "forearm.dorsal@0.5"}):
        touched = used.total_force_n > 1.0
        if touched:
            break
    assert touched
    assert whole(used, 9) == whole(fresh, 9)
    used.close()
    fresh.close()


@pytest.mark.parametrize(
    "options",
    [
        {"robot": "r2d2"},
        {"controller": "magic"},
        {"gender": "other"},
        {"fields": ("force",)},
        {"fields": "itch"},
        {"termination": 2.0},
        {"termination": "often"},
        {"kernel": "jump"},
        {"render_mode": "window"},
        {"colour": "red"},
        {"impairment": "sleepy"},
    ],
)
def test_bad_options_are_refused_in_one_line(options: dict) -> None:
    with pytest.raises(InputError) as raised:
        make_scene("scratch_itch", **options)
    assert "\n" not in str(raised.value)
