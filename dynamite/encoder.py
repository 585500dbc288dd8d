"""The encoder q(z|h), h_t = GRU(h_{t−1}, e(s_t), e(a_{t−1}), e(r_{t−1})), z Gaussian and diagonal.

METHOD (DynaMITE-RL, section 3; VariBAD, section 3). Posterior t has seen the state s_t and the reward of the step that
led to it, so it is a belief about the latent in force for step t. Step 0 sees a zero action and a zero reward.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynamite.config import EncoderConfig
from dynamite.networks import symlog

#: What an encoder carries from one step to the next; leading axis N. Opaque to everybody else.
Memory = tuple[Tensor, ...]


class Posterior(NamedTuple):
    """A batch of beliefs; leading axes are (T + 1, N) for whole episodes, (N,) for one step.

    Attributes:
        mean, logvar: (…, Z).
        hidden: (…, H), the GRU's state h.
    """

    mean: Tensor
    logvar: Tensor
    hidden: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """z = μ + σ · noise, (…, Z)."""
        return self.mean + torch.exp(0.5 * self.logvar) * noise


class Encoder(nn.Module):
    """Embeddings, GRU, Gaussian head.

    Args:
        n_observation: S.
        n_actions: A (a one-hot where actions are discrete).
    """

    def __init__(self, n_observation: int, n_actions: int, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_state = nn.Linear(n_observation, config.state_embedding)
        self.embed_action = nn.Linear(n_actions, config.action_embedding) if config.action_embedding else None
        self.embed_reward = nn.Linear(2, config.reward_embedding)
        n_in = config.state_embedding + config.action_embedding + config.reward_embedding
        self.mix = nn.Linear(n_in, config.mixing) if config.mixing else None
        self.gru = nn.GRU(config.mixing or n_in, config.hidden)
        # VariBAD's initialisation of recurrent weights.
        for name, parameter in self.gru.named_parameters():
            nn.init.zeros_(parameter) if "bias" in name else nn.init.orthogonal_(parameter)
        self.head_mean = nn.Linear(config.hidden, config.latent)
        self.head_logvar = nn.Linear(config.hidden, config.latent)

    def _embed(self, states: Tensor, actions: Tensor, rewards: Tensor) -> Tensor:
        """(…, S), (…, A), (…) → (…, E)."""
        felt = torch.stack((symlog(rewards), torch.clamp(self.config.reward_gain * rewards, -3.0, 3.0)), -1)
        parts = [self.embed_state(states), self.embed_reward(felt)]
        if self.embed_action is not None:
            parts.append(self.embed_action(actions))
        embedded = F.relu(torch.cat(parts, -1))
        return embedded if self.mix is None else F.relu(self.mix(embedded))

    def _head(self, hidden: Tensor) -> Posterior:
        logvar = torch.clamp(self.head_logvar(hidden), self.config.logvar_min, self.config.logvar_max)
        return Posterior(self.head_mean(hidden), logvar, hidden)

    def forward(self, states: Tensor, actions: Tensor, rewards: Tensor) -> Posterior:
        """Whole episodes at once.

        Args:
            states: (T + 1, N, S). actions: (T, N, A). rewards: (T, N).

        Returns:
            Posteriors (T + 1, N, ·).
        """
        actions = torch.cat((torch.zeros_like(actions[:1]), actions))  # (T + 1, N, A)
        rewards = torch.cat((torch.zeros_like(rewards[:1]), rewards))  # (T + 1, N)
        hidden, _ = self.gru(self._embed(states, actions, rewards))  # (T + 1, N, H)
        return self._head(hidden)

    def step(self, state: Tensor, action: Tensor, reward: Tensor, memory: Memory) -> tuple[Posterior, Memory]:
        """One step: (N, S), (N, A), (N,) → posterior (N, ·) and what to remember; equal to :meth:`forward` step by step."""
        weights = [parameter for _, parameter in self.gru.named_parameters()]  # input, hidden, their biases
        hidden = torch.gru_cell(self._embed(state, action, reward), memory[0], *weights)
        return self._head(hidden), (hidden,)

    def initial(self, n: int) -> Memory:
        """The memory of N episodes that have not begun: h = 0, (N, H)."""
        return (self.head_mean.weight.new_zeros(n, self.config.hidden),)
