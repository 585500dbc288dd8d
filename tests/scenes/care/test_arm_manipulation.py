"""ArmManipulation: how the arm hangs, what a step costs, that the oracle lays it down, and that knowing m matters."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamite.acting import play
from policies.scripted.arm_manipulation import Oracle
from scenes import make_scene
from scenes.care.arm_manipulation import SORE_RADIUS_M, SUCCESS_SUM_M
from scenes.care.posture import MATTRESS_TOP_M
from scenes.latent import SurfacePoint

#: On the underside, where a scoop carries.
SORE = {part: SurfacePoint(part, 0.65, 1.5 * math.pi) for part in ("upper_arm", "forearm")}


@pytest.fixture(scope="module")
def scene():
    scene = make_scene("arm_manipulation", termination=0.0)
    yield scene
    scene.close()


@pytest.mark.parametrize("gender", ["male", "female"])
def test_the_arm_hangs_off_the_bed_straight_and_within_its_joints_limits(gender: str) -> None:
    scene = make_scene("arm_manipulation", gender=gender)
    scene.reset(seed=0)
    arm = scene.person.arm
    for joint, angle in zip(arm.chain.links, arm.angles_deg().values(), strict=True):
        assert math.degrees(joint.low) - 2.0 < angle < math.degrees(joint.high) + 2.0
    assert arm.angles_deg()["elbow"] > -10.0
    wrist = scene._arm_frames[2][0]
    assert wrist[2] < MATTRESS_TOP_M
    assert wrist[0] < -0.6  # the mattress ends at −0.36
    for _ in range(50):
        scene.step(np.zeros(scene.n_actions))
    assert math.dist(scene._arm_frames[2][0], wrist) < 0.01
    assert scene.sum_m < -1.2
    scene.close()


def test_an_arm_let_go_in_the_air_falls(scene) -> None:
    scene.reset(seed=0)
    arm = scene.person.arm
    raised = arm.pose.copy()
    raised[arm.names.index("shoulder_x")] = math.radians(-60.0)
    scene.world.set_joints(arm.body, arm.joints, raised)
    height = scene.world.link_frames(arm.body, [9])[0][0][2]
    scene.world.step(25)
    assert scene.world.link_frames(arm.body, [9])[0][0][2] < height - 0.3


def test_a_step_costs_what_upstreams_does_plus_soreness_and_too_much_force(scene) -> None:
    latent = {"sore": SurfacePoint("forearm", 0.45, 1.5 * math.pi), "tolerance": 32.0}
    sore = strong = 0
    oracle = Oracle(scene)
    told = {"sore": SORE["upper_arm"], "tolerance": 58.0}
    observation, _ = scene.reset(seed=1, options={"latent": told})
    for _ in range(120):
        action = oracle.act(observation, 0.0, scene.privileged()).action
        scene.override(latent)
        observation, reward, *_ = scene.step(action)
        scene.override(told)
        _, elbow, wrist = (np.array(frame[0]) for frame in scene._arm_frames)
        stomach, waist = (scene.person.frames[name][:3, 3] for name in ("waist", "hips"))
        away = np.linalg.norm(elbow - stomach) + np.linalg.norm(wrist - waist)
        tool = scene.tool_on_person_n
        expected = -0.5 * away - 0.5 * np.linalg.norm(elbow - scene._tip) - 0.01 * np.linalg.norm(action)
        expected -= (
            0.5 * scene._hand_speed
            + 0.01 * (scene.total_force_n - tool)
            + 0.02 * tool / max(scene._points, 1)
        )
        expected -= 0.1 * scene.sore_force_n + 0.05 * scene.total_force_n * (scene.total_force_n > 32.0)
        assert reward == pytest.approx(expected, abs=1e-6)
        sore, strong = sore + (scene.sore_force_n > 0), strong + (scene.total_force_n > 32.0)
    assert sore > 10
    assert strong > 10


@pytest.mark.parametrize(("controller", "least"), [("assistive_gym", 6), ("responsive", 5)])
def test_the_oracle_lays_the_arm_beside_the_body_gently(controller: str, least: int) -> None:
    scene = make_scene("arm_manipulation", controller=controller)
    done = 0
    for seed in range(6):
        forces = [frame.info["total_force_n"] for frame in play(scene, Oracle(scene), seed=seed) if frame.t]
        done += scene.best_sum_m >= SUCCESS_SUM_M
        assert np.percentile(forces, 95) < 60.0
        assert scene.sum_m > scene.best_sum_m - 0.1  # the arm does not spring back
    assert done >= least
    scene.close()


def test_an_edited_sore_spot_moves_at_once(scene) -> None:
    scene.reset(seed=0, options={"latent": {"sore": SORE["upper_arm"]}})
    before = scene.markers().itch
    scene.override({"sore": SORE["forearm"]})
    assert np.linalg.norm(scene.markers().itch - before) > 2 * SORE_RADIUS_M
    assert scene.privileged().features == pytest.approx(scene.to_base(scene.markers().itch))


def mean_return(scene, truth: dict, told: dict, seeds: range) -> float:
    """Of the oracle, which is told something else than what is true."""
    oracle, total = Oracle(scene), 0.0
    for seed in seeds:
        observation, _ = scene.reset(seed=seed, options={"latent": truth})
        oracle.reset(seed)
        for _ in range(scene.episode_length):
            scene.override(told)
            seen = scene.privileged()
            scene.override(truth)
            observation, reward, *_ = scene.step(oracle.act(observation, 0.0, seen).action)
            total += reward
    return total / len(seeds)


def test_the_oracle_that_knows_where_it_is_sore_beats_the_same_controller_told_another_place(scene) -> None:
    truth = {"sore": SORE["forearm"], "tolerance": 55.0}
    told = {"sore": SurfacePoint("forearm", 0.25, 1.5 * math.pi), "tolerance": 55.0}
    assert mean_return(scene, truth, truth, range(3)) > mean_return(scene, truth, told, range(3)) + 100


def test_the_oracle_that_knows_what_the_person_bears_beats_the_same_controller_told_otherwise(scene) -> None:
    for bears, told in ((32.0, 58.0), (58.0, 32.0)):
        truth = {"sore": SORE["upper_arm"], "tolerance": bears}
        right = mean_return(scene, truth, truth, range(2))
        assert right > mean_return(scene, truth, {**truth, "tolerance": told}, range(2)) + 25
