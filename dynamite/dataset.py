"""Datasets: whole episodes of one scene on disk, for learning offline.

A dataset is one safetensors file, or a training's checkpoint, whose episode buffer is one: what a policy did while it
learnt, from bad to good. To record one by policies of any kind::

    python -m dynamite.dataset --scene gridworld --policy random --policy runs/one --episodes 200 --out data.safetensors
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from dynamite.acting import Policy, play
from dynamite.buffer import EpisodeBuffer
from dynamite.checkpoint import latest_checkpoint, load_checkpoint
from dynamite.files import write_atomic
from dynamite.spec import SceneSpec
from scenes.base import SessionEnv
from scenes.errors import InputError

FORMAT = "dynamite-episodes/1"


def record(scene: SessionEnv, policies: Sequence[Policy], episodes: int, seed: int) -> EpisodeBuffer:
    """Play ``episodes`` episodes by each policy, with seeds ``seed``, ``seed + 1``, …"""
    spec = SceneSpec.of(scene)
    buffer = EpisodeBuffer(len(policies) * episodes)
    for number in range(buffer.capacity):
        buffer.add_tensors(_record_one(scene, spec, policies[number // episodes], seed + number))
    return buffer


def _record_one(scene: SessionEnv, spec: SceneSpec, policy: Policy, seed: int) -> dict[str, Tensor]:
    """One episode under the names a buffer keeps, (T or T + 1, 1, …) each."""
    states, actions, rewards, ended, latents, privileged = [], [], [], [], [], []
    for frame in play(scene, policy, seed):
        truth = scene.privileged()
        states.append(frame.observation)
        latents.append(truth.vector)
        privileged.append(truth.features)
        if frame.t > 0:
            rewards.append(frame.reward)
            ended.append(frame.info["session_ended"])
        if not frame.done:
            action = frame.decision.action
            actions.append(
                np.eye(spec.n_actions)[int(action)] if spec.discrete else np.clip(action, -1.0, 1.0)
            )

    def tensor(values: list) -> Tensor:
        return torch.from_numpy(np.asarray(values, np.float32)).unsqueeze(1)

    return {
        "states": tensor(states),
        "executed": tensor(actions),
        "rewards": tensor(rewards),
        "ended": tensor(ended).bool(),
        "latents": tensor(latents),
        "privileged": tensor(privileged),
        "teacher": torch.zeros(len(states), 1, 0),
    }


def save_dataset(path: Path | str, buffer: EpisodeBuffer, spec: SceneSpec) -> None:
    """Write a buffer's episodes, whole or not at all."""
    metadata = {"format": FORMAT, "spec": json.dumps(spec.to_json())}
    write_atomic(Path(path), save(buffer.state_dict(), metadata))


def load_dataset(path: Path | str) -> tuple[EpisodeBuffer, SceneSpec]:
    """Read a dataset: its file, a checkpoint's folder, or a run's folder (its newest checkpoint).

    Raises:
        InputError: none of these, damaged, or without episodes.
    """
    path = Path(path)
    allowed = "a dataset's file, or the folder of a checkpoint or a run"
    if path.is_dir():
        folder = path if (path / "manifest.json").is_file() else latest_checkpoint(path)
        if folder is None:
            raise InputError("dataset", str(path), allowed)
        checkpoint = load_checkpoint(folder)
        spec = checkpoint.spec
        kept = {
            k.removeprefix("buffer."): v for k, v in checkpoint.training.items() if k.startswith("buffer.")
        }
    else:
        try:
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
                kept = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
        except (OSError, SafetensorError):
            raise InputError("dataset", str(path), allowed) from None
        if metadata.get("format") != FORMAT:
            raise InputError("dataset", str(path), f"a file of format {FORMAT}")
        spec = SceneSpec.from_json(json.loads(metadata["spec"]), str(path))
    if "rewards" not in kept:
        raise InputError("dataset", str(path), "a checkpoint that holds episodes, not an export")
    buffer = EpisodeBuffer(kept["rewards"].shape[1])
    buffer.load_state_dict(kept)
    return buffer, spec


def main(load_policy: Callable[[str, SessionEnv], Policy]) -> int:
    from scenes import make_scene

    parser = argparse.ArgumentParser(prog="python -m dynamite.dataset", description="Record a dataset.")
    parser.add_argument("--scene", default="gridworld")
    parser.add_argument(
        "--policy", action="append", required=True, help="a policy's name or folder; repeatable"
    )
    parser.add_argument("--episodes", type=int, default=100, help="by each policy")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    try:
        if arguments.episodes < 1:
            raise InputError("--episodes", arguments.episodes, "a whole number, 1 or more")
        scene = make_scene(arguments.scene)
        policies = [load_policy(name, scene) for name in arguments.policy]
        buffer = record(scene, policies, arguments.episodes, arguments.seed)
        save_dataset(arguments.out, buffer, SceneSpec.of(scene))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    returns = buffer.part(torch.arange(buffer.size)).episodes.rewards.sum(0)
    print(
        json.dumps({"dataset": arguments.out, "episodes": buffer.size, "return_mean": float(returns.mean())})
    )
    return 0


if __name__ == "__main__":
    # By name: policies build on this package.
    raise SystemExit(main(importlib.import_module("policies").load))
