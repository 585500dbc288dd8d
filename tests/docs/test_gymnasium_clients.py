"""What others wrote for Gymnasium works on care scenes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import av
import gymnasium as gym
import numpy as np
import pytest

import scenes  # noqa: F401 (registers them)


@pytest.mark.skipif(
    importlib.util.find_spec("moviepy") is None, reason='needs pip install "dynamite-care[examples]"'
)
@pytest.mark.parametrize("gym_id", ["scenes/ScratchItch-v1"])
def test_record_video_films_a_care_scene(gym_id: str, tmp_path: Path) -> None:
    scene = gym.wrappers.RecordVideo(gym.make(gym_id, render_mode="rgb_array"), str(tmp_path / "films"))
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
