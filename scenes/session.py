"""SessionProcess: when the hidden latent changes, and to what.

A DLCMDP (DynaMITE-RL, arXiv 2402.15957, section 2): at every step a Bernoulli variable d_t ends the current
session; when d_t = 1 a new latent m' ~ T(·|m) is drawn, otherwise m stays. Here both halves are small objects, so
that a scene, a sweep file or the window can swap them:

- *terminations*: :class:`Bernoulli`, :class:`FixedLength`, :class:`Schedule`
- *kernels* T(m'|m): :class:`Uniform`, :class:`Drift`, :class:`Alternate`

A change from outside (a user, a script) is :meth:`SessionProcess.override`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from scenes.errors import InputError
from scenes.latent import ChoiceField, Latent, LatentSpace, PointField, ScalarField, SurfacePoint, wrap_angle


# ------------------------------------------------------------------------------------------------ terminations
class Termination(Protocol):
    def ends(self, step: int, age: int, rng: np.random.Generator) -> bool:
        """Whether the session ends after ``step`` (0-based in the episode), its ``age``-th step (1-based)."""


@dataclass(frozen=True)
class Bernoulli:
    """d_t ~ Bernoulli(p), independent of everything: session lengths are geometric with mean 1/p."""

    p: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.p <= 1.0:
            raise InputError("termination.p", self.p, "a probability from 0 to 1")

    def ends(self, step: int, age: int, rng: np.random.Generator) -> bool:
        return bool(rng.random() < self.p)


@dataclass(frozen=True)
class FixedLength:
    """Every session lasts ``length`` steps."""

    length: int

    def __post_init__(self) -> None:
        if isinstance(self.length, bool) or not isinstance(self.length, int) or self.length < 1:
            raise InputError("termination.length", self.length, "a whole number of steps, 1 or more")

    def ends(self, step: int, age: int, rng: np.random.Generator) -> bool:
        return age >= self.length


@dataclass(frozen=True)
class Schedule:
    """Changes at given steps to given latents (a script, a file); no other session ends.

    Attributes:
        changes: pairs ``(step, value)``: from ``step`` on the latent is ``value``. A change at step 0 is the start.
    """

    changes: tuple[tuple[int, Any], ...]

    def ends(self, step: int, age: int, rng: np.random.Generator) -> bool:
        return any(at == step + 1 for at, _ in self.changes)

    def at(self, step: int) -> Any | None:
        for when, value in self.changes:
            if when == step:
                return value
        return None

    @staticmethod
    def parse(entries: Any, space: LatentSpace, where: str = "schedule") -> Schedule:
        """From a list of ``{"step": int, "latent": …}`` or a text ``"60:forearm.dorsal,120:upper_arm"``."""
        shape = 'a list of {step, latent}, or a text like "60:forearm.dorsal,120:upper_arm"'
        if isinstance(entries, str):
            pairs: list[tuple[Any, Any]] = []
            for item in filter(None, (part.strip() for part in entries.split(","))):
                step, colon, value = item.partition(":")
                if not colon:
                    raise InputError(where, item, shape)
                pairs.append((step, value))
        elif isinstance(entries, Sequence) and all(
            isinstance(e, dict) and set(e) == {"step", "latent"} for e in entries
        ):
            pairs = [(entry["step"], entry["latent"]) for entry in entries]
        else:
            raise InputError(where, entries, shape)
        changes = []
        for i, (step, value) in enumerate(pairs):
            try:
                at = int(step)
            except (TypeError, ValueError):
                at = -1
            if at < 0 or isinstance(step, (bool, float)):
                raise InputError(f"{where}[{i}].step", step, "a whole step number, 0 or more")
            # Checked against a complete latent now, so that a mistake is found before the episode starts.
            space.validate(value, f"{where}[{i}].latent", base=space.sample(np.random.default_rng(0)))
            changes.append((at, value))
        if [at for at, _ in changes] != sorted({at for at, _ in changes}):
            raise InputError(where, [at for at, _ in changes], "steps in rising order, each once")
        return Schedule(tuple(changes))


# ------------------------------------------------------------------------------------------------ kernels T(m'|m)
class Kernel(Protocol):
    def draw(self, latent: Latent, space: LatentSpace, rng: np.random.Generator) -> Latent: ...


@dataclass(frozen=True)
class Uniform:
    """m' is drawn afresh, independent of m."""

    def draw(self, latent: Latent, space: LatentSpace, rng: np.random.Generator) -> Latent:
        return space.sample(rng)


@dataclass(frozen=True)
class Drift:
    """m' lies near m: each scalar, axial position and angle takes a Gaussian step; choices stay, mostly.

    Attributes:
        scale: standard deviation as a share of a field's range (of π for an angle).
        switch: probability that a choice, or the part of a point, is drawn afresh.
    """

    scale: float = 0.15
    switch: float = 0.1

    def __post_init__(self) -> None:
        if not 0.0 < self.scale <= 1.0:
            raise InputError("kernel.scale", self.scale, "a share of the range, above 0 up to 1")
        if not 0.0 <= self.switch <= 1.0:
            raise InputError("kernel.switch", self.switch, "a probability from 0 to 1")

    def draw(self, latent: Latent, space: LatentSpace, rng: np.random.Generator) -> Latent:
        drawn: Latent = {}
        for entry in space.fields:
            value, fresh = latent[entry.name], rng.random() < self.switch
            if isinstance(entry, ScalarField):
                step = rng.normal(0.0, self.scale) * (entry.high - entry.low)
                drawn[entry.name] = _reflect(value + step, entry.low, entry.high)
            elif isinstance(entry, ChoiceField):
                drawn[entry.name] = entry.sample(rng) if fresh else value
            else:
                part = entry.parts[int(rng.integers(len(entry.parts)))] if fresh else value.part
                axial = _reflect(value.axial + rng.normal(0.0, self.scale), 0.0, 1.0)
                drawn[entry.name] = SurfacePoint(
                    part, axial, wrap_angle(value.angle + rng.normal(0.0, self.scale) * math.pi)
                )
        return drawn


@dataclass(frozen=True)
class Alternate:
    """m' is on the other side: the next part or choice in turn; scalars mirror about their middle."""

    def draw(self, latent: Latent, space: LatentSpace, rng: np.random.Generator) -> Latent:
        drawn: Latent = {}
        for entry in space.fields:
            value = latent[entry.name]
            if isinstance(entry, ScalarField):
                drawn[entry.name] = entry.low + entry.high - value
            elif isinstance(entry, ChoiceField):
                drawn[entry.name] = entry.choices[(entry.choices.index(value) + 1) % len(entry.choices)]
            elif isinstance(entry, PointField):
                part = entry.parts[(entry.parts.index(value.part) + 1) % len(entry.parts)]
                drawn[entry.name] = replace(value, part=part)
        return drawn


def _reflect(value: float, low: float, high: float) -> float:
    """``value`` folded back into [low, high] as by mirrors at both ends."""
    span = high - low
    offset = (value - low) % (2 * span)
    return float(low + (offset if offset <= span else 2 * span - offset))


# ------------------------------------------------------------------------------------------------ from text
TERMINATIONS = {"bernoulli": Bernoulli, "fixed": FixedLength}
KERNELS: dict[str, Any] = {"uniform": Uniform, "drift": Drift, "alternate": Alternate}


def parse_kernel(value: Any, where: str = "kernel") -> Kernel:
    """A kernel from an object, a name (``"drift"``) or a mapping (``{"name": "drift", "scale": 0.1}``)."""
    if isinstance(value, (Uniform, Drift, Alternate)):
        return value
    options = dict(value) if isinstance(value, dict) else {"name": value}
    name = options.pop("name", None)
    if name not in KERNELS:
        raise InputError(f"{where}.name", name, "one of " + ", ".join(KERNELS))
    try:
        return KERNELS[name](**options)
    except TypeError:
        allowed = ", ".join(KERNELS[name].__dataclass_fields__) or "no options"
        raise InputError(where, options, f"{name} takes {allowed}") from None


def parse_termination(value: Any, space: LatentSpace | None = None) -> Termination:
    """A termination from a probability per step, ``{"length": steps}``, or, given ``space``, ``{"schedule": …}``."""
    if isinstance(value, dict):
        if space is not None and set(value) == {"schedule"}:
            return Schedule.parse(value["schedule"], space, "termination.schedule")
        if set(value) != {"length"}:
            raise InputError("termination", value, "a probability from 0 to 1, or {length: steps}")
        return FixedLength(value["length"])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError("termination", value, "a probability from 0 to 1, or {length: steps}")
    return Bernoulli(float(value))


# ------------------------------------------------------------------------------------------------ the process
@dataclass
class SessionProcess:
    """The hidden half of a DLCMDP: holds m, ends sessions, draws the next m.

    Call :meth:`reset` at an episode's start and :meth:`advance` once after every step. Session labels are for
    training and for plots of the truth; a policy never sees them.

    Attributes:
        space: what m consists of.
        termination: draws d_t.
        kernel: draws m'.
        latent: m, the value in force for the next step.
        index: number of the current session in the episode, from 0.
        age: steps of the current session already taken.
        step: steps of the episode already taken.
    """

    space: LatentSpace
    termination: Termination = field(default_factory=lambda: Bernoulli(0.02))
    kernel: Kernel = field(default_factory=Uniform)
    latent: Latent = field(default_factory=dict)
    index: int = 0
    age: int = 0
    step: int = 0
    _next: Latent | None = None

    def reset(self, rng: np.random.Generator, latent: Latent | None = None) -> Latent:
        """Start an episode with ``latent``, a schedule's step-0 value, or a draw from the space."""
        self._rng = rng
        self.index = self.age = self.step = 0
        self._next = None
        drawn = self.space.sample(rng)
        scheduled = self.termination.at(0) if isinstance(self.termination, Schedule) else None
        if latent is not None:
            self.latent = self.space.validate(latent, "latent", base=drawn)
        elif scheduled is not None:
            self.latent = self.space.validate(scheduled, "schedule[0].latent", base=drawn)
        else:
            self.latent = drawn
        return self.latent

    def advance(self) -> bool:
        """Called after a step was taken under ``latent``; returns d_t and moves to the next session if it is 1."""
        ended = self.termination.ends(self.step, self.age + 1, self._rng)
        self.step += 1
        self.age += 1
        if ended:
            scheduled = self.termination.at(self.step) if isinstance(self.termination, Schedule) else None
            if self._next is not None:
                self.latent, self._next = self._next, None
            elif scheduled is not None:
                self.latent = self.space.validate(scheduled, "schedule", base=self.latent)
            else:
                self.latent = self.kernel.draw(self.latent, self.space, self._rng)
            self.index += 1
            self.age = 0
        return ended

    def override(self, value: Any, at_next_session: bool = False) -> Latent:
        """A change from outside: now (a new session starts with the next step), or when the session ends.

        Args:
            value: fields to change, as :meth:`LatentSpace.validate` takes them; the others stay.

        Returns:
            The latent that will be in force.
        """
        latent = self.space.validate(value, "override", base=self.latent)
        if at_next_session:
            self._next = latent
        else:
            self.latent = latent
            if self.age > 0:
                self.index += 1
            self.age = 0
        return latent
