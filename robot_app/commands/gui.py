"""``robot-app gui``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from robot_app.commands.base import MaybePolicyName, SceneVerb
from robot_app.screen import why_no_screen


@dataclass(frozen=True, kw_only=True)
class Gui(SceneVerb):
    """Open the window."""

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app gui",
        "robot-app gui --scene scratch_itch --policy scripted/scratch_itch --option controller=responsive",
        "robot-app gui --policy runs/scratch_itch-dynamite-s0",
    )

    policy: MaybePolicyName = None
    """Who acts: a name (`robot-app policies` lists them), or the folder of a checkpoint or run; by default the
    packaged agent."""
    seed: int = 0
    """Of the first episode."""

    def run(self) -> int:
        from robot_app.demo import choose_policy, open_window
        from robot_app.recording import trained_recipe
        from scenes.errors import InputError

        if missing := why_no_screen():
            allowed = "a screen (log in to a desktop, or ssh -X); without one: robot-app demo --headless films the same"
            raise InputError("screen", missing, allowed)
        recipe = self.recipe()
        policy = self.policy or choose_policy(recipe.name)
        return open_window(trained_recipe(recipe, policy), policy, self.seed)


COMMAND = Gui
