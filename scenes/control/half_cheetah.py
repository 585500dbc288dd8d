"""HalfCheetah: a planar runner whose wanted direction, wanted speed or wind is hidden and changes between sessions (MuJoCo).

The domains of DynaMITE-RL's experiments (arXiv 2402.15957, section 5) on Gymnasium's ``HalfCheetah-v5``. Direction and
velocity are VariBAD's (arXiv 1910.08348), rewards included; wind and velocity are after LILAC (arXiv 2006.10701).
"""

from __future__ import annotations

import numpy as np

from scenes.care.shapes import Mesh
from scenes.control.mujoco_looks import track
from scenes.control.mujoco_scene import DRIFT, SESSION_END, MuJoCoScene
from scenes.latent import ChoiceField, LatentSpace, ScalarField
from scenes.session import Kernel, Termination
from scenes.visual import CameraPreset

#: VariBAD's: half of Gymnasium's.
CONTROL_WEIGHT = 0.05
#: Along the wanted direction, for the sparse reward of HalfCheetahDir.
FAST_M_S = 1.0
#: About the wanted speed, for the sparse rewards of the others.
ON_TARGET_M_S = 0.3
TOP_SPEED_M_S = 3.0
#: The amplitude in public implementations of LILAC's environment. The runner weighs 14 kg: 10 N accelerate it by 0.7 m/s².
WIND_N = 10.0

#: Height and pitch, six joint angles, speeds of x and z, pitch rate, six joint speeds.
_BOUND = np.concatenate([[5.0, 50.0], np.full(6, 2.0), [20.0, 20.0, 50.0], np.full(6, 100.0)])


class HalfCheetah(MuJoCoScene):
    """What the half-cheetahs share: the body, what it observes, and its speed.

    **Action** (6,) in [−1, 1]: torques at back thigh, shin, foot and front thigh, shin, foot.

    **Observation** (17,) float32, Gymnasium's; the position along the track is not part of it:

    ======  ==================================  ============  =====
    index   meaning                             range         unit
    ======  ==================================  ============  =====
    0       height, 0 at the start              ±5            m
    1       pitch, not wrapped                  ±50           rad
    2–7     joint angles, in actions' order     ±2            rad
    8–9     speed along the track, upwards      ±20           m/s
    10      pitch rate                          ±50           rad/s
    11–16   joint speeds                        ±100          rad/s
    ======  ==================================  ============  =====

    **Speed** v is the track covered in a step over its 0.05 s. **Start**: Gymnasium's, positions within ±0.1, speeds
    N(0, 0.1²). **Episode**: 200 steps, 10 s. **Sessions** end with p = 0.02 per step: one lasts 2.5 s on average.
    **Success**: on target, as the sparse reward has it, in 100 of the 200 steps.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 20}  # noqa: RUF012 (as gym.Env has it)
    name = "half_cheetah"
    runs = True

    def __init__(
        self,
        latent_space: LatentSpace,
        reward: str,
        termination: Termination | float,
        kernel: Kernel | str | dict,
        render_mode: str | None,
    ) -> None:
        super().__init__(
            latent_space,
            name=self.name,
            environment=("half_cheetah_v5", "HalfCheetahEnv"),
            bound=_BOUND,
            reward=reward,
            termination=termination,
            kernel=kernel,
            render_mode=render_mode,
        )
        self._step_s = float(self.physics.dt)

    def _before_step(self) -> None:
        self._x_before = float(self.data.qpos[0])

    def _observe(self) -> np.ndarray:
        return self._clipped(self.data.qpos[1:], self.data.qvel)

    def _judge(self, action: np.ndarray) -> tuple[float, bool]:
        speed = (float(self.data.qpos[0]) - self._x_before) / self._step_s
        run, on_target = self._judge_speed(speed)
        return run - CONTROL_WEIGHT * float(action @ action), on_target

    def _ground(self) -> Mesh:
        return track()

    def cameras(self) -> tuple[CameraPreset, ...]:
        return (
            CameraPreset("side", (0.1, -3.4, 1.0), (0.1, 0.0, 0.45), 36.0),
            CameraPreset("front", (2.6, -2.2, 1.3), (0.1, 0.0, 0.45), 36.0),
        )

    def _judge_speed(self, speed: float) -> tuple[float, bool]:
        """The reward for running at ``speed`` (m/s), and whether it is on target."""
        raise NotImplementedError


class HalfCheetahDir(HalfCheetah):
    """Run forward or backward, whichever is wanted.

    **Latent** ``direction``: ``forward`` or ``backward``, each as likely at the start; when a session ends it turns round
    (``alternate``), because a session that ends without a change is none.

    **Reward** *shaped*, VariBAD's: ± v − 0.05 ‖a‖². *sparse*: 1 while running faster than 1 m/s in the wanted direction,
    else 0.

    **Version history**: v1, the first.
    """

    name = "half_cheetah_dir"
    n_privileged = 1

    def __init__(
        self,
        reward: str = "shaped",
        termination: Termination | float = SESSION_END,
        kernel: Kernel | str | dict = "alternate",
        render_mode: str | None = None,
    ) -> None:
        field = ChoiceField("direction", "Wanted direction", ("forward", "backward"))
        super().__init__(LatentSpace((field,)), reward, termination, kernel, render_mode)

    @property
    def _sign(self) -> float:
        return 1.0 if self.sessions.latent["direction"] == "forward" else -1.0

    def _judge_speed(self, speed: float) -> tuple[float, bool]:
        along = self._sign * speed
        return along, along >= FAST_M_S

    def _privileged_features(self) -> np.ndarray:
        """1 forward, −1 backward."""
        return np.array([self._sign])


_VELOCITY = ScalarField("velocity", "Wanted speed", 0.0, TOP_SPEED_M_S, "m/s")
_WIND = ScalarField("wind", "Wind", -WIND_N, WIND_N, "N")


class HalfCheetahVel(HalfCheetah):
    """Run at the wanted speed.

    **Latent** ``velocity`` v*: uniform over 0–3 m/s at the start (VariBAD's range), then drifting: at a session's end a
    Gaussian step of 0.75 m/s, reflected at the ends.

    **Reward** *shaped*, VariBAD's: −|v − v*| − 0.05 ‖a‖². *sparse*: 1 while |v − v*| ≤ 0.3 m/s, else 0.

    **Version history**: v1, the first.
    """

    name = "half_cheetah_vel"
    n_privileged = 1
    fields: tuple[ScalarField, ...] = (_VELOCITY,)

    def __init__(
        self,
        reward: str = "shaped",
        termination: Termination | float = SESSION_END,
        kernel: Kernel | str | dict = DRIFT,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(LatentSpace(self.fields), reward, termination, kernel, render_mode)

    def _judge_speed(self, speed: float) -> tuple[float, bool]:
        off = abs(speed - self.sessions.latent["velocity"])
        return -off, off <= ON_TARGET_M_S

    def _privileged_features(self) -> np.ndarray:
        """v*, m/s; in :class:`HalfCheetahWindVel` also the wind, N."""
        return np.array([self.sessions.latent[field.name] for field in self.fields])


class HalfCheetahWindVel(HalfCheetahVel):
    """Run at the wanted speed in a wind that helps or hinders: the wind is felt in the motion, the speed in the reward.

    **Latent** ``velocity`` v* as in :class:`HalfCheetahVel`, and ``wind``: a force on the torso along the track, within
    ±10 N, positive from behind; both are drawn uniformly at the start and drift when a session ends, the wind by a
    Gaussian step of 5 N. LILAC moves both along sine waves, from episode to episode.

    **Reward** as in :class:`HalfCheetahVel`.

    **Version history**: v1, the first.
    """

    name = "half_cheetah_wind_vel"
    n_privileged = 2
    fields = (_VELOCITY, _WIND)
    dynamics_fields = ("wind",)

    def _latent_changed(self) -> None:
        self.data.xfrc_applied[self.model.body("torso").id, 0] = self.sessions.latent["wind"]
