"""Tables across seeds: interquartile mean with its 95 % interval, mean, shares of the bounds; as Markdown and as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dynamite.stats import improvement_over_cells, iqm
from robot_app.figures.results import (
    Line,
    Provenance,
    Results,
    group,
    interval_of,
    label,
    reference_return,
    values_of,
)
from robot_app.figures.spec import LINES, Figure

_HEADS = {
    "share_of_bayes": "of Bayes",
    "share_of_oracle": "of oracle",
    "bayes_progress": "of Bayes over random",
    "oracle_progress": "of oracle over random",
    "trained_oracle_progress": "of trained oracle over random",
    "adapt_median": "steps to adapt",
    "adapt_share": "adapted",
    "belief_nll": "belief NLL",
    "belief_cover50": "50 % covers",
    "belief_cover90": "90 % covers",
    "belief_entropy": "belief entropy",
    "end_precision": "end precision",
    "end_recall": "end recall",
    "end_delay": "end delay",
    "end_ece": "end ECE",
    "success_rate": "success",
    "force_p95_n": "force p95, N",
    "slope_at_end": "still gains per M steps",
}
_SHARES = ("share_of_bayes", "share_of_oracle")
_PERCENT = frozenset(name for name in _HEADS if name.startswith(("share", "bayes", "oracle", "trained"))) | {
    "adapt_share",
    "belief_cover50",
    "belief_cover90",
    "end_precision",
    "end_recall",
    "success_rate",
}
_NOTHING = "–"


@dataclass(frozen=True)
class Table:
    """Attributes:
    head: of the columns. rows: texts; reference rows come last. n_labels: leading columns that are names.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    n_labels: int
    provenance: Provenance
    notes: tuple[str, ...] = ()

    def markdown(self) -> str:
        lines = [f"**{self.title}**", ""] if self.title else []
        lines += ["| " + " | ".join(self.head) + " |"]
        lines += ["|" + "|".join("---" if i < self.n_labels else "---:" for i in range(len(self.head))) + "|"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows]
        return (
            "\n".join([*lines, "", *(f"{note}  " for note in self.notes), f"{self.provenance.line()}."])
            + "\n"
        )

    def latex(self) -> str:
        """With the sweep's whole file as comments."""
        columns = "l" * self.n_labels + "r" * (len(self.head) - self.n_labels)
        body = [" & ".join(map(_tex, row)) + r" \\" for row in self.rows]
        lines = [
            f"% {self.title}",
            f"% {self.provenance.line()}",
            *(f"% {line}".rstrip() for line in self.provenance.config.splitlines()),
            rf"\begin{{tabular}}{{{columns}}}",
            r"\toprule",
        ]
        lines += [
            " & ".join(map(_tex, self.head)) + r" \\",
            r"\midrule",
            *body,
            r"\bottomrule",
            r"\end{tabular}",
        ]
        return "\n".join(lines) + "\n"


def build(results: Results, figure: Figure, lines: Sequence[Line]) -> Table:
    """The table of a figure's lines, a row per combination of ``figure.by``, the first of them varying slowest."""
    lines = [dict(line) for line in lines]
    _add_trained_oracle(lines, figure)
    shares = tuple(name for name in (*_SHARES, "trained_oracle_progress") if _any(lines, name))
    if "share_of_oracle" in shares:
        shares = tuple(name for name in shares if name != "trained_oracle_progress")
    if not figure.reference:
        shares = ()
    measures = (*shares, *(name for name in figure.measures if name not in shares))
    rows = []
    for key, part in _in_order(group(lines, *figure.by)):
        values = values_of(part, "return_mean")
        if not values:
            continue
        interval = interval_of(results.strata(part, "return_mean"))
        row = [
            *map(label, key),
            str(len(values)),
            _number(float(iqm(values))),
            _NOTHING if interval is None else f"[{_number(interval[0])}, {_number(interval[1])}]",
        ]
        row.append(_number(sum(values) / len(values)))
        row += [_cell(part, name) for name in measures]
        if figure.against is not None:
            row.append(_better(results, lines, figure, key, part))
        rows.append(tuple(row))
    head = [*(name.rpartition(".")[2] for name in figure.by), "n", "return, IQM", "95 % interval", "mean"]
    head += [_HEADS.get(name, name) for name in measures]
    if figure.against is not None:
        head.append(f"P({figure.against} better)")
    rows += _reference_rows(results, figure, lines, len(head))
    failures = len(results.failures())
    notes = (f"{failures} runs of the sweep failed and are left out.",) if failures else ()
    title = figure.title or results.description
    return Table(title, tuple(head), tuple(rows), len(figure.by), results.provenance(lines), notes)


def _add_trained_oracle(lines: Sequence[Line], figure: Figure) -> None:
    """Progress towards the trained oracle under the same conditions, for scenes that no solver knows."""
    who = next((key for key in ("variant", "policy") if key in figure.by), None)
    if who is None or not _any(lines, "reference_random"):
        return
    conditions = (*(key for key in figure.by if key != who), "reference_random")
    for part in group(lines, *conditions).values():
        top = values_of([line for line in part if line[who] == "oracle"], "return_mean")
        if not top:
            continue
        for line in part:
            low, value = line.get("reference_random"), line.get("return_mean")
            if low is not None and value is not None and iqm(top) > low:
                line["trained_oracle_progress"] = (value - low) / (iqm(top) - low)


def _better(results: Results, lines: Sequence[Line], figure: Figure, key: tuple, part: Sequence[Line]) -> str:
    """P(``against`` beats this row), the rest of ``by`` being equal; the mean over cells where a row has several."""
    if label(key[-1]) == figure.against:
        return _NOTHING
    same = group(lines, *figure.by[:-1])[key[:-1]]
    who = figure.by[-1]
    ours, theirs = (
        results.cells({**line, who: None} for line in side)
        for side in ([line for line in same if label(line[who]) == figure.against], part)
    )
    returns = [
        (values_of(ours[cell], "return_mean"), values_of(theirs[cell], "return_mean"))
        for cell in theirs
        if cell in ours
    ]
    returns = [(x, y) for x, y in returns if x and y]
    if not returns:
        return _NOTHING
    value, low, high = improvement_over_cells(returns)
    if all(len(runs) == 1 for pair in returns for runs in pair):  # nothing is known of the spread
        return f"{value:.2f}"
    return f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _reference_rows(
    results: Results, figure: Figure, lines: Sequence[Line], width: int
) -> list[tuple[str, ...]]:
    if not figure.reference:
        return []
    rows = []
    blank = len(figure.by) - 1

    def row(name: str, value: str) -> tuple[str, ...]:
        cells = (f"*{name}*", *[""] * blank, "", value)
        return (*cells, *[""] * (width - len(cells)))

    for name in results.reference.lines:
        if (value := reference_return(lines, name)) is not None:
            rows.append(row(LINES[name], _number(value)))
    for entry in results.reference.published:
        spread = "" if entry.spread is None else f" ± {entry.spread:g}"
        rows.append(row(entry.name, f"{entry.value:g}{spread}"))
    return rows


def _in_order(groups: dict[tuple[Any, ...], list[Line]]) -> list[tuple[tuple[Any, ...], list[Line]]]:
    """Sorted by the first column's values, then by the second's, and so on; a column's in order of appearance."""
    ranks = [
        {value: i for i, value in enumerate(dict.fromkeys(column))} for column in zip(*groups, strict=True)
    ]
    return sorted(groups.items(), key=lambda item: [rank[v] for rank, v in zip(ranks, item[0], strict=True)])


def _any(lines: Sequence[Line], name: str) -> bool:
    return any(line.get(name) is not None for line in lines)


def _cell(lines: Sequence[Line], name: str) -> str:
    values = values_of(lines, name)
    if not values:
        return _NOTHING
    centre = float(iqm(values))
    return f"{100 * centre:.1f} %" if name in _PERCENT else _number(centre)


def _number(value: float) -> str:
    """Two decimals up to 100, one beyond."""
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"


def _tex(text: str) -> str:
    if text.startswith("*") and text.endswith("*") and len(text) > 1:
        return rf"\emph{{{_tex(text[1:-1])}}}"
    for plain, written in (
        ("_", r"\_"),
        ("%", r"\%"),
        ("&", r"\&"),
        ("±", r"$\pm$"),
        ("–", "--"),
        ("²", r"$^2$"),
    ):
        text = text.replace(plain, written)
    return text
