"""Everything a training allocates is where its networks are, whatever PyTorch's default device is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dynamite.device import find_device
from dynamite.train import Trainer, train
from dynamite.variants import list_variants
from dynamite.vector import make_vector
from scenes.errors import InputError
from tests.dynamite.conftest import tiny
from tests.dynamite.test_learning import load_goal_walker

SMALL = {"sac__updates": 2, "sac__batch": 8, "sac__pool_episodes": 6, "sac__hidden": [8]}
CASES = {
    **{name: (name, {}) for name in list_variants()},
    "transformer": ("dynamite", {"encoder__kind": "transformer"}),
    "every term": (
        "dynamite",
        {
            "objective__state_weight": 1.0,
            "objective__task_weight": 1.0,
            "objective__contrastive_weight": 1.0,
            "contrastive__samples": 0,
            "policy__sees_termination": True,
        },
    ),
    "all pairs": ("dynamite", {"objective__reconstruction_samples": 0, "objective__session_mask": False}),
    "state per cell": ("dynamite", {"decoder__reward_per_state": True}),
    "imitation": (
        "dynamite",
        {"imitation__teacher": "goal", "imitation__frames": 10**6, "imitation__updates": 1},
    ),
    "through the encoder": ("dynamite", {"ppo__through_encoder": True}),
}


def trainer(case: str) -> Trainer:
    variant, overrides = CASES[case]
    config = tiny(variant, **SMALL, **overrides)
    teacher = (lambda scene: load_goal_walker("goal", scene)) if config.imitation.frames else None
    return Trainer(config, make_vector(config.scene, config.train.copies, teacher=teacher))


@pytest.mark.parametrize("case", CASES)
def test_nothing_is_left_to_the_default_device(case):
    """Under a default device that holds no numbers, a training that names its device each time learns the same."""
    one, other = trainer(case), trainer(case)
    for _ in range(2):
        one.iterate()
        with torch.device("meta"):
            other.iterate()
    weights = other.agent.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in one.agent.state_dict().items())


@pytest.mark.parametrize("case", CASES)
def test_the_global_random_stream_is_not_touched(case):
    """All randomness is derived from the seed and the iteration, or a resumed training would differ."""
    one = trainer(case)
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one.iterate()
    assert torch.equal(before, torch.get_rng_state())
    assert np.array_equal(numpy_before, np.random.get_state()[1])  # noqa: NPY002


def test_cuda_is_taken_where_there_is_one_and_asked_for_in_vain_elsewhere(monkeypatch, tmp_path):
    for there_is, auto in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there_is=there_is: there_is)
        assert find_device("auto").type == auto
        assert find_device("cpu").type == "cpu"
    with pytest.raises(InputError, match=r"train\.device: got 'cuda'; allowed: cpu or auto"):
        train(tiny(train__device="cuda"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("case", CASES)
def test_a_training_on_cuda_can_be_saved_and_resumed(case, tmp_path):
    variant, overrides = CASES[case]
    config = tiny(variant, train__device="cuda", **SMALL, **overrides)
    seen = []
    run = {"load_policy": load_goal_walker, "on_progress": seen.append}
    train(config, tmp_path / "run", should_stop=lambda: True, **run)
    train(config, tmp_path / "run", resume=True, **run)
    assert len(seen) == 4
    assert all(np.isfinite(list(progress.metrics.values())).all() for progress in seen)
