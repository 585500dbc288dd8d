"""Is a process that owes an answer frozen, or only waiting for its turn?

To a clock both look alike, and a limit on the clock either kills healthy workers of a loaded machine or notices a frozen
one minutes late. Here seconds count against a process while it is stopped or asleep; while it runs, or waits for a core
or a disk, only the processor time it uses counts. So an endless loop is noticed after so many seconds *of its own*, and a
starved process is left in peace.
"""

from __future__ import annotations

import time

import psutil

#: Looks further apart than this say more about the watcher (stopped with Ctrl-Z, starved) than about the watched.
LONGEST_LOOK_S = 1.0
#: States in which a process is using, or queueing for, the machine.
_AT_WORK = (psutil.STATUS_RUNNING, psutil.STATUS_DISK_SLEEP)


class Silence:
    """Counts the seconds for which one process has been silent through its own fault."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.end()

    def end(self) -> None:
        """The process gave a sign of life: count from zero."""
        self.seconds = 0.0
        self._at = time.monotonic()
        self._used: float | None = None

    def look(self) -> float:
        """Seconds so far; call it every fraction of a second. A process that is gone adds none."""
        now = time.monotonic()
        elapsed, self._at = min(now - self._at, LONGEST_LOOK_S), now
        try:
            times, at_work = self._process.cpu_times(), self._process.status() in _AT_WORK
        except psutil.Error:
            return self.seconds
        used = times.user + times.system
        # The first look after a sign of life knows no earlier reading; whatever it misses is one look's worth.
        spent = 0.0 if self._used is None else used - self._used
        self._used = used
        self.seconds += spent if at_work else max(spent, elapsed)
        return self.seconds
