"""Small building blocks shared by the networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def mlp(n_in: int, hidden: Sequence[int], n_out: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers with ``activation`` between them, none after the last."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(n_in, width), activation()]
        n_in = width
    return nn.Sequential(*layers, nn.Linear(n_in, n_out))


def gradient_norm_clip(parameters: list[nn.Parameter], limit: float) -> float:
    """Clip and return the norm of the gradient."""
    return float(nn.utils.clip_grad_norm_(parameters, limit))


def symlog(x: Tensor) -> Tensor:
    """sign(x) · log(1 + |x|)."""
    return torch.sign(x) * torch.log1p(torch.abs(x))
