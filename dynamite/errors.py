"""What ends a training from inside: one line that says what happened, where, and which checkpoint is the last good one.

A mistake of the user is an :class:`~scenes.errors.InputError` instead; it is found before anything is trained.
"""

from __future__ import annotations

from pathlib import Path


class TrainingError(RuntimeError):
    """A training cannot go on.

    Args:
        reason: what happened; made one line.

    Attributes:
        checkpoint: the last good checkpoint, from which the training can be resumed; None where there is none (yet).
    """

    def __init__(self, reason: str) -> None:
        self.reason = " ".join(reason.split())
        super().__init__(self.reason)
        self.checkpoint: Path | None = None

    def __str__(self) -> str:
        last = "none" if self.checkpoint is None else self.checkpoint
        return f"{self.reason}; last good checkpoint: {last}"


class WorkerError(TrainingError):
    """A worker process cannot be brought back, or its scene raised an exception (then its traceback is the cause)."""


class NonFiniteError(TrainingError):
    """A loss, a reward, an observation or a weight is NaN or infinite."""
