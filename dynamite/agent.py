"""The agent: belief model, actor-critic, probe and the normalisers between them, as one module with one state_dict."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from dynamite.actor_critic import ActorCritic, PolicyNetwork
from dynamite.belief_model import BeliefModel, Episodes
from dynamite.config import Config
from dynamite.encoder import Posterior
from dynamite.normalise import ReturnNorm, RunningNorm
from dynamite.probe import LatentProbe
from dynamite.segment_model import SegmentBeliefModel
from dynamite.soft_actor_critic import SoftActorCritic
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
        self.belief_model = _belief_model(spec, config) if config.has_belief else None
        self.probe = (
            LatentProbe(
                spec.latent_space,
                (2 * config.encoder.latent if sees.sees_belief else config.encoder.hidden)
                + (spec.n_observation if config.probe.sees_state else 0),
                config.probe,
            )
            if config.has_belief and config.probe.enabled
            else None
        )
        self.n_side = (
            (2 * config.encoder.latent if sees.sees_belief else 0)
            + (config.encoder.hidden if sees.sees_hidden else 0)
            + (1 if sees.sees_termination else 0)
            + (spec.n_privileged if sees.sees_privileged else 0)
        )
        sizes = spec.n_observation, self.n_side, spec.n_actions, spec.discrete
        self.actor_critic: PolicyNetwork = (
            SoftActorCritic(*sizes, config.sac) if sees.learner == "sac" else ActorCritic(*sizes, sees)
        )
        self.state_norm = RunningNorm(spec.n_observation)
        self.side_norm = RunningNorm(self.n_side) if self.n_side else None
        self.return_norm = ReturnNorm(config.gamma)

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return self.state_norm.mean.device

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
                parts.append(self.belief_model.p_session_end(posterior).unsqueeze(-1))
        if sees.sees_privileged:
            parts.append(privileged)
        return torch.cat(parts, -1) if parts else privileged.new_zeros(*privileged.shape[:-1], 0)

    def readable(self, posterior: Posterior, states: Tensor) -> Tensor:
        """What the probe reads, (…, I): (μ, log σ²), or h where the policy sees h alone and q(z|h) is nobody's; and the
        state where ``probe.sees_state``.

        Args:
            states: (…, S) as the belief model sees them.
        """
        read = [posterior.mean, posterior.logvar] if self.config.policy.sees_belief else [posterior.hidden]
        return torch.cat((*read, states), -1) if self.config.probe.sees_state else torch.cat(read, -1)

    def normalise_side(self, side: Tensor) -> Tensor:
        return self.side_norm(side) if self.side_norm is not None else side

    def model_states(self, states: Tensor) -> Tensor:
        """States as the belief model sees them."""
        return self.state_norm(states) if self.config.model.normalise_state else states

    def sides(self, episodes: Episodes, privileged: Tensor) -> Tensor:
        """:meth:`side` of every step of whole episodes, with the belief model as it is now: (T + 1, N, B).

        Args:
            episodes: states raw.
            privileged: (T + 1, N, P).
        """
        posterior = None
        if self.belief_model is not None:
            states = self.model_states(episodes.states)
            posterior = self.belief_model.infer(dataclasses.replace(episodes, states=states))
        return self.side(posterior, privileged)

    def see(self, episodes: Episodes, privileged: Tensor) -> tuple[Tensor, Tensor]:
        """What the policy sees of whole episodes: states (T + 1, N, S) and :meth:`sides`, both normalised."""
        return self.state_norm(episodes.states), self.normalise_side(self.sides(episodes, privileged))

    def scale_rewards(self, rewards: Tensor) -> Tensor:
        """Raw rewards in the units that values are in."""
        return self.return_norm(rewards) if self.config.normalise_reward else rewards

    def encode_action(self, actions: Tensor) -> Tensor:
        """Actions as they were executed, for the model: clipped (N, A), or a one-hot of (N, 1) numbers."""
        if self.spec.discrete:
            return torch.nn.functional.one_hot(actions.squeeze(-1).long(), self.spec.n_actions).float()
        return torch.clamp(actions, -1.0, 1.0)


def _belief_model(spec: SceneSpec, config: Config) -> BeliefModel:
    """The kind of belief model the configuration asks for."""
    return (SegmentBeliefModel if config.encoder.hypotheses else BeliefModel)(spec, config)
