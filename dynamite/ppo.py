"""Proximal policy optimisation (arXiv 1707.06347) on whole episodes, with generalised advantages (arXiv 1506.02438).

Advantages are normalised over the whole rollout; values are not clipped (METHOD, known trap).
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from dynamite.actor_critic import ActorCritic
from dynamite.agent import Agent
from dynamite.finite import require_finite
from dynamite.networks import gradient_norm_clip
from dynamite.rollout import Rollout


def generalised_advantages(
    rewards: Tensor, values: Tensor, gamma: float, gae_lambda: float, bootstrap: bool = True
) -> tuple[Tensor, Tensor]:
    """Advantages and value targets of episodes that end by time only.

    A_t = Σ_k (γλ)^k δ_{t+k}, δ_t = r_t + γ V(s_{t+1}) − V(s_t).

    Args:
        rewards: (T, N).
        values: (T + 1, N).
        bootstrap: count on V(s_T) after the last step; else on 0.

    Returns:
        Advantages and targets A + V, (T, N) each.
    """
    after = values[1:].clone()
    if not bootstrap:
        after[-1] = 0.0
    delta = rewards + gamma * after - values[:-1]
    advantages = torch.zeros_like(rewards)
    running = torch.zeros_like(rewards[0])
    for t in range(len(rewards) - 1, -1, -1):
        running = delta[t] + gamma * gae_lambda * running
        advantages[t] = running
    return advantages, advantages + values[:-1]


class PPO:
    """The policy's learner.

    Args:
        agent: its actor-critic is trained, and its encoder too where ``ppo.through_encoder`` is set.
    """

    def __init__(self, agent: Agent) -> None:
        assert isinstance(agent.actor_critic, ActorCritic)
        self.agent, self.config, self.network = agent, agent.config.ppo, agent.actor_critic
        self.parameters: list[nn.Parameter] = list(self.network.parameters())
        if self.config.through_encoder:
            assert agent.belief_model is not None
            self.parameters += list(agent.belief_model.encoder.parameters())
        self.optimiser = torch.optim.Adam(self.parameters, lr=self.config.lr, eps=1e-5, fused=True)

    def optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"ppo": self.optimiser}

    def state_dict(self) -> dict[str, Tensor]:
        """Nothing: it is on-policy, and its optimiser is saved beside it."""
        return {}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        pass

    def targets(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Advantages and value targets in units of normalised reward, (T, N) each."""
        rewards = self.agent.scale_rewards(rollout.rewards)
        c = self.config
        return generalised_advantages(rewards, rollout.values, c.gamma, c.gae_lambda, c.bootstrap_time_limit)

    def update(self, rollout: Rollout, progress: float, generator: torch.Generator) -> dict[str, float]:
        """Learn from one rollout.

        Args:
            progress: share of the training done, 0 … 1, for what anneals.
        """
        c = self.config
        entropy_weight = c.entropy * (1 + (c.entropy_final - 1) * progress)
        for group in self.optimiser.param_groups:
            group["lr"] = c.lr * (1 + (c.lr_final - 1) * progress)
        advantages, targets = self.targets(rollout)
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        sums = {
            "policy": 0.0,
            "value": 0.0,
            "entropy": 0.0,
            "approx_kl": 0.0,
            "clip_fraction": 0.0,
            "grad_norm": 0.0,
        }
        steps, stop = 0, False
        for _ in range(c.epochs):
            epoch_kl, parts = 0.0, 0
            for state, side, picked in self._minibatches(rollout, generator):
                old_log_prob, advantage = picked(rollout.log_probs), picked(advantages)
                now = self.network.evaluate(state, side, picked(rollout.actions))
                log_ratio = now.log_prob - old_log_prob
                ratio = log_ratio.exp()
                clipped = torch.clamp(ratio, 1 - c.clip, 1 + c.clip)
                policy_loss = -torch.min(ratio * advantage, clipped * advantage).mean()
                value_loss = 0.5 * ((now.value - picked(targets)) ** 2).mean()
                entropy = now.entropy.mean()
                loss = policy_loss + c.value_weight * value_loss - entropy_weight * entropy
                require_finite(
                    {"losses/policy": policy_loss, "losses/value": value_loss, "losses/entropy": entropy}
                )
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()
                sums["grad_norm"] += gradient_norm_clip(self.parameters, c.max_grad_norm)
                self.optimiser.step()
                with torch.no_grad():
                    kl = float((ratio - 1 - log_ratio).mean())  # Schulman's low-variance estimate
                    sums["clip_fraction"] += float(((ratio - 1).abs() > c.clip).float().mean())
                sums["policy"] += float(policy_loss.detach())
                sums["value"] += float(value_loss.detach())
                sums["entropy"] += float(entropy.detach())
                sums["approx_kl"] += kl
                epoch_kl, parts, steps = epoch_kl + kl, parts + 1, steps + 1
            stop = c.target_kl > 0 and epoch_kl / parts > 1.5 * c.target_kl
            if stop:
                break
        metrics = {f"losses/{name}": total / steps for name, total in sums.items()}
        variance = targets.var()
        metrics["losses/explained_variance"] = float(
            1 - (targets - rollout.values[:-1]).var() / (variance + 1e-8)
        )
        metrics["losses/lr"] = self.optimiser.param_groups[0]["lr"]
        return metrics

    def _minibatches(self, rollout: Rollout, generator: torch.Generator) -> Iterator[tuple]:
        """Policy inputs of random parts of the rollout, and the function that picks the same part of any (T, N, …)."""
        if self.config.through_encoder:
            yield from self._episode_minibatches(rollout, generator)
            return
        agent, total = self.agent, rollout.frames
        with torch.no_grad():
            states = agent.state_norm(rollout.states[:-1]).flatten(0, 1)  # (T · N, S)
            sides = agent.normalise_side(rollout.sides[:-1]).flatten(0, 1)  # (T · N, B)
        for part in torch.randperm(total, generator=generator, device=generator.device).chunk(
            self.config.minibatches
        ):
            yield (
                states.index_select(0, part),
                sides.index_select(0, part),
                lambda x, part=part: x.flatten(0, 1).index_select(0, part),
            )

    def _episode_minibatches(self, rollout: Rollout, generator: torch.Generator) -> Iterator[tuple]:
        """Whole episodes, their beliefs recomputed so that gradients reach the encoder."""
        agent, n = self.agent, rollout.rewards.shape[1]
        for part in torch.randperm(n, generator=generator, device=generator.device).chunk(
            min(self.config.minibatches, n)
        ):
            states, sides = agent.see(rollout.episodes().part(part), rollout.privileged[:, part])
            yield states[:-1], sides[:-1], lambda x, part=part: x[:, part]

    def fit_value(self, rollout: Rollout, generator: torch.Generator) -> dict[str, float]:
        """Train the critic alone (imitation: so that PPO starts with one)."""
        _, targets = self.targets(rollout)
        total, steps = 0.0, 0
        critic = list(self.network.critic.parameters())
        for _ in range(self.config.epochs):
            for state, side, picked in self._minibatches(rollout, generator):
                with torch.no_grad():
                    features = self.network.embed(state, side)
                value = self.network.critic(features).squeeze(-1)
                loss = 0.5 * ((value - picked(targets)) ** 2).mean()
                require_finite({"losses/value": loss})
                self.optimiser.zero_grad(set_to_none=True)
                loss.backward()
                gradient_norm_clip(critic, self.config.max_grad_norm)
                self.optimiser.step()
                total, steps = total + float(loss.detach()), steps + 1
        return {"losses/value": total / steps}
