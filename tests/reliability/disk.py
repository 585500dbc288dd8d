"""A disk that is full: no file of this process may grow beyond so many bytes."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator


@contextlib.contextmanager
def room_for(n_bytes: int) -> Iterator[None]:
    """Writes beyond ``n_bytes`` of any one file fail with an OSError, as on a full disk, after what fitted was written."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
