"""What a checkpoint's folder holds, proven whole and read without PyTorch, so that who only acts need not import it.

The format, and what writes it, are in :mod:`dynamite.checkpoint`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from safetensors import SafetensorError
from safetensors.numpy import load

from dynamite.config import Config
from dynamite.config_io import load_yaml
from dynamite.spec import SceneSpec
from scenes.errors import InputError

FORMAT = "dynamite-checkpoint/1"
MODEL, TRAINING, CONFIG, MANIFEST = (
    "model.safetensors",
    "training.safetensors",
    "config.yaml",
    "manifest.json",
)
#: Names of what a crash may leave beside a checkpoint's place.
PARTIAL, OLD = ".{}.partial-{}", ".{}.old-{}"


@dataclass(frozen=True)
class Stored:
    """What acting needs of a checkpoint.

    Attributes:
        arrays: weights and normalisers by their names in the agent's ``state_dict``.
    """

    path: Path
    config: Config
    spec: SceneSpec
    arrays: dict[str, np.ndarray]


def read_stored(folder: Path | str) -> Stored:
    """Read a checkpoint and prove it whole; whether its weights fit its configuration is not looked at.

    Raises:
        InputError: a missing, truncated, altered or foreign file, in one line that names it.
    """
    folder = Path(folder)
    _, data, config, spec = read_described(folder)
    try:
        return Stored(folder, config, spec, load(data[MODEL]))
    except SafetensorError as error:
        raise InputError(str(folder / MODEL), str(error), "weights that fit its config.yaml") from None


def read_described(folder: Path) -> tuple[dict[str, Any], dict[str, bytes], Config, SceneSpec]:
    """As :func:`read_whole`, and what the files say of themselves: the configuration, and the scene it was trained in."""
    manifest, data = read_whole(folder)
    return (
        manifest,
        data,
        load_yaml(folder / CONFIG),
        SceneSpec.from_json(manifest["spec"], str(folder / MANIFEST)),
    )


def read_whole(folder: Path) -> tuple[dict[str, Any], dict[str, bytes]]:
    """A checkpoint's manifest and its files, each proven by its digest."""
    if not folder.exists() and folder.parent.is_dir():
        tidy(folder)
    manifest = read_manifest(folder)
    data: dict[str, bytes] = {}
    for name, digest in manifest["sha256"].items():
        try:
            data[name] = (folder / name).read_bytes()
        except OSError:
            raise InputError(str(folder / name), "no readable file", "a whole checkpoint") from None
        if hashlib.sha256(data[name]).hexdigest() != digest:
            raise InputError(str(folder / name), "a damaged file (its sha256 differs)", "a whole checkpoint")
    if MODEL not in data or CONFIG not in data:
        raise InputError(str(folder), "a checkpoint without model or config", "a whole checkpoint")
    return manifest, data


def read_manifest(folder: Path) -> dict[str, Any]:
    """A checkpoint's manifest, checked."""
    path = Path(folder) / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
        manifest = json.loads(text)
    except OSError:
        raise InputError(str(folder), "no checkpoint there", f"a folder with {MANIFEST}") from None
    except ValueError:
        raise InputError(str(path), "a damaged file (not JSON)", "a whole checkpoint") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        found = manifest.get("format") if isinstance(manifest, dict) else type(manifest).__name__
        raise InputError(str(path), found, f"format {FORMAT}")
    whole = text == json.dumps(manifest, indent=1)  # a blank that became a tab leaves the JSON the same
    claimed = manifest.pop("self", None)
    if not whole or claimed != manifest_digest(manifest):
        raise InputError(str(path), "a damaged file (its sha256 differs)", "a whole checkpoint")
    return manifest


def list_checkpoints(run_dir: Path | str) -> list[Path]:
    """A run's checkpoints (``checkpoints/<frames>``), the oldest first; whether they are whole is not looked at."""
    folders = [p for p in (Path(run_dir) / "checkpoints").glob("[0-9]*") if (p / MANIFEST).is_file()]
    return sorted(folders, key=lambda p: p.name)


def latest_checkpoint(run_dir: Path | str) -> Path | None:
    """The newest of :func:`list_checkpoints`, or None."""
    return next(reversed(list_checkpoints(run_dir)), None)


def tidy(folder: Path) -> None:
    """Clear away what a process that died while writing here left, and put back what it was about to replace."""
    for old in _left_by_the_dead(folder.parent, OLD.format(folder.name, "*")):
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.rename(old, folder)
    for partial in _left_by_the_dead(folder.parent, PARTIAL.format("*", "*")):
        shutil.rmtree(partial, ignore_errors=True)


def _left_by_the_dead(parent: Path, pattern: str) -> list[Path]:
    """Folders whose names end with the number of a process that is no more (or is this one)."""
    numbered = [(path, int(path.name.rpartition("-")[2])) for path in parent.glob(pattern)]
    return [path for path, pid in numbered if pid == os.getpid() or not psutil.pid_exists(pid)]


def manifest_digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()
