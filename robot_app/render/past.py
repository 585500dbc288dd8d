"""Past: what a picture shows of the steps before it, in bounded memory, so that a film may be as long as it likes."""

from __future__ import annotations

from collections.abc import Iterable

from dynamite.acting import Frame

#: Points kept of a curve; beyond, every other one is let go. More than a picture is wide would not be seen.
MOST_POINTS = 2048


class Past:
    """The curves of an overlay.

    Attributes:
        frame: the newest one, whole.
        total: rewards so far, summed.
        curve: (step, total, predicted probability of a session's end or None), oldest first.
        starts: (step, session) wherever a session began.
        n_frames: how many were added.
    """

    def __init__(self, frames: Iterable[Frame] = ()) -> None:
        self.frame: Frame | None = None
        self.total, self.n_frames, self._every = 0.0, 0, 1
        self.curve: list[tuple[int, float, float | None]] = []
        self.starts: list[tuple[int, int]] = []
        for frame in frames:
            self.add(frame)

    def add(self, frame: Frame) -> None:
        belief = frame.decision.belief
        if self.frame is None or frame.changed:
            self.starts.append((frame.t, frame.session))
        self.total += frame.reward
        # The newest point is always there; the one before stays if its turn has come.
        if self.curve and (self.n_frames - 1) % self._every:
            self.curve.pop()
        self.curve.append((frame.t, self.total, None if belief is None else belief.p_session_end))
        self.n_frames += 1
        if len(self.curve) > MOST_POINTS:
            self.curve, self._every = self.curve[::2], 2 * self._every
        if len(self.starts) > MOST_POINTS:
            self.starts = self.starts[::2]
        self.frame = frame
