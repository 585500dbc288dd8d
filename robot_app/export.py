"""Recorded episodes for other programs: a CSV trace, and a Minari dataset for offline learning.

Minari's form (https://minari.farama.org): per episode T + 1 observations and T actions, rewards and ends; what else is
known of a moment is in ``infos`` (T + 1): ``session``, ``session_started``, and ``latent``, the hidden preference as the
latent space's vector, which an agent must not be shown.
"""

from __future__ import annotations

import copy
import importlib.util
import os
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from robot_app.csv_trace import TraceWriter
from robot_app.episode import Episode
from robot_app.files import OutputError, check_outputs
from scenes.errors import InputError
from scenes.latent import LatentSpace

#: Where Minari looks for datasets.
MINARI_FOLDER = "MINARI_DATASETS_PATH"


def export_csv(episode: Episode, path: Path, force: bool = False) -> Path:
    """One row per step, as ``robot-app record`` leaves it beside a film.

    Raises:
        InputError: something is in the way. OutputError: the disk is full.
    """
    check_outputs([path], force)
    try:
        with TraceWriter(path, episode.latent_space, episode.step_s) as trace:
            for frame in episode.frames:
                trace.write(frame)
    except OSError as error:
        raise OutputError(path, error.strerror) from None
    return path


def dataset_id(episode: Episode) -> str:
    """``scratch_itch/pretrained-dynamite-v0``: a name for a dataset of such episodes."""
    policy = re.sub(r"[^A-Za-z0-9]+", "-", episode.manifest["policy"]["name"]).strip("-") or "policy"
    return f"{episode.recipe.name}/{policy}-v0"


def export_minari(
    episodes: Sequence[Episode], dataset: str, folder: Path | None = None, force: bool = False
) -> Path:
    """A dataset that ``minari.load_dataset(dataset)`` reads.

    Args:
        episodes: of one and the same scene, whole or cut off (then the last step counts as truncated).
        folder: of datasets; by default Minari's own (``MINARI_DATASETS_PATH``, or ``~/.minari/datasets``).
        force: replace a dataset of that name.

    Returns:
        The dataset's folder.

    Raises:
        InputError: Minari is missing, a name that it does not take or that exists, scenes that differ, an episode
            without a step.
        OutputError: the disk is full.
    """
    if re.fullmatch(r"(?:[\w-]+/)*[\w-]+-v\d+", dataset) is None:
        raise InputError("--dataset", dataset, "a name that ends in -v and a number, such as itch/oracle-v0")
    if importlib.util.find_spec("minari") is None or importlib.util.find_spec("h5py") is None:
        raise InputError(
            "--minari", "Minari is not installed", "it after: pip install 'dynamite-care[offline]'"
        )
    first = episodes[0]
    for episode in episodes:
        if episode.recipe.name != first.recipe.name or episode.recipe.options != first.recipe.options:
            raise InputError(str(episode.folder), episode.recipe.describe(), first.recipe.describe())
        if not episode.n_steps:
            raise InputError(str(episode.folder), "no step", "an episode with one at least")
    import gymnasium as gym
    import minari
    from minari.data_collector.episode_buffer import EpisodeBuffer

    scene = first.build_scene()
    try:
        spec = copy.deepcopy(gym.spec(first.manifest["gym_id"]))
        spec.kwargs = dict(first.recipe.options)
        space, actions, observations = scene.latent_space, scene.action_space, scene.observation_space
    finally:
        scene.close()
    with _minari_folder(folder) as root, warnings.catch_warnings():
        if (root / dataset).exists():
            if not force:
                raise InputError(
                    "--dataset", str(root / dataset), "a dataset that does not exist, or --force"
                )
            minari.delete_dataset(dataset)
        buffers = [EpisodeBuffer(id=i, **_arrays(episode, space)) for i, episode in enumerate(episodes)]
        policies = sorted({episode.manifest["policy"]["name"] for episode in episodes})
        try:
            # It warns of every line of its card that is empty: an author and a link are for who publishes it.
            warnings.filterwarnings("ignore", category=UserWarning, module="minari")
            minari.create_dataset_from_buffers(
                dataset,
                buffers,
                env=spec,
                action_space=actions,
                observation_space=observations,
                algorithm_name=", ".join(policies),
                description=f"Episodes of {first.recipe.describe()}, acted by {', '.join(policies)}.",
                data_format="hdf5",
            )
        except OSError as error:
            raise OutputError(root / dataset, error.strerror) from None
        return root / dataset


def _arrays(episode: Episode, space: LatentSpace) -> dict[str, Any]:
    frames, n = episode.frames, episode.n_steps
    ends = np.arange(n) == n - 1  # scenes end by their length alone, and a cut one was cut: never terminated
    return {
        "seed": episode.seed,
        "observations": np.stack([frame.observation for frame in frames]),
        "actions": np.stack([frame.decision.action for frame in frames[:-1]]),
        "rewards": [frame.reward for frame in frames[1:]],
        "terminations": [False] * n,
        "truncations": ends.tolist(),
        "infos": {
            "session": np.array([frame.session for frame in frames]),
            "session_started": np.array([frame.changed for frame in frames]),
            "latent": np.stack([space.to_vector(frame.latent) for frame in frames]),
        },
    }


@contextmanager
def _minari_folder(folder: Path | None) -> Iterator[Path]:
    """Minari reads its place from the environment; this sets it for a while."""
    from minari.storage import get_dataset_path

    before = os.environ.get(MINARI_FOLDER)
    if folder is not None:
        os.environ[MINARI_FOLDER] = str(folder.absolute())
    try:
        yield Path(get_dataset_path(""))
    finally:
        if folder is not None:
            if before is None:
                del os.environ[MINARI_FOLDER]
            else:
                os.environ[MINARI_FOLDER] = before
