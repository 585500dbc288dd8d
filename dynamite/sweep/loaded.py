"""Jobs that evaluate a policy which exists already."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from dynamite.acting import Policy, play
from dynamite.agent import Agent
from dynamite.checkpoint import load_checkpoint
from dynamite.config import SceneConfig
from dynamite.measure import (
    Measurement,
    Seen,
    Stopped,
    heeding,
    measure,
    measure_random,
    summarise,
    trained,
)
from dynamite.sweep.job import Job, PolicySource
from dynamite.vector import make_one
from scenes.base import SessionEnv
from scenes.errors import InputError


def find_source(name: str, scene: SceneConfig, policies: str = "policies") -> PolicySource:
    """An existing policy and the digest of its folder.

    A checkpoint that does not belong to the package is named by its whole path, so that a job finds it from wherever it is
    run; where it lies is no part of the job's identity, what it holds is.

    Args:
        policies: the module that knows policies by name; it stands above this package.

    Raises:
        InputError: there is none of that name for the scene.
    """
    module: Any = importlib.import_module(policies)
    folder = module.find_folder(name, scene.name)
    if folder is None:
        return PolicySource(name, None)
    packaged = module.PRETRAINED in folder.parents
    return PolicySource(name if packaged else str(folder.resolve()), module.digest(folder))


def measure_policy(job: Job, policies: str, should_stop: Callable[[], bool] = lambda: False) -> Measurement:
    """Measure ``job.source``: an agent as :mod:`dynamite.measure` does, a scripted policy step by step.

    Raises:
        InputError: the policy is gone, is another by now, or does not fit the scene.
        Stopped: ``should_stop`` said so.
    """
    assert isinstance(job.source, PolicySource)
    module: Any = importlib.import_module(policies)
    name = job.source.name
    if name == "random":
        return measure_random(job.scene, job.episodes, job.seed, should_stop)
    folder = module.find_folder(name, job.scene.name)
    if folder is not None:
        found = module.digest(folder)
        if found != job.source.sha256:
            raise InputError(
                name, f"sha256 {found[:12]}…", f"{str(job.source.sha256)[:12]}…, as it was planned"
            )
        return measure_agent(load_checkpoint(folder).agent, job, should_stop)
    scene = make_one(job.scene)
    try:
        policy = module.load(name, scene)
        episodes = [watch(scene, policy, job.seed + k, should_stop) for k in range(job.episodes)]
    finally:
        scene.close()
    return summarise(episodes, job.scene)


def measure_agent(agent: Agent, job: Job, should_stop: Callable[[], bool]) -> Measurement:
    """Measure ``agent`` as ``job`` says.

    Raises:
        Stopped: ``should_stop`` said so.
    """
    return measure(agent, job.scene, job.episodes, job.seed, heeding(trained(agent), should_stop))


def watch(
    scene: SessionEnv, policy: Policy, seed: int, should_stop: Callable[[], bool] = lambda: False
) -> Seen:
    """One episode of a policy that has no belief, as a batch of one.

    Raises:
        Stopped: ``should_stop`` said so.
    """
    rewards, ended, changed, forces = [], [], [], []
    latent, info = np.empty(0), None
    for frame in play(scene, policy, seed):
        if should_stop():
            raise Stopped
        info, before, latent = frame.info, latent, scene.latent_space.to_vector(frame.latent)
        if frame.t == 0:
            continue
        rewards.append(frame.reward)
        ended.append(info["session_ended"])
        changed.append((latent != before).any())
        forces.append(float(info.get("tool_force_n", np.nan)))
    assert info is not None
    force = np.array(forces)
    return Seen(
        rewards=np.array(rewards, np.float32)[:, None],
        ended=np.array(ended)[:, None],
        changed=np.array(changed)[:, None],
        success=np.array([float(info["task_success"])]),
        forces=force[force > 0],  # NaN compares false
        belief={},
        p_end=None,
        target="",
    )
