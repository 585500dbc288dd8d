"""``robot-app policies``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import tyro

from robot_app.commands.base import Flag, Verb, print_json


@dataclass(frozen=True, kw_only=True)
class Policies(Verb):
    """List what can act in each scene.

    A name, or the folder of a checkpoint or of a training run, is what --policy takes.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app policies",
        "robot-app policies --scene scratch_itch --json",
    )

    scene: Annotated[str | None, tyro.conf.arg(metavar="SCENE")] = None
    """Only this scene."""
    json: Flag = False
    """One JSON object: scene name to a list of policy names."""

    def run(self) -> int:
        from policies import list_policies
        from scenes.registry import find_scene, list_scenes

        if self.scene is not None:
            find_scene(self.scene)
        found = {name: list(list_policies(name)) for name in list_scenes() if self.scene in (None, name)}
        if self.json:
            print_json(found)
            return 0
        from rich.console import Console
        from rich.table import Table

        table = Table("scene", "policies", header_style="bold")
        for name, names in found.items():
            table.add_row(name, ", ".join(names))
        Console().print(table)
        return 0


COMMAND = Policies
