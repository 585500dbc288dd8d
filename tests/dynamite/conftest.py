"""The smallest real things: gridworld settings that learn in moments, and a checkpoint of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from dynamite.agent import Agent
from dynamite.checkpoint import save_checkpoint
from dynamite.config import Config
from dynamite.config_io import with_overrides
from dynamite.spec import SceneSpec
from dynamite.variants import configure
from scenes import make_scene

TINY = {
    "train.copies": 6,
    "train.frames": 6 * 60 * 4,
    "train.checkpoint_every": 10**9,
    "encoder.hidden": 16,
    "policy.hidden": [16],
    "model.batch_episodes": 4,
    "model.buffer_episodes": 8,
    "model.updates": 2,
    "ppo.minibatches": 2,
}


@pytest.fixture(autouse=True)
def _one_thread():
    torch.set_num_threads(1)


def tiny(variant: str = "dynamite", **overrides) -> Config:
    """A configuration on gridworld that trains in a second; keyword ``ppo__lr`` sets ``ppo.lr``."""
    extra = {name.replace("__", "."): value for name, value in overrides.items()}
    return with_overrides(configure("gridworld", variant), {**TINY, **extra})


def new_agent(config: Config, scene: str = "gridworld") -> Agent:
    torch.manual_seed(0)
    return Agent(SceneSpec.of(make_scene(scene, **config.scene.options)), config)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """An untrained but whole export."""
    return save_checkpoint(tmp_path / "checkpoint", new_agent(tiny()), None, {"frames": 7, "iteration": 1})
