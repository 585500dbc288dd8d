"""The belief model: encoder, decoders, latent prior and termination head, and the loss that trains them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dynamite import objective
from dynamite.config import Config
from dynamite.contrastive import ContrastivePredictor
from dynamite.decoder import RewardDecoder, StateDecoder, TaskDecoder
from dynamite.encoder import Encoder, GRUEncoder, Memory, Posterior
from dynamite.prior import LatentPrior, TerminationHead
from dynamite.spec import SceneSpec
from dynamite.transformer import TransformerEncoder

#: What ``encoder.kind`` names.
ENCODERS: dict[str, type[Encoder]] = {"gru": GRUEncoder, "transformer": TransformerEncoder}


@dataclass(frozen=True)
class Episodes:
    """Whole episodes, as the model learns from them.

    Attributes:
        states: (T + 1, N, S), normalised where so configured.
        actions: (T, N, A) as executed; a one-hot where discrete.
        rewards: (T, N), raw.
        ended: (T, N) bool, d.
        latents: (T + 1, N, D), the truth in force for step t; for the probe, and a task decoder where there is one.
    """

    states: Tensor
    actions: Tensor
    rewards: Tensor
    ended: Tensor
    latents: Tensor

    def part(self, chosen: Tensor) -> Episodes:
        """Some of the episodes, by their numbers (n,)."""
        return Episodes(*(value.index_select(1, chosen) for value in vars(self).values()))


class BeliefModel(nn.Module):
    """q(z|h), p(r|·), p(s'|·), p(z'|z), p(d|h)."""

    def __init__(self, spec: SceneSpec, config: Config) -> None:
        super().__init__()
        self.config = config.objective
        s, a, z = spec.n_observation, spec.n_actions, config.encoder.latent
        self.encoder = ENCODERS[config.encoder.kind](s, a, config.encoder)
        self.reward_decoder = (
            RewardDecoder(s, a, z, config.decoder) if self.config.reward_weight > 0 else None
        )
        self.state_decoder = StateDecoder(s, a, z, config.decoder) if self.config.state_weight > 0 else None
        self.task_decoder = (
            TaskDecoder(z, spec.latent_space.size, config.decoder) if self.config.task_weight > 0 else None
        )
        self.prior = LatentPrior(
            z, config.decoder.prior_hidden, config.encoder.logvar_min, config.encoder.logvar_max
        )
        self.termination = TerminationHead(config.encoder.hidden)
        self.contrast = (
            ContrastivePredictor(a, config.encoder, config.contrastive)
            if self.config.contrastive_weight > 0
            else None
        )

    def encode(self, episodes: Episodes) -> Posterior:
        """Posteriors (T + 1, N, ·) of whole episodes."""
        return self.encoder(episodes.states, episodes.actions, episodes.rewards)

    def infer(self, episodes: Episodes) -> Posterior:
        """Posteriors (T + 1, N, ·) as the agent has them while acting: unlike :meth:`encode` never told of session ends."""
        return self.encode(episodes)

    def initial(self, n: int) -> Memory:
        """What N copies remember before their first step."""
        return self.encoder.initial(n)

    def step(self, state: Tensor, action: Tensor, reward: Tensor, memory: Memory) -> tuple[Posterior, Memory]:
        """One step of N copies while acting: (N, S) as the model sees states, (N, A), (N,) → posterior (N, ·)."""
        return self.encoder.step(state, action, reward, memory)

    def session_prior(self, z: Tensor) -> tuple[Tensor, Tensor] | tuple[None, None]:
        """What is expected of a session's first posterior after z, (T, N, Z): mean and logvar; None: nothing special."""
        return self.prior(z) if self.config.prior_conditioning else (None, None)

    def p_session_end(self, posterior: Posterior) -> Tensor:
        """p(d) as ``objective.termination_target`` dates it: (…)."""
        if posterior.p_end is not None:
            return posterior.p_end
        return torch.sigmoid(self.termination(posterior.hidden))

    def update_statistics(self, episodes: Episodes, posterior: Posterior) -> None:
        """Take in what is counted on a batch that was learnt from, not learnt by gradients; here there is nothing."""

    def loss(
        self, episodes: Episodes, posterior: Posterior, generator: torch.Generator | None = None
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """−ELBO + β_c · consistency + λ_d · termination, and its terms unweighted (METHOD, the objective)."""
        weights = self.config
        mean, logvar, hidden = posterior[:3]
        z = posterior.sample(torch.randn(mean.shape, generator=generator, device=mean.device))
        terms: dict[str, Tensor] = {}
        total = mean.new_zeros(())
        if self.reward_decoder is not None or self.state_decoder is not None:
            pairs = objective.reconstruction_pairs(
                episodes.ended,
                weights.session_mask,
                weights.reconstruction_samples,
                weights.reconstruction_reduction == "mean",
                generator,
            )
            if self.reward_decoder is not None:
                log_prob = self.reward_decoder(
                    episodes.states, episodes.actions, episodes.rewards, z, pairs.index
                )
                terms["reconstruction_reward"] = objective.reconstruction(log_prob, pairs.weight)
                total = total - weights.reward_weight * terms["reconstruction_reward"]
            if self.state_decoder is not None:
                log_prob = self.state_decoder(episodes.states, episodes.actions, z, pairs.index)
                terms["reconstruction_state"] = objective.reconstruction(log_prob, pairs.weight)
                total = total - weights.state_weight * terms["reconstruction_state"]
        if self.task_decoder is not None:
            terms["reconstruction_task"] = self.task_decoder(episodes.latents, z).mean()
            total = total - weights.task_weight * terms["reconstruction_task"]
        if weights.kl_weight > 0:
            prior_mean, prior_logvar = self.session_prior(z[:-1])
            terms["kl"] = objective.latent_kl(
                mean, logvar, episodes.ended, prior_mean, prior_logvar, weights.detach_previous
            )
            total = total + weights.kl_weight * terms["kl"]
        if weights.consistency_weight > 0:
            terms["consistency"] = objective.consistency(
                mean, logvar, episodes.ended, weights.detach_session_end
            )
            total = total + weights.consistency_weight * terms["consistency"]
        if weights.termination_weight > 0:
            logit = self.termination(hidden)
            terms["termination"] = objective.termination(logit, episodes.ended, weights.termination_target)
            total = total + weights.termination_weight * terms["termination"]
        if self.contrast is not None:
            outcomes = self.encoder.outcomes(episodes.states[1:], episodes.rewards)
            terms["contrastive"] = self.contrast(hidden, episodes.actions, *outcomes, generator)
            total = total + weights.contrastive_weight * terms["contrastive"]
        return total, terms
