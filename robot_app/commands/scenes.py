"""``robot-app scenes``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from robot_app.commands.base import Flag, Verb, print_json


@dataclass(frozen=True, kw_only=True)
class Scenes(Verb):
    """List the scenes."""

    examples: ClassVar[tuple[str, ...]] = ("robot-app scenes", "robot-app scenes --json")

    json: Flag = False
    """One JSON list: name, gym_id, summary, and the options of each scene's class."""

    def run(self) -> int:
        import inspect

        from rich.console import Console
        from rich.table import Table

        from scenes.registry import SCENES

        rows = []
        table = Table("scene", "what it is", "options (--option key=value)", header_style="bold")
        for name, entry in SCENES.items():
            parameters = inspect.signature(entry.load()).parameters.values()
            options = {p.name: str(p.default) for p in parameters if p.default is not inspect.Parameter.empty}
            row = {"name": name, "gym_id": entry.gym_id, "summary": entry.summary, "options": options}
            rows.append(row)
            table.add_row(name, entry.summary, ", ".join(options))
        if self.json:
            print_json(rows)
            return 0
        Console().print(table)
        return 0


COMMAND = Scenes
