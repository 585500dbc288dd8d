"""The robots: numbers as in the makers' descriptions, starts that touch nothing, arms that do the work."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from dynamite.acting import play
from policies.scripted.arm_manipulation import Oracle as Lifter
from policies.scripted.bed_bathing import Oracle as Bather
from policies.scripted.feeding import Oracle as Feeder
from policies.scripted.scratch_itch import Oracle
from policies.scripted.steering import Steering, Weights, full_speeds
from scenes import list_scenes, make_scene
from scenes.care.chain import Chain, Kinematics
from scenes.care.person_mesh import ASSETS
from scenes.care.place import PLACES
from scenes.care.robots import ROBOTS, find_robot, robots_at
from scenes.care.scene import CareScene
from scenes.care.start import FREE_RAD
from scenes.care.tools.scratcher import SCRATCHER
from scenes.care.world import World
from scenes.errors import InputError
from scenes.registry import SCENES, find_scene

#: Poses of the last link as pinocchio or MuJoCo computed them from the maker's file (``bake/arms.py --poses``).
POSES = json.loads((Path(__file__).parent / "robot_poses.json").read_text())

CARE = [
    (name, robot)
    for name in list_scenes()
    if SCENES[name].installed and issubclass(find_scene(name).load(), CareScene)
    for robot in robots_at(find_scene(name).load().place)
]

#: A scene in each place.
IN_PLACE = {
    "wheelchair": "scratch_itch",
    "wheelchair_face": "feeding",
    "bed": "bed_bathing",
    "bed_head": "arm_manipulation",
}


def arm(name: str) -> Kinematics:
    """The bare arm of a robot, its base at the origin."""
    links = ROBOTS[name].links
    return Kinematics(Chain(name, links), np.eye(4), (links[-1].name, (0.0, 0.0, 0.0)))


@pytest.mark.parametrize("name", POSES)
def test_forward_kinematics_are_those_of_the_makers_file(name: str) -> None:
    for pose in POSES[name]["poses"]:
        # Stretch's rolling base is no joint of its file
        q = np.array([0.0] * (name == "stretch") + pose["q"])
        position, rotation, _ = arm(name).forward(q)
        np.testing.assert_allclose(position, pose["position"], atol=1e-8)
        np.testing.assert_allclose(rotation, pose["rotation"], atol=1e-8)


@pytest.mark.parametrize("name", ROBOTS)
def test_the_jacobian_is_the_derivative_of_position_and_rotation(name: str) -> None:
    kinematics = arm(name)
    low, high = kinematics.chain.limits
    q = np.random.default_rng(0).uniform(np.maximum(low, -3), np.minimum(high, 3))
    position, rotation, jacobian = kinematics.forward(q)
    for k in range(len(q)):
        near = q.copy()
        near[k] += 1e-6
        there, turned, _ = kinematics.forward(near)
        np.testing.assert_allclose((there - position) / 1e-6, jacobian[:3, k], atol=1e-5)
        spin = (turned - rotation) @ rotation.T / 1e-6
        np.testing.assert_allclose([spin[2, 1], spin[0, 2], spin[1, 0]], jacobian[3:, k], atol=1e-5)


@pytest.mark.parametrize("name", ROBOTS)
def test_bullet_moves_the_arm_as_the_kinematics_say(name: str) -> None:
    """Revolute and sliding joints alike: the tool is where forward kinematics put it."""
    robot = ROBOTS[name]
    chain, base = robot.chain(name, SCRATCHER), next(iter(robot.mounts.values())).pose
    world = World(0.02, 20)
    try:
        body = world.add_chain(chain, base)
        low, high = chain.limits
        rng = np.random.default_rng(1)
        for _ in range(3):
            q = rng.uniform(np.maximum(low, -3), np.minimum(high, 3))
            world.set_joints(body, list(chain.movable), q)
            ((at, _),) = world.link_frames(body, [chain.index("tool")])
            expected, _, _ = Kinematics(chain, base, ("tool", (0.0, 0.0, 0.0))).forward(q)
            np.testing.assert_allclose(at, expected, atol=1e-6)
    finally:
        world.close()


@pytest.mark.parametrize("name", POSES)
def test_the_arm_weighs_what_its_maker_says(name: str) -> None:
    """All that the first joint moves, as pinocchio or MuJoCo sums it up."""
    links = ROBOTS[name].links
    mass = sum(link.mass for link in links)
    if name == "stretch":  # the rolling base is no joint of its file
        mass -= links[0].mass
    if name == "jaco7":  # the file leaves its hand out; Kinova's own has 0.99 kg on the last link
        mass -= links[-1].mass
    assert mass == pytest.approx(POSES[name]["mass"], abs=1e-3)


@pytest.mark.parametrize("name", ROBOTS)
def test_a_table_entry_is_whole(name: str) -> None:
    robot = ROBOTS[name]
    low, high = Chain(name, robot.links).limits
    assert (low < high).all()
    assert robot.n_joints == len(robot.links) in (6, 7)
    assert set(robot.mounts) <= set(PLACES)
    for start in (robot.start, *robot.seeds, *(m.start for m in robot.mounts.values() if m.start)):
        assert len(start) == robot.n_joints
        assert (low - 0.01 <= start).all()
        assert (start <= high + 0.01).all()
    for link in robot.links:
        a, b, c = sorted(link.inertia)
        assert a > 0
        assert c <= a + b + 1e-9, f"{link.name}: no body has these moments"
        assert link.shapes
        assert np.linalg.norm(link.axis) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("name", ROBOTS)
def test_looks_are_small_and_come_with_their_licence(name: str) -> None:
    source = ROBOTS[name].source
    assert (ASSETS / f"{name}.npz").stat().st_size <= 300_000
    text = (ASSETS / source.text).read_text()
    assert "npz is derived from" in text or "Apache License" in text
    assert any(word in source.licence for word in ("BSD", "Apache"))


@pytest.mark.parametrize("name", [n for n in ROBOTS if n not in ("jaco", "panda")])
def test_collision_shapes_lie_where_the_robot_is_drawn(name: str) -> None:
    """All but the tips of a link's look lie within 7 cm of its shapes."""
    with np.load(ASSETS / f"{name}.npz") as data:
        links, owner, points = [str(n) for n in data["links"]], data["link"], data["vertices"].astype(float)
        if "share" in data.files:  # tubes that belong to two links
            points = points[data["share"] == 0]
            owner = owner[data["share"] == 0]
    for link in ROBOTS[name].links:
        mine = points[owner == links.index(link.name)]
        off = np.min([_outside(mine, shape) for shape in link.shapes], axis=0)
        assert np.quantile(off, 0.95) < 0.07, link.name


def _outside(points: np.ndarray, shape) -> np.ndarray:
    """Distance (N,) of points from a shape, negative inside a capsule."""
    a = np.array(shape.a)
    if shape.box is not None:
        return np.linalg.norm(np.maximum(np.abs(points - a) - np.array(shape.box) / 2, 0), axis=1)
    along = np.array(shape.b) - a
    t = np.clip((points - a) @ along / max(float(along @ along), 1e-12), 0, 1)
    return np.linalg.norm(points - a - t[:, None] * along, axis=1) - shape.radius


def test_a_sliding_joint_moves_a_lever_where_a_turning_one_moves_a_radian() -> None:
    scene = make_scene("scratch_itch", robot="stretch", controller="responsive")
    scene.reset(seed=0)
    start = scene._angles.copy()
    for _ in range(10):
        scene.step(np.array([1.0, 0.5, 0, 0, 0, 0]))
    moved = scene._angles - start
    # 0.1 rad a step × 0.2 m/rad × 10 steps, less what the motors lag behind
    assert 0.12 < moved[0] < 0.205
    assert 0.06 < moved[1] < 0.105
    assert np.abs(moved[2:]).max() < 0.02
    scene.close()


@pytest.mark.parametrize(("name", "robot"), CARE)
def test_every_start_is_where_it_should_be_and_touches_nothing(name: str, robot: str) -> None:
    scene = make_scene(name, robot=robot)
    own = {body for body, box in scene.furniture.items() if box in scene._own}
    for seed in range(10):
        scene.reset(seed=seed)
        off = np.abs(np.array(scene._tip) - scene.start_tip[0])
        assert off.max() < scene.start_spread + 1e-3
        for body in (*scene.person.bodies, *scene.furniture):
            first = scene.robot.inside if body in own else -1
            assert scene.world.closest_distance(scene.arm, body, 0.05, first) > 0.0, scene.furniture.get(
                body, "person"
            )
    scene.close()


@pytest.mark.parametrize(
    ("place", "robot"), [(p, r) for p in ("wheelchair", "wheelchair_face", "bed") for r in robots_at(p)]
)
def test_what_of_a_robot_stands_still_stands_clear(place: str, robot: str) -> None:
    """Torso, pedestal and second arm overlap neither the person nor their chair or bed."""
    scene = make_scene(IN_PLACE[place], robot=robot)
    if scene.robot.mounts[place].stand == "place":
        scene.close()
        pytest.skip("it stands on the furniture")
    scene.reset(seed=0)
    own = {body for body, box in scene.furniture.items() if box in scene._own}
    for mine in own:
        for body in {*scene.person.bodies, *scene.furniture} - own:
            assert scene.world.closest_distance(mine, body, 0.05) > 0.0, (scene.furniture[mine], body)
    scene.close()


@pytest.mark.parametrize("robot", ROBOTS)
def test_the_oracle_scratches_with_every_robot(robot: str) -> None:
    scratches = []
    scene = make_scene("scratch_itch", robot=robot, controller="responsive")
    for seed in range(3):
        *_, last = play(scene, Oracle(scene), seed=seed)
        scratches.append(last.info["scratches"])
    print(f"{robot}: scratches {scratches}, successes {sum(s >= 25 for s in scratches)} of {len(scratches)}")
    assert sum(scratches) > 25
    scene.close()


def test_an_arm_does_not_pass_through_its_own_robots_torso() -> None:
    """Driven at Baxter's trunk for eight seconds, the hand stays outside it."""
    scene = make_scene("scratch_itch", robot="baxter", controller="responsive")
    scene.reset(seed=0)
    torso = next(body for body, box in scene.furniture.items() if box == "torso")
    inwards = np.array([1.0, -1.0, 1.0, 1.0, 0.0, 1.0, 0.0])
    depth = math.inf
    for _ in range(80):
        scene.step(inwards)
        depth = min(depth, scene.world.closest_distance(scene.arm, torso, 0.5, scene.robot.inside))
    assert depth > -0.02
    scene.close()


@pytest.mark.parametrize("name", ["r2d2", "", None])
def test_an_unknown_robot_is_refused_in_one_line(name) -> None:
    with pytest.raises(InputError, match="jaco7") as raised:
        find_robot(name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("name", "robot"), [(n, r) for n, r in CARE if n in ("feeding", "drinking")])
def test_no_joint_starts_at_its_limit_before_a_mouth(name: str, robot: str) -> None:
    scene = make_scene(name, robot=robot)
    low, high = scene.chain.limits
    free = np.minimum(scene.start_joints - low, high - scene.start_joints) / scene.robot.levers
    assert free.min() >= FREE_RAD
    scene.close()


@pytest.mark.parametrize("robot", robots_at("wheelchair_face"))
def test_the_oracle_feeds_with_every_robot_that_reaches_the_mouth(robot: str) -> None:
    scene = make_scene("feeding", robot=robot)
    for side in ("left", "right"):
        latent = {"side": side, "pace": 0.1}
        *_, last = play(scene, Feeder(scene), seed=0, options={"latent": latent})
        assert last.info["task_success"], (
            f"{side}: {last.info['eaten']} eaten, {last.info['spilled']} spilled"
        )
    scene.close()


@pytest.mark.parametrize("robot", ["stretch", "pr2"])
def test_a_robot_that_does_not_reach_the_mouth_is_refused_in_one_line(robot: str) -> None:
    with pytest.raises(InputError, match="wheelchair_face: jaco, panda") as raised:
        make_scene("feeding", robot=robot)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("robot", robots_at("bed_head"))
def test_the_oracle_lifts_the_arm_with_every_robot_that_can_and_is_gentle(robot: str) -> None:
    """Upstream's success; 95 % of forces lie below 100 N, where a robot at its joints' limits presses with hundreds."""
    scene = make_scene("arm_manipulation", robot=robot)
    low, high = scene.chain.limits
    free = np.minimum(scene.start_joints - low, high - scene.start_joints) / scene.robot.levers
    assert free.min() >= FREE_RAD
    for seed in range(2):
        frames = list(play(scene, Lifter(scene), seed=seed))
        forces = np.array([frame.info["tool_force_n"] for frame in frames])
        assert frames[-1].info["task_success"], f"best {frames[-1].info['best_sum_m']:.2f} m"
        assert np.percentile(forces[forces > 0], 95) < 100.0
    scene.close()


@pytest.mark.parametrize("robot", [name for name in ROBOTS if name not in ("jaco", "panda", "xarm7")])
def test_a_robot_that_cannot_lift_the_arm_is_refused_in_one_line(robot: str) -> None:
    with pytest.raises(InputError, match=r"robot: .*bed_head: jaco, panda, xarm7$") as raised:
        make_scene("arm_manipulation", robot=robot)
    assert "\n" not in str(raised.value)


def test_the_oracle_asks_sliding_joints_for_metres() -> None:
    """Stretch, whose base, lift and arm slide, wipes what upstream calls success."""
    scene = make_scene("bed_bathing", robot="stretch", controller="responsive")
    *_, last = play(scene, Bather(scene), seed=7000)
    assert last.info["task_success"]
    scene.close()


def test_the_others_do_the_part_of_a_joint_that_is_at_its_limit() -> None:
    scene = make_scene("feeding", robot="panda")
    scene.reset(seed=0)
    steering = Steering(scene, Weights(turning=0.0, posture=0.0))
    joints = scene.start_joints.copy()
    joints[3] = scene.chain.limits[0][3]
    _, rotation, jacobian = Kinematics(scene.chain, np.eye(4), ("tool", scene.tool.tip)).forward(joints)
    velocity = (
        0.02 * -jacobian[:3, 3] / np.linalg.norm(jacobian[:3, 3])
    )  # into the limit, by that joint alone
    speeds = steering.action(joints, velocity, rotation) * full_speeds(scene)
    assert speeds[3] >= -1e-6
    np.testing.assert_allclose(jacobian[:3] @ speeds, velocity, atol=1e-4)
    scene.close()
