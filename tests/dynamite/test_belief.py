"""What a belief says in the words of the latent space."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dynamite.belief import Belief, ChoicePosterior, PointPosterior, ScalarPosterior
from dynamite.config import ProbeConfig
from dynamite.probe import LatentProbe
from scenes.latent import ChoiceField, LatentSpace, PointField, ScalarField, SurfacePoint

SPACE = LatentSpace(
    (
        PointField("itch", "Itch", ("upper_arm", "forearm")),
        ScalarField("force", "Force", 1.0, 5.0, "N"),
        ChoiceField("goal", "Goal", ("first", "second", "third")),
    )
)


def test_the_likeliest_value_of_every_field_is_told_in_its_own_words() -> None:
    grid = np.full((2, 12, 16), 1e-3)
    grid[1, 3, 0] = 0.5
    belief = Belief(
        np.zeros(1),
        np.zeros(1),
        None,
        {
            "itch": PointPosterior(grid),
            "force": ScalarPosterior(2.5, 0.3),
            "goal": ChoicePosterior(np.array([0.2, 0.1, 0.7])),
        },
    )
    found = belief.likeliest(SPACE)
    assert found["itch"] == SurfacePoint("forearm", 3.5 / 12, pytest.approx(-np.pi + np.pi / 16))
    assert (found["force"], found["goal"]) == (2.5, "third")


@pytest.mark.parametrize(("part", "i", "j"), [(0, 0, 0), (1, 11, 15), (0, 5, 8)])
def test_cells_have_their_centres_where_the_probe_learns_them(part: int, i: int, j: int) -> None:
    """A truth at a cell's centre is labelled with that cell."""
    probe = LatentProbe(LatentSpace((SPACE.fields[0],)), 3, ProbeConfig())
    shape = (2, probe.config.n_axial, probe.config.n_angle)
    i, j = i % shape[1], j % shape[2]
    axial, angle = PointPosterior(np.zeros(shape)).centre(i, j)
    point = SurfacePoint(SPACE.fields[0].parts[part], axial, angle)
    truth = torch.as_tensor(probe.space.to_vector({"itch": point}), dtype=torch.float32)[None]
    label = probe.point_label(SPACE.fields[0], truth)[0].numpy().reshape(shape)
    assert PointPosterior(label).likeliest() == (part, i, j)
