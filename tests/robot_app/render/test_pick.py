from __future__ import annotations

import math

import numpy as np
import pytest

from robot_app.render.pick import REACH, Picker
from scenes.care.body import ARM_PARTS, SIZES, seated_frames, surface_point

WIDTH, HEIGHT = 960, 640


@pytest.fixture(scope="module")
def picker(sight) -> Picker:
    return Picker(sight.model)


def test_a_click_on_a_surface_point_returns_it(picker, sight) -> None:
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(200):
        part = ARM_PARTS[rng.integers(2)]
        axial, angle = rng.uniform(0.1, 0.9), rng.uniform(-math.pi, math.pi)
        point, normal = surface_point(SIZES["male"], part, axial, angle)
        frame = seated_frames("male")[part]
        at, normal = frame[:3, :3] @ point + frame[:3, 3], frame[:3, :3] @ normal
        line = sight.camera.eye - at
        if normal @ line < 0.6 * np.linalg.norm(line):
            continue  # turned away: another point is in front of it
        x, y, _ = sight.camera.project(at, WIDTH, HEIGHT)[0]
        found = picker.pick(sight.poses, sight.camera, x, y, WIDTH, HEIGHT)
        assert found is not None
        assert found.part == part
        around = math.remainder(found.angle - angle, 2 * math.pi)
        errors.append((abs(found.axial - axial), abs(around)))
    axial_error, angle_error = np.median(errors, axis=0)
    assert len(errors) > 40
    assert axial_error < 0.02
    assert angle_error < 0.1


def test_picking_follows_the_arm(picker, sight) -> None:
    part = seated_frames("male")["forearm"]
    point, _ = surface_point(SIZES["male"], "forearm", 0.5, 0.3)
    at = part[:3, :3] @ point + part[:3, 3]
    moved = sight.poses.copy()
    moved[2:6, 2] += 0.12
    x, y, _ = sight.camera.project(at + np.array([0, 0, 0.12]), WIDTH, HEIGHT)[0]
    found = picker.pick(moved, sight.camera, x, y, WIDTH, HEIGHT)
    assert found is not None
    assert found.part == "forearm"
    assert found.axial == pytest.approx(0.5, abs=0.04)


def test_background_and_other_things_are_no_place_for_a_preference(picker, sight) -> None:
    assert picker.pick(sight.poses, sight.camera, 2, 2, WIDTH, HEIGHT) is None
    chest = sight.camera.project(np.array([0.0, -0.10, 0.9]), WIDTH, HEIGHT)[0]
    assert picker.pick(sight.poses, sight.camera, *chest[:2], WIDTH, HEIGHT) is None
    assert picker.point(sight.poses, sight.camera, *chest[:2], WIDTH, HEIGHT) is not None


def test_a_click_close_beside_the_arm_means_its_edge_and_one_far_off_nothing(picker, sight) -> None:
    part = seated_frames("male")["forearm"]
    point, _ = surface_point(SIZES["male"], "forearm", 0.5, 0.0)
    middle = sight.camera.project(part[:3, :3] @ point + part[:3, 3], WIDTH, HEIGHT)[0][:2]
    side = np.arange(-90.0, 91.0, 3.0)
    around = middle + np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    exact = [picker.pick(sight.poses, sight.camera, x, y, WIDTH, HEIGHT) for x, y in around]
    skin = around[[found is not None for found in exact]]
    rng, n_beside = np.random.default_rng(0), 0
    for k in rng.choice(len(around), 300, replace=False):
        found = picker.nearest(sight.poses, sight.camera, *around[k], WIDTH, HEIGHT)
        distance = np.linalg.norm(skin - around[k], axis=1).min()
        if exact[k] is not None:
            assert found == exact[k]
        elif found is not None:
            n_beside += 1
            assert distance <= REACH + 3  # of the grid that the skin is known on
        else:
            assert distance > REACH / 3
    assert n_beside > 10
    assert picker.nearest(sight.poses, sight.camera, 2, 2, WIDTH, HEIGHT) is None
