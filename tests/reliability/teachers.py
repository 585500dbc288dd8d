"""Teachers with accidents, to be had in a worker process: each happens once, or always, at a chosen step of copy 0."""

from __future__ import annotations

import functools
import os
import signal
import time
from pathlib import Path

import numpy as np

from dynamite.acting import Decision


def loop_forever() -> None:
    while True:
        pass


def sleep_forever() -> None:
    time.sleep(1e6)


def work_hard() -> None:
    began = time.process_time()
    while time.process_time() - began < 0.9:
        pass


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def raise_an_exception() -> None:
    raise ZeroDivisionError("the scene divided\nby zero")


class Accident:
    """Labels steps with random actions of its seed; at step ``at`` of the episode that ``seed`` starts, something happens.

    Args:
        marker: a file made at the first accident; where it stands, there is no further one. None: always.
    """

    name, needs_privileged = "accident", False

    def __init__(self, happen, seed: int, at: int, marker: Path | None, scene) -> None:
        self._happen, self._when, self._marker, self._n = (
            happen,
            (seed, at),
            marker,
            int(scene.action_space.n),
        )

    def reset(self, seed: int) -> None:
        self._rng, self._now = np.random.default_rng(seed), (seed, 0)

    def act(self, observation, reward, privileged=None) -> Decision:
        seed, step = self._now
        if self._now == self._when and not (self._marker is not None and self._marker.exists()):
            if self._marker is not None:
                self._marker.touch()
            self._happen()
        self._now = (seed, step + 1)
        return Decision(np.asarray(self._rng.integers(self._n)))


def accident(happen, at: int, marker: Path | None = None, seed: int = 5) -> functools.partial:
    """A teacher factory."""
    return functools.partial(Accident, happen, seed, at, marker)


class Threads:
    """Labels every step with the number of PyTorch's threads."""

    name, needs_privileged = "threads", False

    def __init__(self, scene) -> None:
        import torch

        self._torch = torch

    def reset(self, seed: int) -> None:
        pass

    def act(self, observation, reward, privileged=None) -> Decision:
        return Decision(np.asarray(self._torch.get_num_threads()))
