"""Acting: what a policy is, and the one loop in which a policy drives a scene, giving a Frame per step.

    scene.reset → ┌ events → policy.act(obs, reward) → Frame ─▶ whoever listens
                  └────────── scene.step(action) ◀──────┘

The window, the recorder and the evaluation all read the Frames of :func:`play`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from dynamite.belief import Belief
from scenes.base import Privileged, SessionEnv
from scenes.latent import Latent


@dataclass(frozen=True)
class Decision:
    """What a policy decides at one step.

    Attributes:
        action: (n_actions,) float32 (or an int where actions are discrete).
        belief: what it believes now, None for policies without one.
        value: its estimate of the return to come, None where it has none.
    """

    action: np.ndarray
    belief: Belief | None = None
    value: float | None = None


class Policy(Protocol):
    """Anything that can act in one scene.

    ``act`` is given the reward of the step that led to ``observation`` (0 at the start), because feeling it is how
    an agent learns what the person wants. Only policies that say ``needs_privileged`` are ever given the truth.
    """

    name: str
    needs_privileged: bool

    def reset(self, seed: int) -> None:
        """Forget everything; all randomness of the coming episode derives from ``seed``."""

    def act(
        self, observation: np.ndarray, reward: float, privileged: Privileged | None = None
    ) -> Decision: ...


@dataclass(frozen=True)
class Event:
    """Something done to an episode from outside, before the action of step ``t`` is chosen.

    Attributes:
        kind: ``"override"`` (value: latent fields), ``"override_next"`` (same, at the next session),
            ``"termination"`` (value: a probability, a session length ``{"length": n}``, or changes at given steps
            ``{"schedule": [{"step": 60, "latent": …}]}``), ``"kernel"`` (value: a name, or
            ``{"name": "drift", "scale": 0.1}``).
        value: JSON-plain.
    """

    t: int
    kind: str
    value: Any


@dataclass(frozen=True)
class Frame:
    """One step of an episode, whole: what was seen, felt, believed, decided, and the truth beside it.

    Attributes:
        t: steps taken so far; 0 right after reset.
        observation: (n_obs,) float32 at t.
        reward: of the step that led here (0 at t = 0).
        decision: the action about to be taken, and the belief behind it (this observation and reward included).
        latent: the truth in force for the next step.
        session: index of the session that the next step belongs to.
        changed: whether that session starts here.
        events: what was done from outside at t.
        info: the scene's ``info`` of the step that led here (numbers and flags only).
        poses: (K, 7) float32 for drawing, or None where nobody draws.
        markers: for drawing, or None.
    """

    t: int
    observation: np.ndarray
    reward: float
    decision: Decision
    latent: Latent
    session: int
    changed: bool
    events: tuple[Event, ...]
    info: dict[str, Any]
    poses: np.ndarray | None = None
    markers: Any = None
    done: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def belief(self) -> Belief | None:
        """What the policy believes at t, None for policies without a belief."""
        return self.decision.belief


def apply_event(scene: SessionEnv, event: Event) -> None:
    """Do to ``scene`` what ``event`` says.

    Raises:
        InputError: an unknown kind or a value the scene refuses; the scene is left as it was.
    """
    from scenes.errors import InputError
    from scenes.session import parse_kernel, parse_termination

    if event.kind in ("override", "override_next"):
        scene.override(event.value, at_next_session=event.kind == "override_next")
    elif event.kind == "termination":
        scene.sessions.termination = parse_termination(event.value, scene.latent_space)
    elif event.kind == "kernel":
        if not isinstance(event.value, str | dict):
            raise InputError("kernel", event.value, "a name, or {name: …, …}")
        scene.sessions.kernel = parse_kernel(event.value)
    else:
        raise InputError("event.kind", event.kind, "override, override_next, termination, kernel")


def play(
    scene: SessionEnv,
    policy: Policy,
    seed: int,
    events: Callable[[int], list[Event]] | None = None,
    draw: bool = False,
    options: dict[str, Any] | None = None,
) -> Iterator[Frame]:
    """Run one episode; yields T + 1 Frames (t = 0 … T), the last with ``done`` set.

    Args:
        scene: reset here with ``seed``.
        policy: reset here with ``seed``.
        events: asked once per step for what is done from outside before that step's action.
        draw: fill in ``poses`` and ``markers``.
        options: for ``scene.reset``.
    """
    observation, info = scene.reset(seed=seed, options=options)
    policy.reset(seed)
    reward, done, t, last_session = 0.0, False, 0, -1
    while True:
        now = tuple(events(t)) if events is not None and not done else ()
        for event in now:
            apply_event(scene, event)
        privileged = scene.privileged() if policy.needs_privileged else None
        decision = policy.act(observation, reward, privileged)
        session = scene.sessions.index
        yield Frame(
            t=t,
            observation=observation,
            reward=float(reward),
            decision=decision,
            latent=scene.sessions.latent,
            session=session,
            changed=session != last_session,
            events=now,
            info=info,
            poses=scene.poses() if draw else None,
            markers=scene.markers() if draw else None,
            done=done,
        )
        if done:
            return
        last_session = session
        observation, felt, terminated, truncated, info = scene.step(decision.action)
        reward, done, t = float(felt), terminated or truncated, t + 1
