"""Every registered scene, built the cheapest real way, for tests that hold for all of them."""

from __future__ import annotations

import pytest

from scenes import list_scenes, make_scene

#: The registered scenes; care scenes also with their other robot, controller and latent fields.
CASES: dict[str, tuple[str, dict]] = {name: (name, {}) for name in list_scenes()}
CASES["scratch_itch-panda"] = ("scratch_itch", {"robot": "panda"})
CASES["scratch_itch-responsive"] = ("scratch_itch", {"controller": "responsive"})
CASES["scratch_itch-all-fields"] = (
    "scratch_itch",
    {"fields": ("itch", "force", "impairment"), "gender": "female"},
)
CASES["scratch_itch-tremor"] = ("scratch_itch", {"impairment": "tremor"})

every_scene = pytest.mark.parametrize("case", CASES)


def build(case: str, **more):
    """A fresh scene of a case."""
    name, options = CASES[case]
    return make_scene(name, **{**options, **more})
