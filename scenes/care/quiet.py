"""Silence for what C code prints."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quietly() -> Iterator[None]:
    """Silence what C code prints: PyBullet greets whoever imports it, which would spoil ``--json`` output."""
    libc = ctypes.CDLL(None)
    libc.fflush(None)
    kept, sink = (os.dup(1), os.dup(2)), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        yield
        libc.fflush(None)
    finally:
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        os.close(kept[0])
        os.close(kept[1])
        os.close(sink)
