"""Gradient steps of the belief model on recent episodes, and of the probe beside it.

Where the objective has no terms (a recurrent policy trained by its own gradients), only the probe learns here.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from dynamite.agent import Agent
from dynamite.belief_model import Episodes
from dynamite.buffer import EpisodeSource
from dynamite.encoder import Posterior
from dynamite.finite import require_finite
from dynamite.networks import gradient_norm_clip


class ModelLearner:
    """Trains ``agent.belief_model`` and ``agent.probe``; one optimiser each, so that neither touches the other."""

    def __init__(self, agent: Agent) -> None:
        assert agent.belief_model is not None
        self.agent, self.model, self.config = agent, agent.belief_model, agent.config
        self.parameters: list[nn.Parameter] = list(self.model.parameters())
        self.optimiser = torch.optim.Adam(self.parameters, lr=self.config.model.lr, fused=True)
        self.probe_optimiser = (
            torch.optim.Adam(agent.probe.parameters(), lr=self.config.probe.lr)
            if agent.probe is not None
            else None
        )

    def set_lr(self, lr: float) -> None:
        """The belief model's learning rate from now on."""
        for group in self.optimiser.param_groups:
            group["lr"] = lr

    def normalised(self, episodes: Episodes) -> Episodes:
        """Raw episodes as the model sees them."""
        return dataclasses.replace(episodes, states=self.agent.model_states(episodes.states))

    def update(self, buffer: EpisodeSource, generator: torch.Generator) -> dict[str, float]:
        """``model.updates`` steps; the means of what they measured."""
        sums: dict[str, float] = {}
        for _ in range(self.config.model.updates):
            episodes = self.normalised(buffer.sample(self.config.model.batch_episodes, generator).episodes)
            with torch.set_grad_enabled(self.config.objective.has_terms):
                posterior = self.model.encode(episodes)
            for name, value in self.step(episodes, posterior, generator).items():
                sums[name] = sums.get(name, 0.0) + value
        return {name: total / self.config.model.updates for name, total in sums.items()}

    def step(
        self,
        episodes: Episodes,
        posterior: Posterior,
        generator: torch.Generator,
        extra: Tensor | None = None,
    ) -> dict[str, float]:
        """One gradient step on a batch whose posteriors are known.

        Args:
            extra: a further loss whose gradients may reach the encoder (imitation through the encoder).
        """
        loss, terms = self.model.loss(episodes, posterior, generator)
        metrics = {f"belief/{name}": float(term.detach()) for name, term in terms.items()}
        if terms or extra is not None:
            metrics["belief/loss"] = float(loss.detach())
            require_finite(metrics)
            self.optimiser.zero_grad(set_to_none=True)
            (loss if extra is None else loss + extra).backward()
            metrics["belief/grad_norm"] = gradient_norm_clip(self.parameters, self.config.model.max_grad_norm)
            self.optimiser.step()
            self.model.update_statistics(episodes, posterior)
        if self.config.policy.sees_belief:
            # Differential entropy of q(z|h) per dimension: how sure the belief is, constant apart.
            metrics["belief/mean_logvar"] = float(posterior.logvar.detach().mean())
        if self.agent.probe is not None:
            metrics["probe/nll"] = self.step_probe(posterior, episodes, generator)
        return metrics

    def step_probe(self, posterior: Posterior, episodes: Episodes, generator: torch.Generator) -> float:
        """One step of the probe on random (t, n); returns its negative log-likelihood."""
        probe, optimiser = self.agent.probe, self.probe_optimiser
        assert probe is not None
        assert optimiser is not None
        read = self.agent.readable(posterior, episodes.states).detach().flatten(0, 1)  # ((T + 1) · N, I)
        picked = torch.randint(
            len(read), (self.config.probe.samples,), generator=generator, device=read.device
        )
        loss = probe.loss(read[picked], episodes.latents.flatten(0, 1)[picked])
        require_finite({"probe/nll": loss})
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        return float(loss.detach())
