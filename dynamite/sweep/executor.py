"""Where jobs run: the protocol, and processes of this machine.

This module imports nothing heavy: a worker process must be deaf to Ctrl-C before it loads PyTorch.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import connection, resource_tracker
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from dynamite.sweep.job import Job
    from dynamite.sweep.result import Result, Settings

#: Times that a job is begun before its process' death counts as its failure.
ATTEMPTS = 2
_REPORT_EVERY_S, _POLL_S = 0.2, 0.2


class Listener(Protocol):
    """Hears what becomes of jobs; called in the driver's process."""

    def started(self, job: Job) -> None: ...

    def progressed(self, job: Job, done: int, total: int) -> None:
        """``done`` of ``total`` frames are trained."""

    def finished(self, job: Job, result: Result) -> None:
        """Exactly once per job that was not stopped."""


class Executor(Protocol):
    """Runs jobs, several at a time, in processes of their own."""

    def run(
        self,
        jobs: Sequence[Job],
        settings: Settings,
        listener: Listener,
        should_stop: Callable[[], bool],
    ) -> None:
        """Run all of ``jobs``, in this order as far as possible.

        Returns when all are finished, or when ``should_stop`` said so and every running job has saved where it is.
        """


@dataclass
class _Worker:
    process: Any
    pipe: Any
    job: Job | None = None
    loaded: bool = False
    told_to_stop: bool = False


class LocalExecutor:
    """``n`` spawned processes, one PyTorch thread each. A process that dies is replaced, and its job begun once more."""

    def __init__(self, n: int) -> None:
        self.n = n
        # Started here and not with the first worker: starting it unblocks Ctrl-C for whatever is spawned next.
        resource_tracker.ensure_running()

    def run(
        self,
        jobs: Sequence[Job],
        settings: Settings,
        listener: Listener,
        should_stop: Callable[[], bool],
    ) -> None:
        waiting, attempts = deque(jobs), dict.fromkeys((job.id for job in jobs), 0)
        workers: list[_Worker] = []
        try:
            while True:
                stopping = should_stop()
                busy = [worker for worker in workers if worker.job is not None]
                if (stopping or not waiting) and not busy:
                    return
                if stopping:
                    # One that still loads its libraries has nothing to save; it would first hear of it seconds later.
                    busy = [worker for worker in busy if worker.loaded]
                    if not busy:
                        return
                    for worker in busy:
                        _tell(worker)
                else:
                    while waiting and len(busy) < self.n:
                        job = waiting.popleft()
                        attempts[job.id] += 1
                        busy.append(_assign(workers, job, settings))
                        listener.started(job)
                for ready in connection.wait([worker.pipe for worker in busy], _POLL_S):
                    worker = next(worker for worker in busy if worker.pipe is ready)
                    self._hear(worker, workers, waiting, attempts, settings, listener)
        finally:
            _end(workers)

    def _hear(
        self,
        worker: _Worker,
        workers: list[_Worker],
        waiting: deque[Job],
        attempts: dict[str, int],
        settings: Settings,
        listener: Listener,
    ) -> None:
        job = worker.job
        assert job is not None
        try:
            kind, *rest = worker.pipe.recv()
        except (EOFError, OSError):
            from dynamite.sweep.result import failed

            worker.process.join()
            workers.remove(worker)
            if attempts[job.id] < ATTEMPTS:
                waiting.appendleft(job)
            else:
                said = f"its process died (exit code {worker.process.exitcode}), {ATTEMPTS} times"
                listener.finished(job, failed(job, settings, said))
            return
        if kind == "loaded":
            worker.loaded = True
            return
        if kind == "progress":
            listener.progressed(job, *rest)
            return
        worker.job = None
        if rest[0] is not None:
            listener.finished(job, rest[0])


def _assign(workers: list[_Worker], job: Job, settings: Settings) -> _Worker:
    """Give the job to an idle worker, or to a new one."""
    worker = next((worker for worker in workers if worker.job is None and worker.process.is_alive()), None)
    if worker is None:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        # Not a daemon: a training may have worker processes of its own.
        process = context.Process(target=_serve, args=(theirs, settings), name="sweep-worker")
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        workers.append(worker)
    worker.job = job
    worker.pipe.send(job)
    return worker


def _tell(worker: _Worker) -> None:
    if not worker.told_to_stop:
        worker.told_to_stop = True
        with contextlib.suppress(OSError):
            worker.pipe.send("stop")


def _end(workers: list[_Worker]) -> None:
    """Close the pipes, which ends idle workers; end busy ones."""
    for worker in workers:
        worker.pipe.close()
    for worker in workers:
        if worker.job is not None:
            worker.process.terminate()
        worker.process.join(10)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


def _serve(pipe: Any, settings: Settings) -> None:
    """A worker process: jobs come through the pipe, progress and results go back. It ends when the pipe does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"  # NumPy's as well as PyTorch's
    from dynamite.sweep.run import run_job

    reported = 0.0
    with contextlib.suppress(OSError):  # the driver's end is noticed below
        pipe.send(("loaded",))

    def report(done: int, total: int) -> None:
        nonlocal reported
        if time.monotonic() - reported > _REPORT_EVERY_S or done >= total:
            reported = time.monotonic()
            with contextlib.suppress(OSError):  # should_stop finds out
                pipe.send(("progress", done, total))

    def should_stop() -> bool:
        return pipe.poll()  # whatever comes while a job runs is the word to stop, or the driver's end

    with contextlib.suppress(EOFError, OSError):
        while True:
            message = pipe.recv()
            if message == "stop":
                continue
            pipe.send(("done", run_job(message, settings, report, should_stop)))
