"""How long a sweep will still take, from the seconds of jobs of the same kind.

A step costs milliseconds in one scene and microseconds in another, a network more than random actions, learning more than
playing: what one kind of job took says nothing of another.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dynamite.config import Config
from dynamite.sweep.job import Job
from dynamite.sweep.plan import Plan
from dynamite.sweep.store import Store

#: (scene, variant or policy, whether it is trained)
Kind = tuple[str, str, bool]


def kind_of(job: Job) -> Kind:
    """What jobs have in common that cost about as much per step."""
    if isinstance(job.source, Config):
        return job.scene.name, job.source.variant, True
    return job.scene.name, job.source.name, False


def known_seconds(plan: Plan, store: Store) -> dict[Kind, tuple[int, float]]:
    """(steps, seconds) of the trainings that have their rows already; rows of loaded policies hold no seconds."""
    known: dict[Kind, tuple[int, float]] = {}
    for job in plan.jobs():
        training = (store.row(job) or {}).get("training")
        if training and training["frames"] and training.get("seconds"):
            steps, seconds = known.get(kind_of(job), (0, 0.0))
            known[kind_of(job)] = steps + training["frames"], seconds + training["seconds"]
    return known


@dataclass
class _Timed:
    """Steps that were done in so many seconds."""

    steps: int = 0
    seconds: float = 0.0

    def add(self, steps: int, seconds: float) -> None:
        self.steps += steps
        self.seconds += seconds

    @property
    def per_step(self) -> float:
        return self.seconds / self.steps


@dataclass
class _Running:
    """Attributes:
    since: when it began. first, last: (steps done, when) of its words. A rate counts from the first word on: a training
        that is resumed begins with steps that were done before.
    """

    since: float
    first: tuple[int, float] | None = None
    last: tuple[int, float] | None = None


@dataclass(frozen=True)
class TimeLeft:
    """Attributes:
    seconds: for jobs of kinds that were timed; 0 where there are none. untimed: how many jobs are of other kinds.
    """

    seconds: float
    untimed: int


class SweepTime:
    """Times jobs as they start, tell their progress and finish, and says what is left.

    Args:
        jobs: all that will be run. steps: of each, by its id.
        known: (steps, seconds) of each kind from an earlier run; they serve until a job of the kind is timed in this one.
        clock: seconds.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        steps: Mapping[str, int],
        known: Mapping[Kind, tuple[int, float]] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kinds, self._steps, self._clock = {job.id: kind_of(job) for job in jobs}, steps, clock
        self._waiting = {job.id for job in jobs}
        self._running: dict[str, _Running] = {}
        self._at_a_time = 1  # the most that ran together
        self._finished: dict[Kind, _Timed] = {}
        self._known = {kind: _Timed(*timed) for kind, timed in (known or {}).items()}

    def started(self, job: Job) -> None:
        """For the first time or once more."""
        self._waiting.discard(job.id)
        self._running[job.id] = _Running(self._clock())
        self._at_a_time = max(self._at_a_time, len(self._running))

    def progressed(self, job: Job, done: int) -> None:
        running, word = self._running[job.id], (done, self._clock())
        running.first, running.last = running.first or word, word

    def finished(self, job: Job, failed: bool) -> None:
        """What a failed job took says nothing of those that do not fail."""
        running, steps = self._running.pop(job.id), self._steps[job.id]
        if failed:
            return
        done, since = running.first or (0, running.since)
        if done >= steps:  # the first word was the last
            done, since = 0, running.since
        self._finished.setdefault(self._kinds[job.id], _Timed()).add(steps - done, self._clock() - since)

    def left(self) -> TimeLeft:
        now, rates, seconds, untimed = self._clock(), self._seconds_per_step(), [], 0
        for job_id in (*self._waiting, *self._running):
            rate = rates.get(self._kinds[job_id])
            if rate is None:
                untimed += 1
                continue
            running = self._running.get(job_id)
            done, since = (0, now) if running is None else running.last or (0, running.since)
            seconds.append(max((self._steps[job_id] - done) * rate - (now - since), 0.0))
        together = min(self._at_a_time, len(seconds))
        return TimeLeft(max(sum(seconds) / together, *seconds) if seconds else 0.0, untimed)

    def _seconds_per_step(self) -> dict[Kind, float]:
        timed = {kind: _Timed(found.steps, found.seconds) for kind, found in self._finished.items()}
        for job_id, running in self._running.items():
            if running.first and running.last and running.last[0] > running.first[0]:
                steps, seconds = (running.last[i] - running.first[i] for i in (0, 1))
                timed.setdefault(self._kinds[job_id], _Timed()).add(int(steps), seconds)
        return {kind: found.per_step for kind, found in (self._known | timed).items()}
