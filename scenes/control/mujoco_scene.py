"""MuJoCoScene: what the scenes on Gymnasium's MuJoCo v5 environments share — start, step, exact reset, picture.

Gymnasium's environment supplies the model, the time step and the law of the start state; observation, reward and the
hidden latent are the scene's. MuJoCo is an extra: without it everything but building such a scene works.
"""

from __future__ import annotations

import hashlib
import importlib
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import ArrayLike

from scenes.base import SessionEnv, bounded_action
from scenes.care.shapes import Mesh
from scenes.control.mujoco_looks import Picture, body_poses, build_visual_model
from scenes.errors import InputError
from scenes.latent import LatentSpace
from scenes.session import Kernel, Termination
from scenes.visual import VisualModel

REWARDS = ("shaped", "sparse")
EPISODE_LENGTH = 200
SESSION_END = 0.02
#: m' lies a quarter of the range from m (one standard deviation), as a preference that wanders would.
DRIFT = {"name": "drift", "scale": 0.25}
#: Steps on target that make an episode a success: half of it.
SUCCESS_STEPS = EPISODE_LENGTH // 2

#: Gymnasium's HalfCheetah file has an attribute that MuJoCo 4 calls deprecated, at every loading.
_HARMLESS_WARNING = "settotalmass"


def load_physics(scene: str, module: str, cls: str) -> tuple[Any, Any]:
    """Gymnasium's environment ``cls`` of ``gymnasium.envs.mujoco.<module>``, and the ``mujoco`` package.

    Args:
        scene: named in the error.

    Raises:
        InputError: MuJoCo is not installed.
    """
    try:
        mujoco = importlib.import_module("mujoco")
        environment = getattr(importlib.import_module(f"gymnasium.envs.mujoco.{module}"), cls)
    except (ImportError, gym.error.DependencyNotInstalled):
        raise InputError(
            f"scene {scene}", "no MuJoCo", 'with MuJoCo: pip install "dynamite-care[mujoco]"'
        ) from None
    # A warning that nobody catches makes MuJoCo write MUJOCO_LOG.TXT into the working directory.
    before = mujoco.get_mju_user_warning()
    said: list[str] = []
    mujoco.set_mju_user_warning(said.append)
    try:
        physics = environment()
    finally:
        mujoco.set_mju_user_warning(before)
    for message in said:
        if _HARMLESS_WARNING not in message:
            warnings.warn(message, RuntimeWarning, stacklevel=3)
    return physics, mujoco


class MuJoCoScene(SessionEnv):
    """Base of the MuJoCo scenes.

    Episodes last 200 steps (VariBAD's, arXiv 1910.08348) and end by time only. Sessions end with p = 0.02 per step, as in
    ScratchItch: four or five to an episode, each long enough to be of use once it is understood. Both are our choice, as
    are the kernels. Success: on target (what the sparse reward pays for) in 100 of the 200 steps.

    Args:
        latent_space: what the scene hides.
        name: of the scene, for messages.
        environment: module and class of Gymnasium's environment.
        bound: (S,) the observation is clipped to ± bound.
        reward: ``"shaped"`` or ``"sparse"``.
        termination, kernel: of the session process.
        render_mode: ``None`` or ``"rgb_array"`` (needs OpenGL; MuJoCo's ``MUJOCO_GL`` chooses egl, osmesa or glfw).
    """

    episode_length = EPISODE_LENGTH
    #: Bodies that show what is hidden: a marker stands for them.
    shown_by_marker: tuple[str, ...] = ()
    #: Whether the first body runs away: then it is drawn in place, over a moving ground.
    runs = False
    #: Seen from this far above the middle, m; None: by the model's own camera.
    seen_from_above_m: float | None = None

    def __init__(
        self,
        latent_space: LatentSpace,
        *,
        name: str,
        environment: tuple[str, str],
        bound: np.ndarray,
        reward: str,
        termination: Termination | float,
        kernel: Kernel | str | dict,
        render_mode: str | None,
    ) -> None:
        super().__init__(latent_space, termination, kernel)
        if reward not in REWARDS:
            raise InputError("reward", reward, "shaped or sparse")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise InputError("render_mode", render_mode, "None or rgb_array")
        self.reward, self.render_mode = reward, render_mode
        self.physics, self._mujoco = load_physics(name, *environment)
        self.model, self.data = self.physics.model, self.physics.data
        self._bound = bound.astype(np.float32)
        self.observation_space = gym.spaces.Box(-self._bound, self._bound)
        self.n_actions = int(self.model.nu)
        self.action_space = gym.spaces.Box(-1.0, 1.0, (self.n_actions,), np.float32)
        self.on_target_steps = 0
        self._started = False
        self._picture: Picture | None = None

    # -- Gymnasium
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """The whole physical state back to the model's, then Gymnasium's own start noise and a latent from ``seed``.

        Args:
            options: ``{"latent": fields}`` starts with a given latent.
        """
        super().reset(seed=seed)
        self._mujoco.mj_resetData(self.model, self.data)
        self.physics.np_random = self.np_random
        self.physics.reset_model()
        self.on_target_steps = 0
        self._started = True
        info = self._start_sessions(options)
        return self._observe(), {**info, "on_target_steps": 0}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One control step. Entries of ``action`` beyond [−1, 1] are clipped.

        Raises:
            InputError: an action of the wrong shape, or with NaN or infinity; nothing has moved.
        """
        if not self._started:
            raise gym.error.ResetNeeded("call reset() before step()")
        clipped = bounded_action(action, self.action_space)
        self.data.ctrl[:] = clipped
        self._before_step()
        self._mujoco.mj_step(self.model, self.data, nstep=self.physics.frame_skip)
        observation = self._observe()
        shaped, on_target = self._judge(clipped)
        self.on_target_steps += on_target
        reward = shaped if self.reward == "shaped" else float(on_target)
        info = {
            **self._advance_sessions(),
            "task_success": self.on_target_steps >= SUCCESS_STEPS,
            "on_target_steps": self.on_target_steps,
        }
        return observation, reward, False, self.sessions.step >= self.episode_length, info

    def close(self) -> None:
        if self._picture is not None:
            self._picture.close()
            self._picture = None
        super().close()

    def render(self) -> np.ndarray | None:
        """(480, 640, 3) uint8, when ``render_mode`` is ``"rgb_array"``.

        Raises:
            InputError: MuJoCo finds no OpenGL.
        """
        if self.render_mode is None:
            gym.logger.warn('render() needs render_mode="rgb_array"')
            return None
        if self._picture is None:
            self._picture = Picture(self._mujoco, self.model, self.seen_from_above_m)
        return self._picture.draw(self.data)

    def visual_model(self) -> VisualModel:
        return build_visual_model(self._mujoco, self.model, self._ground(), self.shown_by_marker)

    def poses(self) -> np.ndarray:
        poses = body_poses(self._mujoco, self.model, self.data.qpos)
        if self.runs:
            poses[:, 0] -= poses[1, 0]
        return poses

    # -- what a scene adds
    def _ground(self) -> Mesh:
        """What it stands on, for drawing."""
        raise NotImplementedError

    def _before_step(self) -> None:
        """Read what the reward compares with; actions are set, nothing has moved."""

    def _observe(self) -> np.ndarray:
        """(S,) float32, a fresh array inside the observation space."""
        raise NotImplementedError

    def _judge(self, action: np.ndarray) -> tuple[float, bool]:
        """The shaped reward of the step just taken, and whether it was on target."""
        raise NotImplementedError

    def _clipped(self, *parts: ArrayLike) -> np.ndarray:
        observation = np.concatenate(parts, dtype=np.float32)
        return np.clip(observation, -self._bound, self._bound, out=observation)

    def state_hash(self) -> str:
        """Of MuJoCo's integration state: positions, speeds, warm start, controls, applied forces and the clock."""
        mujoco, kind = self._mujoco, self._mujoco.mjtState.mjSTATE_INTEGRATION
        state = np.empty(mujoco.mj_stateSize(self.model, kind))
        mujoco.mj_getState(self.model, self.data, state, kind)
        return hashlib.sha256(state.tobytes()).hexdigest()
