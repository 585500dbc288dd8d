"""Jobs that evaluate a policy which exists already."""

from __future__ import annotations

import importlib
from typing import Any

from dynamite.checkpoint import load_checkpoint
from dynamite.config import SceneConfig
from dynamite.evaluate import evaluate
from dynamite.measure import Measurement, measure, measure_random
from dynamite.sweep.job import Job, PolicySource
from dynamite.vector import make_one


def find_source(name: str, scene: SceneConfig, policies: str = "policies") -> PolicySource:
    """An existing policy and the digest of its folder.

    Args:
        policies: the module that knows policies by name; it stands above this package.

    Raises:
        InputError: there is none of that name for the scene.
    """
    module = importlib.import_module(policies)
    folder = module.find_folder(name, scene.name)
    return PolicySource(name, None if folder is None else module.digest(folder))


def measure_policy(job: Job, policies: str) -> Measurement:
    """Measure ``job.source``: an agent as :mod:`dynamite.measure` does, a scripted policy step by step."""
    assert isinstance(job.source, PolicySource)
    module: Any = importlib.import_module(policies)
    name = job.source.name
    if name == "random":
        return measure_random(job.scene, job.episodes, job.seed)
    folder = module.find_folder(name, job.scene.name)
    if folder is not None:
        return measure(load_checkpoint(folder).agent, job.scene, job.episodes, job.seed)
    scene = make_one(job.scene)
    try:
        policy = module.load(name, scene)
        scores = evaluate(lambda: make_one(job.scene), policy, job.episodes, job.seed)
    finally:
        scene.close()
    low, high = scores["return_ci95"]
    kept = ("return_mean", "return_std", "success_rate", "force_p95_n")
    values = {"episodes": job.episodes, **{key: scores[key] for key in kept}}
    return Measurement(values | {"return_low": low, "return_high": high})
