"""Upstream's Assistive Gym as a scene: its stand-ins, and, where it is installed, its tasks."""

from __future__ import annotations

import sys
from itertools import pairwise

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding

from scenes import make_scene
from scenes.care.assistive_gym import upstream
from scenes.care.assistive_gym.fork_bullet import ForkBullet
from scenes.care.assistive_gym.joint_limits import load_model
from scenes.care.assistive_gym.preferences import WASHED_RADIUS_M
from scenes.care.assistive_gym.stand_ins import importing_with, np_random, stand_ins
from scenes.care.world import p as stock
from scenes.errors import InputError
from tests.scenes.scene_cases import where_installed

with_upstream = pytest.mark.parametrize("name", [where_installed("assistive_gym")])
TASKS = ("ScratchItch", "BedBathing", "Feeding", "Drinking", "ArmManipulation")
every_task = pytest.mark.parametrize("task", [where_installed("assistive_gym", f"{t}Jaco-v1") for t in TASKS])


@pytest.fixture
def bullet():
    """The fork's stand-in with a client of its own: (module, client)."""
    module = ForkBullet()
    client = module.connect(module.DIRECT)
    yield module, client
    module.disconnect(physicsClientId=client)


def tree(module: ForkBullet, client: int, **limits) -> int:
    """A fixed base with two arms of two links each, given breadth first: Bullet numbers their joints depth first."""
    ball = module.createCollisionShape(module.GEOM_SPHERE, radius=0.02, physicsClientId=client)
    n = 4
    return module.createMultiBody(
        baseMass=0,
        baseCollisionShapeIndex=ball,
        linkMasses=[1.0] * n,
        linkCollisionShapeIndices=[ball] * n,
        linkVisualShapeIndices=[-1] * n,
        linkPositions=[[0.2, 0, 0], [-0.2, 0, 0], [0.2, 0, 0], [-0.2, 0, 0]],
        linkOrientations=[[0, 0, 0, 1]] * n,
        linkInertialFramePositions=[[0.1, 0, 0], [-0.1, 0, 0]] * 2,
        linkInertialFrameOrientations=[[0, 0, 0, 1]] * n,
        linkParentIndices=[0, 0, 1, 2],
        linkJointTypes=[module.JOINT_REVOLUTE] * n,
        linkJointAxis=[[0, 1, 0]] * n,
        physicsClientId=client,
        **limits,
    )


# -- the stand-ins, which need no upstream
def test_joint_limits_belong_to_the_link_they_were_given_for_and_stop_it(bullet) -> None:
    module, client = bullet
    low, high = [-0.1, -0.2, -0.3, -0.4], [0.1, 0.2, 0.3, 0.4]
    body = tree(module, client, linkLowerLimits=low, linkUpperLimits=high)
    told = [module.getJointInfo(body, joint, physicsClientId=client)[8:10] for joint in range(4)]
    assert told == [(-0.1, 0.1), (-0.3, 0.3), (-0.2, 0.2), (-0.4, 0.4)]
    module.setGravity(0, 0, -9.81, physicsClientId=client)
    for joint in range(4):
        module.setJointMotorControl2(body, joint, module.VELOCITY_CONTROL, force=0, physicsClientId=client)
    for _ in range(400):
        module.stepSimulation(physicsClientId=client)
    angles = [state[0] for state in module.getJointStates(body, range(4), physicsClientId=client)]
    assert np.allclose(np.abs(angles), [0.1, 0.3, 0.2, 0.4], atol=0.01)


def fall(own: dict[str, float], substeps: int, world: float = -9.81) -> dict[str, float]:
    """Heights after 0.4 s of three loose balls and two arms' tip, under ``world`` gravity but for their ``own``."""
    module = ForkBullet()
    client = module.connect(module.DIRECT)
    module.setPhysicsEngineParameter(numSubSteps=substeps, physicsClientId=client)
    module.setTimeStep(0.02, physicsClientId=client)
    ball = module.createCollisionShape(module.GEOM_SPHERE, radius=0.02, physicsClientId=client)
    last = module.createMultiBody(
        0.5, ball, batchPositions=[[x, 5, 0] for x in range(3)], physicsClientId=client
    )
    bodies = {f"ball {i}": last - 2 + i for i in range(3)} | {"tree": tree(module, client)}
    for joint in range(4):
        module.setJointMotorControl2(
            bodies["tree"], joint, module.VELOCITY_CONTROL, force=0, physicsClientId=client
        )
    module.setGravity(0, 0, world, physicsClientId=client)
    for name, gravity in own.items():
        module.setGravity(0, 0, gravity, body=bodies[name], physicsClientId=client)
    for _ in range(20):
        module.stepSimulation(physicsClientId=client)
    heights = {
        name: module.getBasePositionAndOrientation(body, physicsClientId=client)[0][2]
        for name, body in bodies.items()
        if name != "tree"
    }
    heights["tree"] = module.getLinkState(bodies["tree"], 1, physicsClientId=client)[0][2]
    module.disconnect(physicsClientId=client)
    return heights


@pytest.mark.parametrize("substeps", [1, 4])
def test_gravity_of_a_single_body_is_as_exact_as_the_engines(substeps: int) -> None:
    plain = fall({}, substeps)
    assert plain["ball 0"] == pytest.approx(-0.5 * 9.81 * 0.4**2, rel=0.06)
    for own in ({"ball 1": 0.0, "tree": 0.0}, {"ball 0": 0.0, "ball 1": 0.0, "ball 2": 0.0}):
        mixed = fall(own, substeps)
        for name, height in mixed.items():
            assert height == pytest.approx(0.0 if name in own else plain[name], abs=2e-6), name
    half = {"ball 2": -4.905, "tree": -4.905}
    mixed, plain = fall(half, substeps), fall({}, substeps, -4.905)
    assert [mixed[name] for name in half] == pytest.approx([plain[name] for name in half], abs=2e-6)


def test_a_client_opened_after_one_was_closed_keeps_its_number() -> None:
    module = ForkBullet()
    before, mine = stock.connect(stock.DIRECT), module.connect(module.DIRECT)
    stock.disconnect(physicsClientId=before)
    module.disconnect(physicsClientId=mine)
    again = module.connect(module.DIRECT)
    free = stock.connect(stock.DIRECT)
    stock.disconnect(physicsClientId=free)
    module.disconnect(physicsClientId=again)
    assert again == mine
    assert free == before, "a client that only held a number is still open"


def test_stand_ins_are_there_during_an_import_only() -> None:
    names = ("gym", "keras.models", "ray.tune.registry", "pybullet", "torch")
    before = {name: sys.modules.get(name) for name in names}
    entry_points: dict[str, str] = {}
    with importing_with(stand_ins(ForkBullet(), entry_points)):
        import gym
        from gym.envs.registration import register

        register(id="Task-v1", entry_point="module:Class", max_episode_steps=200)
        assert gym.spaces.Box(-1, 1, (2,)).shape == (2,)
        assert isinstance(sys.modules["pybullet"], ForkBullet)
    assert entry_points == {"Task-v1": "module:Class"}
    assert {name: sys.modules.get(name) for name in names} == before


def test_the_generator_is_gyms_of_old() -> None:
    (one, seed), (two, _) = np_random(5), np_random(5)
    assert seed == 5
    assert [one.randint(100) for _ in range(5)] == [two.randint(100) for _ in range(5)]


def test_the_joint_limit_network_is_the_files_dense_layers(tmp_path) -> None:
    h5py = pytest.importorskip("h5py", reason="upstream's joint limits are an HDF5 file: pip install h5py")
    rng, sizes = np.random.default_rng(1), (4, 8, 8, 8, 1)
    layers = [(rng.normal(size=s).astype("f4"), rng.normal(size=s[1]).astype("f4")) for s in pairwise(sizes)]
    x = angles = rng.uniform(0, 6, (20, 4)).astype("f4")
    for kernel, bias in layers[:-1]:
        x = np.tanh(x @ kernel + bias)
    layers[-1][1][:] = -np.median(x @ layers[-1][0])  # half of the poses are possible
    wanted = (x @ layers[-1][0] + layers[-1][1] > 0).astype(int)
    assert wanted.sum() == 10
    with h5py.File(tmp_path / "model.h5", "w") as file:
        root = file.create_group("model_weights")
        root.attrs["layer_names"] = [f"dense_{i}".encode() for i in range(4)]
        for i, (kernel, bias) in enumerate(layers):
            group = root.create_group(f"dense_{i}")
            names = [f"dense_{i}/kernel:0", f"dense_{i}/bias:0"]
            group.attrs["weight_names"] = [name.encode() for name in names]
            group[names[0]], group[names[1]] = kernel, bias
    assert np.array_equal(load_model(tmp_path / "model.h5").predict_classes(angles), wanted)


def test_without_h5py_the_joint_limits_name_the_command(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(InputError, match="pip install h5py"):
        load_model("model.h5").predict_classes(np.zeros((1, 4)))


def test_without_upstream_the_scene_names_the_command(monkeypatch) -> None:
    monkeypatch.setattr(upstream, "installed", lambda: False)
    monkeypatch.setattr("scenes.care.assistive_gym.scene.load", upstream.load.__wrapped__)
    with pytest.raises(InputError, match=r"pip install --no-deps .*assistive-gym"):
        make_scene("assistive_gym")


# -- upstream itself
def actions(scene, n: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-1, 1, (n, *scene.action_space.shape))


@pytest.mark.slow
@every_task
def test_every_task_plays_an_episode_to_its_end(task: str) -> None:
    scene = make_scene("assistive_gym", task=task, termination=0.05)
    observation, info = scene.reset(seed=3)
    done, steps, total = False, 0, 0.0
    rest = np.zeros(scene.action_space.shape)
    while not done:
        assert scene.observation_space.contains(observation)
        observation, reward, terminated, done, info = scene.step(rest)
        steps, total = steps + 1, total + reward
        assert not terminated
    assert steps == 200
    assert np.isfinite(total)
    assert info["session"] > 0
    assert not info["task_success"]
    scene.close()


@every_task
def test_the_same_seed_gives_the_same_episode_also_beside_other_clients(task: str) -> None:
    def play() -> list:
        trace = [scene.reset(seed=4)[0].tobytes(), scene.state_hash()]
        for action in actions(scene, 8):
            observation, reward, *_ = scene.step(action)
            trace += [observation.tobytes(), reward]
        return [*trace, scene.state_hash()]

    other = make_scene("scratch_itch")
    scene = make_scene("assistive_gym", task=task, termination=0.3)
    first = play()
    other.close()  # leaves a lower client number free
    scene.reset(seed=5)
    assert play() == first
    scene.close()


@every_task
def test_the_target_has_left_the_observation_and_privileged_has_it(task: str) -> None:
    scene = make_scene("assistive_gym", task=task)
    seen, shown = [], []
    for fraction in (0.2, 0.9):
        vector = np.full(scene.latent_space.size, 2 * fraction - 1)
        observation, _ = scene.reset(seed=1, options={"latent": scene.latent_space.from_vector(vector)})
        seen.append(observation)
        shown.append(scene.privileged().features)
        whole = scene.upstream._get_obs()
        gone = np.delete(np.arange(len(whole)), scene._shown)
        assert len(whole) - len(observation) == len(gone)
        assert np.allclose(whole[gone], shown[-1][: len(gone)], atol=1e-6)
    assert np.array_equal(*seen)
    assert np.abs(shown[0] - shown[1]).max() > 0.01
    scene.close()


@with_upstream
def test_apart_from_the_target_the_task_is_upstreams_own(name: str) -> None:
    scene = make_scene(name, termination=0.0)
    scene.reset(seed=7)
    rewards = [scene.step(action)[1] for action in actions(scene, 20)]

    bare = upstream.load().make("ScratchItchJaco-v1")
    scene.reset(seed=7)
    bare.set_seed(int(seeding.np_random(7)[0].integers(2**32)))
    bare.reset()
    bare.limb, bare.target_on_arm = scene.upstream.limb, scene.upstream.target_on_arm
    bare.update_targets()
    assert [bare.step(action)[1] for action in actions(scene, 20)] == rewards
    bare.disconnect()
    scene.close()


@with_upstream
def test_the_itch_lies_on_the_skin_and_moves_when_a_session_ends(name: str) -> None:
    scene = make_scene(name, termination=0.0)
    scene.reset(seed=0)
    env = scene.upstream
    for part, link, radii in (("upper_arm", 5, (0.043, 0.0355)), ("forearm", 7, (0.033, 0.027))):
        scene.override(f"{part}.ventral@0.7")
        assert env.limb == link
        assert np.hypot(*env.target_on_arm[:2]) == pytest.approx(radii[env.human.gender == "female"])
        place, _ = env.human.get_pos_orient(link)
        assert np.linalg.norm(env.target_pos - place) == pytest.approx(
            np.linalg.norm(env.target_on_arm), abs=1e-6
        )
    scene.close()


@with_upstream
def test_the_persons_joints_have_upstreams_limits(name: str) -> None:
    """Right elbow, forearm, left elbow and knee, of upstream's table (human_creation.py); Bullet orders them its own way."""
    scene = make_scene(name)
    scene.reset(seed=0)
    human = scene.upstream.human
    joints = [human.j_right_elbow, human.j_right_forearm, human.j_left_elbow, human.j_right_knee]
    limits = np.rad2deg([(human.lower_limits[j], human.upper_limits[j]) for j in joints])
    scale = human.limit_scale
    assert np.allclose(limits, [(-128 * scale, 0), (-90 * scale, 90 * scale), (-128 * scale, 0), (0, 130)])
    assert human.get_joint_angles([human.j_left_elbow])[0] == pytest.approx(
        np.deg2rad(max(-90, -128 * scale))
    )
    scene.close()


@with_upstream
def test_only_targets_about_the_spot_count_and_what_was_washed_stays_washed(name: str) -> None:
    scene = make_scene(name, task="BedBathingJaco-v1", termination=0.0)
    scene.reset(seed=0, options={"latent": "upper_arm.ventral@0.3"})
    env = scene.upstream
    near = [tuple(place) for place in env.targets_pos_on_upperarm]
    assert 5 < len(near) < env.total_target_count / 2
    assert env.targets_forearm == []
    assert max(np.linalg.norm(np.subtract(near, scene._preference._local), axis=1)) < WASHED_RADIUS_M
    env.targets_pos_on_upperarm, env.targets_upperarm = (
        env.targets_pos_on_upperarm[1:],
        env.targets_upperarm[1:],
    )
    scene.override("forearm.ventral@0.6")
    assert env.targets_upperarm == []
    assert len(env.targets_forearm) > 5
    scene.override("upper_arm.ventral@0.3")
    assert sorted(tuple(place) for place in env.targets_pos_on_upperarm) == sorted(near[1:])
    scene.close()


@with_upstream
def test_where_the_arm_shall_rest_changes_the_reward_and_not_the_next_start(name: str) -> None:
    scene = make_scene(name, task="ArmManipulationJaco-v1", termination=0.0)
    rest, rewards, hashes = np.zeros(scene.action_space.shape), [], []
    for along in (-0.1, 0.1):
        scene.reset(seed=2, options={"latent": {"across": 0.0, "along": along}})
        hashes.append(scene.state_hash())
        rewards.append(scene.step(rest)[1])
    assert hashes[0] == hashes[1]
    # Two distances, each half paid, to goals 0.2 m apart: at most 0.2 in all.
    assert 0.02 < abs(rewards[0] - rewards[1]) <= 0.2
    scene.close()


@with_upstream
def test_the_picture_shows_the_itch(name: str) -> None:
    scene = make_scene(name, task="ScratchItchJaco-v1", render_mode="rgb_array", termination=0.0)
    pictures = []
    for itch in ("upper_arm.dorsal@0.2", "forearm.dorsal@0.9"):
        scene.reset(seed=1, options={"latent": itch})
        pictures.append(scene.render())
    assert pictures[0].shape == (480, 640, 3)
    assert pictures[0].std() > 20
    changed = (pictures[0] != pictures[1]).any(-1)
    assert 4 < changed.sum() < 2000
    scene.close()


@pytest.mark.parametrize(
    ("task", "reason"),
    [
        where_installed("assistive_gym", "DressingJaco-v1", "its own fork"),
        where_installed("assistive_gym", "ScratchItchJacoMesh-v1", "body model"),
        where_installed("assistive_gym", "ScratchItchJaco-v0", "ScratchItchJaco-v1"),
    ],
)
def test_what_cannot_run_is_refused_in_one_line(task: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as refused:
        make_scene("assistive_gym", task=task)
    assert "\n" not in str(refused.value)


@with_upstream
def test_a_robot_whose_files_are_missing_is_refused_in_one_line(name: str, monkeypatch) -> None:
    scene = make_scene(name)
    bullet = upstream.load().bullet
    monkeypatch.setattr(scene.upstream, "directory", "/nowhere")
    with pytest.raises(InputError, match=r"ScratchItchJaco-v1 \(Cannot load URDF file\)"):
        scene.reset(seed=0)
    with pytest.raises(ResetNeeded):
        scene.step(np.zeros(7))
    assert bullet.getConnectionInfo(scene.upstream.id)["isConnected"]
    scene.close()


@with_upstream
def test_upstreams_active_person_steps_within_the_joint_limits(name: str) -> None:
    pytest.importorskip("h5py", reason="upstream's joint limits are an HDF5 file: pip install h5py")
    env = upstream.load().package.envs.ScratchItchJacoHumanEnv()
    env.set_seed(0)
    env.reset()
    for _ in range(3):
        _, reward, done, _ = env.step({"robot": np.zeros(7), "human": np.ones(10)})
    assert np.isfinite(reward["human"])
    assert not done["__all__"]
    assert env.human.limits_model.predict(np.zeros((2, 4))).shape == (2, 1)
    assert env.human.arm_previous_valid_pose[True] is not None
    env.disconnect()
