"""Learning from stored episodes alone (BOReL, arXiv 2008.02598): the belief model on relabelled episodes, then, with the
belief model held still, soft actor-critic on what it believes of relabelled episodes.

    from dynamite.offline import train_offline
    train_offline(configure("gridworld", "borel"), "data.safetensors", "runs/offline")

The scene is never stepped to learn from, only to report a return. A run's folder is what :func:`dynamite.train.train`
writes, with gradient steps where that has frames. It cannot be resumed: a dataset is small enough to begin again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from dynamite import seeding
from dynamite.agent import Agent
from dynamite.buffer import EpisodeBuffer, EpisodeSource
from dynamite.checkpoint import latest_checkpoint, save_checkpoint
from dynamite.config import Config
from dynamite.dataset import load_dataset
from dynamite.finite import require_finite, require_finite_weights
from dynamite.measure import trained
from dynamite.model_learner import ModelLearner
from dynamite.progress import Progress, ProgressLog
from dynamite.relabel import RelabelledSource, Relabeller
from dynamite.rollout import collect
from dynamite.sac import SAC
from dynamite.spec import SceneSpec
from dynamite.train import disk_errors_told, open_run
from dynamite.vector import VectorScene, make_one, make_vector
from scenes.errors import InputError

#: Episodes whose beliefs are computed at once.
CHUNK = 256


class Part(NamedTuple):
    """Some rounds of one phase, ``model`` or ``sac``, of ``each`` gradient steps."""

    phase: str
    rounds: int
    each: int

    @property
    def updates(self) -> int:
        return self.rounds * self.each


class OfflineTrainer:
    """One offline training between its rounds.

    Args:
        config: the whole configuration.
        spec: of the scene.
        episodes: the dataset.
        source: where learners draw from: ``episodes``, or those relabelled.
    """

    def __init__(
        self, config: Config, spec: SceneSpec, episodes: EpisodeBuffer, source: EpisodeSource
    ) -> None:
        self.config, self.episodes, self.source = config, episodes, source
        torch.manual_seed(seeding.stream_seed(config.train.seed, seeding.INIT, 0))  # initial weights
        self.agent = Agent(spec, config)
        self.model_learner = ModelLearner(self.agent) if self.agent.belief_model is not None else None
        self.sac = SAC(self.agent, source)
        self.round, self._beliefs_are_done = 0, False
        self._fit_norms()

    def parts(self) -> list[Part]:
        """What there is to do, cut where it is reported."""
        settings, config, parts = self.config.offline, self.config, []
        phases = [("sac", settings.policy_updates, config.sac.updates)]
        if self.model_learner is not None and config.model.updates:
            phases.insert(0, ("model", settings.model_updates, config.model.updates))
        for phase, updates, each in phases:
            left, most = -(-updates // each), -(-settings.evaluate_every // each)  # rounds
            while left > 0:
                parts.append(Part(phase, min(left, most), each))
                left -= most
        return parts

    def learn(self, part: Part) -> dict[str, float]:
        """One part; the means of what its rounds measured."""
        if part.phase == "sac" and not self._beliefs_are_done:
            self._fit_side_norm()
            self._beliefs_are_done = True
        sums: dict[str, float] = {}
        for _ in range(part.rounds):
            for name, value in self._round(part.phase).items():
                sums[name] = sums.get(name, 0.0) + value
            self.round += 1
        metrics = {name: total / part.rounds for name, total in sums.items()}
        require_finite(metrics)
        return metrics

    def _round(self, phase: str) -> dict[str, float]:
        if phase == "sac":
            return self.sac.learn(self._generator(seeding.POLICY))
        assert self.model_learner is not None
        return self.model_learner.update(self.source, self._generator(seeding.MODEL))

    def play(self, scenes: VectorScene) -> Tensor:
        """Returns (N,) of the policy as it would act now, one episode in every copy."""
        seeds = seeding.scene_seeds(self.config.train.seed, self.round, scenes.n)
        return collect(
            self.agent, scenes, seeds, self._generator(seeding.EVALUATE), trained(self.agent)
        ).returns()

    @torch.no_grad()
    def _fit_side_norm(self) -> None:
        """Take the statistics of beliefs once, when the belief model is done."""
        if self.agent.side_norm is None:
            return
        generator = self._generator(seeding.MODEL)
        sides = []
        for _ in range(-(-self.episodes.size // CHUNK)):
            batch = self.source.sample(min(CHUNK, self.episodes.size), generator)
            sides.append(self.agent.sides(batch.episodes, batch.privileged).flatten(0, 1))
        self.agent.side_norm.update(torch.cat(sides))

    def _fit_norms(self) -> None:
        """Take the statistics of states and returns once, over as many episodes as there are."""
        batch = self.source.sample(self.episodes.size, self._generator(seeding.INIT))
        self.agent.state_norm.update(batch.episodes.states)
        self.agent.return_norm.update(batch.episodes.rewards)

    def _generator(self, purpose: int) -> torch.Generator:
        seed = seeding.stream_seed(self.config.train.seed, purpose, self.round)
        return torch.Generator().manual_seed(seed)


def train_offline(
    config: Config,
    dataset: Path | str,
    run_dir: Path | str,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Path:
    """Learn from a dataset until its gradient steps are done or until told to stop; both end with a checkpoint.

    Args:
        config: ``policy.learner`` must be sac; section offline says how long.
        dataset: as :func:`dynamite.dataset.load_dataset` takes it.
        run_dir: gets ``config.yaml``, ``progress.jsonl``, ``tensorboard/`` and ``checkpoints/<gradient steps>/``.
        on_progress: called after every ``offline.evaluate_every`` gradient steps. ``frames`` counts these steps; the return
            is NaN while the belief model learns.
        should_stop: asked as often.

    Returns:
        The checkpoint's folder.

    Raises:
        InputError: ``run_dir`` holds a run already, the dataset is not the scene's, or the configuration does not fit.
    """
    run_dir = Path(run_dir)
    if latest_checkpoint(run_dir) is not None:
        raise InputError("run_dir", str(run_dir), "a folder without checkpoints")
    if config.policy.learner != "sac":
        raise InputError("policy.learner", config.policy.learner, "sac, to learn offline (variant borel)")
    if config.train.device == "cuda":
        raise InputError("train.device", "cuda", "cpu or auto: offline learning is on the CPU")
    torch.set_num_threads(config.train.threads)
    episodes, spec = load_dataset(dataset)
    scene = make_one(config.scene)
    scenes = make_vector(config.scene, config.train.copies, config.train.workers)
    log = None
    try:
        if not spec.same_sizes(scenes.spec):
            raise InputError(
                "dataset", str(dataset), f"episodes of the configured scene, {config.scene.name}"
            )
        if config.offline.relabel and config.policy.sees_privileged:
            raise InputError(
                "offline.relabel", True, "false with policy.sees_privileged: features are not relabelled"
            )
        source = RelabelledSource(episodes, Relabeller(scene)) if config.offline.relabel else episodes
        trainer = OfflineTrainer(config, scenes.spec, episodes, source)
        log = open_run(run_dir, config)
        return _loop(
            trainer, scenes, run_dir, log, on_progress or (lambda _: None), should_stop or (lambda: False)
        )
    finally:
        scene.close()
        scenes.close()
        if log is not None:
            log.close()


def _loop(
    trainer: OfflineTrainer,
    scenes: VectorScene,
    run_dir: Path,
    log: ProgressLog,
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> Path:
    parts = trainer.parts()
    total, done = sum(part.updates for part in parts), 0
    for number, part in enumerate(parts):
        began = time.perf_counter()
        metrics = trainer.learn(part)
        returns = trainer.play(scenes) if part.phase == "sac" else torch.full((1,), torch.nan)
        done += part.updates
        rate = part.updates / (time.perf_counter() - began)
        last = should_stop() or number == len(parts) - 1
        folder = run_dir / "checkpoints" / f"{done:012d}" if last else None
        progress = Progress(
            iteration=number,
            frames=done,
            total_frames=total,
            fps=rate,
            seconds_left=(total - done) / rate,
            phase=part.phase,
            return_mean=float(returns.mean()),
            return_std=float(returns.std(unbiased=False)),
            metrics=metrics,
            checkpoint=None if folder is None else str(folder),
        )
        with disk_errors_told(run_dir):
            log.write(progress)
            if folder is not None:
                require_finite_weights(trainer.agent.state_dict().items())
                save_checkpoint(folder, trainer.agent, {}, {"updates": done})
        on_progress(progress)
        if folder is not None:
            return folder
    raise AssertionError("policy_updates is 1 or more")
