"""Pictures of a scene: live and studio quality, overlays, films, and what lies under a pixel."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from dynamite.belief import PointPosterior
    from robot_app.render.camera import OrbitCamera
    from scenes.visual import Markers, VisualModel

#: Set to ``tiny`` to draw without OpenGL even where there is some.
RENDERER_VARIABLE = "ROBOT_APP_RENDERER"


class Renderer(Protocol):
    """What draws; see :class:`robot_app.render.live.LiveRenderer` for the arguments."""

    width: int
    height: int

    def draw(
        self,
        poses: np.ndarray,
        camera: OrbitCamera,
        *,
        markers: Markers | None = None,
        heat: PointPosterior | None = None,
        show_truth: bool = True,
        show_heat: bool = True,
        show_force: bool = True,
    ) -> np.ndarray: ...

    def resize(self, width: int, height: int) -> None: ...

    def set_theme(self, theme: str) -> None: ...

    def close(self) -> None: ...


def make_renderer(
    model: VisualModel,
    width: int,
    height: int,
    *,
    supersample: int = 1,
    smooth: bool = False,
    shadow: bool = False,
    theme: str = "dark",
) -> Renderer:
    """A :class:`~robot_app.render.live.LiveRenderer`, or, where EGL cannot be had, the slow software fallback,
    which leaves edges as they are.

    Raises:
        InputError: a size, theme or ``ROBOT_APP_RENDERER`` that does not exist.
    """
    from robot_app.render.fallback import TinyRenderer
    from robot_app.render.live import LiveRenderer
    from scenes.errors import InputError

    wanted = os.environ.get(RENDERER_VARIABLE, "")
    if wanted not in ("", "egl", "tiny"):
        raise InputError(RENDERER_VARIABLE, wanted, "egl, tiny, or nothing")
    if wanted != "tiny":
        try:
            return LiveRenderer(
                model, width, height, supersample=supersample, smooth=smooth, shadow=shadow, theme=theme
            )
        except InputError:
            raise
        except Exception as error:  # moderngl raises plain Exception where a library or a driver is missing
            if wanted == "egl":
                raise
            logging.getLogger(__name__).warning("no OpenGL (%s): drawing in software", error)
    return TinyRenderer(model, width, height, supersample=supersample, shadow=shadow, theme=theme)
