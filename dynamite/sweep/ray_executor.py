"""Where jobs run: the machines of a Ray cluster (extra ``cluster``), or a cluster of this machine alone.

A job is one Ray task that takes one CPU; its result comes back to the driver, which alone writes rows. What dies is begun
again: a process, as :mod:`dynamite.sweep.executor` does it; a node, :data:`NODES_LOST` times, because that is seldom the
job's fault. Ray itself retries nothing, so that every attempt is counted once. Ray ends the tasks of a driver that dies.

Retries and errors: https://docs.ray.io/en/latest/ray-core/fault_tolerance/tasks.html
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dynamite.sweep.executor import ATTEMPTS, Listener
from scenes.errors import InputError

if TYPE_CHECKING:
    from dynamite.sweep.job import Job
    from dynamite.sweep.result import Result, Settings

#: Times that the node under a job may go before that counts as the job's failure.
NODES_LOST = 5
#: Of a cluster that is started here: results are small.
_OBJECT_STORE_BYTES = 80_000_000
_REPORT_EVERY_S, _POLL_S, _ASK_EVERY_S = 0.2, 0.2, 0.5


class RayExecutor:
    """Args:
        address: of a running cluster (``auto``, ``HOST:6379``, ``ray://HOST:10001``); None starts one here, and ends it.
        n: jobs at a time; None: one per CPU of the cluster.

    Raises:
        InputError: Ray is not installed, or there is no such cluster.
    """

    def __init__(self, address: str | None = None, n: int | None = None) -> None:
        self.address, self.n = address, n
        try:
            import ray  # noqa: F401
        except ImportError:
            raise InputError(
                "--executor", "ray, which is not installed", 'local, or pip install "dynamite-care[cluster]"'
            ) from None

    def run(
        self,
        jobs: Sequence[Job],
        settings: Settings,
        listener: Listener,
        should_stop: Callable[[], bool],
    ) -> None:
        """As :class:`dynamite.sweep.executor.Executor` has it.

        Raises:
            InputError: a node has other code than the driver.
        """
        if jobs:
            with self._connected():
                _Run(jobs, replace(settings, work=settings.work.absolute()), listener, self.n).until(
                    should_stop
                )

    @contextlib.contextmanager
    def _connected(self) -> Iterator[None]:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        if ray.is_initialized():  # whoever connected this process goes on with it
            yield
            return
        own: dict[str, Any] = {
            "num_cpus": self.n,
            "object_store_memory": _OBJECT_STORE_BYTES,
            "include_dashboard": False,
        }
        try:
            ray.init(
                self.address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                **({} if self.address else own),
            )
        except (ConnectionError, ValueError, TimeoutError) as error:
            said = str(error).strip().partition("\n")[0]
            raise InputError(
                "--address", f"{self.address} ({said})", "the address of a Ray cluster"
            ) from None
        try:
            yield
        finally:
            ray.shutdown()


@dataclass
class _Attempt:
    """A job that Ray has.

    Attributes:
        key: tells this attempt from the others on the board.
        begun: whether the listener was told that it started.
    """

    job: Job
    key: str
    begun: bool = False


class _Run:
    """All jobs of one call, from the driver's side."""

    def __init__(self, jobs: Sequence[Job], settings: Settings, listener: Listener, n: int | None) -> None:
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from dynamite.sweep.source_digest import source_digest

        self._ray, self._settings, self._listener = ray, settings, listener
        # On the driver's node, which cannot go without the driver.
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
        self._board: Any = (
            ray.remote(_Board).options(num_cpus=0, max_restarts=-1, scheduling_strategy=here).remote()
        )
        self._do = ray.remote(_do).options(num_cpus=1, max_retries=0, scheduling_strategy="SPREAD")
        # On the driver's own machine files are the driver's own, edits in the meantime included.
        self._code = source_digest(), ray.util.get_node_ip_address()
        self._waiting, self._n = list(reversed(jobs)), n
        self._running: dict[Any, _Attempt] = {}
        self._died = dict.fromkeys((job.id for job in jobs), 0)
        self._lost = dict.fromkeys((job.id for job in jobs), 0)
        self._stopping = False

    def until(self, should_stop: Callable[[], bool]) -> None:
        while self._waiting or self._running:
            stopping = should_stop()
            if stopping:
                self._stop()
            while self._waiting and (self._n is None or len(self._running) < self._n):
                self._submit(self._waiting.pop())
            if not self._running:
                return
            # All that are ready at once: a cluster may finish many between two looks.
            ready, _ = self._ray.wait(list(self._running), num_returns=len(self._running), timeout=_POLL_S)
            self._pass_on_progress()
            for reference in ready:
                self._hear(reference, self._running.pop(reference))

    def _stop(self) -> None:
        """Again and again: a board that was lost has forgotten."""
        self._board.stop.remote()
        if not self._stopping:
            self._stopping = True
            for reference, attempt in self._running.items():
                if not attempt.begun:  # may be waiting for a machine that never comes
                    self._ray.cancel(reference)
        self._waiting.clear()

    def _submit(self, job: Job) -> None:
        attempt = _Attempt(job, f"{job.id}.{self._died[job.id]}.{self._lost[job.id]}")
        reference = self._do.remote(job, attempt.key, self._settings, self._board, self._code)
        self._running[reference] = attempt

    def _pass_on_progress(self) -> None:
        try:
            told = self._ray.get(self._board.take.remote(), timeout=5.0)
        except self._ray.exceptions.RayError:
            return  # lost or slow; what it would have told is only for the eye
        attempts = {attempt.key: attempt for attempt in self._running.values()}
        for key, (done, total) in told.items():
            if key in attempts:
                self._begun(attempts[key])
                if total:
                    self._listener.progressed(attempts[key].job, done, total)

    def _begun(self, attempt: _Attempt) -> None:
        if not attempt.begun:
            attempt.begun = True
            self._listener.started(attempt.job)

    def _hear(self, reference: Any, attempt: _Attempt) -> None:
        from dynamite.sweep.result import failed

        errors, job = self._ray.exceptions, attempt.job
        try:
            result: Result | str | None = self._ray.get(reference)
        except (errors.NodeDiedError, errors.ObjectLostError, errors.LocalRayletDiedError):
            self._lost[job.id] += 1
            if self._lost[job.id] < NODES_LOST:
                self._waiting.append(job)
            else:
                said = f"its node was lost, {NODES_LOST} times"
                self._finished(attempt, failed(job, self._settings, said))
            return
        except errors.RayError as error:
            if self._stopping and isinstance(error, errors.TaskCancelledError):
                return
            self._died[job.id] += 1
            if self._died[job.id] < ATTEMPTS:
                self._waiting.append(job)
            else:
                said = f"its process died ({type(error).__name__}), {ATTEMPTS} times"
                self._finished(attempt, failed(job, self._settings, said))
            return
        if isinstance(result, str):
            raise InputError("--executor ray", result, "the driver's code and library versions on every node")
        if result is not None:
            self._finished(attempt, result)

    def _finished(self, attempt: _Attempt, result: Result) -> None:
        self._begun(attempt)  # a short job may be done before the board was read
        self._listener.finished(attempt.job, result)


class _Board:
    """What jobs say of their progress, and the word to stop: an actor."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[int, int]] = {}
        self._stop = False

    def tell(self, key: str, done: int, total: int) -> None:
        self._told[key] = done, total

    def take(self) -> dict[str, tuple[int, int]]:
        """What was told since the last time."""
        told, self._told = self._told, {}
        return told

    def stop(self) -> None:
        self._stop = True

    def stopped(self) -> bool:
        return self._stop


def _do(job: Job, key: str, settings: Settings, board: Any, code: tuple[str, str]) -> Result | str | None:
    """One job, on whatever node this is: its result; None where it was stopped; a text where the code is another.

    Args:
        code: the driver's digest, and its machine's address.
    """
    import ray

    from dynamite.sweep.run import run_job
    from dynamite.sweep.source_digest import source_digest

    (digest, driver), here = code, ray.util.get_node_ip_address()
    if here != driver and (ours := source_digest()) != digest:
        return f"node {here} with other code ({ours}, the driver's {digest})"
    told, asked, stopped = 0.0, 0.0, False

    def report(done: int, total: int) -> None:
        nonlocal told
        if time.monotonic() - told > _REPORT_EVERY_S or done >= total:
            told = time.monotonic()
            board.tell.remote(key, done, total)

    def should_stop() -> bool:
        nonlocal asked, stopped
        if not stopped and time.monotonic() - asked > _ASK_EVERY_S:
            asked = time.monotonic()
            with contextlib.suppress(ray.exceptions.RayError):  # the driver's end is told by Ray
                stopped = ray.get(board.stopped.remote(), timeout=5.0)
        return stopped

    if should_stop():
        return None
    board.tell.remote(key, 0, 0)
    return run_job(job, settings, report, should_stop)
