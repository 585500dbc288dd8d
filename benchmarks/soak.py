"""What hostile actions do to a scene: ``python -m benchmarks.soak --scene scratch_itch --steps 1000000 --json``.

Actions come in bursts of random length: full deflection in one direction, the opposite each step, random, absurdly large,
none. Every 1,000 steps one with NaN, infinity or the wrong shape is offered, which must be refused and change nothing.
Prints one JSON object a scene: whether all stayed finite and inside the observation space, the deepest overlap of two
bodies (m), the largest force on the person (N), and how memory grew over the second half (MB).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import psutil

from scenes import list_scenes
from scenes.errors import InputError
from scenes.registry import find_scene, make_scene


def hostile_actions(n: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Endless actions (n,) that no sane policy gives."""
    while True:
        kind, length = rng.integers(5), int(rng.integers(1, 60))
        direction = rng.choice((-1.0, 1.0), n)
        for step in range(length):
            if kind == 0:
                yield direction
            elif kind == 1:
                yield direction if step % 2 else -direction
            elif kind == 2:
                yield rng.uniform(-1, 1, n)
            elif kind == 3:
                yield direction * 10.0 ** rng.uniform(0, 300)
            else:
                yield np.zeros(n)


def impossible_actions(n: int) -> tuple[np.ndarray, ...]:
    """Actions a scene must refuse."""
    return np.full(n, np.nan), np.full(n, np.inf), np.zeros(n + 1), np.zeros((n, 1)), np.zeros(0)


def soak(name: str, steps: int, seed: int, **options: Any) -> dict[str, Any]:
    """``steps`` hostile steps in the care scene called ``name``.

    Returns:
        ``scene``, ``steps``, ``finite``, ``inside``, ``refused`` (all impossible actions, without effect),
        ``deepest_overlap_m``, ``largest_force_n``, ``rss_growth_mb``.
    """
    scene, rng = make_scene(name, **options), np.random.default_rng(seed)
    n, family = scene.action_space.shape[0], psutil.Process()
    low, high = scene.observation_space.low, scene.observation_space.high
    finite = inside = refused = True
    deepest = force = 0.0
    halfway, actions = family.memory_info().rss, hostile_actions(n, rng)
    scene.reset(seed=seed)
    for step in range(steps):
        if step == steps // 2:
            halfway = family.memory_info().rss
        if step % 1000 == 999:
            before = scene.state_hash()
            for bad in impossible_actions(n):
                try:
                    scene.step(bad)
                except InputError:
                    continue
                refused = False
            refused = refused and scene.state_hash() == before
        observation, reward, _, truncated, info = scene.step(next(actions))
        finite = finite and bool(np.isfinite(observation).all()) and bool(np.isfinite(reward))
        inside = inside and bool(((observation >= low) & (observation <= high)).all())
        deepest = max(deepest, scene.world.deepest_overlap())
        force = max(force, info.get("total_force_n", 0.0))
        if truncated:
            scene.reset()
    grown = family.memory_info().rss - halfway
    scene.close()
    return {
        "scene": name,
        "steps": steps,
        "finite": finite,
        "inside": inside,
        "refused": refused,
        "deepest_overlap_m": round(deepest, 4),
        "largest_force_n": round(force, 1),
        "rss_growth_mb": round(grown / 1e6, 2),
    }


def care_scenes() -> list[str]:
    """Names of the care scenes."""
    from scenes.care.scene import CareScene

    return [
        name
        for name in list_scenes()
        if find_scene(name).installed and issubclass(find_scene(name).load(), CareScene)
    ]


def main() -> int:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--scene", help="default: every care scene, one after the other")
    parser.add_argument("--controller", default="responsive", help="the livelier one by default")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="a JSON object per line")
    arguments = parser.parse_args()
    if arguments.steps < 2:
        parser.error("--steps: 2 or more")
    try:
        for name in [arguments.scene] if arguments.scene else care_scenes():
            row = soak(name, arguments.steps, arguments.seed, controller=arguments.controller)
            print(
                json.dumps(row) if arguments.json else "  ".join(f"{k} {v}" for k, v in row.items()),
                flush=True,
            )
    except InputError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
