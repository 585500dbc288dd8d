"""The encoder q(z|h): embeddings of (s_t, a_{t−1}, r_{t−1}), a memory of them h_t, a Gaussian head; z diagonal.

METHOD (DynaMITE-RL, section 3; VariBAD, section 3): h_t = GRU(h_{t−1}, e(s_t), e(a_{t−1}), e(r_{t−1})). Posterior t has
seen the state s_t and the reward of the step that led to it, so it is a belief about the latent in force for step t. Step
0 sees a zero action and a zero reward.

What remembers is the one part that differs: :class:`GRUEncoder` here, and its drop-in
:class:`~dynamite.transformer.TransformerEncoder`; ``encoder.kind`` picks.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynamite.config import EncoderConfig
from dynamite.networks import symlog

#: What an encoder carries from one step to the next; leading axis N, sizes that do not change with time, so that copies
#: can be picked from it, or put back to their start, one by one. Opaque to everybody else.
Memory = tuple[Tensor, ...]


class Posterior(NamedTuple):
    """A batch of beliefs; leading axes are (T + 1, N) for whole episodes, (N,) for one step.

    Attributes:
        mean, logvar: (…, Z).
        hidden: (…, H), the encoder's state h.
        p_end: (…), p(d) where the encoding itself infers sessions; None: a head reads it from h.
    """

    mean: Tensor
    logvar: Tensor
    hidden: Tensor
    p_end: Tensor | None = None

    def detached(self) -> Posterior:
        """The same numbers, without gradients."""
        return Posterior(*(None if x is None else x.detach() for x in self))  # type: ignore[arg-type]

    def sample(self, noise: Tensor) -> Tensor:
        """z = μ + σ · noise, (…, Z)."""
        return self.mean + torch.exp(0.5 * self.logvar) * noise


class Encoder(nn.Module):
    """Embeddings and Gaussian head around a memory, which a subclass supplies.

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
        self._build_memory(config.mixing or n_in)
        self.head_mean = nn.Linear(config.hidden, config.latent)
        self.head_logvar = nn.Linear(config.hidden, config.latent)

    def _build_memory(self, n_in: int) -> None:
        """Make the layers that turn embeddings (…, n_in) into h (…, H)."""
        raise NotImplementedError

    def _remember(self, embedded: Tensor) -> Tensor:
        """Whole episodes: (T + 1, N, E) → h (T + 1, N, H)."""
        raise NotImplementedError

    def _advance(self, embedded: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        """One step: (N, E) and the memory before it → h (N, H) and the memory after it; ``memory`` is left as it was."""
        raise NotImplementedError

    def initial(self, n: int) -> Memory:
        """The memory of N episodes that have not begun."""
        raise NotImplementedError

    def _embed(self, states: Tensor, actions: Tensor, rewards: Tensor) -> Tensor:
        """(…, S), (…, A), (…) → (…, E)."""
        parts = [self.embed_state(states), self.embed_reward(self._felt(rewards))]
        if self.embed_action is not None:
            parts.append(self.embed_action(actions))
        embedded = F.relu(torch.cat(parts, -1))
        return embedded if self.mix is None else F.relu(self.mix(embedded))

    def outcomes(self, states: Tensor, rewards: Tensor) -> tuple[Tensor, Tensor]:
        """What steps led to, by the same embeddings: s_{u+1} (…, S), r_u (…) → (…, state_ and reward_embedding)."""
        return F.relu(self.embed_state(states)), F.relu(self.embed_reward(self._felt(rewards)))

    def _felt(self, rewards: Tensor) -> Tensor:
        """Rewards as a network can read them, whatever their size: (…) → (…, 2)."""
        return torch.stack((symlog(rewards), torch.clamp(self.config.reward_gain * rewards, -3.0, 3.0)), -1)

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
        return self._head(self._remember(self._embed(states, actions, rewards)))

    def step(self, state: Tensor, action: Tensor, reward: Tensor, memory: Memory) -> tuple[Posterior, Memory]:
        """One step: (N, S), (N, A), (N,) → posterior (N, ·) and what to remember; equal to :meth:`forward` step by step."""
        hidden, memory = self._advance(self._embed(state, action, reward), memory)
        return self._head(hidden), memory


class GRUEncoder(Encoder):
    """h_t = GRU(h_{t−1}, ·); the memory is h."""

    def _build_memory(self, n_in: int) -> None:
        self.gru = nn.GRU(n_in, self.config.hidden)
        # VariBAD's initialisation of recurrent weights.
        for name, parameter in self.gru.named_parameters():
            nn.init.zeros_(parameter) if "bias" in name else nn.init.orthogonal_(parameter)

    def _remember(self, embedded: Tensor) -> Tensor:
        return self.gru(embedded)[0]

    def _advance(self, embedded: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        weights = [parameter for _, parameter in self.gru.named_parameters()]  # input, hidden, their biases
        hidden = torch.gru_cell(embedded, memory[0], *weights)
        return hidden, (hidden,)

    def initial(self, n: int) -> Memory:
        """h = 0, (N, H)."""
        return (self.head_mean.weight.new_zeros(n, self.config.hidden),)
