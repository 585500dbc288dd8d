"""The names of TensorBoard's curves: what trainings write is what the table documents, no more and no less."""

from __future__ import annotations

import functools

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from dynamite.config_io import from_dict, to_dict
from dynamite.progress import METRICS
from dynamite.train import train
from dynamite.variants import configure, list_variants
from tests.dynamite.conftest import tiny
from tests.dynamite.test_learning import load_goal_walker

SHORT = {
    "train__frames": 6 * 60 * 2,
    "sac__updates": 2,
    "sac__batch": 8,
    "sac__pool_episodes": 6,
    "sac__hidden": [8],
}


@functools.cache
def written(name: str, folder) -> frozenset[str]:
    """Names of the scalars in the TensorBoard files of a short training."""
    if name == "imitation":
        teacher = {"imitation__teacher": "goal", "imitation__frames": 360, "imitation__updates": 1}
        train(tiny(**SHORT, **teacher), folder / name, load_policy=load_goal_walker)
    elif name == "every term":
        terms = {
            "objective__state_weight": 1.0,
            "objective__task_weight": 1.0,
            "objective__contrastive_weight": 1.0,
        }
        train(tiny(**SHORT, **terms), folder / name)
    elif name == "scratch_itch":
        values = to_dict(configure(name, "markov"))
        values["train"] |= {"copies": 2, "workers": 0, "frames": 400}
        values["imitation"] |= {"frames": 0}
        train(from_dict(values), folder / name)
    else:
        train(tiny(name, **SHORT), folder / name)
    events = EventAccumulator(str(folder / name / "tensorboard"))
    events.Reload()
    return frozenset(events.Tags()["scalars"])


TRAININGS = (*list_variants(), "imitation", "every term", "scratch_itch")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.mark.parametrize("name", TRAININGS)
def test_every_name_written_is_documented(folder, name):
    assert written(name, folder) - METRICS.keys() == set()


def test_every_name_documented_is_written_by_some_training(folder):
    assert METRICS.keys() - frozenset().union(*(written(name, folder) for name in TRAININGS)) == set()
