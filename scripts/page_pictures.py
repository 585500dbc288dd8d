"""Pictures for the documentation, drawn by the project's own renderer: a scene at its best, a robot at its start."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from dynamite.acting import Frame, play
from policies import list_policies, load
from robot_app.render import make_renderer
from robot_app.render.camera import OrbitCamera
from scenes.base import SessionEnv
from scenes.registry import make_scene
from scenes.visual import CameraPreset

WIDTH, HEIGHT = 1280, 720
#: A scene's picture is taken within so many steps of the episode of this seed.
STEPS, SEED = 80, 0


def actor(scene: str) -> str:
    """Who plays for the picture: the scripted oracle, else a trained agent, else anyone."""
    known = list_policies(scene)
    return next((policy for policy in known if policy.startswith("scripted/")), known[-1])


def caption(scene: str) -> str:
    return f"``{actor(scene)}``, seed {SEED}: the step among the first {STEPS} that earned most."


def draw_scene(name: str) -> np.ndarray:
    """(H, W, 3) uint8: a scene in an episode's best moment, with the truth marked."""
    best: Frame | None = None
    picture = None
    scene = make_scene(name, render_mode="rgb_array")
    drawable = type(scene).visual_model is not SessionEnv.visual_model
    try:
        policy = load(actor(name), scene)
        for frame in itertools.islice(play(scene, policy, SEED, draw=drawable), STEPS + 1):
            if frame.t and (best is None or frame.reward > best.reward):  # no step led to the first frame
                best, picture = frame, None if drawable else scene.render()
        assert best is not None
        if drawable:
            picture = _draw(scene, scene.cameras()[0], best.poses, best.markers)
        assert picture is not None
        return picture
    finally:
        scene.close()


def draw_start(name: str, camera: CameraPreset, **options: Any) -> np.ndarray:
    """(H, W, 3) uint8: a scene with some options, right after a reset, with nothing marked."""
    scene = make_scene(name, **options)
    try:
        scene.reset(seed=SEED)
        return _draw(scene, camera, scene.poses(), None)
    finally:
        scene.close()


def _draw(scene: SessionEnv, camera: CameraPreset, poses: np.ndarray | None, markers: Any) -> np.ndarray:
    assert poses is not None
    renderer = make_renderer(scene.visual_model(), WIDTH, HEIGHT, supersample=2, shadow=True, theme="light")
    try:
        return renderer.draw(poses, OrbitCamera.from_preset(camera), markers=markers)
    finally:
        renderer.close()


def keep_picture(path: Path, draw: Callable[[], np.ndarray]) -> None:
    """Draw into a file, unless the file is newer than all that scenes and pictures are made of.

    Raises:
        RuntimeError: it cannot be drawn, with the file's name.
    """
    root = Path(__file__).parents[1]
    folders = [root / name for name in ("scenes", "policies", "robot_app/render", "scripts")]
    sources = [p for folder in folders for p in folder.rglob("*") if p.is_file() and p.suffix != ".pyc"]
    if not path.is_file() or path.stat().st_mtime < max(p.stat().st_mtime for p in sources):
        try:
            Image.fromarray(draw()).save(path)
        except Exception as error:
            raise RuntimeError(f"{path.name} cannot be drawn: {error}") from error
