"""Feeding and Drinking: what grains do, what they pay, and what the person wants."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamite.acting import play
from policies.scripted.drinking import Oracle as DrinkingOracle
from policies.scripted.feeding import Oracle as FeedingOracle
from scenes import make_scene
from scenes.care.mouth_scene import HEAD_TURN_DEG
from scenes.care.tools.cup import HEIGHT
from scenes.errors import InputError
from scenes.latent import Latent

NAMES = ("feeding", "drinking")
ORACLES = {"feeding": FeedingOracle, "drinking": DrinkingOracle}
#: How far a grain's centre may sink into its vessel's floor under hostile motion, m.
SINKS_M = {"feeding": 0.006, "drinking": 0.010}
FLOOR_M = {"feeding": -0.007, "drinking": -HEIGHT}


@pytest.fixture(params=NAMES)
def scene(request):
    scene = make_scene(request.param, termination=0.0)
    yield scene
    scene.close()


@pytest.fixture
def feeding():
    scene = make_scene("feeding", termination=0.0)
    yield scene
    scene.close()


def episode(scene, latent: Latent | str, believed: Latent | None = None, seed: int = 0) -> float:
    """Return of the oracle under ``latent``, or of the same controller that takes it to be ``believed``."""
    oracle, total = ORACLES[type(scene).__name__.lower()](scene), 0.0
    for frame in play(scene, oracle, seed=seed, options={"latent": latent}):
        total += frame.reward
    if believed is None:
        return total
    return _misled(scene, latent, believed, seed)


def _misled(scene, latent: Latent, believed: Latent, seed: int) -> float:
    """The oracle acts on ``believed`` while the person wants ``latent``."""
    oracle, total = ORACLES[type(scene).__name__.lower()](scene), 0.0
    oracle.reset(seed)
    observation, _ = scene.reset(seed=seed, options={"latent": latent})
    done, reward = False, 0.0
    while not done:
        truth = scene.sessions.latent
        scene.sessions.latent = believed  # what the oracle is told
        action = oracle.act(observation, reward, scene.privileged()).action
        scene.sessions.latent = truth
        observation, reward, _, done, _ = scene.step(action)
        total += reward
    return total


def test_grains_stay_where_they_are_while_nothing_moves(scene) -> None:
    scene.reset(seed=3)
    for _ in range(50):
        scene.step(np.zeros(scene.n_actions))
    assert scene.carried == scene.grains.n
    assert scene.spilled == scene.eaten == 0


def test_the_head_is_turned_by_up_to_thirty_degrees_about_each_axis(scene) -> None:
    turns = []
    for seed in range(40):
        scene.reset(seed=seed)
        head = scene.person.limbs["head"]
        turns.append(np.degrees(scene.world.joint_states(head.body, head.joints)[0]))
    assert np.abs(turns).max() <= HEAD_TURN_DEG + 1e-6
    assert np.abs(turns).max(axis=0).min() > 20


def test_a_grain_in_the_mouth_is_eaten_and_pays(feeding) -> None:
    feeding.reset(seed=0, options={"latent": {"side": "front", "pace": 0.1}})
    body = feeding.grains._bodies[0]
    feeding.distance_m = 0.1
    feeding.world.place_spheres([body], feeding._mouth[None] + [0.0, -0.01, 0.005])
    _, reward, _, _, info = feeding.step(np.zeros(feeding.n_actions))
    assert info["eaten"] == 1
    assert 18.0 < reward < 20.0
    assert feeding.grains.away[0]
    assert info["spilled"] == 0


def test_a_grain_that_leaves_the_spoon_is_spilled_once_and_may_fall_on_the_person(feeding) -> None:
    feeding.reset(seed=0)
    lap = feeding.person.frames["right_thigh"][:3, 3] + [0.0, -0.2, 0.25]
    feeding.world.place_spheres(feeding.grains._bodies[:1], lap[None])
    rewards = []
    for _ in range(15):
        _, reward, _, _, info = feeding.step(np.zeros(feeding.n_actions))
        rewards.append(reward)
    assert info["spilled"] == 1
    assert info["fallen_on_person"] == 1
    still = rewards[-1]
    assert sum(r - still for r in rewards) == pytest.approx(-6.0, abs=0.05)


def test_eaten_food_is_followed_by_another_helping_unless_refill_is_off() -> None:
    counts = {}
    for refill in (True, False):
        scene = make_scene("feeding", termination=0.0, refill=refill)
        for _ in play(
            scene, FeedingOracle(scene), seed=0, options={"latent": {"side": "front", "pace": 0.12}}
        ):
            pass
        counts[refill] = scene.eaten, scene.helpings
        scene.close()
    assert counts[False][0] <= 8
    assert counts[False][1] == 1
    assert counts[True][0] > 8
    with pytest.raises(InputError, match="refill"):
        make_scene("feeding", refill="often")


def test_the_oracle_feeds_in_nine_of_ten_episodes() -> None:
    scene = make_scene("feeding")
    successes = 0
    for seed in range(12):
        for _ in play(scene, FeedingOracle(scene), seed=seed):
            pass
        successes += scene.success
    scene.close()
    assert successes >= 11


@pytest.mark.parametrize(
    ("wanted", "believed"),
    [
        ({"side": "left", "pace": 0.1}, {"side": "right", "pace": 0.1}),
        ({"side": "front", "pace": 0.05}, {"side": "front", "pace": 0.15}),
        ({"side": "front", "pace": 0.15}, {"side": "front", "pace": 0.04}),
    ],
)
def test_who_knows_the_latent_earns_clearly_more(feeding, wanted: Latent, believed: Latent) -> None:
    knowing = [episode(feeding, wanted, seed=seed) for seed in range(3)]
    misled = [_misled(feeding, wanted, believed, seed) for seed in range(3)]
    assert np.mean(knowing) > np.mean(misled) + 60


def test_an_override_at_the_face_changes_what_food_is_worth_at_once(feeding) -> None:
    for frame in play(
        feeding, FeedingOracle(feeding), seed=0, options={"latent": {"side": "front", "pace": 0.12}}
    ):
        if feeding.distance_m < 0.1 and frame.t > 0:
            break
    assert feeding._side_worth() == 1.0
    feeding.override({"side": "left"})
    assert feeding._side_worth() == 0.0
    feeding.override({"side": "front", "pace": 0.04})
    felt = feeding._felt
    assert felt > 0.04
    assert feeding._worth() == pytest.approx(max(0.0, 1 - (felt - 0.04) / 0.05))


def test_the_cup_pays_most_for_lying(scene) -> None:
    if not hasattr(scene, "tilt"):
        pytest.skip("a spoon has no tilt")
    scene.reset(seed=0)
    assert scene.tilt == pytest.approx(0.0, abs=1e-3)
    zero = np.zeros(scene.n_actions)
    _, reward, *_ = scene.step(zero)
    assert reward == pytest.approx(
        -scene.distance_m - 0.1 * math.pi / 2 - 0.1 * scene._off_side(scene._bearing) / math.pi, abs=2e-3
    )


@pytest.fixture
def drinking():
    scene = make_scene("drinking", termination=0.0)
    yield scene
    scene.close()


@pytest.mark.parametrize(
    ("wanted", "believed"),
    [
        ({"side": "left", "tilt_rate": 12.0}, {"side": "right", "tilt_rate": 12.0}),
        ({"side": "front", "tilt_rate": 6.0}, {"side": "front", "tilt_rate": 14.0}),
    ],
)
def test_who_knows_how_to_give_a_drink_earns_clearly_more(drinking, wanted: Latent, believed: Latent) -> None:
    knowing = [episode(drinking, wanted, seed=seed) for seed in range(2)]
    misled = [_misled(drinking, wanted, believed, seed) for seed in range(2)]
    assert np.mean(knowing) > np.mean(misled) + 150


@pytest.mark.slow
def test_the_oracle_gives_a_drink_in_nine_of_ten_episodes() -> None:
    scene = make_scene("drinking")
    successes = 0
    for seed in range(2, 22):
        for _ in play(scene, DrinkingOracle(scene), seed=seed):
            pass
        successes += scene.success
    scene.close()
    assert successes >= 18


@pytest.mark.parametrize("name", NAMES)
def test_no_grain_sinks_deep_into_its_vessel_whatever_the_arm_does(name: str) -> None:
    scene = make_scene(name, controller="responsive")
    rng = np.random.default_rng(0)
    lowest = np.inf
    for seed in range(4):
        scene.reset(seed=seed)
        for step in range(60):
            if step % 6 == 0:
                action = rng.choice((-1.0, 1.0), scene.n_actions)
            scene.step(action)
            local = (scene.grains.positions - scene._tool_at) @ scene._tool_rotation
            inside = scene.grains.pending & (scene._off_tool == 0.0)
            lowest = min(lowest, local[inside, 2].min(initial=np.inf))
    scene.close()
    assert FLOOR_M[name] - SINKS_M[name] < lowest < FLOOR_M[name] + 0.006
