"""How fast sweeps evaluate: ``python -m benchmarks.sweep_speed --json`` prints one JSON object.

Jobs evaluate packaged DynaMITE-RL on ScratchItch; one thread each. Speeds are in CPU time, so that they do not depend on
what else the machine does; ``scaling`` is by the wall clock, because that is what it means, and only an idle machine can
tell it. Three things keep it below 2, and each is told apart: every worker starts Python, PyTorch and its first worlds
(``start_cpu_s``, so a sweep of a few seconds cannot scale), processes beside each other share the processor's cache and the
memory behind it (``beside``), and at the end of a sweep one worker waits for the other.

==========================  =======================================================================================
value                       meaning
==========================  =======================================================================================
``steps_per_cpu_s``         environment steps, inference and every measure included, of one job of ``--episodes``
``overhead``                CPU time beyond the evaluation itself, as a share of it, per job of 10 episodes: sending the
                            job, checking the policy's digest, taking the result back, keeping the row, writing the table
``start_cpu_s``             once per worker process: all that its first job costs beyond what the same job costs later
``beside``                  CPU time of a job while another process does the same, over that of a job alone
``scaling``                 rate of two workers over that of one, from nothing to the last row, of ``--jobs`` jobs of
                            ``--episodes``; starting included
``scaling_of_cpu``          what two free cores would give: twice the CPU time with one worker, over that with two
``jobs``, ``job_s``         of the sweeps that are compared: how many, and the CPU time of one, its part of starting included
``busy``                    share of the machine's cores that others used meanwhile
==========================  =======================================================================================
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
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


def together(job: Any, n: int, times: int = 3) -> float:
    """CPU seconds of a job while ``n`` processes do it at once, each ``times`` times and warm: the least of all."""
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(n), context.SimpleQueue()
    processes = [context.Process(target=_warm, args=(job, times, barrier, told)) for _ in range(n)]
    for process in processes:
        process.start()
    seconds = [told.get() for _ in processes]
    for process in processes:
        process.join()
    return min(seconds)


def _warm(job: Any, times: int, barrier: Any, told: Any) -> None:
    import torch

    torch.set_num_threads(1)
    for _ in range(2):  # memory is claimed in the first, and kept from the second on
        evaluate(job)
    barrier.wait()
    told.put(min(evaluate(job) for _ in range(times)))


def main() -> int:
    os.environ["OMP_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sweep_speed", description=__doc__)
    parser.add_argument("--episodes", type=int, default=32, help="of a job (%(default)s)")
    parser.add_argument("--jobs", type=int, default=20, help="of the sweeps that are compared (%(default)s)")
    parser.add_argument("--json", action="store_true", help="a JSON object")
    arguments = parser.parse_args()
    if arguments.episodes < 1 or arguments.jobs < 2:
        parser.error("--episodes: 1 or more; --jobs: 2 or more")
    import torch

    torch.set_num_threads(1)
    (job,) = make_plan(1, arguments.episodes).jobs()
    evaluate(job)  # caches fill
    warm = min(evaluate(job) for _ in range(2))
    short = make_plan(6, SHORT)
    alone = min(evaluate(job) for job in short.jobs()[:2])
    (one_short, *_) = short.jobs()
    beside = together(one_short, 2) / together(one_short, 1)
    plan = make_plan(arguments.jobs, arguments.episodes)
    with tempfile.TemporaryDirectory() as folder:
        overhead = machinery(short, Path(folder) / "machinery") / alone
        start = sweep(make_plan(1, arguments.episodes), Path(folder) / "start", 1)[1] - warm
        psutil.cpu_percent()  # from here on
        one_wall, one_cpu = sweep(plan, Path(folder) / "one", 1)
        two_wall, two_cpu = sweep(plan, Path(folder) / "two", 2)
    cores = psutil.cpu_count() or 1
    ours = (one_cpu + two_cpu) / (one_wall + two_wall) / cores
    row = {
        "scene": SCENE,
        "policy": POLICY,
        "steps_per_cpu_s": round(200 * arguments.episodes / warm, 1),
        "overhead": round(overhead, 4),
        "start_cpu_s": round(max(start, 0.0), 2),
        "beside": round(beside, 2),
        "scaling": round(one_wall / two_wall, 2),
        "scaling_of_cpu": round(2 * one_cpu / two_cpu, 2),
        "jobs": arguments.jobs,
        "job_s": round(one_cpu / arguments.jobs, 2),
        "busy": round(max(psutil.cpu_percent() / 100 - ours, 0.0), 2),
    }
    print(json.dumps(row) if arguments.json else "  ".join(f"{k} {v}" for k, v in row.items()))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
