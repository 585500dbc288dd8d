"""Framebuffers kept per size: another size costs once, and never shows in a picture."""

from __future__ import annotations

import numpy as np

from robot_app.render import make_renderer
from robot_app.render.camera import OrbitCamera
from robot_app.render.targets import KEPT
from scenes import make_scene

SIZES = [(320, 180), (256, 144), (204, 116), (160, 90)]


def test_a_size_that_comes_back_finds_its_framebuffers_and_the_picture_is_the_same():
    scene = make_scene("scratch_itch")
    scene.reset(seed=1)
    camera = OrbitCamera.from_preset(scene.cameras()[0])
    with make_renderer(scene.visual_model(), *SIZES[0]) as renderer:
        first = renderer.draw(scene.poses(), camera)
        target = renderer._target
        for size in SIZES[1:KEPT]:
            renderer.resize(*size)
            assert renderer.draw(scene.poses(), camera).shape == (size[1], size[0], 3)
        renderer.resize(*SIZES[0])
        assert renderer._target is target
        np.testing.assert_array_equal(renderer.draw(scene.poses(), camera), first)
        renderer.set_theme("light")  # its background is of the theme before
        assert np.abs(renderer.draw(scene.poses(), camera).astype(int) - first).mean() > 20
        for n in range(KEPT):  # more sizes than are kept
            renderer.resize(100 + 2 * n, 80)
        renderer.resize(*SIZES[0])
        assert renderer._target is not target
    scene.close()
