"""``robot-app figures``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import tyro

from robot_app.commands.base import Flag, Verb, print_json, say


@dataclass(frozen=True, kw_only=True)
class Figures(Verb):
    """Redraw every table and plot of finished sweeps from their stored rows.

    What is drawn stands in each sweep's file, under `figures`. Tables are written as Markdown and LaTeX, plots as PNG and
    PDF, with seeds, commit and configuration inside each file, and a page that shows them all. The same results give the
    same bytes.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app figures --results docs/results",
        "robot-app figures --results results/quick --out out/figures",
    )

    results: Annotated[Path, tyro.conf.arg(metavar="FOLDER")] = Path("docs/results")
    """A folder that `robot-app sweep` wrote, or one with several such folders beneath."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where to draw; by default into each results folder."""
    json: Flag = False
    """One JSON object: the files of each sweep."""

    def run(self) -> int:
        from robot_app.figures.page import redraw
        from robot_app.figures.results import find_results

        written: dict[str, list[str]] = {}
        for folder in find_results(self.results):
            name = folder.relative_to(self.results)
            out = folder if self.out is None else self.out / (name if name.parts else folder.name)
            paths = redraw(folder, out, say)
            written[str(folder)] = [str(path) for path in paths]
            if not self.json:
                print(f"{folder}: {len(paths)} files, {out / 'README.md'}")
        if self.json:
            print_json(written)
        return 0


COMMAND = Figures
