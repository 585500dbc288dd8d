"""How fast scenes step and reset: ``python -m benchmarks.scene_speed --json`` prints one JSON object.

Random actions, one process, one scene at a time. ``steps_per_cpu_s`` counts the CPU time of this process, so that it
does not depend on what else the machine does; resets are timed by the wall clock, because a user waits for them.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from typing import Any

import numpy as np
import psutil

from scenes import list_scenes
from scenes.errors import InputError
from scenes.registry import make_scene

N_RESETS = 100


def measure(name: str, options: dict[str, Any], n_steps: int) -> dict[str, Any]:
    """One scene.

    Returns:
        ``scene``, ``robot`` (None where there is none), ``steps_per_cpu_s``, ``reset_ms_median``, ``reset_ms_p99``,
        ``rss_mb`` (of the whole process, after the steps).
    """
    scene = make_scene(name, **options)
    try:
        scene.action_space.seed(0)
        scene.reset(seed=0)
        actions = [scene.action_space.sample() for _ in range(min(n_steps, 1000))]
        for action in actions[:50]:  # caches fill, contacts appear
            scene.step(action)

        stepping, done_at = 0.0, 0
        while done_at < n_steps:
            scene.reset(seed=done_at)
            n = min(scene.episode_length, n_steps - done_at)
            began = time.process_time()
            for i in range(n):
                scene.step(actions[(done_at + i) % len(actions)])
            stepping += time.process_time() - began
            done_at += n

        resets = []
        for seed in range(N_RESETS):
            began = time.perf_counter()
            scene.reset(seed=seed)
            resets.append(1000 * (time.perf_counter() - began))
            for action in actions[:3]:  # a reset from where an episode ended, not from another reset
                scene.step(action)
        robot = getattr(scene, "robot_name", None)
    finally:
        scene.close()
    return {
        "scene": name,
        "robot": robot,
        "steps_per_cpu_s": round(n_steps / max(stepping, 1e-9), 1),
        "reset_ms_median": round(float(np.median(resets)), 3),
        "reset_ms_p99": round(float(np.percentile(resets, 99)), 3),
        "rss_mb": round(psutil.Process().memory_info().rss / 1e6, 1),
    }


def cases(
    every: bool, scene: str, robot: str | None, controller: str | None
) -> list[tuple[str, dict[str, Any]]]:
    """What to measure: one scene, or with ``every`` each scene with each of its robots."""
    if not every:
        given = {"robot": robot, "controller": controller}
        return [(scene, {key: value for key, value in given.items() if value is not None})]
    from scenes.care.robots import robots_at
    from scenes.care.scene import CareScene
    from scenes.registry import find_scene

    found: list[tuple[str, dict[str, Any]]] = []
    for name in list_scenes():
        if not find_scene(name).installed:
            print(f"{name}: its extra is not installed; robot-app doctor names the command", file=sys.stderr)
            continue
        kind = find_scene(name).load()
        robots = robots_at(kind.place) if issubclass(kind, CareScene) else ()
        found += [(name, {"robot": r}) for r in robots] or [(name, {})]
    return found


def main() -> int:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scene_speed", description=__doc__)
    parser.add_argument("--scene", default="scratch_itch")
    parser.add_argument("--robot")
    parser.add_argument("--controller")
    parser.add_argument("--steps", type=int, default=4000, help="steps to time (%(default)s)")
    parser.add_argument("--all", action="store_true", help="every scene with every robot, one line each")
    parser.add_argument("--json", action="store_true", help="a JSON object per line")
    arguments = parser.parse_args()
    if arguments.steps < 1:
        parser.error("--steps: 1 or more")
    try:
        for name, options in cases(arguments.all, arguments.scene, arguments.robot, arguments.controller):
            row = measure(name, options, arguments.steps)
            print(
                json.dumps(row) if arguments.json else "  ".join(f"{k} {v}" for k, v in row.items()),
                flush=True,
            )
    except InputError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
