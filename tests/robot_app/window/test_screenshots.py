"""The pictures of the docs: every panel in every look, there, small, and used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image

from robot_app.window.panel import find_panels
from robot_app.window.screenshots import DOCS, PICTURES

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "docs" / "images"
#: In every layout but presenter mode.
ALWAYS = {"viewport", "timeline"}


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_every_panel_is_shown_in_every_theme_and_size(theme, size):
    shown = set(ALWAYS)
    for name in DOCS:
        width, height, look, front, _ = PICTURES[name]
        if (width, height, look) == (*size, theme):
            shown |= set(front)
    assert shown >= {cls.__module__.rpartition(".")[2] for cls in find_panels()}


def test_the_pictures_are_there_in_their_size_and_small_together():
    stored = sorted(path.stem for path in IMAGES.glob("window*.png"))
    assert stored == sorted(DOCS)
    for name in DOCS:
        with Image.open(IMAGES / f"{name}.png") as image:
            assert image.size == PICTURES[name][:2]
    assert sum((IMAGES / f"{name}.png").stat().st_size for name in DOCS) < 3_000_000


def test_every_picture_that_a_page_names_is_there():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    named = [
        (page, found)
        for page in pages
        for found in re.findall(r"\]\((?:docs/)?images/([\w-]+\.png)\)", page.read_text())
    ]
    assert len({found for _, found in named}) >= 8
    assert [pair for pair in named if not (IMAGES / pair[1]).is_file()] == []
