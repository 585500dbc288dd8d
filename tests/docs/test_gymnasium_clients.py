"""What others wrote for Gymnasium works on care scenes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import av
import gymnasium as gym
import numpy as np
import pytest

from scenes.registry import SCENES
from tests.scenes.scene_cases import where_installed


def case(name: str):
    """One scene on every run, the others with the longer checks; none whose extra is missing."""
    found = where_installed(name)
    return (
        found
        if name == "scratch_itch"
        else pytest.param(*found.values, marks=[*found.marks, pytest.mark.slow])
    )


@pytest.mark.skipif(
    importlib.util.find_spec("moviepy") is None, reason='needs pip install "dynamite-care[examples]"'
)
@pytest.mark.parametrize(
    "name", [case(name) for name, entry in SCENES.items() if entry.module.startswith("scenes.care.")]
)
def test_record_video_films_a_care_scene(name: str, tmp_path: Path) -> None:
    made = gym.make(SCENES[name].gym_id, render_mode="rgb_array")
    scene = gym.wrappers.RecordVideo(made, str(tmp_path / "films"))
    scene.reset(seed=0)
    scene.action_space.seed(0)
    for _ in range(20):
        scene.step(scene.action_space.sample())
    height, width = scene.render().shape[:2]
    fps = scene.metadata["render_fps"]
    scene.close()
    (film,) = (tmp_path / "films").glob("*.mp4")
    with av.open(str(film)) as container:
        stream = container.streams.video[0]
        pictures = [picture.to_ndarray(format="rgb24") for picture in container.decode(stream)]
        assert (stream.width, stream.height, stream.average_rate) == (width, height, fps)
    assert (
        20 <= len(pictures) <= 22
    )  # a picture per step and one of the start; the encoder may repeat the last
    assert np.std(pictures[0]) > 10
    moved = np.abs(pictures[0].astype(int) - pictures[-1]).max(2) > 60
    assert 0.001 < moved.mean() < 0.3  # the arm, and not the whole picture
