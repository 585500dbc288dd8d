"""``robot-app train``."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import tyro

from robot_app.commands.base import Flag, KeyValues, Verb, print_json, say

if TYPE_CHECKING:
    from dynamite.config import Config


@dataclass(frozen=True, kw_only=True)
class Train(Verb):
    """Train a policy; Ctrl-C finishes the iteration, writes a checkpoint and prints how to go on.

    The run's folder gets config.yaml, progress.jsonl, TensorBoard files and checkpoints. A run's folder is what
    --policy of the other verbs takes.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app train --scene scratch_itch --variant dynamite",
        "robot-app train --run-dir runs/long --set train.frames=20000000 --set ppo.lr=3e-4",
        "robot-app train --run-dir runs/long --resume",
    )

    scene: str = "scratch_itch"
    """Name of the scene (`robot-app scenes` lists them)."""
    variant: str = "dynamite"
    """Learning variant, such as dynamite, varibad, markov or oracle."""
    run_dir: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """The run's folder; by default runs/SCENE-VARIANT-sSEED."""
    config: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A YAML file on top of the scene's preset."""
    set: Annotated[KeyValues, tyro.conf.arg(metavar="SECTION.FIELD=VALUE")] = ()
    """A field of the configuration, such as train.frames=100000 or scene.options.controller=responsive."""
    resume: Flag = False
    """Go on from the newest checkpoint of the run's folder, with the configuration it holds."""
    json: Flag = False
    """One JSON line per iteration, and a last one with the checkpoint."""

    def run(self) -> int:
        from dynamite.vector import make_one

        # First of all: a mistake is told before PyTorch is imported.
        config, run_dir = self._configure()
        make_one(config.scene).close()

        from dynamite.checkpoint import latest_checkpoint
        from dynamite.train import train
        from policies import load
        from robot_app.interrupt import Interrupt
        from robot_app.training_progress import TrainingProgress
        from scenes.errors import InputError

        newest = latest_checkpoint(run_dir)
        if newest is not None and not self.resume:
            raise InputError("--run-dir", str(run_dir), "a folder without checkpoints, or --resume")
        if newest is None and self.resume:
            raise InputError("--resume", str(run_dir), "the folder of a run with checkpoints")
        with Interrupt() as interrupt, TrainingProgress(config.train.frames, as_json=self.json) as progress:
            last = train(
                config,
                run_dir,
                on_progress=progress,
                should_stop=interrupt.is_set,
                load_policy=load if config.imitation.frames else None,
                resume=self.resume,
            )
        finished = progress.frames >= config.train.frames
        again = self._resume_command(run_dir)
        if self.json:
            print_json({"checkpoint": str(last), "finished": finished, "resume": None if finished else again})
        else:
            say(f"checkpoint  {last}")
            say(f"curves      tensorboard --logdir {shlex.quote(str(run_dir / 'tensorboard'))}")
            say(
                f"evaluate    robot-app evaluate --scene {config.scene.name} --policy {shlex.quote(str(run_dir))}"
            )
            if not finished:
                say(f"resume      {again}")
        return 0 if finished else 130

    def _configure(self) -> tuple[Config, Path]:
        """The whole configuration, and the run's folder."""
        from dynamite.config_io import load_yaml, parse_overrides
        from dynamite.variants import configure
        from scenes.registry import find_scene

        find_scene(self.scene)
        overrides = parse_overrides(list(self.set))
        config = self._with_options(configure(self.scene, self.variant), overrides)
        run_dir = self.run_dir or Path("runs") / f"{config.scene.name}-{config.variant}-s{config.train.seed}"
        if self.resume and (run_dir / "config.yaml").is_file():  # what the run was started with
            config = self._with_options(load_yaml(run_dir / "config.yaml"), overrides)
        return config, run_dir

    def _with_options(self, config: Config, overrides: dict[str, Any]) -> Config:
        from dynamite.config_io import load_yaml, with_overrides

        return with_overrides(config if self.config is None else load_yaml(self.config, config), overrides)

    def _resume_command(self, run_dir: Path) -> str:
        return f"robot-app train --run-dir {shlex.quote(str(run_dir))} --resume"


COMMAND = Train
