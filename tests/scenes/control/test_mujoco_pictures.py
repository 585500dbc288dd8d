"""Pictures of the MuJoCo scenes: what is shown, where, and that looking changes nothing."""

from __future__ import annotations

import os

import numpy as np
import pytest

from scenes import make_scene
from scenes.errors import InputError
from tests.scenes.control.test_mujoco import CHEETAHS, actions_for, every_mujoco, reacher


def drawable(name: str):
    """A scene that draws, or a skip where MuJoCo finds no OpenGL."""
    scene = make_scene(name, render_mode="rgb_array", termination=0.0)
    scene.reset(seed=0)
    try:
        scene.render()
    except InputError as error:
        scene.close()
        pytest.skip(f"MuJoCo finds no OpenGL here: {error}")
    return scene


@every_mujoco
def test_a_picture_shows_the_body_move_and_leaves_the_state_alone(name: str) -> None:
    scene = drawable(name)
    before, state = scene.render(), scene.state_hash()
    assert before.shape == (480, 640, 3)
    assert before.dtype == np.uint8
    assert before.std() > 10
    assert np.array_equal(scene.render(), before)
    assert scene.state_hash() == state
    for action in actions_for(scene, 20):
        scene.step(action)
    assert (scene.render() != before).any(2).mean() > 0.002
    scene.close()


@reacher
def test_the_picture_shows_where_the_goal_is(name: str) -> None:
    scene = drawable(name)
    scene.override({"goal_x": 0.1, "goal_y": 0.1})
    one = scene.render()
    scene.override({"goal_x": -0.1, "goal_y": -0.1})
    assert (scene.render() != one).any(2).sum() > 50
    scene.close()


@reacher
def test_without_opengl_a_picture_is_refused_in_one_line(name: str, monkeypatch) -> None:
    monkeypatch.setitem(os.environ, "MUJOCO_GL", "nothing")
    scene = make_scene(name, render_mode="rgb_array")
    scene.reset(seed=0)
    with pytest.raises(InputError, match=r"no picture by nothing.*MUJOCO_GL=egl") as raised:
        scene.render()
    assert "\n" not in str(raised.value)
    scene.close()


# -- the window's and the films' geometry
@every_mujoco
def test_the_visual_model_keeps_its_contract_and_has_two_cameras(name: str) -> None:
    scene = make_scene(name)
    scene.reset(seed=0)
    model = scene.visual_model()
    assert model.frames[0] == "world"
    assert model.faces.max() < len(model.vertices) == len(model.bones)
    assert model.bones.max() < len(model.frames)
    assert np.linalg.norm(model.normals, axis=1) == pytest.approx(1.0, abs=1e-3)
    assert len({camera.name for camera in scene.cameras()}) == len(scene.cameras()) >= 2
    poses = scene.poses()
    assert poses.shape == (len(model.frames), 7)
    assert poses.dtype == np.float32
    assert np.linalg.norm(poses[:, 3:], axis=1) == pytest.approx(1.0, abs=1e-5)
    scene.close()


@every_mujoco
def test_poses_are_those_of_now_and_looking_changes_nothing(name: str) -> None:
    mujoco = pytest.importorskip("mujoco")
    watched, alone = make_scene(name), make_scene(name)
    watched.reset(seed=2)
    alone.reset(seed=2)
    for action in actions_for(alone, 100):
        watched.step(action)
        poses = watched.poses()
        alone.step(action)
        assert watched.state_hash() == alone.state_hash()
    mujoco.mj_kinematics(alone.model, alone.data)
    shift = [alone.data.xpos[1, 0] if name in CHEETAHS else 0.0, 0.0, 0.0]
    assert poses[:, :3] == pytest.approx(alone.data.xpos - shift, abs=1e-5)
    assert poses[:, 6] == pytest.approx(alone.data.xquat[:, 0], abs=1e-6)
    watched.close()
    alone.close()


@reacher
def test_the_goal_is_shown_by_its_marker_alone(name: str) -> None:
    """So that a window can hide it."""
    scene = make_scene(name)
    scene.reset(seed=0)
    model = scene.visual_model()
    assert (model.bones[:, 0] != model.frames.index("target")).all()
    goal = scene.override({"goal_x": 0.05, "goal_y": -0.1})
    assert scene.markers().itch[:2] == pytest.approx([goal["goal_x"], goal["goal_y"]])
    scene.close()
