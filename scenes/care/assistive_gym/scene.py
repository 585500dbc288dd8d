"""AssistiveGym: a task of upstream's Assistive Gym 1.0 as a scene with a hidden, changing latent."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from scenes.base import SessionEnv, bounded_action
from scenes.care.assistive_gym.fork_bullet import digest
from scenes.care.assistive_gym.kinematics import Screws, arm_screws
from scenes.care.assistive_gym.preferences import PREFERENCES
from scenes.care.assistive_gym.upstream import load
from scenes.care.quiet import quietly
from scenes.care.world import p as bullet
from scenes.errors import InputError
from scenes.session import Kernel, Termination

#: Where the camera stands and looks (world, m), by what the person lies or sits on.
_VIEWS = {
    "bed": ((-1.9, -1.3, 2.2), (-0.35, 0.15, 0.75)),
    "wheelchair": ((-1.5, -1.4, 1.6), (-0.25, -0.15, 0.8)),
}
_ON_THE_BED = ("bed_bathing", "arm_manipulation")


class AssistiveGym(SessionEnv):
    """An installed, unmodified Assistive Gym 1.0 (Erickson et al., ICRA 2020), its target hidden and moving.

    **Action**, **reward**, **start** and **success** are upstream's: joint actions in [−1, 1] at 10 Hz, a person of
    random gender and impairment, 200 steps. Without preferences that change (``termination=0``) and with the target known,
    this is upstream's task.

    **Observation**: upstream's, float32, without the numbers that give the target away (below). Its bounds are
    upstream's, ±10⁹.

    **Latent**, by task:

    ==================  =============================  ==========================================================
    task                fields                         what the observation loses
    ==================  =============================  ==========================================================
    ScratchItch         ``itch`` on the right arm      tip − target, target (6)
    BedBathing          ``spot`` on the right arm      nothing: upstream's holds no target
    Feeding, Drinking   ``side``, ``ahead`` (m)        tool − target (3)
    ArmManipulation     ``across``, ``along`` (m)      stomach and waist (6), where elbow and wrist are to be laid
    ==================  =============================  ==========================================================

    In BedBathing only targets within 6 cm of the spot count while it is the spot; in Feeding and Drinking food counts
    where the person prefers to take it, up to 4 cm beside and 5 cm ahead of the mouth; in ArmManipulation the goals shift
    by up to 8 cm across and 10 cm along the torso. The ranges are our choice.

    ``privileged().features`` (6,), in the robot's base frame, m: tool − target and target; in ArmManipulation the two
    goals.

    Args:
        task: one of upstream's ids, such as ``ScratchItchJaco-v1`` or ``FeedingPanda-v1``. Dressing cannot run (its cloth
            exists only on upstream's fork of PyBullet), nor can its SMPL-X people.
        termination, kernel: of the session process; default p = 0.02 per step, uniform.
        render_mode: ``rgb_array`` draws with PyBullet's TinyRenderer.

    Raises:
        InputError: upstream is not installed (the command is given), or the task is none that runs.

    **Version history**: v1, the first.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 (as gym.Env has it)
    episode_length = 200
    n_privileged = 6
    render_size = (640, 480)

    def __init__(
        self,
        task: str = "ScratchItchJaco-v1",
        termination: Termination | float = 0.02,
        kernel: Kernel | str | dict = "uniform",
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "rgb_array"):
            raise InputError("render_mode", render_mode, "rgb_array, or nothing")
        self.upstream = load().make(task)
        self.task = task
        self.render_mode = render_mode
        self._preference = PREFERENCES[self.upstream.task]()
        super().__init__(self._preference.space, termination, kernel)
        self.n_actions: int = self.upstream.action_space.shape[0]
        self.action_space = gym.spaces.Box(-1.0, 1.0, (self.n_actions,), np.float32)
        n = self.upstream.observation_space.shape[0]
        self._shown = np.delete(np.arange(n), list(self._preference.hidden))
        bounds = self.upstream.observation_space
        self.observation_space = gym.spaces.Box(
            bounds.low[self._shown], bounds.high[self._shown], dtype=np.float32
        )
        self._started = self._closed = False

    # -- the hidden half
    def _latent_changed(self) -> None:
        self._preference.impose(self.upstream, self.sessions.latent)

    def _privileged_features(self) -> np.ndarray:
        return self._preference.features(self.upstream)

    def screws(self) -> Screws:
        """How the joints of a mounted arm move its tool, for scripted controllers."""
        return arm_screws(self.upstream)

    # -- Gymnasium
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Upstream's reset: a world built anew, a start pose searched by inverse kinematics (about half a second).

        Args:
            options: ``{"latent": fields}`` starts with a given latent.

        Raises:
            InputError: PyBullet cannot load one of upstream's files.
        """
        super().reset(seed=seed)
        self._preference.withdraw(self.upstream)
        self.upstream.set_seed(int(self.np_random.integers(2**32)))
        self._started = False
        try:
            with quietly():  # Bullet warns of links without inertia
                observation = self.upstream.reset()
        except bullet.error as error:
            given = f"{self.task} ({str(error).rstrip('.')})"
            raise InputError("task", given, "one whose files are whole in the installed package") from None
        self._preference.begin(self.upstream)
        self._started = True
        info = self._start_sessions(options)
        return self._visible(observation), {**info, "total_force_n": 0.0}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One control step of 0.1 s. Entries of ``action`` beyond [−1, 1] are clipped.

        Raises:
            InputError: an action of the wrong shape, or with NaN or infinity; nothing has moved.
        """
        if not self._started:
            raise gym.error.ResetNeeded("call reset() before step()")
        observation, reward, done, said = self.upstream.step(bounded_action(action, self.action_space))
        info = {
            "task_success": bool(said["task_success"]),
            "total_force_n": float(said["total_force_on_human"]),
        }
        info.update(self._advance_sessions())
        return self._visible(observation), float(reward), False, bool(done), info

    def _visible(self, observation: np.ndarray) -> np.ndarray:
        return observation[self._shown].astype(np.float32)

    def render(self) -> np.ndarray | None:
        """(480, 640, 3) uint8, when ``render_mode`` is ``"rgb_array"``; the target is drawn too."""
        if self.render_mode is None:
            gym.logger.warn('render() needs render_mode="rgb_array"')
            return None
        eye, target = _VIEWS["bed" if self.upstream.task in _ON_THE_BED else "wheelchair"]
        width, height = self.render_size
        self.upstream.setup_camera(eye, target, 50, width, height)
        picture, _ = self.upstream.get_camera_image_depth(shadow=True)
        return picture[..., :3].astype(np.uint8)

    def state_hash(self) -> str:
        return digest(self.upstream.id)

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self.upstream.disconnect()
        super().close()
