"""LatentSpace: values survive every form they are written in, and bad ones are named."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenes.errors import InputError
from scenes.latent import ChoiceField, LatentSpace, PointField, ScalarField, SurfacePoint, wrap_angle

SPACE = LatentSpace(
    (
        PointField("itch", "Itch", ("upper_arm", "forearm")),
        ScalarField("force", "Force", 1.0, 5.0, "N"),
        ChoiceField("side", "Side", ("left", "right", "none")),
    )
)


@given(st.integers(0, 2**32 - 1))
def test_vector_and_json_give_the_same_latent_back(seed: int) -> None:
    latent = SPACE.sample(np.random.default_rng(seed))
    assert SPACE.validate(json.loads(json.dumps(SPACE.to_json(latent)))) == latent
    vector = SPACE.to_vector(latent)
    assert vector.shape == (SPACE.size,)
    assert np.abs(vector).max() <= 1 + 1e-12
    back = SPACE.from_vector(vector)
    assert back["side"] == latent["side"]
    assert back["force"] == pytest.approx(latent["force"])
    assert back["itch"].part == latent["itch"].part
    assert back["itch"].axial == pytest.approx(latent["itch"].axial)
    assert math.cos(back["itch"].angle - latent["itch"].angle) == pytest.approx(1)


@given(st.floats(-50, 50))
def test_wrapped_angles_are_the_same_angle_in_range(angle: float) -> None:
    wrapped = wrap_angle(angle)
    assert -math.pi < wrapped <= math.pi
    assert math.cos(wrapped - angle) == pytest.approx(1)


def test_short_texts_name_points() -> None:
    base = SPACE.sample(np.random.default_rng(0))
    itch = SPACE.validate("forearm.ventral@0.7", base=base)["itch"]
    assert itch == SurfacePoint("forearm", 0.7, math.pi)
    assert SPACE.validate({"force": 2}, base=base)["itch"] == base["itch"]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"force": 9}, "latent.force: got 9"),
        ({"force": float("nan")}, "latent.force"),
        ({"force": True}, "latent.force"),
        ({"itch": "knee"}, "parts: upper_arm, forearm"),
        ({"itch": "forearm.front"}, "dorsal, lateral, ventral, medial"),
        ({"itch": "forearm@2"}, "latent.itch.axial"),
        ({"itch": {"part": "forearm", "axial": 0.5}}, "latent.itch"),
        ({"side": "up"}, "left, right, none"),
        ({"colour": 1}, "latent.colour"),
        (3, "fields itch, force, side"),
    ],
)
def test_bad_values_are_named_with_what_is_allowed(value, named: str) -> None:
    with pytest.raises(InputError) as raised:
        SPACE.validate(value, base=SPACE.sample(np.random.default_rng(0)))
    assert named in str(raised.value)
    assert "\n" not in str(raised.value)


def test_other_bounds_are_drawn_from_and_allow_what_was_out_of_range() -> None:
    force = ScalarField("force", "Force", 1.0, 5.0, "N")
    space = LatentSpace((force, ChoiceField("side", "Side", ("left", "right"))))
    beyond = space.with_ranges({"force": (6, 9)})
    drawn = [beyond.sample(np.random.default_rng(k))["force"] for k in range(50)]
    assert 6.0 <= min(drawn) < 6.5 < 8.5 < max(drawn) <= 9.0
    assert beyond.size == space.size
    assert space.sample(np.random.default_rng(0))["force"] < 5.0  # the other is as it was
    with pytest.raises(InputError, match="from 6 to 9 N"):
        beyond.validate({"force": 3.0})


@pytest.mark.parametrize(
    ("ranges", "named"),
    [
        ({"side": (0, 1)}, r"ranges\.side.*force"),
        ({"force": (5, 1)}, "the lower first"),
        ({"force": (1, math.inf)}, "finite"),
        ({"force": 5}, "two finite numbers"),
        ({"force": "ab"}, "two finite numbers"),
    ],
)
def test_bounds_that_are_none_are_named(ranges, named: str) -> None:
    space = LatentSpace((ScalarField("force", "F", 1.0, 5.0, "N"), ChoiceField("side", "S", ("a", "b"))))
    with pytest.raises(InputError, match=named):
        space.with_ranges(ranges)
