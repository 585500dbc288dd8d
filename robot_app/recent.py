"""RecentFiles: what was opened lately, the newest first. No Qt."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path

#: How many are remembered.
LONGEST = 12


@dataclass(frozen=True)
class Recent:
    """Attributes:
    title: for people.
    """

    path: Path
    title: str


class RecentFiles:
    """Args:
    text: as :meth:`to_text` gave it; anything else is an empty list.
    """

    def __init__(self, text: str = "") -> None:
        self.entries: list[Recent] = []
        with contextlib.suppress(ValueError, TypeError, KeyError):
            self.entries = [Recent(Path(e["path"]), str(e["title"])) for e in json.loads(text or "[]")][
                :LONGEST
            ]

    def add(self, path: Path, title: str) -> None:
        """To the top, once."""
        path = Path(path).absolute()
        self.remove(path)
        self.entries = [Recent(path, title), *self.entries][:LONGEST]

    def remove(self, path: Path) -> None:
        self.entries = [entry for entry in self.entries if entry.path != Path(path).absolute()]

    def to_text(self) -> str:
        return json.dumps([{"path": str(entry.path), "title": entry.title} for entry in self.entries])
