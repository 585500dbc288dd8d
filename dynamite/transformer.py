"""The transformer encoder: a small causal transformer where the GRU would be (METHOD, the belief model).

h_t attends to the last C steps, itself included. Blocks normalise before they compute (pre-norm, arXiv 2002.04745: stable
without a warm-up of the learning rate), there is no dropout (a belief must be the same twice, PPO's ratios need it), and
positions are sinusoids of the step's number (arXiv 1706.03762, section 3.5), so an episode may be of any length.

While acting, each layer's keys and values of the last C steps are kept, in a ring: step t is written to slot t mod C.
Whole episodes under a band of C steps and single steps on this memory compute the same h.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynamite.encoder import Encoder, Memory
from dynamite.networks import mlp


def sinusoids(step: Tensor, width: int) -> Tensor:
    """Positions of steps: (…) → (…, width), sines then cosines of geometrically falling frequencies."""
    frequency = torch.exp(torch.arange(width // 2, device=step.device) * (-2.0 * math.log(10_000.0) / width))
    angle = step.unsqueeze(-1) * frequency
    return torch.cat((angle.sin(), angle.cos()), -1)


class Block(nn.Module):
    """Attention, then a feed-forward network, each added to its input.

    Args:
        width: H. heads: they divide H.
        residual_scale: start of the additions' size; 1/√(2 · blocks) keeps the sum of all of them near their input's.
    """

    def __init__(self, width: int, heads: int, residual_scale: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.norm_feed = nn.LayerNorm(width)
        self.feed = mlp(width, (2 * width,), width, nn.GELU)
        with torch.no_grad():
            for last in (self.attended, self.feed[-1]):
                assert isinstance(last, nn.Linear)
                last.weight *= residual_scale

    def project(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values: (…, H) → (…, H) each."""
        query, key, value = self.query_key_value(self.norm_attention(x)).chunk(3, -1)
        return query, key, value

    def forward(self, x: Tensor, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor) -> Tensor:
        """The block's output.

        Args:
            x, query: (N, Q, H). key, value: (N, C, H).
            allowed: bool, broadcastable to (N, heads, Q, C): which of the C steps each of the Q may attend to.
        """
        attended = F.scaled_dot_product_attention(
            self._split(query), self._split(key), self._split(value), attn_mask=allowed
        )  # (N, heads, Q, H / heads)
        x = x + self.attended(attended.transpose(1, 2).flatten(2))
        return x + self.feed(self.norm_feed(x))

    def _split(self, x: Tensor) -> Tensor:
        """(N, Q, H) → (N, heads, Q, H / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class TransformerEncoder(Encoder):
    """h_t by attention over the last ``encoder.context`` steps; the memory is (age, keys, values, keys, …)."""

    def _build_memory(self, n_in: int) -> None:
        c = self.config
        self.project = nn.Linear(n_in, c.hidden)
        scale = (2 * c.layers) ** -0.5
        self.blocks = nn.ModuleList(Block(c.hidden, c.heads, scale) for _ in range(c.layers))
        self.norm = nn.LayerNorm(c.hidden)

    def _each_block(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def _remember(self, embedded: Tensor) -> Tensor:
        step = torch.arange(len(embedded), device=embedded.device)
        apart = step.unsqueeze(1) - step  # (T + 1, T + 1), of query and key
        allowed = (apart >= 0) & (apart < self.config.context)
        x = self.project(embedded).transpose(0, 1) + sinusoids(step, self.config.hidden)  # (N, T + 1, H)
        for block in self._each_block():
            x = block(x, *block.project(x), allowed)
        return self.norm(x).transpose(0, 1)

    def _advance(self, embedded: Tensor, memory: Memory) -> tuple[Tensor, Memory]:
        age, after = memory[0], [memory[0] + 1]
        n, context = len(age), self.config.context
        filled = min(int(age.max()) + 1, context) if n else 0  # slots that anybody may look at
        allowed = (torch.arange(filled, device=age.device) <= age.unsqueeze(1)).view(n, 1, 1, filled)
        slot = (age % context).view(n, 1, 1).expand(-1, 1, self.config.hidden)
        x = (self.project(embedded) + sinusoids(age, self.config.hidden)).unsqueeze(1)  # (N, 1, H)
        for layer, block in enumerate(self._each_block()):
            query, *written = block.project(x)
            keys, values = (
                kept.scatter(1, slot, new)  # (N, C, H), a copy
                for kept, new in zip(memory[2 * layer + 1 : 2 * layer + 3], written, strict=True)
            )
            x = block(x, query, keys[:, :filled], values[:, :filled], allowed)
            after += [keys, values]
        return self.norm(x).squeeze(1), tuple(after)

    def initial(self, n: int) -> Memory:
        """The number of steps seen, (N,), and each layer's keys and values, (N, C, H)."""
        c = self.config
        empty = self.head_mean.weight.new_zeros(n, c.context, c.hidden)  # shared: nobody writes into a memory
        return empty.new_zeros(n, dtype=torch.int64), *(2 * c.layers * [empty])
