"""A film from Frames, live or from a recorded episode: pictures at the film's rate, overlay, trace, stills, GIF.

    sides = [Side(play(scene, policy, seed, draw=True), policy.name)]
    report = film(sides, FilmLook.of(scene, "scratch_itch"), settings, outputs)

Several cameras see one and the same run, each into a file of its own or side by side in one. Two sides share every
picture, left and right, in lock-step.

The scene steps ten times a second. Pictures in between show poses on the way from one step to the next, so that the film
runs smoothly and in real time; what is written over them changes with the steps only.
"""

from __future__ import annotations

import itertools
import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynamite.acting import Frame
from dynamite.belief import PointPosterior
from robot_app.clouds import CloudWriter
from robot_app.csv_trace import TraceWriter
from robot_app.film_outputs import FilmOutputs
from robot_app.motion import markers_between, poses_between
from robot_app.render import Renderer, make_renderer
from robot_app.render.camera import OrbitCamera
from robot_app.render.gif import GifWriter
from robot_app.render.overlay import check_parts, draw_overlay
from robot_app.render.past import Past
from robot_app.render.theme import theme as check_theme
from robot_app.render.video import FilmWriter
from robot_app.split import Grid, near_square
from robot_app.stills import BestStill, StillWriter
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.latent import LatentSpace
from scenes.visual import CameraPreset, VisualModel

SMALLEST, LARGEST = 64, 7680
#: Width for height that a camera is placed for; a narrower picture sees as much from left to right, and more above.
ASPECT = 4 / 3


@dataclass(frozen=True)
class FilmSettings:
    """What a film looks like.

    Attributes:
        width, height: pixels, both even (H.264 stores colour for 2×2 pixels).
        fps: pictures per second, 1 to 120.
        cameras: names of the scene's cameras; an empty name is its first. One film file each.
        side_by_side: all cameras in one file instead, next to each other.
        overlay: what is written over the picture, of :data:`robot_app.render.overlay.PARTS`.
        theme: ``dark`` or ``light``.
        studio: supersampled, with a soft shadow: several times slower.
        truth: mark the true preference.
        cloud_every: steps from one point cloud to the next, 1 or more.
    """

    width: int = 1280
    height: int = 720
    fps: int = 30
    cameras: tuple[str, ...] = ("",)
    overlay: tuple[str, ...] = ("title", "belief", "reward", "session", "force")
    theme: str = "dark"
    studio: bool = False
    truth: bool = True
    cloud_every: int = 1
    side_by_side: bool = False

    def __post_init__(self) -> None:
        sides = (self.width, self.height)
        if any(side % 2 or not SMALLEST <= side <= LARGEST for side in sides):
            raise InputError(
                "--size", f"{self.width}x{self.height}", f"even numbers from {SMALLEST} to {LARGEST}"
            )
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

    def names(self, cameras: tuple[str, ...]) -> tuple[str, ...]:
        """Cameras as the scene calls them, each once.

        Raises:
            InputError: one does not exist, or is named twice.
        """
        names = tuple(self.preset(name).name for name in cameras)
        if not names or len(set(names)) < len(names):
            raise InputError("--camera", ",".join(cameras), "each camera once")
        return names

    def camera(self, name: str, aspect: float = ASPECT) -> OrbitCamera:
        """A camera by name, the first for an empty one, for a picture ``aspect`` times as wide as high."""
        camera = OrbitCamera.from_preset(self.preset(name))
        if aspect < ASPECT:
            half = math.tan(math.radians(camera.fov_deg) / 2) * ASPECT / aspect
            camera.fov_deg = math.degrees(2 * math.atan(half))
        return camera

    def preset(self, name: str) -> CameraPreset:
        """The view of that name; the first for an empty one."""
        for preset in self.cameras:
            if name in ("", preset.name):
                return preset
        raise InputError("--camera", name, "one of " + ", ".join(preset.name for preset in self.cameras))


@dataclass(frozen=True)
class Side:
    """One policy's run on its way.

    Attributes:
        frames: with poses and markers. policy: its name, for the title. trace: a CSV to be written, or None.
    """

    frames: Iterable[Frame]
    policy: str = ""
    trace: Path | None = None


@dataclass(frozen=True)
class FilmReport:
    """What was made: pictures written (to each file), steps shown, the rewards' sum of each side, wall-clock seconds."""

    n_pictures: int
    n_steps: int
    episode_return: float
    seconds: float
    rival_return: float | None = None


def film(
    sides: Sequence[Side],
    look: FilmLook,
    settings: FilmSettings,
    outputs: FilmOutputs,
    on_step: Callable[[int], None] | None = None,
) -> FilmReport:
    """Draw ``sides`` into ``outputs`` (which :meth:`FilmOutputs.prepare` has cleared).

    Args:
        sides: from left to right. Frames are drawn as they come, none is waited for longer than its successor; a side
            that ends earlier stands still.
        on_step: called with the step after its pictures are written.

    Raises:
        InputError: frames without poses, or an output that cannot be begun.
        OutputError: the disk is full; what was filmed until then is whole.
    """
    began = time.monotonic()
    names = look.names(settings.cameras)
    views = [names] if settings.side_by_side else [(name,) for name in names]
    # Two policies are columns, and cameras beside each other rows; one policy's cameras share the room.
    shape = near_square(len(views[0])) if len(sides) == 1 else (len(views[0]), len(sides))
    grid = Grid.of((settings.width, settings.height), *shape)
    if min(grid.cell) < 16:
        raise InputError("--size", f"{settings.width}x{settings.height}", "16 pixels or more for each view")
    pasts, last_t = [Past() for _ in sides], 0
    with ExitStack() as stack:
        renderer = make_renderer(
            look.model,
            *grid.cell,
            supersample=2 if settings.studio else 1,
            smooth=not settings.studio,
            shadow=settings.studio,
            theme=settings.theme,
        )
        stack.callback(renderer.close)
        painter = _Painter(renderer, look, settings, [side.policy for side in sides])
        reels = [
            stack.enter_context(_Reel(view, grid, look, settings, paths))
            for view, paths in zip(views, outputs.reels(names if len(views) > 1 else ("",)), strict=True)
        ]
        traces = [
            None
            if side.trace is None
            else stack.enter_context(TraceWriter(side.trace, look.latent_space, look.step_s))
            for side in sides
        ]
        for moment, pictures in _paced(
            _lockstep([side.frames for side in sides]), settings.fps * look.step_s
        ):
            for frame, past, trace in zip(moment, pasts, traces, strict=True):
                if past.frame is frame:  # it ended, and stands still
                    continue
                past.add(frame)
                if trace is not None:
                    trace.write(frame)
            for weight, following in pictures:
                for reel in reels:
                    cells = [
                        painter.paint(k, pasts[k], moment[k], following[k], weight, camera)
                        for camera in reel.cameras
                        for k in range(len(sides))
                    ]
                    reel.write(moment[0], grid.join(cells, settings.theme), at_step=weight == 0.0)
            last_t = _time(moment)
            if on_step is not None:
                on_step(last_t)
    return FilmReport(
        n_pictures=reels[0].film.n_frames,
        n_steps=last_t,
        episode_return=pasts[0].total,
        seconds=time.monotonic() - began,
        rival_return=pasts[1].total if len(pasts) > 1 else None,
    )


class _Reel:
    """One film file, and what shows the same pictures, one per step."""

    def __init__(
        self, view: tuple[str, ...], grid: Grid, look: FilmLook, settings: FilmSettings, paths: FilmOutputs
    ) -> None:
        self.cameras = [look.camera(name, grid.cell[0] / grid.cell[1]) for name in view]
        self._stack, preset = ExitStack(), "medium" if settings.studio else "veryfast"
        self.film = self._stack.enter_context(FilmWriter(paths.film, grid.size, settings.fps, preset=preset))
        self._stills = None if paths.stills is None else StillWriter(paths.stills)
        self._gif = (
            None if paths.gif is None else self._stack.enter_context(GifWriter(paths.gif, look.step_s))
        )
        self._best = None if paths.best is None else self._stack.enter_context(BestStill(paths.best))
        self._clouds = None
        if paths.clouds is not None:
            self._clouds = CloudWriter(paths.clouds, look.model, look.preset(view[0]), settings.cloud_every)

    def write(self, frame: Frame, image: np.ndarray, at_step: bool) -> None:
        self.film.write(image)
        if not at_step:
            return
        for sink in (self._stills, self._best, self._clouds):
            if sink is not None:
                sink.write(frame, image)
        if self._gif is not None:
            self._gif.write(image)

    def __enter__(self) -> _Reel:
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)


class _Painter:
    """One view of one side at one moment."""

    def __init__(
        self, renderer: Renderer, look: FilmLook, settings: FilmSettings, policies: list[str]
    ) -> None:
        self._renderer, self._look, self._settings, self._policies = renderer, look, settings, policies

    def paint(
        self, side: int, past: Past, frame: Frame, following: Frame, weight: float, camera: OrbitCamera
    ) -> np.ndarray:
        look, settings = self._look, self._settings
        image = self._renderer.draw(
            poses_between(_poses(frame), _poses(following), weight),
            camera,
            markers=markers_between(frame, following, weight),
            heat=_heat(frame) if "belief" in settings.overlay else None,
            show_truth=settings.truth,
            show_force="force" in settings.overlay,
        )
        return draw_overlay(
            image,
            past,
            settings.overlay,
            policy=self._policies[side],
            scene=look.name,
            latent_space=look.latent_space,
            total_steps=look.n_steps,
            step_s=look.step_s,
            theme=settings.theme,
        )


Moment = tuple[Frame, ...]


def _time(moment: Moment) -> int:
    return max(frame.t for frame in moment)


def _lockstep(runs: Sequence[Iterable[Frame]]) -> Iterator[Moment]:
    """The runs' frames together; one that has ended keeps its last, until all have."""
    held: list[Frame] = []
    for frames in itertools.zip_longest(*runs):
        held = [
            now if now is not None else before for now, before in zip(frames, held or frames, strict=True)
        ]
        yield tuple(held)


def _paced(moments: Iterable[Moment], per_step: float) -> Iterator[tuple[Moment, list[tuple[float, Moment]]]]:
    """Each moment with its pictures: (weight, next moment), picture k standing at step k / ``per_step``.

    A moment shows at least the picture of its own time when that is due; the last shows it in any case.
    """
    k, previous = 0, None
    for moment in moments:
        if previous is not None:
            pictures = []
            while k / per_step < _time(moment) - 1e-9:
                pictures.append((max(0.0, round(k / per_step - _time(previous), 9)), moment))
                k += 1
            yield previous, pictures
        previous = moment
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
