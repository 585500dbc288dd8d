"""How fast films are made, and whether their memory stays flat: ``python -m benchmarks.film`` prints one JSON line.

One film of a scene under its scripted oracle, everything in it as in ``robot_app record``: physics, drawing, what is
written over the picture, H.264.

=====================  ============================================================================================
value                  meaning
=====================  ============================================================================================
``cpu_s_per_picture``  processor seconds of the whole process per picture, the drawing's threads included
``fps_two_cores``      pictures per second that two free cores give where work divides evenly: 2 / ``cpu_s_per_picture``
``fps_wall``           pictures per second by the clock: only an idle machine can tell it
``rss_mb``             memory of the process with the first picture, at half of the film and at its end, without what
                       the allocator keeps ready for reuse
``rss_slope_mb_h``     of a straight line through it over the latter half, per hour of film. Caches of bounded size (of
                       texts, of the curves' points) fill until then, so a short film's says little: null below
                       ``LONG`` pictures
``gl``                 what draws
=====================  ============================================================================================
"""

from __future__ import annotations

import argparse
import ctypes
import itertools
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from dynamite.acting import Frame, play
from policies import load
from robot_app.film import FilmLook, FilmSettings, Side, film, parse_size
from robot_app.film_outputs import FilmOutputs
from scenes import make_scene
from scenes.base import SessionEnv

#: Pictures from which on a film's memory tells of an hour's: the longest cache is full after 2,048 steps.
LONG = 9000
_SAMPLE_EVERY = 20  # steps


def frames(scene: SessionEnv, policy: Any, steps: int) -> Iterator[Frame]:
    """An episode of ``steps`` steps: as many of the scene's as it takes, the clock running on."""
    t = 0
    for seed in itertools.count():
        for frame in play(scene, policy, seed, draw=True):
            yield replace(frame, t=t)
            t += 1
            if t > steps:
                return


def resident_mb() -> float:
    """Memory of this process, after the allocator gave back what it merely keeps."""
    ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss / 1e6


def measure(scene_name: str, settings: FilmSettings, pictures: int) -> dict[str, Any]:
    """Make a film of about ``pictures`` pictures, and say what it took."""
    memory: list[tuple[int, float]] = []

    def on_step(t: int) -> None:
        if t % _SAMPLE_EVERY == 0 or t == steps:
            memory.append((t, resident_mb()))

    with closing(make_scene(scene_name)) as scene, tempfile.TemporaryDirectory() as folder:
        policy = load(f"scripted/{scene_name}", scene)
        look = FilmLook.of(scene, scene_name)
        steps = max(2, round(pictures / (settings.fps * look.step_s)))
        look = replace(look, n_steps=steps)
        side = Side(frames(scene, policy, steps), policy.name)
        outputs = FilmOutputs(Path(folder) / "film.mp4", trace=Path(folder) / "film.csv")
        began, spent = time.perf_counter(), time.process_time()
        report = film([side], look, settings, outputs, on_step)
        wall, cpu = time.perf_counter() - began, time.process_time() - spent
        size = outputs.film.stat().st_size
    t, rss = np.array(memory).T
    late = t >= steps / 2
    slope = np.polyfit(t[late] * look.step_s / 3600, rss[late], 1)[0]
    return {
        "benchmark": "film",
        "scene": scene_name,
        "size": f"{settings.width}x{settings.height}",
        "studio": settings.studio,
        "pictures": report.n_pictures,
        "cpu_s_per_picture": round(cpu / report.n_pictures, 4),
        "fps_two_cores": round(2 * report.n_pictures / cpu, 1),
        "fps_wall": round(report.n_pictures / wall, 1),
        "rss_mb": [round(float(value), 1) for value in (rss[0], rss[late][0], rss[-1])],
        "rss_slope_mb_h": round(float(slope), 1) if report.n_pictures >= LONG else None,
        "film_mb": round(size / 1e6, 1),
        "gl": _gl(),
    }


def _gl() -> str:
    import moderngl

    options: dict[str, Any] = {"backend": "egl"}
    with moderngl.create_context(standalone=True, **options) as context:
        return str(context.info["GL_RENDERER"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scene", default="scratch_itch")
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--studio", action="store_true")
    arguments = parser.parse_args()
    settings = FilmSettings(*parse_size(arguments.size), studio=arguments.studio)
    print(json.dumps(measure(arguments.scene, settings, arguments.pictures)))


if __name__ == "__main__":
    main()
