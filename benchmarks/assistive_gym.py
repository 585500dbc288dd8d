"""Our care scenes beside upstream's Assistive Gym: ``python -m benchmarks.assistive_gym --json``, one object a line.

Both have a hidden, changing latent (sessions end with p = 0.02 per step) and are measured alike: returns of the
random policy and of the scripted oracle, steps per second of this process's CPU time, and how long a
reset takes. Policies are not timed. Without upstream only our half is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import policies
from scenes import SCENES, make_scene
from scenes.base import SessionEnv
from scenes.errors import InputError

#: Our scene for each of upstream's tasks.
TASKS = {
    "ScratchItch": "scratch_itch",
    "BedBathing": "bed_bathing",
    "Feeding": "feeding",
    "Drinking": "drinking",
    "ArmManipulation": "arm_manipulation",
}
UPSTREAM = "assistive_gym"


def measure(scene: SessionEnv, policy: str, episodes: int) -> dict[str, Any]:
    """Whole episodes under seeds 0, 1, …

    Returns:
        ``return_mean``, ``return_sd`` (over episodes), ``success_rate``, ``steps_per_cpu_s``, ``reset_ms_median``
        and ``reset_ms_max`` (CPU time).
    """
    actor = policies.load(policy, scene)
    returns, successes, resets, stepping, steps = [], [], [], 0.0, 0
    for seed in range(episodes):
        began = time.process_time()
        observation, info = scene.reset(seed=seed)
        resets.append(1000 * (time.process_time() - began))
        actor.reset(seed)
        total, reward, done = 0.0, 0.0, False
        while not done:
            truth = scene.privileged() if actor.needs_privileged else None
            action = actor.act(observation, reward, truth).action
            began = time.process_time()
            observation, reward, terminated, truncated, info = scene.step(action)
            stepping += time.process_time() - began
            total, steps, done = total + reward, steps + 1, terminated or truncated
        returns.append(total)
        successes.append(info["task_success"])
    return {
        "return_mean": round(float(np.mean(returns)), 1),
        "return_sd": round(float(np.std(returns, ddof=1)), 1) if episodes > 1 else None,
        "success_rate": round(float(np.mean(successes)), 3),
        "steps_per_cpu_s": round(steps / max(stepping, 1e-9), 1),
        "reset_ms_median": round(float(np.median(resets)), 2),
        "reset_ms_max": round(max(resets), 2),
    }


def rows(tasks: list[str], robot: str, episodes: int) -> Iterator[dict[str, Any]]:
    """Ours and theirs, a row for each of the two policies."""
    for task in tasks:
        sides: list[tuple[str, str, dict[str, Any]]] = []
        if TASKS[task] in SCENES:
            sides.append(("ours", TASKS[task], {"robot": robot.lower()}))
        if SCENES[UPSTREAM].installed:
            sides.append(("upstream", UPSTREAM, {"task": f"{task}{robot}-v1"}))
        for side, name, options in sides:
            for policy in ("random", f"scripted/{name}"):
                scene = make_scene(name, **options)
                try:
                    measured = measure(scene, policy, episodes)
                finally:
                    scene.close()
                row = {"task": task, "side": side, "scene": name, "robot": robot, "policy": policy}
                yield {**row, "episodes": episodes, **measured}


def main() -> int:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.assistive_gym", description=__doc__)
    parser.add_argument("--task", choices=[*TASKS, "all"], default="all")
    parser.add_argument("--robot", choices=["Jaco", "Panda"], default="Jaco")
    parser.add_argument("--episodes", type=int, default=10, help="of each policy (%(default)s)")
    parser.add_argument("--json", action="store_true", help="a JSON object per line")
    arguments = parser.parse_args()
    if arguments.episodes < 1:
        parser.error("--episodes: 1 or more")
    if not SCENES[UPSTREAM].installed:
        print(f"upstream is not installed: {SCENES[UPSTREAM].command}", file=sys.stderr)
    tasks = list(TASKS) if arguments.task == "all" else [arguments.task]
    try:
        for row in rows(tasks, arguments.robot, arguments.episodes):
            text = json.dumps(row) if arguments.json else "  ".join(f"{k} {v}" for k, v in row.items())
            print(text, flush=True)
    except InputError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
