"""A small sweep, and the simplest things that run and hear one."""

from __future__ import annotations

from dynamite.sweep.driver import look_ahead, run_missing
from dynamite.sweep.result import Settings
from dynamite.sweep.run import run_job
from dynamite.sweep.store import Store
from tests.dynamite.conftest import TINY

SMALL = {**TINY, "train.frames": 720, "train.checkpoint_every": 360}
SWEEP = {
    "name": "small",
    "evaluation": {"episodes": 16, "seed": 7},
    "base": {"scene": "gridworld", "overrides": SMALL},
    "axes": {"variant": ["dynamite", "oracle"], "seed": [0, 1]},
}


def changed(**top) -> dict:
    return {**SWEEP, **top}


class Inline:
    """An executor in this process; it is told to stop when it asks for the ``stop_at``-th time.

    Jobs ask after every iteration, and before every step of their evaluation.
    """

    def __init__(self, stop_at: int | None = None) -> None:
        self.asked, self.stop_at = 0, stop_at

    def run(self, jobs, settings, listener, should_stop):
        def stop():
            self.asked += 1
            return self.asked == self.stop_at

        for job in jobs:
            listener.started(job)
            result = run_job(job, settings, lambda done, total: None, stop)
            if result is None:
                return
            listener.finished(job, result)


class Heard:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.results, self.begun = {}, []

    def started(self, job):
        self.begun.append(job.id)

    def progressed(self, job, done, total):
        pass

    def finished(self, job, result):
        assert job.id not in self.results
        self.results[job.id] = result


def sweep(plan, out, executor=None, retry_failed=False) -> Heard:
    store, heard = Store(out), Heard()
    store.open(plan)
    outlook = look_ahead(plan, store, retry_failed)
    run_missing(outlook, store, executor or Inline(), Settings(out / ".work", {"commit": "abc"}), heard)
    return heard
