"""Takes: the episodes of a scene and a policy as they were lived, with a place in the past to look at, and branches.

A take is a seed, the session rules that it started with, and for every step its Frame (poses and all) and the digest of the
scene's state. Looking back needs no physics. Physics stands at the end of at most one take; wherever else it is to go on
from, it is run there again from seed + actions + events, which also brings the policy's memory there. Every step on the way
is compared to the last bit with what was recorded, and the first difference ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dynamite.acting import Event, Frame, Policy
from robot_app.episode_record import digest
from robot_app.live_episode import LiveEpisode
from robot_app.session_rules import SessionRules
from scenes.base import SessionEnv
from scenes.errors import InputError

#: Takes kept, and the bytes that they may fill together; beyond either the oldest go, the present one never.
MAX_TAKES, MAX_BYTES = 20, 256 * 2**20

#: Told (steps run again, steps to run again).
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TakeInfo:
    """What is said about a take.

    Attributes:
        number: rises; never given twice.
        name: for people: ``Seed 3``, ``Branch 2 at 62``.
        rules: of the sessions, at its start.
        parent, start: the take that it branches from, and the step; None and 0 for an original.
    """

    number: int
    name: str
    seed: int
    rules: SessionRules
    parent: int | None = None
    start: int = 0


@dataclass(frozen=True)
class TakeRecord:
    """A take as another process, or a recording, remembers it: enough to live it again.

    Attributes:
        frames: t = 0 … its newest.
        digests: of the scene's state at each of them (:func:`robot_app.episode_record.digest`); empty for unknown.
    """

    info: TakeInfo
    frames: tuple[Frame, ...]
    digests: tuple[bytes, ...] = ()


@dataclass
class Take:
    """Attributes:
    history: final Frames of the steps left behind, each with the scene's state hash ("" for unknown).
    tip: the newest Frame and hash; None while physics stands there.
    whole: whether poses and hashes are there; not of one that was remembered elsewhere, until it is run again.
    digests: of the scene's states in stead of hashes, as in TakeRecord, until then.
    """

    info: TakeInfo
    history: list[tuple[Frame, str]] = field(default_factory=list)
    tip: tuple[Frame, str] | None = None
    whole: bool = True
    digests: tuple[bytes, ...] = ()


class Takes:
    """Args:
    scene, policy: what every take is of.
    draw: keep poses and markers.
    first: number of the first take.

    Attributes:
        current: the take that is looked at, or that goes on.
        cursor: the step that is looked at; None for the newest.
    """

    def __init__(self, scene: SessionEnv, policy: Policy, draw: bool, first: int = 1) -> None:
        self.scene, self.policy, self._draw, self._next = scene, policy, draw, first
        self._takes: dict[int, Take] = {}
        self._episode: LiveEpisode | None = None
        self.current: Take
        self.cursor: int | None = None
        self._branches = 0

    # ------------------------------------------------------------------------------------------------ looking
    def infos(self) -> tuple[TakeInfo, ...]:
        """Of every take, oldest first."""
        return tuple(take.info for take in self._takes.values())

    @property
    def next_number(self) -> int:
        return self._next

    @property
    def n_steps(self) -> int:
        """Steps that the present take has so far."""
        return len(self.current.history)

    @property
    def newest(self) -> Frame:
        """The present take's last Frame so far."""
        return self._tip()[0]

    @property
    def shown(self) -> Frame:
        """The Frame at the cursor."""
        return self.newest if self.cursor is None else self.current.history[self.cursor][0]

    @property
    def events(self) -> list[Event]:
        """Everything done to the present take from outside."""
        left = [event for frame, _ in self.current.history for event in frame.events]
        return left + list(self.newest.events)

    @property
    def nbytes(self) -> int:
        """Of all Frames; those that takes share, once."""
        frames = {id(frame): frame for take in self._takes.values() for frame, _ in take.history}
        return sum(map(nbytes, frames.values()))

    def seek(self, t: int) -> None:
        """Look at step ``t``, or at the nearest that there is."""
        t = max(0, int(t))
        self.cursor = t if t < self.n_steps else None

    def _tip(self) -> tuple[Frame, str]:
        if self._episode is not None:
            return self._episode.frame(), self._episode.state_hash()
        assert self.current.tip is not None
        return self.current.tip

    def at(self, t: int) -> tuple[Frame, str]:
        """Frame and state hash of step ``t`` of the present take."""
        return self.current.history[t] if t < self.n_steps else self._tip()

    # ------------------------------------------------------------------------------------------------ going on
    def start(self, seed: int, rules: SessionRules) -> Take:
        """A new episode, from its start."""
        self._leave()
        self._forget_untouched()
        episode = LiveEpisode(self.scene, self.policy, seed, rules, draw=self._draw)
        again = sum(info.seed == seed and info.parent is None for info in self.infos())
        name = f"Seed {seed}" + (f", run {again + 1}" if again else "")
        return self._add(TakeInfo(self._next, name, seed, rules), episode)

    def physics(self, progress: Progress | None = None) -> LiveEpisode:
        """The present take's episode, where it can go on; run again where physics stands elsewhere.

        Raises:
            InputError: it did not repeat itself; everything recorded is as it was.
        """
        if self._episode is None:
            episode = self._rerun(self.n_steps, progress)
            take = self.current
            take.history, take.tip, take.whole, take.digests = episode.history, None, True, ()
            self._episode = episode
        return self._episode

    def verify(self, progress: Progress | None = None) -> int:
        """Run the present take again from its start, to where it is; returns the steps that were compared.

        Raises:
            InputError: as :meth:`physics`.
        """
        self._leave()
        self.physics(progress)
        return self.n_steps

    def branch(self, t: int, edits: Iterable[tuple[str, Any]] = (), progress: Progress | None = None) -> Take:
        """A new take that shares the present one up to step ``t``, is edited there, and goes on from there.

        What was done from outside at ``t`` itself is done again, what came later is not.

        Args:
            edits: (kind, value) of events at ``t``.

        Raises:
            InputError: no such step, the episode's last one, an edit that the scene refuses, or an episode that did not
                repeat itself. The present take is as it was.
        """
        parent = self.current
        if isinstance(t, bool) or not isinstance(t, int) or not 0 <= t <= self.n_steps:
            raise InputError("branch", t, f"a step from 0 to {self.n_steps}")
        if self.at(t)[0].done:
            raise InputError("branch", f"step {t}, where the episode is over", "an earlier step")
        here = self._episode if t == self.n_steps else None
        self._leave()
        episode = self._rerun(t, progress) if here is None else here
        for kind, value in edits:
            episode.edit(kind, value)
        if here is not None:
            episode.history = list(parent.history)
        self._branches += 1
        name = f"Branch {self._branches} at {t}"
        info = TakeInfo(self._next, name, parent.info.seed, parent.info.rules, parent.info.number, t)
        return self._add(info, episode)

    def choose(self, number: int) -> None:
        """Look at another take, at its newest step.

        Raises:
            InputError: there is no such take (any more).
        """
        if number not in self._takes:
            raise InputError("take", number, "one of " + ", ".join(map(str, self._takes)))
        if number != self.current.info.number:
            self._leave()
            self.current = self._takes[number]
        self.cursor = None

    def _leave(self) -> None:
        """Physics is about to stand elsewhere: keep how the present take ends."""
        if self._episode is not None:
            self.current.tip, self._episode = self._tip(), None

    def _forget_untouched(self) -> None:
        """Drop the present take if nothing has happened in it."""
        if not self._takes:
            return
        number, begun = self.current.info.number, self.current.history or self.newest.events
        if not begun and all(info.parent != number for info in self.infos()):
            self._takes.pop(number, None)

    def _add(self, info: TakeInfo, episode: LiveEpisode) -> Take:
        take = Take(info, episode.history)
        self._takes[info.number] = take
        self._next = info.number + 1
        self.current, self._episode, self.cursor = take, episode, None
        for oldest in list(self._takes.values())[:-1]:
            if len(self._takes) <= MAX_TAKES and self.nbytes <= MAX_BYTES:
                break
            del self._takes[oldest.info.number]
        return take

    # ------------------------------------------------------------------------------------------------ again
    def restore(self, records: Sequence[TakeRecord], current: int) -> None:
        """Takes that were remembered elsewhere, perhaps without poses; the present one is still to be run again."""
        for record in records:
            history = [(frame, "") for frame in record.frames[:-1]]
            tip = (record.frames[-1], "")
            take = Take(record.info, history, tip, whole=False, digests=record.digests)
            self._takes[record.info.number] = take
            self._next = max(self._next, record.info.number + 1)
            self._branches += record.info.parent is not None
        self.current, self._episode, self.cursor = self._takes[current], None, None

    def _rerun(self, t: int, progress: Progress | None) -> LiveEpisode:
        """The present take up to step ``t``, once more, compared at every step."""
        take = self.current
        draw = self._draw and not take.whole  # else the Frames that there are will do
        episode = LiveEpisode(self.scene, self.policy, take.info.seed, take.info.rules, draw=draw)
        for i in range(t + 1):
            recorded, state = self.at(i)
            for event in recorded.events:
                episode.edit(event.kind, event.value)
            frame = episode.frame()
            _same(i, "reward", np.float64(frame.reward), np.float64(recorded.reward))
            _same(i, "observation", frame.observation, recorded.observation)
            if (frame.latent, frame.session) != (recorded.latent, recorded.session):
                raise _different(i, "preference")
            if state and episode.state_hash() != state:
                raise _different(i, "state")
            if take.digests and digest(episode.state_hash()).tobytes() != take.digests[i]:
                raise _different(i, "state")
            if i < t:
                _same(i, "action", episode.advance().decision.action, recorded.decision.action)
            if progress is not None:
                progress(i, t)
        episode.draw = self._draw
        if take.whole:
            episode.history = take.history[:t]  # the same Frames, in memory once
        return episode


def _same(t: int, what: str, now: Any, then: Any) -> None:
    if np.asarray(now).tobytes() != np.asarray(then).tobytes():
        raise _different(t, what)


def _different(t: int, what: str) -> InputError:
    return InputError(
        f"step {t}",
        f"another {what} than was recorded",
        "a scene and a policy that repeat themselves exactly",
    )


def nbytes(frame: Frame) -> int:
    """Of the arrays of a Frame."""
    belief, markers = frame.decision.belief, frame.markers
    parts: list[Any] = [frame.observation, frame.decision.action, frame.poses]
    if belief is not None:
        parts += [belief.mean, belief.logvar]
        parts += [value for posterior in belief.fields.values() for value in vars(posterior).values()]
    if markers is not None:
        parts += [*vars(markers).values(), *markers.extra.values()]
    return sum(part.nbytes for part in parts if isinstance(part, np.ndarray))
