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

import torch
from torch import Tensor

from dynamite import seeding
from dynamite.agent import Agent
from dynamite.buffer import EpisodeBuffer, EpisodeSource
from dynamite.checkpoint import latest_checkpoint, save_checkpoint
from dynamite.config import Config
from dynamite.config_io import save_yaml
from dynamite.dataset import load_dataset
from dynamite.finite import require_finite, require_finite_weights
from dynamite.model_learner import ModelLearner
from dynamite.progress import Progress, ProgressLog
from dynamite.relabel import RelabelledSource, Relabeller
from dynamite.rollout import collect
from dynamite.sac import SAC
from dynamite.spec import SceneSpec
from dynamite.vector import VectorScene, make_one, make_vector
from scenes.errors import InputError

#: Episodes whose beliefs are computed at once.
CHUNK = 256


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
        self.round = 0
        self._fit_norms()

    def learn_beliefs(self, updates: int) -> dict[str, float]:
        """``updates`` or a few more steps of the belief model, and of the probe beside it."""
        assert self.model_learner is not None
        return self._repeat(updates, self.config.model.updates, seeding.MODEL, self._update_model)

    def learn_policy(self, updates: int) -> dict[str, float]:
        """``updates`` or a few more steps of soft actor-critic."""
        return self._repeat(updates, self.config.sac.updates, seeding.POLICY, self.sac.learn)

    def play(self, scenes: VectorScene) -> Tensor:
        """Returns (N,) of the policy as it would act now, one episode in every copy."""
        network = self.agent.actor_critic
        seeds = seeding.scene_seeds(self.config.train.seed, self.round, scenes.n)
        generator = torch.Generator().manual_seed(
            seeding.stream_seed(self.config.train.seed, seeding.EVALUATE, self.round)
        )
        act = None
        if self.config.policy.deterministic:
            act = lambda output, now, generator: (network.mode(output), output.new_zeros(len(output)))  # noqa: E731
        return collect(self.agent, scenes, seeds, generator, act).returns()

    @torch.no_grad()
    def fit_side_norm(self) -> None:
        """Take the beliefs' statistics once, when the belief model is done."""
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

    def _update_model(self, generator: torch.Generator) -> dict[str, float]:
        assert self.model_learner is not None
        return self.model_learner.update(self.source, generator)

    def _repeat(
        self,
        updates: int,
        each: int,
        purpose: int,
        learn: Callable[[torch.Generator], dict[str, float]],
    ) -> dict[str, float]:
        """Rounds of ``each`` updates; the mean of what they measured."""
        rounds = -(-updates // each)
        sums: dict[str, float] = {}
        for _ in range(rounds):
            for name, value in learn(self._generator(purpose)).items():
                sums[name] = sums.get(name, 0.0) + value
            self.round += 1
        metrics = {name: total / rounds for name, total in sums.items()}
        require_finite(metrics)
        return metrics

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
        run_dir.mkdir(parents=True, exist_ok=True)
        save_yaml(config, run_dir / "config.yaml")
        log = ProgressLog(run_dir)
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
    settings = trainer.config.offline
    model_updates = settings.model_updates if trainer.model_learner is not None else 0
    total, done, rate = model_updates + settings.policy_updates, 0, 0.0
    for phase, updates in (("model", model_updates), ("sac", settings.policy_updates)):
        if phase == "sac":
            trainer.fit_side_norm()
        left = updates
        while left > 0:
            part, began = min(left, settings.evaluate_every), time.perf_counter()
            metrics = trainer.learn_beliefs(part) if phase == "model" else trainer.learn_policy(part)
            returns = trainer.play(scenes) if phase == "sac" else torch.full((1,), torch.nan)
            left, done = left - part, done + part
            rate = part / (time.perf_counter() - began)
            stop = should_stop()
            written = None
            if done == total or stop:
                require_finite_weights(trainer.agent.state_dict().items())
                written = save_checkpoint(
                    run_dir / "checkpoints" / f"{done:012d}", trainer.agent, {}, {"updates": done}
                )
            progress = Progress(
                iteration=trainer.round,
                frames=done,
                total_frames=total,
                fps=rate,
                seconds_left=(total - done) / rate,
                phase=phase,
                return_mean=float(returns.mean()),
                return_std=float(returns.std(unbiased=False)),
                metrics=metrics,
                checkpoint=None if written is None else str(written),
            )
            log.write(progress)
            on_progress(progress)
            if written is not None:
                return written
    raise AssertionError("policy_updates is 1 or more")
