"""Files a command writes: refused before any work where something would be overwritten, replaced whole or not at all."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dynamite.files import write_atomic
from scenes.errors import InputError


def check_outputs(paths: Iterable[Path], force: bool, where: str = "--out") -> None:
    """Prove that every path may be written, without writing it.

    Args:
        force: what exists may be replaced: a file by a file, a folder only if this program wrote it.

    Raises:
        InputError: something is in the way, or the folder cannot be made or written.
    """
    for path in paths:
        if path.exists() and not force:
            raise InputError(where, str(path), "a path where nothing exists, or --force")
        if path.is_dir() and not _ours(path):
            raise InputError(where, str(path), "a folder that this program wrote, for --force to replace")
        parent = path.parent
        while not parent.exists():
            parent = parent.parent
        if not parent.is_dir() or not os.access(parent, os.W_OK | os.X_OK):
            raise InputError(where, str(path), f"a path in a folder that can be written ({parent} cannot)")


def remove_output(path: Path) -> None:
    """Delete what :func:`check_outputs` with ``force`` allowed to be replaced."""
    if path.is_dir():
        if not _ours(path):
            raise InputError("--out", str(path), "a folder that this program wrote")
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _ours(folder: Path) -> bool:
    """An episode, numbered stills or clouds, or empty."""
    names = {entry.name for entry in folder.iterdir()}
    if "manifest.json" in names:
        return b'"robot-app-episode/' in (folder / "manifest.json").read_bytes()[:200]
    return all(re.fullmatch(r"\d{6}\.(png|ply)", name) for name in names)


def write_json(path: Path, value: Any) -> None:
    write_atomic(path, (json.dumps(value, indent=1) + "\n").encode())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class OutputError(RuntimeError):
    """An output cannot be written on (the disk is full, most often): one line, exit code 1.

    Args:
        path: of the file.
        reason: the system's, such as "No space left on device".
    """

    def __init__(self, path: Path | str, reason: str | None) -> None:
        super().__init__(f"{path}: {reason or 'cannot be written'}; what was written before is whole")


class WholeFile(io.FileIO):
    """An unbuffered file whose ``write`` takes all or raises; what the system does with the last bytes of a disk is
    to take some of them and say so in a number that most callers never read."""

    def write(self, data: Any) -> int:
        rest = memoryview(data).cast("B")
        n = len(rest)
        while rest:
            rest = rest[super().write(rest) or 0 :]
        return n
