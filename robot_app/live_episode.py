"""LiveEpisode: :func:`dynamite.acting.play`, held in the hand — an episode that waits, is edited and goes on.

``play`` is a generator that asks for events and acts in one breath. A window has to show a Frame, wait, let a person change
the preference, and only then go on. Here the same steps are methods. For the same seed and events, the frames are the same
as ``play``'s; a test holds them equal.

What makes that possible: a policy that never sees the truth decides the same whether the truth was changed before or after,
so it may decide at once, and its Frame is shown while the window waits. An oracle decides when the wait is over.
"""

from __future__ import annotations

import numpy as np

from dynamite.acting import Decision, Event, Frame, Policy, apply_event
from robot_app.session_rules import SessionRules
from scenes.base import SessionEnv


class LiveEpisode:
    """One episode of ``policy`` in ``scene``, both reset with ``seed``.

    Args:
        rules: of the sessions, to start with; an event may have changed the scene's in the episode before.
        draw: fill in poses and markers. keep: keep :attr:`history`.

    Attributes:
        t: steps taken.
        done: whether the last step has been taken.
        events: everything done from outside so far.
        history: final Frames of the steps left behind, each with the scene's state hash.
    """

    def __init__(
        self,
        scene: SessionEnv,
        policy: Policy,
        seed: int,
        rules: SessionRules | None = None,
        draw: bool = True,
        keep: bool = True,
    ) -> None:
        self.scene, self.policy, self.seed, self.draw, self.keep = scene, policy, seed, draw, keep
        if rules is not None:
            rules.put(scene)
        self._observation, self._info = scene.reset(seed=seed)
        policy.reset(seed)
        self._reward, self._last_session = 0.0, -1
        self._decision: Decision | None = None
        self._now: list[Event] = []
        self.events: list[Event] = []
        self.history: list[tuple[Frame, str]] = []
        self.t, self.done = 0, False
        self._decide(early=True)

    def _decide(self, early: bool) -> None:
        if self._decision is None and not (early and self.policy.needs_privileged):
            privileged = self.scene.privileged() if self.policy.needs_privileged else None
            self._decision = self.policy.act(self._observation, self._reward, privileged)

    def edit(self, kind: str, value: object) -> Event:
        """Do something from outside, now.

        Raises:
            InputError: the scene refuses it; nothing has changed.
        """
        event = Event(self.t, kind, value)
        apply_event(self.scene, event)
        self._now.append(event)
        self.events.append(event)
        return event

    def frame(self) -> Frame:
        """The Frame of this step as it stands; an oracle's action is NaN until :meth:`advance`."""
        scene = self.scene
        undecided = Decision(np.full(scene.action_space.shape or (), np.nan, np.float32))
        session = scene.sessions.index
        return Frame(
            t=self.t,
            observation=self._observation,
            reward=float(self._reward),
            decision=self._decision or undecided,
            latent=scene.sessions.latent,
            session=session,
            changed=session != self._last_session,
            events=tuple(self._now),
            info=self._info,
            poses=scene.poses() if self.draw else None,
            markers=scene.markers() if self.draw else None,
            done=self.done,
        )

    def state_hash(self) -> str:
        """Of the scene now; empty where it has none."""
        try:
            return self.scene.state_hash()
        except NotImplementedError:
            return ""

    def advance(self) -> Frame:
        """Take one step; returns the final Frame of the step that was left (what a recording keeps)."""
        self._decide(early=False)
        left = self.frame()
        if self.done:
            return left
        assert self._decision is not None
        if self.keep:
            self.history.append((left, self.state_hash()))
        self._last_session = left.session
        self._observation, reward, terminated, truncated, self._info = self.scene.step(self._decision.action)
        self._reward = float(reward)
        self._decision, self._now = None, []
        self.t, self.done = self.t + 1, bool(terminated or truncated)
        self._decide(early=True)
        return left
