"""NumpyStepper: the common agent as arrays, for one copy and one step at a time.

One step of these small networks is a dozen matrix-vector products; in numpy that takes a fraction of PyTorch's time,
whose calls cost more than their arithmetic. It knows the on-policy actor-critic and the GRU encoder of the plain belief
model; every other agent acts through :class:`policies.stepping.TorchStepper`. A test holds both equal to the batched
agent, to 1e-5.
"""

from __future__ import annotations

import numpy as np

from dynamite.acting import Decision
from dynamite.actor_critic import ActorCritic
from dynamite.agent import Agent
from dynamite.belief import Belief, FieldPosterior
from dynamite.belief_model import BeliefModel
from dynamite.encoder import GRUEncoder
from dynamite.normalise import RunningNorm
from dynamite.probe import posteriors_from
from policies.stepping import random_seed

Layer = tuple[np.ndarray, np.ndarray]


def fits(agent: Agent) -> bool:
    """Whether the agent is of the kind that is known here."""
    model = agent.belief_model
    known = model is None or (type(model) is BeliefModel and type(model.encoder) is GRUEncoder)
    return known and type(agent.actor_critic) is ActorCritic


class NumpyStepper:
    """Args:
        agent: one that :func:`fits`; its weights are copied.

    Attributes:
        last_action: (A,) what was executed last, as the encoder sees it.
    """

    def __init__(self, agent: Agent) -> None:
        model, head = agent.belief_model, agent.actor_critic
        assert isinstance(head, ActorCritic)
        self.spec, self.discrete = agent.spec, agent.spec.discrete
        self._sees = agent.config.policy
        self._state_norm = _norm(agent.state_norm)
        self._side_norm = _norm(agent.side_norm) if agent.side_norm is not None else None
        self._value_scale = 1.0
        if agent.config.normalise_reward:
            self._value_scale = 1.0 / float(agent.return_norm.norm.scale()[1])
        self._std = np.ones(0, np.float32) if head.log_std is None else _array(head.deviation().exp())
        self.last_action = np.zeros(self.spec.n_actions, np.float32)

        embeddings = [head.embed_state] + ([head.embed_side] if head.embed_side is not None else [])
        self._embed = _block([_layer(m) for m in embeddings])
        # Actor and critic have the same shape: their layers are stacked into one product each.
        actor, critic = _layers(head.actor), _layers(head.critic)
        self._shared = [_stack([actor[0], critic[0]]), *map(_block, zip(actor[1:], critic[1:], strict=True))]

        self._has_belief = model is not None
        self._probe: list[Layer] = []
        self._probe_sees_state = False
        if model is not None:
            encoder = model.encoder
            assert isinstance(encoder, GRUEncoder)
            parts = [encoder.embed_state, encoder.embed_reward]
            self._sees_action = encoder.embed_action is not None
            if encoder.embed_action is not None:
                parts.append(encoder.embed_action)
            self._encode = _block([_layer(m) for m in parts])
            self._mix = None if encoder.mix is None else _layer(encoder.mix)
            gru = encoder.gru
            self._gate_in: Layer = (_array(gru.weight_ih_l0), _array(gru.bias_ih_l0))
            self._gate_hidden: Layer = (_array(gru.weight_hh_l0), _array(gru.bias_hh_l0))
            heads = [encoder.head_mean, encoder.head_logvar, model.termination.linear]
            self._heads = _stack([_layer(m) for m in heads])
            self._n_latent = agent.config.encoder.latent
            self._logvar = (agent.config.encoder.logvar_min, agent.config.encoder.logvar_max)
            self._gain = agent.config.encoder.reward_gain
            self._model_norm = agent.config.model.normalise_state
            self._predicts_end = agent.config.predicts_session_end
            self._n_hidden = agent.config.encoder.hidden
        if agent.probe is not None:
            self._probe = _layers(agent.probe.net)
            self._probe_sees_state = agent.config.probe.sees_state
            self._widths = agent.probe.widths
            self._grid = (agent.config.probe.n_axial, agent.config.probe.n_angle)
        self.reset(0)

    def reset(self, seed: int) -> None:
        self._rng = np.random.default_rng(random_seed(seed))
        self.last_action[:] = 0.0
        if self._has_belief:
            self._hidden = np.zeros(self._n_hidden, np.float32)

    def step(
        self, observation: np.ndarray, reward: float, privileged: np.ndarray | None, draw: bool
    ) -> Decision:
        raw = np.asarray(observation, np.float32)
        state = _apply_norm(raw, self._state_norm)
        belief: Belief | None = None
        side: list[np.ndarray] = []
        if self._has_belief:
            belief, side = self._believe(state if self._model_norm else raw, reward)
        if privileged is not None:
            side.append(np.asarray(privileged, np.float32))
        seen = state
        if self._side_norm is not None:
            seen = np.concatenate((state, _apply_norm(np.concatenate(side), self._side_norm)))
        x = np.tanh(_linear(self._embed, seen))
        for layer in self._shared[:-1]:
            x = np.tanh(_linear(layer, x))
        output = _linear(self._shared[-1], x)
        return Decision(self._choose(output[:-1], draw), belief, float(output[-1]) * self._value_scale)

    def _choose(self, output: np.ndarray, draw: bool) -> np.ndarray:
        """The action that the actor's output (A,) leads to, which is executed."""
        if self.discrete:
            number = int((output + self._rng.gumbel(size=output.shape) if draw else output).argmax())
            self.last_action[:] = 0.0
            self.last_action[number] = 1.0
            return np.asarray(number)
        if draw:
            output = output + self._std * self._rng.standard_normal(output.shape, dtype=np.float32)
        action = np.clip(output, -1.0, 1.0).astype(np.float32)
        self.last_action[:] = action
        return action

    def _believe(self, state: np.ndarray, reward: float) -> tuple[Belief, list[np.ndarray]]:
        """One GRU step: the belief to show, and what of it the policy sees, in the order of ``Agent.side``."""
        self._hidden = self._remember(state, reward)
        heads, z = _linear(self._heads, self._hidden), self._n_latent
        mean = heads[:z]
        logvar = np.minimum(np.maximum(heads[z : 2 * z], self._logvar[0]), self._logvar[1])
        p_end = 1.0 / (1.0 + float(np.exp(-heads[2 * z])))
        side: list[np.ndarray] = []
        if self._sees.sees_belief:
            side += [mean, logvar]
        else:
            mean = logvar = np.zeros(0, np.float32)  # never trained
        if self._sees.sees_hidden:
            side.append(self._hidden)
        if self._sees.sees_termination:
            side.append(np.array([p_end], np.float32))
        read = np.concatenate((mean, logvar)) if self._sees.sees_belief else self._hidden
        if self._probe_sees_state:
            read = np.concatenate((read, state))
        return Belief(mean, logvar, p_end if self._predicts_end else None, self._fields(read)), side

    def _remember(self, state: np.ndarray, reward: float) -> np.ndarray:
        """h after this step, (H,)."""
        r = np.float32(reward)
        felt = np.array([np.sign(r) * np.log1p(abs(r)), min(3.0, max(-3.0, self._gain * r))], np.float32)
        inputs = (state, felt, self.last_action) if self._sees_action else (state, felt)
        embedded = np.maximum(_linear(self._encode, np.concatenate(inputs)), 0.0)
        if self._mix is not None:
            embedded = np.maximum(_linear(self._mix, embedded), 0.0)
        n, hidden = self._n_hidden, self._hidden
        a, b = _linear(self._gate_in, embedded), _linear(self._gate_hidden, hidden)
        gates = 1.0 / (1.0 + np.exp(-(a[: 2 * n] + b[: 2 * n])))
        reset, update = gates[:n], gates[n:]
        candidate = np.tanh(a[2 * n :] + reset * b[2 * n :])
        return candidate + update * (hidden - candidate)

    def _fields(self, read: np.ndarray) -> dict[str, FieldPosterior]:
        if not self._probe:
            return {}
        x = read
        for layer in self._probe[:-1]:
            x = np.maximum(_linear(layer, x), 0.0)
        return posteriors_from(_linear(self._probe[-1], x), self.spec.latent_space, self._widths, self._grid)


def _linear(layer: Layer, x: np.ndarray) -> np.ndarray:
    return layer[0] @ x + layer[1]


def _array(tensor) -> np.ndarray:
    return np.ascontiguousarray(tensor.detach().numpy(), np.float32)


def _layer(linear) -> Layer:
    return _array(linear.weight), _array(linear.bias)


def _layers(network) -> list[Layer]:
    """The linear layers of a Sequential."""
    return [_layer(module) for module in network if hasattr(module, "weight")]


def _stack(layers: list[Layer]) -> Layer:
    """Layers that share their input as one."""
    return np.concatenate([w for w, _ in layers]), np.concatenate([b for _, b in layers])


def _block(layers: list[Layer] | tuple[Layer, ...]) -> Layer:
    """Layers side by side, each with its own part of the input, as one block-diagonal layer."""
    rows, columns = sum(w.shape[0] for w, _ in layers), sum(w.shape[1] for w, _ in layers)
    weight, row, column = np.zeros((rows, columns), np.float32), 0, 0
    for w, _ in layers:
        weight[row : row + w.shape[0], column : column + w.shape[1]] = w
        row, column = row + w.shape[0], column + w.shape[1]
    return weight, np.concatenate([b for _, b in layers])


def _norm(norm: RunningNorm) -> tuple[np.ndarray, np.ndarray, float]:
    mean, inverse = norm.scale()
    return _array(mean), _array(inverse), norm.limit


def _apply_norm(x: np.ndarray, norm: tuple[np.ndarray, np.ndarray, float]) -> np.ndarray:
    mean, inverse, limit = norm
    return np.minimum(np.maximum((x - mean) * inverse, -limit), limit)
