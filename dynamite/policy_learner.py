"""What a training asks of whoever teaches the policy, and the one place that chooses between the learners there are."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from dynamite.agent import Agent
from dynamite.buffer import EpisodeBuffer
from dynamite.ppo import PPO
from dynamite.rollout import Rollout
from dynamite.sac import SAC


class PolicyLearner(Protocol):
    """Trains ``agent.actor_critic``, once per iteration."""

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        """By the names they have in a checkpoint."""

    def update(self, rollout: Rollout, progress: float, generator: torch.Generator) -> dict[str, float]:
        """Learn from the newest rollout, which the episode buffer holds already; metrics by their TensorBoard names.

        Args:
            progress: share of the training done, 0 … 1, for what anneals.
            generator: the source of all its randomness.
        """

    def state_dict(self) -> dict[str, Tensor]:
        """What it carries from one iteration to the next beside the agent's weights and its optimisers' state."""

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Inverse of :meth:`state_dict`."""


def make_policy_learner(agent: Agent, buffer: EpisodeBuffer) -> PolicyLearner:
    """The learner that ``policy.learner`` names.

    Args:
        buffer: the training's episodes; only off-policy learners draw from it.
    """
    return SAC(agent, buffer) if agent.config.policy.learner == "sac" else PPO(agent)
