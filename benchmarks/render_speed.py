"""How long a picture takes, in CPU milliseconds; prints one JSON line.

    python benchmarks/render_speed.py [--seconds 3]

Each case draws the Jaco scene with belief, ring and force at its own size; the median over frames is reported.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from dynamite.belief import PointPosterior
from robot_app.render.camera import OrbitCamera
from robot_app.render.live import LiveRenderer
from robot_app.render.video import FilmWriter
from scenes import make_scene
from scenes.visual import Markers

CASES = {
    "live_720p_low": {"size": (1280, 720)},
    "live_720p_smooth": {"size": (1280, 720), "smooth": True},
    "live_720p_shadow": {"size": (1280, 720), "shadow": True},
    "live_720p_studio": {"size": (1280, 720), "shadow": True, "supersample": 2},
    "live_1080p_low": {"size": (1920, 1080)},
    "live_480p_low": {"size": (854, 480)},
}


def _cpu_ms(action, seconds: float) -> float:
    """Median CPU time of ``action()`` over calls that last ``seconds`` in all."""
    action()
    spent, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(spent) < 3:
        start = time.process_time()
        action()
        spent.append(1e3 * (time.process_time() - start))
    return round(float(np.median(spent)), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="per case")
    seconds = parser.parse_args().seconds
    scene = make_scene("scratch_itch")
    scene.reset(seed=0)
    model, poses, marks = scene.visual_model(), scene.poses(), scene.markers()
    marks = Markers(marks.itch, marks.itch_normal, marks.tool_tip, marks.itch, -3.0 * marks.itch_normal)
    camera = OrbitCamera.from_preset(scene.cameras()[0])
    rng = np.random.default_rng(0)
    result: dict[str, float | int | str] = {"benchmark": "render_speed", "triangles": len(model.faces)}
    for name, case in CASES.items():
        size = case.pop("size")
        with LiveRenderer(model, *size, **case) as renderer:
            result["gl"] = renderer.context.info["GL_RENDERER"]

            def draw(renderer=renderer):
                grid = rng.dirichlet(np.ones(2 * 12 * 16)).reshape(2, 12, 16)  # a new belief every frame
                return renderer.draw(poses, camera, markers=marks, heat=PointPosterior(grid))

            result[name] = _cpu_ms(draw, seconds)
    result |= _paper(scene, model, poses, camera, seconds)
    scene.close()
    print(json.dumps(result))


def _paper(scene, model, poses, camera, seconds: float) -> dict[str, float]:
    """Overlay, film and software fallback at 720p."""
    import tempfile
    from pathlib import Path

    from dynamite.acting import play
    from policies import load
    from robot_app.render.fallback import TinyRenderer
    from robot_app.render.overlay import draw_overlay

    frames = list(play(scene, load("random", scene), seed=0))
    image = np.full((720, 1280, 3), 90, np.uint8)
    rows = {"overlay_720p": _cpu_ms(lambda: draw_overlay(image, frames, policy="random"), seconds)}
    with tempfile.TemporaryDirectory() as folder, FilmWriter(Path(folder) / "film.mp4", (1280, 720)) as film:
        rows["film_720p"] = _cpu_ms(lambda: film.write(image), seconds)
    with TinyRenderer(model, 640, 360) as renderer:
        rows["tiny_640x360"] = _cpu_ms(lambda: renderer.draw(poses, camera), seconds)
    return rows


if __name__ == "__main__":
    main()
