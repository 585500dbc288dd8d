"""DrawnScene: how a care scene is seen — its geometry, where everything is now, its cameras, a software picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from scenes.base import SessionEnv
from scenes.care.chain import quaternion_from_matrix
from scenes.care.looks import PERSON_FRAMES, build_visual_model
from scenes.care.person import Person
from scenes.care.shapes import Mesh, SkinnedMesh
from scenes.care.tools.tool import Tool
from scenes.care.world import World
from scenes.visual import CameraPreset, Markers, VisualModel

#: Seen from the person's right, in front of the chair, where the robot works.
CAMERAS: tuple[CameraPreset, ...] = (
    CameraPreset("shoulder", (-1.05, -1.15, 1.50), (-0.22, -0.08, 0.95), 44.0),
    CameraPreset("arm", (-0.85, -0.85, 1.30), (-0.25, -0.10, 0.86), 38.0),
    CameraPreset("front", (-0.45, -2.00, 1.35), (-0.15, 0.0, 0.78), 40.0),
    CameraPreset("side", (-2.00, -0.35, 1.20), (-0.20, -0.15, 0.80), 40.0),
    CameraPreset("top", (-0.75, -0.55, 2.40), (-0.22, 0.02, 0.83), 42.0),
    CameraPreset("room", (-1.75, -1.75, 1.65), (-0.10, -0.05, 0.68), 42.0),
)

_STILL = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)


class DrawnScene(SessionEnv):
    """The half of a care scene that is looked at; :class:`scenes.care.scene.CareScene` fills in the attributes."""

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    render_size: tuple[int, int] = (640, 480)

    #: Frame name → look of whatever else moves, in the order of :meth:`_object_poses`.
    object_looks: ClassVar[Callable[[], tuple[tuple[str, Mesh] | SkinnedMesh, ...]] | None] = None
    #: How far the person's mouth is drawn open, 0 … 1.
    mouth_open: ClassVar[float] = 0.0

    place: ClassVar[str]
    tool: ClassVar[Tool]
    robot_name: str
    world: World
    person: Person
    arm: int
    _picture: Any
    _frame_links: list[int]
    _tip: tuple[float, float, float]
    _strongest: tuple[float, tuple, tuple] | None

    def _find_still_rows(self) -> None:
        """Remember where segments are that do not move."""
        self._still_rows = {name: self._still_row(name) for name in (f.split("/")[1] for f in PERSON_FRAMES)}

    def _still_row(self, segment: str) -> tuple[float, ...]:
        """Pose of a segment where it does not move; the torso's skin is given in world coordinates."""
        if segment == "torso":
            return _STILL
        frame = self.person.frames[segment]
        return (*frame[:3, 3].tolist(), *quaternion_from_matrix(frame[:3, :3]))

    def visual_model(self) -> VisualModel:
        return build_visual_model(
            self.person.spec, self.robot_name, self.place, self.tool, type(self).object_looks, self.mouth_open
        )

    def poses(self) -> np.ndarray:
        """(K, 7): world, the person's frames, the robot's links, the tool, the scene's objects."""
        rows: list[tuple[float, ...]] = [_STILL]
        live: dict[str, tuple[float, ...]] = {}
        for limb in self.person.limbs.values():
            frames = self.world.link_frames(limb.body, list(limb.segments.values()))
            live.update(
                {name: (*at, *turned) for name, (at, turned) in zip(limb.segments, frames, strict=True)}
            )
        rows.extend(live.get(name, still) for name, still in self._still_rows.items())
        rows.extend((*at, *turned) for at, turned in self.world.link_frames(self.arm, self._frame_links))
        rows.extend(self._object_poses())
        return np.array(rows, dtype=np.float32)

    def markers(self) -> Markers:
        """The tool's tip, and the strongest force on the person."""
        strongest = self._strongest
        return Markers(
            tool_tip=np.array(self._tip),
            force_at=None if strongest is None else np.array(strongest[1]),
            force=None if strongest is None else np.array(strongest[2]) * -strongest[0],
        )

    def cameras(self) -> tuple[CameraPreset, ...]:
        return CAMERAS

    def _object_poses(self) -> Sequence[tuple[float, ...]]:
        """Position and quaternion of each of ``object_looks``."""
        return ()

    def render(self) -> np.ndarray | None:
        """(H, W, 3) uint8 from the first camera, when ``render_mode`` is ``"rgb_array"``."""
        if self.render_mode is None:
            gym.logger.warn('render() needs render_mode="rgb_array"')
            return None
        if self._picture is None:
            from scenes.care.tiny_render import TinyPicture

            self._picture = TinyPicture(self.visual_model())
        camera = self.cameras()[0]
        width, height = self.render_size
        return self._picture.draw(self.poses(), camera.eye, camera.target, camera.fov_deg, width, height)

    def close(self) -> None:
        if self._picture is not None:
            self._picture.close()
            self._picture = None
        super().close()
