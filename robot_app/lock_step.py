"""Two simulators in lock-step: one leads, one follows; the slower sets the pace.

The leader goes where it is told, but shows a new step, and takes the one after, only when it hears that the follower has
that step too. The follower never moves by itself: it starts, is edited and advances as the leader did. What is between
them is :class:`robot_app.compare.Comparison`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from multiprocessing.connection import Connection

from dynamite.acting import Event, Frame
from robot_app import messages
from robot_app.recipe import SceneRecipe
from robot_app.session_rules import SessionRules
from robot_app.shared_frames import SharedFrames
from robot_app.simulator import Simulator, serve


class Leader(Simulator):
    """A simulator that others may follow; alone, it is as any."""

    def __init__(self, connection: Connection, frames: SharedFrames) -> None:
        # What is not to be seen yet: its episode's number, the Frame and its period.
        self._held: deque[tuple[int, Frame, float]] = deque()
        self._paired = self._holding = False
        self._next_due = math.inf
        super().__init__(connection, frames)

    @property
    def _due(self) -> float:
        """Nothing is due while a step waits for the follower."""
        return math.inf if self._held else self._next_due

    @_due.setter
    def _due(self, value: float) -> None:
        self._next_due = value

    def _publish(self, revised: bool = False) -> None:
        self._holding = self._paired and (not revised or bool(self._held))
        if revised and self._held:  # still unseen, so that it need not be shown twice
            self._held.pop()
        super()._publish(revised)
        self._holding = False

    def _write(self, frame: Frame, period_s: float) -> None:
        if self._holding:
            self._held.append((self._present.current.info.number, frame, period_s))
        else:
            super()._write(frame, period_s)

    def _do_pair(self, on: bool) -> None:
        self._paired = on
        if not on and self._held:
            self._show_held(len(self._held))

    def _do_shown(self, episode: int, t: int) -> None:
        """The follower has step ``t``: show it, and go on."""
        for i, (number, frame, _) in enumerate(self._held):
            if (number, frame.t) == (episode, t):
                self._show_held(i + 1)
                break

    def _show_held(self, n: int) -> None:
        for _ in range(n):
            number, frame, period = self._held.popleft()
        if number == self._present.current.info.number and self._present.cursor is None:
            super()._write(frame, period)


class Follower(Simulator):
    """Goes where the leader went, with another policy; no oracle plays along, it is the leader's."""

    @property
    def _due(self) -> float:
        return math.inf

    @_due.setter
    def _due(self, value: float) -> None:
        """Nothing is ever due by itself."""

    def _do_follow(self, recipe: SceneRecipe, policy: str, seed: int) -> None:
        """Build the scene and load who acts; answered by Loaded or Refused."""
        self._loop = False
        self._open(recipe, policy, seed)

    def _do_relive(self, seed: int, rules: SessionRules, events: Iterable[Event], steps: int) -> None:
        """An episode from its start up to ``steps``, with ``events`` at their steps; every Frame of it is told."""
        takes = self._takes or self._new_takes()
        self._takes, self._rules, self._state = takes, rules, "paused"
        takes.start(seed, rules)
        self._tell_takes()
        info, episode = takes.current.info, takes.physics()
        waiting = deque(sorted(events, key=lambda event: event.t))
        while True:
            while waiting and waiting[0].t == episode.t:
                event = waiting.popleft()
                episode.edit(event.kind, event.value)
            if episode.t >= steps or episode.done:
                break
            left = replace(episode.advance(), poses=None, markers=None)
            self._out.append(messages.Step(info.number, info.seed, left))
            self._progress(episode.t, steps)
        self._rules = rules.after(takes.events, self._stage.scene.latent_space)
        self._publish()
        self._tell_status()

    def _do_advance(self, speed: float | None) -> None:
        """One step.

        Args:
            speed: the leader's, so that the picture moves as evenly; None where it stands still in between.
        """
        takes = self._present
        takes.seek(takes.n_steps)
        self._state = "paused" if speed is None else "playing"
        self._speed = self._speed if speed is None else speed
        self._step()


def serve_role(role: str, connection: Connection, frames: str, errors: str) -> None:
    """The main function of a simulator's process: ``leader`` or ``follower``."""
    serve(connection, frames, errors, {"leader": Leader, "follower": Follower}[role])
