"""Soft actor-critic (arXiv 1801.01290, 1812.05905; numbered actions: 1910.07207) on what the belief says of stored episodes.

**Which belief a stored transition carries.** The authors' code of BOReL (arXiv 2008.02598) stores, online, the belief that
the encoder had at collection; offline it computes all of them once, after the encoder has been trained. Here they are always
*recomputed*: at the start of every update, the episodes it draws from pass through the encoder as it is now. A belief's
coordinates have no meaning of their own and move while the encoder learns; a critic fed beliefs of many past encoders would
have to fit them all. One batched pass of the encoder costs less than a few of the updates it serves. So no belief is older
than the iteration, and those of the newest episodes are the ones they were collected with.

**Time limits.** Episodes end by time only, and the limit is the observer's: every transition bootstraps from its next state.
"""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from dynamite.agent import Agent
from dynamite.belief_model import Episodes
from dynamite.buffer import EpisodeSource
from dynamite.finite import require_finite
from dynamite.rollout import Rollout
from dynamite.soft_actor_critic import SoftActorCritic


class Transitions(NamedTuple):
    """n transitions as the networks see them.

    Attributes:
        seen, next_seen: (n, S + B) state and side, normalised.
        action: (n, A) as executed; a one-hot where discrete.
        reward: (n,), normalised where so configured.
    """

    seen: Tensor
    action: Tensor
    reward: Tensor
    next_seen: Tensor


class Pool:
    """Episodes with the beliefs of today's encoder, as the transitions an update draws from.

    Args:
        episodes: states raw.
        privileged: (T + 1, n, P).
    """

    @torch.no_grad()
    def __init__(self, agent: Agent, episodes: Episodes, privileged: Tensor) -> None:
        seen = torch.cat(agent.see(episodes, privileged), -1)  # (T + 1, n, S + B)
        rewards = agent.scale_rewards(episodes.rewards)
        self._n = seen.shape[1]
        self._seen = seen.flatten(0, 1)
        self._actions, self._rewards = episodes.actions.flatten(0, 1), rewards.flatten()

    def draw(self, n: int, generator: torch.Generator) -> Transitions:
        """``n`` transitions, with replacement."""
        picked = torch.randint(len(self._rewards), (n,), generator=generator, device=generator.device)
        return Transitions(
            self._seen.index_select(0, picked),
            self._actions.index_select(0, picked),
            self._rewards.index_select(0, picked),
            self._seen.index_select(
                0, picked + self._n
            ),  # times come first: the next step is one row of episodes on
        )


class SAC:
    """The policy's off-policy learner.

    Args:
        agent: its actor-critic is trained; never its encoder.
        buffer: the episodes it draws from.

    Attributes:
        target: the critics that targets are computed with, moving averages of the agent's.
        log_temperature: log α, ().
    """

    def __init__(self, agent: Agent, buffer: EpisodeSource) -> None:
        assert isinstance(agent.actor_critic, SoftActorCritic)
        self.agent, self.buffer, self.config = agent, buffer, agent.config.sac
        self.network = agent.actor_critic
        self.target = copy.deepcopy(self.network.critic).requires_grad_(False)
        self.log_temperature = torch.tensor(
            math.log(self.config.temperature), device=agent.device, requires_grad=True
        )
        a = agent.spec.n_actions
        #: What the temperature is steered to, in nats.
        self.target_entropy = (
            self.config.entropy_share * math.log(a)
            if self.network.discrete
            else self.config.entropy_per_action * a
        )
        lr = self.config.lr
        self._actor = torch.optim.Adam(self.network.actor.parameters(), lr=lr)
        self._critic = torch.optim.Adam(self.network.critic.parameters(), lr=lr)
        self._temperature = torch.optim.Adam([self.log_temperature], lr=self.config.temperature_lr)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"sac_actor": self._actor, "sac_critic": self._critic, "sac_temperature": self._temperature}

    def state_dict(self) -> dict[str, Tensor]:
        """The target critics and log α."""
        target = {f"target.{name}": value for name, value in self.target.state_dict().items()}
        return {**target, "log_temperature": self.log_temperature.detach()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.target.load_state_dict({name: state[f"target.{name}"] for name in self.target.state_dict()})
        with torch.no_grad():
            self.log_temperature.copy_(state["log_temperature"])

    def update(self, rollout: Rollout, progress: float, generator: torch.Generator) -> dict[str, float]:
        """:meth:`learn`; the rollout matters only as one of the stored episodes."""
        return self.learn(generator)

    def learn(self, generator: torch.Generator) -> dict[str, float]:
        """``sac.updates`` steps of critics, actor and temperature on ``sac.pool_episodes`` stored episodes; the means of
        what they measured."""
        batch = self.buffer.sample(self.config.pool_episodes, generator)
        pool = Pool(self.agent, batch.episodes, batch.privileged)
        sums: dict[str, Tensor] = {}
        for _ in range(self.config.updates):
            for name, value in self.step(pool.draw(self.config.batch, generator), generator).items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value
        return {f"losses/{name}": float(total) / self.config.updates for name, total in sums.items()}

    def step(self, batch: Transitions, generator: torch.Generator) -> dict[str, Tensor]:
        """One gradient step of everything; what it measured, ()."""
        learn_from = self._step_numbered if self.network.discrete else self._step_continuous
        metrics = learn_from(batch, generator)
        metrics["temperature"] = self.log_temperature.detach().exp()
        if self.config.learn_temperature:
            # Raise α where π is surer than wished, lower it where it is less sure.
            loss = self.log_temperature * (metrics["entropy"] - self.target_entropy)
            self._descend(self._temperature, loss, "temperature")
        self._move_target()
        return metrics

    def _step_numbered(self, batch: Transitions, generator: torch.Generator) -> dict[str, Tensor]:
        """Expectations over actions are exact, so nothing is drawn."""
        alpha = self.log_temperature.detach().exp()
        with torch.no_grad():
            log_p = F.log_softmax(self.network.actor(batch.next_seen), -1)
            q = torch.min(*self.target(batch.next_seen))
            goal = batch.reward + self.config.gamma * (log_p.exp() * (q - alpha * log_p)).sum(-1)
        first, second = self.network.critic(batch.seen)  # (n, A) each
        critic_loss = _twin_loss((first * batch.action).sum(-1), (second * batch.action).sum(-1), goal)
        self._descend(self._critic, critic_loss, "critic")

        log_p = F.log_softmax(self.network.actor(batch.seen), -1)
        q = torch.min(first, second).detach()
        actor_loss = (log_p.exp() * (alpha * log_p - q)).sum(-1).mean()
        self._descend(self._actor, actor_loss, "policy")
        entropy = -(log_p.exp() * log_p).sum(-1).mean()
        return _measured(critic=critic_loss, policy=actor_loss, entropy=entropy, q=goal.mean())

    def _step_continuous(self, batch: Transitions, generator: torch.Generator) -> dict[str, Tensor]:
        """One reparametrised action per state, drawn anew for targets and for the actor."""
        alpha = self.log_temperature.detach().exp()
        with torch.no_grad():
            action, log_prob = self.network.sample(self.network.actor(batch.next_seen), generator)
            q = torch.min(*self.target(torch.cat((batch.next_seen, action), -1))).squeeze(-1)
            goal = batch.reward + self.config.gamma * (q - alpha * log_prob)
        first, second = self.network.critic(torch.cat((batch.seen, batch.action), -1))
        critic_loss = _twin_loss(first.squeeze(-1), second.squeeze(-1), goal)
        self._descend(self._critic, critic_loss, "critic")

        action, log_prob = self.network.sample(self.network.actor(batch.seen), generator)
        self.network.critic.requires_grad_(False)  # only the action's gradient is wanted
        q = torch.min(*self.network.critic(torch.cat((batch.seen, action), -1))).squeeze(-1)
        actor_loss = (alpha * log_prob - q).mean()
        self._descend(self._actor, actor_loss, "policy")
        self.network.critic.requires_grad_(True)
        return _measured(critic=critic_loss, policy=actor_loss, entropy=-log_prob.mean(), q=goal.mean())

    def _descend(self, optimiser: torch.optim.Optimizer, loss: Tensor, name: str) -> None:
        require_finite({f"losses/{name}": loss})
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    @torch.no_grad()
    def _move_target(self) -> None:
        for mine, now in zip(self.target.parameters(), self.network.critic.parameters(), strict=True):
            mine.lerp_(now, self.config.tau)


def _twin_loss(first: Tensor, second: Tensor, goal: Tensor) -> Tensor:
    """Squared errors of both critics: (n,) each → ()."""
    return 0.5 * (F.mse_loss(first, goal) + F.mse_loss(second, goal))


def _measured(**values: Tensor) -> dict[str, Tensor]:
    return {name: value.detach() for name, value in values.items()}
