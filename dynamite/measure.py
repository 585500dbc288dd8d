"""Measures of a trained agent, from whole episodes of many copies at once.

What a single policy does step by step is scored by :mod:`dynamite.evaluate`; here the agent plays as it was trained, in
parallel copies, but acts as its configuration says a trained agent should (``policy.deterministic``).

============================ ==========================================================================================
value                        meaning
============================ ==========================================================================================
``episodes``                 how many
``return_mean``              undiscounted return of an episode; ``return_std`` over episodes
``return_low, return_high``  95 % bootstrap interval of the mean over episodes
``return_p05`` … ``_p95``    quantiles over episodes
``success_rate``             share of episodes in which the scene's success rule was met; None without one
``changes``                  changes of the latent within an episode, all episodes together
``adapt_median``             steps from a change to the first full reward under the new latent (:func:`recovery_after`), in a
                             scene that has one; ``adapt_p25, adapt_p75``; ``adapt_share``: of the changes, those so
                             recovered from before the session ended
``belief_nll``               −log p(true latent) by the probe on the belief, summed over fields, mean over steps
``belief_entropy``           of the probe's belief, summed over fields
``belief_cover50, _cover90`` how often the 50 % and 90 % credible regions hold the truth, mean over fields
``end_precision, _recall``   of session ends, by alarms of the belief's p(d) at threshold ½; ``end_delay`` median steps
``end_ece``                  expected calibration error of p(d); ``end_nll`` its cross-entropy, to be compared with
``end_base_nll``             that of always saying the base rate
============================ ==========================================================================================

A value that does not exist (a belief of an agent that has none) is None.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dynamite import seeding
from dynamite.agent import Agent
from dynamite.belief_scores import read_probe
from dynamite.config import SceneConfig
from dynamite.metrics import (
    adaptation_curve,
    cross_entropy,
    detection_curve,
    recovery_after,
    reliability,
    session_end_detection,
)
from dynamite.objective import termination_pairs
from dynamite.rollout import Behaviour, Rollout, collect
from dynamite.stats import describe
from dynamite.variants import configure
from dynamite.vector import Snapshot, make_vector
from scenes.errors import InputError
from scenes.registry import find_scene

#: Copies that play together, at most: of a scene that steps as arrays, and of one that steps as objects. Of the latter each
#: has a world of its own, and more of them than a processor's cache holds slow each other down.
ARRAY_COPIES, OBJECT_COPIES = 1024, 8
#: Silence between episodes put end to end, so that an alarm never belongs to an end of the episode before.
_TOLERANCE = 10


@dataclass(frozen=True)
class Measurement:
    """Attributes:
    values: as the module's table lists them.
    curves: columns of equal length each. ``adaptation``: ``lag``, ``reward``, ``changes``; ``termination``:
        ``predicted``, ``observed``, ``count``; ``detection``: ``threshold``, ``precision``, ``recall`` of session ends.
    """

    values: dict[str, float | int | None]
    curves: dict[str, dict[str, list[float]]] = field(default_factory=dict)


def measure(
    agent: Agent, scene: SceneConfig, episodes: int, seed: int, choose: Behaviour | None = None
) -> Measurement:
    """Play and measure.

    Args:
        scene: what to play in; need not be what the agent was trained in.
        seed: episode k is reset with ``seed + k``; where copies step as arrays, one stream serves all of a batch.
        choose: how actions come from the actor's output; by default as the agent's configuration says.

    Raises:
        InputError: no episodes, or a scene of other sizes.
    """
    choose = choose or trained(agent)
    return summarise(
        [look(agent, rollout) for rollout in _play(agent.eval(), scene, episodes, seed, choose)], scene
    )


def measure_random(
    scene: SceneConfig, episodes: int, seed: int, should_stop: Callable[[], bool] = lambda: False
) -> Measurement:
    """The same for uniformly random actions.

    Raises:
        Stopped: ``should_stop`` said so.
    """
    with torch.random.fork_rng():
        agent = Agent(_spec(scene), configure(scene.name, "markov"))  # stands in: its output is not used
    return measure(agent, scene, episodes, seed, heeding(uniform(agent), should_stop))


# ------------------------------------------------------------------------------------------------ behaviours
def trained(agent: Agent) -> Behaviour:
    """As the agent's configuration says a trained agent acts."""

    def choose(output: Tensor, now: Snapshot, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if not agent.config.policy.deterministic:
            return agent.actor_critic.sample(output, generator)
        return agent.actor_critic.mode(output), torch.zeros(len(output))

    return choose


def uniform(agent: Agent) -> Behaviour:
    """Actions drawn uniformly, whatever the agent says."""

    def choose(output: Tensor, now: Snapshot, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        n = len(output)
        if agent.spec.discrete:
            action = torch.randint(agent.spec.n_actions, (n, 1), generator=generator).to(output.dtype)
        else:
            action = 2 * torch.rand(n, agent.spec.n_actions, generator=generator) - 1
        return action, torch.zeros(n)

    return choose


class Stopped(Exception):
    """A measurement was told to stop; what it has seen until then is no measure."""


def heeding(choose: Behaviour, should_stop: Callable[[], bool]) -> Behaviour:
    """``choose``, which raises :class:`Stopped` at the first step after ``should_stop`` says so."""

    def heedful(output: Tensor, now: Snapshot, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        if should_stop():
            raise Stopped
        return choose(output, now, generator)

    return heedful


# ------------------------------------------------------------------------------------------------ one batch
@dataclass(frozen=True)
class Seen:
    """What is kept of a batch of n episodes.

    Attributes:
        rewards, ended, changed: (T, n); ``changed``: the latent after the step is another than during it.
        success: (n,), NaN where the scene has no such rule.
        forces: tool forces above zero, any length.
        belief: (T, n) per name (``nll``, ``entropy``, ``cover50``, ``cover90``, and ``<field>.nll`` …), or empty.
        p_end: (T + 1, n) that the belief says, or None. target: what it speaks of.
    """

    rewards: np.ndarray
    ended: np.ndarray
    changed: np.ndarray
    success: np.ndarray
    forces: np.ndarray
    belief: dict[str, np.ndarray]
    p_end: np.ndarray | None
    target: str


@torch.no_grad()
def look(agent: Agent, rollout: Rollout) -> Seen:
    """Reduce a rollout to what measures need."""
    episodes = rollout.episodes()
    latents = episodes.latents
    p_end, belief = None, {}
    if agent.belief_model is not None:
        states = agent.model_states(episodes.states)
        posterior = agent.belief_model.infer(replace(episodes, states=states))
        if agent.config.predicts_session_end:
            p_end = agent.belief_model.p_session_end(posterior).numpy()
        if agent.probe is not None:
            belief = _score_belief(agent, agent.probe(agent.readable(posterior, states))[:-1], latents[:-1])
    forces = rollout.info[..., 2].numpy()
    return Seen(
        rewards=rollout.rewards.numpy(),
        ended=rollout.ended.numpy(),
        changed=(latents[1:] != latents[:-1]).any(-1).numpy(),
        success=rollout.info_at_end("task_success").numpy(),
        forces=forces[forces > 0],  # NaN compares false
        belief=belief,
        p_end=p_end,
        target=agent.config.objective.termination_target,
    )


def _score_belief(agent: Agent, outputs: Tensor, latents: Tensor) -> dict[str, np.ndarray]:
    """(T, n, O) of the probe, (T, n, D) → scores (T, n): totals, and each field's where there are several."""
    assert agent.probe is not None
    probe, shape = agent.probe, outputs.shape[:2]
    flat, truths = outputs.flatten(0, 1).double().numpy(), latents.flatten(0, 1).double().numpy()
    grid = (probe.config.n_axial, probe.config.n_angle)
    scores: dict[str, dict[str, np.ndarray]] = {}
    at = start = 0
    for entry, width in zip(probe.space.fields, probe.widths, strict=True):
        one = read_probe(entry, flat[:, at : at + width], truths[:, start : start + entry.size], grid)
        at, start = at + width, start + entry.size
        scores[entry.name] = {
            "nll": one.nll(),
            "entropy": one.entropy(),
            "cover50": one.covered(0.5),
            "cover90": one.covered(0.9),
        }
    gathered: dict[str, np.ndarray] = {}
    for name, gather in (("nll", np.sum), ("entropy", np.sum), ("cover50", np.mean), ("cover90", np.mean)):
        gathered[name] = gather([field[name] for field in scores.values()], axis=0).reshape(shape)
    if len(scores) > 1:
        for key, field_scores in scores.items():
            gathered |= {f"{key}.{name}": value.reshape(shape) for name, value in field_scores.items()}
    return gathered


# ------------------------------------------------------------------------------------------------ all batches
def summarise(batches: list[Seen], scene: SceneConfig) -> Measurement:
    """The table's values and the curves, over all episodes."""

    def joined(name: str) -> np.ndarray:
        return np.concatenate([getattr(seen, name) for seen in batches], -1)

    rewards, ended, changed, success = map(joined, ("rewards", "ended", "changed", "success"))
    values: dict[str, Any] = _returns(rewards.sum(0, dtype=np.float64))
    met = success[~np.isnan(success)]
    values["success_rate"] = float(met.mean()) if len(met) else None
    forces = joined("forces")
    values["force_p95_n"] = float(np.percentile(forces, 95)) if len(forces) else None
    values["changes"] = int((ended[:-1] & changed[:-1]).sum())
    values |= _adaptation(rewards, ended, changed, _full_reward(scene.name))
    lag, reward, n = adaptation_curve(rewards, ended, changed)
    curves = {"adaptation": {"lag": _list(lag), "reward": _list(reward), "changes": _list(n)}}
    for name in ("nll", "entropy", "cover50", "cover90", *batches[0].belief):
        scored = [seen.belief[name] for seen in batches if name in seen.belief]
        values[f"belief_{name}"] = float(np.concatenate(scored, -1).mean()) if scored else None
    p_end = joined("p_end") if batches[0].p_end is not None else None
    ends, curve = _session_ends(p_end, ended, batches[0].target)
    return Measurement(values | ends, curves | curve)


def _returns(returns: np.ndarray) -> dict[str, float | int]:
    quantiles = {
        f"return_p{share:02d}": float(np.percentile(returns, share)) for share in (5, 25, 50, 75, 95)
    }
    described = {f"return_{name}": value for name, value in describe(returns).items()}
    return {"episodes": len(returns), **described, **quantiles}


def _adaptation(
    rewards: np.ndarray, ended: np.ndarray, changed: np.ndarray, level: float | None
) -> dict[str, float | None]:
    names = ("adapt_median", "adapt_p25", "adapt_p75", "adapt_share")
    if level is None or not (ended[:-1] & changed[:-1]).any():
        return dict.fromkeys(names)
    recovery = recovery_after(rewards, ended, changed, level)
    numbers = [recovery.quantile(share) for share in (0.5, 0.25, 0.75)]
    return dict(zip(names, [*numbers, float(recovery.paid.mean())], strict=True))


def _session_ends(
    p_end: np.ndarray | None, ended: np.ndarray, target: str
) -> tuple[dict[str, float | None], dict[str, dict[str, list[float]]]]:
    names = ("end_precision", "end_recall", "end_delay", "end_ece", "end_nll", "end_base_nll")
    if p_end is None:
        return dict.fromkeys(names), {}
    silence = np.zeros((_TOLERANCE + 1, ended.shape[1]))
    # p after step u is what the head says at u + 1; columns are episodes, put end to end.
    said = np.concatenate((p_end[1:], silence)).T.ravel()
    true = np.concatenate((ended, silence)).T.ravel()
    found = session_end_detection(said, true, tolerance=_TOLERANCE)
    pairs = termination_pairs(torch.from_numpy(p_end), torch.from_numpy(ended), target)
    predicted, happened = (values.numpy().ravel() for values in pairs)
    bins = reliability(predicted, happened)
    rate = np.full(len(happened), happened.mean())
    numbers = [found.precision, found.recall, found.delay, bins.error]
    numbers += [cross_entropy(predicted, happened), cross_entropy(rate, happened)]
    curve = {
        "predicted": _list(bins.predicted),
        "observed": _list(bins.observed),
        "count": _list(bins.count),
    }
    weighed = {
        name: [float(f"{x:.6g}") for x in column]
        for name, column in detection_curve(said, true, _TOLERANCE).items()
    }
    return dict(zip(names, numbers, strict=True)), {"termination": curve, "detection": weighed}


# ------------------------------------------------------------------------------------------------ playing
def _play(agent: Agent, scene: SceneConfig, episodes: int, seed: int, choose: Behaviour):
    """Rollouts of ``episodes`` episodes in all."""
    if episodes < 1:
        raise InputError("episodes", episodes, "a whole number, 1 or more")
    arrays = hasattr(find_scene(scene.name).load(), "vector")
    batches = math.ceil(episodes / (ARRAY_COPIES if arrays else OBJECT_COPIES))
    scenes = make_vector(scene, math.ceil(episodes / batches))  # all alike: none plays for nothing
    try:
        if not scenes.spec.same_sizes(agent.spec):
            raise InputError(
                "evaluation.scene", scene.name, f"a scene with {agent.spec.n_observation} observations"
            )
        for first in range(0, episodes, scenes.n):
            generator = torch.Generator().manual_seed(
                seeding.stream_seed(seed, seeding.EVALUATE, first // scenes.n)
            )
            rollout = collect(
                agent, scenes, np.arange(seed + first, seed + first + scenes.n), generator, choose
            )
            yield _first(rollout, min(scenes.n, episodes - first))
    finally:
        scenes.close()


def _first(rollout: Rollout, n: int) -> Rollout:
    """The first n episodes."""
    return Rollout(**{name: tensor[:, :n] for name, tensor in vars(rollout).items()})


def _spec(scene: SceneConfig):
    scenes = make_vector(scene, 1)
    try:
        return scenes.spec
    finally:
        scenes.close()


def _full_reward(scene: str) -> float | None:
    """What a scene pays for having what is wanted, where its file names such a reward."""
    return getattr(importlib.import_module(find_scene(scene).module), "GOAL_REWARD", None)


def _list(values: np.ndarray) -> list[float]:
    return [float(f"{value:.6g}") for value in values]
