"""Dressing: upstream's constants, the arm inside the sleeve, what the hidden person changes, the oracle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dynamite.acting import play
from policies.scripted.dressing import Oracle
from scenes import make_scene
from scenes.base import Privileged
from scenes.care import dressing
from scenes.care.sleeve import AROUND, FRAMES, N_RINGS
from scenes.latent import wrap_angle
from scenes.skinning import skin


@pytest.fixture
def scene():
    scene = make_scene("dressing", termination=0.0)
    yield scene
    scene.close()


def returns(scene, policy, seed: int, latent: dict[str, Any]) -> tuple[float, list]:
    frames = list(play(scene, policy, seed=seed, options={"latent": latent}))
    return sum(frame.reward for frame in frames), frames


def threaded(scene) -> int:
    """How many rings of the sleeve the arm passes through, in the direction from hand to shoulder."""
    shoulder, elbow, wrist = (np.array(frame[0]) for frame in scene._arm_frames)
    tip = wrist + 0.12 * (wrist - elbow) / np.linalg.norm(wrist - elbow)
    count = 0
    for ring in scene.net.points.reshape(N_RINGS, AROUND, 3):
        centre = ring.mean(0)
        axis = np.cross(ring - centre, np.roll(ring, -1, 0) - centre).sum(0)
        for start, end in ((tip, wrist), (wrist, elbow), (elbow, shoulder)):
            rate = float((end - start) @ axis)
            share = float((centre - start) @ axis) / rate
            if rate > 0 and 0 <= share <= 1:
                off = np.linalg.norm(start + share * (end - start) - centre)
                count += bool(off < np.linalg.norm(ring - centre, axis=1).max())
                break
    return count


def test_the_arm_is_held_out_as_upstream_holds_it_and_the_sleeve_hangs_free(scene) -> None:
    for seed in range(8):
        observation, _ = scene.reset(seed=seed)
        shoulder, elbow, wrist = (np.array(frame[0]) for frame in scene._arm_frames)
        upper, fore = shoulder - elbow, wrist - elbow
        assert abs(upper @ fore) < 0.02 * np.linalg.norm(upper) * np.linalg.norm(fore)  # elbow at 90°
        assert fore[1] < 0 < fore[2]  # forwards and up
        assert observation[-1] == 0
        assert threaded(scene) == 0
        assert scene._progress() < 0
        points = scene.net.points.reshape(N_RINGS, AROUND, 3).mean(1)
        assert points[0, 2] - points[-1, 2] > 0.1  # the cuff hangs below the opening


def test_the_arm_ends_up_inside_every_ring_and_feels_the_sleeve(scene) -> None:
    oracle = Oracle(scene)
    _, frames = returns(scene, oracle, 2, {"sore": "forearm.ventral@0.5", "pace": 0.25})
    assert frames[-1].info["drawn_m"] > 0.5
    assert threaded(scene) == N_RINGS
    forces = np.array([frame.info["sleeve_force_n"] for frame in frames])
    assert 0.5 < forces[100:].mean() < 15


def test_no_point_of_the_sleeve_is_inside_the_arm_it_is_drawn_over(scene) -> None:
    oracle = Oracle(scene)
    deepest = 0.0
    for _ in play(scene, oracle, seed=3, options={"latent": {"pace": 0.25}}):
        n = scene._n_moving
        starts, ends = scene._starts_now[:n], scene._ends_now[:n]
        along = scene.net.points[AROUND:, None] - starts
        axes = ends - starts
        share = np.clip(np.einsum("fcj,cj->fc", along, axes) / np.maximum((axes**2).sum(1), 1e-9), 0, 1)
        distance = np.linalg.norm(along - share[:, :, None] * axes, axis=2)
        deepest = max(deepest, float((scene._radii[:n] - distance).max()))
    assert deepest < 0.012


def test_progress_is_upstreams_measure(scene) -> None:
    """Minus the distance before the hand, the distance from its end on the forearm, forearm and rest on the upper arm."""
    scene.reset(seed=0)
    shoulder, elbow, wrist = (np.array(frame[0]) for frame in scene._arm_frames)
    out = (wrist - elbow) / np.linalg.norm(wrist - elbow)
    size = scene.person.size
    hand_end = wrist + 2 * size.hand_r * out

    def hoop(centre: np.ndarray, axis: np.ndarray) -> float:
        side = np.cross(axis, [0.3, 0.9, 0.1])
        side /= np.linalg.norm(side)
        matrix = np.column_stack([side, np.cross(axis, side), axis])
        scene._tip, scene._tool_frame = tuple(centre), (centre, dressing_quaternion(matrix))
        return scene._progress()

    assert hoop(hand_end + 0.1 * out, -out) == pytest.approx(-0.1, abs=1e-6)
    assert hoop(hand_end - 0.15 * out, -out) == pytest.approx(0.15, abs=1e-6)
    assert hoop(hand_end - 0.15 * out, out) < 0  # the wrong way round does not count
    assert hoop(hand_end - 0.15 * out + [0.12, 0, 0], -out) < 0  # beside the arm
    up = (shoulder - elbow) / np.linalg.norm(shoulder - elbow)
    forearm = np.linalg.norm(hand_end - elbow) + size.upper_arm_r
    assert hoop(elbow + 0.1 * up, up) == pytest.approx(forearm + 0.1, abs=1e-6)


def dressing_quaternion(matrix: np.ndarray) -> np.ndarray:
    from scenes.care.chain import quaternion_from_matrix

    return np.array(quaternion_from_matrix(matrix))


def test_pace_tolerance_and_soreness_each_cost_what_is_documented() -> None:
    scene = make_scene("dressing", fields=("sore", "pace", "tolerance"), termination=0.0)
    scene.reset(seed=0)
    scene.step(np.full(6, 0.6))
    action = np.zeros(6)

    def reward(pace: float, tolerance: float, sore_n: float) -> float:
        scene.override({"pace": pace, "tolerance": tolerance})
        scene.total_force_n, scene.sore_force_n = 4.0, sore_n
        scene._last_tip = np.array(scene._tip) - [0.02, 0, 0]  # 0.2 m/s
        return scene._reward(action)[0]

    plain = reward(0.25, 5.0, 0.0)
    assert plain - reward(0.15, 5.0, 0.0) == pytest.approx(0.05 * dressing.PACE_COST)
    assert plain - reward(0.25, 3.0, 0.0) == pytest.approx(1.0 * dressing.TOLERANCE_COST)
    assert plain - reward(0.25, 5.0, 2.0) == pytest.approx(2.0 * dressing.SORE_COST)
    scene._last_tip = np.array(scene._tip)  # at rest a sore spot does not hurt
    still = scene._reward(action)[0]
    scene._last_tip, scene.sore_force_n = np.array(scene._tip), 0.0
    assert scene._reward(action)[0] == pytest.approx(still)
    scene.close()


def test_success_is_four_tenths_of_a_metre(scene) -> None:
    oracle = Oracle(scene)
    for frame in play(scene, oracle, seed=5, options={"latent": {"pace": 0.25}}):
        assert frame.info["task_success"] == (frame.info["drawn_m"] >= 0.4)
    assert frame.info["task_success"]


def test_full_motors_do_not_prise_a_jammed_hoop_through_the_forearm() -> None:
    """These actions jam the hoop on the forearm; by the usual iterations the wire crossed the limb, 83 mm deep."""
    scene = make_scene("dressing", controller="responsive", termination=0.0)
    scene.reset(seed=9)
    deepest = 0.0
    for _ in range(30):
        scene.step(np.array([-1.0, -1.0, 1.0, -1.0, -1.0, 1.0]))
        deepest = max(deepest, scene.world.deepest_overlap(scene.arm))
    assert dressing.JAMMED_M < deepest < 0.02  # the wire is at the forearm's axis 39 mm deep
    scene.close()


class Misled:
    """The same controller, told another person than the one that is there."""

    needs_privileged = True
    name = "misled"

    def __init__(self, scene, believed: dict[str, Any]) -> None:
        self._oracle, self._scene = Oracle(scene), scene
        self._believed = scene.latent_space.validate(believed)

    def reset(self, seed: int) -> None:
        self._oracle.reset(seed)

    def act(self, observation, reward, privileged):
        scene = self._scene
        true = scene.sessions.latent
        scene.sessions.latent = self._believed
        scene._latent_changed()
        features = scene._privileged_features()
        scene.sessions.latent = true
        scene._latent_changed()
        return self._oracle.act(observation, reward, Privileged(self._believed, privileged.vector, features))


@pytest.mark.parametrize(("true", "believed", "margin"), [(0.07, 0.25, 10.0), (0.25, 0.07, 15.0)])
def test_knowing_the_pace_beats_the_same_controller_misled(scene, true, believed, margin) -> None:
    sore = "upper_arm.dorsal@0.1"
    gained = [
        returns(scene, Oracle(scene), seed, {"sore": sore, "pace": true})[0]
        - returns(scene, Misled(scene, {"sore": sore, "pace": believed}), seed, {"sore": sore, "pace": true})[
            0
        ]
        for seed in range(3)
    ]
    assert np.mean(gained) > margin


def test_knowing_the_sore_spot_beats_the_same_controller_misled_to_the_other_side(scene) -> None:
    gained = []
    for seed in range(5):
        latent = scene.latent_space.sample(np.random.default_rng(seed))
        sore = latent["sore"]
        other = {**latent, "sore": replace(sore, angle=wrap_angle(sore.angle + np.pi))}
        gained.append(
            returns(scene, Oracle(scene), seed, latent)[0]
            - returns(scene, Misled(scene, other), seed, latent)[0]
        )
    assert np.mean(gained) > 8.0


def test_the_oracle_draws_the_sleeve_past_the_elbow_in_nine_of_ten_episodes() -> None:
    scene = make_scene("dressing")
    oracle = Oracle(scene)
    drawn = []
    for seed in range(10):
        drawn.append(list(play(scene, oracle, seed=100 + seed))[-1].info["task_success"])
    assert sum(drawn) >= 9
    scene.close()


def test_the_cloth_is_drawn_where_its_points_are(scene) -> None:
    """The skin of the sleeve passes within millimetres of every free point, bent as the arm bends it."""
    oracle = Oracle(scene)
    for frame in play(scene, oracle, seed=1, options={"latent": {"pace": 0.25}}):
        if frame.t == 60:
            break
    model = scene.visual_model()
    first = model.frames.index(FRAMES[0])
    assert model.frames[first : first + len(FRAMES)] == FRAMES
    cloth = (model.weights * (model.bones >= first)).sum(1) > 0.99
    vertices = skin(model, scene.poses())[cloth]
    for point in scene.net.points[AROUND:]:
        assert np.linalg.norm(vertices - point, axis=1).min() < 0.004


def raycasting(vertices: np.ndarray, faces: np.ndarray):
    import open3d

    scene = open3d.t.geometry.RaycastingScene()
    scene.add_triangles(vertices, faces.astype(np.uint32))
    return scene


def test_no_skin_shows_through_the_sleeve(scene) -> None:
    """From no camera is skin seen that the cloth should cover: the way out to it from the arm's axis meets cloth first."""
    oracle = Oracle(scene)
    scene.reset(seed=0)
    model = scene.visual_model()
    first = model.frames.index(FRAMES[0])
    cloth = (model.weights * (model.bones >= first)).sum(1) > 0
    arm = [model.frames.index(f"person/{part}") for part in ("upper_arm", "forearm", "hand")]
    skinned = (model.weights * np.isin(model.bones, arm)).sum(1) > 0.5
    on_cloth, on_arm = cloth[model.faces].all(1), skinned[model.faces].all(1)
    covered = 0
    for frame in play(scene, oracle, seed=3, options={"latent": {"pace": 0.25}}):
        if frame.t == 71:
            break
        if frame.t not in (50, 60, 70):
            continue
        poses = scene.poses()
        vertices = skin(model, poses).astype(np.float32)
        shoulder, elbow, wrist = poses[arm, :3]
        middles = vertices[model.faces[on_arm]].mean(1)
        on_axes = np.stack([on_line(middles, shoulder, elbow), on_line(middles, elbow, wrist)])
        nearest = np.linalg.norm(middles - on_axes, axis=2).argmin(0)
        axis = on_axes[nearest, np.arange(len(middles))]
        length = np.linalg.norm(middles - axis, axis=1)
        rays = np.concatenate([axis, (middles - axis) / length[:, None]], 1).astype(np.float32)
        to_cloth = raycasting(vertices, model.faces[on_cloth]).cast_rays(rays)["t_hit"].numpy()
        beyond_wrist = np.linalg.norm(middles - wrist, axis=1) < 0.05  # the hand has an axis of its own
        covered = int((np.isfinite(to_cloth) & ~beyond_wrist).sum())
        bare = np.zeros(len(model.faces), bool)
        bare[on_arm] = (to_cloth < length) & (length < 0.09) & ~beyond_wrist
        whole = raycasting(vertices, model.faces)
        for camera in scene.cameras():
            view = whole.create_rays_pinhole(50.0, camera.target, camera.eye, (0.0, 0.0, 1.0), 960, 720)
            seen = whole.cast_rays(view)["primitive_ids"].numpy().ravel()
            assert not bare[seen[seen < len(bare)]].any(), (frame.t, camera.name)
    assert covered > 500


def on_line(points: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(P, 3) the points of a line from ``start`` to ``end`` nearest to ``points`` (P, 3)."""
    way = end - start
    return start + np.clip((points - start) @ way / (way @ way), 0, 1)[:, None] * way
