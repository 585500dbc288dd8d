"""How fast sweeps evaluate: ``python -m benchmarks.sweep_speed --json`` prints one JSON object.

Jobs evaluate packaged DynaMITE-RL on ScratchItch; one thread each. Speeds are in CPU time, so that they do not depend on
what else the machine does; ``scaling`` is by the wall clock, because that is what it means, and ``scaling_of_cpu`` is what
two free cores would give: twice the CPU time of the work with one worker, over that with two; less than 2 where workers
hinder each other.

==========================  =======================================================================================
value                       meaning
==========================  =======================================================================================
``steps_per_cpu_s``         environment steps, inference and every measure included, of one job of ``--episodes``
``overhead``                CPU time beyond the evaluation itself, as a share of it, per job of 10 episodes: sending the
                            job, checking the policy's digest, taking the result back, keeping the row, writing the table
``start_cpu_s``             once per worker process: starting Python, loading PyTorch and PyBullet
``scaling``                 rate of two workers over that of one, starting included; only an idle machine can tell
``scaling_of_cpu``          as said above
``busy``                    share of the machine's cores that others used meanwhile
==========================  =======================================================================================
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

SCENE, POLICY = "scratch_itch", "pretrained/dynamite"
#: Episodes of the jobs whose overhead is measured.
SHORT = 10


class _Quiet:
    """A listener that only counts."""

    def __init__(self) -> None:
        self.failed: list[str] = []

    def started(self, job: Any) -> None: ...

    def progressed(self, job: Any, done: int, total: int) -> None: ...

    def finished(self, job: Any, result: Any) -> None:
        if result.row["error"] is not None:
            self.failed.append(result.row["error"])


def make_plan(jobs: int, episodes: int) -> Any:
    from dynamite.sweep.loaded import find_source
    from dynamite.sweep.plan import parse_plan

    values = {
        "name": "speed",
        "evaluation": {"episodes": episodes, "seed": 1_000_000},
        "base": {"scene": SCENE},
        "axes": {"policy": [POLICY], "seed": list(range(jobs))},
    }
    return parse_plan(values, find_policy=find_source)


def sweep(plan: Any, out: Path, workers: int) -> tuple[float, float]:
    """Run a plan from nothing: wall seconds, and CPU seconds of this process and its workers together."""
    from dynamite.sweep.driver import look_ahead, run_missing
    from dynamite.sweep.executor import LocalExecutor
    from dynamite.sweep.result import Settings
    from dynamite.sweep.store import Store

    store, listener = Store(out), _Quiet()
    store.open(plan)
    began, used = time.perf_counter(), _cpu_s()
    run_missing(look_ahead(plan, store), store, LocalExecutor(workers), Settings(out / ".work"), listener)
    if listener.failed:
        raise RuntimeError(listener.failed[0])
    return time.perf_counter() - began, _cpu_s() - used


def _cpu_s() -> float:
    """Of this process and of those that it has waited for."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def evaluate(job: Any) -> float:
    """CPU seconds of the evaluation alone, in this process."""
    from dynamite.checkpoint import load_checkpoint
    from dynamite.measure import measure
    from policies import find_folder

    folder = find_folder(POLICY, SCENE)
    assert folder is not None
    began = time.process_time()
    measure(load_checkpoint(folder).agent, job.scene, job.episodes, job.seed)
    return time.process_time() - began


def machinery(plan: Any, out: Path) -> float:
    """CPU seconds per job of all that is not the evaluation, measured without it: its noise would drown the difference.

    A job is pickled, its digest compared, its result pickled, its row kept and found again, the table written.
    """
    import pickle

    from dynamite.sweep.result import Settings
    from dynamite.sweep.run import run_job
    from dynamite.sweep.store import Store
    from dynamite.sweep.table import build_table, save_table
    from policies import digest, find_folder

    class NoReferences:
        def of(self, scene: Any) -> dict[str, float]:
            return {"random": 0.0}  # once per scene and not per job

    store, jobs = Store(out), plan.jobs()
    store.open(plan)
    result = run_job(jobs[0], Settings(out / ".work"), lambda done, total: None, lambda: False)
    assert result is not None
    began = time.process_time()
    for job in jobs:
        again = pickle.loads(pickle.dumps(job))
        folder = find_folder(again.source.name, again.scene.name)
        assert folder is not None
        assert digest(folder) == again.source.sha256
        back = pickle.loads(pickle.dumps(result))
        store.save(job, replace(back, row={**back.row, "id": job.id, "job": job.to_json()}))
    save_table(build_table(plan, store, NoReferences()), store)  # type: ignore[arg-type]
    return (time.process_time() - began) / len(jobs)


def main() -> int:
    os.environ["OMP_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep_speed", description=__doc__)
    parser.add_argument(
        "--episodes", type=int, default=32, help="of the job whose speed is told (%(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=6, help="of the sweeps that are compared (%(default)s)")
    parser.add_argument("--json", action="store_true", help="a JSON object")
    arguments = parser.parse_args()
    if arguments.episodes < 1 or arguments.jobs < 2:
        parser.error("--episodes: 1 or more; --jobs: 2 or more")
    import torch

    torch.set_num_threads(1)
    steps = 200 * arguments.episodes
    (job,) = make_plan(1, arguments.episodes).jobs()
    evaluate(replace(job, episodes=1))  # caches fill
    speed = steps / evaluate(job)
    plan = make_plan(arguments.jobs, SHORT)
    alone = min(evaluate(job) for job in plan.jobs()[:2])
    with tempfile.TemporaryDirectory() as folder:
        overhead = machinery(plan, Path(folder) / "machinery") / alone
        single = make_plan(1, 1)
        start = max(sweep(single, Path(folder) / "start", 1)[1] - evaluate(single.jobs()[0]), 0.0)
        psutil.cpu_percent()  # from here on
        two_wall, two_cpu = sweep(plan, Path(folder) / "two", 2)
        one_wall, one_cpu = sweep(plan, Path(folder) / "one", 1)
    total = psutil.cpu_percent() / 100 * (psutil.cpu_count() or 1)
    row = {
        "scene": SCENE,
        "policy": POLICY,
        "steps_per_cpu_s": round(speed, 1),
        "overhead": round(overhead, 4),
        "start_cpu_s": round(start, 2),
        "scaling": round(one_wall / two_wall, 2),
        "scaling_of_cpu": round(2 * (one_cpu - start) / (two_cpu - 2 * start), 2),
        "busy": round(
            max(total - (one_cpu + two_cpu) / (one_wall + two_wall), 0.0) / (psutil.cpu_count() or 1), 2
        ),
    }
    print(json.dumps(row) if arguments.json else "  ".join(f"{k} {v}" for k, v in row.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
