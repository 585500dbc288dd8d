"""The MuJoCo scenes: Gymnasium's physics, a latent that only the reward (or the wind) speaks of, VariBAD's rewards."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from scenes import make_scene
from scenes.errors import InputError
from scenes.registry import SCENES
from tests.scenes.scene_cases import where_installed

NAMES = [name for name, entry in SCENES.items() if entry.extra == "mujoco"]
CHEETAHS = [name for name in NAMES if name.startswith("half_cheetah")]
every_mujoco = pytest.mark.parametrize("name", [where_installed(name) for name in NAMES])
every_cheetah = pytest.mark.parametrize("name", [where_installed(name) for name in CHEETAHS])
reacher = pytest.mark.parametrize("name", [where_installed("reacher")])
windy = pytest.mark.parametrize("name", [where_installed("half_cheetah_wind_vel")])


def actions_for(scene, steps: int, seed: int = 0) -> np.ndarray:
    """(steps, A) float32, smooth enough to move somewhere."""
    rng = np.random.default_rng(seed)
    return np.clip(rng.normal(0.0, 0.7, (steps, scene.n_actions)), -1, 1).astype(np.float32)


# -- physics
@pytest.mark.parametrize(
    ("name", "gym_id"),
    [
        where_installed("reacher", "reacher", "Reacher-v5"),
        *(where_installed(name, name, "HalfCheetah-v5") for name in CHEETAHS),
    ],
)
def test_the_body_moves_as_gymnasiums_does(name: str, gym_id: str, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)  # Gymnasium's own loading leaves a MUJOCO_LOG.TXT
    scene = make_scene(name)
    calm = {"wind": 0.0} if "wind" in scene.latent_space.names else {}
    scene.reset(seed=3)
    scene.sessions.termination = scene.sessions.termination.__class__(0.0)
    scene.override(calm)
    original = gym.make(gym_id).unwrapped
    original.reset(seed=0)
    original.set_state(scene.data.qpos.copy(), scene.data.qvel.copy())
    for action in actions_for(scene, 60):
        scene.step(action)
        original.step(action)
        assert np.array_equal(scene.data.qpos, original.data.qpos)
        assert np.array_equal(scene.data.qvel, original.data.qvel)
    scene.close()
    original.close()


@every_mujoco
def test_a_reset_restores_the_whole_state_whatever_went_before(name: str) -> None:
    """1,200 steps from the same seed, hashed one by one: in a fresh scene, and after 700 other steps."""

    def hashes(scene) -> list[str]:
        scene.reset(seed=8)
        found = [scene.state_hash()]
        for action in actions_for(scene, 1200, seed=1):
            done = scene.step(action)[3]
            found.append(scene.state_hash())
            if done:
                scene.reset()
        return found

    fresh, used = make_scene(name), make_scene(name)
    used.reset(seed=77)
    for action in actions_for(used, 700, seed=2):
        if used.step(action)[3]:
            used.reset()
    first = hashes(fresh)
    assert len(set(first)) == len(first)
    assert hashes(used) == first
    fresh.close()
    used.close()


@every_mujoco
def test_loading_says_nothing_and_leaves_no_file(name: str, tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    make_scene(name).close()
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


# -- what is hidden
@pytest.mark.parametrize(
    "name", [where_installed(name) for name in ("reacher", "half_cheetah_dir", "half_cheetah_vel")]
)
def test_a_latent_of_the_reward_alone_never_shows_in_an_observation(name: str) -> None:
    """Bit for bit, over whole episodes with session ends, and through an override."""
    seen, felt = [], []
    for p_end in (0.0, 0.1):
        scene = make_scene(name, termination=p_end)
        observations, rewards = [scene.reset(seed=4)[0]], []
        for t, action in enumerate(actions_for(scene, 200)):
            if t == 100 and p_end > 0:
                scene.override(scene.latent_space.sample(np.random.default_rng(9)))
            observation, reward, *_ = scene.step(action)
            observations.append(observation)
            rewards.append(reward)
        seen.append(np.array(observations))
        felt.append(np.array(rewards))
        scene.close()
    assert np.array_equal(seen[0], seen[1])
    assert (felt[0] != felt[1]).sum() > 20


@reacher
def test_reachers_observation_holds_joints_and_fingertip(name: str) -> None:
    scene = make_scene(name)
    scene.reset(seed=1)
    for action in actions_for(scene, 20):
        observation = scene.step(action)[0]
    mujoco = pytest.importorskip("mujoco")
    mujoco.mj_forward(scene.model, scene.data)  # positions of the bodies, up to date
    angles = scene.data.qpos[:2]
    assert observation[:2] == pytest.approx(np.cos(angles), abs=1e-6)
    assert observation[2:4] == pytest.approx(np.sin(angles), abs=1e-6)
    assert observation[4:6] == pytest.approx(scene.data.qvel[:2], rel=1e-6)
    assert observation[6:] == pytest.approx(scene.data.body("fingertip").xpos[:2], abs=1e-6)
    scene.close()


@every_mujoco
def test_the_oracles_features_are_the_latent_in_its_units(name: str) -> None:
    scene = make_scene(name)
    scene.reset(seed=1)
    for _ in range(10):
        latent = scene.override(scene.latent_space.sample(np.random.default_rng(_)))
        features = scene.privileged().features
        assert features.shape == (scene.n_privileged,)
        if name == "half_cheetah_dir":
            assert features[0] == (1.0 if latent["direction"] == "forward" else -1.0)
        else:
            assert features[: len(latent)] == pytest.approx(list(latent.values()))
    scene.close()


# -- rewards
@reacher
def test_reachers_shaped_reward_is_distance_and_effort(name: str) -> None:
    scene = make_scene(name, termination=0.0)
    scene.reset(seed=2, options={"latent": {"goal_x": 0.1, "goal_y": -0.05}})
    mujoco = pytest.importorskip("mujoco")
    for action in actions_for(scene, 30):
        reward = scene.step(action)[1]
        mujoco.mj_forward(scene.model, scene.data)
        tip = scene.data.body("fingertip").xpos[:2]
        expected = -np.hypot(tip[0] - 0.1, tip[1] + 0.05) - 0.1 * np.sum(np.square(action, dtype=float))
        assert reward == pytest.approx(expected, abs=1e-9)
    scene.close()


@every_cheetah
def test_cheetahs_shaped_rewards_are_varibads(name: str) -> None:
    scene = make_scene(name, termination=0.0)
    for latent_seed in range(2):
        latent = scene.latent_space.sample(np.random.default_rng(latent_seed))
        scene.reset(seed=2, options={"latent": latent})
        for action in actions_for(scene, 30):
            before = scene.data.qpos[0]
            reward = scene.step(action)[1]
            speed = (scene.data.qpos[0] - before) / 0.05
            if name == "half_cheetah_dir":
                run = speed if latent["direction"] == "forward" else -speed
            else:
                run = -abs(speed - latent["velocity"])
            assert reward == pytest.approx(run - 0.05 * np.sum(np.square(action, dtype=float)), abs=1e-9)
    scene.close()


@pytest.mark.parametrize(
    ("name", "on_target"),
    [
        where_installed("reacher", "reacher", lambda shaped, effort: shaped + 0.1 * effort >= -0.05),
        where_installed("half_cheetah_dir", "half_cheetah_dir", lambda shaped, effort: shaped + 0.05 * effort >= 1),
        *(
            where_installed(name, name, lambda shaped, effort: shaped + 0.05 * effort >= -0.3)
            for name in ("half_cheetah_vel", "half_cheetah_wind_vel")
        ),
    ],
)  # fmt: skip
def test_the_sparse_reward_is_one_where_the_shaped_one_is_good(name: str, on_target) -> None:
    shaped, sparse = make_scene(name), make_scene(name, reward="sparse")
    paid, total = 0, 0
    for seed in range(10):
        shaped.reset(seed=seed)
        sparse.reset(seed=seed)
        for action in actions_for(shaped, 200, seed):
            effort = float(np.sum(np.square(action, dtype=float)))
            reward = sparse.step(action)[1]
            assert reward == float(on_target(shaped.step(action)[1], effort))
            paid, total = paid + reward, total + 1
        assert sparse.on_target_steps == shaped.on_target_steps
    assert 0 < paid < total / 2
    shaped.close()
    sparse.close()


@reacher
def test_success_is_half_an_episode_on_target(name: str) -> None:
    scene = make_scene(name, termination=0.0)
    scene.reset(seed=0)
    scene.data.qpos[:2], scene.data.qvel[:2] = (0.0, 2.0), 0.0  # nothing moves an arm at rest
    tip = {"goal_x": 0.1 + 0.11 * np.cos(2.0), "goal_y": 0.11 * np.sin(2.0)}
    away = {"goal_x": -0.1, "goal_y": -0.1}
    scene.override(away)
    successful = []
    for t in range(200):
        if t in (20, 80, 100):
            scene.override(away if t == 80 else tip)
        info = scene.step(np.zeros(2))[4]
        successful.append(info["task_success"])
    assert info["on_target_steps"] == 60 + 100
    assert successful.index(True) == 100 + 40 - 1  # its hundredth step on target
    assert all(successful[139:])
    scene.close()


# -- sessions
@pytest.mark.parametrize("name", [where_installed("half_cheetah_dir")])
def test_the_wanted_direction_turns_at_every_sessions_end(name: str) -> None:
    scene = make_scene(name)
    scene.reset(seed=0)
    turns = 0
    for action in actions_for(scene, 200):
        before = scene.sessions.latent["direction"]
        ended = scene.step(action)[4]["session_ended"]
        assert (scene.sessions.latent["direction"] != before) == ended
        turns += ended
    assert turns > 0
    scene.close()


@pytest.mark.parametrize(
    ("name", "field", "deviation"),
    [
        where_installed("reacher", "reacher", "goal_x", 0.07),
        where_installed("half_cheetah_vel", "half_cheetah_vel", "velocity", 0.75),
        where_installed("half_cheetah_wind_vel", "half_cheetah_wind_vel", "wind", 5.0),
    ],
)
def test_numbers_drift_by_a_quarter_of_their_range(name: str, field: str, deviation: float) -> None:
    scene = make_scene(name, termination=1.0)
    entry = scene.latent_space[field]
    middle = (entry.low + entry.high) / 2
    steps = []
    for seed in range(20):
        scene.reset(seed=seed)
        for _ in range(100):
            before = scene.sessions.latent[field]
            scene.step(np.zeros(scene.n_actions))
            after = scene.sessions.latent[field]
            assert entry.low <= after <= entry.high
            if abs(before - middle) < 0.05 * (
                entry.high - entry.low
            ):  # far from the ends nothing is reflected
                steps.append(after - before)
    assert len(steps) > 100
    assert np.std(steps) == pytest.approx(deviation, rel=0.2)
    assert abs(np.mean(steps)) < 4 * deviation / np.sqrt(len(steps))
    scene.close()


# -- wind
def momentum(scene) -> float:
    """Of the whole body along the track, kg·m/s."""
    mujoco = pytest.importorskip("mujoco")
    mujoco.mj_forward(scene.model, scene.data)
    mujoco.mj_subtreeVel(scene.model, scene.data)
    return float(scene.data.subtree_linvel[1, 0] * scene.model.body_subtreemass[1])


@windy
@pytest.mark.parametrize("wind", [-10.0, 4.0, 10.0])
def test_in_the_air_the_wind_gives_its_force_in_momentum(name: str, wind: float) -> None:
    scene = make_scene(name, termination=0.0)
    scene.reset(seed=0, options={"latent": {"velocity": 1.0, "wind": wind}})
    scene.data.qpos[1] = 5.0  # nothing else pushes along the track up here
    before = momentum(scene)
    for _ in range(10):
        scene.step(np.zeros(6))
    assert momentum(scene) - before == pytest.approx(wind * 10 * 0.05, rel=0.02)
    scene.close()


@windy
def test_the_wind_carries_a_moving_body_along_the_ground(name: str) -> None:
    reached = {}
    for wind in (-10.0, 0.0, 10.0):
        ends = []
        for seed in range(8):
            scene = make_scene(name, termination=0.0)
            scene.reset(seed=seed, options={"latent": {"velocity": 1.0, "wind": wind}})
            for action in actions_for(scene, 200, seed):
                scene.step(action)
            ends.append(scene.data.qpos[0])
            scene.close()
        reached[wind] = np.mean(ends)
    assert reached[-10.0] + 1.0 < reached[0.0] < reached[10.0] - 1.0


@windy
def test_a_wind_set_in_mid_episode_blows_from_then_on_and_not_into_the_next_episode(name: str) -> None:
    scene = make_scene(name, termination=0.0)
    for change in (None, 10.0):
        scene.reset(seed=1, options={"latent": {"velocity": 1.0, "wind": 0.0}})
        hashes = []
        for t, action in enumerate(actions_for(scene, 20)):
            if t == 10 and change is not None:
                scene.override({"wind": change})
            scene.step(action)
            hashes.append(scene.state_hash())
        if change is None:
            calm = hashes
    assert hashes[:10] == calm[:10]
    assert not set(hashes[10:]) & set(calm[10:])
    scene.reset(seed=1, options={"latent": {"velocity": 1.0, "wind": 0.0}})
    for t, action in enumerate(actions_for(scene, 20)):
        scene.step(action)
        assert scene.state_hash() == calm[t]
    scene.close()


# -- mistakes, and a missing MuJoCo
@every_mujoco
@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"reward": "dense"}, "shaped or sparse"),
        ({"render_mode": "human"}, "None or rgb_array"),
        ({"termination": 2.0}, "probability"),
        ({"speed": 3}, "reward, termination, kernel, render_mode"),
    ],
)
def test_wrong_options_are_named_in_one_line(name: str, options: dict, named: str) -> None:
    with pytest.raises(InputError) as raised:
        make_scene(name, **options)
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)


@every_mujoco
def test_a_step_before_the_first_reset_is_refused(name: str) -> None:
    with pytest.raises(gym.error.ResetNeeded):
        make_scene(name).step(np.zeros(2))


def test_without_mujoco_everything_else_works_and_the_scenes_name_the_command() -> None:
    script = (
        "import sys; sys.modules['mujoco'] = None\n"
        "from scenes import SCENES, make_scene\n"
        "from scenes.errors import InputError\n"
        "make_scene('gridworld').reset(seed=0)\n"
        "for name, entry in SCENES.items():\n"
        "    entry.load()\n"
        "    try: make_scene(name) if entry.extra == 'mujoco' else None\n"
        "    except InputError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stderr == ""
    lines = said.stdout.splitlines()
    assert len(lines) == len(NAMES)
    for name, line in zip(NAMES, lines, strict=True):
        assert line.startswith(f"scene {name}: ")
        assert 'pip install "dynamite-care[mujoco]"' in line
