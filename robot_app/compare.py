"""Comparison: two policies on the same seed, sessions and edits, side by side in lock-step. No Qt.

    with Runtime() as leader:
        comparison = Comparison(leader, recipe, "random", take, frames_of)
        for message in comparison.wait(1.0): ...      # instead of leader.wait

The leader (A) is steered as always. Everything that it tells is looked at on its way: a step is sent to the follower (B),
and passed on only when B has taken it too; what was done from outside at a step is done to B at that step. As the
sessions' random numbers depend on neither policy, both meet the same preferences at the same steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for_any
from typing import ClassVar

import numpy as np

from dynamite.acting import Event, Frame
from robot_app import messages
from robot_app.history import History
from robot_app.messages import Message, Step
from robot_app.recipe import SceneRecipe
from robot_app.runtime import Runtime
from robot_app.session_rules import SessionRules
from robot_app.takes import TakeInfo


class FollowerRuntime(Runtime):
    """Steers a :class:`robot_app.lock_step.Follower`."""

    ROLE: ClassVar[str] = "follower"
    PATIENCE_S: ClassVar[float] = 0.4  # nothing of it is to be kept

    def follow(self, recipe: SceneRecipe, policy: str, seed: int) -> None:
        """Answered by Built and Loaded, or by Refused."""
        self._send("follow", recipe=recipe, policy=policy, seed=seed)

    def relive(self, seed: int, rules: SessionRules, events: Sequence[Event], steps: int) -> None:
        """An episode up to ``steps``; answered by Takes and every Step, or by Refused."""
        self._send("relive", seed=seed, rules=rules, events=tuple(events), steps=steps)

    def advance(self, speed: float | None) -> None:
        """One step; see :class:`robot_app.lock_step.Follower`."""
        self._send("advance", speed=speed)

    def edit(self, event: Event) -> None:
        """Do now what was done to the leader."""
        self._send("edit", kind=event.kind, value=event.value)


@dataclass
class _Place:
    """Where the follower was sent: the leader's episode, a step of it, and how many events were sent at that step."""

    episode: int
    t: int
    n_events: int


class Comparison:
    """Args:
    leader: paired from when the follower stands ready until :meth:`close`.
    recipe: of the leader's scene.
    policy: of the follower: a name or a checkpoint's folder.
    take: what the leader is in.
    frames_of: the Frames passed on so far of one of the leader's episodes, by its number.
    cursor: the step of the past that the leader looks at.

    Attributes:
        loaded, built: what the follower said; None until it stands ready.
        ended: why there is no follower any more; empty while there is one. report: the details.
        cursor: the step of the past that is looked at, as in :class:`robot_app.messages.Cursor`.
    """

    def __init__(
        self,
        leader: Runtime,
        recipe: SceneRecipe,
        policy: str,
        take: TakeInfo,
        frames_of: Callable[[int], Sequence[Frame]],
        cursor: int | None = None,
    ) -> None:
        self.leader, self.policy, self._recipe, self._frames_of = leader, policy, recipe, frames_of
        self.follower = FollowerRuntime()
        self.follower.follow(recipe, policy, take.seed)
        self.loaded: messages.Loaded | None = None
        self.built: messages.Built | None = None
        self.ended = self.report = ""
        self.cursor = cursor
        self._speed: float | None = None
        self._take = take
        self._queue: deque[Message] = deque()
        self._sent: _Place | None = None
        self._asked: deque[int] = deque()  # the leader's episodes that are to be relived
        self._episodes: dict[int, int] = {}  # the leader's by the follower's
        self._histories: dict[int, History] = {}  # the follower's, by the leader's number

    def __enter__(self) -> Comparison:
        return self

    def __exit__(self, *_) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------ what there is
    @property
    def ready(self) -> bool:
        """Whether there are two to be compared."""
        return self.loaded is not None and not self.ended

    @property
    def history(self) -> History:
        """The follower's, of the episode that the leader is in."""
        return self._histories.get(self._take.number, History(self._take.number, self._take.seed))

    @property
    def shown(self) -> Frame | None:
        """The follower's Frame that is looked at."""
        frames = self.history.frames
        if self.cursor is None or self.cursor >= len(frames):
            return self.history.last
        return frames[self.cursor]

    # ------------------------------------------------------------------------------------------------ listening
    def poll(self) -> Iterator[Message]:
        """What the leader says, in order, without waiting; its steps only when the follower has them too.

        To be taken in message by message: ``frames_of`` is asked in between.
        """
        self._hear()
        self._queue.extend(self.leader.poll())
        while self._queue:
            message = self._queue[0]
            if isinstance(message, Step) and self.ready:
                self._lead(message)
                if not message.revised and not self._has(message):
                    return
                self.leader.shown(message.episode, message.frame.t)
            self._queue.popleft()
            yield message
            self._watch(message)

    def wait(self, seconds: float) -> Iterator[Message]:
        """As :meth:`poll`, as soon as either has something to say, or after ``seconds`` (for scripts and tests)."""
        ends = [runtime for runtime in (self.leader, self.follower) if runtime.alive]
        if ends:
            wait_for_any([end.fileno() for end in ends], seconds)
        yield from self.poll()

    def _hear(self) -> None:
        for message in self.follower.poll() if not self.ended else ():
            if isinstance(message, Step):
                number = self._episodes.get(message.episode, -1)
                if number in self._histories:
                    self._histories[number].add(message.frame)
            elif isinstance(message, messages.Takes):
                self._hear_takes(message)
            elif isinstance(message, messages.Built):
                self.built = message
            elif isinstance(message, messages.Loaded):
                if message.recipe == self._recipe:  # else the leader's scene is another by now
                    self._begin(message)
            elif isinstance(message, messages.Refused):
                self._end(message.message, message.traceback)
            elif isinstance(message, messages.Crashed):
                self._end("its simulator stopped unexpectedly", message.report)

    def _begin(self, loaded: messages.Loaded) -> None:
        """The follower stands ready: bring it to where the leader is."""
        self.loaded = loaded
        self.leader.pair(True)
        self._relive(self._frames_of(self._take.number))
        if self.cursor is not None:
            self.follower.seek(self.cursor)

    def _hear_takes(self, message: messages.Takes) -> None:
        if message.current not in self._episodes:
            self._episodes[message.current] = self._asked.popleft()
        number = self._episodes[message.current]
        self._histories.setdefault(number, History(number))
        kept = {take.number for take in message.takes}
        self._episodes = {mine: theirs for mine, theirs in self._episodes.items() if mine in kept}
        self._histories = {
            n: h for n, h in self._histories.items() if n in {*self._episodes.values(), *self._asked}
        }

    def _end(self, why: str, report: str = "") -> None:
        self.ended, self.report = why, report
        self.leader.pair(False)

    # ------------------------------------------------------------------------------------------------ leading
    def _lead(self, message: Step) -> None:
        """Send the follower to where the leader is now."""
        frame, sent = message.frame, self._sent
        if sent is None or sent.episode != message.episode or not sent.t <= frame.t <= sent.t + 1:
            if not self._over(message.episode):
                self._relive([*self._frames_of(message.episode)[: frame.t], frame])
            return
        if self._over(message.episode):
            return
        if frame.t == sent.t + 1:
            self.follower.advance(self._speed)
            sent.t, sent.n_events = frame.t, 0
        for event in frame.events[sent.n_events :]:
            self.follower.edit(event)
        sent.n_events = len(frame.events)

    def _relive(self, frames: Sequence[Frame]) -> None:
        """Let the follower live the leader's present episode up to the last of ``frames``."""
        if not frames:
            self._sent = None
            return
        take = self._take
        events = [event for frame in frames for event in frame.events]
        self._asked.append(take.number)
        self._histories[take.number] = History(take.number, take.seed)
        self.follower.relive(take.seed, take.rules, events, frames[-1].t)
        self._sent = _Place(take.number, frames[-1].t, len(frames[-1].events))

    def _over(self, episode: int) -> bool:
        """Whether the follower has come to the end of this episode, perhaps before the leader."""
        history = self._histories.get(episode)
        return history is not None and history.last is not None and history.last.done

    def _has(self, message: Step) -> bool:
        history = self._histories.get(message.episode)
        last = None if history is None else history.last
        return last is not None and (last.t >= message.frame.t or last.done)

    def _watch(self, message: Message) -> None:
        """What else the leader does, the follower does too."""
        if isinstance(message, messages.Status):
            self._speed = message.speed if message.state == "playing" else None
        elif isinstance(message, messages.Takes):
            self._take = next(take for take in message.takes if take.number == message.current)
            self.cursor = None
            mine = {theirs: number for number, theirs in self._episodes.items()}.get(message.current)
            if (
                self.ready
                and mine is not None
                and (self._sent is None or self._sent.episode != message.current)
            ):
                self.follower.take(mine)
                last = self._histories[message.current].last
                if last is not None:
                    self._sent = _Place(message.current, last.t, len(last.events))
        elif isinstance(message, messages.Cursor):
            self.cursor = message.t
            if self.ready:
                self._look(message)
        elif isinstance(message, messages.Loaded) and message.recipe != self._recipe and not self.ended:
            self._recipe, self._sent, self.loaded = message.recipe, None, None
            self._episodes.clear()
            self.leader.pair(False)
            self.follower.follow(message.recipe, self.policy, self._take.seed)

    def _look(self, message: messages.Cursor) -> None:
        if self._sent is None or self._sent.episode != message.episode:  # from before there were two
            self._relive(self._frames_of(message.episode))
        if message.t is None:
            self.follower.live()
        else:
            self.follower.seek(message.t)

    # ------------------------------------------------------------------------------------------------ life
    def close(self) -> list[Message]:
        """End the follower, let the leader go on alone; returns what it had said and was held back. Safe to call twice."""
        held, self._queue = list(self._queue), deque()
        if not self.ended:
            self._end("stopped")
        self.follower.close()
        return held


@dataclass(frozen=True)
class ChangeOfBoth:
    """A change of the preference, and how many steps each policy took to adapt; None: not (yet)."""

    t: int
    adapted_a: int | None
    adapted_b: int | None


def changes_of_both(a: History, b: History) -> list[ChangeOfBoth]:
    """Of the steps that both have; the oracle's rewards, which are A's, count for both."""
    b.oracle_rewards = a.oracle_rewards
    after = {change.t: change.adapted_after for change in b.changes()}
    return [ChangeOfBoth(c.t, c.adapted_after, after[c.t]) for c in a.changes() if c.t in after]


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(T,) ``a − b`` where both are known."""
    n = min(len(a), len(b))
    return np.asarray(a[:n]) - np.asarray(b[:n])
