"""Point clouds beside a film: what a depth camera at the film's camera sees, one PLY per step or every few steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dynamite.acting import Frame
from scenes.care.depth_camera import DepthCamera
from scenes.care.point_cloud import write_cloud
from scenes.errors import InputError
from scenes.visual import CameraPreset, VisualModel

#: Pixels of the depth camera: a file has at most 76,800 points and 1.2 MB, half of that where the room is in view.
WIDTH, HEIGHT = 320, 240


class CloudWriter:
    """``folder/000060.ply`` for step 60.

    Args:
        every: steps from one file to the next; step 0 always has one.

    Raises:
        InputError: from :meth:`write`, where a file cannot be written.
    """

    def __init__(self, folder: Path, model: VisualModel, view: CameraPreset, every: int) -> None:
        self.folder, self.every = folder, every
        self._camera = DepthCamera(model, view, WIDTH, HEIGHT)

    def write(self, frame: Frame, image: np.ndarray) -> None:
        if frame.t % self.every:
            return
        if frame.poses is None:
            raise InputError("frames", "without poses", "frames made for drawing")
        write_cloud(self.folder / f"{frame.t:06d}.ply", self._camera.capture(frame.poses).cloud())
