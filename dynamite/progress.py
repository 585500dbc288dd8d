"""What a training reports: one Progress per iteration, to a callback, to progress.jsonl and to TensorBoard."""

from __future__ import annotations

import json
import logging
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from dynamite.files import write_atomic

_log = logging.getLogger(__name__)

#: Every name a training may write to TensorBoard and to ``Progress.metrics``, and what it is. Losses are means over an
#: iteration's gradient steps; names never change, because curves of different versions are laid over each other.
METRICS: dict[str, str] = {
    "charts/return_mean": "undiscounted return, mean over the iteration's episodes",
    "charts/return_std": "its standard deviation over the episodes",
    "charts/fps": "frames per second, learning included",
    "charts/success_rate": "share of episodes that met the scene's success rule (scenes that have one)",
    "charts/scratches": "scratches per episode (ScratchItch)",
    "losses/policy": "PPO's clipped surrogate, or SAC's actor loss",
    "losses/value": "half the squared error of the value (PPO)",
    "losses/entropy": "the policy's entropy, nats",
    "losses/approx_kl": "KL of the policy from the one that collected (PPO)",
    "losses/clip_fraction": "share of steps whose probability ratio was clipped (PPO)",
    "losses/grad_norm": "norm of the policy's gradient before clipping (PPO)",
    "losses/explained_variance": "1 - var(target - value) / var(target) (PPO)",
    "losses/lr": "learning rate in force (PPO)",
    "losses/critic": "squared error of both critics (SAC)",
    "losses/q": "mean target of the critics (SAC)",
    "losses/temperature": "weight of the entropy in force (SAC)",
    "belief/loss": "the belief model's whole loss",
    "belief/reconstruction_reward": "log p(r|z), summed or averaged over the session",
    "belief/reconstruction_state": "log p(s'|z)",
    "belief/reconstruction_task": "log p(m|z)",
    "belief/kl": "KL of each posterior to what was expected of it",
    "belief/consistency": "by how much the KL to the session's end rises",
    "belief/termination": "cross-entropy of session ends",
    "belief/contrastive": "cross-entropy of telling the future from other episodes' (ContraBAR)",
    "belief/grad_norm": "norm of the belief model's gradient before clipping",
    "belief/mean_logvar": "mean log variance of the posterior: how sure the belief is",
    "probe/nll": "negative log-likelihood of the true latent under the probe",
    "imitation/loss": "squared error or cross-entropy to the teacher's action",
    "engine/worker_restarts": "worker processes lost and replaced since the training began or was resumed",
    "time/collect_s": "seconds of the iteration spent on episodes",
    "time/learn_s": "seconds of it spent on learning",
}


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
        metrics: everything else by its TensorBoard name, one of :data:`METRICS`.
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
        for close in (self._file.close, self._board.close):
            try:
                close()
            except OSError as error:  # a full disk; whoever closes may be telling of it already
                _log.warning("the end of a log was not written: %s", error.strerror)


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
