"""What a job comes to: a row and a curve; and what it does not depend on. Light, so that a driver need not load PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dynamite.sweep.job import Job

ROW_FORMAT = "dynamite-row/1"


@dataclass(frozen=True)
class Settings:
    """What a job's result does not depend on.

    Attributes:
        work: where trainings keep their checkpoints, a folder per job.
        program: version and commit of the code, for the row.
        policies: the module that loads policies by name, for teachers and for jobs without a training.
        keep: leave the training's folder.
    """

    work: Path
    program: Mapping[str, Any] = field(default_factory=dict)
    policies: str = "policies"
    keep: bool = False


@dataclass(frozen=True)
class Result:
    """Attributes:
    row: JSON-plain, as :func:`make_row` makes it.
    curve: the training's curve, a mapping per point; empty where nothing was trained.
    """

    row: dict[str, Any]
    curve: list[dict[str, float | None]] = field(default_factory=list)


def make_row(
    job: Job,
    settings: Settings,
    measures: Mapping[str, Any] | None = None,
    curves: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    error: str | None = None,
) -> dict[str, Any]:
    """=============  ================================================================================================
    key            value
    =============  ================================================================================================
    ``format``     :data:`ROW_FORMAT`
    ``id``         the job's
    ``error``      one line where the job failed, else None
    ``measures``   values by name (:mod:`dynamite.measure`); None where it failed
    ``training``   ``frames``, ``iterations``, ``seconds``, ``return_at_end``, ``slope_at_end``; None for a loaded policy
    ``program``    ``version`` and ``commit`` of the code; a commit ends in ``+`` where files were changed
    ``curves``     columns of equal length by name (:class:`dynamite.measure.Measurement`)
    ``job``        everything the row depends on: ``train`` (the whole configuration) or ``policy`` (name, sha256), and
                   ``evaluate`` (episodes, seed, scene)
    =============  ================================================================================================
    """
    return {
        "format": ROW_FORMAT,
        "id": job.id,
        "error": error,
        "measures": measures,
        "training": training,
        "program": dict(settings.program),
        "curves": curves,
        "job": job.to_json(),
    }


def failed(job: Job, settings: Settings, error: str) -> Result:
    """The row of a job that could not be done."""
    return Result(make_row(job, settings, error=error))
