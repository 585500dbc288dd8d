"""Running statistics: of states, beliefs and privileged features (mean and deviation), and of returns (deviation only).

Statistics are held still while an iteration is collected and learnt from, and updated after it, so that the
probabilities a rollout was drawn with can be recomputed exactly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RunningNorm(nn.Module):
    """x ↦ clip((x − mean) / deviation, ±``limit``), by Chan's parallel update of mean and variance.

    Args:
        size: entries of x.
    """

    mean: Tensor
    var: Tensor
    count: Tensor

    def __init__(self, size: int, limit: float = 10.0) -> None:
        super().__init__()
        self.limit = limit
        self.register_buffer("mean", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("var", torch.ones(size, dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self._scale: tuple[Tensor, Tensor] | None = None

    def forward(self, x: Tensor) -> Tensor:
        mean, inverse = self.scale()
        return torch.clamp((x - mean) * inverse, -self.limit, self.limit)

    def scale(self) -> tuple[Tensor, Tensor]:
        """Mean and 1/deviation in float32, (size,) each."""
        if self._scale is None:
            self._scale = (self.mean.float(), torch.rsqrt(self.var + 1e-8).float())
        return self._scale

    @torch.no_grad()
    def update(self, x: Tensor) -> None:
        """Take in a batch (…, size)."""
        flat = x.reshape(-1, x.shape[-1]).double()
        n, before = float(len(flat)), float(self.count)
        mean, var = flat.mean(0), flat.var(0, unbiased=False)
        total = before + n
        delta = mean - self.mean
        merged = (self.var * before + var * n + delta**2 * (before * n / total)) / total
        self.mean += delta * (n / total)
        # A constant entry keeps a deviation of 1: it becomes 0, not noise blown up.
        self.var.copy_(torch.where(merged < 1e-12, torch.ones_like(merged), merged))
        self.count.fill_(total)
        self._scale = None

    def _load_from_state_dict(self, *args, **kwargs) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._scale = None


class ReturnNorm(nn.Module):
    """r ↦ clip(r / deviation of the discounted return so far, ±10) (VariBAD's reward normalisation)."""

    def __init__(self, gamma: float) -> None:
        super().__init__()
        self.gamma = gamma
        self.norm = RunningNorm(1)

    def forward(self, rewards: Tensor) -> Tensor:
        return torch.clamp(rewards * self.norm.scale()[1], -10.0, 10.0)

    @torch.no_grad()
    def update(self, rewards: Tensor) -> None:
        """Take in the rewards of whole episodes, (T, N)."""
        running = torch.zeros_like(rewards[0])
        returns = []
        for reward in rewards:
            running = reward + self.gamma * running
            returns.append(running)
        self.norm.update(torch.stack(returns).unsqueeze(-1))
