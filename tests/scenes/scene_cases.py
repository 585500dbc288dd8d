"""Every registered scene, built the cheapest real way, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from scenes import list_scenes, make_scene
from scenes.care.robots import ROBOTS
from scenes.registry import SCENES

#: The registered scenes; care scenes also with their other robots, controller and latent fields.
CASES: dict[str, tuple[str, dict]] = {name: (name, {}) for name in list_scenes()}
for robot in ROBOTS:
    if robot != "jaco":  # the default
        CASES[f"scratch_itch-{robot}"] = ("scratch_itch", {"robot": robot})
CASES["scratch_itch-responsive"] = ("scratch_itch", {"controller": "responsive"})
CASES["scratch_itch-all-fields"] = (
    "scratch_itch",
    {"fields": ("itch", "force", "impairment"), "gender": "female"},
)
CASES["scratch_itch-tremor"] = ("scratch_itch", {"impairment": "tremor"})
CASES["arm_manipulation-all-fields"] = (
    "arm_manipulation",
    {"fields": ("sore", "tolerance", "impairment"), "gender": "female"},
)
CASES["bed_bathing-panda"] = ("bed_bathing", {"robot": "panda", "controller": "responsive"})
CASES["bed_bathing-all-fields"] = (
    "bed_bathing",
    {"fields": ("region", "pressure", "impairment"), "gender": "female"},
)
CASES["dressing-all-fields"] = (
    "dressing",
    {"fields": ("sore", "pace", "tolerance", "impairment"), "gender": "female", "controller": "responsive"},
)
CASES["feeding-panda"] = ("feeding", {"robot": "panda", "controller": "responsive", "refill": False})
CASES["feeding-all-fields"] = ("feeding", {"fields": ("side", "pace", "impairment"), "gender": "female"})
CASES["drinking-panda"] = ("drinking", {"robot": "panda", "controller": "responsive", "refill": False})
CASES["drinking-all-fields"] = (
    "drinking",
    {"fields": ("side", "tilt_rate", "impairment"), "gender": "female"},
)
CASES["gridworld-four-actions"] = ("gridworld", {"actions": 4, "start": "random", "exact_belief": True})
CASES["gridworld_contexts-gale"] = ("gridworld_contexts", {"gust": 1.0, "reset_on_session_end": False})
CASES["reacher-sparse"] = ("reacher", {"reward": "sparse"})
CASES["half_cheetah_wind_vel-sparse"] = ("half_cheetah_wind_vel", {"reward": "sparse"})


def where_installed(name: str, *values):
    """A test's parameters (the scene's name by default), skipped where the extra of the scene ``name`` is missing."""
    skip = pytest.mark.skipif(not SCENES[name].installed, reason=f"{name} needs {SCENES[name].command}")
    return pytest.param(*(values or (name,)), marks=skip)


every_name = pytest.mark.parametrize("name", [where_installed(name) for name in list_scenes()])


def cases_beside(others: Iterable[str]):
    """A test over all cases but ``others``."""
    cases = [where_installed(name, case) for case, (name, _) in CASES.items() if case not in others]
    return pytest.mark.parametrize("case", cases)


every_scene = cases_beside(())


def build(case: str, **more):
    """A fresh scene of a case."""
    name, options = CASES[case]
    return make_scene(name, **{**options, **more})
