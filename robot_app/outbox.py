"""Outbox: send to another process without ever waiting for it.

A pipe holds a few hundred messages. Whoever sends more to a process that is busy (it builds a scene, it draws a still) waits
until it reads; and if that process in turn waits for us to read what it says, both wait for ever. So a thread does the
waiting, and what is said meanwhile lies in a queue.
"""

from __future__ import annotations

import queue
import threading
from multiprocessing.connection import Connection
from multiprocessing.reduction import ForkingPickler
from typing import Any


class Outbox:
    """Args:
    connection: to send through; others may receive from it, nobody else may send.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._deliver, name="outbox", daemon=True)
        self._thread.start()

    def send(self, message: Any) -> None:
        """As it is now: changes made afterwards are not sent. Of a process that is gone nobody is told here."""
        self._waiting.put(ForkingPickler.dumps(message))

    def _deliver(self) -> None:
        while (message := self._waiting.get()) is not None:
            try:
                self._connection.send_bytes(message)
            except OSError:  # whoever receives finds out why
                return

    def close(self) -> None:
        """Once the other process has read everything or is gone: nothing that waits could be sent any more."""
        self._waiting.put(None)
        self._thread.join()
