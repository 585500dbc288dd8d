"""The scripted oracle of ScratchItch: how often it meets upstream's success rule, and how it gets at hidden sides."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dynamite.acting import play
from policies.scripted.approach import Approaches
from policies.scripted.scratch_itch import Oracle
from scenes import make_scene
from scenes.care.body import capsules, surface_point
from scenes.care.scratch_itch import SCRATCH_RADIUS_M, SUCCESS_SCRATCHES
from scenes.latent import SurfacePoint

CONTROLLERS = ("assistive_gym", "responsive")


def scratches(scene, seeds, itch: SurfacePoint | None = None) -> list[int]:
    """Scratches of an episode per seed, the itch drawn or given."""
    options = None if itch is None else {"latent": {"itch": itch}}
    oracle, counts = Oracle(scene), []
    for seed in seeds:
        *_, last = play(scene, oracle, seed=seed, options=options)
        counts.append(last.info["scratches"])
    return counts


def share(counts: list[int]) -> float:
    return float(np.mean([count >= SUCCESS_SCRATCHES for count in counts]))


@pytest.mark.slow
@pytest.mark.parametrize("controller", CONTROLLERS)
def test_nine_of_ten_episodes_succeed(controller: str) -> None:
    scene = make_scene("scratch_itch", controller=controller, termination=0.0)
    assert share(scratches(scene, range(20))) >= 0.9
    scene.close()


@pytest.mark.parametrize("controller", CONTROLLERS)
def test_itches_from_all_around_the_arm_are_scratched(controller: str) -> None:
    """Seeds 5 to 8: front and back of the upper arm, the inner forearm."""
    scene = make_scene("scratch_itch", controller=controller, termination=0.0)
    assert share(scratches(scene, range(5, 9))) == 1.0
    scene.close()


@pytest.mark.parametrize("controller", CONTROLLERS)
@pytest.mark.parametrize(
    "itch",
    [
        SurfacePoint("upper_arm", 0.6, -1.8),  # the back
        SurfacePoint("upper_arm", 0.6, 2.6),  # the inner side, from the front
        SurfacePoint("forearm", 0.5, 2.8),  # the inner side
    ],
    ids=["back", "inner upper arm", "inner forearm"],
)
def test_hidden_sides_of_the_arm_are_scratched(controller: str, itch: SurfacePoint) -> None:
    scene = make_scene("scratch_itch", controller=controller, termination=0.0)
    assert scratches(scene, [0], itch)[0] >= SUCCESS_SCRATCHES
    scene.close()


@pytest.fixture(scope="module")
def scene():
    scene = make_scene("scratch_itch", termination=0.0)
    yield scene
    scene.close()


def world_point(scene, itch: SurfacePoint) -> np.ndarray:
    point, _ = surface_point(scene.person.size, itch.part, itch.axial, itch.angle)
    frame = scene.person.frames[itch.part]
    return frame[:3, :3] @ point + frame[:3, 3]


def depths(scene, points: np.ndarray) -> np.ndarray:
    """(N,) m from points (N, 3) of the world to the surface of the body, negative inside."""
    nearest = np.full(len(points), np.inf)
    for part in capsules(scene.person.spec):
        frame = scene.person.frames[part.segment]
        a, b = (frame[:3, :3] @ np.array(end) + frame[:3, 3] for end in (part.a, part.b))
        along = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0, 1)
        nearest = np.minimum(
            nearest, np.linalg.norm(points - a - along[:, None] * (b - a), axis=1) - part.radius
        )
    return nearest


@pytest.mark.parametrize(
    "itch",
    [
        SurfacePoint(part, axial, angle)
        for part, axials in (("upper_arm", (0.3, 0.6, 0.9)), ("forearm", (0.2, 0.6, 0.95)))
        for axial in axials
        for angle in (-1.5, 0.0, 1.4)
    ],
    ids=str,
)
def test_a_touch_lies_on_the_body_near_the_itch_and_the_joints_lead_to_it(scene, itch: SurfacePoint) -> None:
    touch = Approaches(scene).find(itch)
    assert touch is not None
    tip, rotation, _ = scene.kinematics.forward(touch.joints)
    assert float(rotation[:, 0] @ (scene.base[:3, :3] @ touch.pointing)) > math.cos(0.06)
    assert depths(scene, tip[None])[0] == pytest.approx(0.01, abs=0.003)  # the tip's radius
    assert math.dist(tip, world_point(scene, itch)) < SCRATCH_RADIUS_M + 0.012


def test_another_touch_is_another(scene) -> None:
    itch, search = SurfacePoint("forearm", 0.5, 0.3), Approaches(scene)
    first = search.find(itch)
    second = search.find(itch, [first])
    apart = math.acos(float(first.pointing @ second.pointing))
    assert apart > 0.5 or abs(first.round_rad - second.round_rad) > 0.2


def test_a_point_deep_in_the_body_cannot_be_touched(scene) -> None:
    """In the crook of the elbow: everything within a scratch's reach is inside the upper arm."""
    itch = SurfacePoint("forearm", 0.02, 1.57)
    directions = np.random.default_rng(0).normal(size=(2000, 3))
    around = SCRATCH_RADIUS_M * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert depths(scene, world_point(scene, itch) + around).max() < 0
    assert Approaches(scene).find(itch) is None
