"""Copies of a scene shared between worker processes, their arrays in shared memory.

PyBullet never releases the interpreter's lock, so only processes make two cores step at once. A worker runs a
:class:`~dynamite.vector.SerialVector` that writes straight into its rows of the shared arrays; the pipe carries one short
message per step. A worker that dies or hangs ends the training with a message, never with a silent wait.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from dynamite.config import SceneConfig
from dynamite.spec import SceneSpec
from dynamite.vector import SerialVector, Snapshot, TeacherFactory, make_one
from scenes.errors import InputError

#: A worker silent for longer is taken for hung. Loading a scene may take seconds on a busy machine; a step does not.
START_TIMEOUT_S, STEP_TIMEOUT_S = 300.0, 120.0


class WorkerError(RuntimeError):
    """A worker process failed; the message holds its traceback or how it died."""


def _allocate(context: Any, shapes: dict[str, tuple[tuple[int, ...], type]]) -> dict[str, Any]:
    """Raw shared bytes per array, which travel to a spawned child."""
    return {
        name: context.RawArray("b", max(1, int(np.prod(shape)) * np.dtype(kind).itemsize))
        for name, (shape, kind) in shapes.items()
    }


def _view(raw: Any, shape: tuple[int, ...], kind: type) -> np.ndarray:
    return np.frombuffer(raw, dtype=kind, count=int(np.prod(shape))).reshape(shape)


def _work(
    pipe: Connection,
    config: SceneConfig,
    teacher: TeacherFactory | None,
    shapes: dict[str, tuple[tuple[int, ...], type]],
    raw: dict[str, Any],
    raw_actions: Any,
    actions_shape: tuple[int, int],
    first: int,
    last: int,
) -> None:
    """A worker's life: build its copies, then obey ``("reset", seeds)``, ``("step", None)`` and ``("close", None)``."""
    # Ctrl-C reaches the whole process group; stopping cleanly is the training's business, and ours is to go on until told.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        shared = Snapshot(**{name: _view(raw[name], *shapes[name]) for name in shapes})
        actions = _view(raw_actions, actions_shape, np.float32)[first:last]
        vector = SerialVector(config, last - first, teacher, shared.rows(slice(first, last)))
        pipe.send(("ready", None))
        while True:
            order, seeds = pipe.recv()
            if order == "close":
                vector.close()
                return
            vector.reset(seeds) if order == "reset" else vector.step(actions)
            pipe.send(("done", None))
    except EOFError:
        return  # the training has gone; so do we
    except InputError as error:
        pipe.send(("input", error))
    except Exception:
        pipe.send(("failed", traceback.format_exc()))


class WorkerVector:
    """N copies in ``workers`` spawned processes; rollouts equal those of :class:`SerialVector` bit for bit.

    Args:
        teacher: as for SerialVector; runs in the workers, so it must survive pickling.
    """

    def __init__(
        self, config: SceneConfig, n: int, workers: int, teacher: TeacherFactory | None = None
    ) -> None:
        probe = make_one(config)
        self.n, self.spec = n, SceneSpec.of(probe)
        probe.close()
        context = multiprocessing.get_context("spawn")
        shapes = Snapshot.shapes(self.spec, n, teacher is not None)
        raw = _allocate(context, shapes)
        self.now = Snapshot(**{name: _view(raw[name], *shapes[name]) for name in shapes})
        actions_shape = (n, 1 if self.spec.discrete else self.spec.n_actions)
        raw_actions = context.RawArray("b", actions_shape[0] * actions_shape[1] * 4)
        self._actions = _view(raw_actions, actions_shape, np.float32)
        self._pipes: list[Connection] = []
        self._processes: list[Any] = []
        self._parts: list[slice] = []
        bounds = np.linspace(0, n, workers + 1).astype(int)
        # Children inherit the environment: one thread each, or they fight over the cores.
        previous = os.environ.get("OMP_NUM_THREADS")
        os.environ["OMP_NUM_THREADS"] = "1"
        try:
            for first, last in itertools.pairwise(bounds):
                ours, theirs = context.Pipe()
                arguments = (
                    theirs,
                    config,
                    teacher,
                    shapes,
                    raw,
                    raw_actions,
                    actions_shape,
                    int(first),
                    int(last),
                )
                process = context.Process(target=_work, args=arguments, daemon=True)
                process.start()
                theirs.close()
                self._pipes.append(ours)
                self._processes.append(process)
                self._parts.append(slice(int(first), int(last)))
        finally:
            if previous is None:
                del os.environ["OMP_NUM_THREADS"]
            else:
                os.environ["OMP_NUM_THREADS"] = previous
        self._collect(START_TIMEOUT_S)

    def _collect(self, timeout: float) -> None:
        """Wait until every worker has answered."""
        for i, pipe in enumerate(self._pipes):
            try:
                if not pipe.poll(timeout):
                    self.close(force=True)
                    raise WorkerError(f"worker {i} did not answer for {timeout:.0f} s")
                kind, value = pipe.recv()
            except (EOFError, ConnectionError):
                self._processes[i].join(1.0)
                code = self._processes[i].exitcode
                self.close(force=True)
                raise WorkerError(f"worker {i} died (exit code {code})") from None
            if kind == "input":
                self.close(force=True)
                raise value
            if kind == "failed":
                self.close(force=True)
                raise WorkerError(f"worker {i} failed:\n{value}")

    def _order(self, order: str, seeds: np.ndarray | None) -> Snapshot:
        for i, (pipe, part) in enumerate(zip(self._pipes, self._parts, strict=True)):
            try:
                pipe.send((order, None if seeds is None else seeds[part]))
            except (BrokenPipeError, ConnectionError, OSError):
                # Its last words, if any, are still in the pipe.
                if not pipe.closed and pipe.poll(0.5):
                    break
                self.close(force=True)
                raise WorkerError(f"worker {i} has gone") from None
        self._collect(STEP_TIMEOUT_S)
        return self.now

    def reset(self, seeds: np.ndarray) -> Snapshot:
        return self._order("reset", seeds)

    def step(self, actions: np.ndarray) -> Snapshot:
        self._actions[:] = actions
        return self._order("step", None)

    def close(self, force: bool = False) -> None:
        """End the workers; harmless when called twice."""
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            if not force:
                with contextlib.suppress(BrokenPipeError, OSError):
                    pipe.send(("close", None))
            else:
                process.terminate()
        for pipe, process in zip(self._pipes, self._processes, strict=True):
            process.join(5.0)
            if process.is_alive():
                process.kill()
                process.join(5.0)
            pipe.close()
        self._pipes, self._processes, self._parts = [], [], []
