"""What a training shows while it runs: a bar with rate, time left, return and loss terms; or JSON lines."""

from __future__ import annotations

import sys

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from dynamite import progress as report
from robot_app.commands.base import say

#: Shown where an iteration reports them: (metric, what to call it).
SHOWN = (
    ("charts/success_rate", "success"),
    ("charts/scratches", "scratches"),
    ("belief/loss", "belief loss"),
    ("belief/reconstruction_reward", "reward term"),
    ("belief/reconstruction_state", "state term"),
    ("belief/kl", "KL"),
    ("belief/consistency", "consistency"),
    ("belief/termination", "termination"),
    ("losses/policy", "policy"),
    ("losses/value", "value"),
    ("losses/entropy", "entropy"),
    ("probe/nll", "probe"),
    ("imitation/loss", "imitation"),
)


class TrainingProgress:
    """Called with every :class:`dynamite.progress.Progress`.

    Args:
        total: frames of the whole training.
        as_json: one line per iteration on stdout instead of a bar on stderr.
    """

    def __init__(self, total: int, as_json: bool) -> None:
        self.frames, self._as_json = 0, as_json
        self._console = Console(file=sys.stderr)
        self._bar = Progress(
            TextColumn("{task.fields[phase]:8s}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:,.0f}/{task.total:,.0f} steps  {task.fields[rate]:,.0f}/s"),
            TextColumn("return {task.fields[score]}  left {task.fields[left]}"),
        )
        self._task = self._bar.add_task("", total=total, phase="starting", rate=0.0, score="–", left="–")
        self._live = Live(self._bar, console=self._console, refresh_per_second=4)

    def __call__(self, now: report.Progress) -> None:
        self.frames = now.frames
        if self._as_json:
            print(now.to_json(), flush=True)
            return
        terms = "  ".join(f"{name} {now.metrics[key]:.3g}" for key, name in SHOWN if key in now.metrics)
        score = f"{now.return_mean:.1f} ± {now.return_std:.1f}"
        if not self._console.is_terminal:  # a log file: a line per iteration
            left = clock(now.seconds_left)
            say(f"{now.frames:,} steps  {now.fps:,.0f}/s  return {score}  left {left}  {terms}")
            return
        self._bar.update(
            self._task,
            completed=min(now.frames, now.total_frames),
            phase=now.phase,
            rate=now.fps,
            score=score,
            left=clock(now.seconds_left),
        )
        self._live.update(Group(self._bar, Text(terms, style="dim")))

    def __enter__(self) -> TrainingProgress:
        if self._console.is_terminal and not self._as_json:
            self._live.start()
        return self

    def __exit__(self, *_) -> None:
        self._live.stop()


def clock(seconds: float) -> str:
    """``1:02:03``."""
    whole = int(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
