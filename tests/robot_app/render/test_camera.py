from __future__ import annotations

import math

import numpy as np
import pytest

from robot_app.render.camera import OrbitCamera
from scenes.visual import CameraPreset

PRESET = CameraPreset("shoulder", (-1.5, -1.7, 1.4), (0.0, -0.1, 0.7), 36.0)


def test_a_preset_puts_the_eye_where_it_says() -> None:
    camera = OrbitCamera.from_preset(PRESET)
    np.testing.assert_allclose(camera.eye, PRESET.eye, atol=1e-9)
    np.testing.assert_allclose(
        camera.project(np.array(PRESET.target), 640, 480)[0, :2], (320, 240), atol=1e-6
    )


def test_a_ray_through_a_projected_point_meets_it() -> None:
    camera = OrbitCamera.from_preset(PRESET)
    rng = np.random.default_rng(0)
    for point in rng.uniform(-0.5, 0.5, (20, 3)) + PRESET.target:
        x, y, depth = camera.project(point, 1280, 720)[0]
        origin, direction = camera.ray(x, y, 1280, 720)
        off = (point - origin) - ((point - origin) @ direction) * direction
        assert np.linalg.norm(off) < 1e-9
        assert depth > 0


def test_projection_agrees_with_the_matrices() -> None:
    camera = OrbitCamera.from_preset(PRESET)
    point = np.array([0.2, -0.3, 0.9, 1.0])
    clip = camera.projection(1280 / 720) @ camera.view() @ point
    ndc = clip[:3] / clip[3]
    x, y, _ = camera.project(point[:3], 1280, 720)[0]
    assert 640 * (1 + ndc[0]) == pytest.approx(x)
    assert 360 * (1 - ndc[1]) == pytest.approx(y)
    assert -1 < ndc[2] < 1


def test_orbit_keeps_the_distance_and_stops_short_of_the_pole() -> None:
    camera = OrbitCamera.from_preset(PRESET)
    before = camera.distance
    camera.orbit(0.7, 9.0)
    assert np.linalg.norm(camera.eye - camera.target) == pytest.approx(before)
    assert camera.elevation < math.pi / 2
    assert np.isfinite(camera.view()).all()


def test_pan_moves_the_picture_by_what_it_says() -> None:
    camera = OrbitCamera.from_preset(PRESET)
    point = camera.target.copy()
    camera.pan(0.25, 0.0)
    assert camera.project(point, 640, 480)[0, 0] == pytest.approx(320 - 0.25 * 480)


def test_zoom_stays_within_bounds() -> None:
    camera = OrbitCamera.from_preset(PRESET)
    camera.zoom(1e-6)
    assert camera.distance == pytest.approx(0.15)
    camera.zoom(1e9)
    assert camera.distance == pytest.approx(12.0)
