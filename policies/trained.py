"""TrainedPolicy: runs a checkpoint step by step.

One step of these small networks is a dozen matrix-vector products; in numpy that takes a third of PyTorch's time, whose
calls cost more than their arithmetic. A test holds the two equal to 1e-5.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dynamite.acting import Decision
from dynamite.agent import Agent
from dynamite.belief import Belief
from dynamite.checkpoint import latest_checkpoint, load_checkpoint
from dynamite.normalise import RunningNorm
from dynamite.probe import posteriors_from
from dynamite.spec import SceneSpec
from scenes.base import Privileged, SessionEnv
from scenes.errors import InputError

Layer = tuple[np.ndarray, np.ndarray]


def find_checkpoint(folder: Path) -> Path:
    """``folder`` itself if it is a checkpoint, else the newest one of the run it holds."""
    if (folder / "manifest.json").is_file():
        return folder
    newest = latest_checkpoint(folder)
    if newest is None:
        raise InputError(
            "policy", str(folder), "a folder with manifest.json, or a run's folder with checkpoints"
        )
    return newest


class TrainedPolicy:
    """Args:
    folder: a checkpoint.
    scene: the scene it will act in; its sizes must be those it was trained with.
    name: for reports; the folder's path by default.
    deterministic: take the mean or most likely action; else draw from π; None: as its configuration says.
    """

    def __init__(
        self,
        folder: Path | str,
        scene: SessionEnv,
        name: str | None = None,
        deterministic: bool | None = None,
    ) -> None:
        checkpoint = load_checkpoint(folder)
        spec = SceneSpec.of(scene)
        if not checkpoint.spec.same_sizes(spec):
            theirs = (
                f"trained in {checkpoint.config.scene.name} with {checkpoint.spec.n_observation} observations"
            )
            raise InputError(
                str(folder), theirs, f"a checkpoint for {spec.n_observation} observations, this scene's"
            )
        self.name = name or str(folder)
        self.config = checkpoint.config
        self.deterministic = self.config.policy.deterministic if deterministic is None else deterministic
        self.needs_privileged = checkpoint.config.policy.sees_privileged
        self._network = StepNetwork(checkpoint.agent)
        self.reset(0)

    def reset(self, seed: int) -> None:
        # A stream of its own: the scene is seeded with the same number.
        self._rng = np.random.default_rng([seed, 2])
        self._network.reset()

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if self.needs_privileged and privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        features = privileged.features if self.needs_privileged and privileged is not None else None
        network = self._network
        output, value, belief = network.step(observation, reward, features)
        if network.discrete:
            if self.deterministic:
                number = int(output.argmax())
            else:
                number = int((output + self._rng.gumbel(size=output.shape)).argmax())
            network.last_action[:] = 0.0
            network.last_action[number] = 1.0
            return Decision(np.asarray(number), belief, value)
        if not self.deterministic:
            output = output + network.std * self._rng.standard_normal(output.shape, dtype=np.float32)
        action = np.clip(output, -1.0, 1.0).astype(np.float32)
        network.last_action[:] = action
        return Decision(action, belief, value)


class StepNetwork:
    """An agent's networks as arrays, for one copy and one step at a time.

    Args:
        agent: what was trained; its weights are copied.

    Attributes:
        last_action: (A,) what was executed last; written by whoever chose it.
        std: (A,) deviation of a Gaussian policy.
    """

    def __init__(self, agent: Agent) -> None:
        model, head = agent.belief_model, agent.actor_critic
        self.spec, self.discrete = agent.spec, agent.spec.discrete
        self._sees = agent.config.policy
        self._state_norm = _norm(agent.state_norm)
        self._side_norm = _norm(agent.side_norm) if agent.side_norm is not None else None
        self._value_scale = 1.0
        if agent.config.ppo.normalise_reward:
            self._value_scale = 1.0 / float(agent.return_norm.norm.scale()[1])
        self.std = np.ones(0, np.float32) if head.log_std is None else _array(head.deviation().exp())
        self.last_action = np.zeros(self.spec.n_actions, np.float32)

        embeddings = [head.embed_state] + ([head.embed_side] if head.embed_side is not None else [])
        self._embed = _block([_layer(m) for m in embeddings])
        # Actor and critic have the same shape: their layers are stacked into one product each.
        actor, critic = _layers(head.actor), _layers(head.critic)
        self._shared = [_stack([actor[0], critic[0]]), *map(_block, zip(actor[1:], critic[1:], strict=True))]

        self._has_belief = model is not None
        self._probe: list[Layer] = []
        if model is not None:
            encoder = model.encoder
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
            self._predicts_end = agent.config.objective.termination_weight > 0
            self._n_hidden = agent.config.encoder.hidden
        if agent.probe is not None:
            self._probe = _layers(agent.probe.net)
            self._widths = agent.probe.widths
            self._grid = (agent.config.probe.n_axial, agent.config.probe.n_angle)
        self.reset()

    def reset(self) -> None:
        self.last_action[:] = 0.0
        if self._has_belief:
            self._hidden = np.zeros(self._n_hidden, np.float32)

    def step(
        self, observation: np.ndarray, reward: float, privileged: np.ndarray | None
    ) -> tuple[np.ndarray, float, Belief | None]:
        """Actor's output (A,), value in reward units, belief."""
        raw = np.asarray(observation, np.float32)
        state = _apply_norm(raw, self._state_norm)
        belief, side = None, []
        if self._has_belief:
            mean, logvar, p_end = self._update_belief(state if self._model_norm else raw, reward)
            side += [mean, logvar]
            if self._sees.sees_termination:
                side.append(np.array([p_end], np.float32))
            belief = Belief(mean, logvar, p_end if self._predicts_end else None, self._fields(mean, logvar))
        if privileged is not None:
            side.append(np.asarray(privileged, np.float32))
        seen = state
        if self._side_norm is not None:
            seen = np.concatenate((state, _apply_norm(np.concatenate(side), self._side_norm)))
        x = np.tanh(_linear(self._embed, seen))
        for layer in self._shared[:-1]:
            x = np.tanh(_linear(layer, x))
        output = _linear(self._shared[-1], x)
        return output[:-1], float(output[-1]) * self._value_scale, belief

    def _update_belief(self, state: np.ndarray, reward: float) -> tuple[np.ndarray, np.ndarray, float]:
        """One GRU step: mean (Z,), logvar (Z,), p(d)."""
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
        self._hidden = candidate + update * (hidden - candidate)
        heads, z = _linear(self._heads, self._hidden), self._n_latent
        logvar = np.minimum(np.maximum(heads[z : 2 * z], self._logvar[0]), self._logvar[1])
        return heads[:z], logvar, 1.0 / (1.0 + float(np.exp(-heads[2 * z])))

    def _fields(self, mean: np.ndarray, logvar: np.ndarray) -> dict:
        if not self._probe:
            return {}
        x = np.concatenate((mean, logvar))
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
