"""Interrupt: Ctrl-C as a request to finish soon. A second Ctrl-C stops at once."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any


class Interrupt:
    """A context, entered on the main thread, in which the first Ctrl-C only sets a flag.

    The terminal sends Ctrl-C to every process of the command, workers included, and a worker that dies of it spoils the
    iteration that was to be finished. Child processes inherit which signals are blocked: so the main thread, which
    starts them, blocks this one, and a thread that does nothing else stays open for it.

    Args:
        saying: what the first Ctrl-C is answered with.
    """

    def __init__(
        self, saying: str = "finishing this iteration, then saving; Ctrl-C again stops at once"
    ) -> None:
        self._asked, self._saying = False, f"{saying}\n".encode()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def is_set(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return self._asked

    def __enter__(self) -> Interrupt:
        self._previous = signal.signal(signal.SIGINT, self._ask)
        if hasattr(signal, "pthread_sigmask"):  # not on Windows: there, workers get the signal too
            self._thread = threading.Thread(target=self._stay_open, name="interrupt", daemon=True)
            self._mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            self._thread.start()
        return self

    def _stay_open(self) -> None:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        self._closing.wait()

    def _ask(self, *_: Any) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True
        # Not print: it may be what was interrupted.
        os.write(2, self._saying)

    def __exit__(self, *_: Any) -> None:
        if self._thread is not None:
            self._closing.set()
            self._thread.join()
            signal.pthread_sigmask(signal.SIG_SETMASK, self._mask)
        signal.signal(signal.SIGINT, self._previous)
