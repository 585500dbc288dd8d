"""``robot-app replay``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import tyro

from robot_app.commands.base import Flag, Verb, print_json, say


@dataclass(frozen=True, kw_only=True)
class Replay(Verb):
    """Read a recorded episode, and prove that it can be repeated to the last bit.

    With --verify the episode is run again from its seed, actions and events; observations, rewards, latents and state
    hashes of every step are compared. Exit code 1 names the first step that differs.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app replay out/demo.episode",
        "robot-app replay out/demo.episode --verify",
        "robot-app replay out/demo.episode --verify --json",
    )

    episode: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="EPISODE")]
    """The folder that was recorded."""
    verify: Flag = False
    """Run it again and compare."""
    json: Flag = False
    """One JSON object."""

    def run(self) -> int:
        from robot_app.episode import Episode

        episode = Episode.load(self.episode)
        found = episode.verify() if self.verify else None
        summary = {
            "episode": str(self.episode),
            "scene": episode.recipe.describe(),
            "policy": episode.manifest["policy"]["name"],
            "seed": episode.seed,
            "steps": episode.n_steps,
            "complete": episode.complete,
            "return": sum(frame.reward for frame in episode.frames),
            "sessions": episode.frames[-1].session + 1,
        }
        if found is not None:
            summary |= {"verified": found.ok, "differs": found.differs, "first_step_that_differs": found.step}
        if self.json:
            print_json(summary)
        elif found is None or found.ok:
            for name, value in summary.items():
                if value is not None:
                    print(f"{name:10s} {value}")
        if found is not None and not found.ok:
            say(f"robot-app replay: {self.episode}: the {found.differs} of step {found.step} differs")
            return 1
        return 0


COMMAND = Replay
