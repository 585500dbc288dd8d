"""Troubles: what can go wrong around the window, each said in words — what happened, and what to do. No Qt.

Whoever shows a trouble offers its remedies as buttons; nothing that was open is lost by any of them.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from pathlib import Path

#: What the system says when a disk, a quota or a file's size is at its end.
_FULL = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG))


@dataclass(frozen=True)
class Trouble:
    """One thing that went wrong.

    Attributes:
        title: a few words. happened: what, and to what. advice: what can be done.
        details: for a report.
        remedies: what a button may do: (key, caption); the key says to the one who shows it what is meant.
    """

    title: str
    happened: str
    advice: str
    details: str = ""
    remedies: tuple[tuple[str, str], ...] = ()

    @property
    def line(self) -> str:
        """For the log."""
        return " ".join(f"{self.title}: {self.happened} {self.advice}".split())


def is_disk_full(text: str) -> bool:
    """Whether an error's text says that there was no room."""
    return any(reason in text for reason in _FULL)


def not_written(what: str, path: Path, reason: str, kept: str = "") -> Trouble:
    """A film, still, episode, table or figure that could not be written, or not to its end.

    Args:
        what: ``film`` and so on. kept: what there is of it all the same.
    """
    remedies = (("folder", "Choose another folder…"),)
    kept = kept or "What plays in the window goes on."
    if is_disk_full(reason):
        return Trouble(
            "The disk is full",
            f"The {what} could not be written to {path}.",
            f"{kept} Free some space, or choose a folder on another disk, and try again.",
            reason,
            remedies,
        )
    return Trouble(
        f"The {what} was not written",
        f"{path} could not be written: {reason}",
        f"{kept} Choose a folder that can be written, and try again.",
        reason,
        remedies,
    )


def unreadable(kind: str, path: Path, reason: str) -> Trouble:
    """An episode, a checkpoint or a configuration that is damaged, cut off or something else."""
    mend = {
        "episode": "Record it again, or copy it again from where it came from: robot-app replay FOLDER --verify tells "
        "whether a copy is whole.",
        "checkpoint": "A run keeps its last two checkpoints: open the run's folder, or the other one.",
        "configuration": "Correct the file, and drop it again.",
    }.get(kind, "Drop a checkpoint's or a run's folder, an episode's folder, or a configuration (.yaml).")
    title = f"This {kind} cannot be opened" if kind != "file" else "This cannot be opened here"
    return Trouble(title, f"{path}: {reason}", f"{mend} The scene that is open stays as it is.", reason)


def other_scene(path: Path, trained_in: str, shown: str) -> Trouble:
    """A checkpoint of another scene than the one that is open."""
    theirs, ours = (name.replace("_", " ") for name in (trained_in, shown))
    return Trouble(
        "A checkpoint of another scene",
        f"{path.name} was trained in {theirs}; the window shows {ours}, in which it cannot act.",
        f"Open {theirs} with it, or keep {ours} and choose a policy of that scene in the Set-up panel.",
        str(path),
        (("open", f"Open {theirs}"),),
    )


def vanished(path: Path) -> Trouble:
    """A recent file that is no longer there."""
    return Trouble(
        "It is no longer there",
        f"{path} has been moved or deleted since it was opened.",
        "If it was moved, drop it onto the window from its new place. Otherwise take it off the list.",
        str(path),
        (("forget", "Remove from the list"),),
    )


def no_opengl(reason: str, mend: str) -> Trouble:
    """No EGL: the picture is drawn in software, slowly."""
    return Trouble(
        "Drawn without OpenGL",
        "EGL cannot be used here, so the scene is drawn by a slower software renderer: fewer pictures a second, without "
        "shadows. Everything else works as always.",
        f"To mend it: {mend}",
        reason,
    )


def no_picture(reason: str, details: str) -> Trouble:
    """The drawing process ended."""
    return Trouble(
        "The view cannot be drawn",
        f"{reason} The scene goes on without a picture; belief, returns and recordings of episodes work.",
        "robot-app doctor says what is missing. Close and open the window to try again.",
        details,
    )
