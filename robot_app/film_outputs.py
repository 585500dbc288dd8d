"""What a film leaves on the disk, and under which names."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from robot_app.files import check_outputs, remove_output
from scenes.errors import InputError

#: What there is once per film file, where there are several.
_PER_REEL = ("film", "stills", "gif", "best", "clouds")


@dataclass(frozen=True)
class FilmOutputs:
    """Where everything goes; None leaves it out.

    Attributes:
        film: ``.mp4``. trace: ``.csv``. stills: a folder of numbered PNG, one per step. gif: ``.gif``.
            best: a single PNG of a telling moment. clouds: a folder of numbered PLY, what a depth camera at the film's
            camera sees. episode: the recording's folder (written by whoever plays).
        rival_trace, rival_episode: the same of the second policy in a split screen.
    """

    film: Path
    trace: Path | None = None
    stills: Path | None = None
    gif: Path | None = None
    best: Path | None = None
    clouds: Path | None = None
    episode: Path | None = None
    rival_trace: Path | None = None
    rival_episode: Path | None = None

    def reels(self, cameras: tuple[str, ...]) -> list[FilmOutputs]:
        """One set of names per film file: these for a single camera, else ``film.front.mp4`` and so on."""
        if len(cameras) == 1:
            return [self]
        found = []
        for camera in cameras:
            labelled: dict[str, Any] = {name: _labelled(getattr(self, name), camera) for name in _PER_REEL}
            found.append(replace(self, **labelled))
        return found

    def paths(self, cameras: tuple[str, ...] = ("",)) -> dict[str, Path]:
        """Every path that will be written, by name; ``film.front`` and so on where there are several files."""
        found: dict[str, Path] = {}
        for camera, reel in zip(cameras, self.reels(cameras), strict=True):
            for name, path in vars(reel).items():
                if path is not None:
                    found[f"{name}.{camera}" if len(cameras) > 1 and name in _PER_REEL else name] = path
        return found

    def prepare(self, force: bool, cameras: tuple[str, ...] = ("",)) -> None:
        """Prove that all of it may be written; with ``force`` clear what is in the way.

        Args:
            cameras: names of the film files' cameras.

        Raises:
            InputError: something exists (without ``force``), is not ours to replace, or cannot be written.
        """
        if self.film.suffix.lower() != ".mp4":
            raise InputError("--out", str(self.film), "a file that ends in .mp4")
        paths = self.paths(cameras).values()
        check_outputs(paths, force)
        for path in paths:
            if path.exists():
                remove_output(path)
        try:
            self.film.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                "--out", str(self.film), f"a path that can be written ({error.strerror})"
            ) from None


def _labelled(path: Path | None, label: str) -> Path | None:
    """``a/film.mp4`` as ``a/film.front.mp4``."""
    return None if path is None else path.with_name(f"{path.stem}.{label}{path.suffix}")
