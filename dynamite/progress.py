"""What a training reports: one Progress per iteration, to a callback, to progress.jsonl and to TensorBoard."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dynamite.files import write_atomic


@dataclass(frozen=True)
class Progress:
    """One iteration.

    Attributes:
        iteration: its number, from 0.
        frames: environment steps so far. total_frames: steps planned.
        fps: frames per second of this iteration, learning included.
        seconds_left: at the recent rate.
        phase: ``imitation``, ``model`` (the policy is held still), ``ppo`` or ``sac``.
        return_mean, return_std: undiscounted, over the iteration's episodes.
        metrics: everything else by its TensorBoard name (``belief/kl``, ``losses/entropy``, …).
        checkpoint: the checkpoint written in this iteration, or None.
    """

    iteration: int
    frames: int
    total_frames: int
    fps: float
    seconds_left: float
    phase: str
    return_mean: float
    return_std: float
    metrics: dict[str, float] = field(default_factory=dict)
    checkpoint: str | None = None

    def to_json(self) -> str:
        """One line of JSON; numbers that are not finite become null."""
        return json.dumps({k: _plain(v) for k, v in asdict(self).items()})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, float):
        return None if not math.isfinite(value) else float(f"{value:.6g}")
    return value


class ProgressLog:
    """Writes Progress to ``progress.jsonl`` and ``tensorboard/`` of a run's folder.

    Args:
        run_dir: the run's folder.
        frames: frames already done; later lines, from an iteration that a crash lost, are dropped.
    """

    def __init__(self, run_dir: Path, frames: int = 0) -> None:
        from torch.utils.tensorboard import SummaryWriter  # half a second; only trainings pay it

        path = run_dir / "progress.jsonl"
        kept = [line for line in read_lines(path) if line["frames"] <= frames]
        if path.exists():
            write_atomic(path, "".join(json.dumps(line) + "\n" for line in kept).encode())
        self._file = open(path, "a", encoding="utf-8")  # noqa: SIM115 (closed by close)
        again = (run_dir / "tensorboard").exists()
        self._board = SummaryWriter(str(run_dir / "tensorboard"), purge_step=frames + 1 if again else None)

    def write(self, progress: Progress) -> None:
        self._file.write(progress.to_json() + "\n")
        self._file.flush()
        scalars = {
            "charts/return_mean": progress.return_mean,
            "charts/return_std": progress.return_std,
            "charts/fps": progress.fps,
            **progress.metrics,
        }
        for name, value in scalars.items():
            self._board.add_scalar(name, value, progress.frames)

    def flush(self) -> None:
        """Bring everything written so far to disk."""
        os.fsync(self._file.fileno())
        self._board.flush()

    def close(self) -> None:
        self._file.close()
        self._board.close()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a progress file; a torn last line is left out."""
    lines = []
    if path.exists():
        for text in path.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
    return lines
