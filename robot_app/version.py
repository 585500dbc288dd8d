"""Which code is running: the release, and the commit where there is one."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any


def code_version() -> dict[str, Any]:
    """``{"version": …, "commit": …}``; the commit is None outside a repository, and ends in ``+`` if files changed."""
    try:
        version = metadata.version("dynamite-care")
    except metadata.PackageNotFoundError:
        version = "unknown"
    return {"version": version, "commit": _commit(Path(__file__).parents[1])}


def _commit(root: Path) -> str | None:
    if not (root / ".git").exists():
        return None
    try:
        described = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return described.stdout.strip()
