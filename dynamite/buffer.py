"""EpisodeBuffer: the most recent episodes, for the belief model, imitation and off-policy learners to learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from dynamite.belief_model import Episodes
from dynamite.rollout import Rollout

#: What is kept of a rollout; times first, then episodes.
_KEPT = ("states", "executed", "rewards", "ended", "latents", "privileged", "teacher")


class Batch(NamedTuple):
    """Some episodes. privileged: (T + 1, n, P). teacher: (T + 1, n, A or 1), empty without a teacher."""

    episodes: Episodes
    privileged: Tensor
    teacher: Tensor


class EpisodeSource(Protocol):
    """Whatever learners draw stored episodes from."""

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` episodes."""


class EpisodeBuffer:
    """A ring of whole episodes.

    Args:
        capacity: episodes kept; the oldest leave first.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.size = 0
        self._next = 0
        self._data: dict[str, Tensor] = {}

    def add(self, rollout: Rollout) -> None:
        """Take in a rollout's N episodes (its last ``capacity`` where it has more)."""
        self.add_tensors({name: getattr(rollout, name) for name in _KEPT})

    def add_tensors(self, episodes: Mapping[str, Tensor]) -> None:
        """:meth:`add` for episodes that come from elsewhere: what :class:`~dynamite.rollout.Rollout` has under the names
        that the buffer keeps."""
        new = {name: episodes[name][:, -self.capacity :] for name in _KEPT}
        n = new["rewards"].shape[1]
        if not self._data:
            self._data = {k: v.new_zeros(v.shape[0], self.capacity, *v.shape[2:]) for k, v in new.items()}
        slots = (self._next + torch.arange(n, device=new["rewards"].device)) % self.capacity
        for name, value in new.items():
            self._data[name][:, slots] = value
        self._next = int((self._next + n) % self.capacity)
        self.size = min(self.size + n, self.capacity)

    def sample(self, n: int, generator: torch.Generator) -> Batch:
        """``n`` episodes, all different where there are enough."""
        if n <= self.size:
            chosen = torch.randperm(self.size, generator=generator, device=generator.device)[:n]
        else:
            chosen = torch.randint(self.size, (n,), generator=generator, device=generator.device)
        return self.part(chosen)

    def part(self, chosen: Tensor) -> Batch:
        """Some of the episodes, by the numbers of their slots (n,), 0 … ``size`` − 1."""
        part = {name: value.index_select(1, chosen) for name, value in self._data.items()}
        episodes = Episodes(part["states"], part["executed"], part["rewards"], part["ended"], part["latents"])
        return Batch(episodes, part["privileged"], part["teacher"])

    def state_dict(self) -> dict[str, Tensor]:
        """Its contents, so that a resumed training draws what an uninterrupted one would.

        What is one-hot takes a byte per entry instead of four; nothing is rounded.
        """
        state = {name: _compact(value[:, : self.size]) for name, value in self._data.items()}
        return {**state, "next": torch.tensor(self._next)}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        if "rewards" not in state:
            return
        self.size, self._next = state["rewards"].shape[1], int(state["next"])
        self._data = {}
        for name in _KEPT:
            value = state[name]
            kind = torch.bool if name == "ended" else torch.float32
            full = value.new_zeros(value.shape[0], self.capacity, *value.shape[2:], dtype=kind)
            full[:, : self.size] = value
            self._data[name] = full


def _compact(values: Tensor) -> Tensor:
    """``values`` as bytes where they are whole numbers from 0 to 255, all of them; else as they are."""
    small = values.to(torch.uint8)
    return small if torch.equal(small.to(values.dtype), values) else values.contiguous()
