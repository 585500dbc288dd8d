"""Rules: what a configuration field accepts, said once beside its default.

A section is a frozen dataclass derived from :class:`Section`; its fields are made by :func:`whole`, :func:`real`,
:func:`flag`, :func:`choice`, :func:`sizes`, :func:`text` and :func:`plain`. On construction every field is checked and
brought into its type; a mistake is an :class:`~scenes.errors.InputError` that names the field's path (``ppo.lr``).
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from scenes.errors import InputError

Rule = Callable[[str, Any], Any]


def _field(default: Any, rule: Rule) -> Any:
    if isinstance(default, dict):
        return dataclasses.field(default_factory=lambda: dict(default), metadata={"rule": rule})
    return dataclasses.field(default=default, metadata={"rule": rule})


#: Whole numbers end up in 64 bits.
_LARGEST = 2**63 - 1


def whole(default: int, low: int = 0, high: int | None = None) -> Any:
    """A whole number in [low, high]."""
    allowed = f"a whole number, {low} or more" if high is None else f"a whole number from {low} to {high}"
    most = _LARGEST if high is None else high

    def rule(where: str, value: Any) -> int:
        if isinstance(value, (bool, str)) or value is None or not _is_number(value) or int(value) != value:
            raise InputError(where, value, allowed)
        if not low <= value <= most:
            raise InputError(where, value, allowed)
        return int(value)

    return _field(default, rule)


def real(default: float, low: float = -math.inf, high: float = math.inf, above: float = -math.inf) -> Any:
    """A finite number in [low, high] and greater than ``above``."""
    bounds = [f"above {above:g}" if above > -math.inf else "", f"at least {low:g}" if low > -math.inf else ""]
    bounds.append(f"at most {high:g}" if high < math.inf else "")
    allowed = " ".join(["a number", *filter(None, bounds)])

    def rule(where: str, value: Any) -> float:
        if isinstance(value, str):  # YAML reads 3e-4 (without a point) as a text
            try:
                value = float(value)
            except ValueError:
                raise InputError(where, value, allowed) from None
        if isinstance(value, bool) or not _is_number(value) or not (low <= value <= high and value > above):
            raise InputError(where, value, allowed)
        return float(value)

    return _field(default, rule)


def flag(default: bool) -> Any:
    """True or false."""

    def rule(where: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise InputError(where, value, "true or false")
        return value

    return _field(default, rule)


def choice(default: str, choices: tuple[str, ...]) -> Any:
    """One of a few words."""

    def rule(where: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InputError(where, value, "one of " + ", ".join(choices) + did_you_mean(value, choices))
        return value

    return _field(default, rule)


def sizes(default: tuple[int, ...]) -> Any:
    """Widths of the hidden layers of a network; may be empty."""

    def rule(where: str, value: Any) -> tuple[int, ...]:
        allowed = "a list of layer widths, such as [64, 64]"
        if not isinstance(value, (list, tuple)):
            raise InputError(where, value, allowed)
        if any(isinstance(v, bool) or not isinstance(v, int) or not 1 <= v <= 2**20 for v in value):
            raise InputError(where, value, allowed)
        return tuple(value)

    return _field(default, rule)


def text(default: str) -> Any:
    def rule(where: str, value: Any) -> str:
        if not isinstance(value, str):
            raise InputError(where, value, "a text")
        return value

    return _field(default, rule)


def plain(default: Any, allowed: str, kinds: tuple[type, ...]) -> Any:
    """A JSON-plain value of one of ``kinds``, passed on as it is (checked by whoever uses it)."""

    def rule(where: str, value: Any) -> Any:
        if value is not None and (
            not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds)
        ):
            raise InputError(where, value, allowed)
        return dict(value) if isinstance(value, Mapping) else value

    return _field(default, rule)


def did_you_mean(word: object, known: Iterable[str]) -> str:
    """``" (did you mean lr?)"`` where a known word is close, else nothing."""
    close = difflib.get_close_matches(str(word)[:100], list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, (int, float)) and math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


@dataclasses.dataclass(frozen=True)
class Section:
    """One named part of a configuration."""

    section: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            checked = field.metadata["rule"](f"{self.section}.{field.name}", getattr(self, field.name))
            object.__setattr__(self, field.name, checked)
        self.check()

    def check(self) -> None:
        """Hook for rules between fields."""
