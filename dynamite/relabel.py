"""Reward relabelling (BOReL, arXiv 2008.02598, section 4): stored transitions, paid as other latents would have paid them.

Episodes recorded by policies that know their task mislead: whoever walks straight to the goal that pays makes walking there
look good for everybody, and makes *where somebody went* evidence of what pays, which a learner's own steps will not be. Paid
by latents that its actions were not chosen under, an episode carries neither mistake. In a DLCMDP a task is a whole sequence
of latents: it starts from the scene's law and moves by its kernel where the stored sessions ended, because the states may
show that they did.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import torch

from dynamite.belief_model import Episodes
from dynamite.buffer import Batch, EpisodeSource
from scenes.base import SessionEnv


class Relabeller:
    """Args:
    scene: its session process draws latents, and its ``relabel`` pays.
    """

    def __init__(self, scene: SessionEnv) -> None:
        self.scene = scene

    def __call__(self, episodes: Episodes, rng: np.random.Generator) -> Episodes:
        """The same transitions under latents drawn anew; states raw.

        Raises:
            InputError: the scene cannot say what it would have paid.
        """
        latents = self.draw_latents(episodes.ended.numpy(), rng)
        return dataclasses.replace(
            episodes, latents=torch.from_numpy(latents), rewards=torch.from_numpy(self.pay(episodes, latents))
        )

    def draw_latents(self, ended: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Latents of sessions that end where ``ended`` (T, N) says: (T + 1, N, D) float32."""
        space, kernel = self.scene.latent_space, self.scene.sessions.kernel
        steps, n = ended.shape
        drawn = np.empty((steps + 1, n, space.size), np.float32)
        for i in range(n):
            latent = space.sample(rng)
            bounds = [0, *(np.flatnonzero(ended[:, i]) + 1), steps + 1]
            for first, after in itertools.pairwise(bounds):
                drawn[first:after, i] = space.to_vector(latent)
                latent = kernel.draw(latent, space, rng)
        return drawn

    def pay(self, episodes: Episodes, latents: np.ndarray) -> np.ndarray:
        """Rewards (T, N) float32 of the transitions under ``latents`` (T + 1, N, D)."""
        states = episodes.states.numpy()
        flat = [
            x.reshape(-1, x.shape[-1])
            for x in (states[:-1], episodes.actions.numpy(), states[1:], latents[:-1])
        ]
        return np.asarray(self.scene.relabel(*flat), np.float32).reshape(episodes.rewards.shape)


class RelabelledSource:
    """Stored episodes, relabelled afresh whenever they are drawn.

    Args:
        source: where they come from.
        relabeller: pays them.
    """

    def __init__(self, source: EpisodeSource, relabeller: Relabeller) -> None:
        self.source, self.relabeller = source, relabeller

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        batch = self.source.sample(n, generator)
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
        return batch._replace(episodes=self.relabeller(batch.episodes, rng))
