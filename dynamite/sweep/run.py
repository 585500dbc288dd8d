"""One job, done: train (or load), evaluate, and give back what a row holds."""

from __future__ import annotations

import importlib
import itertools
import shutil
import statistics
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from dynamite.checkpoint import latest_checkpoint, load_checkpoint
from dynamite.config import Config
from dynamite.config_io import load_yaml, to_dict
from dynamite.measure import Stopped
from dynamite.progress import Progress, read_lines
from dynamite.sweep.job import Job, PolicySource
from dynamite.sweep.loaded import measure_agent, measure_policy
from dynamite.sweep.result import Result, Settings, failed, make_row
from dynamite.train import train
from scenes.errors import InputError

#: How far a job is, in frames: (done, in all).
Report = Callable[[int, int], None]
#: Metrics of the training that a curve keeps, where they exist.
CURVE_METRICS = (
    "charts/success_rate",
    "losses/entropy",
    "losses/value",
    "belief/reconstruction_reward",
    "belief/kl",
    "belief/consistency",
    "belief/termination",
    "probe/nll",
)
CURVE_POINTS = 200


def run_job(job: Job, settings: Settings, report: Report, should_stop: Callable[[], bool]) -> Result | None:
    """Do one job. A mistake or a crash inside it becomes a row with ``error``.

    Returns:
        None where it was told to stop: its training then goes on from a checkpoint the next time, its evaluation
        begins anew.
    """
    try:
        folder = settings.work / job.id
        result = _run(job, settings, folder, report, should_stop)
    except Stopped:
        return None
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        where = traceback.extract_tb(error.__traceback__)[-1]
        return failed(job, settings, f"{text} ({Path(where.filename).name}:{where.lineno})")
    if result is not None and not settings.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def _run(
    job: Job, settings: Settings, folder: Path, report: Report, should_stop: Callable[[], bool]
) -> Result | None:
    torch.set_num_threads(1)
    if isinstance(job.source, PolicySource):
        measured = measure_policy(job, settings.policies, should_stop)
        return Result(make_row(job, settings, measures=measured.values, curves=measured.curves))

    checkpoint = _train(job, settings, folder, report, should_stop)
    if checkpoint is None:
        return None
    measured = measure_agent(load_checkpoint(checkpoint).agent, job, should_stop)
    lines = read_lines(folder / "progress.jsonl")
    row = make_row(
        job, settings, measures=measured.values, curves=measured.curves, training=training_summary(lines)
    )
    return Result(row, training_curve(lines))


def _train(
    job: Job, settings: Settings, folder: Path, report: Report, should_stop: Callable[[], bool]
) -> Path | None:
    """The finished training's checkpoint, or None where it was stopped."""
    assert isinstance(job.source, Config)
    config, total = job.source, job.source.train.frames
    if (folder / "config.yaml").is_file():
        try:
            other = to_dict(load_yaml(folder / "config.yaml")) != to_dict(config)
        except InputError:
            other = True
        if other:  # the id is the same, a default in the code is not
            shutil.rmtree(folder)
    _drop_damaged(folder)
    done = 0

    def on_progress(progress: Progress) -> None:
        nonlocal done
        done = progress.frames
        report(done, total)

    load_policy = importlib.import_module(settings.policies).load if config.imitation.frames else None
    last = train(config, folder, on_progress, should_stop, load_policy, resume=True)
    assert last == latest_checkpoint(folder)
    return last if int(last.name) >= total else None


def _drop_damaged(folder: Path) -> None:
    """Remove checkpoints that a crash left unreadable, so that the one before them serves."""
    while (newest := latest_checkpoint(folder)) is not None:
        try:
            load_checkpoint(newest)
        except InputError:
            shutil.rmtree(newest)
        else:
            return


def training_summary(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Frames, iterations, seconds (learning included, pauses not), and the return at the end, drawn from π as in training:
    its mean over the last twentieth, and its slope per million frames, fitted to the last fifth (:func:`slope_at_end`)."""
    frames = [0, *(line["frames"] for line in lines)]
    steps = [after - before for before, after in itertools.pairwise(frames)]
    seconds = sum(step / line["fps"] for step, line in zip(steps, lines, strict=True) if line["fps"])
    last = [line["return_mean"] for line in lines if line["frames"] > 0.95 * frames[-1]]
    return {
        "frames": frames[-1],
        "iterations": len(lines),
        "seconds": round(seconds, 3),
        "return_at_end": sum(last) / len(last) if last else None,
        "slope_at_end": slope_at_end(frames[1:], [line["return_mean"] for line in lines]),
    }


def slope_at_end(frames: list[int], returns: list[float]) -> float | None:
    """What the return of an iteration still gains per million frames, by least squares over the last fifth of a training:
    near 0 where it has levelled off. None where the last fifth is a single iteration."""
    late = [(done, value) for done, value in zip(frames, returns, strict=True) if done > 0.8 * frames[-1]]
    if len(late) < 2:
        return None
    at, values = zip(*late, strict=True)
    return 1e6 * statistics.linear_regression(at, values).slope


def training_curve(lines: list[dict[str, Any]], points: int = CURVE_POINTS) -> list[dict[str, float | None]]:
    """At most ``points`` points, each the mean over a stretch of iterations and dated at its end."""
    width = -(-len(lines) // points)
    curve: list[dict[str, float | None]] = []
    for start in range(0, len(lines), max(width, 1)):
        part = lines[start : start + width]
        point: dict[str, float | None] = {"frames": part[-1]["frames"]}
        for name in ("return_mean", "return_std"):
            point[name] = _mean([line[name] for line in part])
        for name in CURVE_METRICS:
            point[name] = _mean([line["metrics"].get(name) for line in part])
        curve.append(point)
    empty = {name for name in CURVE_METRICS if all(point[name] is None for point in curve)}
    return [{name: value for name, value in point.items() if name not in empty} for point in curve]


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(f"{sum(known) / len(known):.6g}") if known else None
