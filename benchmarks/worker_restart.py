"""How long a lost worker holds up a training: ``python -m benchmarks.worker_restart --json`` prints a JSON object per loss.

A worker is killed, or stopped for good, before the last step of an episode, which is the most there is to be played again.
``step_s_median`` and ``step_s_max`` are the seconds that this step then takes, from the loss to every copy's answer.
"""

from __future__ import annotations

import argparse
import functools
import json
import logging
import os
import signal
import statistics
import time
from typing import Any

import numpy as np

from dynamite.config_io import with_overrides
from dynamite.variants import configure
from dynamite.workers import WorkerVector
from policies import load
from scenes import list_scenes
from scenes.errors import InputError

LOSSES = {"killed": signal.SIGKILL, "stopped": signal.SIGSTOP}


def measure(vector: WorkerVector, loss: str, times: int) -> dict[str, Any]:
    """Lose one worker ``times`` times, each in an episode of its own."""
    rng, spec, seconds = np.random.default_rng(0), vector.spec, []

    def act() -> np.ndarray:
        if spec.discrete:
            return rng.integers(spec.n_actions, size=(vector.n, 1)).astype(np.float32)
        return rng.uniform(-1, 1, (vector.n, spec.n_actions)).astype(np.float32)

    for i in range(times):
        vector.reset(np.arange(vector.n) + 1000 * i)
        for _ in range(spec.episode_length - 1):
            vector.step(act())
        before = vector.restarts
        began = time.perf_counter()
        os.kill(vector._workers[i % len(vector._workers)].process.pid, LOSSES[loss])
        vector.step(act())
        seconds.append(time.perf_counter() - began)
        assert vector.restarts == before + 1
    return {
        "loss": loss,
        "times": times,
        "step_s_median": round(statistics.median(seconds), 2),
        "step_s_max": round(max(seconds), 2),
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.worker_restart",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--scene", default="scratch_itch", help="one of " + ", ".join(list_scenes()))
    parser.add_argument("--copies", type=int, default=8, help="%(default)s")
    parser.add_argument("--workers", type=int, default=2, help="%(default)s")
    parser.add_argument("--teacher", action="store_true", help="with the preset's teacher in the workers")
    parser.add_argument("--times", type=int, default=5, help="losses of each kind (%(default)s)")
    parser.add_argument("--json", action="store_true", help="a JSON object per line")
    arguments = parser.parse_args()
    logging.getLogger("dynamite.workers").setLevel(logging.ERROR)
    try:
        overrides = {"train.copies": arguments.copies, "train.workers": arguments.workers}
        config = with_overrides(configure(arguments.scene, "dynamite"), overrides)
        teacher = functools.partial(load, config.imitation.teacher) if arguments.teacher else None
        for loss in LOSSES:
            vector = WorkerVector(config.scene, arguments.copies, arguments.workers, teacher)
            try:
                row = measure(vector, loss, arguments.times)
            finally:
                vector.close()
            row = {
                "scene": arguments.scene,
                "copies": arguments.copies,
                "workers": arguments.workers,
                "teacher": config.imitation.teacher if arguments.teacher else None,
                **row,
            }
            print(
                json.dumps(row) if arguments.json else "  ".join(f"{k} {v}" for k, v in row.items()),
                flush=True,
            )
    except InputError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
