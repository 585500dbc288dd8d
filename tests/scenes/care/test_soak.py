"""Hostile actions: nothing becomes infinite, nothing passes through anything, memory stays."""

from __future__ import annotations

import pytest

from benchmarks.soak import care_scenes, soak
from scenes.registry import find_scene


def check(row: dict) -> None:
    assert row["finite"]
    assert row["inside"]
    assert row["refused"]
    assert row["deepest_overlap_m"] <= find_scene(row["scene"]).load().overlap_m
    assert row["rss_growth_mb"] < 5.0


@pytest.mark.parametrize("controller", ["assistive_gym", "responsive"])
@pytest.mark.parametrize("name", care_scenes())
def test_a_short_soak(name: str, controller: str) -> None:
    check(soak(name, 1500, seed=1, controller=controller))


@pytest.mark.slow
@pytest.mark.parametrize("name", care_scenes())
def test_a_long_soak(name: str) -> None:
    check(soak(name, 200_000, seed=2, controller="responsive"))
