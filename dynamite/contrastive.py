"""Contrastive prediction of the future (ContraBAR, arXiv 2306.02418; contrastive predictive coding, arXiv 1807.03748).

From h_t and the actions a_t … a_{t+k−1}, pick what they led to, (s_{t+k}, r_{t+k−1}), out of M outcomes of other episodes.
A state h that can do this for k = 1 … K says as much about the latent as the future can show, without a decoder.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynamite.config import ContrastiveConfig, EncoderConfig


def info_nce(positive: Tensor, negatives: Tensor) -> Tensor:
    """−log( e^{f⁺} / (e^{f⁺} + Σ_j e^{f⁻_j}) ) per prediction (arXiv 1807.03748, equation 4).

    Args:
        positive: (…), scores f⁺ of what happened. negatives: (M, …), scores f⁻ of what did not.

    Returns:
        (…); log(M + 1) where all scores are equal.
    """
    return torch.logsumexp(torch.cat((positive.unsqueeze(0), negatives)), 0) - positive


class ContrastivePredictor(nn.Module):
    """Scores outcomes by a network of (outcome, action-GRU's state, h_t) with one hidden layer.

    The action-GRU starts at h_t and reads a_t, a_{t+1}, …: its state after k of them stands for the prediction of step
    t + k (CPC|A, arXiv 1811.06407). Scores are linear in their inputs up to the hidden layer, so each state and reward is
    taken through it once, however often they serve in a negative.

    Negatives are outcomes of any step of other episodes; ``relabelled`` of them keep the state and take the reward alone.

    Args:
        n_actions: A.
        encoder: the sizes of h and of embedded states and rewards.
    """

    def __init__(self, n_actions: int, encoder: EncoderConfig, config: ContrastiveConfig) -> None:
        super().__init__()
        self.config = config
        self.action_gru = nn.GRU(n_actions, encoder.hidden)
        self.from_state = nn.Linear(encoder.state_embedding, config.hidden, bias=False)
        self.from_reward = nn.Linear(encoder.reward_embedding, config.hidden, bias=False)
        self.from_context = nn.Linear(2 * encoder.hidden, config.hidden)
        self.score = nn.Linear(config.hidden, 1, bias=False)

    def forward(
        self,
        hidden: Tensor,
        actions: Tensor,
        states: Tensor,
        rewards: Tensor,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """The mean loss over predictions (t, k), k = 1 … K, that lie inside their episode.

        Args:
            hidden: (T + 1, N, H), h. actions: (T, N, A).
            states: (T, N, E) embedded; entry u is the state that step u led to. rewards: (T, N, F) embedded; of step u.
            generator: the source of the starts t and the negatives.
        """
        n_steps, n = states.shape[:2]
        ahead = min(self.config.steps, n_steps)
        start = self._starts(n_steps, n, generator)  # (B, N), t
        step = start + torch.arange(ahead, device=states.device).view(-1, 1, 1)  # (K, B, N), u = t + k − 1
        inside = step < n_steps
        step = step.clamp(max=n_steps - 1)
        column = torch.arange(n, device=states.device)
        context = self._contexts(hidden[start, column], actions[step, column])  # (K, B, N, C)
        happened = step * n + column
        other = other_episodes(n_steps, n, (self.config.negatives, *step.shape), generator)
        kept = self.config.relabelled
        other_state = torch.cat((happened.expand(kept, -1, -1, -1), other[kept:]))
        projected = (
            self.from_state(states).flatten(0, 1),
            self.from_reward(rewards).flatten(0, 1),
        )  # (T · N, C)
        loss = info_nce(
            self._scores(context, projected, happened, happened),
            self._scores(context, projected, other_state, other),
        )  # (K, B, N)
        return (loss * inside).sum() / inside.sum()

    def _starts(self, n_steps: int, n: int, generator: torch.Generator | None) -> Tensor:
        """Steps t to predict from, (B, N)."""
        if self.config.samples == 0 or self.config.samples >= n_steps:
            return torch.arange(n_steps, device=_device(generator)).unsqueeze(1).expand(-1, n)
        return torch.randint(
            n_steps, (self.config.samples, n), generator=generator, device=_device(generator)
        )

    def _contexts(self, hidden: Tensor, actions: Tensor) -> Tensor:
        """h_t (B, N, H) and the actions after it (K, B, N, A) → (K, B, N, C)."""
        ahead = len(actions)
        rolled, _ = self.action_gru(actions.flatten(1, 2), hidden.flatten(0, 1).unsqueeze(0))  # (K, B · N, H)
        rolled = rolled.view(ahead, *hidden.shape)
        return self.from_context(torch.cat((rolled, hidden.expand_as(rolled)), -1))

    def _scores(
        self, context: Tensor, projected: tuple[Tensor, Tensor], state: Tensor, reward: Tensor
    ) -> Tensor:
        """Scores of outcomes (…, K, B, N), their state and reward given as rows of ``projected`` (T · N, C).

        Args:
            context: (K, B, N, C).
        """
        # index_select: its gradient adds whole rows, far faster than that of advanced indexing.
        reached, paid = (
            rows.index_select(0, index.flatten()).view(*index.shape, -1)
            for rows, index in zip(projected, (state, reward), strict=True)
        )
        return self.score(F.relu(reached + paid + context)).squeeze(-1)


def other_episodes(
    n_steps: int, n: int, shape: tuple[int, ...], generator: torch.Generator | None = None
) -> Tensor:
    """Rows u · N + n' of uniform outcomes whose episode n' is not that of ``shape``'s last axis (N): int64 ``shape``."""
    device = _device(generator)
    apart = 1 + torch.randint(n - 1, shape, generator=generator, device=device)
    episode = (torch.arange(n, device=device) + apart) % n
    return torch.randint(n_steps, shape, generator=generator, device=device) * n + episode


def _device(generator: torch.Generator | None) -> torch.device | None:
    """Random numbers are drawn where their source is."""
    return None if generator is None else generator.device
