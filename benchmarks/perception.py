"""How exactly and how fast the person is found: ``python -m benchmarks.perception --json`` prints one JSON object.

In every care scene, for both genders and from every camera, the person is moved by a known offset and turn (about the
body's middle, in random directions) from where the body model expects it; a depth image of 640×480 with noise is taken,
robot and furniture in it, and the person is found in its cloud. The error in mm is the root mean square, over the
body's vertices, of the distance between where they are and where they were found.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from scenes import make_scene
from scenes.base import SessionEnv
from scenes.care.body_surface import BodySurface, body_of
from scenes.care.depth_camera import DepthCamera
from scenes.care.perception import TRUSTED_FITNESS, BodyFinder, person_moved
from scenes.care.scene import CareScene
from scenes.care.wiping import SkinRegion, WipingCoverage
from scenes.errors import InputError
from scenes.registry import SCENES
from scenes.skinning import skin

GENDERS = ("male", "female")


@dataclass(frozen=True)
class Trial:
    """One search for the person: errors, and what the finder said of itself."""

    scene: str
    gender: str
    camera: str
    error_mm: float
    error_deg: float
    fitness: float
    rms_mm: float
    seconds: float
    cpu_seconds: float


def care_scenes() -> tuple[str, ...]:
    """Names of the registered care scenes that are installed."""
    installed = {name: entry for name, entry in SCENES.items() if entry.installed}
    return tuple(name for name, entry in installed.items() if issubclass(entry.load(), CareScene))


def random_motion(
    rng: np.random.Generator, middle: np.ndarray, offset_m: float, turn_rad: float
) -> np.ndarray:
    """(4, 4): a turn by ``turn_rad`` about ``middle`` (3,) and a shift by ``offset_m``, each in a random direction."""
    axis, shift = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_rotvec(turn_rad * axis).as_matrix()
    motion[:3, 3] = middle - motion[:3, :3] @ middle + offset_m * shift
    return motion


def pose_error(vertices: np.ndarray, found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """(mm, degrees) between two poses (4, 4) of a body with ``vertices`` (V, 3)."""
    apart = vertices @ (found - true)[:3, :3].T + (found - true)[:3, 3]
    turn = Rotation.from_matrix(true[:3, :3].T @ found[:3, :3]).magnitude()
    return 1e3 * float(np.sqrt((apart**2).sum(1).mean())), float(np.degrees(turn))


def trials(
    name: str,
    n: int,
    offset_m: float,
    turn_rad: float,
    noise_m: float,
    genders: tuple[str, ...] = GENDERS,
    n_views: int | None = None,
) -> Iterator[Trial]:
    """``n`` searches per gender and camera (the first ``n_views``, or all) in a scene, a few steps into an episode."""
    rng = np.random.default_rng(0)
    for gender in genders:
        scene = make_scene(name, gender=gender)
        try:
            _into_an_episode(scene)
            model, poses = scene.visual_model(), scene.poses()
            body = body_of(model)
            vertices, finder = skin(body, poses), BodyFinder(body, poses)
            for view in scene.cameras()[:n_views]:
                camera = DepthCamera(model, view, noise_m=noise_m, seed=1)
                for _ in range(n):
                    motion = random_motion(rng, vertices.mean(0), offset_m, turn_rad)
                    cloud = camera.capture(person_moved(model, poses, motion)).cloud()
                    began = time.process_time()
                    found = finder.find(cloud)
                    spent = time.process_time() - began
                    errors = pose_error(vertices, found.pose, motion)
                    yield Trial(
                        name,
                        gender,
                        view.name,
                        *errors,
                        found.fitness,
                        1e3 * found.rms_m,
                        found.seconds,
                        spent,
                    )
        finally:
            scene.close()


def _into_an_episode(scene: SessionEnv) -> None:
    scene.action_space.seed(0)
    scene.reset(seed=0)
    for _ in range(5):
        scene.step(scene.action_space.sample())


def speeds(name: str) -> dict[str, float]:
    """CPU milliseconds of what is done per picture, per contact, per step; in the scene ``name``."""
    from scenes.care.tiny_render import TinyPicture

    scene = make_scene(name)
    try:
        _into_an_episode(scene)
        model, poses, view = scene.visual_model(), scene.poses(), scene.cameras()[0]
    finally:
        scene.close()
    body = body_of(model)
    surface, camera = BodySurface(body, poses), DepthCamera(model, view)
    pixels = (view.eye, view.target, view.fov_deg, 640, 480)
    contact = surface.vertices[np.argmax(body.surface[:, 0])]
    rng = np.random.default_rng(0)
    points = surface.vertices[rng.integers(len(surface.vertices), size=10_000)] + rng.normal(
        0, 0.02, (10_000, 3)
    )
    wiping = WipingCoverage(body, tuple(SkinRegion(part) for part in body.parts), 0.025)
    picture = TinyPicture(model)
    try:
        return {
            "depth_640x480_ms": cpu_ms(lambda: camera.capture(poses)),
            "pybullet_camera_640x480_ms": cpu_ms(lambda: picture.draw(poses, *pixels)),
            "body_model_ms": cpu_ms(lambda: BodyFinder(body, poses)),
            "body_surface_ms": cpu_ms(lambda: BodySurface(body, poses)),
            "closest_10000_points_ms": cpu_ms(lambda: surface.closest(points)),
            "contact_patch_ms": cpu_ms(lambda: surface.patch(contact, 0.025)),
            "wipe_one_contact_ms": cpu_ms(lambda: wiping.wipe(poses, contact[None])),
        }
    finally:
        picture.close()


def cpu_ms(action: Callable[[], Any], n: int = 5) -> float:
    """Median CPU time of ``action()``, all threads of this process."""
    action()
    spent = []
    for _ in range(n):
        began = time.process_time()
        action()
        spent.append(1e3 * (time.process_time() - began))
    return round(float(np.median(spent)), 1)


def summary(done: list[Trial]) -> dict[str, Any]:
    """Worst and median errors, share within 5 mm and 0.5°, and times."""
    column = {key: np.array([asdict(trial)[key] for trial in done]) for key in (
        "error_mm", "error_deg", "fitness", "seconds", "cpu_seconds")}  # fmt: skip
    worst = done[int(np.argmax(column["error_mm"]))]
    right = (column["error_mm"] <= 5) & (column["error_deg"] <= 0.5)
    return {
        "searches": len(done),
        "error_mm_median": round(float(np.median(column["error_mm"])), 3),
        "error_mm_worst": round(float(column["error_mm"].max()), 3),
        "error_deg_median": round(float(np.median(column["error_deg"])), 4),
        "error_deg_worst": round(float(column["error_deg"].max()), 4),
        "worst_at": f"{worst.scene}, {worst.gender}, {worst.camera}",
        "within_5mm_half_degree": round(float(right.mean()), 4),
        "wrong_but_trusted": int((~right & (column["fitness"] >= TRUSTED_FITNESS)).sum()),
        "fitness_least": round(float(column["fitness"].min()), 3),
        "cpu_ms_median": round(1e3 * float(np.median(column["cpu_seconds"])), 1),
        "wall_ms_median": round(1e3 * float(np.median(column["seconds"])), 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.perception", description=__doc__)
    parser.add_argument("--scene", action="append", choices=care_scenes(), help="by default every care scene")
    parser.add_argument("--trials", type=int, default=2, help="per gender and camera (%(default)s)")
    parser.add_argument("--offset-mm", type=float, default=60.0, help="of the person (%(default)s)")
    parser.add_argument("--turn-deg", type=float, default=6.0, help="of the person (%(default)s)")
    parser.add_argument("--noise-mm", type=float, default=2.0, help="of the depth (%(default)s)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    arguments = parser.parse_args()
    if arguments.trials < 1:
        parser.error("--trials: 1 or more")
    names = tuple(arguments.scene or care_scenes())
    motion = (arguments.offset_mm / 1e3, np.radians(arguments.turn_deg), arguments.noise_mm / 1e3)
    try:
        found = {name: list(trials(name, arguments.trials, *motion)) for name in names}
        row = {
            "benchmark": "perception",
            "offset_mm": arguments.offset_mm,
            "turn_deg": arguments.turn_deg,
            "noise_mm": arguments.noise_mm,
            **{name: summary(done) for name, done in found.items()},
            "speed": speeds(names[0]),
        }
    except InputError as error:
        parser.error(str(error))
    if arguments.json:
        print(json.dumps(row))
    else:
        for key, value in row.items():
            lines = value if isinstance(value, dict) else {"": value}
            print(
                key,
                *(f"  {what} {number}" for what, number in lines.items()),
                sep="\n" if len(lines) > 1 else "",
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
