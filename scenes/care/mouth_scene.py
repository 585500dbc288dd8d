"""MouthScene: what feeding and drinking share — grains carried to a mouth, from a preferred side, in helpings.

The account of eaten, spilled and fallen grains is Assistive Gym 1.0's (Erickson et al., ICRA 2020; ``feeding.py``,
``drinking.py``), its human preferences included. Hidden here is how the person wants it: see :class:`MouthScene`.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from scenes.care.body import IMPAIRMENTS, capsules, mouth
from scenes.care.chain import matrix_from_quaternion
from scenes.care.contact import Contact
from scenes.care.grains import RADIUS_M, Grains, Helping
from scenes.care.reward import action_cost, comfort, food_comfort
from scenes.care.scene import SUBSTEPS, CareScene
from scenes.care.shapes import Color, Mesh, ball
from scenes.errors import InputError
from scenes.latent import ChoiceField, LatentField
from scenes.visual import CameraPreset

#: Upstream draws each of the head's three angles from ±30°.
HEAD_TURN_DEG = 30.0
MOUTH_RADIUS_M = 0.03
SPILLED_M = 0.10
SUCCESS_SHARE = 0.75

#: Where a tool counts as at the face, and how far it must be from the mouth before there is another helping.
FACE_M = 0.15
REFILL_M = 0.25
REFILL_TILT_RAD = math.radians(25.0)
#: Direction from the mouth from which the person wants to be approached, about the head's upright axis; + is its left.
SIDES: dict[str, float] = {"left": math.radians(50), "front": 0.0, "right": -math.radians(50)}
#: A side is right up to this far off, and wrong from there on.
SIDE_RIGHT_RAD, SIDE_WRONG_RAD = math.radians(25.0), math.radians(45.0)
#: Per step at the face from a wrong side.
SIDE_COST = 0.5
#: Per step and half turn that the tool is off the preferred side while it is not at the face.
WATCH_COST = 0.1
#: Weight of the newest step in the felt pace.
FELT = 0.3

SIDE = ChoiceField("side", "Approach side", tuple(SIDES))
IMPAIRMENT = ChoiceField("impairment", "Impairment", IMPAIRMENTS)

CAMERAS: tuple[CameraPreset, ...] = (
    # The arm comes from the person's right: from their left nothing stands before the mouth.
    CameraPreset("face", (0.62, -0.95, 1.38), (-0.04, -0.16, 1.14), 38.0),
    CameraPreset("face_side", (-0.98, -0.12, 1.28), (-0.02, -0.22, 1.15), 38.0),
    CameraPreset("face_above", (-0.30, -0.95, 1.85), (-0.05, -0.18, 1.16), 38.0),
    CameraPreset("front", (0.35, -2.00, 1.45), (-0.12, -0.05, 0.88), 40.0),
    CameraPreset("room", (1.55, -1.85, 1.75), (-0.06, -0.10, 0.75), 42.0),
    CameraPreset("top", (-0.20, -0.85, 2.30), (-0.07, -0.15, 1.03), 42.0),
)


def ramp(value: float, right: float, wrong: float) -> float:
    """1 up to ``right``, falling to 0 at ``wrong``."""
    return min(1.0, max(0.0, (wrong - value) / (wrong - right)))


def grain_looks(colors: Sequence[Color], n: int, around: int) -> tuple[tuple[str, Mesh], ...]:
    """Looks of ``n`` grains in ``colors`` by turns, ``around`` corners each."""
    meshes = [ball((0, 0, 0), RADIUS_M, color, around, around // 2 + 1) for color in colors]
    return tuple((f"grain/{i}", meshes[i % len(meshes)]) for i in range(n))


class MouthScene(CareScene):
    """Base of the scenes that carry grains to the mouth.

    A scene adds its vessel, what a grain pays, and :meth:`_felt_now` and :meth:`_pace_worth`, what of a motion at the
    face the person feels and likes.
    """

    episode_length = 200
    n_privileged = 5
    place = "wheelchair_face"
    moving = ("head",)
    every_pair = True
    mouth_open = 0.8
    # A grain that fell a metre moves 88 mm a substep before what it falls on is met; 77 mm found.
    overlap_m = 0.09
    task_points = 2
    task_bounds = ((-1.0, 1.0),) * 4 + ((0.0, 1.0),)

    helping: ClassVar[Helping]
    #: How long the grains settle when the scene is built, substeps.
    settling: ClassVar[int] = 150
    #: What a grain in the mouth pays, and a spilled one costs.
    eaten_reward: ClassVar[float]
    spilled_cost: ClassVar[float]
    #: Whether a grain must have left the vessel before the mouth takes it.
    leaves_vessel: ClassVar[bool] = False
    latent_fields: ClassVar[Mapping[str, LatentField]]

    # What pickers and messages list: every care scene's options, and ours.
    __signature__ = inspect.signature(CareScene).replace(
        parameters=[
            *inspect.signature(CareScene).parameters.values(),
            inspect.Parameter("refill", inspect.Parameter.KEYWORD_ONLY, default=True, annotation=bool),
        ]
    )

    def __init__(self, *args: Any, refill: bool = True, **options: Any) -> None:
        if not isinstance(refill, bool):
            raise InputError("refill", refill, "true or false")
        self.refill = refill
        super().__init__(*args, **options)

    # -- bodies
    def _build(self) -> None:
        self._mouth_local = mouth(self.person.spec)
        head = self.person.limbs["head"]
        self._head_link = [head.segments["head"]]
        self._capsules = _Skin(self.person, head.body)
        self.grains = Grains(self.world, self.helping, self.tool.vessel)
        for link in self._tool_links:
            self.world.ignore_spheres(self.arm, link)
        self.world.set_joints(self.arm, self._joints, self.start_joints)
        self.grains.settle(self._tool_motion(), self.settling)

    def _tool_motion(self) -> tuple:
        return self.world.link_motion(self.arm, self._tool)

    def _serve(self) -> None:
        motion = self._tool_motion()
        self.grains.carry(motion)
        self.grains.serve(np.array(motion[0]), matrix_from_quaternion(np.array(motion[1])))

    def _start_bodies(self) -> None:
        turn = np.radians(self.np_random.uniform(-HEAD_TURN_DEG, HEAD_TURN_DEG, 3))
        self.person.limbs["head"].set_pose(turn)
        self.person.set_impairment(self.person.impairment)  # the motors hold the new pose
        self.grains.start()
        self._serve()

    def _start_episode(self) -> None:
        self.eaten = self.spilled = self.fallen = 0
        self.helpings, self._eaten_now = 1, 0
        self._entry: float | None = None
        self._felt = 0.0
        self._last_tip: tuple[float, ...] | None = None
        self.distance_m = math.inf
        self.carried = self.grains.n

    # -- a step
    def _simulate(self) -> None:
        self._step_reward = 0.0
        grains, near = self.grains, self.distance_m < REFILL_M
        here = not grains.away.all()
        with self.world.close_contacts():
            for _ in range(SUBSTEPS):  # a falling grain is at the mouth for less than a control step
                if here:
                    grains.carry(self._tool_motion())
                self.world.step(1)
                if near and grains.pending.any():
                    self._swallow()

    def _swallow(self) -> None:
        """Take the grains that are in the mouth."""
        grains = self.grains
        grains.read()
        offset = grains.positions - self._read_mouth()
        taken = grains.pending & (np.einsum("ij,ij->i", offset, offset) < MOUTH_RADIUS_M**2)
        if taken.any() and self.leaves_vessel:
            position, quaternion = self._tool_motion()[:2]
            taken &= grains.off_tool(np.array(position), matrix_from_quaternion(np.array(quaternion))) > 0.0
        if not taken.any():
            return
        worth = self._worth()
        for index in np.flatnonzero(taken):
            self._step_reward += self.eaten_reward * worth + food_comfort(grains.speed(int(index)), 0)
            self.eaten += 1
            self._eaten_now += 1
        grains.remove(taken)

    def _read_mouth(self) -> np.ndarray:
        """(3,) m; the head's pose is kept beside it."""
        head = self.world.link_frames(self.person.limbs["head"].body, self._head_link)[0]
        self._head_at, self._head_quaternion = head
        self._head_rotation = matrix_from_quaternion(head[1])
        self._mouth = self._head_rotation @ self._mouth_local + self._head_at
        return self._mouth

    def _see(self) -> tuple[Sequence[Sequence[float]], Sequence[float]]:
        """Head and mouth; the head's orientation, and the share of a helping still in the vessel."""
        self._read_mouth()
        position, quaternion = self._tool_frame
        self._tool_at, self._tool_rotation = np.array(position), matrix_from_quaternion(quaternion)
        self.grains.read()
        self._off_tool = self.grains.off_tool(self._tool_at, self._tool_rotation)
        self.carried = int(np.count_nonzero(self.grains.pending & (self._off_tool < 2 * RADIUS_M)))
        self._approach()
        return (self._head_at, self._mouth), (*self._head_quaternion, self.carried / self.grains.n)

    def _approach(self) -> None:
        """Where the tool came to the face from, and how its motion there feels."""
        away = self._head_rotation.T @ (np.array(self._tip) - self._mouth)
        self.distance_m = float(np.linalg.norm(away))
        self._bearing = math.atan2(away[0], -away[1])
        felt = self._felt_now()
        if self.distance_m > FACE_M:
            self._entry = None
        else:
            if self._entry is None:
                self._entry, self._felt = self._bearing, felt
            self._felt += FELT * (felt - self._felt)
        self._last_tip = self._tip

    def _felt_now(self) -> float:
        """What the person feels of this step's motion at the face."""
        raise NotImplementedError

    def _pace_worth(self) -> tuple[float, float]:
        """Share of a grain's worth that what is felt leaves, and what it costs per step."""
        raise NotImplementedError

    def _side_worth(self) -> float:
        """1 from the preferred side, 0 from a wrong one, and 1 while the tool is not at the face."""
        if self._entry is None:
            return 1.0
        return ramp(self._off_side(self._entry), SIDE_RIGHT_RAD, SIDE_WRONG_RAD)

    def _off_side(self, bearing: float) -> float:
        """How far a bearing is from the preferred side, rad."""
        off = abs(bearing - SIDES[self.sessions.latent["side"]])
        return min(off, 2 * math.pi - off)

    def _worth(self) -> float:
        """What a grain is worth now, of its full reward."""
        return self._side_worth() * self._pace_worth()[0]

    def _start_touches(self) -> None:
        self.mouth_force_n = 0.0

    def _on_touch(self, contact: Contact) -> None:
        if contact.own_link in self._tool_links:
            self.mouth_force_n += contact.force

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        reward = self._step_reward - self.distance_m + action_cost(math.sqrt(float(action @ action)))
        # Upstream counts force at the mouth twice: as force on the person, and when it is high.
        reward += comfort(self._hand_speed, self.total_force_n + self.mouth_force_n, self.mouth_force_n)
        reward += self._lose_grains()
        if self._entry is not None:
            reward -= SIDE_COST * (1.0 - self._side_worth()) + self._pace_worth()[1]
        else:
            reward -= WATCH_COST * self._off_side(self._bearing) / math.pi
        if self.refill:
            self._refill()
        return reward, self.success

    def _lose_grains(self) -> float:
        """Count what was spilled and what fell on the person; the reward (≤ 0) of this step's."""
        grains = self.grains
        spilled = grains.pending & (self._off_tool > SPILLED_M)
        lost = int(np.count_nonzero(spilled))
        grains.pending[spilled] = False
        self.spilled += lost
        hits = 0
        loose = grains.fresh & (self._off_tool > 2 * RADIUS_M)
        if loose.any():
            hit = np.flatnonzero(loose)[
                self._capsules.touched(grains.positions[loose], self._head_at, self._head_rotation)
            ]
            grains.fresh[hit] = False
            hits = len(hit)
            self.fallen += hits
        grains.sweep()
        return -self.spilled_cost * lost + food_comfort(0.0, hits)

    def _refill(self) -> None:
        """Another helping, once three quarters of this one were eaten and the tool is away from the face and upright."""
        if self._eaten_now < SUCCESS_SHARE * self.grains.n or self.distance_m < REFILL_M:
            return
        if self._tool_rotation[2, 2] > math.cos(REFILL_TILT_RAD):
            self._serve()
            self._eaten_now = 0
            self.helpings += 1

    @property
    def success(self) -> bool:
        """Upstream's rule: three quarters of a helping eaten, and no more than a quarter of all spilled."""
        return self.eaten >= SUCCESS_SHARE * max(self.grains.n, self.eaten + self.spilled)

    def _measure(self) -> dict[str, Any]:
        return {
            "task_success": False,
            "eaten": self.eaten,
            "spilled": self.spilled,
            "fallen_on_person": self.fallen,
            "helpings": self.helpings,
            "tool_force_n": self.tool_force_n,
            "total_force_n": self.total_force_n,
        }

    def _privileged_features(self) -> np.ndarray:
        """Mouth, robot base frame, m; the preferred bearing, rad; worth of the side the tool came from."""
        bearing = SIDES[self.sessions.latent["side"]]
        return np.array([*self.to_base(self._mouth), bearing, self._side_worth()])

    # -- drawing
    def cameras(self) -> tuple[CameraPreset, ...]:
        return CAMERAS

    def _object_poses(self) -> Sequence[tuple[float, ...]]:
        return self.grains.poses()


class _Skin:
    """The person's capsules, all at once: which grains touch them."""

    _NEAR_M = 0.002

    def __init__(self, person: Any, head_body: int) -> None:
        parts = capsules(person.spec)
        still = [c for c in parts if c.segment != "head"]
        ends = []
        for c in still:
            frame = person.frames[c.segment]
            ends.append([frame[:3, :3] @ np.array(end) + frame[:3, 3] for end in (c.a, c.b)])
        head = next(c for c in parts if c.segment == "head")
        self._head = np.array([head.a, head.b])
        self._ends = np.array([*ends, self._head])  # (C, 2, 3); the last row follows the head
        self._reach = np.array([*(c.radius for c in still), head.radius]) + RADIUS_M + self._NEAR_M

    def touched(self, points: np.ndarray, head_at: Sequence[float], head_rotation: np.ndarray) -> np.ndarray:
        """(n,) bool of points (n, 3) m: whether a grain there touches the person."""
        self._ends[-1] = self._head @ head_rotation.T + head_at
        start = self._ends[:, 0]
        along = self._ends[:, 1] - start  # (C, 3)
        to = points[:, None] - start  # (n, C, 3)
        length = np.maximum(np.einsum("cj,cj->c", along, along), 1e-12)
        share = np.clip(np.einsum("ncj,cj->nc", to, along) / length, 0.0, 1.0)
        distance = np.linalg.norm(to - share[..., None] * along, axis=2)
        return (distance < self._reach).any(1)
