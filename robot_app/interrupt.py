"""Interrupt: Ctrl-C as a request to finish soon. A second Ctrl-C stops at once."""

from __future__ import annotations

import _thread
import signal
import threading

from robot_app.commands.base import say


class Interrupt:
    """A context in which the first Ctrl-C only sets a flag.

    The terminal sends Ctrl-C to every process of the command, workers included, and a worker that dies spoils the
    iteration that was to be finished. So the signal is blocked, which child processes inherit, and a thread waits for it.
    """

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def is_set(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._asked.is_set()

    def __enter__(self) -> Interrupt:
        if not hasattr(signal, "pthread_sigmask"):  # Windows: workers get the signal too
            self._previous = signal.signal(signal.SIGINT, lambda *_: self._ask())
            return self
        self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        self._thread = threading.Thread(target=self._wait, name="interrupt", daemon=True)
        self._thread.start()
        return self

    def _wait(self) -> None:
        while True:
            signal.sigwait({signal.SIGINT})
            if self._closing:
                return
            self._ask()

    def _ask(self) -> None:
        if self._asked.is_set():
            _thread.interrupt_main()
            return
        self._asked.set()
        say("finishing this iteration, then saving; Ctrl-C again stops at once")

    def __exit__(self, *_) -> None:
        if self._thread is None:
            signal.signal(signal.SIGINT, self._previous)
            return
        self._closing = True
        signal.pthread_kill(self._thread.ident, signal.SIGINT)
        self._thread.join()
        signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
