from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dynamite.acting import Decision, Frame
from dynamite.belief import Belief, ChoicePosterior, PointPosterior, ScalarPosterior
from robot_app.render.overlay import PARTS, draw_overlay
from robot_app.render.past import Past
from robot_app.render.readout import best_guess
from scenes.errors import InputError
from scenes.latent import SurfacePoint

GRID = (2, 12, 16)


def history(n: int = 120, belief: bool = True, latent=None) -> list[Frame]:
    rng = np.random.default_rng(0)
    latent = latent or {"itch": SurfacePoint("forearm", 0.71, -2.9)}
    frames = []
    for t in range(n):
        grid = rng.dirichlet(np.ones(np.prod(GRID))).reshape(GRID)
        thought = Belief(np.zeros(5), np.zeros(5), float(rng.uniform()), {"itch": PointPosterior(grid)})
        decision = Decision(np.zeros(7, np.float32), thought if belief else None)
        info = {"total_force_n": 0.1 * t}
        frames.append(
            Frame(t, np.zeros(3), -1.5 + 0.05 * t, decision, latent, t // 30, t % 30 == 0, (), info)
        )
    return frames


@pytest.mark.parametrize("size", [(640, 360), (960, 540), (1280, 720), (1920, 1080), (480, 640)])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_all_text_stays_inside_the_picture(size, theme) -> None:
    width, height = size
    boxes: list = []
    names = {
        "policy": "DynaMITE-RL with a rather long name, 3 seeds",
        "scene": "Scratch itch with the Kinova Jaco",
    }
    image = draw_overlay(
        np.full((height, width, 3), 90, np.uint8), history(), theme=theme, text_boxes=boxes, **names
    )
    assert image.shape == (height, width, 3)
    assert len(boxes) >= 12
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


@pytest.mark.parametrize("size", [(640, 360), (1280, 720), (1920, 1080)])
def test_no_text_is_written_over_another(size) -> None:
    boxes: list = []
    names = {
        "policy": "DynaMITE-RL with a rather long name, 3 seeds",
        "scene": "Scratch itch with the Kinova Jaco",
    }
    draw_overlay(np.zeros((size[1], size[0], 3), np.uint8), history(), text_boxes=boxes, **names)
    for i, a in enumerate(boxes):
        for b in boxes[i + 1 :]:
            overlap = (min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))
            assert overlap[0] <= 1 or overlap[1] <= 1, (a, b)


def test_the_picture_given_is_not_drawn_on() -> None:
    image = np.full((360, 640, 3), 90, np.uint8)
    drawn = draw_overlay(image, history())
    assert (image == 90).all()
    assert (drawn != image).any()
    assert drawn.flags.c_contiguous


@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_asked_for_alone(part) -> None:
    image = np.full((360, 640, 3), 90, np.uint8)
    changed = (draw_overlay(image, history(), [part]) != image).any(2)
    top, bottom = changed[:180].any(), changed[180:].any()
    assert (top, bottom) == ((True, False) if part in ("title", "belief") else (False, True))


def test_nothing_asked_for_draws_nothing() -> None:
    image = np.full((90, 160, 3), 7, np.uint8)
    np.testing.assert_array_equal(draw_overlay(image, history(), ()), image)
    np.testing.assert_array_equal(draw_overlay(image, []), image)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(InputError, match="reward"):
        draw_overlay(np.zeros((90, 160, 3), np.uint8), history(), ["rewards"])


def test_a_policy_without_belief_and_the_first_step_are_drawn() -> None:
    image = np.zeros((360, 640, 3), np.uint8)
    assert draw_overlay(image, history(belief=False)).any()
    assert draw_overlay(image, history(1)).any()
    assert draw_overlay(image, history(3, belief=False, latent={"force": 3.0, "side": "left"})).any()


@pytest.mark.parametrize("size", [(320, 240), (1280, 720)])
def test_who_acts_without_a_belief_has_no_room_taken_for_one(size) -> None:
    width, height = size
    image = np.full((height, width, 3), 90, np.uint8)

    def rows(belief: bool) -> np.ndarray:
        return (draw_overlay(image, history(belief=belief), ["belief"]) != image).any(2).any(1)

    assert 0 < rows(False).sum() < 0.75 * rows(True).sum()


@pytest.mark.parametrize("size", [(320, 240), (1280, 720)])
def test_a_scene_without_forces_shows_none(size) -> None:
    boxes: dict[bool, list] = {}
    for measured in (True, False):
        past = [frame if measured else replace(frame, info={}) for frame in history()]
        boxes[measured] = []
        parts = ["reward", "session", "force"]
        draw_overlay(np.zeros((size[1], size[0], 3), np.uint8), past, parts, text_boxes=boxes[measured])
    assert len(boxes[False]) < len(boxes[True])


def test_an_episode_longer_than_expected_fits() -> None:
    boxes: list = []
    draw_overlay(np.zeros((360, 640, 3), np.uint8), history(500), total_steps=200, text_boxes=boxes)
    assert max(box[2] for box in boxes) <= 640


def test_best_guess_is_the_likeliest_cell_and_its_neighbours_probability() -> None:
    grid = np.zeros(GRID)
    grid[1, 3, 15], grid[1, 3, 0], grid[0, 5, 5] = 0.5, 0.3, 0.2  # neighbours across the seam
    point, sure = best_guess(PointPosterior(grid), ("upper_arm", "forearm"))
    assert point.part == "forearm"
    assert point.axial == pytest.approx(3.5 / 12)
    assert point.angle == pytest.approx(np.pi * (1 - 1 / 16))
    assert sure == pytest.approx(0.8)
    assert best_guess(ChoicePosterior(np.array([0.1, 0.9])), (), ("left", "right")) == ("right", 0.9)
    mean, sure = best_guess(ScalarPosterior(2.5, 0.5), ())
    assert mean == 2.5
    assert np.isnan(sure)


@pytest.mark.parametrize("width", [16, 40, 64, 100, 160, 192, 240, 320, 420, 470])
@pytest.mark.parametrize("height", [16, 32, 64, 90, 144, 180, 270, 340])
def test_a_small_picture_has_what_fits_whole_apart_and_leaves_the_middle_free(width, height) -> None:
    boxes: list = []
    image = np.full((height, width, 3), 90, np.uint8)
    drawn = draw_overlay(image, history(), policy="pretrained/dynamite", scene="x", text_boxes=boxes)
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        for b in boxes[i + 1 :]:
            assert min(right, b[2]) - max(left, b[0]) <= 1 or min(bottom, b[3]) - max(top, b[1]) <= 1
    assert bool(boxes) == (width >= 40 and height >= 64)
    changed = (drawn != image).any(2)
    assert changed.any(1).mean() < 0.75
    assert not changed[height // 2].any()


def test_what_does_not_fit_goes_in_order() -> None:
    def texts(width, height) -> int:
        boxes: list = []
        draw_overlay(np.zeros((height, width, 3), np.uint8), history(), policy="p", text_boxes=boxes)
        return len(boxes)

    # all: name, clock, truth, guess, return, force; then without the belief; then without the title
    assert [texts(320, 180), texts(320, 90), texts(320, 40)] == [6, 4, 2]


def test_every_preference_has_its_own_block() -> None:
    def boxes(latent) -> int:
        found: list = []
        draw_overlay(
            np.zeros((720, 1280, 3), np.uint8), history(3, False, latent), ["belief"], text_boxes=found
        )
        return len(found)

    assert boxes({"force": 3.0, "side": "left"}) == 2 * boxes({"force": 3.0})


def test_a_long_past_stays_small_and_keeps_its_ends_its_sum_and_its_shape() -> None:
    frames, past, sizes = history(1), Past(), []
    for t in range(30_000):
        past.add(replace(frames[0], t=t, reward=0.5, changed=t % 7 == 0, session=t // 7))
        sizes.append(len(past.curve) + len(past.starts))
    assert max(sizes) < 5000
    assert past.total == 15_000
    assert past.curve[0][0] == 0
    assert past.curve[-1][:2] == (29_999, 15_000)
    assert all(total == 0.5 * (t + 1) for t, total, _ in past.curve)
    gaps = np.diff([t for t, *_ in past.curve])
    assert gaps.max() <= 32
    # and for an ordinary episode nothing is let go
    assert [t for t, *_ in Past(history(200)).curve] == list(range(200))
