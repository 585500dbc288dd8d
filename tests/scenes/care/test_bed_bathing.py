"""BedBathing: upstream's targets, what a wipe is worth, the cloth's pressure, and that knowing m matters."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamite.acting import play
from policies.scripted.bed_bathing import Oracle
from scenes import make_scene
from scenes.care.bed_bathing import DUE_AGAIN_STEPS, REGIONS, target_grid
from scenes.care.body import ARM_PARTS, SIZES, surface_coordinates
from scenes.care.posture import MATTRESS_TOP_M
from scenes.care.tools.wiper import on_cloth
from scenes.errors import InputError


@pytest.fixture
def scene():
    scene = make_scene("bed_bathing", termination=0.0)
    yield scene
    scene.close()


@pytest.mark.parametrize(("gender", "count"), [("male", 129), ("female", 91)])
def test_targets_are_upstreams_and_lie_on_the_skin(gender: str, count: int) -> None:
    total = 0
    for part in ARM_PARTS:
        positions, angles = target_grid(SIZES[gender], part)
        total += len(positions)
        for position, angle in zip(positions[::7], angles[::7], strict=True):
            _, around = surface_coordinates(SIZES[gender], part, position)
            assert math.cos(around - angle) == pytest.approx(1.0)
    assert total == count


def test_regions_differ_and_lie_on_the_upper_half_of_the_arm(scene) -> None:
    scene.reset(seed=0)
    kept = {name: scene._targets[mask] for name, mask in scene._regions.items()}
    assert set(kept) == set(REGIONS)
    for name, targets in kept.items():
        assert len(targets) >= 16
        assert targets[:, 2].min() > MATTRESS_TOP_M
        scene.override({"region": name})
        middle = scene.markers().itch
        assert np.linalg.norm(targets - middle, axis=1).max() < 0.16
    assert kept["upper_arm_top"][:, 2].mean() > kept["upper_arm_side"][:, 2].mean() + 0.02
    assert kept["forearm_side"][:, 0].mean() < kept["forearm_top"][:, 0].mean() - 0.015


def test_reward_away_from_the_person_is_distance_action_and_speed(scene) -> None:
    scene.reset(seed=1)
    _, reward, *_ = scene.step(np.full(6, 0.3))
    nearest = np.linalg.norm(scene._targets[scene._wanted] - scene._tip, axis=1).min()
    assert scene.distance_m == pytest.approx(nearest)
    assert reward == pytest.approx(
        -nearest - 0.01 * np.linalg.norm(np.full(6, 0.3)) - 0.25 * scene._hand_speed
    )


def test_wipes_pay_five_each_once_until_due_again_and_only_in_the_region(scene) -> None:
    latent = {"region": "forearm_side", "pressure": 1.5}
    last_due, paid, before = scene._due_at.copy(), 0, 0
    for frame in play(scene, Oracle(scene), seed=3, options={"latent": latent}):
        fresh = scene._due_at != last_due
        gained = frame.info["wipes"] - before
        assert gained == fresh.sum()
        assert not (fresh & ~scene._wanted).any()
        if gained:
            assert (last_due[fresh] <= frame.t).all()
            assert (scene._due_at[fresh] == frame.t + DUE_AGAIN_STEPS).all()
            assert abs(frame.info["cloth_force_n"] - 1.5) < 1.0
            assert frame.reward <= 5.0 * gained
            paid += frame.reward > 2.0 * gained
        else:
            assert frame.reward <= 0.0
        last_due, before = scene._due_at.copy(), frame.info["wipes"]
    assert before >= 20
    assert paid >= 5


def test_targets_are_due_again_when_the_region_is_changed(scene) -> None:
    for frame in play(scene, Oracle(scene), seed=3, options={"latent": "forearm_side"}):
        if frame.info["wipes"] >= 5:
            break
    assert scene._due_at.max() > scene.steps
    scene.override({"region": "upper_arm_top"})
    assert scene._due_at.max() == 0
    upper = np.array(scene._part_frames[0][0])
    assert np.linalg.norm(scene.target_position - upper) < 0.3


def test_a_preferred_pressure_scales_what_a_wipe_is_worth(scene) -> None:
    scene.reset(seed=0, options={"latent": {"pressure": 1.5}})
    worth = {}
    for force in (1.1, 1.9, 2.25, 2.5, 0.4):
        scene.cloth_force_n = force
        worth[force] = scene._pressure_worth()
    assert worth == pytest.approx({1.1: 1.0, 1.9: 1.0, 2.25: 0.5, 2.5: 0.0, 0.4: 0.0})


def test_only_the_cloths_face_wipes() -> None:
    assert on_cloth(np.array([0.040, 0.03, 0.01]))
    assert not on_cloth(np.array([0.010, 0.03, 0.01]))
    assert not on_cloth(np.array([0.040, 0.07, 0.01]))


def test_pressing_the_arm_down_the_mattress_holds_it(scene) -> None:
    lowest, radius = math.inf, scene.person.size.forearm_r
    for frame in play(
        scene, Oracle(scene), seed=4, options={"latent": {"region": "forearm_top", "pressure": 2.5}}
    ):
        wrist = scene.world.link_frames(scene.person.arm.body, [9])[0][0]
        lowest = min(lowest, wrist[2] - radius)
        assert frame.info["total_force_n"] < 60
    assert lowest > MATTRESS_TOP_M - 0.02


def mean_return(scene, truth: dict, told: dict, seeds: range) -> float:
    """Of the oracle, which is told something else than what is true."""
    oracle, total = Oracle(scene), 0.0
    for seed in seeds:
        observation, _ = scene.reset(seed=seed, options={"latent": truth})
        oracle.reset(seed)
        for _ in range(scene.episode_length):
            scene.sessions.latent = told
            seen = scene.privileged()
            scene.sessions.latent = truth
            observation, reward, *_ = scene.step(oracle.act(observation, 0.0, seen).action)
            total += reward
    return total / len(seeds)


def test_the_oracle_that_knows_the_region_beats_the_same_controller_told_another(scene) -> None:
    truth = {"region": "upper_arm_side", "pressure": 1.2}
    right = mean_return(scene, truth, truth, range(4))
    assert right > 150
    for region in ("upper_arm_top", "forearm_side"):
        assert right > mean_return(scene, truth, {**truth, "region": region}, range(4)) + 60


def test_the_oracle_that_knows_the_pressure_beats_the_same_controller_told_another() -> None:
    """With motors that can keep a pressure: 1 N·m of ``assistive_gym`` press about as hard as they can, or not at all."""
    scene = make_scene("bed_bathing", controller="responsive", termination=0.0)
    for pressure in (0.8, 2.2):
        truth = {"region": "upper_arm_side", "pressure": pressure}
        right = mean_return(scene, truth, truth, range(3))
        assert right > mean_return(scene, truth, {**truth, "pressure": 3.0 - pressure}, range(3)) + 200
    scene.close()


@pytest.mark.parametrize("controller", ["assistive_gym", "responsive"])
def test_the_oracle_reaches_upstreams_success_rule(controller: str) -> None:
    scene = make_scene("bed_bathing", controller=controller)
    met = []
    for seed in range(10):
        *_, last = play(scene, Oracle(scene), seed=seed)
        met.append(last.info["task_success"])
        assert last.info["task_success"] == (last.info["wipes"] >= 0.3 * 129)
    scene.close()
    assert sum(met) >= 9


@pytest.mark.parametrize("options", [{"fields": ("pressure",)}, {"robot": "r2d2"}, {"fields": "region"}])
def test_bad_options_are_refused_in_one_line(options: dict) -> None:
    with pytest.raises(InputError) as raised:
        make_scene("bed_bathing", **options)
    assert "\n" not in str(raised.value)
