"""The agent: belief model, actor-critic, probe and the normalisers between them, as one module with one state_dict."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dynamite.actor_critic import ActorCritic
from dynamite.belief_model import BeliefModel
from dynamite.config import Config
from dynamite.encoder import Posterior
from dynamite.normalise import ReturnNorm, RunningNorm
from dynamite.probe import LatentProbe
from dynamite.spec import SceneSpec


class Agent(nn.Module):
    """Everything that is learnt in one training.

    Args:
        spec: the scene's sizes.
        config: which inputs the policy sees decides which parts exist.

    Attributes:
        belief_model: None where the policy sees no belief.
        probe: None where there is no belief or it is switched off.
        n_side: B, entries of the policy's second input.
    """

    def __init__(self, spec: SceneSpec, config: Config) -> None:
        super().__init__()
        self.spec, self.config = spec, config
        sees = config.policy
        self.belief_model = BeliefModel(spec, config) if config.has_belief else None
        self.probe = (
            LatentProbe(spec.latent_space, config.encoder.latent, config.probe)
            if config.has_belief and config.probe.enabled
            else None
        )
        self.n_side = (
            (2 * config.encoder.latent if sees.sees_belief else 0)
            + (config.encoder.hidden if sees.sees_hidden else 0)
            + (1 if sees.sees_termination else 0)
            + (spec.n_privileged if sees.sees_privileged else 0)
        )
        self.actor_critic = ActorCritic(spec.n_observation, self.n_side, spec.n_actions, spec.discrete, sees)
        self.state_norm = RunningNorm(spec.n_observation)
        self.side_norm = RunningNorm(self.n_side) if self.n_side else None
        self.return_norm = ReturnNorm(config.ppo.gamma)

    def side(self, posterior: Posterior | None, privileged: Tensor) -> Tensor:
        """The policy's second input before normalisation: (…, B)."""
        sees, parts = self.config.policy, []
        if posterior is not None:
            if sees.sees_belief:
                parts += [posterior.mean, posterior.logvar]
            if sees.sees_hidden:
                parts.append(posterior.hidden)
            if sees.sees_termination:
                assert self.belief_model is not None
                parts.append(torch.sigmoid(self.belief_model.termination(posterior.hidden)).unsqueeze(-1))
        if sees.sees_privileged:
            parts.append(privileged)
        return torch.cat(parts, -1) if parts else privileged.new_zeros(*privileged.shape[:-1], 0)

    def normalise_side(self, side: Tensor) -> Tensor:
        return self.side_norm(side) if self.side_norm is not None else side

    def model_states(self, states: Tensor) -> Tensor:
        """States as the belief model sees them."""
        return self.state_norm(states) if self.config.model.normalise_state else states

    def encode_action(self, actions: Tensor) -> Tensor:
        """Actions as they were executed, for the model: clipped (N, A), or a one-hot of (N, 1) numbers."""
        if self.spec.discrete:
            return torch.nn.functional.one_hot(actions.squeeze(-1).long(), self.spec.n_actions).float()
        return torch.clamp(actions, -1.0, 1.0)
