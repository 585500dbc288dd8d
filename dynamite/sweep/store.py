"""Rows and curves on disk, one file per job, written whole or not at all.

::

    <out>/sweep.yaml              what was run, as it was last given
    <out>/rows/<id>.json          a job's row (dynamite.sweep.run)
    <out>/rows/<id>.curve.csv     its training's curve
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import yaml

from dynamite.files import write_atomic
from dynamite.sweep.job import Job
from dynamite.sweep.plan import Plan
from dynamite.sweep.result import ROW_FORMAT, Result
from scenes.errors import InputError


class Store:
    """A sweep's folder."""

    def __init__(self, out: Path) -> None:
        self.out, self.rows = Path(out), Path(out) / "rows"

    def open(self, plan: Plan) -> None:
        """Make the folder, or prove that it belongs to this sweep; keep the sweep's file.

        Raises:
            InputError: another sweep's folder, or one that cannot be written.
        """
        kept = self.out / "sweep.yaml"
        if kept.is_file():
            try:
                other = yaml.safe_load(kept.read_text(encoding="utf-8"))
            except (yaml.YAMLError, UnicodeDecodeError):
                other = None
            name = other.get("name", plan.name) if isinstance(other, dict) else None
            if str(name) != plan.name:
                raise InputError("--out", f"{self.out} (results of {name!r})", f"a folder for {plan.name!r}")
        try:
            self.rows.mkdir(parents=True, exist_ok=True)
            if not kept.is_file() or kept.read_text(encoding="utf-8") != plan.text:
                write_atomic(kept, plan.text.encode())
        except OSError as error:
            raise InputError(
                "--out", f"{self.out} ({error.strerror})", "a folder that can be written"
            ) from None

    def row(self, job: Job) -> dict[str, Any] | None:
        """The job's row, None where it is not done (or was done with other defaults in the code)."""
        path = self.rows / f"{job.id}.json"
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except ValueError:
            raise InputError(str(path), "a damaged file (not JSON)", "a row, or no file") from None
        if not isinstance(row, dict) or row.get("format") != ROW_FORMAT:
            raise InputError(str(path), "a foreign file", f"format {ROW_FORMAT}")
        return row if job.same_as(row["job"]) else None

    def others(self, plan: Plan) -> int:
        """Rows of jobs that the plan does not hold: of another version of its file, or of other presets."""
        ids = {planned.job.id for planned in plan.planned if self.row(planned.job) is not None}
        return sum(path.stem not in ids for path in self.rows.glob("*.json"))

    def save(self, job: Job, result: Result) -> None:
        """Keep a row and its curve; the curve first, so that a row is never without it."""
        if result.curve:
            text = io.StringIO()
            writer = csv.DictWriter(text, list(result.curve[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(result.curve)
            write_atomic(self.rows / f"{job.id}.curve.csv", text.getvalue().encode())
        write_atomic(self.rows / f"{job.id}.json", (json.dumps(result.row, indent=1) + "\n").encode())

    def curve(self, job_id: str) -> dict[str, list[float]] | None:
        """A training's curve by columns, None where there is none."""
        path = self.rows / f"{job_id}.curve.csv"
        if not path.is_file():
            return None
        with open(path, encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        return {name: [float(line[name] or "nan") for line in lines] for name in (lines[0] if lines else {})}
