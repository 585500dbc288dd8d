"""How fast trainings are: ``python -m benchmarks.train_speed --json`` prints one JSON object per measurement.

A measurement is whole iterations of a training as its preset has it (episodes, policy, belief model, probe; nothing is
written to disk), after one that does not count. Each runs in a process of its own on one thread, so that ``rss_mb`` is its
own. ``frames_per_cpu_s`` divides by the processor time of that process and its workers and does not depend on what else the
machine does; ``frames_per_s`` divides by the wall clock and does.

After the preset itself come other numbers of copies, lengths of an episode, and widths of the GRU and of the policy's
layers, each alone, the rest as in the preset (``--alone``: only the preset). The preset's updates are per iteration: with
fewer copies there are more of them per frame.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from dynamite.config import Config
from dynamite.config_io import parse_overrides, with_overrides
from dynamite.variants import configure, list_variants
from dynamite.vector import make_one
from scenes.errors import InputError
from scenes.registry import list_scenes

COPIES = (16, 64, 256, 1024, 4096)
EPISODE_LENGTHS = (15, 30, 60, 120, 240)
WIDTHS = (16, 32, 64, 128, 256)


def measure(config: Config, seconds: float) -> dict[str, Any]:
    """Iterations of one training for ``seconds`` of processor time, two at least; call it in a fresh process.

    Returns:
        ``domain``, ``variant``, ``copies``, ``workers``, ``episode_length``, ``width`` (of h and of the policy),
        ``frames_per_s``, ``frames_per_cpu_s``, ``update_share`` (of the time, spent on learning), ``rss_mb`` (workers
        included).
    """
    import psutil
    import torch

    from dynamite.train import Trainer
    from dynamite.vector import make_vector

    torch.set_num_threads(config.train.threads)
    scenes = make_vector(config.scene, config.train.copies, config.train.workers)
    try:
        trainer = Trainer(config, scenes)
        trainer.iterate()  # memory is claimed, caches fill
        family = [psutil.Process(), *psutil.Process().children(recursive=True)]
        began, used = time.perf_counter(), _cpu_s(family)
        frames = collecting = learning = 0.0
        iterations = 0
        while iterations < 2 or _cpu_s(family) - used < seconds:
            rollout, metrics = trainer.iterate()
            frames += rollout.frames
            collecting += metrics["time/collect_s"]
            learning += metrics["time/learn_s"]
            iterations += 1
        elapsed, cpu = time.perf_counter() - began, _cpu_s(family) - used
        rss = sum(process.memory_info().rss for process in family)
    finally:
        scenes.close()
    return {
        "domain": config.scene.name,
        "variant": config.variant,
        "copies": config.train.copies,
        "workers": config.train.workers,
        "episode_length": scenes.spec.episode_length,
        "width": config.encoder.hidden,
        "frames_per_s": round(frames / elapsed),
        "frames_per_cpu_s": round(frames / cpu),
        "update_share": round(learning / (collecting + learning), 3),
        "rss_mb": round(rss / 1e6),
    }


def _cpu_s(family: list[Any]) -> float:
    times = [process.cpu_times() for process in family]
    return sum(t.user + t.system for t in times)


def cases(config: Config, grow: bool) -> Iterator[Config]:
    """The training as it is; with ``grow`` also with other copies, lengths and widths."""
    yield config
    if not grow:
        return
    for copies in COPIES:
        yield with_overrides(
            config, {"train.copies": copies, "train.workers": min(config.train.workers, copies)}
        )
    scene = make_one(config.scene)
    scene.close()
    for length in EPISODE_LENGTHS:
        longer = with_overrides(config, {"scene.options.episode_length": length})
        try:
            make_one(longer.scene).close()
        except InputError:  # its episodes have one length
            break
        yield longer
    for width in WIDTHS:
        layers = [width] * len(config.policy.hidden)
        yield with_overrides(config, {"encoder.hidden": width, "policy.hidden": layers})


def main() -> int:
    os.environ["OMP_NUM_THREADS"] = "1"
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.train_speed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--domain", default="gridworld", help="one of " + ", ".join(list_scenes()))
    parser.add_argument("--variant", default="dynamite", help="one of " + ", ".join(list_variants()))
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.FIELD=VALUE", help="as for training"
    )
    parser.add_argument(
        "--seconds", type=float, default=5.0, help="processor time per measurement (%(default)s)"
    )
    parser.add_argument("--alone", action="store_true", help="not how it grows")
    parser.add_argument("--json", action="store_true", help="a JSON object per line")
    arguments = parser.parse_args()
    # Speed is the learner's own: no teacher, no phase in which the policy is held still.
    own = {"imitation.frames": 0, "model.pretrain_iterations": 0}
    try:
        config = with_overrides(configure(arguments.domain, arguments.variant), own)
        config = with_overrides(config, parse_overrides(arguments.set))
        make_one(config.scene).close()
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn, max_tasks_per_child=1) as alone:
            for case in cases(config, not arguments.alone):
                row = alone.submit(measure, case, arguments.seconds).result()
                text = json.dumps(row) if arguments.json else "  ".join(f"{k} {v}" for k, v in row.items())
                print(text, flush=True)
    except InputError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
