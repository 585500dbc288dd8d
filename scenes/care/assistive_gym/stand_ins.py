"""Stand-ins for what upstream imports and today's Python cannot install, or its tasks do not need.

=======================  =====================================================================================
package                  what stands in
=======================  =====================================================================================
``gym`` 0.21             a bare ``Env``, Gymnasium's spaces, ``RandomState`` as generator, and a register that
                         only remembers ids
``keras``                :func:`~scenes.care.assistive_gym.joint_limits.load_model`
``pybullet`` (fork)      :class:`~scenes.care.assistive_gym.fork_bullet.ForkBullet` around the stock package
``screeninfo``           no monitors, as on a machine without a screen
``ray``                  a bare ``MultiAgentEnv`` and a ``register_env`` that does nothing
``torch``, ``smplx``,    empty: only the SMPL-X people use them, and upstream does not carry their body model
``trimesh``
=======================  =====================================================================================
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import gymnasium
import numpy as np

from scenes.care.assistive_gym.fork_bullet import ForkBullet
from scenes.care.assistive_gym.joint_limits import load_model


class Env:
    """gym 0.21's base class, of which upstream uses nothing."""

    metadata: Mapping[str, Any] = {}


class MultiAgentEnv:
    """RLlib's base class, of which upstream uses nothing."""


def np_random(seed: int | None = None) -> tuple[np.random.RandomState, int | None]:
    """gym 0.21's ``seeding.np_random``; its generator was a ``RandomState``, which has ``randint`` and ``seed``."""
    return np.random.RandomState(seed), seed


def _module(name: str, **contents: Any) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    return module


def stand_ins(bullet: ForkBullet, entry_points: dict[str, str]) -> dict[str, ModuleType]:
    """The stand-ins by import name.

    Args:
        bullet: what ``import pybullet`` gives.
        entry_points: receives id → ``module:class`` of every environment that registers itself.
    """

    def register(id: str, entry_point: str, **options: Any) -> None:
        entry_points[id] = entry_point

    seeding = _module("gym.utils.seeding", np_random=np_random)
    registration = _module("gym.envs.registration", register=register)
    modules = (
        _module("gym", Env=Env, spaces=gymnasium.spaces),
        _module("gym.spaces", Box=gymnasium.spaces.Box),
        _module("gym.utils", seeding=seeding),
        seeding,
        _module("gym.envs", registration=registration),
        registration,
        _module("keras"),
        _module("keras.models", load_model=load_model),
        _module("screeninfo", get_monitors=list),
        _module("ray"),
        _module("ray.rllib"),
        _module("ray.rllib.env"),
        _module("ray.rllib.env.multi_agent_env", MultiAgentEnv=MultiAgentEnv),
        _module("ray.tune"),
        _module("ray.tune.registry", register_env=lambda name, make: None),
        _module("torch"),
        _module("smplx"),
        _module("trimesh"),
        bullet,
    )
    return {module.__name__: module for module in modules}


@contextmanager
def importing_with(modules: dict[str, ModuleType]) -> Iterator[None]:
    """Let imports inside the block find ``modules`` first; afterwards everybody finds what was there before."""
    before = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, module in before.items():
            if module is None:
                sys.modules.pop(name, None)
            else:
                sys.modules[name] = module
