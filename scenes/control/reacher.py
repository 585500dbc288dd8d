"""Reacher: a two-link arm reaches a goal that it cannot see and that moves between sessions (MuJoCo).

The domain of DynaMITE-RL's experiments (arXiv 2402.15957, section 5) on Gymnasium's ``Reacher-v5``, whose observation
contains the target; here it is hidden, and only the reward speaks of it.
"""

from __future__ import annotations

import math

import numpy as np

from scenes.care.shapes import Mesh
from scenes.control.mujoco_looks import plate
from scenes.control.mujoco_scene import DRIFT, SESSION_END, MuJoCoScene
from scenes.latent import LatentSpace, ScalarField
from scenes.session import Kernel, Termination
from scenes.visual import CameraPreset, Markers

#: Half-side of the goals' square; its corners are 0.198 m from the shoulder, the arm reaches 0.21 m.
GOAL_RANGE_M = 0.14
CONTROL_WEIGHT = 0.1
ON_TARGET_M = 0.05


class Reacher(MuJoCoScene):
    """A planar arm of two links (0.10 and 0.11 m) finds a hidden goal with its fingertip.

    **Action** (2,) in [−1, 1]: torques at shoulder and elbow, 1 being 200 N·m (the joints' armature is 1 kg·m²).

    **Observation** (8,) float32:

    ======  ==============================  ============  =====
    index   meaning                         range         unit
    ======  ==============================  ============  =====
    0–1     cosine of shoulder and elbow    ±1
    2–3     sine of shoulder and elbow      ±1
    4–5     joint speeds                    ±250          rad/s
    6–7     fingertip x, y                  ±0.22         m
    ======  ==============================  ============  =====

    Gymnasium's target position and fingertip − target are hidden; the fingertip takes their place. The arm reaches 0.21 m.

    **Latent** ``goal_x``, ``goal_y``: uniform over ±0.14 m at the start. Gymnasium draws from the disc of 0.2 m, here it is
    a square inside that disc, so that the fields are independent. **Sessions** end with p = 0.02 per step; then the goal
    drifts, each coordinate by a Gaussian step of 0.07 m reflected at the border. Range, p and drift are our choice.

    **Reward** *shaped*: −‖tip − goal‖ − 0.1 ‖a‖², the weight that Gymnasium's documentation gives (its code has 1, under
    which effort drowns the distance). *sparse*: 1 while the tip is within 0.05 m of the goal, else 0.

    **Start**: Gymnasium's, joints within ±0.1 rad of stretched, at rest within ±0.005 rad/s. **Episode**: 200 steps of
    0.02 s. **Success**: 100 steps within 0.05 m.

    **Returns**, means of 200 episodes (``robot-app evaluate --scene reacher --episodes 200``):

    ================  ======  ======
    policy            shaped  sparse
    ================  ======  ======
    random             −46.0    11.2
    scripted/reacher    −4.0   183.2
    ================  ======  ======

    Args:
        reward: ``shaped`` or ``sparse``.
        termination, kernel: of the session process.
        render_mode: see :class:`~scenes.control.mujoco_scene.MuJoCoScene`.

    **Version history**: v1, the first.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 50}  # noqa: RUF012 (as gym.Env has it)
    n_privileged = 4
    seen_from_above_m = 0.75
    shown_by_marker = ("target",)

    def __init__(
        self,
        reward: str = "shaped",
        termination: Termination | float = SESSION_END,
        kernel: Kernel | str | dict = DRIFT,
        render_mode: str | None = None,
    ) -> None:
        fields = (
            ScalarField("goal_x", "Goal x", -GOAL_RANGE_M, GOAL_RANGE_M, "m"),
            ScalarField("goal_y", "Goal y", -GOAL_RANGE_M, GOAL_RANGE_M, "m"),
        )
        super().__init__(
            LatentSpace(fields),
            name="reacher",
            environment=("reacher_v5", "ReacherEnv"),
            bound=np.array([1.0, 1.0, 1.0, 1.0, 250.0, 250.0, 0.22, 0.22]),
            reward=reward,
            termination=termination,
            kernel=kernel,
            render_mode=render_mode,
        )
        self.links_m = (float(self.model.body("body1").pos[0]), float(self.model.body("fingertip").pos[0]))

    def _latent_changed(self) -> None:
        latent = self.sessions.latent
        self._goal = (latent["goal_x"], latent["goal_y"])
        self.data.qpos[2:] = self._goal  # where it is drawn; the target touches nothing
        self.data.qvel[2:] = 0.0

    def _observe(self) -> np.ndarray:
        # From the angles: after a step MuJoCo's body positions are still those before its last substep.
        shoulder, elbow = float(self.data.qpos[0]), float(self.data.qpos[1])
        near, far = self.links_m
        self._tip = (
            near * math.cos(shoulder) + far * math.cos(shoulder + elbow),
            near * math.sin(shoulder) + far * math.sin(shoulder + elbow),
        )
        angles = self.data.qpos[:2]
        return self._clipped(np.cos(angles), np.sin(angles), self.data.qvel[:2], self._tip)

    def _judge(self, action: np.ndarray) -> tuple[float, bool]:
        distance = math.dist(self._tip, self._goal)
        return -distance - CONTROL_WEIGHT * float(action @ action), distance <= ON_TARGET_M

    def _privileged_features(self) -> np.ndarray:
        """Goal, and the way to it from the fingertip, m."""
        (x, y), (tip_x, tip_y) = self._goal, self._tip
        return np.array([x, y, x - tip_x, y - tip_y])

    # -- drawing
    def _ground(self) -> Mesh:
        return plate(half_m=0.32)

    def markers(self) -> Markers:
        goal = np.array([*self._goal, -0.005])  # under the plate, through which a hidden ring is drawn
        return Markers(
            itch=goal, itch_normal=np.array([0.0, 0.0, 1.0]), tool_tip=np.array([*self._tip, 0.01])
        )

    def cameras(self) -> tuple[CameraPreset, ...]:
        return (
            CameraPreset("above", (0.0, -0.25, 1.15), (0.0, -0.01, 0.0), 36.0),
            CameraPreset("side", (0.0, -0.80, 0.45), (0.0, 0.0, 0.0), 36.0),
        )
