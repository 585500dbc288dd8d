"""``robot-app demo``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from robot_app.commands.base import Flag, MaybePolicyName, MaybeSteps, Size, Verb, has_screen, print_json


@dataclass(frozen=True, kw_only=True)
class Demo(Verb):
    """Watch an agent adapt while its person's preference changes twice.

    Opens the window. Without a screen, or with --headless, films the same to out/demo.mp4, with a still, a trace and
    the episode beside it.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app demo",
        "robot-app demo --headless --force",
        "robot-app demo --headless --out films/demo.mp4 --size 1920x1080 --json",
    )

    policy: MaybePolicyName = None
    """Who acts; by default the packaged DynaMITE agent."""
    seed: int = 7
    """Of the episode."""
    headless: Flag = False
    """Film it even where there is a screen."""
    out: Path = Path("out/demo.mp4")
    """The film; everything else lies beside it under the same name."""
    size: Size = "1280x720"
    """Pixels of the film."""
    steps: MaybeSteps = None
    """Stop the film after so many steps."""
    force: Flag = False
    """Replace what exists."""
    json: Flag = False
    """One JSON object about what was filmed."""

    def run(self) -> int:
        from robot_app.commands.record import tell
        from robot_app.demo import SCENE, SCRIPT, choose_policy, film_demo, open_window
        from robot_app.film import parse_size
        from robot_app.recipe import SceneRecipe
        from robot_app.recording import trained_recipe

        policy = self.policy or choose_policy(SCENE)
        if not self.headless and has_screen():
            return open_window(trained_recipe(SceneRecipe(SCENE), policy), policy, self.seed, SCRIPT)
        made = film_demo(
            policy,
            self.seed,
            self.out,
            parse_size(self.size),
            steps=self.steps,
            force=self.force,
            show_progress=not self.json,
        )
        print_json(made) if self.json else tell(made)
        return 0


COMMAND = Demo
