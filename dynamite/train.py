"""Training, top to bottom: collect whole episodes → policy update → model and probe updates → log → checkpoint.

    from dynamite import train
    train.train(config, "runs/one", on_progress=print)

All randomness of an iteration derives from the seed and the iteration's number (:mod:`dynamite.seeding`), so a training
resumed from a checkpoint goes on bit for bit as if it had never stopped.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor

from dynamite import seeding
from dynamite.acting import Policy
from dynamite.agent import Agent
from dynamite.buffer import EpisodeBuffer
from dynamite.checkpoint import (
    latest_checkpoint,
    list_checkpoints,
    load_checkpoint,
    pack_optimiser,
    resume_point,
    save_checkpoint,
    unpack_optimiser,
)
from dynamite.config import Config
from dynamite.config_io import save_yaml
from dynamite.device import find_device
from dynamite.errors import NonFiniteError, TrainingError
from dynamite.finite import require_finite, require_finite_weights
from dynamite.imitation import Imitation
from dynamite.model_learner import ModelLearner
from dynamite.policy_learner import make_policy_learner
from dynamite.ppo import PPO
from dynamite.progress import Progress, ProgressLog
from dynamite.rollout import Rollout, collect
from dynamite.vector import VectorScene, make_vector
from scenes.base import SessionEnv
from scenes.errors import InputError

#: Finds a policy by name for one scene; ``policies.load`` is one. Passed in, because policies build on this package.
LoadPolicy = Callable[[str, SessionEnv], Policy]


class Trainer:
    """One training between its iterations.

    Args:
        config: the whole configuration.
        scenes: its copies of the scene.
    """

    def __init__(self, config: Config, scenes: VectorScene) -> None:
        self.config, self.scenes = config, scenes
        torch.manual_seed(seeding.stream_seed(config.train.seed, seeding.INIT, 0))  # initial weights
        self.agent = Agent(scenes.spec, config).to(find_device(config.train.device))
        self.buffer = EpisodeBuffer(config.buffer_episodes)
        self.policy_learner = make_policy_learner(self.agent, self.buffer)
        self.model_learner = ModelLearner(self.agent) if self.agent.belief_model is not None else None
        self.imitation = Imitation(self.agent, self.model_learner) if config.imitation.frames else None
        self.iteration = 0
        self.frames = 0

    @property
    def done(self) -> bool:
        return self.frames >= self.config.train.frames

    @property
    def phase(self) -> str:
        if self.imitation is not None and self.frames < self.config.imitation.frames:
            return "imitation"
        return (
            "model" if self.iteration < self.config.model.pretrain_iterations else self.config.policy.learner
        )

    def iterate(self) -> tuple[Rollout, dict[str, float]]:
        """One iteration: an episode of every copy, and what is learnt from it.

        Raises:
            NonFiniteError: a NaN or infinity, with the iteration; the agent is not to be used any more.
        """
        try:
            return self._iterate()
        except NonFiniteError as error:
            moment = f"iteration {self.iteration} ({self.frames} frames)"
            raise NonFiniteError(f"{moment}: {error.reason}") from error

    def _iterate(self) -> tuple[Rollout, dict[str, float]]:
        config, phase = self.config, self.phase
        seeds = seeding.scene_seeds(config.train.seed, self.iteration, self.scenes.n)
        choose = None
        if phase == "imitation" and self.imitation is not None:
            choose = self.imitation.behaviour(self.frames / config.imitation.frames)
        began = time.perf_counter()
        rollout = collect(self.agent, self.scenes, seeds, self._generator(seeding.ACTIONS), choose)
        metrics = {
            "time/collect_s": time.perf_counter() - began,
            "engine/worker_restarts": float(self.scenes.restarts),
        }

        began = time.perf_counter()
        self.agent.return_norm.update(rollout.rewards)
        self.buffer.add(rollout)
        if self.model_learner is not None:
            self.model_learner.set_lr(config.imitation.model_lr if phase == "imitation" else config.model.lr)
        if phase == "imitation" and self.imitation is not None:
            metrics |= self.imitation.update(self.buffer, self._generator(seeding.MODEL))
            assert isinstance(self.policy_learner, PPO)  # so says Config
            metrics |= self.policy_learner.fit_value(rollout, self._generator(seeding.POLICY))
        else:
            if phase != "model":
                progress = min(1.0, self.frames / config.train.frames)
                metrics |= self.policy_learner.update(rollout, progress, self._generator(seeding.POLICY))
            if self.model_learner is not None and config.model.updates:
                metrics |= self.model_learner.update(self.buffer, self._generator(seeding.MODEL))
        # Last, so that everything above saw the statistics the rollout was drawn with.
        self.agent.state_norm.update(rollout.states)
        if self.agent.side_norm is not None:
            self.agent.side_norm.update(rollout.sides)
        metrics["time/learn_s"] = time.perf_counter() - began
        require_finite(metrics)

        self.iteration += 1
        self.frames += rollout.frames
        if phase == "imitation" and self.phase != "imitation" and self.imitation is not None:
            self.imitation.hand_over()
        return rollout, metrics

    def _generator(self, purpose: int) -> torch.Generator:
        seed = seeding.stream_seed(self.config.train.seed, purpose, self.iteration)
        return torch.Generator(self.agent.device).manual_seed(seed)

    # -- to and from disk
    def save(self, folder: Path) -> Path:
        """Write a checkpoint; never one of weights that are not finite."""
        require_finite_weights(self.agent.state_dict().items())
        training = {f"buffer.{name}": value for name, value in self.buffer.state_dict().items()}
        training |= {f"policy.{name}": value for name, value in self.policy_learner.state_dict().items()}
        for name, optimiser in self._optimisers().items():
            training |= pack_optimiser(f"optimiser.{name}", optimiser)
        counters = {"iteration": self.iteration, "frames": self.frames}
        return save_checkpoint(folder, self.agent, training, counters)

    def restore(self, folder: Path) -> None:
        """Go on from a checkpoint of the same scene and sizes."""
        checkpoint = load_checkpoint(folder)
        if not checkpoint.spec.same_sizes(self.agent.spec):
            raise InputError(str(folder), "a checkpoint of another scene", f"one of {self.config.scene.name}")
        try:
            self.agent.load_state_dict(checkpoint.agent.state_dict())
        except RuntimeError:
            raise InputError(
                str(folder), "weights of other sizes", "the configuration it was trained with"
            ) from None
        for name, optimiser in self._optimisers().items():
            unpack_optimiser(f"optimiser.{name}", optimiser, checkpoint.training)
        device = self.agent.device
        self.buffer.load_state_dict(_under("buffer.", checkpoint.training, device))
        self.policy_learner.load_state_dict(_under("policy.", checkpoint.training, device))
        self.iteration, self.frames = checkpoint.counters["iteration"], checkpoint.counters["frames"]

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        found = self.policy_learner.optimisers()
        if self.model_learner is not None:
            found["model"] = self.model_learner.optimiser
            if self.model_learner.probe_optimiser is not None:
                found["probe"] = self.model_learner.probe_optimiser
        if self.imitation is not None:
            found["imitation"] = self.imitation.optimiser
        return found


def train(
    config: Config,
    run_dir: Path | str,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    load_policy: LoadPolicy | None = None,
    resume: bool = False,
) -> Path:
    """Train until ``config.train.frames`` or until told to stop; both end with a checkpoint.

    Args:
        config: the whole configuration.
        run_dir: gets ``config.yaml``, ``progress.jsonl``, ``tensorboard/`` and ``checkpoints/<frames>/``.
        on_progress: called after every iteration.
        should_stop: asked after every iteration.
        load_policy: finds the teacher of ``config.imitation``.
        resume: go on from the newest checkpoint of ``run_dir`` (a run without one starts).

    Returns:
        The last checkpoint's folder.

    Raises:
        InputError: ``run_dir`` holds a run already and ``resume`` is not set, or the configuration does not fit.
        TrainingError: a NaN or infinity, a worker that cannot be brought back, a full disk; the checkpoints stay.
    """
    run_dir = Path(run_dir)
    if not resume and latest_checkpoint(run_dir) is not None:
        raise InputError("run_dir", str(run_dir), "a folder without checkpoints, or resume")
    newest = resume_point(run_dir)
    torch.set_num_threads(config.train.threads)
    find_device(config.train.device)  # before workers are started in vain
    scenes = make_vector(
        config.scene,
        config.train.copies,
        config.train.workers,
        _teacher(config, load_policy),
        config.train.worker_timeout_s,
        config.train.worker_threads,
    )
    log = None
    try:
        trainer = Trainer(config, scenes)
        if newest is not None:
            trainer.restore(newest)
        log = open_run(run_dir, config, trainer.frames)
        return _loop(trainer, run_dir, log, on_progress or (lambda _: None), should_stop or (lambda: False))
    except TrainingError as error:
        error.checkpoint = latest_checkpoint(run_dir)
        raise
    finally:
        scenes.close()
        if log is not None:
            log.close()


def open_run(run_dir: Path, config: Config, frames: int = 0) -> ProgressLog:
    """The run's folder with its configuration, and its log cut to the ``frames`` that are done.

    Raises:
        InputError: the folder cannot be written.
    """
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        save_yaml(config, run_dir / "config.yaml")
        return ProgressLog(run_dir, frames)
    except OSError as error:
        raise InputError(
            "run_dir", str(run_dir), f"a folder that can be written ({error.strerror})"
        ) from None


def _loop(
    trainer: Trainer,
    run_dir: Path,
    log: ProgressLog,
    on_progress: Callable[[Progress], None],
    should_stop: Callable[[], bool],
) -> Path:
    settings, rate = trainer.config.train, 0.0
    checkpoint = latest_checkpoint(run_dir)
    saved_at = trainer.frames if checkpoint is not None else -1
    while not trainer.done:
        began, phase = time.perf_counter(), trainer.phase
        rollout, metrics = trainer.iterate()
        stop = should_stop()
        due = stop or trainer.done or trainer.frames - max(saved_at, 0) >= settings.checkpoint_every
        folder = run_dir / "checkpoints" / f"{trainer.frames:012d}" if due else None
        fps = rollout.frames / (time.perf_counter() - began)
        rate = fps if rate == 0.0 else 0.9 * rate + 0.1 * fps
        progress = _progress(trainer, rollout, metrics, phase, fps, rate, folder)
        with disk_errors_told(run_dir):
            # The log first: whoever resumes from the checkpoint finds the curve complete up to it.
            log.write(progress)
            if folder is not None:
                log.flush()
                checkpoint = trainer.save(folder)
                saved_at = trainer.frames
                _prune(run_dir, settings.keep_checkpoints)
        on_progress(progress)
        if stop:
            break
    assert checkpoint is not None
    return checkpoint


@contextlib.contextmanager
def disk_errors_told(run_dir: Path) -> Iterator[None]:
    """Turn what a full or lost disk says into one line."""
    try:
        yield
    except OSError as error:
        raise TrainingError(f"{run_dir} cannot be written: {error.strerror or error}") from error


def _progress(
    trainer: Trainer,
    rollout: Rollout,
    metrics: dict[str, float],
    phase: str,
    fps: float,
    rate: float,
    checkpoint: Path | None,
) -> Progress:
    returns = rollout.returns()
    for name, key in (("charts/success_rate", "task_success"), ("charts/scratches", "scratches")):
        value = float(rollout.info_at_end(key).nanmean())
        if value == value:  # NaN: the scene has no such number
            metrics[name] = value
    return Progress(
        iteration=trainer.iteration - 1,
        frames=trainer.frames,
        total_frames=trainer.config.train.frames,
        fps=fps,
        seconds_left=max(0, trainer.config.train.frames - trainer.frames) / max(rate, 1e-9),
        phase=phase,
        return_mean=float(returns.mean()),
        return_std=float(returns.std(unbiased=False)),
        metrics=metrics,
        checkpoint=None if checkpoint is None else str(checkpoint),
    )


def _under(prefix: str, tensors: dict[str, Tensor], device: torch.device) -> dict[str, Tensor]:
    """Those whose names start with ``prefix``, without it, on ``device``."""
    return {name[len(prefix) :]: v.to(device) for name, v in tensors.items() if name.startswith(prefix)}


def _prune(run_dir: Path, keep: int) -> None:
    """Delete all but the newest checkpoints."""
    for folder in list_checkpoints(run_dir)[:-keep]:
        shutil.rmtree(folder, ignore_errors=True)


def _teacher(config: Config, load_policy: LoadPolicy | None) -> Callable[[SessionEnv], Policy] | None:
    if not config.imitation.frames:
        return None
    if load_policy is None:
        raise InputError(
            "imitation.teacher", config.imitation.teacher, "nothing, where no policies can be loaded"
        )
    return functools.partial(load_policy, config.imitation.teacher)
