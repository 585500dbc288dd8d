"""CareScene: what all care scenes share — a place, a person, a robot with a tool; reset, step, observe, render, close.

A scene declares what it is made of (the class attributes below) and adds its latent fields, what it sees of the person
(:meth:`CareScene._see`), what a contact means (:meth:`CareScene._on_touch`) and its reward. Timing and bodies
are Assistive Gym 1.0's: 5 substeps of 0.02 s per step (10 Hz control), 200 steps per episode.

A step is fast because only what can move is simulated (the robot and the person's moving limbs; all else is static
capsules and boxes), and a reset because the world is built once and restored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np

from scenes.base import bounded_action
from scenes.care.chain import (
    Kinematics,
    matrix_from_rpy,
)
from scenes.care.contact import Contact
from scenes.care.contact_map import force_by_patch, force_by_segment
from scenes.care.drawn import DrawnScene
from scenes.care.person import Person
from scenes.care.place import find_place
from scenes.care.robots import find_robot, robots_at
from scenes.care.robots.controllers import find_controller
from scenes.care.size import REFERENCE_AGE, BodySpec
from scenes.care.start import solve_start
from scenes.care.tools.scratcher import SCRATCHER
from scenes.care.tools.tool import Tool
from scenes.care.world import World
from scenes.errors import InputError
from scenes.latent import LatentField, LatentSpace
from scenes.session import Kernel, Termination

TIME_STEP_S = 0.02
SUBSTEPS = 5
SOLVER_ITERATIONS = 20
#: A start pose keeps this far from everything.
START_CLEARANCE_M = 0.004
CONTROL_STEP_S = SUBSTEPS * TIME_STEP_S


class CareScene(DrawnScene):
    """Base of the care scenes.

    **Observation** of every care scene, float32, positions in the robot's base frame; values beyond a range are clipped:

    ==============  =====================================================  ============  =====
    entries         meaning                                                range         unit
    ==============  =====================================================  ============  =====
    3               tool tip                                               ±2            m
    4               tool orientation, quaternion (x, y, z, w)              ±1
    n               joint angles, wrapped                                  ±π            rad
    n               joint speeds                                           ±20           rad/s
    3·task_points   what the scene sees of the person                      ±2            m
    task_bounds     the scene's own numbers                                own
    1               contact force on the tool                              0–1000        N
    ==============  =====================================================  ============  =====

    Args:
        robot, controller: entries of :data:`scenes.care.robots.ROBOTS` and ``CONTROLLERS``.
        gender, age_years, weight_kg, height_m: the person, :class:`scenes.care.size.BodySpec`.
        impairment: ``none``, ``limits``, ``weakness`` or ``tremor``; ignored where it is a latent field.
        motion: what an active person does: a name or a script of :mod:`scenes.care.motion`; None: nothing.
        fields: the latent fields, out of the scene's; default the scene's ``default_fields``.
        ranges: other bounds (low, high) for numbers among them, such as ``{"force": (6, 9)}``: preferences nobody was
            trained for.
        termination, kernel: of the session process.
        render_mode: ``None`` or ``"rgb_array"``.
    """

    #: Where the person is (:mod:`scenes.care.place`), which limbs move, and how they are held: limb → joint → degrees.
    place: ClassVar[str] = "wheelchair"
    moving: ClassVar[tuple[str, ...]] = ("right_arm",)
    pose_deg: ClassVar[Mapping[str, Mapping[str, float]]] = {}
    #: Furniture that holds the limbs up: elsewhere they pass through it, for they rest on it and contacts cost time.
    supports: ClassVar[tuple[str, ...]] = ()
    #: What the limbs weigh, m/s²; robots hold their own weight.
    limb_gravity: ClassVar[float] = 0.0
    #: Torque limit (N·m) of every joint of the robot, where the task needs another than the controller's.
    motor_torque: ClassVar[float | None] = None
    tool: ClassVar[Tool] = SCRATCHER
    #: Of the constraint solver, per substep.
    solver_iterations: ClassVar[int] = SOLVER_ITERATIONS
    #: Whether its contacts are too many for Bullet's usual broadphase (:class:`scenes.care.world.World`).
    every_pair: ClassVar[bool] = False
    #: Position (m, world) and rpy (rad) of the tool's tip at the start, and the half-width (m) of the cube around it
    #: in which the start position is drawn.
    start_tip: ClassVar[tuple[tuple[float, float, float], tuple[float, float, float]]]
    start_spread: ClassVar[float] = 0.05
    #: Upstream's motor gain differs from task to task; that of the ``assistive_gym`` controller here.
    upstream_gain: ClassVar[float] = 0.05
    #: What the person may prefer, which of it may be hidden in a scene, and which always is.
    latent_fields: ClassVar[Mapping[str, LatentField]]
    default_fields: ClassVar[tuple[str, ...]]
    #: How deep two bodies may overlap under whatever actions, m: thrashing, the tool moves at 1.6 m/s, and what it
    #: strikes is met at the end of a substep of 20 ms. ``benchmarks.soak`` found 31 mm; the thinnest limb has 66 mm.
    overlap_m: ClassVar[float] = 0.035
    #: Points of the person in the observation, and (low, high) of the scene's own numbers after them.
    task_points: ClassVar[int] = 0
    task_bounds: ClassVar[tuple[tuple[float, float], ...]] = ()

    def __init__(
        self,
        robot: str = "jaco",
        controller: str = "assistive_gym",
        gender: str = "male",
        age_years: float = REFERENCE_AGE,
        weight_kg: float | None = None,
        height_m: float | None = None,
        impairment: str = "none",
        motion: Any = None,
        fields: Sequence[str] | None = None,
        termination: Termination | float = 0.02,
        kernel: Kernel | str | dict = "uniform",
        render_mode: str | None = None,
        ranges: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        super().__init__(self._latent_space(fields).with_ranges(ranges or {}), termination, kernel)
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise InputError("render_mode", render_mode, "None or rgb_array")
        self.render_mode = render_mode
        self.robot_name, self.robot = robot, find_robot(robot)
        self.controller_name, self.controller = controller, find_controller(controller)
        if controller == "assistive_gym":
            self.controller = replace(self.controller, gain=self.upstream_gain)
        self.default_impairment = impairment

        place = find_place(self.place)
        if place.name not in self.robot.mounts:
            raise InputError(
                "robot", robot, f"one with a mount at the {place.name}: {', '.join(robots_at(place.name))}"
            )
        self.world = World(TIME_STEP_S, self.solver_iterations, self.every_pair)
        who = BodySpec(gender, age_years, weight_kg, height_m)
        self.person = Person(self.world, who, place.posture, self.moving, self.pose_deg, motion)
        self.person.set_impairment(impairment)
        own = (*place.stand_boxes(self.robot), *self.robot.still_boxes(place.name))
        self._own = {box.name for box in own}
        self.furniture = {
            self.world.add_static(box.shape, box.frame): box.name for box in (*place.boxes(who), *own)
        }
        for body, name in self.furniture.items():
            for limb in self.person.limbs.values() if name not in self.supports else ():
                for link in range(len(limb.chain.links)):
                    self.world.ignore(limb.body, link, body, -1)
        self.base = self.robot.mounts[place.name].pose
        self._base_rotation, self._base_position = self.base[:3, :3].copy(), self.base[:3, 3].copy()
        self.chain = self.robot.chain(robot, self.tool)
        self.arm = self.world.add_chain(self.chain, self.base)
        self._joints = list(self.chain.movable)
        for body, name in self.furniture.items():  # the first links move inside what carries them
            for link in range(-1, self.robot.inside if name in self._own else -1):
                self.world.ignore(self.arm, link, body, -1)
        self._angles = np.zeros(len(self._joints))  # as last observed, rad
        for limb in self.person.limbs.values():
            if self.limb_gravity:
                masses = {i: link.mass for i, link in enumerate(limb.chain.links) if link.mass}
                self.world.add_gravity(limb.body, masses, self.limb_gravity)
            self.world.share_island(self.arm, self._joints[0], limb.body, limb.joints[0])
        self._low, self._high = self.chain.limits
        n = len(self._joints)
        torque = self.motor_torque or self.controller.torque or self.robot.torque
        self._gains, self._torques = [self.controller.gain] * n, (torque * self.robot.strengths).tolist()
        self._reach = self.controller.reach * self.robot.levers
        self._slack = self.controller.slack * self.robot.levers
        self._tool = self.chain.index("tool")
        self._tool_links = range(len(self.robot.links), len(self.chain.links))
        self._hand = self._joints[-1]
        self._frame_links = [*self._joints, self._tool]
        self._find_still_rows()

        self.kinematics = Kinematics(self.chain, self.base, ("tool", self.tool.tip))
        self._start_rotation = matrix_from_rpy(self.start_tip[1])
        self.start_joints = self._solve_start()
        self.n_actions = n
        self.action_space = gym.spaces.Box(-1.0, 1.0, (n,), np.float32)
        self.observation_space = self._observation_space()
        self._build()
        self.world.save()
        self._picture: Any = None
        self._started = self._observed = False
        self.steps = 0

    def _latent_space(self, fields: Sequence[str] | None) -> LatentSpace:
        chosen = self.default_fields if fields is None else fields
        needed = self.default_fields[0]
        if (
            isinstance(chosen, str)
            or needed not in chosen
            or any(name not in self.latent_fields for name in chosen)
        ):
            others = ", ".join(name for name in self.latent_fields if name != needed)
            raise InputError("fields", fields, f"{needed}, and any of {others}")
        return LatentSpace(tuple(field for name, field in self.latent_fields.items() if name in chosen))

    def _observation_space(self) -> gym.spaces.Box:
        n = self.n_actions
        body = np.repeat([2.0, 1.0, np.pi, 20.0, 2.0], [3, 4, n, n, 3 * self.task_points])
        low, high = np.array([*zip(-body, body, strict=True), *self.task_bounds, (0.0, 1000.0)], np.float32).T
        self._bound_low, self._bound_high = low.copy(), high.copy()
        return gym.spaces.Box(self._bound_low, self._bound_high, dtype=np.float32)

    def _solve_start(self) -> np.ndarray:
        """Joint positions of the start pose, found from the robot's own seed for the place."""
        seeds = [
            np.array(self.robot.mounts[self.place].start or self.robot.start),
            *map(np.array, self.robot.seeds),
        ]
        q, wrong = solve_start(
            self.kinematics, np.array(self.start_tip[0]), self._start_rotation, self.start_spread, seeds,
            self.robot.levers, self._is_clear,
        )  # fmt: skip
        if q is None:
            wanted = f"one that reaches the start pose of {type(self).__name__} ({wrong})"
            raise InputError("robot", self.robot_name, wanted)
        return q

    def _is_clear(self, q: np.ndarray) -> bool:
        """Whether the arm at joint positions ``q`` keeps its distance from the person and from what stands there."""
        self.world.set_joints(self.arm, self._joints, q)
        people = [(body, -1) for body in self.person.bodies]
        things = [
            (body, self.robot.inside if name in self._own else -1) for body, name in self.furniture.items()
        ]
        return all(
            self.world.closest_distance(self.arm, body, START_CLEARANCE_M, first) >= START_CLEARANCE_M
            for body, first in (*people, *things)
        )

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
        offset = self.np_random.uniform(-self.start_spread, self.start_spread, 3)
        q, _ = self.kinematics.solve(
            np.add(self.start_tip[0], offset), self._start_rotation, self.start_joints
        )
        self.world.set_joints(self.arm, self._joints, q)
        self._target = np.array(q)
        self.world.drive(self.arm, self._joints, q.tolist(), self._gains, self._torques)
        self.person.reset(self.np_random, self.default_impairment)
        self.steps = 0
        self._started, self._observed = True, False
        self._reference_quaternion: np.ndarray | None = None
        self._start_bodies()
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
        clipped = bounded_action(action, self.action_space)
        self.person.act(self.steps, self.steps * CONTROL_STEP_S)
        self._drive(clipped)
        self._simulate()
        self.steps += 1
        observation = self._observe()
        reward, success = self._reward(clipped)
        info = self._measure()
        info["task_success"] = success
        info.update(self._advance_sessions())
        return observation, reward, False, self.steps >= self.episode_length, info

    def _drive(self, action: np.ndarray) -> None:
        control = self.controller
        measured = self._angles if not control.from_target else np.clip(
            self._target, self._angles - self._slack, self._angles + self._slack
        )  # fmt: skip
        self._target = np.clip(measured + self._reach * action, self._low, self._high)
        self.world.drive(self.arm, self._joints, self._target.tolist(), self._gains, self._torques)

    def close(self) -> None:
        self.world.close()
        super().close()

    # -- sensing
    def _observe(self) -> np.ndarray:
        """Read the world once per step; returns the observation (n_obs,) float32."""
        world = self.world
        angles, speeds = world.joint_states(self.arm, self._joints)
        (_, _, hand_velocity), (tool_position, tool_quaternion, _) = world.link_frames(
            self.arm, [self._hand, self._tool], velocity=True
        )
        self._angles = np.array(angles)
        self._hand_speed = math.sqrt(hand_velocity[0] ** 2 + hand_velocity[1] ** 2 + hand_velocity[2] ** 2)

        x, y, z, w = tool_quaternion
        reach = self.tool.tip[0]  # the tip lies on the tool's x axis: the first column of its rotation
        self._tip = (
            tool_position[0] + reach * (1 - 2 * (y * y + z * z)),
            tool_position[1] + reach * 2 * (x * y + z * w),
            tool_position[2] + reach * 2 * (x * z - y * w),
        )
        self._tool_frame = (tool_position, tool_quaternion)
        points, numbers = self._see()
        self._observed = True
        self._feel()

        local = (np.array([self._tip, *points]) - self._base_position) @ self._base_rotation
        self._tip_local = local[0]
        quaternion = np.array(tool_quaternion)
        if self._reference_quaternion is None:
            self._reference_quaternion = quaternion
        elif (
            float(quaternion @ self._reference_quaternion) < 0
        ):  # q and −q are one rotation: keep to one half
            quaternion = -quaternion
        n, k = len(angles), 3 * self.task_points
        observation = np.empty(self._bound_high.shape, dtype=np.float32)
        observation[0:3] = local[0]
        observation[3:7] = quaternion
        observation[7 : 7 + n] = (self._angles + math.pi) % (2 * math.pi) - math.pi
        observation[7 + n : 7 + 2 * n] = speeds
        observation[7 + 2 * n : 7 + 2 * n + k] = local[1:].ravel()
        observation[7 + 2 * n + k : -1] = numbers
        observation[-1] = self.tool_force_n
        return np.clip(observation, self._bound_low, self._bound_high, out=observation)

    def _feel(self) -> None:
        """Sum the contact forces of this instant, on the tool and on the person, and hand each touch to the scene."""
        self.tool_force_n = self.total_force_n = 0.0
        self._strongest: tuple[float, tuple, tuple] | None = None
        self._start_touches()
        for contact in self.world.contacts(self.arm):
            if contact.own_link in self._tool_links:
                self.tool_force_n += contact.force
            if contact.body not in self.person.bodies:
                continue
            self.total_force_n += contact.force
            if self._strongest is None or contact.force > self._strongest[0]:
                self._strongest = (contact.force, contact.position, contact.normal)
            self._on_touch(contact)

    def force_by_segment(self) -> dict[str, float]:
        """Segment of the person → normal force of the robot on it now, N."""
        return force_by_segment(self.world.contacts(self.arm), self.person.segment_of)

    def force_by_patch(self) -> dict[str, np.ndarray]:
        """Part of the arm → (axial, angle) map of the robot's normal forces on its skin now, N."""
        frames = {
            segment: frame
            for limb in self.person.limbs.values()
            for segment, frame in zip(
                limb.segments, self.world.link_frames(limb.body, list(limb.segments.values())), strict=True
            )
        }
        return force_by_patch(self.world.contacts(self.arm), self.person.segment_of, frames, self.person.size)

    def to_base(self, point: np.ndarray) -> np.ndarray:
        """A point (3,) of the world in the robot's base frame, m."""
        return self._base_rotation.T @ (point - self._base_position)

    # -- what a scene adds
    def _build(self) -> None:
        """Add further bodies to the world; it is saved right after."""

    def _start_bodies(self) -> None:
        """Place them for a new episode, drawing from ``np_random``; the world was just restored."""

    def _start_episode(self) -> None:
        """Reset the scene's own counters; the session has started, nothing was observed yet."""

    def _simulate(self) -> None:
        """The substeps of one control step; a scene with physics of its own steps it in between."""
        self.world.step(SUBSTEPS)

    def _see(self) -> tuple[Sequence[Sequence[float]], Sequence[float]]:
        """Read the person: ``task_points`` points (world, m) and the numbers that ``task_bounds`` bound."""
        return (), ()

    def _start_touches(self) -> None:
        """Forget the last step's touches."""

    def _on_touch(self, contact: Contact) -> None:
        """A contact of the robot with the person."""

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        """Reward of the step just observed, and whether the success rule is met so far."""
        raise NotImplementedError

    def _measure(self) -> dict[str, Any]:
        """The scene's own numbers for ``info``."""
        return {}

    def _latent_changed(self) -> None:
        latent = self.sessions.latent
        if "impairment" in latent and latent["impairment"] != self.person.impairment:
            self.person.set_impairment(latent["impairment"])

    def state_hash(self) -> str:
        chains = {self.arm: self._joints}
        chains.update({limb.body: limb.joints for limb in self.person.limbs.values()})
        return self.world.digest(chains)
