"""What a sweep shows while it runs: bars on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from robot_app.commands.base import say
from robot_app.sweep_time_left import SweepTime, TimeLeft
from robot_app.training_progress import clock

if TYPE_CHECKING:
    from dynamite.sweep.job import Job
    from dynamite.sweep.result import Result

_LINE_EVERY_S = 30.0


class SweepProgress:
    """A :class:`dynamite.sweep.executor.Listener`.

    Args:
        names: of every job to run, by its id.
        frames: steps that each will train, or play where nothing is trained, by its id.
        time_left: of the same jobs.
        quiet: show nothing.

    Attributes:
        done, failed: jobs finished since the start.
    """

    def __init__(
        self, names: dict[str, str], frames: dict[str, int], time_left: SweepTime, quiet: bool
    ) -> None:
        self._names, self._time, self._quiet = names, time_left, quiet
        self._ahead = dict(frames)
        self.done = self.failed = 0
        self._began, self._told = time.monotonic(), 0.0
        self._seen: dict[
            str, int
        ] = {}  # frames at a job's last word; its first word sets off what a resume found done
        self._worked = 0
        self._console = Console(file=sys.stderr)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[said]}"),
            console=self._console,
        )
        self._tasks: dict[str, TaskID] = {}
        self._total = self._bar.add_task("sweep", total=len(names), said="")

    # -- the listener
    def started(self, job: Job) -> None:
        self._time.started(job)
        self._seen.pop(job.id, None)
        if job.id in self._tasks:  # begun once more
            self._bar.remove_task(self._tasks[job.id])
        self._tasks[job.id] = self._bar.add_task(self._names[job.id], total=None, said="starting")
        self._show()

    def progressed(self, job: Job, done: int, total: int) -> None:
        self._time.progressed(job, done)
        self._worked += done - self._seen.get(job.id, done)
        self._seen[job.id], self._ahead[job.id] = done, max(total - done, 0)
        self._bar.update(
            self._tasks[job.id], completed=min(done, total), total=total, said=f"{done:,}/{total:,} steps"
        )
        self._show()

    def finished(self, job: Job, result: Result) -> None:
        self.done += 1
        ahead, self._ahead[job.id] = self._ahead[job.id], 0
        self._bar.remove_task(self._tasks.pop(job.id))
        error = result.row["error"]
        self._time.finished(job, failed=error is not None)
        name = self._names[job.id]
        if error is not None:
            self.failed += 1
            self._tell(f"failed  {name}: {error}")
        else:
            self._worked += ahead  # what only plays says nothing before it is done
            score = result.row["measures"]["return_mean"]
            self._tell(f"{self.done}/{len(self._names)}  {name}: return {score:.2f}")
        self._show(now=True)

    # -- what is shown
    def _summary(self) -> str:
        rate = self._worked / max(time.monotonic() - self._began, 1e-9)
        left = in_words(self._time.left())
        return f"{self.done}/{len(self._names)} jobs  {self.failed} failed  {rate:,.0f} steps/s  left {left}"

    def _show(self, now: bool = False) -> None:
        if self._quiet:
            return
        if self._console.is_terminal:
            self._bar.update(self._total, completed=self.done, said=self._summary())
        elif time.monotonic() - self._told > _LINE_EVERY_S:
            self._told = time.monotonic()
            say(self._summary())

    def _tell(self, text: str) -> None:
        if self._quiet:
            return
        if self._console.is_terminal:
            self._bar.console.print(text, highlight=False)
        else:
            say(text)

    def __enter__(self) -> SweepProgress:
        if self._console.is_terminal and not self._quiet:
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def in_words(left: TimeLeft) -> str:
    """``1:02:03``; where some jobs are of kinds that nothing is known of, how many."""
    unknown = f"{left.untimed} {'job' if left.untimed == 1 else 'jobs'} of unknown length"
    if not left.untimed:
        return clock(left.seconds) if left.seconds else "–"
    return f"{clock(left.seconds)} + {unknown}" if left.seconds else unknown
