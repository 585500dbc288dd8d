"""TrainedPolicy: runs a checkpoint step by step."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from dynamite.acting import Decision
from dynamite.checkpoint_files import Stored, latest_checkpoint, read_stored
from dynamite.spec import SceneSpec
from policies import numpy_stepping
from policies.stepper import Stepper
from scenes.base import Privileged, SessionEnv
from scenes.errors import InputError


def find_checkpoint(folder: Path) -> Path:
    """``folder`` itself if it is a checkpoint, else the newest one of the run it holds."""
    if (folder / "manifest.json").is_file():
        return folder
    newest = latest_checkpoint(folder)
    if newest is None:
        raise InputError(
            "policy", str(folder), "a folder with manifest.json, or a run's folder with checkpoints"
        )
    return newest


def make_stepper(stored: Stored) -> Stepper:
    """The fastest stepper that knows the agent's parts.

    Raises:
        InputError: the weights do not fit the configuration.
    """
    if numpy_stepping.fits(stored.config):
        with contextlib.suppress(KeyError, ValueError):  # weights that do not fit: said below
            return numpy_stepping.NumpyStepper(stored)
    # Here, because PyTorch takes a second to import, for which nobody should wait who can do without.
    from dynamite.checkpoint import load_checkpoint
    from policies.stepping import TorchStepper

    return TorchStepper(load_checkpoint(stored.path).agent)


class TrainedPolicy:
    """Args:
    folder: a checkpoint.
    scene: the scene it will act in; its sizes must be those it was trained with.
    name: for reports; the folder's path by default.
    deterministic: take the mean or most likely action; else draw from π; None: as its configuration says.

    Attributes:
        stepper: the agent between two steps.
    """

    def __init__(
        self,
        folder: Path | str,
        scene: SessionEnv,
        name: str | None = None,
        deterministic: bool | None = None,
    ) -> None:
        checkpoint = read_stored(folder)
        spec = SceneSpec.of(scene)
        if not checkpoint.spec.same_sizes(spec):
            theirs = (
                f"trained in {checkpoint.config.scene.name} with {checkpoint.spec.n_observation} observations"
            )
            raise InputError(
                str(folder), theirs, f"a checkpoint for {spec.n_observation} observations, this scene's"
            )
        self.name = name or str(folder)
        self.config = checkpoint.config
        self.deterministic = self.config.policy.deterministic if deterministic is None else deterministic
        self.needs_privileged = checkpoint.config.policy.sees_privileged
        self.stepper = make_stepper(checkpoint)

    def reset(self, seed: int) -> None:
        self.stepper.reset(seed)

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if self.needs_privileged and privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        features = privileged.features if self.needs_privileged and privileged is not None else None
        return self.stepper.step(observation, reward, features, draw=not self.deterministic)
