"""A training killed at random moments and resumed each time ends with the weights of one that was never disturbed.

Kills are SIGKILL: no handler runs, nothing is flushed. What must agree: weights, normalisers, optimisers, episode buffer,
probe, counters, and the curve.
"""

from __future__ import annotations

import importlib
import itertools
import multiprocessing
import random
import statistics
import time
from collections import deque
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch

import dynamite.train as training
from dynamite.checkpoint import latest_checkpoint, load_checkpoint
from dynamite.config import Config
from dynamite.config_io import from_dict, to_dict
from dynamite.progress import read_lines
from dynamite.variants import configure
from tests.dynamite.conftest import tiny

#: Forks of a process that has everything imported: an attempt begins in milliseconds.
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["dynamite.train", "policies", "torch.utils.tensorboard", __name__])

#: What a training announces: that it is about to write a checkpoint, and that an iteration is over.
SAVING, DONE = "saving", "done"


def _train(values: dict[str, Any], run: Path, pipe: Connection) -> None:
    save = training.save_checkpoint

    def announced(*arguments: Any) -> Path:
        pipe.send(SAVING)
        return save(*arguments)

    training.save_checkpoint = announced
    config = from_dict(values)
    load_policy = importlib.import_module("policies").load if config.imitation.frames else None
    training.train(config, run, lambda _: pipe.send(DONE), load_policy=load_policy, resume=True)


def attempt(
    config: Config, run: Path, kill_after: tuple[int, float] | None = None
) -> tuple[bool, list[tuple[str, float]]]:
    """Go on with the run; be killed so many seconds after so many announcements.

    Returns:
        Whether it was killed; and what was announced and when.
    """
    ours, theirs = _context.Pipe()
    process = _context.Process(target=_train, args=(to_dict(config), run, theirs))
    process.start()
    theirs.close()
    heard: list[tuple[str, float]] = []
    try:
        while kill_after is None or len(heard) < kill_after[0]:
            heard.append((ours.recv(), time.monotonic()))
        time.sleep(kill_after[1])
        process.kill()
    except EOFError:
        pass  # it was done before
    process.join()
    ours.close()
    assert process.exitcode in (0, -9)
    return process.exitcode == -9, heard


def everything(run: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any], list[dict[str, Any]]]:
    """All tensors, the counters and the curve of a run's last checkpoint."""
    checkpoint = load_checkpoint(latest_checkpoint(run))
    tensors = {**checkpoint.agent.state_dict(), **checkpoint.training}
    curve = read_lines(run / "progress.jsonl")
    for line in curve:
        clocks = [name for name in line["metrics"] if name.startswith(("time/", "engine/"))]
        for name in ("fps", "seconds_left", "checkpoint"):
            line.pop(name)
        for name in clocks:
            line["metrics"].pop(name)
    return tensors, checkpoint.counters, curve


def disturb(config: Config, folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Compare a run that is killed ``kills`` times with one that is not; what the kills hit.

    Half of the kills come in or after the writing of a checkpoint, half while an attempt begins or learns.
    """
    whole, disturbed = folder / "whole", folder / "disturbed"
    #: The latest times from one announcement to the next: the machine's load changes.
    gaps: dict[str, deque[float]] = {SAVING: deque(maxlen=9), DONE: deque(maxlen=9)}

    def note(heard: list[tuple[str, float]]) -> None:
        for (what, when), (_, later) in itertools.pairwise(heard):
            gaps[what].append(later - when)

    note(attempt(config, whole)[1])
    chance, hit = random.Random(seed), {"kills": 0, "without progress": 0, "within a save": 0}
    while hit["kills"] < kills:
        announcements, before = chance.randrange(5), latest_checkpoint(disturbed)
        # They alternate, SAVING first; an attempt's beginning takes longer than an iteration, so some of those get nowhere.
        wait = chance.uniform(0.0, 1.5 * statistics.median(gaps[SAVING if announcements % 2 else DONE]))
        killed, heard = attempt(config, disturbed, (announcements, wait))
        note(heard)
        if not killed:
            break
        hit["kills"] += 1
        hit["without progress"] += latest_checkpoint(disturbed) == before
        hit["within a save"] += any((disturbed / "checkpoints").glob(".*partial*"))
    attempt(config, disturbed)

    tensors, counters, curve = everything(whole)
    again, counters_again, curve_again = everything(disturbed)
    assert tensors.keys() == again.keys()
    assert [name for name in tensors if not torch.equal(tensors[name], again[name])] == []
    assert counters == counters_again
    assert curve == curve_again
    assert hit["kills"] == kills  # else it was done before
    return hit


def small(iterations: int, variant: str = "dynamite", **more: Any) -> Config:
    """A checkpoint after every iteration, so that every attempt can get somewhere."""
    return tiny(variant, train__frames=6 * 60 * iterations, train__checkpoint_every=1, **more)


def test_five_kills_change_nothing(tmp_path):
    disturb(small(14), tmp_path, kills=5, seed=0)


@pytest.mark.slow
def test_fifty_kills_change_nothing(tmp_path, capsys):
    hit = disturb(small(140), tmp_path, kills=50, seed=1)
    with capsys.disabled():
        print(f"\n{hit}")


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["borel", "rl2", "secbad", "contrabar"])
def test_kills_change_nothing_in_any_variant(tmp_path, variant):
    sac = {
        "sac__updates": 4,
        "sac__batch": 16,
        "sac__pool_episodes": 6,
        "sac__buffer_episodes": 12,
        "sac__hidden": [8],
    }
    disturb(small(18, variant, **sac), tmp_path, kills=6, seed=2)


@pytest.mark.slow
def test_kills_change_nothing_with_physics_in_workers_and_a_teacher(tmp_path):
    values = to_dict(configure("scratch_itch", "dynamite"))
    values["train"] |= {"copies": 3, "workers": 2, "frames": 3 * 200 * 18, "checkpoint_every": 1}
    values["imitation"] |= {
        "teacher": "scripted/scratch_itch",
        "frames": 3 * 200 * 9,
        "updates": 2,
        "policy_steps": 2,
    }
    values["model"] |= {"batch_episodes": 3, "buffer_episodes": 6, "updates": 1}
    values["ppo"] |= {"epochs": 1, "minibatches": 2}
    disturb(from_dict(values), tmp_path, kills=6, seed=3)
