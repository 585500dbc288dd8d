"""One run, recorded: scene + policy + seed → episode folder, film, trace; what ``record`` and ``demo`` share."""

from __future__ import annotations

import functools
import hashlib
import inspect
import itertools
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dynamite.acting import Frame, Policy, play
from robot_app.commands.base import say
from robot_app.episode import Episode, EpisodeWriter, recorded
from robot_app.film import FilmLook, FilmOutputs, FilmReport, FilmSettings, film
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
    steps: int | None = None,
    force: bool = False,
    show_progress: bool = True,
    changes_from: str = "--changes",
) -> dict[str, Any]:
    """Play one episode and write all of ``outputs``. Everything that can be wrong is found before the first is written.

    Args:
        steps: stop early; the whole episode by default.
        force: replace what exists.
        show_progress: a bar on stderr.
        changes_from: where the schedule came from, for errors.

    Returns:
        A summary, JSON-plain.

    Raises:
        InputError: a scene, policy, schedule, camera, size or output that does not exist or is not allowed.
    """
    import policies

    scene = recipe.build(changes_from)
    try:
        n_steps = _check_steps(scene, steps, changes_from)
        policy = policies.load(policy_name, scene)
        look = FilmLook.of(scene, recipe.name, n_steps)
        look.camera(settings.camera)
        outputs.prepare(force)
        frames: Iterator[Frame] = itertools.islice(play(scene, policy, seed, draw=True), n_steps + 1)
        with ExitStack() as stack:
            if outputs.episode is not None:
                digest = policy_sha256(policy, policy_name, recipe.name)
                open_writer = functools.partial(
                    EpisodeWriter,
                    outputs.episode,
                    recipe,
                    scene,
                    seed=seed,
                    policy=policy.name,
                    policy_sha256=digest,
                )
                frames = stack.enter_context(closing(_recorded(frames, scene, open_writer)))
            report = _film(frames, look, settings, outputs, policy.name, n_steps, show_progress)
    finally:
        scene.close()
    return summary(recipe, policy.name, seed, report, outputs)


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
    """Film a recorded episode: another camera, size or quality, the same run. Arguments as for :func:`record`."""
    episode = Episode.load(folder)
    policy = episode.manifest["policy"]["name"]
    scene = episode.build_scene()
    try:
        n_steps = min(steps or episode.n_steps, episode.n_steps)
        look = FilmLook.of(scene, episode.recipe.name, max(1, n_steps))
        look.camera(settings.camera)
        outputs.prepare(force)
        drawn = all(frame.poses is not None and frame.markers is not None for frame in episode.frames)
        frames = itertools.islice(episode.frames if drawn else episode.redrawn(scene), n_steps + 1)
        report = _film(frames, look, settings, outputs, policy, n_steps, show_progress)
    finally:
        scene.close()
    return summary(episode.recipe, policy, episode.seed, report, outputs)


def _film(
    frames: Iterable[Frame],
    look: FilmLook,
    settings: FilmSettings,
    outputs: FilmOutputs,
    policy: str,
    n_steps: int,
    show_progress: bool,
) -> FilmReport:
    with progress_bar("filming", n_steps + 1, show_progress) as advance:
        try:
            return film(frames, look, settings, outputs, policy=policy, on_step=lambda _: advance())
        except KeyboardInterrupt:
            say(f"stopped: what was filmed so far is whole, in {outputs.film}")
            raise


def summary(
    recipe: SceneRecipe, policy: str, seed: int, report: FilmReport, outputs: FilmOutputs
) -> dict[str, Any]:
    """What was made and where, JSON-plain."""
    return {
        "scene": recipe.describe(),
        "policy": policy,
        "seed": seed,
        **asdict(report),
        "outputs": {name: str(path) for name, path in outputs.paths().items()},
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
    from dynamite.checkpoint import latest_checkpoint  # imports PyTorch: only where it may be needed

    return latest_checkpoint(policy_name)


def policy_sha256(policy: Policy, policy_name: str, scene_name: str) -> str | None:
    """A digest of what decides: a checkpoint's manifest (which holds its files' digests), or a script's source."""
    folder = checkpoint_folder(policy_name, scene_name)
    source = folder / "manifest.json" if folder is not None else inspect.getsourcefile(type(policy))
    return None if source is None else hashlib.sha256(Path(source).read_bytes()).hexdigest()


@contextmanager
def progress_bar(what: str, total: int, show: bool) -> Iterator[Any]:
    """A bar on stderr with rate and time left; yields a function to call after each of ``total`` steps."""
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(file=sys.stderr)
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not show or not console.is_terminal) as progress:
        task = progress.add_task(what, total=total)
        yield lambda: progress.advance(task)
