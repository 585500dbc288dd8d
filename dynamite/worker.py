"""A worker process: some copies of a scene, stepped on orders, their arrays in memory shared with the training.

The pipe carries one short message per order; everything else is in :class:`SharedArrays`. These hold the episode's seeds
and all its actions so far, so that a worker started in place of a lost one can play the episode up to the present step
and go on: scenes are exact, nothing is missing afterwards.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from dynamite.config import SceneConfig
from dynamite.spec import SceneSpec
from dynamite.vector import SerialVector, Snapshot, TeacherFactory
from scenes.errors import InputError

#: Orders: build the copies and wait; reset them; take step t; reset them and take the first t steps.
BUILD, RESET, STEP, REPLAY = "build", "reset", "step", "replay"
#: Answers: done, and two kinds of failure that a restart would only repeat.
DONE, BAD_INPUT, FAILED = "done", "input", "failed"


class SharedArrays:
    """Named arrays in memory that the training and its spawned workers share.

    ===========  ===============  =====================================================================
    a Snapshot's arrays, and
    ``seeds``    (N,) int64       of the episode
    ``actions``  (T, N, A or 1)   float32, row t for step t
    ``beats``    (W,) int64       grows with every step or reset of one copy; 0 while a worker builds them
    ``costs``    (W,) float64     the most processor time that one of these took so far, s
    ===========  ===============  =====================================================================
    """

    def __init__(self, context: Any, spec: SceneSpec, n: int, teacher: bool, workers: int) -> None:
        width = 1 if spec.discrete else spec.n_actions
        self.shapes: dict[str, tuple[tuple[int, ...], type]] = {
            **Snapshot.shapes(spec, n, teacher),
            "seeds": ((n,), np.int64),
            "actions": ((spec.episode_length, n, width), np.float32),
            "beats": ((workers,), np.int64),
            "costs": ((workers,), np.float64),
        }
        self.raw = {
            name: context.RawArray("b", max(1, int(np.prod(shape)) * np.dtype(kind).itemsize))
            for name, (shape, kind) in self.shapes.items()
        }

    def view(self, name: str) -> np.ndarray:
        shape, kind = self.shapes[name]
        return np.frombuffer(self.raw[name], dtype=kind, count=int(np.prod(shape))).reshape(shape)

    def snapshot(self) -> Snapshot:
        return Snapshot(**{name: self.view(name) for name in Snapshot.__dataclass_fields__})


@dataclass(frozen=True)
class Task:
    """All that a worker needs to know; travels to the spawned process.

    Attributes:
        number: which worker.
        first, last: its copies.
        threads: of PyTorch, should a teacher use it.
        die_with_starter: end when the thread that started the process ends (Linux).
    """

    config: SceneConfig
    teacher: TeacherFactory | None
    shared: SharedArrays
    number: int
    first: int
    last: int
    threads: int
    die_with_starter: bool


def work(pipe: Connection, task: Task) -> None:
    """A worker's life: build the copies, then answer every order ``(what, t)`` until the training closes the pipe."""
    # Ctrl-C reaches the whole process group; stopping cleanly is the training's business, and ours is to go on until told.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _end_with_the_training(task.die_with_starter)
    try:
        copies = _Copies(task)
        while True:
            what, t = pipe.recv()
            copies.obey(what, t)
            pipe.send((DONE, None))
    except (EOFError, ConnectionError):
        return  # the training has closed the pipe, or has gone
    except InputError as error:
        pipe.send((BAD_INPUT, error))
    except Exception as error:
        last = traceback.format_exception_only(type(error), error)[-1].strip()
        pipe.send((FAILED, (last, traceback.format_exc())))


class _Copies(SerialVector):
    """The worker's copies, writing straight into its rows of the shared arrays and beating after each."""

    def __init__(self, task: Task) -> None:
        mine, shared = slice(task.first, task.last), task.shared
        self._seeds, self._actions = shared.view("seeds")[mine], shared.view("actions")[:, mine]
        self._beats, self._costs, self._number = shared.view("beats"), shared.view("costs"), task.number
        super().__init__(task.config, task.last - task.first, task.teacher, shared.snapshot().rows(mine))
        if "torch" in sys.modules:  # some teachers are networks
            sys.modules["torch"].set_num_threads(task.threads)
        self._beats[self._number] += 1

    def obey(self, what: str, t: int) -> None:
        self._since = time.process_time()
        if what in (RESET, REPLAY):
            self.reset(self._seeds)
        for step in {STEP: range(t, t + 1), REPLAY: range(t)}.get(what, ()):
            self.step(self._actions[step])

    def _write(self, i: int, observation: np.ndarray, reward: float, info: dict[str, Any]) -> None:
        super()._write(i, observation, reward, info)
        now = time.process_time()
        self._costs[self._number] = max(self._costs[self._number], now - self._since)
        self._since = now
        self._beats[self._number] += 1


def _end_with_the_training(die_with_starter: bool) -> None:
    """Leave no orphan: one that waits for an order sees the pipe close, but one that is busy or stopped does not."""
    if die_with_starter and sys.platform == "linux":
        set_parent_death_signal = (
            1  # PR_SET_PDEATHSIG, <linux/prctl.h>; reaches stopped processes and loops in C too
        )
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    training = multiprocessing.parent_process()
    if training is not None:
        training.join()
        os._exit(1)
