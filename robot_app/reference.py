"""Reference: what an oracle earns on the same seed, the same schedule and the same edits.

A second copy of the scene plays the oracle's episode in the simulator's idle moments. The session process has a random
stream of its own, which no action shifts, so both episodes meet the same preferences at the same steps. An edit starts the
reference over with that edit in it: what is compared is always the whole episode.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

from dynamite.acting import Event, Policy
from robot_app.live_episode import LiveEpisode
from robot_app.session_rules import SessionRules
from scenes.base import SessionEnv

#: How long it rests when an episode begins anew: after a load or an edit somebody waits to see it drawn, and on two cores,
#: beside a training, this would take the drawing process's.
REST_S = 0.4


class Reference:
    """Args:
    scene: a copy of its own. policy: an oracle for it.
    """

    def __init__(self, scene: SessionEnv, policy: Policy) -> None:
        self.scene, self.policy = scene, policy
        self._episode: LiveEpisode | None = None
        self._rewards: list[float] = []
        self._from = math.inf

    def restart(self, seed: int, rules: SessionRules, events: Sequence[Event]) -> None:
        """Begin an episode."""
        self._seed, self._rules = seed, rules
        self._events: dict[int, list[Event]] = {}
        for event in events:
            self._events.setdefault(event.t, []).append(event)
        self._episode = None
        self._rewards = []
        self._from = time.perf_counter() + REST_S

    @property
    def due_s(self) -> float:
        """Seconds until it is to go on; 0 or less: now; infinite: complete."""
        return math.inf if self.complete else self._from - time.perf_counter()

    @property
    def complete(self) -> bool:
        return self._episode is not None and self._episode.done

    @property
    def rewards(self) -> np.ndarray:
        """(t,) reward of each step so far."""
        return np.array(self._rewards)

    def advance(self, budget_s: float) -> None:
        """Go on for about ``budget_s``."""
        until = time.perf_counter() + budget_s
        if self._episode is None:
            self._episode = LiveEpisode(
                self.scene, self.policy, self._seed, self._rules, draw=False, keep=False
            )
        episode = self._episode
        while not episode.done and time.perf_counter() < until:
            for event in self._events.get(episode.t, ()):
                episode.edit(event.kind, event.value)
            episode.advance()
            self._rewards.append(float(episode.frame().reward))
