"""Evaluation: a policy plays some episodes of a scene, and one row of numbers comes back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamite.acting import Policy, play
from dynamite.metrics import adaptation_times, median_time
from dynamite.stats import describe
from scenes.base import SessionEnv
from scenes.errors import InputError


@dataclass(frozen=True)
class Trace:
    """What is kept of one episode, per step: (T,) each.

    Attributes:
        forces: ``tool_force_n``; NaN where the scene has none.
        success: of the whole episode.
        scratches: in the whole episode, None where the scene counts none.
    """

    rewards: np.ndarray
    sessions: np.ndarray
    forces: np.ndarray
    success: bool
    scratches: int | None


def play_episode(scene: SessionEnv, policy: Policy, seed: int) -> Trace:
    """One episode's trace."""
    rewards, sessions, forces = [], [], []
    info: dict[str, Any] = {}
    for frame in play(scene, policy, seed):
        if frame.t == 0:
            continue
        info = frame.info
        rewards.append(frame.reward)
        sessions.append(info["session"])
        forces.append(float(info.get("tool_force_n", np.nan)))
    scratches = info.get("scratches")
    return Trace(
        np.array(rewards),
        np.array(sessions),
        np.array(forces),
        bool(info["task_success"]),
        None if scratches is None else int(scratches),
    )


def evaluate(
    scene_factory: Callable[[], SessionEnv],
    policy: Policy,
    episodes: int,
    seed: int,
    oracle: Policy | None = None,
    reference_returns: tuple[float, float] | None = None,
    on_episode: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Play ``episodes`` episodes with seeds ``seed``, ``seed + 1``, … and measure.

    Args:
        scene_factory: makes the scene; closed here.
        policy: who plays.
        oracle: plays the same seeds beside it, and gives the rates that adaptation is measured against
            (:func:`dynamite.metrics.adaptation_times`); else the policy's own rates before each change do.
        reference_returns: mean returns of random actions and of an oracle, for ``oracle_share``.
        on_episode: called with the number of episodes done.

    Returns:
        =========================== ================================================================
        ``return_mean``             undiscounted return of an episode
        ``return_std``              over episodes
        ``return_ci95``             [low, high], bootstrap of the mean
        ``oracle_share``            (mean − random) / (oracle − random), or None
        ``success_rate``            share of episodes in which the scene's success rule was met
        ``scratches_mean``          per episode, None where the scene counts none
        ``adaptation_steps_median`` None where no change could be measured, or half were never adapted to
        ``force_p95_n``             95th percentile of the tool's contact force over steps in contact, or None
        ``sessions``                in all episodes together
        ``env_steps_per_s``         with the policy's own time in it, the oracle's not
        =========================== ================================================================

    Raises:
        InputError: no episodes.
    """
    if episodes < 1:
        raise InputError("episodes", episodes, "a whole number, 1 or more")
    scene = scene_factory()
    traces, times, seconds = [], [], 0.0
    try:
        for k in range(episodes):
            began = time.perf_counter()
            trace = play_episode(scene, policy, seed + k)
            seconds += time.perf_counter() - began
            beside = play_episode(scene, oracle, seed + k).rewards if oracle is not None else None
            times += adaptation_times(trace.rewards, trace.sessions, beside)
            traces.append(trace)
            if on_episode is not None:
                on_episode(k + 1)
    finally:
        scene.close()
    returns = np.array([trace.rewards.sum() for trace in traces])
    described = describe(returns)
    mean, share = described["mean"], None
    if reference_returns is not None and reference_returns[1] > reference_returns[0]:
        share = (mean - reference_returns[0]) / (reference_returns[1] - reference_returns[0])
    forces = np.concatenate([trace.forces for trace in traces])
    touching = forces[forces > 0.0]  # NaN compares false
    scratches = [trace.scratches for trace in traces if trace.scratches is not None]
    return {
        "return_mean": mean,
        "return_std": described["std"],
        "return_ci95": [described["low"], described["high"]],
        "oracle_share": share,
        "success_rate": float(np.mean([trace.success for trace in traces])),
        "scratches_mean": float(np.mean(scratches)) if scratches else None,
        "adaptation_steps_median": median_time(times),
        "force_p95_n": float(np.percentile(touching, 95)) if len(touching) else None,
        "sessions": int(sum(trace.sessions[-1] + 1 for trace in traces)),
        "env_steps_per_s": len(forces) / max(seconds, 1e-9),
    }
