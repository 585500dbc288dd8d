"""Many copies of a scene in lock step: the protocol, and the copies of one process. Plain numpy, no PyTorch.

All episodes of a scene have the same length, so copies start and end together and a rollout is whole episodes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from dynamite.acting import Policy
from dynamite.config import SceneConfig
from dynamite.spec import SceneSpec
from scenes.base import Privileged, SessionEnv
from scenes.errors import InputError
from scenes.registry import find_scene, make_scene
from scenes.session import FixedLength

#: Numbers of ``info`` that a rollout keeps, NaN where a scene has none.
INFO_KEYS = ("task_success", "scratches", "tool_force_n", "force_on_target_n", "total_force_n")

#: Makes the teacher that labels one copy's steps; must survive pickling to reach a worker process.
TeacherFactory = Callable[[SessionEnv], Policy]


@dataclass
class Snapshot:
    """The state of N copies after a reset or a step. Arrays may be overwritten by the next step: copy what you keep.

    Attributes:
        observation: (N, S) float32.
        reward: (N,) float32 of the step that led here.
        ended: (N,) bool, d: whether the session ended with that step.
        session: (N,) int64, index of the session that step belonged to.
        latent: (N, D) float32, the truth in force for the next step.
        privileged: (N, P) float32, what an oracle sees.
        info: (N, len(INFO_KEYS)) float32.
        teacher: (N, A or 1) float32, the teacher's action here; empty (N, 0) without one.
    """

    observation: np.ndarray
    reward: np.ndarray
    ended: np.ndarray
    session: np.ndarray
    latent: np.ndarray
    privileged: np.ndarray
    info: np.ndarray
    teacher: np.ndarray

    @staticmethod
    def shapes(spec: SceneSpec, n: int, teacher: bool) -> dict[str, tuple[tuple[int, ...], type]]:
        """Shape and type of every array, for whoever allocates them."""
        label = (1 if spec.discrete else spec.n_actions) if teacher else 0
        return {
            "observation": ((n, spec.n_observation), np.float32),
            "reward": ((n,), np.float32),
            "ended": ((n,), np.bool_),
            "session": ((n,), np.int64),
            "latent": ((n, spec.latent_space.size), np.float32),
            "privileged": ((n, spec.n_privileged), np.float32),
            "info": ((n, len(INFO_KEYS)), np.float32),
            "teacher": ((n, label), np.float32),
        }

    @staticmethod
    def empty(spec: SceneSpec, n: int, teacher: bool = False) -> Snapshot:
        return Snapshot(**{k: np.zeros(s, d) for k, (s, d) in Snapshot.shapes(spec, n, teacher).items()})

    def rows(self, part: slice) -> Snapshot:
        """A view on some of the copies."""
        return Snapshot(**{name: array[part] for name, array in vars(self).items()})


class VectorScene(Protocol):
    """N copies of a scene that start, step and end together.

    Attributes:
        restarts: worker processes lost and replaced so far.
    """

    spec: SceneSpec
    n: int
    restarts: int

    def reset(self, seeds: np.ndarray) -> Snapshot:
        """Start an episode in every copy; ``seeds`` (N,) int64."""

    def step(self, actions: np.ndarray) -> Snapshot:
        """Step every copy: (N, A) float32 in [−1, 1], or (N, 1) numbers of discrete actions."""

    def close(self) -> None: ...


def make_one(config: SceneConfig) -> SessionEnv:
    """One copy of the configured scene.

    Raises:
        InputError: no such scene, or an option of it that is wrong; by the path it has in a configuration.
    """
    try:
        return make_scene(config.name, **scene_options(config))
    except InputError as error:
        raise InputError(_path_in_config(error.where, config), error.got, error.allowed) from None


def _path_in_config(where: str, config: SceneConfig) -> str:
    """What a scene calls ``robot``, or ``gridworld.robot``, is ``scene.options.robot`` in a configuration."""
    option = where.removeprefix(f"{config.name}.")
    first = option.partition(".")[0]
    if first in ("termination", "kernel"):
        return f"scene.{option}"
    if first in config.options or option != where:
        return f"scene.options.{option}"
    return "scene.name" if where == "scene" else where


def scene_options(config: SceneConfig) -> dict[str, Any]:
    """Keyword arguments of the scene's class; termination and kernel only where they are set."""
    options = dict(config.options)
    if config.termination is not None:
        given = config.termination
        options["termination"] = FixedLength(given["length"]) if isinstance(given, dict) else given
    if config.kernel is not None:
        options["kernel"] = config.kernel
    return options


class SerialVector:
    """N scenes stepped one after another in this process.

    Args:
        config: the scene.
        n: copies.
        teacher: makes the policy that labels every step of one copy, or None.
        out: arrays to write into (a worker passes shared memory).
    """

    restarts = 0

    def __init__(
        self, config: SceneConfig, n: int, teacher: TeacherFactory | None = None, out: Snapshot | None = None
    ) -> None:
        self.scenes = [make_one(config) for _ in range(n)]
        self.n, self.spec = n, SceneSpec.of(self.scenes[0])
        self.teachers = [teacher(scene) for scene in self.scenes] if teacher is not None else []
        self.now = out if out is not None else Snapshot.empty(self.spec, n, bool(self.teachers))

    def reset(self, seeds: np.ndarray) -> Snapshot:
        for i, scene in enumerate(self.scenes):
            observation, info = scene.reset(seed=int(seeds[i]))
            if self.teachers:
                self.teachers[i].reset(int(seeds[i]))
            self._write(i, observation, 0.0, info)
        return self.now

    def step(self, actions: np.ndarray) -> Snapshot:
        discrete = self.spec.discrete
        for i, scene in enumerate(self.scenes):
            observation, reward, _, _, info = scene.step(int(actions[i, 0]) if discrete else actions[i])
            self._write(i, observation, float(reward), info)
        return self.now

    def _write(self, i: int, observation: np.ndarray, reward: float, info: dict[str, Any]) -> None:
        now, privileged = self.now, self.scenes[i].privileged()
        now.observation[i] = observation
        now.reward[i] = reward
        now.ended[i] = info["session_ended"]
        now.session[i] = info["session"]
        now.latent[i] = privileged.vector
        now.privileged[i] = privileged.features
        for k, key in enumerate(INFO_KEYS):
            now.info[i, k] = info.get(key, np.nan)
        if self.teachers:
            now.teacher[i] = self._label(i, observation, reward, privileged)

    def _label(self, i: int, observation: np.ndarray, reward: float, privileged: Privileged) -> np.ndarray:
        teacher = self.teachers[i]
        return np.asarray(
            teacher.act(observation, reward, privileged if teacher.needs_privileged else None).action
        )

    def close(self) -> None:
        for scene in self.scenes:
            scene.close()


class ArrayVector:
    """A scene that steps its copies as arrays (its ``vector`` class method), behind the same protocol.

    Args:
        arrays: has ``scene``, ``n``, ``reset(seeds)`` and ``step(actions)``; these return the arrays of a Snapshot, with
            ``success`` (N,) for the info.
    """

    restarts = 0

    def __init__(self, arrays: Any) -> None:
        self.arrays, self.n, self.spec = arrays, arrays.n, SceneSpec.of(arrays.scene)
        self.now = Snapshot.empty(self.spec, self.n)
        self.now.info[:] = np.nan

    def _take(self, out: Any) -> Snapshot:
        now = self.now
        now.observation, now.reward, now.ended, now.session = (
            out.observation,
            out.reward,
            out.ended,
            out.session,
        )
        now.latent, now.privileged = out.latent, out.privileged
        now.info[:, INFO_KEYS.index("task_success")] = out.success
        return now

    def reset(self, seeds: np.ndarray) -> Snapshot:
        return self._take(self.arrays.reset(seeds))

    def step(self, actions: np.ndarray) -> Snapshot:
        return self._take(self.arrays.step(actions))

    def close(self) -> None:
        self.arrays.scene.close()


def make_vector(
    config: SceneConfig,
    n: int,
    workers: int = 0,
    teacher: TeacherFactory | None = None,
    worker_timeout_s: float = 1.0,
    worker_threads: int = 1,
) -> VectorScene:
    """Copies of the configured scene in the fastest form available.

    A scene class with a ``vector(n, **options)`` class method (arrays instead of objects) is taken at its word;
    otherwise ``workers`` processes share the copies, or this process runs them all.

    Raises:
        InputError: a wrong scene, or fewer copies than workers.
    """
    make_arrays = getattr(find_scene(config.name).load(), "vector", None)
    if make_arrays is not None and teacher is None:
        return ArrayVector(make_arrays(n, **scene_options(config)))
    if workers == 0:
        return SerialVector(config, n, teacher)
    if workers > n:
        raise InputError("train.workers", workers, f"at most train.copies ({n})")
    from dynamite.workers import WorkerVector

    return WorkerVector(config, n, workers, teacher, worker_timeout_s, worker_threads)
