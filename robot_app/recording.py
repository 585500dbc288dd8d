"""One run, recorded: scene + policy + seed → episode folder, film, trace; what ``record`` and ``demo`` share."""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dynamite.acting import Frame, Policy, play
from robot_app.commands.base import say
from robot_app.episode import Episode, EpisodeWriter, recorded
from robot_app.files import OutputError
from robot_app.film import FilmLook, FilmReport, FilmSettings, Side, film
from robot_app.film_outputs import FilmOutputs
from robot_app.recipe import SceneRecipe
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.session import Schedule


def record(
    recipe: SceneRecipe,
    policy_name: str,
    seed: int,
    settings: FilmSettings,
    outputs: FilmOutputs,
    *,
    versus: str | None = None,
    steps: int | None = None,
    force: bool = False,
    show_progress: bool = True,
    changes_from: str = "--changes",
) -> dict[str, Any]:
    """Play one episode and write all of ``outputs``. Everything that can be wrong is found before the first is written.

    Args:
        versus: a second policy, in the same scene under the same seed and changes, on the right of every picture.
        steps: stop early; the whole episode by default.
        force: replace what exists.
        show_progress: a bar on stderr.
        changes_from: where the schedule came from, for errors.

    Returns:
        A summary, JSON-plain.

    Raises:
        InputError: a scene, policy, schedule, camera, size or output that does not exist or is not allowed.
        OutputError: the disk is full.
    """
    import policies

    acting = [policy_name] if versus is None else [policy_name, versus]
    traces = (outputs.trace, outputs.rival_trace)
    folders = (outputs.episode, outputs.rival_episode)
    with ExitStack() as scenes, told_in_one_line(outputs.film):
        built: list[tuple[SessionEnv, Policy]] = []
        for name in acting:
            scene = recipe.build(changes_from)
            scenes.callback(scene.close)
            built.append((scene, policies.load(name, scene)))
        scene = built[0][0]
        n_steps = _check_steps(scene, steps, changes_from)
        look = FilmLook.of(scene, recipe.name, n_steps)
        cameras = files_of(look, settings)
        outputs.prepare(force, cameras)
        with ExitStack() as stack:
            sides = []
            for (scene, policy), name, trace, folder in zip(built, acting, traces, folders, strict=False):
                frames: Iterator[Frame] = itertools.islice(play(scene, policy, seed, draw=True), n_steps + 1)
                if folder is not None:
                    digest = policy_sha256(policy, name, recipe.name)
                    open_writer = functools.partial(
                        EpisodeWriter,
                        folder,
                        recipe,
                        scene,
                        seed=seed,
                        policy=policy.name,
                        policy_sha256=digest,
                    )
                    frames = stack.enter_context(closing(_recorded(frames, scene, open_writer)))
                sides.append(Side(frames, policy.name, trace))
            report = _film(sides, look, settings, outputs, n_steps, show_progress)
    who = " | ".join(side.policy for side in sides)
    return summary(recipe, who, seed, report, outputs.paths(cameras))


def files_of(look: FilmLook, settings: FilmSettings) -> tuple[str, ...]:
    """Names that tell a film's files apart: its cameras, or an empty one for a single file."""
    names = look.names(settings.cameras)
    return ("",) if settings.side_by_side or len(names) == 1 else names


def _recorded(
    frames: Iterator[Frame], scene: SessionEnv, open_writer: Callable[[], EpisodeWriter]
) -> Generator[Frame, None, None]:
    """``frames``, each written first; the folder appears with the first, when whoever draws them is ready."""
    with open_writer() as writer:
        yield from recorded(frames, scene, writer)


def film_again(
    folder: Path,
    settings: FilmSettings,
    outputs: FilmOutputs,
    *,
    steps: int | None = None,
    force: bool = False,
    show_progress: bool = True,
) -> dict[str, Any]:
    """Film a recorded episode: other cameras, size or quality, the same run. Arguments as for :func:`record`."""
    episode = Episode.load(folder)
    policy = episode.manifest["policy"]["name"]
    scene = episode.build_scene()
    with told_in_one_line(outputs.film), closing(scene):
        n_steps = min(steps or episode.n_steps, episode.n_steps)
        look = FilmLook.of(scene, episode.recipe.name, max(1, n_steps))
        cameras = files_of(look, settings)
        outputs.prepare(force, cameras)
        drawn = all(frame.poses is not None and frame.markers is not None for frame in episode.frames)
        frames = itertools.islice(episode.frames if drawn else episode.redrawn(scene), n_steps + 1)
        side = Side(frames, policy, outputs.trace)
        report = _film([side], look, settings, outputs, n_steps, show_progress)
    return summary(episode.recipe, policy, episode.seed, report, outputs.paths(cameras))


@contextmanager
def told_in_one_line(film_path: Path) -> Iterator[None]:
    """What the disk says while a film is made, as an :class:`OutputError`."""
    try:
        yield
    except OSError as error:
        raise OutputError(error.filename or film_path, error.strerror) from error


def _film(
    sides: Sequence[Side],
    look: FilmLook,
    settings: FilmSettings,
    outputs: FilmOutputs,
    n_steps: int,
    show_progress: bool,
) -> FilmReport:
    with progress_bar("filming", n_steps + 1, show_progress, "steps") as advance:
        try:
            return film(sides, look, settings, outputs, on_step=lambda _: advance())
        except KeyboardInterrupt:
            say(f"stopped: what was filmed so far is whole, in {outputs.film}")
            raise


def summary(
    recipe: SceneRecipe, policy: str, seed: int, report: FilmReport, outputs: Mapping[str, Path]
) -> dict[str, Any]:
    """What was made and where, JSON-plain."""
    return {
        "scene": recipe.describe(),
        "policy": policy,
        "seed": seed,
        **asdict(report),
        "outputs": {name: str(path) for name, path in outputs.items()},
    }


def _check_steps(scene: SessionEnv, steps: int | None, changes_from: str) -> int:
    longest = scene.episode_length
    if steps is not None and not 1 <= steps <= longest:
        raise InputError("--steps", steps, f"1 to {longest}, the scene's episode")
    n_steps = steps or longest
    termination = scene.sessions.termination
    if isinstance(termination, Schedule):
        late = [at for at, _ in termination.changes if at >= n_steps]
        if late:
            raise InputError(changes_from, late[0], f"steps below {n_steps}, where the episode ends")
    return n_steps


def training_options(policy_name: str, scene_name: str) -> dict[str, Any]:
    """Options of the scene that a trained policy was trained in; empty for any other policy, or another scene's."""
    from dynamite.config_io import load_yaml

    folder = checkpoint_folder(policy_name, scene_name)
    if folder is None or not (folder / "config.yaml").is_file():
        return {}
    trained_in = load_yaml(folder / "config.yaml").scene
    return dict(trained_in.options) if trained_in.name == scene_name else {}


def trained_recipe(recipe: SceneRecipe, policy: str) -> SceneRecipe:
    """``recipe`` with the options that a trained policy knows the scene by, where the recipe does not say otherwise."""
    return replace(recipe, options={**training_options(policy, recipe.name), **recipe.options})


def checkpoint_folder(policy_name: str, scene_name: str) -> Path | None:
    """Where a trained policy's checkpoint lies, or None for a policy without one."""
    if policy_name in ("random", "uniform") or policy_name.startswith("scripted/"):
        return None
    from policies import PRETRAINED

    packaged = PRETRAINED / scene_name / policy_name.removeprefix("pretrained/")
    for folder in (packaged, Path(policy_name)):
        if (folder / "manifest.json").is_file():
            return folder
    from dynamite.checkpoint_files import latest_checkpoint

    return latest_checkpoint(policy_name)


def policy_sha256(policy: Policy, policy_name: str, scene_name: str) -> str | None:
    """A digest of what decides: a checkpoint's manifest (which holds its files' digests), or a script's source."""
    folder = checkpoint_folder(policy_name, scene_name)
    source = folder / "manifest.json" if folder is not None else inspect.getsourcefile(type(policy))
    return None if source is None else hashlib.sha256(Path(source).read_bytes()).hexdigest()


@contextmanager
def progress_bar(what: str, total: int, show: bool, unit: str) -> Iterator[Any]:
    """A bar on stderr with rate and time left; yields a function to call after each of ``total`` ``unit``."""
    import sys

    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{unit} " + ("" if speed is None else f"{speed:.3g}/s "))

    console = Console(file=sys.stderr)
    columns = (
        TextColumn(what),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not show or not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)
