"""The driver: what a plan still lacks is run, and every result is kept the moment it is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dynamite.sweep.executor import Executor, Listener
from dynamite.sweep.job import Job
from dynamite.sweep.plan import Plan
from dynamite.sweep.result import Result, Settings
from dynamite.sweep.store import Store


@dataclass(frozen=True)
class Outlook:
    """What a plan needs, before it runs.

    Attributes:
        todo: in the order they will be run. done: rows that are there. failed: of these, rows with an error.
    """

    todo: tuple[Job, ...]
    done: int
    failed: int


def look_ahead(plan: Plan, store: Store, retry_failed: bool = False) -> Outlook:
    todo, done, failed = [], 0, 0
    for job in plan.jobs():
        row = store.row(job)
        if row is None or (retry_failed and row["error"] is not None):
            todo.append(job)
            continue
        done += 1
        failed += row["error"] is not None
    return Outlook(tuple(todo), done, failed)


class _Keeper:
    """Stores results, and passes everything on to whoever else listens."""

    def __init__(self, store: Store, listener: Listener) -> None:
        self._store, self._listener = store, listener
        self.started, self.progressed = listener.started, listener.progressed

    def finished(self, job: Job, result: Result) -> None:
        self._store.save(job, result)
        self._listener.finished(job, result)


def run_missing(
    outlook: Outlook,
    store: Store,
    executor: Executor,
    settings: Settings,
    listener: Listener,
    should_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Run what is missing; returns early where told to stop."""
    executor.run(outlook.todo, settings, _Keeper(store, listener), should_stop)
