"""π(a | s, side) and V(s, side), where side is the belief, the privileged features, both, or nothing.

State and side have embeddings of their own (VariBAD's policy), then a tanh network each for actor and critic. Actions are
a Gaussian with state-independent deviation, or categorical.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynamite.config import PolicyConfig
from dynamite.networks import mlp


class Evaluation(NamedTuple):
    """Of given actions, all (…): log π(a), the policy's entropy, V."""

    log_prob: Tensor
    entropy: Tensor
    value: Tensor


class PolicyNetwork(nn.Module):
    """What acting asks of ``agent.actor_critic``, whoever teaches it: rollouts, evaluation and playback need no more.

    An *output* is what the actor says, (…, O), opaque to callers. Actions are (…, A) floats, or (…, 1) numbers as floats.

    Attributes:
        discrete: whether actions are numbered.
    """

    discrete: bool

    def forward(self, state: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """Normalised (…, S) and (…, B) → the actor's output (…, O) and the value of being there (…)."""
        raise NotImplementedError

    def mode(self, output: Tensor) -> Tensor:
        """The action of a trained policy that does not draw: the most likely one, or the mean's."""
        raise NotImplementedError

    def sample(self, output: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw actions from π, and their log π, (…)."""
        raise NotImplementedError


def sample_categorical(logits: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """(N, A) logits → (N, 1) numbers as floats, and their log-probabilities (N,)."""
    log_p = F.log_softmax(logits, -1)
    # Gumbel-max: one vectorised draw, several times faster than multinomial.
    uniform = torch.rand(logits.shape, generator=generator, device=logits.device).clamp_(1e-20, 1 - 1e-7)
    action = (log_p - torch.log(-torch.log(uniform))).argmax(-1, keepdim=True)
    return action.to(logits.dtype), log_p.gather(-1, action).squeeze(-1)


class ActorCritic(PolicyNetwork):
    """The on-policy learner's: a Gaussian of state-independent deviation or a categorical, and V.

    Args:
    n_observation: S. n_side: B, 0 for a policy that sees the state only. n_actions: A.
    """

    def __init__(
        self, n_observation: int, n_side: int, n_actions: int, discrete: bool, config: PolicyConfig
    ) -> None:
        super().__init__()
        self.discrete, self.min_log_std = discrete, config.min_log_std
        self.embed_state = nn.Linear(n_observation, config.state_embedding)
        self.embed_side = nn.Linear(n_side, config.belief_embedding) if n_side else None
        n_in = config.state_embedding + (config.belief_embedding if n_side else 0)
        self.actor = mlp(n_in, config.hidden, n_actions, nn.Tanh)
        self.critic = mlp(n_in, config.hidden, 1, nn.Tanh)
        self.log_std = None if discrete else nn.Parameter(torch.full((n_actions,), config.initial_log_std))
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.orthogonal_(module.weight, math.sqrt(2))
                nn.init.zeros_(module.bias)
        # Nearly uniform actions and nearly zero values at the start.
        nn.init.orthogonal_(self.actor[-1].weight, 0.01)  # type: ignore[arg-type]
        nn.init.orthogonal_(self.critic[-1].weight, 1.0)  # type: ignore[arg-type]

    def embed(self, state: Tensor, side: Tensor) -> Tensor:
        """(…, S), (…, B) → (…, E)."""
        parts = [self.embed_state(state)]
        if self.embed_side is not None:
            parts.append(self.embed_side(side))
        return torch.tanh(torch.cat(parts, -1))

    def forward(self, state: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """The Gaussian's mean or the logits, (…, A), and V, (…)."""
        features = self.embed(state, side)
        return self.actor(features), self.critic(features).squeeze(-1)

    def value(self, state: Tensor, side: Tensor) -> Tensor:
        return self.critic(self.embed(state, side)).squeeze(-1)

    def deviation(self) -> Tensor:
        """log σ of the Gaussian, (A,)."""
        assert self.log_std is not None
        return torch.clamp(self.log_std, min=self.min_log_std)

    def mode(self, output: Tensor) -> Tensor:
        return output.argmax(-1, keepdim=True).to(output.dtype) if self.discrete else output

    def sample(self, output: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw actions: (N, A) outputs → actions ((N, A) floats, or (N, 1) numbers as floats) and log π, (N,)."""
        if self.discrete:
            return sample_categorical(output, generator)
        noise = torch.randn(output.shape, generator=generator, device=output.device)
        action = output + torch.exp(self.deviation()) * noise
        return action, self.log_prob(output, action)

    def log_prob(self, output: Tensor, action: Tensor) -> Tensor:
        """log π of stored actions: (…, A), (…, A or 1) → (…)."""
        if self.discrete:
            return F.log_softmax(output, -1).gather(-1, action.long()).squeeze(-1)
        log_std = self.deviation()
        scaled = (action - output) * torch.exp(-log_std)
        return -0.5 * (scaled**2).sum(-1) - log_std.sum() - 0.5 * action.shape[-1] * math.log(2 * math.pi)

    def entropy(self, output: Tensor) -> Tensor:
        """(…, A) → (…)."""
        if self.discrete:
            log_p = F.log_softmax(output, -1)
            return -(log_p.exp() * log_p).sum(-1)
        per_action = 0.5 + 0.5 * math.log(2 * math.pi) + self.deviation()
        return per_action.sum().expand(output.shape[:-1])

    def evaluate(self, state: Tensor, side: Tensor, action: Tensor) -> Evaluation:
        output, value = self(state, side)
        return Evaluation(self.log_prob(output, action), self.entropy(output), value)
