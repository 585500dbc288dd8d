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

        from scenes.registry import SCENES

        rows = []
        for name, entry in SCENES.items():
            parameters = inspect.signature(entry.load().__init__).parameters.values()
            options = {p.name: str(p.default) for p in parameters if p.default is not inspect.Parameter.empty}
            rows.append({"name": name, "gym_id": entry.gym_id, "summary": entry.summary, "options": options})
        if self.json:
            print_json(rows)
            return 0
        from rich.console import Console
        from rich.table import Table

        table = Table("scene", "what it is", "options (--option key=value)", header_style="bold")
        for row in rows:
            table.add_row(row["name"], row["summary"], ", ".join(row["options"]))
        Console().print(table)
        return 0


COMMAND = Scenes
