"""Rollouts: whole episodes of N copies under the current agent, as tensors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dynamite.agent import Agent
from dynamite.belief_model import Episodes
from dynamite.finite import require_finite_snapshot
from dynamite.vector import INFO_KEYS, Snapshot, VectorScene

#: Chooses actions from the actor's output (N, A) and the copies' state: actions (N, A or 1) and log π (N,).
Behaviour = Callable[[Tensor, Snapshot, torch.Generator], tuple[Tensor, Tensor]]

#: Arrays of a Snapshot that exist at T + 1 moments, the start included.
_PER_STATE = ("observation", "latent", "privileged", "teacher")


@dataclass(frozen=True)
class Rollout:
    """One episode of each of N copies. T transitions, T + 1 states; step t acts on everything indexed t.

    Attributes:
        states: (T + 1, N, S) raw.
        sides: (T + 1, N, B) the policy's second input before normalisation.
        actions: (T, N, A) before clipping, or (T, N, 1) numbers.
        executed: (T, N, A) clipped, or one-hot.
        log_probs: (T, N).
        values: (T + 1, N), of normalised rewards.
        rewards: (T, N) raw.
        ended: (T, N) bool, d.
        latents: (T + 1, N, D).
        privileged: (T + 1, N, P).
        info: (T, N, len(INFO_KEYS)).
        teacher: (T + 1, N, A or 1), or (…, 0).
    """

    states: Tensor
    sides: Tensor
    actions: Tensor
    executed: Tensor
    log_probs: Tensor
    values: Tensor
    rewards: Tensor
    ended: Tensor
    latents: Tensor
    privileged: Tensor
    info: Tensor
    teacher: Tensor

    @property
    def frames(self) -> int:
        return self.rewards.numel()

    def returns(self) -> Tensor:
        """Undiscounted return of every episode, (N,)."""
        return self.rewards.sum(0)

    def info_at_end(self, key: str) -> Tensor:
        """The last step's ``info[key]`` of every episode, (N,)."""
        return self.info[-1, :, INFO_KEYS.index(key)]

    def episodes(self) -> Episodes:
        """The part the belief model learns from, states raw."""
        return Episodes(self.states, self.executed, self.rewards, self.ended, self.latents)


def sample_policy(agent: Agent) -> Behaviour:
    """Actions drawn from π."""

    def choose(output: Tensor, now: Snapshot, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        return agent.actor_critic.sample(output, generator)

    return choose


@torch.no_grad()
def collect(
    agent: Agent,
    scenes: VectorScene,
    seeds: np.ndarray,
    generator: torch.Generator,
    choose: Behaviour | None = None,
) -> Rollout:
    """Play one episode in every copy.

    Args:
        seeds: (N,) for the copies' resets.
        generator: the source of the actions' randomness.
        choose: how actions come from the actor's output; drawn from π by default.

    Raises:
        NonFiniteError: a reward or an observation is NaN or infinite.
    """
    choose = choose or sample_policy(agent)
    spec, n, steps = scenes.spec, scenes.n, scenes.spec.episode_length
    model = agent.belief_model
    now = scenes.reset(seeds)
    require_finite_snapshot(now, "after the reset")
    # What scenes say is gathered where they are, what networks say where those are; the former follows in the end.
    here, there = torch.device("cpu"), agent.device
    along = {name: torch.zeros(steps + 1, *getattr(now, name).shape, device=here) for name in _PER_STATE}
    rewards, ended = torch.zeros(steps, n, device=here), torch.zeros(steps, n, dtype=torch.bool, device=here)
    info = torch.zeros(steps, n, len(INFO_KEYS), device=here)
    sides = torch.zeros(steps + 1, n, agent.n_side, device=there)
    values, log_probs = torch.zeros(steps + 1, n, device=there), torch.zeros(steps, n, device=there)
    actions = torch.zeros(steps, n, 1 if spec.discrete else spec.n_actions, device=there)
    executed = torch.zeros(steps, n, spec.n_actions, device=there)

    memory = model.initial(n) if model is not None else ()
    last_action, last_reward = torch.zeros_like(executed[0]), torch.zeros_like(log_probs[0])
    posterior = None
    for t in range(steps + 1):
        for name, kept in along.items():
            kept[t] = torch.from_numpy(getattr(now, name))
        state = along["observation"][t].to(there)
        if model is not None:
            posterior, memory = model.step(agent.model_states(state), last_action, last_reward, memory)
        sides[t] = agent.side(posterior, along["privileged"][t].to(there))
        output, values[t] = agent.actor_critic(agent.state_norm(state), agent.normalise_side(sides[t]))
        if t == steps:
            break
        actions[t], log_probs[t] = choose(output, now, generator)
        executed[t] = agent.encode_action(actions[t])
        now = scenes.step((actions[t] if spec.discrete else executed[t]).cpu().numpy())
        require_finite_snapshot(now, f"after step {t}")
        rewards[t] = torch.from_numpy(now.reward)
        ended[t] = torch.from_numpy(now.ended)
        info[t] = torch.from_numpy(now.info)
        last_action, last_reward = executed[t], rewards[t].to(there)
    return Rollout(
        states=along["observation"].to(there),
        sides=sides,
        actions=actions,
        executed=executed,
        log_probs=log_probs,
        values=values,
        rewards=rewards.to(there),
        ended=ended.to(there),
        latents=along["latent"].to(there),
        privileged=along["privileged"].to(there),
        info=info.to(there),
        teacher=along["teacher"].to(there),
    )
