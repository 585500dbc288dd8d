"""What a sweep's file asks to be drawn.

::

    reference:
      lines: [bayes, oracle, stuck, random]         # what the solver knows (dynamite.sweep.references)
      published: [{name: DynaMITE-RL (paper), value: 42.9, spread: 0.5}]
      measure: false                                # no reference returns at all; random actions in many scenes take long
    figures:
      - {kind: table, name: returns, by: [variant], against: dynamite}
      - {kind: curves, name: learning, by: variant}
      - {kind: bars, name: return_bars, by: variant}
      - {kind: lines, name: return_by_p, where: {block: p}, x: p, by: variant, measure: share_of_bayes}
      - {kind: adaptation, name: adaptation, by: variant}
      - {kind: calibration, name: calibration, by: variant}
      - {kind: detection, name: session_ends, by: variant}

=============  ========================  ==================================================================================
key            of                        meaning
=============  ========================  ==================================================================================
``kind``       all                       see above
``name``       all                       of the files
``title``      all                       above it
``by``         all                       the column whose values are told apart; for a table also a list of columns; lines
                                         may do without
``where``      all                       columns and the values, or list of values, that they must have
``panels``     all plots                 a column: a panel for each of its values
``measure``    bars, lines               a measure's column (dynamite.measure); ``return_mean`` by default
``metric``     curves                    a column of the curves; ``return_mean`` by default
``x``          lines                     the column along the axis
``scale``      lines                     of that axis: linear, log, symlog (log, with a place for 0), even (value by value)
``measures``   table                     further measures, a column each
``against``    table                     a value of the last of ``by``: adds the probability that it does better
``reference``  table, bars, curves,      whether reference lines are drawn, or rows and shares of a table; true by default
               lines
=============  ========================  ==================================================================================
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scenes.errors import InputError

KINDS: dict[str, frozenset[str]] = {
    "table": frozenset({"measures", "against", "reference"}),
    "curves": frozenset({"panels", "metric", "reference"}),
    "bars": frozenset({"panels", "measure", "reference"}),
    "lines": frozenset({"panels", "measure", "x", "scale", "reference"}),
    "adaptation": frozenset({"panels"}),
    "calibration": frozenset({"panels"}),
    "detection": frozenset({"panels"}),
}
SCALES = ("linear", "log", "symlog", "even")
_COMMON = frozenset({"kind", "name", "title", "by", "where"})
#: What reference lines are called.
LINES = {
    "bayes": "Bayes-optimal",
    "oracle": "oracle (exact)",
    "likeliest": "exact belief, likeliest",
    "react": "reacts only",
    "stuck": "never leaves",
    "blind": "blind",
    "random": "random",
}


@dataclass(frozen=True)
class Published:
    """A number from elsewhere, to be seen beside ours."""

    name: str
    value: float
    spread: float | None = None


@dataclass(frozen=True)
class Reference:
    """Attributes:
    lines: keys of :data:`LINES`.
    """

    lines: tuple[str, ...] = ()
    published: tuple[Published, ...] = ()


@dataclass(frozen=True)
class Figure:
    """One thing to draw; see the module's table."""

    kind: str
    name: str
    by: tuple[str, ...]
    title: str = ""
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    panels: str | None = None
    measure: str = "return_mean"
    metric: str = "return_mean"
    x: str | None = None
    scale: str = "linear"
    measures: tuple[str, ...] = ()
    against: str | None = None
    reference: bool = True


def parse_figures(entries: Sequence[Mapping[str, Any]]) -> tuple[Figure, ...]:
    """The ``figures`` part of a sweep's file.

    Raises:
        InputError: a mistake, with its path.
    """
    figures = tuple(_figure(entry, f"figures[{i}]") for i, entry in enumerate(entries))
    names = [figure.name for figure in figures]
    for name in names:
        if names.count(name) > 1:
            raise InputError("figures.name", name, "names that differ")
    return figures


def parse_reference(values: Mapping[str, Any]) -> Reference:
    """The ``reference`` part of a sweep's file."""
    for key in values:
        if key not in ("lines", "published", "measure"):
            raise InputError(f"reference.{key}", "an unknown key", "lines, published, measure")
    if not isinstance(values.get("measure", True), bool):
        raise InputError("reference.measure", values["measure"], "true or false")
    lines = values.get("lines", [])
    if not isinstance(lines, list) or not set(map(str, lines)) <= set(LINES):
        raise InputError("reference.lines", lines, "a list of " + ", ".join(LINES))
    published = values.get("published", [])
    shape = "a list of {name, value} or {name, value, spread}"
    if not isinstance(published, list):
        raise InputError("reference.published", published, shape)
    found = []
    for i, entry in enumerate(published):
        where = f"reference.published[{i}]"
        if not isinstance(entry, Mapping) or not {"name", "value"} <= set(entry) <= {
            "name",
            "value",
            "spread",
        }:
            raise InputError(where, entry, shape)
        for key in ("value", "spread"):
            if not isinstance(entry.get(key, 0.0), (int, float)):
                raise InputError(f"{where}.{key}", entry[key], "a number")
        found.append(Published(str(entry["name"]), float(entry["value"]), entry.get("spread")))
    return Reference(tuple(map(str, lines)), tuple(found))


def _figure(entry: Mapping[str, Any], where: str) -> Figure:
    kind = entry.get("kind")
    if kind not in KINDS:
        raise InputError(f"{where}.kind", kind, "one of " + ", ".join(KINDS))
    allowed = _COMMON | KINDS[kind]
    for key in entry:
        if key not in allowed:
            raise InputError(f"{where}.{key}", "an unknown key", ", ".join(sorted(allowed)))
    for key in ("name", "x" if kind == "lines" else "by"):
        if key not in entry:
            raise InputError(f"{where}.{key}", "nothing", "a value")
    by = entry.get("by", "block")
    if isinstance(by, str):
        by = [by]
    if not isinstance(by, list) or not by or (kind != "table" and len(by) > 1):
        raise InputError(f"{where}.by", by, "a column" + (", or a list of them" if kind == "table" else ""))
    if not isinstance(entry.get("reference", True), bool):
        raise InputError(f"{where}.reference", entry["reference"], "true or false")
    if entry.get("scale", "linear") not in SCALES:
        raise InputError(f"{where}.scale", entry["scale"], "one of " + ", ".join(SCALES))
    for key in ("name", "title", "panels", "measure", "metric", "x", "against"):
        if key in entry and not isinstance(entry[key], str):
            raise InputError(f"{where}.{key}", entry[key], "a text")
    if "/" in entry["name"] or entry["name"].startswith("."):
        raise InputError(f"{where}.name", entry["name"], "a plain name for files")
    rest = {key: value for key, value in entry.items() if key not in ("by", "where", "measures")}
    return Figure(
        by=tuple(map(str, by)),
        where=_where(entry.get("where", {}), f"{where}.where"),
        measures=_texts(entry.get("measures", []), f"{where}.measures"),
        **rest,
    )


def _where(values: Any, where: str) -> dict[str, tuple[str, ...]]:
    if not isinstance(values, Mapping):
        raise InputError(where, values, "a mapping from columns to values")
    return {
        str(key): tuple(map(str, value)) if isinstance(value, list) else (str(value),)
        for key, value in values.items()
    }


def _texts(values: Any, where: str) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise InputError(where, values, "a list of names")
    return tuple(values)
