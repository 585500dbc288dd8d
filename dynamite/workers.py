"""Copies of a scene shared between worker processes that may be lost and come back.

PyBullet never releases the interpreter's lock, so only processes make two cores step at once. A worker that was killed or
has frozen is replaced: the new one plays the present episode again from its seeds and actions (:mod:`dynamite.worker`),
so a rollout equals that of :class:`~dynamite.vector.SerialVector` bit for bit, whatever happened to the workers.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

import numpy as np

from dynamite.config import SceneConfig
from dynamite.errors import WorkerError
from dynamite.silence import Silence
from dynamite.spec import SceneSpec
from dynamite.vector import Snapshot, TeacherFactory, make_one
from dynamite.worker import BAD_INPUT, BUILD, DONE, REPLAY, RESET, STEP, SharedArrays, Task, work

#: How often a worker that owes an answer is looked at.
LOOK_S = 0.25
#: Silence (see dynamite.silence) allowed while a worker starts and builds its scenes.
START_TIMEOUT_S = 60.0
#: Silence allowed afterwards: so many times the longest step of one copy so far, and at least the configured time.
PATIENCE = 20.0
#: Losses of one worker in one and the same order that end the training: the scene, not the machine, is at fault.
MAX_LOSSES = 3

_log = logging.getLogger(__name__)


class _RemoteError(Exception):
    """An exception's traceback in a worker, as the cause of the WorkerError here."""

    def __str__(self) -> str:
        return "\n" + str(self.args[0])


@dataclass
class _Worker:
    """One worker as the training sees it.

    Attributes:
        owes: it has an order to answer.
        losses: times it was lost in the present order.
        lost_at: when, by the monotonic clock; None when it is well.
    """

    number: int
    part: slice
    process: Any
    pipe: Connection
    silence: Silence
    beat: int = 0
    owes: bool = True
    losses: int = 0
    lost_at: float | None = None

    def kill(self) -> None:
        """End the process for sure, before another one writes where it writes."""
        self.process.kill()
        self.process.join()
        self.pipe.close()

    def death(self) -> str:
        """How it died, in words."""
        self.process.join(1.0)
        code = self.process.exitcode
        if code is None:
            return "closed its pipe"
        return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


class WorkerVector:
    """N copies in ``workers`` spawned processes; rollouts equal those of SerialVector bit for bit.

    Args:
        teacher: as for SerialVector; runs in the workers, so it must survive pickling.
        timeout_s: silence after which a worker counts as frozen; longer where steps have been seen to take long.
        threads: of PyTorch and OpenMP in each worker.

    Attributes:
        restarts: workers lost and replaced so far.
        restart_s: seconds from each loss being noticed to the replaced worker's answer.
    """

    def __init__(
        self,
        config: SceneConfig,
        n: int,
        workers: int,
        teacher: TeacherFactory | None = None,
        timeout_s: float = 1.0,
        threads: int = 1,
    ) -> None:
        probe = make_one(config)
        self.n, self.spec = n, SceneSpec.of(probe)
        probe.close()
        self.timeout_s, self.restarts, self.restart_s = timeout_s, 0, list[float]()
        self._config, self._teacher, self._threads = config, teacher, threads
        self._context = multiprocessing.get_context("spawn")
        self._shared = SharedArrays(self._context, self.spec, n, teacher is not None, workers)
        self.now = self._shared.snapshot()
        self._seeds, self._actions = self._shared.view("seeds"), self._shared.view("actions")
        self._beats, self._costs = self._shared.view("beats"), self._shared.view("costs")
        self._what, self._t = BUILD, 0
        self._workers: list[_Worker] = []
        bounds = np.linspace(0, n, workers + 1).astype(int)
        try:
            for number, (first, last) in enumerate(itertools.pairwise(bounds)):
                self._workers.append(self._start(number, slice(int(first), int(last))))
                self._workers[-1].pipe.send((BUILD, 0))
            self._hear_all()
        except BaseException:
            self.close(force=True)
            raise

    # -- the protocol of a VectorScene
    def reset(self, seeds: np.ndarray) -> Snapshot:
        self._seeds[:] = seeds
        return self._order(RESET, 0)

    def step(self, actions: np.ndarray) -> Snapshot:
        t = self._t if self._what == RESET else self._t + 1
        if self._what == BUILD or t >= len(self._actions):
            raise ValueError(f"step {t}: episodes have {len(self._actions)} steps and start with a reset")
        self._actions[t] = actions
        return self._order(STEP, t)

    def close(self, force: bool = False) -> None:
        """End the workers; harmless when called twice."""
        for worker in self._workers:
            if force:
                worker.process.kill()
            worker.pipe.close()  # which tells them
        deadline = time.monotonic() + 2.0
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._workers = []

    # -- orders and answers
    def _order(self, what: str, t: int) -> Snapshot:
        self._what, self._t = what, t
        for worker in self._workers:
            worker.owes, worker.losses = True, 0
            worker.silence.end()
            try:
                worker.pipe.send((what, t))
            except OSError:
                self._hear(worker)  # its last words, or how it died
        self._hear_all()
        return self.now

    def _hear_all(self) -> None:
        """Wait until every worker has answered, replacing those that cannot."""
        while debtors := [worker for worker in self._workers if worker.owes]:
            sources = {worker.pipe: worker for worker in debtors}
            sources |= {worker.process.sentinel: worker for worker in debtors}
            heard = {id(sources[source]): sources[source] for source in wait(list(sources), LOOK_S)}  # type: ignore[index]
            for worker in heard.values():
                self._hear(worker)
            if not heard:
                for worker in debtors:
                    self._look(worker)

    def _hear(self, worker: _Worker) -> None:
        answer: str | None = None
        value: Any = None
        with contextlib.suppress(EOFError, OSError):
            if worker.pipe.poll():
                answer, value = worker.pipe.recv()
        if answer == DONE:
            worker.owes = False
            if worker.lost_at is not None:
                self.restart_s.append(time.monotonic() - worker.lost_at)
                worker.lost_at = None
        elif answer is None:
            self._replace(worker, worker.death())
        elif answer == BAD_INPUT:
            self.close(force=True)
            raise value
        else:
            self.close(force=True)
            line, trace = value
            raise WorkerError(f"{self._name(worker)} failed in {self._where()}: {line}") from _RemoteError(
                trace
            )

    def _look(self, worker: _Worker) -> None:
        """Replace a worker that has been silent for too long."""
        beat = int(self._beats[worker.number])
        if beat != worker.beat:
            worker.beat = beat
            worker.silence.end()
        silent = worker.silence.look()
        limit = START_TIMEOUT_S
        if beat:  # doubled by every loss in one order: perhaps the step does take that long
            limit = max(self.timeout_s, PATIENCE * float(self._costs.max())) * 2**worker.losses
        if silent > limit:
            self._replace(worker, f"has not moved for {silent:.1f} s")

    # -- starting and replacing
    def _replace(self, worker: _Worker, why: str) -> None:
        """Start another process for a lost worker's copies and have it play the episode up to the present step."""
        worker.lost_at = worker.lost_at or time.monotonic()
        losses = worker.losses + 1
        story = f"{self._name(worker)} {why} in {self._where()}"
        worker.kill()
        if losses >= MAX_LOSSES:
            self.close(force=True)
            raise WorkerError(f"{story}, {losses} times in succession")
        self.restarts += 1
        _log.warning("%s: started again, its episode is replayed", story)
        self._beats[worker.number] = 0
        fresh = self._start(worker.number, worker.part)
        worker.process, worker.pipe, worker.silence = fresh.process, fresh.pipe, fresh.silence
        worker.beat, worker.owes, worker.losses = 0, True, losses
        done = {BUILD: 0, RESET: 0, STEP: self._t + 1}[self._what]
        with contextlib.suppress(OSError):  # lost again already: the next look hears of it
            worker.pipe.send((BUILD if self._what == BUILD else REPLAY, done))

    def _start(self, number: int, part: slice) -> _Worker:
        ours, theirs = self._context.Pipe()
        on_main_thread = threading.current_thread() is threading.main_thread()
        task = Task(
            self._config,
            self._teacher,
            self._shared,
            number,
            part.start,
            part.stop,
            self._threads,
            # The system's parent-death signal means the thread, and only the main one surely outlives the workers.
            die_with_starter=on_main_thread,
        )
        process = self._context.Process(target=work, args=(theirs, task), daemon=True)
        with _threads_of_children(self._threads), _allowed_to_have_children():
            process.start()
        theirs.close()
        assert process.pid is not None
        return _Worker(number, part, process, ours, Silence(process.pid))

    def _name(self, worker: _Worker) -> str:
        return f"worker {worker.number} (copies {worker.part.start} to {worker.part.stop - 1})"

    def _where(self) -> str:
        return {BUILD: "its start", RESET: "a reset", STEP: f"step {self._t}"}[self._what]


@contextlib.contextmanager
def _threads_of_children(threads: int) -> Iterator[None]:
    """Children inherit the environment: so many threads each, or they fight over the cores."""
    previous = os.environ.get("OMP_NUM_THREADS")
    os.environ["OMP_NUM_THREADS"] = str(threads)
    try:
        yield
    finally:
        if previous is None:
            del os.environ["OMP_NUM_THREADS"]
        else:
            os.environ["OMP_NUM_THREADS"] = previous


@contextlib.contextmanager
def _allowed_to_have_children() -> Iterator[None]:
    """Let a daemonic process (a pool's) start workers.

    multiprocessing forbids it because such a process may be terminated without ending its children; ours end themselves
    when it goes (:func:`dynamite.worker.work`).
    """
    config: dict[str, Any] = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    daemon = config.pop("daemon", None)
    try:
        yield
    finally:
        if daemon is not None:
            config["daemon"] = daemon
