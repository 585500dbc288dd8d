"""A start by imitation (DAgger, arXiv 1011.0686): the student acts, a teacher that sees m labels, the student regresses.

The student sees the state and its own belief only, so it learns to act well *under what it can know*; the belief model
trains with its usual objective on the student's own episodes. Some copies are driven by the teacher at first, so that the
good parts of the state space are seen early; their share falls to 0 at half of the imitation frames. The critic is fitted
to the student's returns, so that PPO takes over with values that fit the policy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from dynamite.actor_critic import ActorCritic
from dynamite.agent import Agent
from dynamite.buffer import EpisodeBuffer
from dynamite.encoder import Posterior
from dynamite.finite import require_finite
from dynamite.networks import gradient_norm_clip
from dynamite.rollout import Behaviour

if TYPE_CHECKING:
    from dynamite.model_learner import ModelLearner
    from dynamite.vector import Snapshot


class Imitation:
    """Learner of the imitation phase.

    Args:
        agent: its actor is trained (the critic is PPO's to fit).
        learner: the belief model's; None for policies without a belief.
    """

    def __init__(self, agent: Agent, learner: ModelLearner | None) -> None:
        assert isinstance(agent.actor_critic, ActorCritic)  # so says Config
        self.agent, self.learner, self.config = agent, learner, agent.config.imitation
        self.network = agent.actor_critic
        self.parameters = [
            parameter
            for name, parameter in self.network.named_parameters()
            if not name.startswith("critic") and name != "log_std"
        ]
        self.optimiser = torch.optim.Adam(self.parameters, lr=self.config.lr)

    def behaviour(self, progress: float) -> Behaviour:
        """The student with exploration noise; in the first copies, for a while, the teacher.

        Args:
            progress: share of the imitation frames done.
        """
        share = self.config.teacher_share * max(0.0, 1.0 - 2.0 * progress)
        actor_critic, noise = self.network, self.config.noise

        def choose(output: Tensor, now: Snapshot, generator: torch.Generator) -> tuple[Tensor, Tensor]:
            if actor_critic.discrete:
                action, log_prob = actor_critic.sample(output, generator)
            else:
                action, log_prob = (
                    output + noise * torch.randn(output.shape, generator=generator, device=output.device),
                    output.sum(-1) * 0,
                )
            taught = round(share * len(output))
            if taught:
                action = action.clone()
                action[:taught] = torch.from_numpy(now.teacher[:taught]).to(action.device)
            return action, log_prob

        return choose

    def update(self, buffer: EpisodeBuffer, generator: torch.Generator) -> dict[str, float]:
        """``imitation.updates`` steps of actor, belief model and probe on recent episodes; their mean metrics."""
        sums: dict[str, float] = {}
        for _ in range(self.config.updates):
            for name, value in self._step(buffer, generator).items():
                sums[name] = sums.get(name, 0.0) + value
        return {name: total / self.config.updates for name, total in sums.items()}

    def _step(self, buffer: EpisodeBuffer, generator: torch.Generator) -> dict[str, float]:
        """One batch: a step of model and probe, then ``policy_steps`` of the actor on what the model believes."""
        agent = self.agent
        metrics: dict[str, float] = {}
        episodes, privileged, labels = buffer.sample(agent.config.model.batch_episodes, generator)
        states = agent.state_norm(episodes.states)
        posterior: Posterior | None = None
        if self.learner is not None:
            seen = self.learner.normalised(episodes)
            posterior = self.learner.model.encode(seen)
            extra = None
            if self.config.through_encoder:
                self.optimiser.zero_grad(set_to_none=True)
                side = agent.normalise_side(agent.side(posterior, privileged))
                extra = self._regression(self.network(states, side)[0], labels)
                require_finite({"imitation/loss": extra})
            metrics |= self.learner.step(seen, posterior, generator, extra)
            if extra is not None:
                self._step_policy()
            posterior = posterior.detached()
        with torch.no_grad():
            side = agent.normalise_side(agent.side(posterior, privileged))
        flat = [tensor.flatten(0, 1) for tensor in (states, side, labels)]
        total = 0.0
        parts = torch.randperm(len(flat[0]), generator=generator, device=generator.device).chunk(
            self.config.policy_steps
        )
        for part in parts:
            state, belief, label = (tensor.index_select(0, part) for tensor in flat)
            loss = self._regression(self.network(state, belief)[0], label)
            require_finite({"imitation/loss": loss})
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self._step_policy()
            total += float(loss.detach())
        metrics["imitation/loss"] = total / len(parts)
        return metrics

    def _step_policy(self) -> None:
        gradient_norm_clip(self.parameters, 1.0)
        self.optimiser.step()

    def _regression(self, output: Tensor, labels: Tensor) -> Tensor:
        """Squared error of the mean action, or cross-entropy: (…, A), (…, A or 1) → scalar."""
        if self.agent.spec.discrete:
            return F.cross_entropy(output.flatten(0, -2), labels.long().flatten())
        return ((output - labels) ** 2).sum(-1).mean()

    def hand_over(self) -> None:
        """Give PPO a policy narrow enough to keep what was imitated."""
        if self.network.log_std is not None:
            with torch.no_grad():
                self.network.log_std.fill_(self.config.log_std)
