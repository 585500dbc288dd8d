"""What the pictures show, by looking at their pixels."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

from dynamite.belief import PointPosterior
from robot_app.render import make_renderer
from robot_app.render.camera import OrbitCamera
from robot_app.render.heat import heat_texture
from robot_app.render.live import LiveRenderer
from scenes.care.body import SIZES, seated_frames, surface_point
from scenes.errors import InputError
from scenes.visual import CameraPreset, Markers

SIZE = (480, 320)
GRID = (2, 12, 16)


@pytest.fixture(scope="module")
def renderer(sight):
    with LiveRenderer(sight.model, *SIZE) as made:
        yield made


def cell(part: int, axial: int, angle: int) -> PointPosterior:
    grid = np.zeros(GRID)
    grid[part, axial, angle] = 1.0
    return PointPosterior(grid)


def world_of_cell(part: int, axial: int, angle: int) -> np.ndarray:
    name = ("upper_arm", "forearm")[part]
    theta = -math.pi + 2 * math.pi * (angle + 0.5) / GRID[2]
    point, normal = surface_point(SIZES["male"], name, (axial + 0.5) / GRID[1], theta)
    frame = seated_frames("male")[name]
    return frame[:3, :3] @ point + frame[:3, 3], frame[:3, :3] @ normal


def test_a_picture_is_contiguous_and_shows_something(renderer, sight) -> None:
    image = renderer.draw(sight.poses, sight.camera)
    assert image.shape == (SIZE[1], SIZE[0], 3)
    assert image.dtype == np.uint8
    assert image.flags.c_contiguous
    assert image.std() > 15


def test_the_top_row_is_the_top(renderer, sight) -> None:
    """The person's head is above the wheels."""
    camera = OrbitCamera.from_preset(CameraPreset("front", (0, -3, 0.8), (0, 0, 0.7), 40))
    image = renderer.draw(sight.poses, camera).astype(int)
    skin = (image[:, :, 0] > image[:, :, 2] + 30) & (image[:, :, 0] > 120)
    rows = np.flatnonzero(skin[:, 220:260].any(1))
    assert rows.min() < SIZE[1] // 2


@pytest.mark.parametrize("spot", [(1, 3, 8), (1, 8, 7), (1, 5, 9), (0, 6, 8), (0, 8, 9), (0, 7, 7)])
def test_the_belief_is_painted_where_the_grid_says(renderer, sight, spot) -> None:
    at, normal = world_of_cell(*spot)
    assert normal @ (sight.camera.eye - at) > 0, "a spot this camera cannot see tests nothing"
    plain = renderer.draw(sight.poses, sight.camera).astype(int)
    painted = renderer.draw(sight.poses, sight.camera, heat=cell(*spot)).astype(int)
    change = np.abs(painted - plain).sum(2)
    y, x = np.indices(change.shape)
    centre = np.array([(x * change).sum(), (y * change).sum()]) / change.sum()
    wanted = sight.camera.project(at, *SIZE)[0, :2]
    pixel_m = 2 * sight.camera.distance * math.tan(math.radians(15)) / SIZE[1]
    assert np.linalg.norm(centre - wanted) * pixel_m < 0.022  # a cell is about 2.2 cm long
    assert change[round(wanted[1]), round(wanted[0])] > 90


def test_the_belief_crosses_the_seam_of_the_angle(renderer, sight) -> None:
    """Cells on either side of ±π are neighbours: painted from behind, they form one spot."""
    camera = OrbitCamera.from_preset(CameraPreset("inside", (0.55, -0.9, 0.95), (-0.31, -0.1, 0.80), 14))
    grid = np.zeros(GRID)
    grid[1, 7, 0] = grid[1, 7, -1] = 0.5
    plain = renderer.draw(sight.poses, camera).astype(int)
    painted = renderer.draw(sight.poses, camera, heat=PointPosterior(grid)).astype(int)
    change = np.abs(painted - plain).sum(2) > 60
    name = "forearm"
    frame = seated_frames("male")[name]
    for theta in (math.pi - 0.15, math.pi, -math.pi + 0.15):
        point, normal = surface_point(SIZES["male"], name, 7.5 / GRID[1], theta)
        at = frame[:3, :3] @ point + frame[:3, 3]
        assert frame[:3, :3] @ normal @ (camera.eye - at) > 0
        x, y = np.round(camera.project(at, *SIZE)[0, :2]).astype(int)
        assert change[y - 2 : y + 3, x - 2 : x + 3].mean() > 0.7


def test_hiding_what_may_be_hidden_leaves_the_plain_picture(renderer, sight) -> None:
    plain = renderer.draw(sight.poses, sight.camera)
    marks = Markers(
        itch=world_of_cell(1, 5, 8)[0], itch_normal=world_of_cell(1, 5, 8)[1],
        force_at=world_of_cell(1, 5, 8)[0], force=np.array([3.0, 1.0, 0.0]),
    )  # fmt: skip
    hidden = renderer.draw(
        sight.poses, sight.camera, markers=marks, heat=cell(1, 5, 8),
        show_truth=False, show_heat=False, show_force=False,
    )  # fmt: skip
    np.testing.assert_array_equal(plain, hidden)
    for shown in ("show_truth", "show_heat", "show_force"):
        switches = {"show_truth": False, "show_heat": False, "show_force": False, shown: True}
        image = renderer.draw(sight.poses, sight.camera, markers=marks, heat=cell(1, 5, 8), **switches)
        assert (image != plain).any(2).sum() > 20, shown


def test_the_true_itch_is_a_ring_about_its_place(renderer, sight) -> None:
    at, normal = world_of_cell(1, 5, 8)
    plain = renderer.draw(sight.poses, sight.camera, show_force=False).astype(int)
    marked = renderer.draw(sight.poses, sight.camera, markers=Markers(itch=at, itch_normal=normal)).astype(
        int
    )
    y, x = np.nonzero(np.abs(marked - plain).sum(2) > 60)
    wanted = sight.camera.project(at, *SIZE)[0, :2]
    assert np.hypot(x.mean() - wanted[0], y.mean() - wanted[1]) < 5
    assert np.hypot(x - wanted[0], y - wanted[1]).max() < 24


def test_a_stronger_force_has_a_longer_arrow_up_to_a_cap(renderer, sight) -> None:
    at = np.array([-0.35, -0.15, 1.0])
    plain = renderer.draw(sight.poses, sight.camera).astype(int)

    def size(newton: float) -> int:
        marks = Markers(force_at=at, force=np.array([0.0, 0.0, -newton]))
        return int(
            (np.abs(renderer.draw(sight.poses, sight.camera, markers=marks) - plain).sum(2) > 40).sum()
        )

    assert size(0.0) == 0
    assert size(3.0) < size(8.0) < size(13.0)
    assert size(50.0) == size(500.0)


def test_the_arm_moves_with_its_pose(renderer, sight) -> None:
    moved = sight.poses.copy()
    moved[4:6, 2] += 0.05  # forearm and hand 5 cm up
    before, after = renderer.draw(sight.poses, sight.camera), renderer.draw(moved, sight.camera)
    assert (np.abs(after.astype(int) - before).sum(2) > 40).mean() > 0.01


def test_two_renderers_do_not_disturb_each_other(renderer, sight) -> None:
    first = renderer.draw(sight.poses, sight.camera)
    with LiveRenderer(sight.model, 160, 120, theme="light") as other:
        second = other.draw(sight.poses, sight.camera)
        np.testing.assert_array_equal(first, renderer.draw(sight.poses, sight.camera))
        np.testing.assert_array_equal(second, other.draw(sight.poses, sight.camera))
    np.testing.assert_array_equal(first, renderer.draw(sight.poses, sight.camera))


def test_a_smooth_picture_has_few_of_the_stairs_and_differs_at_edges_only(renderer, sight) -> None:
    plain = renderer.draw(sight.poses, sight.camera).astype(int)
    with LiveRenderer(sight.model, *SIZE, smooth=True) as smooth:
        softened = smooth.draw(sight.poses, sight.camera).astype(int)
    with LiveRenderer(sight.model, *SIZE, supersample=4) as fine:
        wanted = fine.draw(sight.poses, sight.camera).astype(int)
    changed = np.abs(softened - plain).max(2) > 0
    assert 0.005 < changed.mean() < 0.15
    grey = plain @ (0.299, 0.587, 0.114)
    flat = maximum_filter(grey, 5) - minimum_filter(grey, 5) < 0.06 * 255 - 1
    assert not (changed & flat).any()
    stairs, left = ((np.abs(image - wanted).max(2) > 40).mean() for image in (plain, softened))
    assert left < 0.4 * stairs


def test_drawing_twice_gives_the_same_picture(renderer, sight) -> None:
    other = OrbitCamera.from_preset(CameraPreset("else", (1, -2, 1.5), (0, 0, 0.7), 40))
    first = renderer.draw(sight.poses, sight.camera, heat=cell(1, 5, 8))
    renderer.draw(sight.poses, other)
    np.testing.assert_array_equal(first, renderer.draw(sight.poses, sight.camera, heat=cell(1, 5, 8)))


def test_studio_and_themes_and_sizes(sight) -> None:
    with LiveRenderer(sight.model, 160, 120, supersample=2, shadow=True, theme="light") as studio:
        image = studio.draw(sight.poses, sight.camera)
        assert image.shape == (120, 160, 3)
        assert image[:8].mean() > 150
        studio.set_theme("dark")
        assert studio.draw(sight.poses, sight.camera)[:8].mean() < 80
        studio.resize(90, 66)  # rows of 270 bytes: not a multiple of four
        assert studio.draw(sight.poses, sight.camera).shape == (66, 90, 3)
        studio.close()  # and once more on leaving


@pytest.mark.parametrize("wrong", [{"width": 3, "height": 200}, {"width": 64, "height": 64, "theme": "pink"}])
def test_a_wrong_size_or_theme_is_refused(sight, wrong) -> None:
    with pytest.raises(InputError):
        LiveRenderer(sight.model, **wrong)


def test_the_fallback_draws_the_same_scene(sight, monkeypatch) -> None:
    monkeypatch.setenv("ROBOT_APP_RENDERER", "tiny")
    renderer = make_renderer(sight.model, 240, 160)
    try:
        assert type(renderer).__name__ == "TinyRenderer"
        at, normal = world_of_cell(1, 5, 8)
        plain = renderer.draw(sight.poses, sight.camera)
        marked = renderer.draw(
            sight.poses, sight.camera, heat=cell(1, 5, 8),
            markers=Markers(itch=at, itch_normal=normal, force_at=at, force=-3 * normal),
        )  # fmt: skip
    finally:
        renderer.close()
    assert plain.shape == (160, 240, 3)
    assert plain.flags.c_contiguous
    y, x = np.nonzero((plain != marked).any(2))
    wanted = sight.camera.project(at, 240, 160)[0, :2]
    assert np.hypot(x - wanted[0], y - wanted[1]).min() < 3


def test_an_unknown_renderer_is_refused(sight, monkeypatch) -> None:
    monkeypatch.setenv("ROBOT_APP_RENDERER", "vulkan")
    with pytest.raises(InputError):
        make_renderer(sight.model, 64, 64)


def test_where_opengl_is_missing_the_fallback_is_chosen(sight, monkeypatch) -> None:
    import moderngl

    def broken(**_):
        raise Exception("libEGL.so.1: cannot open shared object file")

    monkeypatch.delenv("ROBOT_APP_RENDERER", raising=False)
    monkeypatch.setattr(moderngl, "create_context", broken)
    renderer = make_renderer(sight.model, 64, 48)
    assert type(renderer).__name__ == "TinyRenderer"
    renderer.close()


# ------------------------------------------------------------------------------------------------------- heat
def test_heat_peaks_in_its_cell_and_never_goes_negative() -> None:
    values, (half, most) = heat_texture(cell(1, 4, 15).grid)
    assert values.shape == (2, 48, 64)
    assert values.min() >= 0
    part, i, j = np.unravel_index(values.argmax(), values.shape)
    assert (part, i // 4, j // 4) == (1, 4, 15)
    assert values.max() == pytest.approx(1.0)
    assert values[1, :, 0].max() > 0.2  # it reaches over the seam
    assert 0 < most < half < 1


def test_not_knowing_is_painted_faintly() -> None:
    values, _ = heat_texture(np.full(GRID, 1 / np.prod(GRID)))
    np.testing.assert_allclose(values, 0.25, atol=0.02)


@pytest.mark.parametrize("grid", [np.zeros(GRID), np.full(GRID, np.nan)])
def test_a_broken_posterior_paints_nothing(grid) -> None:
    assert not heat_texture(grid)[0].any()
