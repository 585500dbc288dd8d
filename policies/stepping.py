"""TorchStepper: any agent, one step at a time, by the very modules that it was trained with."""

from __future__ import annotations

import numpy as np
import torch

from dynamite.acting import Decision
from dynamite.agent import Agent
from dynamite.belief import Belief
from dynamite.encoder import Memory, Posterior
from policies.stepper import random_seed


class TorchStepper:
    """Any agent, by the very modules it was trained with, a batch of one.

    Args:
        agent: what was trained.

    Attributes:
        last_action: as :class:`Stepper` has it.
    """

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self.last_action = np.zeros(agent.spec.n_actions, np.float32)
        self._value_scale = 1.0
        if agent.config.normalise_reward:
            self._value_scale = 1.0 / float(agent.return_norm.norm.scale()[1])
        self.reset(0)

    def reset(self, seed: int) -> None:
        self.last_action[:] = 0.0
        entropy = np.random.SeedSequence(random_seed(seed)).generate_state(1)
        self._generator = torch.Generator().manual_seed(int(entropy[0]))
        model = self.agent.belief_model
        self._memory: Memory = model.initial(1) if model is not None else ()

    @torch.no_grad()
    def step(
        self, observation: np.ndarray, reward: float, privileged: np.ndarray | None, draw: bool
    ) -> Decision:
        agent, posterior = self.agent, None
        state = torch.as_tensor(observation, dtype=torch.float32).unsqueeze(0)  # (1, S)
        features = torch.zeros(1, agent.spec.n_privileged)
        if privileged is not None:
            features[0] = torch.as_tensor(privileged)
        if agent.belief_model is not None:
            last_action = torch.from_numpy(self.last_action).unsqueeze(0)
            felt = torch.tensor([reward], dtype=torch.float32)
            posterior, self._memory = agent.belief_model.step(
                agent.model_states(state), last_action, felt, self._memory
            )
        side = agent.normalise_side(agent.side(posterior, features))
        output, value = agent.actor_critic(agent.state_norm(state), side)
        network = agent.actor_critic
        action = network.sample(output, self._generator)[0] if draw else network.mode(output)  # (1, A or 1)
        executed = agent.encode_action(action)[0].numpy()
        self.last_action[:] = executed
        return Decision(
            np.asarray(int(action)) if agent.spec.discrete else executed.copy(),
            None if posterior is None else belief_of(agent, posterior, agent.model_states(state)),
            float(value) * self._value_scale,
        )


def belief_of(agent: Agent, posterior: Posterior, state: torch.Tensor) -> Belief:
    """One copy's posterior as people are shown it: only what was trained to mean something.

    Args:
        posterior: leading axis 1. state: (1, S) as the belief model sees it.
    """
    model, config = agent.belief_model, agent.config
    assert model is not None
    if config.policy.sees_belief:
        mean, logvar = posterior.mean[0].numpy(), posterior.logvar[0].numpy()
    else:
        mean = logvar = np.zeros(0, np.float32)
    p_end = float(model.p_session_end(posterior)) if config.predicts_session_end else None
    fields = {}
    if agent.probe is not None:
        fields = agent.probe.posteriors(agent.probe(agent.readable(posterior, state))[0].numpy())
    return Belief(mean, logvar, p_end, fields)
