"""What the documentation says of a scene is what the scene is."""

from __future__ import annotations

import math
import os
import re

import gymnasium as gym
import numpy as np
import pytest

from scenes import list_scenes, make_scene
from scenes.care.robots import ROBOTS
from scenes.registry import SCENES
from scripts import robot_page
from scripts.page_pictures import draw_scene, draw_start, keep_picture
from scripts.scene_pages import SECTIONS, docstring, page, sections_of, write_pages
from tests.scenes.scene_cases import every_name

_TABLE = re.compile(r"^( *)(=+(?: +=+)+)\n(.*?)\n\1\2\n(.*?)\n\1\2$", re.M | re.S)


def written_tables(text: str) -> list[list[dict[str, str]]]:
    """The simple tables of a docstring: one mapping per row, from the column's head."""
    tables = []
    for indent, ruler, head, body in _TABLE.findall(text):
        starts = [match.start() for match in re.finditer("=+", ruler)]
        spans = list(zip(starts, [*starts[1:], None], strict=True))
        rows = [line[len(indent) :] for line in [head, *body.split("\n")]]
        names, *cells = [[row[a:b].strip() for a, b in spans] for row in rows]
        tables.append([dict(zip(names, row, strict=True)) for row in cells])
    return tables


def number(text: str, n: int) -> int:
    """``7+2n`` with n filled in."""
    assert re.fullmatch(r"[0-9n+ ]+", text), (
        f"write {text!r} as a sum of numbers and multiples of n, as in 7+2n"
    )
    terms = (re.fullmatch(r"(\d*)(n?)", term.strip()) for term in text.split("+"))
    return sum(int(term[1] or 1) * (n if term[2] else 1) for term in terms if term)


def span(text: str, following: str | None, n: int, size: int) -> tuple[int, int]:
    """First and last index of a row: ``6``, ``0–2``, ``7+2n …`` (to the next row) or ``last``."""
    if text == "last":
        return size - 1, size - 1
    if text.endswith("…"):
        end = size - 1 if following is None else span(following, None, n, size)[0] - 1
        return number(text[:-1].strip(), n), end
    first, _, last = text.partition("–")
    return number(first, n), number(last or first, n)


def bounds(text: str) -> tuple[float, float]:
    """``±π`` or ``0–1000``."""
    if text.startswith("±"):
        high = math.pi if text == "±π" else float(text[1:])
        return -high, high
    low, _, high = text.replace("−", "-").rpartition("–")
    return float(low), float(high)


@pytest.mark.parametrize("name", list_scenes())
def test_a_scene_says_what_can_be_done_seen_earned_and_hidden_in_it(name: str) -> None:
    assert sections_of(docstring(SCENES[name].load())) == set(SECTIONS)


@every_name
def test_sizes_that_a_docstring_states_are_those_of_the_spaces(name: str) -> None:
    scene, text = make_scene(name), docstring(SCENES[name].load())
    discrete = isinstance(scene.action_space, gym.spaces.Discrete)
    n = int(scene.action_space.n if discrete else scene.action_space.shape[0])
    size = scene.observation_space.shape[0]
    for stated in re.findall(r"\*\*Observation\*\*:? \(([^)]*),\)", text):
        assert number(stated, n) == size
    for stated in re.findall(r"\*\*Action\*\*:? \((\d+),\)|\*\*Action\*\*:? Discrete\((\d+)\)", text):
        assert int("".join(stated)) == n
    scene.close()


@every_name
def test_ranges_that_a_docstring_states_are_those_of_the_observation_space(name: str) -> None:
    scene, text = make_scene(name), docstring(SCENES[name].load())
    n, space = scene.action_space.shape[0] if scene.action_space.shape else 0, scene.observation_space
    for rows in written_tables(text):
        if "index" not in rows[0] or "range" not in rows[0]:
            continue
        covered = []
        for row, following in zip(rows, [*rows[1:], None], strict=True):
            first, last = span(row["index"], following and following["index"], n, space.shape[0])
            low, high = bounds(row["range"])
            np.testing.assert_allclose(space.low[first : last + 1], low, rtol=1e-5, err_msg=row["index"])
            np.testing.assert_allclose(space.high[first : last + 1], high, rtol=1e-5, err_msg=row["index"])
            covered += range(first, last + 1)
        assert covered == list(range(space.shape[0]))
    scene.close()


def test_a_docstring_with_another_range_would_be_noticed() -> None:
    text = "=====  =====\nindex  range\n=====  =====\n0–2    ±3\n3+n …  0–7\nlast   ±π\n=====  ====="
    rows = written_tables(text)[0]
    assert [span(row["index"], "last", 2, 9) for row in rows] == [(0, 2), (5, 7), (8, 8)]
    assert [bounds(row["range"]) for row in rows] == [(-3, 3), (0, 7), (-math.pi, math.pi)]


@every_name
def test_the_bounds_on_a_page_are_those_of_a_live_scene(name: str) -> None:
    scene, text = make_scene(name), page(name, SCENES[name], None)
    for title in ("Action", "Observation"):
        space = scene.action_space if title == "Action" else scene.observation_space
        table = text.split(f".. list-table:: {title}\n")[1].split(".. list-table::")[0]
        cells = re.findall(r"^   [* ] - (.*)$", table, re.M)[3:]
        if isinstance(space, gym.spaces.Discrete):
            assert cells == ["0", "0", str(space.n - 1)]
            continue
        low, high = np.full(space.shape, np.nan), np.full(space.shape, np.nan)
        for index, least, most in zip(cells[::3], cells[1::3], cells[2::3], strict=True):
            first, _, last = index.partition("–")
            low[int(first) : int(last or first) + 1] = float(least)
            high[int(first) : int(last or first) + 1] = float(most)
        np.testing.assert_allclose(low, space.low, rtol=1e-5)
        np.testing.assert_allclose(high, space.high, rtol=1e-5)
    for field in scene.latent_space.names:
        assert f"``{field}``" in text
    scene.close()


@pytest.mark.parametrize("name", ["gridworld", "scratch_itch"])
def test_a_page_has_a_picture_of_its_scene(name: str) -> None:
    picture = draw_scene(name)
    assert picture.shape[2] == 3
    assert min(picture.shape[:2]) >= 300
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > (8 if name == "gridworld" else 1000)


def test_every_scene_has_a_page_and_unchanged_pages_are_left_alone(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("scripts.scene_pages.draw_scene", lambda name: np.zeros((4, 4, 3), np.uint8))
    write_pages(tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert {f"{name}.rst" for name in SCENES} | {"index.rst"} <= set(before)
    write_pages(tmp_path)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


def test_a_picture_is_drawn_again_only_where_what_it_shows_may_have_changed(tmp_path) -> None:
    drawn = []

    def draw() -> np.ndarray:
        drawn.append(1)
        return np.zeros((4, 4, 3), np.uint8)

    for _ in range(2):
        keep_picture(tmp_path / "a.png", draw)
    assert len(drawn) == 1
    os.utime(tmp_path / "a.png", (0, 0))  # older than any source
    keep_picture(tmp_path / "a.png", draw)
    assert len(drawn) == 2


def test_a_picture_that_cannot_be_drawn_is_named(tmp_path) -> None:
    with pytest.raises(
        RuntimeError, match=r"reacher\.png cannot be drawn: robot: got 'hand'; allowed: one of"
    ):
        keep_picture(
            tmp_path / "reacher.png", lambda: draw_start("scratch_itch", robot_page.CAMERA, robot="hand")
        )


def test_the_page_of_robots_has_every_robot_with_its_joints(tmp_path) -> None:
    text = robot_page.page(("panda",))
    rows = re.findall(r"\* - ``(\w+)``\n     - (.*)\n     - (\d+)\n     - (.*)\n", text)
    assert [(name, label, int(n)) for name, label, n, _ in rows] == [
        (name, robot.label, robot.n_joints) for name, robot in ROBOTS.items()
    ]
    assert all(places for *_, places in rows)
    assert "robot_panda.png" in text


def test_robots_look_different() -> None:
    jaco, panda = (
        draw_start(robot_page.SCENE, robot_page.CAMERA, robot=name).astype(int) for name in ("jaco", "panda")
    )
    assert (np.abs(jaco - panda).max(2) > 40).mean() > 0.01
