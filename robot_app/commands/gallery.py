"""``robot-app gallery``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import tyro

from robot_app.commands.base import Flag, Size, Verb, print_json, say


@dataclass(frozen=True, kw_only=True)
class Gallery(Verb):
    """Every scene with every policy: short clips, a contact sheet, and a page that shows them.

    Needs no screen. Writes sheet.png, a clip (MP4) and a still of each, index.html and README.md. What cannot be
    drawn here (MuJoCo without its extra, say) is named on the page and left out.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app gallery",
        "robot-app gallery --scene scratch_itch --scene feeding --steps 60 --out docs/gallery",
        "robot-app gallery --policy pretrained/dynamite --size 640x360 --most-mb 20 --json",
    )

    scene: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="NAME")] = ()
    """Only this scene (repeatable); by default all."""
    policy: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="NAME")] = ()
    """Only this policy, where a scene has it (repeatable); by default all that are installed."""
    steps: int = 100
    """Of each clip, at most."""
    seed: int = 0
    """Of every episode."""
    size: Size = "480x270"
    """Pixels of a clip."""
    theme: str = "dark"
    """dark or light."""
    most_mb: float = 50.0
    """Stop making clips when the gallery has grown to so much; the rest is named on the page."""
    out: Path = Path("out/gallery")
    """The folder."""
    force: Flag = False
    """Replace a gallery."""
    json: Flag = False
    """One JSON object about what was made."""

    def run(self) -> int:
        from robot_app.film import parse_size
        from robot_app.gallery import GallerySettings, make_gallery

        settings = GallerySettings(
            parse_size(self.size), self.steps, self.seed, self.theme, self.most_mb, self.scene, self.policy
        )
        quiet = self.json
        made: dict[str, Any] = make_gallery(
            self.out, settings, self.force, None if quiet else say, show_progress=not quiet
        )
        if self.json:
            print_json({"out": str(self.out), **made})
        else:
            say(f"{made['n_clips']} clips, {made['megabytes']:.1f} MB: {self.out / 'index.html'}")
        return 0


COMMAND = Gallery
