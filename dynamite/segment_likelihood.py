"""How well a transition fits what is believed of a segment: the likelihood that weighs hypotheses of its age.

p(r, s' | age) = E_{z ~ q_age}[p(r, s' | s, a, z)], with q_age the posterior of the encoder run since the hypothesis began
and p the belief model's own decoders (SeCBAD, arXiv 2212.12735). Two choices of ours:

- The expectation is a mean over fixed standard-normal draws pushed through each posterior: the same draws for every age and
  step, so that ages are compared on equal terms and acting has no randomness of its own. (SeCBAD's own code draws one z.)
- The deviation is measured, not configured: ``decoder.reward_std`` is a weight in the loss, while here it decides how much
  one surprise counts. It is the most likely one, of the decoder's configured family, for the errors of predictions from
  posteriors that have not seen the transition yet. (SeCBAD's own code takes a Gaussian of deviation 1.) The error of what
  has been seen already would be far too small: a posterior that knows little decodes the average of what may come, and
  every outcome would then speak against it.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from dynamite.config import DecoderConfig
from dynamite.decoder import FREEDOM, RewardDecoder, StateDecoder, reward_log_prob


class TransitionLikelihood(nn.Module):
    """Args:
    n_observation: S. n_latent: Z.
    config: the decoders'.

    Attributes:
        reward_error: square of the reward's deviation (of its scale, where the family is Student's t), ().
        state_error: of the state's change, per entry, (S,).
    """

    #: Draws of z per posterior.
    N_DRAWS = 8
    #: How much of the errors so far a new batch leaves.
    DECAY = 0.98

    noise: Tensor
    reward_error: Tensor
    state_error: Tensor

    def __init__(self, n_observation: int, n_latent: int, config: DecoderConfig) -> None:
        super().__init__()
        self.config = config
        half = torch.randn(self.N_DRAWS // 2, n_latent, generator=torch.Generator().manual_seed(0))
        self.register_buffer("noise", torch.cat((half, -half)))  # antithetic: their mean is 0
        self.register_buffer("reward_error", torch.tensor(config.reward_std**2))
        self.register_buffer("state_error", torch.ones(n_observation))

    def forward(
        self,
        decoders: tuple[RewardDecoder | None, StateDecoder | None],
        mean: Tensor,
        logvar: Tensor,
        states: Tensor,
        action: Tensor,
        reward: Tensor,
    ) -> Tensor:
        """log p(r, s' | age) up to a constant common to all ages.

        Args:
            mean, logvar: (N, K, Z) of K posteriors before the transition.
            states: (2, N, S) before and after it. action: (N, A). reward: (N,).

        Returns:
            (N, K).
        """
        n, k, width = mean.shape
        z = mean + torch.exp(0.5 * logvar) * self.noise.view(-1, 1, 1, width)  # (M, N, K, Z)
        z = z.transpose(1, 2).reshape(-1, n, width)  # (M · K, N, Z)
        log_prob = z.new_zeros(len(z), n)
        reward_decoder, state_decoder = decoders
        if reward_decoder is not None:
            output = reward_decoder.predict(states, action.unsqueeze(0), z, None)[0]  # (M · K, N)
            log_prob = log_prob + self.of_reward(output, reward)
        if state_decoder is not None:
            change = state_decoder.predict(states, action.unsqueeze(0), z, None)[0]  # (M · K, N, S)
            log_prob = log_prob + self.of_change(change, states[1] - states[0])
        return torch.logsumexp(log_prob.view(-1, k, n), 0).T

    def of_reward(self, output: Tensor, reward: Tensor) -> Tensor:
        """The decoder's output (…), r broadcastable to it → log p (…)."""
        std = float(self.reward_error.sqrt().clamp(min=1e-4))
        return reward_log_prob(output, reward, dataclasses.replace(self.config, reward_std=std))

    def of_change(self, predicted: Tensor, change: Tensor) -> Tensor:
        """(…, S), broadcastable → log p (…), entries independent."""
        return -0.5 * ((change - predicted) ** 2 / self.state_error.clamp(min=1e-8)).sum(-1)

    @torch.no_grad()
    def update(
        self,
        decoders: tuple[RewardDecoder | None, StateDecoder | None],
        mean: Tensor,
        states: Tensor,
        actions: Tensor,
        rewards: Tensor,
    ) -> None:
        """Take in the errors of a batch that was learnt from.

        Args:
            mean: (T + 1, N, Z) of posteriors that know where sessions begin; each foretells the transition that follows.
            states: (T + 1, N, S). actions: (T, N, A). rewards: (T, N).
        """
        n_steps, n = rewards.shape
        following = torch.arange(n_steps, device=rewards.device).view(1, -1, 1).expand(1, n_steps, n)
        reward_decoder, state_decoder = decoders
        if reward_decoder is not None and self.config.reward_likelihood != "bernoulli":
            squared = (rewards - reward_decoder.predict(states, actions, mean[:-1], following)[0]) ** 2
            if self.config.reward_likelihood == "student_t":
                # One step of expectation maximisation towards the scale: large errors count less.
                squared = squared * (1 + FREEDOM) / (FREEDOM + squared / self.reward_error)
            self.reward_error.lerp_(squared.mean(), 1 - self.DECAY)
        if state_decoder is not None:
            change = state_decoder.predict(states, actions, mean[:-1], following)[0]  # (T, N, S)
            wrong = (states[1:] - states[:-1] - change) ** 2
            self.state_error.lerp_(wrong.mean((0, 1)), 1 - self.DECAY)
