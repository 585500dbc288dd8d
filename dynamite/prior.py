"""What the belief model expects of time: the latent prior p(z'|z) and the session-termination head p(d|h)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dynamite.networks import mlp


class LatentPrior(nn.Module):
    """p(z^{i+1} | z^i), a diagonal Gaussian over the next session's embedding (METHOD, the belief model).

    The mean is z plus a learnt change, so that at the start a new session is expected to resemble the last.
    """

    def __init__(self, n_latent: int, hidden: tuple[int, ...], logvar_min: float, logvar_max: float) -> None:
        super().__init__()
        self.net = mlp(n_latent, hidden, 2 * n_latent)
        self.logvar_min, self.logvar_max = logvar_min, logvar_max

    def forward(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """(…, Z) → mean, logvar (…, Z)."""
        change, logvar = self.net(z).chunk(2, -1)
        return z + change, torch.clamp(logvar, self.logvar_min, self.logvar_max)


class TerminationHead(nn.Module):
    """The logit of p(d_t = 1 | h_t)."""

    def __init__(self, n_hidden: int) -> None:
        super().__init__()
        self.linear = nn.Linear(n_hidden, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        """(…, H) → (…)."""
        return self.linear(hidden).squeeze(-1)
