"""SharedFrames: the newest picture-worthy state of a scene, in shared memory. Latest wins; nothing queues.

The simulator's process writes, the drawing process (and the window, for *follow tool*) reads. A sequence number that is
odd while a write is under way tells a reader to look again, so neither side ever waits for the other.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from multiprocessing import shared_memory
from typing import Any

import numpy as np

from dynamite.belief import PointPosterior
from scenes.errors import InputError
from scenes.visual import Markers

MAX_FRAMES, MAX_CELLS = 128, 8192
_VECTORS = ("itch", "itch_normal", "tool_tip", "force_at", "force")
_LAYOUT = np.dtype(
    [
        ("sequence", "i8"),
        ("scene", "i8"),  # number of the scene loaded: readers skip poses of another
        ("episode", "i8"),
        ("t", "i8"),
        ("edits", "i8"),  # changes from outside that were applied so far
        ("period_s", "f8"),
        ("n_frames", "i8"),
        ("poses", "f4", (MAX_FRAMES, 7)),
        ("markers", "f8", (len(_VECTORS), 3)),
        ("heat_serial", "i8"),
        ("heat_shape", "i8", (3,)),
        ("heat", "f4", (MAX_CELLS,)),
    ]
)


@dataclass(frozen=True)
class Snapshot:
    """What was read.

    Attributes:
        sequence: rises with every write.
        scene, episode, t, edits: see the layout.
        period_s: seconds of wall time until the next state is due; 0 where none is.
        poses: (K, 7) float32.
        heat: the belief to paint on the skin, or None; the same object while the belief is the same.
    """

    sequence: int
    scene: int
    episode: int
    t: int
    edits: int
    period_s: float
    poses: np.ndarray
    markers: Markers
    heat: PointPosterior | None


class SharedFrames:
    """One block of shared memory. The side that gives no name makes it, and unlinks it in :meth:`close`."""

    def __init__(self, name: str | None = None) -> None:
        self._owner = name is None
        self._memory: Any = shared_memory.SharedMemory(name=name, create=name is None, size=_LAYOUT.itemsize)
        self._row: Any = np.ndarray((), _LAYOUT, self._memory.buf)
        self._heat: tuple[int, PointPosterior | None] = (-1, None)
        self._written_heat: PointPosterior | bool | None = False  # as yet, what is there is not ours

    @property
    def name(self) -> str:
        return self._memory.name

    @property
    def sequence(self) -> int:
        """Number of the newest whole write, for a cheap look whether anything is new."""
        return int(self._row["sequence"])

    def write(
        self,
        poses: np.ndarray,
        markers: Markers,
        heat: PointPosterior | None,
        *,
        scene: int,
        episode: int,
        t: int,
        edits: int,
        period_s: float,
    ) -> None:
        """Replace the state.

        Raises:
            InputError: more frames or heat cells than there is room for.
        """
        n = len(poses)
        if n > MAX_FRAMES:
            raise InputError("poses", n, f"up to {MAX_FRAMES} frames")
        if heat is not None and heat.grid.size > MAX_CELLS:
            raise InputError("belief grid", heat.grid.shape, f"up to {MAX_CELLS} cells")
        row = self._row
        row["sequence"] += 1 + int(row["sequence"]) % 2  # odd already: a writer died in the middle of a write
        row["scene"], row["episode"], row["t"], row["edits"] = scene, episode, t, edits
        row["period_s"], row["n_frames"] = period_s, n
        row["poses"][:n] = poses
        for i, vector in enumerate(_VECTORS):
            value = getattr(markers, vector)
            row["markers"][i] = np.nan if value is None else value
        if heat is not self._written_heat:
            row["heat_serial"] += 1
            row["heat_shape"] = (0, 0, 0) if heat is None else heat.grid.shape
            if heat is not None:
                row["heat"][: heat.grid.size] = heat.grid.ravel()
            self._written_heat = heat
        row["sequence"] += 1

    def read(self) -> Snapshot | None:
        """The newest state, or None before the first write."""
        for _ in range(1000):
            before = int(self._row["sequence"])
            if before == 0:
                return None
            if before % 2 == 0:
                copy = self._row.copy()
                if int(self._row["sequence"]) == before:
                    return self._unpack(copy)
            time.sleep(2e-5)
        return None  # the writer died in the middle of a write

    def _unpack(self, row: np.ndarray) -> Snapshot:
        serial, shape = int(row["heat_serial"]), tuple(int(n) for n in row["heat_shape"])
        if serial != self._heat[0]:
            size = int(np.prod(shape))
            grid = row["heat"][:size].reshape(shape).copy()
            self._heat = (serial, PointPosterior(grid) if size else None)
        vectors: dict[str, Any] = {
            name: None if np.isnan(value).any() else np.array(value)
            for name, value in zip(_VECTORS, row["markers"], strict=True)
        }
        return Snapshot(
            sequence=int(row["sequence"]),
            scene=int(row["scene"]),
            episode=int(row["episode"]),
            t=int(row["t"]),
            edits=int(row["edits"]),
            period_s=float(row["period_s"]),
            poses=row["poses"][: int(row["n_frames"])].copy(),
            markers=Markers(**vectors),
            heat=self._heat[1],
        )

    def close(self) -> None:
        """Let go of the memory; safe to call twice."""
        if self._memory is None:
            return
        self._row = None
        self._memory.close()
        if self._owner:
            self._memory.unlink()
        self._memory = None


class SharedPictures:
    """Two pictures in shared memory: one is shown while the other is drawn.

    Args:
        capacity: bytes of one picture (the maker only).
        name: attach to an existing pair instead.
    """

    def __init__(self, capacity: int = 0, name: str | None = None) -> None:
        self._owner = name is None
        self._memory: Any = shared_memory.SharedMemory(
            name=name, create=name is None, size=max(2 * capacity, 2)
        )
        self.capacity = capacity if self._owner else self._memory.size // 2

    @property
    def name(self) -> str:
        return self._memory.name

    def picture(self, slot: int, width: int, height: int) -> np.ndarray:
        """(height, width, 3) uint8 view of a slot; using it after :meth:`close` ends the process."""
        return np.ndarray((height, width, 3), np.uint8, self._memory.buf, offset=slot * self.capacity)

    def close(self) -> None:
        """Let go of the memory; safe to call twice."""
        if self._memory is None:
            return
        with contextlib.suppress(
            BufferError
        ):  # a picture is still looked at: the map goes when that look ends
            self._memory.close()
        if self._owner:
            self._memory.unlink()
        self._memory = None
