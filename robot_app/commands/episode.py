"""``robot-app episode``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

import tyro

from robot_app.commands.base import Flag, Verb, print_json, say


@dataclass(frozen=True, kw_only=True)
class EpisodeVerb(Verb):
    """Hand recorded episodes to other programs: a CSV trace each, or a Minari dataset of all of them.

    The dataset is what minari.load_dataset reads, in the folder of --out or Minari's own. Infos hold the session and
    the hidden latent beside every step.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app episode export out/demo.episode --csv",
        "robot-app episode export out/a.episode out/b.episode --csv --out traces",
        "robot-app episode export out/*.episode --minari --dataset scratch_itch/oracle-v0",
    )

    action: Annotated[tyro.conf.Positional[Literal["export"]], tyro.conf.arg(metavar="export")]
    """What to do."""
    episodes: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="EPISODE…")]
    """Folders that were recorded."""
    csv: Flag = False
    """One CSV per episode, a row per step."""
    minari: Flag = False
    """One Minari dataset (needs the extra `offline`)."""
    dataset: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Of the Minari dataset; by default scene/policy-v0."""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where to; by default beside the episodes, and where Minari keeps datasets."""
    force: Flag = False
    """Replace what exists."""
    json: Flag = False
    """One JSON object: what was written."""

    def run(self) -> int:
        from robot_app.episode import Episode
        from robot_app.export import dataset_id, export_csv, export_minari
        from scenes.errors import InputError

        if not (self.csv or self.minari):
            raise InputError("options", "neither --csv nor --minari", "one of them, or both")
        if not self.episodes:
            raise InputError("episodes", "none", "one folder or more")
        if self.dataset is not None and not self.minari:
            raise InputError("--dataset", self.dataset, "nothing without --minari")
        episodes = [Episode.load(folder) for folder in self.episodes]
        written: list[Path] = []
        made: dict[str, object] = {"episodes": len(episodes), "steps": sum(e.n_steps for e in episodes)}
        if self.csv:
            paths = [(self.out or e.folder.parent) / f"{e.folder.stem}.csv" for e in episodes]
            for path in paths:
                if paths.count(path) > 1:
                    raise InputError("episodes", path.name, "folders of different names")
            written += [export_csv(e, path, self.force) for e, path in zip(episodes, paths, strict=True)]
            made["csv"] = [str(path) for path in paths]
        if self.minari:
            name = self.dataset or dataset_id(episodes[0])
            written.append(export_minari(episodes, name, self.out, self.force))
            made["minari"] = {"dataset": name, "folder": str(written[-1])}
        if self.json:
            print_json(made)
        else:
            say(f"{len(episodes)} episode{'s' * (len(episodes) != 1)}, {made['steps']} steps")
            for path in written:
                say(f"  {path}")
        return 0


COMMAND = EpisodeVerb
