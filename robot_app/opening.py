"""What a path is — a checkpoint, a run, a recorded episode, a training's configuration — before it is loaded. No Qt."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamite.config_io import load_yaml
from robot_app.episode import FORMAT as EPISODE
from robot_app.episode import Episode
from scenes.errors import InputError

#: As dynamite.checkpoint.FORMAT, which would import PyTorch into the window.
_CHECKPOINT = "dynamite-checkpoint/"
ALLOWED = "a checkpoint's or a run's folder, an episode's folder, or a configuration (.yaml)"


@dataclass(frozen=True)
class Openable:
    """Something that the window can open.

    Attributes:
        kind: ``checkpoint`` (a run's folder, too), ``episode`` or ``configuration``.
        path: the folder, or the configuration's file.
        scene: name of the scene it belongs to.
        episode: read and proved whole, where it is one.
    """

    kind: str
    path: Path
    scene: str
    episode: Episode | None = None

    @property
    def title(self) -> str:
        """For a list of recent files."""
        name = self.path.name
        if self.path.parent.name == "checkpoints":
            name = f"{self.path.parent.parent.name} at {int(name):,} steps" if name.isdigit() else name
        return f"{name} ({self.kind}, {self.scene.replace('_', ' ')})"


class Unopenable(Exception):
    """What was meant to be opened cannot be.

    Attributes:
        kind: what it seems to be; ``file`` for nothing that is known.
        path: what was meant.
    """

    def __init__(self, kind: str, path: Path, reason: InputError) -> None:
        super().__init__(str(reason))
        self.kind, self.path = kind, path


def find_out(path: Path) -> Openable:
    """What ``path`` is.

    Raises:
        Unopenable: nothing that can be opened, or damaged.
    """
    path = Path(path)
    if not path.exists():
        raise Unopenable("file", path, InputError("path", "nothing there", ALLOWED))
    if path.is_file() and path.suffix.lower() in (".yaml", ".yml") and path.name != "config.yaml":
        return _configuration(path)
    folder = (
        path if path.is_dir() else path.parent
    )  # a file of a checkpoint or an episode stands for the whole
    manifest = _manifest(folder)
    said = str(manifest.get("format", ""))
    if said.startswith(f"{EPISODE}/") or (folder / "events.jsonl").is_file():
        return _episode(folder)
    if said.startswith(_CHECKPOINT) or (folder / "model.safetensors").is_file():
        return _checkpoint(folder)
    if (folder / "checkpoints").is_dir():
        return _checkpoint(folder)
    if path.is_file() and path.suffix.lower() in (".yaml", ".yml"):
        return _configuration(path)
    raise Unopenable("file", path, InputError("path", path.name, ALLOWED))


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _episode(folder: Path) -> Openable:
    try:
        episode = Episode.load(folder)
        return Openable("episode", folder, episode.recipe.name, episode)
    except InputError as error:
        raise Unopenable("episode", folder, error) from error


def _checkpoint(folder: Path) -> Openable:
    """Its scene is in its configuration; whether it is whole is found where it is loaded."""
    where = folder / "config.yaml"
    if not where.is_file():
        inside = sorted((folder / "checkpoints").glob("[0-9]*/config.yaml"))
        if not inside:
            missing = InputError(
                str(folder), "no checkpoint there", "a folder with config.yaml and manifest.json"
            )
            raise Unopenable("checkpoint", folder, missing)
        where = inside[-1]
    try:
        return Openable("checkpoint", folder, load_yaml(where).scene.name)
    except InputError as error:
        raise Unopenable("checkpoint", folder, error) from error


def _configuration(path: Path) -> Openable:
    try:
        return Openable("configuration", path, load_yaml(path).scene.name)
    except InputError as error:
        raise Unopenable("configuration", path, error) from error
