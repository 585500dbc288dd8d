"""A film from Frames, live or from a recorded episode: pictures at the film's rate, overlay, trace, stills, GIF.

    report = film(play(scene, policy, seed, draw=True), FilmLook.of(scene, "scratch_itch"), settings, outputs)

The scene steps ten times a second. Pictures in between show poses on the way from one step to the next, so that the film
runs smoothly and in real time; what is written over them changes with the steps only.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynamite.acting import Frame
from dynamite.belief import PointPosterior
from robot_app.clouds import CloudWriter
from robot_app.csv_trace import TraceWriter
from robot_app.files import check_outputs, remove_output
from robot_app.motion import markers_between, poses_between
from robot_app.render import make_renderer
from robot_app.render.camera import OrbitCamera
from robot_app.render.overlay import check_parts, draw_overlay
from robot_app.render.theme import theme as check_theme
from robot_app.render.video import FilmWriter
from robot_app.stills import BestStill, GifWriter, StillWriter
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.latent import LatentSpace
from scenes.visual import CameraPreset, VisualModel

SMALLEST, LARGEST = 64, 7680
#: Width and height below which what is written over a picture would not fit.
SMALLEST_OVERLAY = (240, 136)


@dataclass(frozen=True)
class FilmSettings:
    """What a film looks like.

    Attributes:
        width, height: pixels, both even (H.264 stores colour for 2×2 pixels).
        fps: pictures per second, 1 to 120.
        camera: name of one of the scene's cameras; empty for its first.
        overlay: what is written over the picture, of :data:`robot_app.render.overlay.PARTS`.
        theme: ``dark`` or ``light``.
        studio: supersampled, with a soft shadow: several times slower.
        truth: mark the true preference.
        cloud_every: steps from one point cloud to the next, 1 or more.
    """

    width: int = 1280
    height: int = 720
    fps: int = 30
    camera: str = ""
    overlay: tuple[str, ...] = ("title", "belief", "reward", "session", "force")
    theme: str = "dark"
    studio: bool = False
    truth: bool = True
    cloud_every: int = 1

    def __post_init__(self) -> None:
        sides = (self.width, self.height)
        if any(side % 2 or not SMALLEST <= side <= LARGEST for side in sides):
            raise InputError(
                "--size", f"{self.width}x{self.height}", f"even numbers from {SMALLEST} to {LARGEST}"
            )
        if self.overlay and (self.width < SMALLEST_OVERLAY[0] or self.height < SMALLEST_OVERLAY[1]):
            least = "x".join(map(str, SMALLEST_OVERLAY))
            raise InputError("--size", f"{self.width}x{self.height}", f"at least {least}, or --overlay none")
        if not 1 <= self.fps <= 120:
            raise InputError("--fps", self.fps, "1 to 120 pictures per second")
        if self.cloud_every < 1:
            raise InputError("--pointcloud-every", self.cloud_every, "1 step or more")
        check_parts(self.overlay)
        check_theme(self.theme)


def parse_size(text: str) -> tuple[int, int]:
    """``"1920x1080"`` as (1920, 1080)."""
    found = re.fullmatch(r"\s*(\d{1,5})\s*[x×]\s*(\d{1,5})\s*", text)
    if found is None:
        raise InputError("--size", text, "WIDTHxHEIGHT in pixels, such as 1920x1080")
    return int(found[1]), int(found[2])


def parse_overlay(text: str) -> tuple[str, ...]:
    """``"belief,reward"`` as a tuple; empty or ``none`` for nothing."""
    parts = tuple(part.strip() for part in text.split(",") if part.strip())
    return () if parts == ("none",) else parts


@dataclass(frozen=True)
class FilmOutputs:
    """Where everything goes; None leaves it out.

    Attributes:
        film: ``.mp4``. trace: ``.csv``. stills: a folder of numbered PNG, one per step. gif: ``.gif``.
        best: a single PNG of a telling moment. clouds: a folder of numbered PLY, what a depth camera at the film's
            camera sees. episode: the recording's folder (written by whoever plays).
    """

    film: Path
    trace: Path | None = None
    stills: Path | None = None
    gif: Path | None = None
    best: Path | None = None
    clouds: Path | None = None
    episode: Path | None = None

    def paths(self) -> dict[str, Path]:
        return {name: path for name, path in vars(self).items() if path is not None}

    def prepare(self, force: bool) -> None:
        """Prove that all of it may be written; with ``force`` clear what is in the way.

        Raises:
            InputError: something exists (without ``force``), is not ours to replace, or cannot be written.
        """
        if self.film.suffix.lower() != ".mp4":
            raise InputError("--out", str(self.film), "a file that ends in .mp4")
        paths = self.paths().values()
        check_outputs(paths, force)
        for path in paths:
            if path.exists():
                remove_output(path)
        try:
            self.film.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                "--out", str(self.film), f"a path that can be written ({error.strerror})"
            ) from None


@dataclass(frozen=True)
class FilmLook:
    """What a film needs to know of its scene.

    Attributes:
        name: for the title. step_s: seconds per step. n_steps: length of an episode, for the time axis.
    """

    name: str
    model: VisualModel
    cameras: tuple[CameraPreset, ...]
    latent_space: LatentSpace
    step_s: float
    n_steps: int

    @staticmethod
    def of(scene: SessionEnv, name: str, n_steps: int | None = None) -> FilmLook:
        """
        Raises:
            InputError: the scene cannot be drawn.
        """
        try:
            model = scene.visual_model()
        except NotImplementedError:
            raise InputError("--scene", name, "a scene that can be drawn") from None
        step_s = 1.0 / scene.metadata["render_fps"]
        return FilmLook(
            name, model, scene.cameras(), scene.latent_space, step_s, n_steps or scene.episode_length
        )

    def camera(self, name: str) -> OrbitCamera:
        """A camera by name; the first for an empty one."""
        return OrbitCamera.from_preset(self.preset(name))

    def preset(self, name: str) -> CameraPreset:
        """The view of that name; the first for an empty one."""
        for preset in self.cameras:
            if name in ("", preset.name):
                return preset
        raise InputError("--camera", name, "one of " + ", ".join(preset.name for preset in self.cameras))


@dataclass(frozen=True)
class FilmReport:
    """What was made: pictures written, steps shown, their rewards' sum, wall-clock seconds."""

    n_pictures: int
    n_steps: int
    episode_return: float
    seconds: float


def film(
    frames: Iterable[Frame],
    look: FilmLook,
    settings: FilmSettings,
    outputs: FilmOutputs,
    policy: str = "",
    on_step: Callable[[Frame], None] | None = None,
) -> FilmReport:
    """Draw ``frames`` into ``outputs`` (which :meth:`FilmOutputs.prepare` has cleared).

    Args:
        frames: with poses and markers; drawn as they come, none is waited for longer than its successor.
        policy: its name, for the title.
        on_step: called after each step's pictures are written.

    Raises:
        InputError: frames without poses, or an output that cannot be written.
    """
    began = time.monotonic()
    camera = look.camera(settings.camera)
    history: list[Frame] = []
    with ExitStack() as stack:
        renderer = make_renderer(
            look.model,
            settings.width,
            settings.height,
            supersample=2 if settings.studio else 1,
            shadow=settings.studio,
            theme=settings.theme,
        )
        stack.callback(renderer.close)
        size = (settings.width, settings.height)
        writer = stack.enter_context(
            FilmWriter(outputs.film, size, settings.fps, preset="medium" if settings.studio else "veryfast")
        )
        # what takes one picture per step
        sinks: list[StillWriter | GifWriter | BestStill | CloudWriter] = []
        if outputs.stills is not None:
            sinks.append(StillWriter(outputs.stills))
        if outputs.gif is not None:
            sinks.append(stack.enter_context(GifWriter(outputs.gif, look.step_s)))
        if outputs.best is not None:
            sinks.append(stack.enter_context(BestStill(outputs.best)))
        if outputs.clouds is not None:
            view = look.preset(settings.camera)
            sinks.append(CloudWriter(outputs.clouds, look.model, view, settings.cloud_every))
        trace = None
        if outputs.trace is not None:
            trace = stack.enter_context(TraceWriter(outputs.trace, look.latent_space, look.step_s))

        for frame, pictures in _paced(frames, settings.fps * look.step_s):
            history.append(frame)
            if trace is not None:
                trace.write(frame)
            for weight, following in pictures:
                image = renderer.draw(
                    poses_between(_poses(frame), _poses(following), weight),
                    camera,
                    markers=markers_between(frame, following, weight),
                    heat=_heat(frame) if "belief" in settings.overlay else None,
                    show_truth=settings.truth,
                    show_force="force" in settings.overlay,
                )
                image = draw_overlay(
                    image,
                    history,
                    settings.overlay,
                    policy=policy,
                    scene=look.name,
                    latent_space=look.latent_space,
                    total_steps=look.n_steps,
                    step_s=look.step_s,
                    theme=settings.theme,
                )
                writer.write(image)
                if weight == 0.0:
                    for sink in sinks:
                        sink.write(frame, image)
            if on_step is not None:
                on_step(frame)
        n_pictures = writer.n_frames
    total = sum(frame.reward for frame in history)
    return FilmReport(n_pictures, max(0, len(history) - 1), total, time.monotonic() - began)


def _paced(frames: Iterable[Frame], per_step: float) -> Iterator[tuple[Frame, list[tuple[float, Frame]]]]:
    """Each frame with its pictures: (weight, next frame), picture k standing at step k / ``per_step``.

    A frame shows at least the picture at its own moment when that is due; the last frame shows it in any case.
    """
    k, previous = 0, None
    for frame in frames:
        if previous is not None:
            pictures = []
            while k / per_step < frame.t - 1e-9:
                pictures.append((max(0.0, round(k / per_step - previous.t, 9)), frame))
                k += 1
            yield previous, pictures
        previous = frame
    if previous is not None:
        yield previous, [(0.0, previous)]


def _poses(frame: Frame) -> np.ndarray:
    if frame.poses is None:
        raise InputError("frames", "without poses", "frames made for drawing")
    return frame.poses


def _heat(frame: Frame) -> PointPosterior | None:
    """The belief to paint on the skin: the posterior of the first point field."""
    belief = frame.decision.belief
    fields = belief.fields.values() if belief is not None else ()
    return next((posterior for posterior in fields if isinstance(posterior, PointPosterior)), None)
