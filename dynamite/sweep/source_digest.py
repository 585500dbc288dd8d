"""The digest of the code whose results rows are: machines that share a sweep must have the same.

Of every source file of ``scenes``, ``dynamite`` and ``policies`` as they lie on disk, and of PyTorch's and NumPy's version.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
from pathlib import Path

PACKAGES = ("scenes", "dynamite", "policies")
LIBRARIES = ("torch", "numpy")


@functools.cache
def source_digest() -> str:
    """First 16 hexadecimal digits of the sha256; of a process, when it first asked."""
    seen = hashlib.sha256()
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        for folder in map(Path, (spec.submodule_search_locations or ()) if spec is not None else ()):
            for path in sorted(folder.rglob("*.py")):
                seen.update(f"{name}/{path.relative_to(folder).as_posix()}\n".encode())
                seen.update(path.read_bytes())
    for name in LIBRARIES:
        seen.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    return seen.hexdigest()[:16]
