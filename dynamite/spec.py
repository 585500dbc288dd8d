"""SceneSpec: the sizes a scene fixes for everything that learns in it. JSON-plain, so that a checkpoint carries it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.latent import ChoiceField, LatentSpace, PointField, ScalarField

_FIELD_KINDS: dict[str, type] = {"choice": ChoiceField, "scalar": ScalarField, "point": PointField}


@dataclass(frozen=True)
class SceneSpec:
    """Sizes of a scene.

    Attributes:
        n_observation: S.
        n_actions: A; entries of a continuous action, or the number of discrete ones (then a model sees a one-hot).
        discrete: whether actions are numbered.
        episode_length: T, the same for every episode.
        n_privileged: P, entries of ``Privileged.features``.
        latent_space: what is hidden; its vector has D entries.
    """

    n_observation: int
    n_actions: int
    discrete: bool
    episode_length: int
    n_privileged: int
    latent_space: LatentSpace

    @staticmethod
    def of(scene: SessionEnv) -> SceneSpec:
        """The spec of a live scene."""
        space, actions = scene.observation_space, scene.action_space
        if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
            raise InputError("scene.observation_space", str(space), "a one-dimensional Box")
        discrete = isinstance(actions, gym.spaces.Discrete)
        if not discrete and not (
            isinstance(actions, gym.spaces.Box)
            and len(actions.shape) == 1
            and np.all(actions.low == -1)
            and np.all(actions.high == 1)
        ):
            raise InputError(
                "scene.action_space", str(actions), "Discrete, or a one-dimensional Box in [-1, 1]"
            )
        n_actions = int(actions.n) if isinstance(actions, gym.spaces.Discrete) else int(actions.shape[0])  # type: ignore[index]
        return SceneSpec(
            n_observation=int(space.shape[0]),
            n_actions=n_actions,
            discrete=discrete,
            episode_length=int(scene.episode_length),
            n_privileged=int(scene.n_privileged),
            latent_space=scene.latent_space,
        )

    def to_json(self) -> dict[str, Any]:
        kinds = {cls: kind for kind, cls in _FIELD_KINDS.items()}
        fields = [{"kind": kinds[type(f)], **_listed(asdict(f))} for f in self.latent_space.fields]
        plain = {k: v for k, v in vars(self).items() if k != "latent_space"}
        return {**plain, "latent_fields": fields}

    @staticmethod
    def from_json(values: dict[str, Any], where: str) -> SceneSpec:
        try:
            rest = dict(values)
            fields = []
            for entry in rest.pop("latent_fields"):
                entry = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
                fields.append(_FIELD_KINDS[entry.pop("kind")](**entry))
            return SceneSpec(latent_space=LatentSpace(tuple(fields)), **rest)
        except (KeyError, TypeError, AttributeError):
            raise InputError(where, "an unreadable scene spec", "one written by this program") from None

    def same_sizes(self, other: SceneSpec) -> bool:
        """Whether something that learned in one can act in the other."""
        return (self.n_observation, self.n_actions, self.discrete, self.n_privileged) == (
            other.n_observation,
            other.n_actions,
            other.discrete,
            other.n_privileged,
        )


def _listed(values: dict[str, Any]) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
