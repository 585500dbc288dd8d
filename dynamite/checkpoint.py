"""Checkpoints: a folder that is either whole or refused.

::

    model.safetensors       weights and normalisers
    training.safetensors    optimisers and episode buffer (absent from an export)
    config.yaml             the configuration
    manifest.json           format, scene spec, counters, sha256 of every file and of itself

A checkpoint is written beside its place and renamed into it; nothing is ever pickled.
"""

from __future__ import annotations

import hashlib
import json
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
from dynamite.config import Config
from dynamite.config_io import load_yaml, to_yaml
from dynamite.spec import SceneSpec
from scenes.errors import InputError

FORMAT = "dynamite-checkpoint/1"
_MODEL, _TRAINING, _CONFIG, _MANIFEST = (
    "model.safetensors",
    "training.safetensors",
    "config.yaml",
    "manifest.json",
)


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
    files = {_MODEL: save(_contiguous(agent.state_dict())), _CONFIG: to_yaml(agent.config).encode()}
    if training is not None:
        files[_TRAINING] = save(_contiguous(training))
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "spec": agent.spec.to_json(),
        "counters": counters or {},
        "sha256": {name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    }
    manifest["self"] = _digest(manifest)
    files[_MANIFEST] = json.dumps(manifest, indent=1).encode()

    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        for name, data in files.items():
            with open(partial / name, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        if folder.exists():
            old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
            os.rename(folder, old)
            os.rename(partial, folder)
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return folder


def load_checkpoint(folder: Path | str) -> Checkpoint:
    """Read a checkpoint and prove it whole.

    Raises:
        InputError: a missing, truncated, altered or foreign file, in one line that names it.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    data: dict[str, bytes] = {}
    for name, digest in manifest["sha256"].items():
        try:
            data[name] = (folder / name).read_bytes()
        except OSError:
            raise InputError(str(folder / name), "no readable file", "a whole checkpoint") from None
        if hashlib.sha256(data[name]).hexdigest() != digest:
            raise InputError(str(folder / name), "a damaged file (its sha256 differs)", "a whole checkpoint")
    if _MODEL not in data or _CONFIG not in data:
        raise InputError(str(folder), "a checkpoint without model or config", "a whole checkpoint")
    config = load_yaml(folder / _CONFIG)
    spec = SceneSpec.from_json(manifest["spec"], str(folder / _MANIFEST))
    agent = Agent(spec, config)
    try:
        agent.load_state_dict(load(data[_MODEL]))
        training = load(data[_TRAINING]) if _TRAINING in data else {}
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise InputError(str(folder / _MODEL), reason, "weights that fit its config.yaml") from None
    return Checkpoint(folder, config, spec, agent.eval(), training, manifest["counters"])


def export_checkpoint(source: Path | str, folder: Path | str) -> Path:
    """Write what acting needs of a checkpoint (weights, config, manifest) to ``folder``, such as a packaged agent's."""
    checkpoint = load_checkpoint(source)
    return save_checkpoint(Path(folder), checkpoint.agent, None, checkpoint.counters)


def read_manifest(folder: Path) -> dict[str, Any]:
    """A checkpoint's manifest, checked."""
    path = Path(folder) / _MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise InputError(str(folder), "no checkpoint there", f"a folder with {_MANIFEST}") from None
    except ValueError:
        raise InputError(str(path), "a damaged file (not JSON)", "a whole checkpoint") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise InputError(str(path), found, f"format {FORMAT}")
    claimed = manifest.pop("self", None)
    if claimed != _digest(manifest):
        raise InputError(str(path), "a damaged file (its sha256 differs)", "a whole checkpoint")
    return manifest


def latest_checkpoint(run_dir: Path | str) -> Path | None:
    """The newest checkpoint under a run's folder (``checkpoints/<frames>``), or None."""
    folders = [p for p in (Path(run_dir) / "checkpoints").glob("[0-9]*") if (p / _MANIFEST).is_file()]
    return max(folders, key=lambda p: p.name, default=None)


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


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
