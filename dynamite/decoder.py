"""Decoders p(r_{u+1} | s_u, a_u, s_{u+1}, z_t) and p(s_{u+1} | s_u, a_u, z_t) over many pairs (t, u); and p(m_t | z_t).

A decoder's first layer is linear in (x_u, z_t), so both halves are computed once per step and added per pair; only the
layers above cost per pair.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynamite.config import DecoderConfig
from dynamite.networks import mlp

#: Degrees of freedom of the Student's t likelihood.
FREEDOM = 3.0


def gather_steps(x: Tensor, index: Tensor) -> Tensor:
    """``x[index[k, t, n], n]``: (T, N, F), (K, T', N) → (K, T', N, F)."""
    _, n, width = x.shape
    flat = (index * n + torch.arange(n, device=x.device)).reshape(-1)
    # index_select: its gradient adds whole rows, far faster than that of advanced indexing.
    return x.reshape(-1, width).index_select(0, flat).reshape(*index.shape, width)


class PairDecoder(nn.Module):
    """A network f(x_u, z_t).

    Args:
        n_transition: X, entries of x_u.
        n_latent: Z.
        hidden: widths of hidden layers, at least one.
        n_out: entries of the output.
    """

    def __init__(self, n_transition: int, n_latent: int, hidden: tuple[int, ...], n_out: int) -> None:
        super().__init__()
        first, *rest = hidden or (32,)
        self.from_transition = nn.Linear(n_transition, first)
        self.from_latent = nn.Linear(n_latent, first, bias=False)
        self.above = mlp(first, rest, n_out)

    def forward(self, x: Tensor, z: Tensor, index: Tensor | None) -> Tensor:
        """(T, N, X), (T', N, Z) → (K, T', N, out); all K = T pairs where ``index`` (K, T', N) is None."""
        steps, latents = self.from_transition(x), self.from_latent(z)
        paired = steps.unsqueeze(1) if index is None else gather_steps(steps, index)
        return self.above(F.relu(paired + latents))


class PerStateDecoder(nn.Module):
    """One output per entry of a one-hot state: f(z_t)[s_{u+1}] (VariBAD's multi-head decoder for gridworlds)."""

    def __init__(self, n_observation: int, n_latent: int, hidden: tuple[int, ...]) -> None:
        super().__init__()
        self.net = mlp(n_latent, hidden, n_observation)

    def forward(self, next_states: Tensor, z: Tensor, index: Tensor | None) -> Tensor:
        """(T, N, S) one-hot, (T', N, Z) → (K, T', N, 1)."""
        cells = next_states.argmax(-1)  # (T, N)
        outputs = self.net(z)  # (T', N, S)
        if index is None:
            wanted = cells.unsqueeze(1).expand(-1, len(z), -1)  # (T, T', N)
        else:
            wanted = gather_steps(cells.unsqueeze(-1), index).squeeze(-1)  # (K, T', N)
        return outputs.gather(-1, wanted.permute(1, 2, 0)).permute(2, 0, 1).unsqueeze(-1)


class RewardDecoder(nn.Module):
    """log p(r_{u+1} | s_u, a_u, s_{u+1}, z_t)."""

    def __init__(self, n_observation: int, n_actions: int, n_latent: int, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        self.net: PairDecoder | PerStateDecoder
        if config.reward_per_state:
            self.net = PerStateDecoder(n_observation, n_latent, config.reward_hidden)
        else:
            self.net = PairDecoder(2 * n_observation + n_actions, n_latent, config.reward_hidden, 1)

    def forward(
        self, states: Tensor, actions: Tensor, rewards: Tensor, z: Tensor, index: Tensor | None
    ) -> Tensor:
        """Log-likelihood of every pair.

        Args:
            states: (T + 1, N, S). actions: (T, N, A). rewards: (T, N). z: (T', N, Z).
            index: (K, T', N) steps u for each posterior, or None for all K = T.

        Returns:
            (K, T', N).
        """
        output = self.predict(states, actions, z, index)
        target = (
            rewards.unsqueeze(1) if index is None else gather_steps(rewards.unsqueeze(-1), index).squeeze(-1)
        )
        return reward_log_prob(output, target, self.config)

    def predict(self, states: Tensor, actions: Tensor, z: Tensor, index: Tensor | None) -> Tensor:
        """The likelihood's parameter, the mean reward or the Bernoulli's logit: as :meth:`forward`, (K, T', N)."""
        if self.config.reward_per_state:
            x = states[1:]
        else:
            x = torch.cat((states[:-1], actions, states[1:]), -1)
        return self.net(x, z, index).squeeze(-1)


def reward_log_prob(output: Tensor, target: Tensor, config: DecoderConfig) -> Tensor:
    """log p(target) under the configured likelihood; constants are kept for the Bernoulli only (they do not matter)."""
    if config.reward_likelihood == "bernoulli":
        paid = (target > config.reward_threshold).to(output.dtype).expand_as(output)
        return -F.binary_cross_entropy_with_logits(output, paid, reduction="none")
    squared = ((target - output) / config.reward_std) ** 2
    if config.reward_likelihood == "student_t":
        return -0.5 * (FREEDOM + 1) * torch.log1p(squared / FREEDOM)
    return -0.5 * squared


class StateDecoder(nn.Module):
    """log p(s_{u+1} | s_u, a_u, z_t), a unit Gaussian around s_u + f(s_u, a_u, z_t)."""

    def __init__(self, n_observation: int, n_actions: int, n_latent: int, config: DecoderConfig) -> None:
        super().__init__()
        self.net = PairDecoder(n_observation + n_actions, n_latent, config.state_hidden, n_observation)

    def forward(self, states: Tensor, actions: Tensor, z: Tensor, index: Tensor | None) -> Tensor:
        """(T + 1, N, S), (T, N, A), (T', N, Z) → (K, T', N)."""
        predicted = self.predict(states, actions, z, index)
        change = states[1:] - states[:-1]
        target = change.unsqueeze(1) if index is None else gather_steps(change, index)
        return -0.5 * ((target - predicted) ** 2).sum(-1) - 0.5 * states.shape[-1] * math.log(2 * math.pi)

    def predict(self, states: Tensor, actions: Tensor, z: Tensor, index: Tensor | None) -> Tensor:
        """The mean change s_{u+1} − s_u: as :meth:`forward`, (K, T', N, S)."""
        return self.net(torch.cat((states[:-1], actions), -1), z, index)


class TaskDecoder(nn.Module):
    """log p(m_t | z_t), a unit Gaussian around f(z_t): VariBAD's task decoder (arXiv 1910.08348, appendix).

    Args:
        n_latent: Z.
        n_task: D, entries of ``LatentSpace.to_vector``.
    """

    def __init__(self, n_latent: int, n_task: int, config: DecoderConfig) -> None:
        super().__init__()
        self.net = mlp(n_latent, config.task_hidden, n_task)

    def forward(self, latents: Tensor, z: Tensor) -> Tensor:
        """(…, D), (…, Z) → (…)."""
        return -0.5 * ((latents - self.net(z)) ** 2).sum(-1)
