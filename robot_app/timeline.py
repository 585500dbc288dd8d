"""Timeline: what a strip of the whole episode shows, where its jumps go, and why one of them cannot. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from robot_app.history import History
from scenes.latent import LatentSpace


@dataclass(frozen=True)
class Band:
    """A session: steps ``first`` to ``last``, and what was preferred in it."""

    first: int
    last: int
    text: str


@dataclass(frozen=True)
class Timeline:
    """Attributes:
    at: the step that is looked at. newest: the last so far. length: where the episode ends.
    live: whether ``at`` is the newest because nobody looks back.
    over: whether the episode has ended at ``at``.
    bands: sessions, empty where the truth is hidden.
    edits: (step, words) of what was done from outside; empty where the truth is hidden.
    inferred: steps at which the policy took a session to have ended.
    branched: the step at which this take left another, or None.
    rewards: (T,) of step t = 1 … T.
    """

    at: int = 0
    newest: int = -1
    length: int = 1
    live: bool = True
    over: bool = False
    bands: tuple[Band, ...] = ()
    edits: tuple[tuple[int, str], ...] = ()
    inferred: tuple[int, ...] = ()
    branched: int | None = None
    rewards: np.ndarray = field(default_factory=lambda: np.zeros(0))

    @property
    def empty(self) -> bool:
        return self.newest < 0

    @property
    def changes(self) -> tuple[int, ...]:
        """Steps where a new session begins, the first one's start apart."""
        return tuple(band.first for band in self.bands[1:])

    @property
    def stops(self) -> tuple[int, ...]:
        """Where the jumps go: changes and edits; where the truth is hidden, changes as they were inferred."""
        known = {*self.changes, *(t for t, _ in self.edits)}
        return tuple(sorted(known if self.bands else self.inferred))

    def previous(self) -> int | None:
        """The nearest stop before ``at``, or None."""
        return max((t for t in self.stops if t < self.at), default=None)

    def next(self) -> int | None:
        """The nearest stop after ``at``, or None."""
        return min((t for t in self.stops if t > self.at), default=None)

    def why_not(self, n_takes: int) -> dict[str, str]:
        """By the name of an action: why it can do nothing now, or "" where it can."""
        if self.empty:
            return dict.fromkeys(_NAMES, "Nothing is loaded yet.")
        first = "This is the first step." if self.at == 0 else ""
        one = "" if n_takes > 1 else "There is one take so far; a branch makes another."
        return {
            "start": first,
            "back": first,
            "previous": "" if self.previous() is not None else "There is no change before this step.",
            "next": "" if self.next() is not None else "There is no change after this step.",
            "live": "This is the newest step." if self.live else "",
            "branch": "The episode is over here: go back to an earlier step first." if self.over else "",
            "verify": "There is no step to run again yet." if self.newest == 0 else "",
            "next_take": one,
            "previous_take": one,
        }


_NAMES = ("start", "back", "previous", "next", "live", "branch", "verify", "next_take", "previous_take")


def timeline_of(
    history: History,
    space: LatentSpace,
    length: int,
    cursor: int | None = None,
    truth: bool = True,
    branched: int | None = None,
) -> Timeline:
    """The episode so far.

    Args:
        length: steps of a whole episode.
        cursor: as in :class:`robot_app.takes.Takes`.
        truth: whether what is true may be shown.
    """
    if history.last is None:
        return Timeline(length=length)
    frames, newest = history.frames, history.last.t
    shown = frames[newest if cursor is None else min(cursor, newest)]
    bands, edits = [], []
    if truth:
        bands = [Band(a, b, space.to_text(frames[a].latent)) for a, b in history.session_spans()]
        edits = [
            (frame.t, " and ".join(event.kind.replace("_", " at ") for event in frame.events))
            for frame in frames
            if frame.events
        ]
    return Timeline(
        at=shown.t,
        newest=newest,
        length=max(length, newest),
        live=cursor is None,
        over=shown.done,
        bands=tuple(bands),
        edits=tuple(edits),
        inferred=tuple(history.predicted_changes()),
        branched=branched,
        rewards=history.rewards(),
    )


def another(numbers: Sequence[int], current: int, by: int) -> int:
    """The number ``by`` places after ``current``, round and round."""
    return numbers[(list(numbers).index(current) + by) % len(numbers)]
