"""``robot-app package``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import tyro

from robot_app.commands.base import Flag, Verb, say


@dataclass(frozen=True, kw_only=True)
class Package(Verb):
    """Package a trained policy: its weights, and a model card with what it was measured to reach.

    The policy is then `pretrained/NAME` for every other verb.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app package --run runs/scratch_itch-dynamite-s0 --episodes 100",
        "robot-app package --run runs/mine --name dynamite_responsive --notes notes.md",
    )

    run_dir: Annotated[Path, tyro.conf.arg(name="run", metavar="FOLDER")]
    """The training run's folder."""
    name: str | None = None
    """What to call it; by default its variant."""
    episodes: int = 100
    """Episodes per condition."""
    seed: int = 10_000
    """Of the first episode; training never sees these."""
    notes: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Markdown for the card: what was tried, what is doubtful."""
    force: Flag = False
    """Replace a packaged policy of that name."""

    def run(self) -> int:
        from robot_app.model_card import package, target_folder
        from scenes.errors import InputError

        if self.episodes < 2:
            raise InputError("--episodes", self.episodes, "a whole number, 2 or more")
        try:
            notes = "" if self.notes is None else self.notes.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError("--notes", str(self.notes), "a readable file") from error
        folder = target_folder(self.run_dir, self.name)
        if folder.exists() and not self.force:
            raise InputError("--name", folder.name, "a name that is not packaged yet, or --force")
        card = package(
            self.run_dir,
            folder,
            self.episodes,
            self.seed,
            notes,
            lambda row: say(f"p = {row.p:g}: return {row.scores['return_mean']:.1f}"),
        )
        say(f"packaged: {card}")
        return 0


COMMAND = Package
