"""One scene to draw: the person seated, the robot where an episode starts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from robot_app.render.camera import OrbitCamera
from scenes import make_scene
from scenes.visual import CameraPreset, Markers, VisualModel


@dataclass
class Sight:
    model: VisualModel
    poses: np.ndarray
    camera: OrbitCamera
    markers: Markers


@pytest.fixture(scope="session")
def sight() -> Sight:
    """The right arm from the front right, robot and tool out of the way, the person exactly as seated."""
    scene = make_scene("scratch_itch")
    scene.reset(seed=1)
    model, poses = scene.visual_model(), scene.poses()
    poses[2:7] = model.rest_poses[2:7]
    poses[7:, 2] += 5.0
    markers = scene.markers()
    scene.close()
    camera = OrbitCamera.from_preset(CameraPreset("arm", (-1.25, -0.75, 1.25), (-0.29, -0.05, 0.86), 30.0))
    return Sight(model, poses, camera, markers)
