"""CareScene: what all care scenes share — a wheelchair, a person, a robot with a tool; reset, step, render, close.

A scene adds its latent fields, its start pose, what it feels (:meth:`CareScene._observe`) and its reward. Timing and
bodies are Assistive Gym 1.0's: 5 substeps of 0.02 s per step (10 Hz control), 200 steps per episode.

A step is fast because only what can move is simulated (the robot and the right arm; all else is static capsules and
boxes), and a reset because the world is built once and restored.
"""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from scenes.base import SessionEnv
from scenes.care.arm import TOOL_TIP, base_pose, find_controller, find_robot
from scenes.care.body import MOVING_FRAMES
from scenes.care.chain import Kinematics, Shape, matrix_from_quaternion, matrix_from_rpy
from scenes.care.furniture import Box, wheelchair_boxes
from scenes.care.person import Person
from scenes.care.world import World
from scenes.errors import InputError
from scenes.latent import LatentSpace
from scenes.session import Kernel, Termination
from scenes.visual import CameraPreset, VisualModel

TIME_STEP_S = 0.02
SUBSTEPS = 5
SOLVER_ITERATIONS = 20

#: Seen from the person's right, in front of the chair, where the robot works.
CAMERAS: tuple[CameraPreset, ...] = (
    CameraPreset("shoulder", (-1.05, -1.15, 1.50), (-0.22, -0.08, 0.90), 40.0),
    CameraPreset("arm", (-0.80, -0.80, 1.30), (-0.32, -0.08, 0.85), 36.0),
    CameraPreset("front", (-0.45, -2.00, 1.35), (-0.15, 0.0, 0.78), 40.0),
    CameraPreset("side", (-2.00, -0.35, 1.20), (-0.20, -0.15, 0.80), 40.0),
    CameraPreset("top", (-0.75, -0.55, 2.40), (-0.25, -0.05, 0.75), 38.0),
    CameraPreset("room", (-1.75, -1.75, 1.65), (-0.10, -0.05, 0.68), 42.0),
)


class CareScene(SessionEnv):
    """Base of the care scenes.

    Args:
        latent_space: what the scene hides.
        robot, controller, gender, impairment: see the scene's docstring.
        start_tip: (position, rpy) of the tool's tip at the start, m and rad, world.
        start_spread: half-width of the cube in which the start position is drawn, m.
        termination, kernel: of the session process.
        render_mode: ``None`` or ``"rgb_array"``.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    render_size: tuple[int, int] = (640, 480)

    def __init__(
        self,
        latent_space: LatentSpace,
        *,
        robot: str,
        controller: str,
        gender: str,
        impairment: str,
        start_tip: tuple[tuple[float, float, float], tuple[float, float, float]],
        start_spread: float,
        termination: Termination | float,
        kernel: Kernel | str | dict,
        render_mode: str | None,
    ) -> None:
        super().__init__(latent_space, termination, kernel)
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise InputError("render_mode", render_mode, "None or rgb_array")
        self.render_mode = render_mode
        self.robot_name, self.robot = robot, find_robot(robot)
        self.controller_name, self.controller = controller, find_controller(controller)
        self.default_impairment = impairment

        self.world = World(TIME_STEP_S, SOLVER_ITERATIONS)
        self.person = Person(self.world, gender)
        self.person.set_impairment(impairment)
        self._chair = {self._add_box(box): box.name for box in wheelchair_boxes(gender)}
        for body in self._chair:  # the person sits in the chair: their contacts would cost and mean nothing
            for link in range(len(self.person.chain.links)):
                self.world.ignore(self.person.arm, link, body, -1)
        self.base = base_pose(self.robot)
        self.chain = self.robot.chain(robot)
        self.arm = self.world.add_chain(self.chain, self.base)
        self._joints = list(self.chain.movable)
        self._angles = np.zeros(len(self._joints))  # as last observed, rad
        self.world.share_island(self.arm, self._joints[0], self.person.arm, self.person.joints[0])
        self._low, self._high = self.chain.limits
        n = len(self._joints)
        torque = self.controller.torque if self.controller.torque is not None else self.robot.torque
        self._gains, self._torques = [self.controller.gain] * n, [torque] * n
        self._tool = self.chain.index("tool")
        self._hand = self._joints[-1]
        self._frame_links = [*self._joints, self._tool]

        self.kinematics = Kinematics(self.chain, self.base, TOOL_TIP)
        self._start_position = np.array(start_tip[0])
        self._start_rotation = matrix_from_rpy(start_tip[1])
        self._start_spread = start_spread
        self.start_joints, error = self.kinematics.solve(
            self._start_position, self._start_rotation, np.array(self.robot.start), 500
        )
        if error > 1e-4:
            raise RuntimeError(
                f"{robot} cannot reach the start pose of {type(self).__name__} ({1e3 * error:.1f} mm off)"
            )
        self.n_actions = n
        self.action_space = gym.spaces.Box(-1.0, 1.0, (n,), np.float32)
        self.world.save()
        self._picture: Any = None
        self._started = False
        self.steps = 0

    # -- Gymnasium
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Back to the saved world, with a start pose, severities and a latent drawn from ``seed``.

        Args:
            options: ``{"latent": fields}`` starts with a given latent.
        """
        super().reset(seed=seed)
        self.world.restore()
        offset = self.np_random.uniform(-self._start_spread, self._start_spread, 3)
        q, _ = self.kinematics.solve(self._start_position + offset, self._start_rotation, self.start_joints)
        self.world.set_joints(self.arm, self._joints, q)
        self._target = np.array(q)
        self.world.drive(self.arm, self._joints, q.tolist(), self._gains, self._torques)
        self.person.reset(self.np_random, self.default_impairment)
        self.steps = 0
        self._started = True
        info = self._start_sessions(options)
        self._start_episode()
        return self._observe(), {**info, **self._measure()}

    def step(self, action: np.ndarray) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """One control step of 0.1 s. Entries of ``action`` beyond [−1, 1] are clipped.

        Raises:
            InputError: an action of the wrong shape, or with NaN or infinity; nothing has moved.
        """
        if not self._started:
            raise gym.error.ResetNeeded("call reset() before step()")
        given = np.asarray(action, dtype=np.float64)
        if given.shape != self.action_space.shape or not np.isfinite(given).all():
            raise InputError("action", action, f"{self.n_actions} finite numbers, in [-1, 1]")
        clipped = np.clip(given, -1.0, 1.0)
        self.person.act(self.steps)
        self._drive(clipped)
        self.world.step(SUBSTEPS)
        self.steps += 1
        observation = self._observe()
        reward, success = self._reward(clipped)
        info = self._measure()
        info["task_success"] = success
        info.update(self._advance_sessions())
        return observation, reward, False, self.steps >= self.episode_length, info

    def _add_box(self, box: Box) -> int:
        frame = np.eye(4)
        frame[:3, :3], frame[:3, 3] = matrix_from_quaternion(np.array(box.quaternion)), box.centre
        x, y, z = box.half_extents
        edges = (2 * x, 2 * y, 2 * z)
        return self.world.add_static(Shape((0, 0, 0), (0, 0, 0), box=edges), frame)

    def _drive(self, action: np.ndarray) -> None:
        control = self.controller
        measured = self._angles if not control.from_target else np.clip(
            self._target, self._angles - control.slack, self._angles + control.slack
        )  # fmt: skip
        self._target = np.clip(measured + control.reach * action, self._low, self._high)
        self.world.drive(self.arm, self._joints, self._target.tolist(), self._gains, self._torques)

    def close(self) -> None:
        self.world.close()
        if self._picture is not None:
            self._picture.close()
            self._picture = None
        super().close()

    def render(self) -> np.ndarray | None:
        """(H, W, 3) uint8 from the first camera, when ``render_mode`` is ``"rgb_array"``."""
        if self.render_mode is None:
            gym.logger.warn('render() needs render_mode="rgb_array"')
            return None
        if self._picture is None:
            from scenes.care.tiny_render import TinyPicture

            self._picture = TinyPicture(self.visual_model())
        camera = self.cameras()[0]
        width, height = self.render_size
        return self._picture.draw(self.poses(), camera.eye, camera.target, camera.fov_deg, width, height)

    # -- what a scene adds
    def _start_episode(self) -> None:
        """Reset the scene's own counters; the session has started, nothing was observed yet."""

    def _observe(self) -> np.ndarray:
        """Read the world once per step; returns the observation (n_obs,) float32."""
        raise NotImplementedError

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        """Reward of the step just observed, and whether the success rule is met so far."""
        raise NotImplementedError

    def _measure(self) -> dict[str, Any]:
        """The scene's own numbers for ``info``."""
        return {}

    # -- drawing
    def visual_model(self) -> VisualModel:
        from scenes.care.looks import build_visual_model

        return build_visual_model(self.person.gender, self.robot_name)

    def poses(self) -> np.ndarray:
        """(K, 7): world, torso, the four moving frames of the arm, the robot's links, the tool."""
        still = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        rows: list[tuple[float, ...]] = [still, still]
        for position, quaternion in self.world.link_frames(self.person.arm, list(MOVING_FRAMES.values())):
            rows.append((*position, *quaternion))
        for position, quaternion in self.world.link_frames(self.arm, self._frame_links):
            rows.append((*position, *quaternion))
        return np.array(rows, dtype=np.float32)

    def cameras(self) -> tuple[CameraPreset, ...]:
        return CAMERAS

    def state_hash(self) -> str:
        return self.world.digest({self.arm: self._joints, self.person.arm: self.person.joints})
