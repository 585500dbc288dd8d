"""The table of a sweep: a line per planned job that is done, as CSV and Parquet.

Columns: ``block``; the axes' labels; ``scene``, ``variant``, ``policy``, ``seed`` where they are no axis; ``id``, ``error``;
``frames``, ``return_at_end``, ``slope_at_end`` of the training; every measure; the scene's reference returns and the
shares of them (:mod:`dynamite.sweep.references`), unless the sweep says ``reference: {measure: false}``; ``commit``.
Columns that are empty everywhere are left out. Seconds are in the rows only, so that the same jobs give the same table
anywhere.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

from dynamite.config import Config
from dynamite.files import write_atomic
from dynamite.sweep.plan import Plan, Planned
from dynamite.sweep.references import References, shares
from dynamite.sweep.store import Store


def build_table(plan: Plan, store: Store, references: References) -> list[dict[str, Any]]:
    """Lines in the order of the plan's file, all with the same columns."""
    measured = plan.reference.get("measure", True)
    lines = []
    for planned in plan.planned:
        row = store.row(planned.job)
        if row is not None:
            lines.append(_line(planned, row, references if measured else None))
    first = (
        "block",
        *_labels(plan),
        "scene",
        "variant",
        "policy",
        "seed",
        "id",
        "error",
        "frames",
        "return_at_end",
        "slope_at_end",
    )
    columns = dict.fromkeys(
        [*first, *(name for line in lines for name in line if name != "commit"), "commit"]
    )
    used = [
        name
        for name in columns
        if any(line.get(name) is not None for line in lines) or name in ("id", "error")
    ]
    return [{name: line.get(name) for name in used} for line in lines]


def _labels(plan: Plan) -> Iterable[str]:
    return dict.fromkeys(label for planned in plan.planned for label in planned.labels)


def _line(planned: Planned, row: dict[str, Any], references: References | None) -> dict[str, Any]:
    job = planned.job
    source = job.source
    line: dict[str, Any] = {"scene": job.scene.name}
    if isinstance(source, Config):
        line |= {"variant": source.variant, "seed": source.train.seed}
    else:
        line["policy"] = source.name
    line |= {"block": planned.block, **planned.labels, "id": row["id"], "error": row["error"]}
    training, measures = row["training"] or {}, row["measures"] or {}
    line |= {key: training.get(key) for key in ("frames", "return_at_end", "slope_at_end")}
    line |= measures
    if references is not None:
        known = references.of(job.scene)
        line |= {f"reference_{name}": value for name, value in known.items()}
        if "return_mean" in measures:
            line |= shares(measures["return_mean"], known)
    return line | {"commit": row["program"].get("commit")}


def save_table(lines: list[dict[str, Any]], store: Store) -> None:
    """``results.csv`` and ``results.parquet``; the latter with the sweep's file as the metadata ``sweep``."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]) if lines else ["block"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _text(value) for name, value in line.items()} for line in lines)
    write_atomic(store.out / "results.csv", text.getvalue().encode())

    import pyarrow as pa
    import pyarrow.parquet as pq

    names = list(lines[0]) if lines else ["block"]
    table = pa.table({name: _column([line[name] for line in lines]) for name in names})
    table = table.replace_schema_metadata({"sweep": (store.out / "sweep.yaml").read_text(encoding="utf-8")})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    write_atomic(store.out / "results.parquet", sink.getvalue().to_pybytes())


def _column(values: list[Any]) -> list[Any]:
    """Of one type: a label may be a number here and a name there."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} or len(kinds) <= 1:
        return [float(v) if v is not None and kinds == {int, float} else v for v in values]
    return [None if value is None else str(value) for value in values]


def _text(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
