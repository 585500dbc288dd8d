"""NumpyStepper: the common agent as arrays, for one copy and one step at a time.

One step of these small networks is a dozen matrix-vector products; in numpy that takes a fraction of PyTorch's time,
whose calls cost more than their arithmetic. It knows the on-policy actor-critic and the GRU encoder of the plain belief
model; every other agent acts through :class:`policies.stepping.TorchStepper`. A test holds both equal to the batched
agent, to 1e-5.
"""

from __future__ import annotations

import numpy as np

from dynamite.acting import Decision
from dynamite.belief import Belief, FieldPosterior, posteriors_from
from dynamite.checkpoint_files import Stored
from dynamite.config import Config
from policies.stepper import random_seed

Layer = tuple[np.ndarray, np.ndarray]
Arrays = dict[str, np.ndarray]


def fits(config: Config) -> bool:
    """Whether an agent so configured is of the kind that is known here."""
    known = not config.has_belief or (config.encoder.kind == "gru" and not config.encoder.hypotheses)
    return known and config.policy.learner != "sac"


class NumpyStepper:
    """Args:
        stored: a checkpoint whose configuration :func:`fits`.

    Attributes:
        last_action: (A,) what was executed last, as the encoder sees it.

    Raises:
        KeyError, ValueError: weights that do not fit the configuration.
    """

    def __init__(self, stored: Stored) -> None:
        spec, config, arrays = stored.spec, stored.config, stored.arrays
        self.spec, self.discrete = spec, spec.discrete
        self._sees = config.policy
        self._state_norm = _norm(arrays, "state_norm")
        self._side_norm = _norm(arrays, "side_norm") if "side_norm.mean" in arrays else None
        self._value_scale = 1.0
        if config.normalise_reward:
            self._value_scale = 1.0 / float(_norm(arrays, "return_norm.norm")[1].item())
        self._std = np.ones(0, np.float32)
        if not spec.discrete:
            log_std = np.maximum(arrays["actor_critic.log_std"], np.float32(config.policy.min_log_std))
            self._std = np.exp(log_std.astype(np.float64)).astype(np.float32)
        self.last_action = np.zeros(spec.n_actions, np.float32)

        embeddings = ["embed_state"] + (["embed_side"] if self._side_norm is not None else [])
        self._embed = _block([_layer(arrays, f"actor_critic.{name}") for name in embeddings])
        # Actor and critic have the same shape: their layers are stacked into one product each.
        actor, critic = _layers(arrays, "actor_critic.actor"), _layers(arrays, "actor_critic.critic")
        self._shared = [_stack([actor[0], critic[0]]), *map(_block, zip(actor[1:], critic[1:], strict=True))]

        self._has_belief = config.has_belief
        self._probe: list[Layer] = []
        self._probe_sees_state = False
        if self._has_belief:
            self._take_encoder(config, arrays)
            if config.probe.enabled:
                self._probe = _layers(arrays, "probe.net")
                self._probe_sees_state = config.probe.sees_state
                self._grid = (config.probe.n_axial, config.probe.n_angle)
        self.reset(0)
        self._try()

    def _take_encoder(self, config: Config, arrays: Arrays) -> None:
        parts = ["embed_state", "embed_reward"]
        self._sees_action = bool(config.encoder.action_embedding)
        if self._sees_action:
            parts.append("embed_action")
        encoder = "belief_model.encoder"
        self._encode = _block([_layer(arrays, f"{encoder}.{name}") for name in parts])
        self._mix = _layer(arrays, f"{encoder}.mix") if config.encoder.mixing else None
        self._gate_in = _layer(arrays, f"{encoder}.gru", "{}_ih_l0")
        self._gate_hidden = _layer(arrays, f"{encoder}.gru", "{}_hh_l0")
        heads = [f"{encoder}.head_mean", f"{encoder}.head_logvar", "belief_model.termination.linear"]
        self._heads = _stack([_layer(arrays, name) for name in heads])
        self._n_latent = config.encoder.latent
        self._logvar = (config.encoder.logvar_min, config.encoder.logvar_max)
        self._gain = config.encoder.reward_gain
        self._model_norm = config.model.normalise_state
        self._predicts_end = config.predicts_session_end
        self._n_hidden = config.encoder.hidden

    def _try(self) -> None:
        """One step that nobody keeps: weights of other sizes fail here."""
        privileged = np.zeros(self.spec.n_privileged, np.float32) if self._sees.sees_privileged else None
        self.step(np.zeros(self.spec.n_observation, np.float32), 0.0, privileged, draw=not self.discrete)
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
        return posteriors_from(_linear(self._probe[-1], x), self.spec.latent_space, self._grid)


def _linear(layer: Layer, x: np.ndarray) -> np.ndarray:
    return layer[0] @ x + layer[1]


def _layer(arrays: Arrays, name: str, pattern: str = "{}") -> Layer:
    weight, bias = (arrays[f"{name}.{pattern.format(what)}"] for what in ("weight", "bias"))
    return weight, bias


def _layers(arrays: Arrays, name: str) -> list[Layer]:
    """The linear layers of a Sequential, where every other module is an activation."""
    n = sum(key.startswith(f"{name}.") and key.endswith(".weight") for key in arrays)
    return [_layer(arrays, f"{name}.{2 * i}") for i in range(n)]


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


def _norm(arrays: Arrays, name: str, limit: float = 10.0) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, 1/deviation and bound of a ``RunningNorm``, as it computes them."""
    mean, var = arrays[f"{name}.mean"], arrays[f"{name}.var"]
    return mean.astype(np.float32), (1.0 / np.sqrt(var + 1e-8)).astype(np.float32), limit


def _apply_norm(x: np.ndarray, norm: tuple[np.ndarray, np.ndarray, float]) -> np.ndarray:
    mean, inverse, limit = norm
    return np.minimum(np.maximum((x - mean) * inverse, -limit), limit)
