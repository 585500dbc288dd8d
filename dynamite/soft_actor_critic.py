"""The networks of soft actor-critic: π(a | s, side) and twin Q(s, side, a); side is the belief, or what else there is.

Continuous actions are a Gaussian of state-dependent deviation squashed by tanh (SAC, arXiv 1801.01290, appendix C), so they
lie in (−1, 1) and are executed as drawn. Numbered actions are a categorical, and a critic gives Q of all of them at once
(SAC-Discrete, arXiv 1910.07207). Networks read state and side joined, without the embeddings of the on-policy ones: BOReL
(arXiv 2008.02598) appends the belief to the state.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynamite.actor_critic import PolicyNetwork, sample_categorical
from dynamite.config import SACConfig
from dynamite.networks import mlp

#: Clamp of the Gaussian's log deviation before squashing.
LOG_STD_MIN, LOG_STD_MAX = -5.0, 2.0


class TwinCritic(nn.Module):
    """Two independent Q networks.

    Args:
        n_in: S + B, and A more where actions are continuous.
        n_out: 1, or the number of actions.
    """

    def __init__(self, n_in: int, hidden: tuple[int, ...], n_out: int) -> None:
        super().__init__()
        self.first, self.second = mlp(n_in, hidden, n_out), mlp(n_in, hidden, n_out)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(…, n_in) → (…, n_out) of each."""
        return self.first(x), self.second(x)


class SoftActorCritic(PolicyNetwork):
    """An actor's *output* is the logits (…, A), or mean and raw log deviation (…, 2 A) before squashing.

    Args:
        n_observation: S. n_side: B, 0 for a policy that sees the state only. n_actions: A.
    """

    def __init__(
        self, n_observation: int, n_side: int, n_actions: int, discrete: bool, config: SACConfig
    ) -> None:
        super().__init__()
        self.discrete = discrete
        n_in = n_observation + n_side
        self.actor = mlp(n_in, config.hidden, n_actions if discrete else 2 * n_actions)
        self.critic = (
            TwinCritic(n_in, config.hidden, n_actions)
            if discrete
            else TwinCritic(n_in + n_actions, config.hidden, 1)
        )

    def forward(self, state: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """The actor's output (…, O), and the smaller of both Q's (…): its mean under π, or at π's mode where actions are
        continuous. No entropy is counted: it is what the agent expects to be paid."""
        seen = torch.cat((state, side), -1)
        output = self.actor(seen)
        if self.discrete:
            value = (F.softmax(output, -1) * torch.min(*self.critic(seen))).sum(-1)
        else:
            value = torch.min(*self.critic(torch.cat((seen, self.mode(output)), -1))).squeeze(-1)
        return output, value

    def mode(self, output: Tensor) -> Tensor:
        """The most likely number, or tanh of the Gaussian's mean."""
        if self.discrete:
            return output.argmax(-1, keepdim=True).to(output.dtype)
        return torch.tanh(output.chunk(2, -1)[0])

    def sample(self, output: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw actions and their log π, (…); gradients flow through a continuous action (reparametrised)."""
        if self.discrete:
            return sample_categorical(output, generator)
        mean, log_std = output.chunk(2, -1)
        log_std = torch.clamp(log_std, LOG_STD_MIN, LOG_STD_MAX)
        noise = torch.randn(mean.shape, generator=generator, device=mean.device)
        before = mean + torch.exp(log_std) * noise  # u, of which tanh is the action
        log_normal = -0.5 * noise**2 - log_std - 0.5 * math.log(2 * math.pi)
        return torch.tanh(before), (log_normal - log_tanh_slope(before)).sum(-1)


def log_tanh_slope(u: Tensor) -> Tensor:
    """log(1 − tanh² u), which never underflows: 2 (log 2 − u − softplus(−2 u))."""
    return 2.0 * (math.log(2.0) - u - F.softplus(-2.0 * u))
