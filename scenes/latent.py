"""LatentSpace: what a scene hides, as named fields that can be drawn, edited, checked and written down.

A latent `m` (METHOD: the hidden context of a DLCMDP) is a plain ``dict`` from field name to value:

====================  ===================================  ==================================
field                 value                                vector entries
====================  ===================================  ==================================
:class:`ChoiceField`  one of its ``choices`` (str)         one-hot, one entry per choice
:class:`ScalarField`  float in ``[low, high]`` (its unit)  one entry in [-1, 1]
:class:`PointField`   :class:`SurfacePoint` on a part      one-hot part, axial in [-1, 1], cos, sin
====================  ===================================  ==================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scenes.errors import InputError

Latent = dict[str, Any]


@dataclass(frozen=True)
class SurfacePoint:
    """A point on the surface of a body part, in coordinates that move with the part.

    Attributes:
        part: name of the part, e.g. ``"forearm"``.
        axial: 0 at the part's near joint (shoulder, elbow) … 1 at its far joint (elbow, wrist).
        angle: radians about the part's axis, in (-π, π]; 0 points to the part's dorsal side.
    """

    part: str
    axial: float
    angle: float

    def to_dict(self) -> dict[str, Any]:
        return {"part": self.part, "axial": self.axial, "angle": self.angle}


def wrap_angle(angle: float) -> float:
    """``angle`` brought into (-π, π]."""
    return -((-angle + math.pi) % (2 * math.pi) - math.pi)


@dataclass(frozen=True)
class ChoiceField:
    """One of a few named values."""

    name: str
    label: str
    choices: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.choices)

    def sample(self, rng: np.random.Generator) -> str:
        return self.choices[int(rng.integers(len(self.choices)))]

    def validate(self, value: Any, where: str) -> str:
        if value not in self.choices:
            raise InputError(where, value, "one of " + ", ".join(self.choices))
        return str(value)

    def to_vector(self, value: str) -> np.ndarray:
        return np.array([float(choice == value) for choice in self.choices])

    def from_vector(self, vector: np.ndarray) -> str:
        return self.choices[int(np.argmax(vector))]

    def to_json(self, value: str) -> Any:
        return value

    def to_text(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class ScalarField:
    """A number with a unit."""

    name: str
    label: str
    low: float
    high: float
    unit: str

    @property
    def size(self) -> int:
        return 1

    def sample(self, rng: np.random.Generator) -> float:
        return float(rng.uniform(self.low, self.high))

    def validate(self, value: Any, where: str) -> float:
        allowed = f"a number from {self.low:g} to {self.high:g} {self.unit}".rstrip()
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InputError(where, value, allowed) from None
        if isinstance(value, bool) or not self.low <= number <= self.high:  # NaN fails the comparison too
            raise InputError(where, value, allowed)
        return number

    def to_vector(self, value: float) -> np.ndarray:
        return np.array([2 * (value - self.low) / (self.high - self.low) - 1])

    def from_vector(self, vector: np.ndarray) -> float:
        return float(self.low + (np.clip(vector[0], -1, 1) + 1) / 2 * (self.high - self.low))

    def to_json(self, value: float) -> Any:
        return value

    def to_text(self, value: float) -> str:
        return f"{value:.3g} {self.unit}".strip()


#: Words for the four sides of a limb, so that a script can say ``forearm.dorsal``.
SIDES: dict[str, float] = {
    "dorsal": 0.0,
    "lateral": math.pi / 2,
    "ventral": math.pi,
    "medial": -math.pi / 2,
}


@dataclass(frozen=True)
class PointField:
    """A point on the surface of one of several body parts.

    Attributes:
        parts: the parts the point may lie on.
    """

    name: str
    label: str
    parts: tuple[str, ...]

    @property
    def size(self) -> int:
        return len(self.parts) + 3

    def sample(self, rng: np.random.Generator) -> SurfacePoint:
        part = self.parts[int(rng.integers(len(self.parts)))]
        return SurfacePoint(
            part, float(rng.uniform(0.0, 1.0)), wrap_angle(float(rng.uniform(-math.pi, math.pi)))
        )

    def validate(self, value: Any, where: str) -> SurfacePoint:
        if isinstance(value, str):
            value = self._from_text(value, where)
        if isinstance(value, SurfacePoint):
            value = value.to_dict()
        if not isinstance(value, Mapping) or set(value) != {"part", "axial", "angle"}:
            raise InputError(where, value, "part, axial and angle, or a text like " + self._example())
        if value["part"] not in self.parts:
            raise InputError(f"{where}.part", value["part"], "one of " + ", ".join(self.parts))
        axial = ScalarField("axial", "", 0.0, 1.0, "(0 near joint, 1 far joint)").validate(
            value["axial"], f"{where}.axial"
        )
        angle = ScalarField("angle", "", -2 * math.pi, 2 * math.pi, "rad").validate(
            value["angle"], f"{where}.angle"
        )
        return SurfacePoint(str(value["part"]), axial, wrap_angle(angle))

    def _example(self) -> str:
        return f"{self.parts[0]}, {self.parts[0]}.dorsal or {self.parts[-1]}.ventral@0.7"

    def _from_text(self, text: str, where: str) -> dict[str, Any]:
        """``part[.side][@axial]``: side one of SIDES or degrees, default dorsal; axial default 0.5."""
        body, _, axial = text.partition("@")
        part, _, side = body.partition(".")
        if part not in self.parts:
            raise InputError(where, text, f"{self._example()}, …; parts: {', '.join(self.parts)}")
        if side and side not in SIDES:
            raise InputError(where, text, f"a side of {', '.join(SIDES)}, as in {self._example()}")
        return {"part": part, "axial": axial or 0.5, "angle": SIDES[side or "dorsal"]}

    def to_vector(self, value: SurfacePoint) -> np.ndarray:
        onehot = [float(part == value.part) for part in self.parts]
        return np.array([*onehot, 2 * value.axial - 1, math.cos(value.angle), math.sin(value.angle)])

    def from_vector(self, vector: np.ndarray) -> SurfacePoint:
        n = len(self.parts)
        axial = float(np.clip((vector[n] + 1) / 2, 0, 1))
        return SurfacePoint(
            self.parts[int(np.argmax(vector[:n]))], axial, math.atan2(vector[n + 2], vector[n + 1])
        )

    def to_json(self, value: SurfacePoint) -> Any:
        return value.to_dict()

    def to_text(self, value: SurfacePoint) -> str:
        part = value.part.replace("_", " ")
        return f"{part} {100 * value.axial:.0f} %, {round(math.degrees(value.angle)):+d}°"


LatentField = ChoiceField | ScalarField | PointField


@dataclass(frozen=True)
class LatentSpace:
    """The named fields a scene hides.

    >>> space = LatentSpace((ScalarField("force", "Preferred force", 1.0, 9.0, "N"),))
    >>> space.validate({"force": 3})
    {'force': 3.0}
    """

    fields: tuple[LatentField, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def with_ranges(self, ranges: Mapping[str, Sequence[float]], where: str = "ranges") -> LatentSpace:
        """The same fields, some of the scalar ones with other bounds.

        Args:
            ranges: field name → (low, high).

        Raises:
            InputError: no scalar field of that name, or bounds that are none.
        """
        scalars = [entry.name for entry in self.fields if isinstance(entry, ScalarField)]
        for name, bounds in ranges.items():
            if name not in scalars:
                raise InputError(
                    f"{where}.{name}", "a range", "of a hidden number: " + (", ".join(scalars) or "none here")
                )
            numbers = isinstance(bounds, Sequence) and [isinstance(x, (int, float)) for x in bounds] == [
                True,
                True,
            ]
            if not numbers or not -math.inf < bounds[0] < bounds[1] < math.inf:
                raise InputError(f"{where}.{name}", bounds, "two finite numbers, the lower first")
        return LatentSpace(
            tuple(
                replace(entry, low=float(ranges[entry.name][0]), high=float(ranges[entry.name][1]))
                if isinstance(entry, ScalarField) and entry.name in ranges
                else entry
                for entry in self.fields
            )
        )

    @property
    def size(self) -> int:
        """Length D of :meth:`to_vector`."""
        return sum(field.size for field in self.fields)

    def __getitem__(self, name: str) -> LatentField:
        for field in self.fields:
            if field.name == name:
                return field
        raise InputError("latent field", name, "one of " + ", ".join(self.names))

    def sample(self, rng: np.random.Generator) -> Latent:
        """One latent, every field uniform over its range."""
        return {field.name: field.sample(rng) for field in self.fields}

    def validate(self, value: Any, where: str = "latent", base: Latent | None = None) -> Latent:
        """``value`` checked and completed.

        Args:
            value: a mapping from field name to value (missing fields are taken from ``base``), or the
                text of the first point or choice field, such as ``"forearm.dorsal@0.7"``.
            where: named in the error.
            base: the latent that supplies fields not mentioned.

        Raises:
            InputError: names the field, the value, and what is allowed.
        """
        if isinstance(value, str):
            value = {self.fields[0].name: value}
        if not isinstance(value, Mapping):
            raise InputError(where, value, "fields " + ", ".join(self.names))
        unknown = set(value) - set(self.names)
        if unknown:
            raise InputError(
                f"{where}.{sorted(map(str, unknown))[0]}", "an unknown field", ", ".join(self.names)
            )
        latent = {}
        for field in self.fields:
            if field.name in value:
                latent[field.name] = field.validate(value[field.name], f"{where}.{field.name}")
            elif base is not None:
                latent[field.name] = base[field.name]
            else:
                raise InputError(f"{where}.{field.name}", "nothing", "a value for every field")
        return latent

    def to_vector(self, latent: Latent) -> np.ndarray:
        """(D,) float64 in [-1, 1]; see the module's table."""
        return np.concatenate([field.to_vector(latent[field.name]) for field in self.fields])

    def from_vector(self, vector: np.ndarray) -> Latent:
        """The latent nearest to a (D,) vector: inverse of :meth:`to_vector`."""
        latent, start = {}, 0
        for field in self.fields:
            latent[field.name] = field.from_vector(np.asarray(vector)[start : start + field.size])
            start += field.size
        return latent

    def to_json(self, latent: Latent) -> dict[str, Any]:
        """Plain values for a JSON file; :meth:`validate` reads them back exactly."""
        return {field.name: field.to_json(latent[field.name]) for field in self.fields}

    def to_text(self, latent: Latent) -> str:
        """For people: ``"forearm 70 %, +0°"``."""
        return " · ".join(field.to_text(latent[field.name]) for field in self.fields)
