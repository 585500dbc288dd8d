"""A results folder as figures need it: lines of the table, curves, and where it all came from."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from dynamite.stats import iqm, stratified_interval
from dynamite.sweep.store import Store
from robot_app.figures.spec import Figure, Reference, parse_figures, parse_reference
from scenes.errors import InputError

Line = dict[str, Any]


@dataclass(frozen=True)
class Provenance:
    """What every file carries.

    Attributes:
        sweep: its name. seeds, commits: of the rows shown. config: the sweep's file.
    """

    sweep: str
    seeds: tuple[Any, ...]
    commits: tuple[str, ...]
    config: str
    n_runs: int

    @property
    def digest(self) -> str:
        """First 12 digits of the sha256 of the sweep's file."""
        return hashlib.sha256(self.config.encode()).hexdigest()[:12]

    def line(self) -> str:
        """For people."""
        return (
            f"{self.n_runs} runs of sweep {self.sweep} (sweep.yaml {self.digest}), seeds {spans(self.seeds)}, "
            f"commit {', '.join(self.commits) or 'unknown'}"
        )

    def to_json(self) -> str:
        values = {"sweep": self.sweep, "seeds": self.seeds, "commits": self.commits, "runs": self.n_runs}
        return json.dumps({**values, "config": self.config}, ensure_ascii=False)


def spans(values: Sequence[Any]) -> str:
    """``0–4, 7``."""
    numbers = sorted(value for value in values if isinstance(value, int))
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{low}–{high}" if high > low else str(low) for low, high in parts) or "none"


class Results:
    """One sweep's folder.

    Raises:
        InputError: no results there, or a sweep's file that asks for something unknown.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._store = folder, Store(folder)
        try:
            self.text = (folder / "sweep.yaml").read_text(encoding="utf-8")
            top = yaml.safe_load(self.text)
            with open(folder / "results.csv", encoding="utf-8", newline="") as file:
                self.lines = [
                    {key: _value(text) for key, text in line.items()} for line in csv.DictReader(file)
                ]
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(
                str(folder), type(error).__name__, "a folder with sweep.yaml and results.csv"
            ) from None
        if not isinstance(top, dict):
            raise InputError(str(folder / "sweep.yaml"), top, "a sweep's file")
        given = top.get("blocks")
        blocks = given if isinstance(given, list) else [top]
        #: Names of all blocks' axes.
        self.axes: tuple[str, ...] = tuple(
            dict.fromkeys(
                name for block in blocks if isinstance(block, dict) for name in block.get("axes") or ()
            )
        )
        self.name, self.description = str(top.get("name", folder.name)), str(top.get("description", ""))
        try:
            self.figures: tuple[Figure, ...] = parse_figures(top.get("figures", []))
            self.reference: Reference = parse_reference(top.get("reference", {}))
        except InputError as error:
            where = f"{folder / 'sweep.yaml'}: {error.where}"
            raise InputError(where, error.got, error.allowed) from None

    def select(self, figure: Figure) -> list[Line]:
        """Lines of runs that succeeded and belong to a figure.

        Raises:
            InputError: a column that the table lacks.
        """
        known = self.columns
        needed = [*figure.by, *figure.where, *(key for key in (figure.panels, figure.x) if key)]
        for key in needed:
            if self.lines and key not in known:
                raise InputError(f"figures.{figure.name}", key, "a column: " + ", ".join(known))
        return [
            line
            for line in self.lines
            if line["error"] is None
            and all(label(line[key]) in values for key, values in figure.where.items())
        ]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        return tuple(self.lines[0]) if self.lines else ()

    def failures(self) -> list[Line]:
        return [line for line in self.lines if line["error"] is not None]

    def curve(self, line: Line) -> dict[str, list[float]] | None:
        """The training's curve behind a line."""
        return self._store.curve(str(line["id"]))

    def row(self, line: Line) -> dict[str, Any]:
        """The row behind a line, as :func:`dynamite.sweep.result.make_row` made it."""
        return json.loads((self._store.rows / f"{line['id']}.json").read_text(encoding="utf-8"))

    def cells(self, lines: Iterable[Line]) -> dict[tuple[Any, ...], list[Line]]:
        """Lines that differ by their seed alone, together."""
        keys = [key for key in dict.fromkeys(("block", "scene", *self.axes)) if key in self.columns]
        return group(lines, *(key for key in keys if key != "seed"))

    def strata(self, lines: Iterable[Line], measure: str) -> list[list[float]]:
        """A measure's values by cell: what a bootstrap resamples within."""
        found = (values_of(part, measure) for part in self.cells(lines).values())
        return [values for values in found if values]

    def provenance(self, lines: Sequence[Line]) -> Provenance:
        return Provenance(
            sweep=self.name,
            seeds=tuple(sorted({line["seed"] for line in lines if line.get("seed") is not None})),
            commits=tuple(sorted({str(line["commit"]) for line in lines if line.get("commit")})),
            config=self.text,
            n_runs=len({line["id"] for line in lines}),
        )


def group(lines: Iterable[Line], *keys: str) -> dict[tuple[Any, ...], list[Line]]:
    """Lines by their values in some columns, in order of appearance."""
    groups: dict[tuple[Any, ...], list[Line]] = {}
    for line in lines:
        groups.setdefault(tuple(line.get(key) for key in keys), []).append(line)
    return groups


def values_of(lines: Iterable[Line], measure: str) -> list[float]:
    """A measure over runs, those that lack it left out."""
    return [float(line[measure]) for line in lines if line.get(measure) is not None]


def interval_of(strata: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """95 % interval of the interquartile mean; None where no stratum holds a second run: one says nothing of spread."""
    return stratified_interval(strata, iqm) if any(len(values) > 1 for values in strata) else None


def reference_return(lines: Sequence[Line], name: str) -> float | None:
    """What is known of the scene that all of ``lines`` are about; None where they are about several, or nothing is."""
    known = {float(value) for line in lines if (value := line.get(f"reference_{name}")) is not None}
    return known.pop() if len(known) == 1 else None


def label(value: Any) -> str:
    """A column's value as it is written in a file and shown in a legend."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def find_results(root: Path) -> list[Path]:
    """Every results folder at or beneath ``root``.

    Raises:
        InputError: there is none.
    """
    found = sorted(
        path.parent for path in root.rglob("results.csv") if (path.parent / "sweep.yaml").is_file()
    )
    if not found:
        raise InputError("--results", str(root), "a folder with results of `robot-app sweep` in it")
    return found


def _value(text: str) -> Any:
    if text == "":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
