"""Checkpoints: a folder that is either whole or refused.

::

    model.safetensors       weights and normalisers
    training.safetensors    optimisers and episode buffer (absent from an export)
    config.yaml             the configuration
    manifest.json           format, scene spec, counters, sha256 of every file and of itself

A checkpoint is written beside its place, brought to disk and renamed into it; nothing is ever pickled. So a crash, a kill
or a full disk leaves what stood there before.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from dynamite.agent import Agent
from dynamite.checkpoint_files import (
    CONFIG,
    FORMAT,
    MANIFEST,
    MODEL,
    OLD,
    PARTIAL,
    TRAINING,
    list_checkpoints,
    manifest_digest,
    read_described,
    read_whole,
    tidy,
)
from dynamite.checkpoint_files import (
    latest_checkpoint as latest_checkpoint,  # of what is read, as of what is written
)
from dynamite.config import Config
from dynamite.config_io import to_yaml
from dynamite.spec import SceneSpec
from scenes.errors import InputError

#: What :func:`resume_point` calls a checkpoint that it found damaged.
_DAMAGED = "damaged-{}"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What a folder holds.

    Attributes:
        agent: in evaluation mode, weights loaded.
        training: tensors of optimisers and buffer by name; empty for an export.
        counters: ``iteration``, ``frames`` and whatever else the trainer counts.
    """

    path: Path
    config: Config
    spec: SceneSpec
    agent: Agent
    training: dict[str, Tensor]
    counters: dict[str, Any]


def save_checkpoint(
    folder: Path,
    agent: Agent,
    training: dict[str, Tensor] | None = None,
    counters: dict[str, Any] | None = None,
) -> Path:
    """Write a checkpoint to ``folder``, replacing what stood there; an export where ``training`` is None."""
    folder = Path(folder)
    files = {MODEL: save(_contiguous(agent.state_dict())), CONFIG: to_yaml(agent.config).encode()}
    if training is not None:
        files[TRAINING] = save(_contiguous(training))
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "spec": agent.spec.to_json(),
        "counters": counters or {},
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    manifest["self"] = manifest_digest(manifest)
    files[MANIFEST] = json.dumps(manifest, indent=1).encode()

    folder.parent.mkdir(parents=True, exist_ok=True)
    tidy(folder)
    partial = folder.with_name(PARTIAL.format(folder.name, os.getpid()))
    try:
        partial.mkdir()
        for name, data in files.items():
            with open(partial / name, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        _sync_folder(partial)
        if folder.exists():
            old = folder.with_name(OLD.format(folder.name, os.getpid()))
            os.rename(folder, old)
            os.rename(partial, folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(partial, folder)
        _sync_folder(folder.parent)
    except BaseException:
        tidy(folder)
        raise
    return folder


def _sync_folder(folder: Path) -> None:
    """Bring a folder's list of names to disk; a file system that cannot is left to its own ways."""
    with contextlib.suppress(PermissionError, NotImplementedError):  # Windows opens no folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def load_checkpoint(folder: Path | str) -> Checkpoint:
    """Read a checkpoint and prove it whole.

    Raises:
        InputError: a missing, truncated, altered or foreign file, in one line that names it.
    """
    folder = Path(folder)
    manifest, data, config, spec = read_described(folder)
    agent = Agent(spec, config)
    try:
        agent.load_state_dict(load(data[MODEL]))
        training = load(data[TRAINING]) if TRAINING in data else {}
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(str(folder / MODEL), reason, "weights that fit its config.yaml") from None
    return Checkpoint(folder, config, spec, agent.eval(), training, manifest["counters"])


def export_checkpoint(source: Path | str, folder: Path | str) -> Path:
    """Write what acting needs of a checkpoint (weights, config, manifest) to ``folder``, such as a packaged agent's."""
    checkpoint = load_checkpoint(source)
    return save_checkpoint(Path(folder), checkpoint.agent, None, checkpoint.counters)


def resume_point(run_dir: Path | str) -> Path | None:
    """The newest checkpoint that is whole, or None where a run has none at all.

    Newer ones that are not whole are told in a line and renamed to ``damaged-<frames>``, out of the way of the checkpoints
    to come.

    Raises:
        InputError: the run has checkpoints, but none that is whole.
    """
    damaged: list[tuple[Path, InputError]] = []
    whole = None
    for folder in reversed(list_checkpoints(run_dir)):
        try:
            read_whole(folder)
        except InputError as error:
            damaged.append((folder, error))
        else:
            whole = folder
            break
    if damaged and whole is None:
        raise damaged[0][1]
    for folder, mistake in damaged:
        aside = folder.with_name(_DAMAGED.format(folder.name))
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(folder, aside)
        _log.warning("skipped %s (set aside as %s): going on from %s", mistake, aside.name, whole)
    return whole


def pack_optimiser(prefix: str, optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Adam's state as named tensors (its settings come from the configuration)."""
    packed = {}
    for number, state in optimiser.state_dict()["state"].items():
        for name, value in state.items():
            packed[f"{prefix}.{number}.{name}"] = torch.as_tensor(value)
    return packed


def unpack_optimiser(prefix: str, optimiser: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Inverse of :func:`pack_optimiser`."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith(prefix + "."):
            _, number, key = name.rsplit(".", 2)
            state.setdefault(int(number), {})[key] = value
    groups = optimiser.state_dict()["param_groups"]
    optimiser.load_state_dict({"state": state, "param_groups": groups})


def _contiguous(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().contiguous().clone() for name, value in tensors.items()}
