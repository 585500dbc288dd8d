"""Dressing: draw the sleeve of a gown over a person's arm, past a spot that hurts, no faster than they like.

The task is Assistive Gym 1.0's ``Dressing`` (Erickson et al., ICRA 2020), which needs a fork of PyBullet for its cloth.
Here the cloth is a net of ours (:mod:`scenes.care.cloth`) coupled to stock PyBullet substep by substep: the hoop that holds
it open is part of the robot, the arm's capsules are the net's obstacles, and each feels the other's forces.

Why not PyBullet's own soft body: ``restoreState`` does not bring it back, so that no episode could start twice the same;
with the time step of these scenes a tube of it flies apart; and its contacts report no forces. Why not rigid rings in
PyBullet: rings that fit over an elbow cannot close about a wrist, and a stack of them jams; a net does both.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scenes.care.body import ARM_PARTS, IMPAIRMENTS, capsules
from scenes.care.chain import matrix_from_quaternion
from scenes.care.contact import Contact
from scenes.care.reward import action_cost, comfort
from scenes.care.scene import CONTROL_STEP_S, SUBSTEPS, TIME_STEP_S, CareScene
from scenes.care.skin_spot import LANDMARKS, SkinSpot
from scenes.care.sleeve import frames_of, rest_points, sleeve_look, sleeve_net
from scenes.care.tools.hoop import CENTRE, HOOP, RADIUS_M
from scenes.latent import ChoiceField, LatentField, PointField, ScalarField
from scenes.visual import CameraPreset, Markers

#: Upstream's rule: the sleeve has come this far up the arm, m.
SUCCESS_M = 0.4
#: Cost per N within SORE_RADIUS_M of the sore spot while the sleeve is drawn (in full from DRAG_M_S on: what only rests on
#: the spot does not hurt); per N above what is tolerated; per m/s above the pace.
SORE_COST, SORE_RADIUS_M, DRAG_M_S = 3.0, 0.07, 0.05
TOLERANCE_COST = 0.5
PACE_COST = 25.0
#: Bound of the force (N) that the sleeve hands to one link in a substep, whatever happens.
MAX_FORCE_N = 40.0
#: From so deep an overlap (m) of robot and anything on, the solver does so many iterations: after its usual 20, contacts on
#: two sides of a limb and the motors do not agree yet, and full motors prise a jammed hoop through a forearm.
JAMMED_M, JAMMED_ITERATIONS = 0.012, 200
#: Starts of the search for the start pose.
START_SEEDS = 40
#: Substeps until the sleeve hangs still.
SETTLING = 150

FIELDS: dict[str, LatentField] = {
    "sore": PointField("sore", "Sore spot", ARM_PARTS),
    "pace": ScalarField("pace", "Preferred pace", 0.06, 0.25, "m/s"),
    "tolerance": ScalarField("tolerance", "Tolerated force", 1.0, 6.0, "N"),
    "impairment": ChoiceField("impairment", "Impairment", IMPAIRMENTS),
}

#: The cloth lies on the arm as it is drawn, which is thicker than the capsules that the robot touches.
_DRAWN = {"upper_arm": 1.15, "forearm": 1.22}
#: What else of the person the sleeve may come to lie on.
_OBSTACLES = ("chest", "waist", "hips", "right_thigh", "left_thigh")
#: The drawn hand, for the cloth: a capsule in the hand's frame, in units of the hand's radius.
_HAND = ((0.25, 0.0, -0.5), (0.9, 0.0, -2.5), 1.08)

CAMERAS: tuple[CameraPreset, ...] = (
    CameraPreset("sleeve", (-1.25, -0.95, 1.45), (-0.16, -0.25, 1.04), 39.0),
    CameraPreset("front", (-0.62, -1.40, 1.42), (-0.22, -0.15, 0.96), 38.0),
    CameraPreset("side", (-1.75, -0.25, 1.15), (-0.18, -0.20, 0.95), 40.0),
    CameraPreset("inside", (0.60, -1.20, 1.50), (-0.12, -0.22, 1.03), 41.0),
    CameraPreset("top", (-0.60, -0.75, 2.35), (-0.16, -0.10, 0.97), 42.0),
    CameraPreset("room", (-1.75, -1.75, 1.65), (-0.10, -0.05, 0.75), 42.0),
)


class Dressing(CareScene):
    """A robot arm mounted on a wheelchair draws the sleeve of a gown over the person's right arm.

    The arm is held out as upstream holds it (shoulder 45° forward, elbow 90°); upstream dresses the left arm, here it is the
    right, mirrored. The robot's hoop holds the sleeve open. The sleeve is a net of 56 points with contact, friction and
    weight; it can catch at the hand and at the elbow.

    **Action** (n,) in [−1, 1], one entry per arm joint (Jaco 6, Panda 7), as in ScratchItch; ``assistive_gym`` is the
    default controller, and its 1 N·m are enough to draw the sleeve.

    **Observation** (17 + 2n,) float32, in the robot's base frame:

    ========  =====================================================  ============  =====
    index     meaning                                                range         unit
    ========  =====================================================  ============  =====
    0–2       centre of the hoop                                     ±2            m
    3–6       orientation of the hoop, quaternion (x, y, z, w)       ±1
    7–6+n     joint angles, wrapped                                  ±π            rad
    7+n–6+2n  joint speeds                                           ±20           rad/s
    7+2n …    shoulder, elbow, wrist of the person's right arm (9)   ±2            m
    last      forces of the sleeve on the person, and on the hoop    0–1000        N
    ========  =====================================================  ============  =====

    Upstream's 17 + n numbers, and the joint speeds. Values beyond a range are clipped to it.

    **Latent**: ``sore``, a point on the upper arm or forearm that hurts, and ``pace``, how fast (0.06–0.25 m/s) the hoop
    may move. Optional fields, by ``fields=("sore", "pace", "tolerance", "impairment")``: ``tolerance``, the force (1–6 N)
    that the person bears, and ``impairment``.

    **Reward** (upstream's scale): progress − 0.01‖a‖ − 0.25‖v_ee‖ − 0.01·(force on the person) − 3·(force within 7 cm of
    the sore spot while the hoop moves, in full from 0.05 m/s on) − 25·(speed above the pace) − 0.5·(force above the
    tolerance). *Progress* is upstream's, m: while the
    forearm is in the opening its distance from the end of the hand; once the upper arm is, the forearm's length and
    its distance from the elbow; before, minus the distance to the hand. Forces are sums of magnitudes, N.

    **Start**: the hoop in front of the fingertips, at (−0.16, −0.55, 1.22) m ± 5 cm, its axis along the forearm, the
    sleeve hanging from it. **Episode**: 200 steps of 0.1 s. **Success**: 0.4 m of progress, which is at the elbow.
    Hostile actions pressed the hoop at most 32 mm into a body in 1,000,000 steps; at the wrist, where the capsules of
    forearm and hand touch in a point, its wire can slip between them.

    Args:
        robot: an entry of :data:`scenes.care.robots.ROBOTS` that can be mounted at the wheelchair.
        controller: ``assistive_gym`` or ``responsive``.
        gender: ``male`` (78.4 kg) or ``female`` (62.5 kg).
        impairment: ``none``, ``limits``, ``weakness`` or ``tremor``; ignored where it is a latent field.
        fields: the latent fields, ``sore`` among them.
        termination, kernel: of the session process; default p = 0.02 per step, uniform.

    **Version history**: v1, the first.
    """

    episode_length = 200
    n_privileged = 6

    tool = HOOP
    every_pair = True
    # 32 mm found. The wrist is thinner than it looks, forearm and hand touch in a point: there the wire may pass.
    overlap_m = 0.035
    pose_deg = {"right_arm": {"shoulder_y": 5.0, "shoulder_x": -45.0, "elbow": -90.0}}  # noqa: RUF012
    # In front of the fingertips, the hoop's axis along the forearm, its stem from outside and below.
    start_tip = ((-0.16, -0.55, 1.22), (-2.495, -0.490, 0.644))
    latent_fields = FIELDS
    default_fields = ("sore", "pace")
    task_points = 3
    object_looks = staticmethod(sleeve_look)

    def _solve_start(self) -> np.ndarray:
        """Of several solutions the one furthest from its joint limits: the way to the shoulder turns the wrist far."""
        rng, best, margin = np.random.default_rng(0), None, 0.0
        low, high = self.chain.limits
        seeds = rng.uniform(np.maximum(low, -math.pi), np.minimum(high, 2 * math.pi), (START_SEEDS, len(low)))
        for seed in (np.array(self.robot.start), *seeds):
            q, error = self.kinematics.solve(np.array(self.start_tip[0]), self._start_rotation, seed, 200)
            turned = self.kinematics.forward(q)[1]
            room = float(np.minimum(q - low, high - q).min())
            if room > margin and error < 1e-4 and float(np.abs(turned - self._start_rotation).max()) < 1e-3:
                best, margin = q, room
        return super()._solve_start() if best is None else best

    # -- the sleeve
    def _build(self) -> None:
        size, moving = self.person.size, self.person.arm.segments
        ends, radii, links = [], [], []
        shapes = [c for c in capsules(self.person.spec) if c.segment in moving or c.segment in _OBSTACLES]
        for c in shapes:
            if c.segment == "hand":
                near, far, thick = _HAND
                ends.append((np.multiply(near, size.hand_r), np.multiply(far, size.hand_r)))
                radii.append(thick * size.hand_r)
            else:
                ends.append((np.array(c.a), np.array(c.b)))
                radii.append(_DRAWN.get(c.segment, 1.0) * c.radius)
            links.append(moving.get(c.segment, -1))
        order = np.argsort([link < 0 for link in links], kind="stable")  # those that move come first
        self._capsule_links = [links[i] for i in order if links[i] >= 0]
        self._n_moving = len(self._capsule_links)
        self._radii = np.array([radii[i] for i in order])
        self._ends = np.array([ends[i] for i in order])  # (C, 2, 3) in their segments' frames
        segments = [shapes[i].segment for i in order]
        for k in range(self._n_moving, len(order)):
            frame = self.person.frames[segments[k]]
            self._ends[k] = self._ends[k] @ frame[:3, :3].T + frame[:3, 3]
        self._starts_now, self._ends_now = self._ends[:, 0].copy(), self._ends[:, 1].copy()
        self._carried = np.tile(np.eye(3, 4), (len(order), 1, 1))
        self.net = sleeve_net(TIME_STEP_S)
        self._limb_frames: np.ndarray | None = None
        self._jammed = False
        self._hang()

    def _hang(self) -> None:
        """Let the sleeve hang from the hoop at its start until it is still; episodes begin with it so."""
        centre = np.array(self.start_tip[0])
        rotation = self._start_rotation
        rest = (rest_points() - CENTRE) @ rotation.T + centre
        self.net.place(rest)
        self._carried[:] = np.eye(3, 4)
        far = np.full_like(self._starts_now, 10.0)
        for _ in range(SETTLING):
            self.net.step(rest[: self.net.n_held], far, far, self._radii, self._carried)
        self._hanging = self.net.points - centre

    def _start_bodies(self) -> None:
        self._limb_frames = None
        self._carried[:] = np.eye(3, 4)
        self._track_limbs()
        (tool,) = self.world.link_frames(self.arm, [self._tool])
        held = self._sewn(tool)
        points = self._hanging + (held.mean(0) - self._hanging[: len(held)].mean(0))
        points[: len(held)] = held
        self.net.place(points)

    def _sewn(self, tool: tuple) -> np.ndarray:
        """Where the hoop holds the sleeve's opening, world."""
        return rest_points()[: self.net.n_held] @ matrix_from_quaternion(tool[1]).T + tool[0]

    def _track_limbs(self) -> None:
        """Move the limbs' capsules to where they are, and note by what motion."""
        arm, n = self.person.arm, self._n_moving
        frames = self.world.link_frames(arm.body, self._capsule_links)
        now = np.empty((n, 3, 4))
        for k, (position, quaternion) in enumerate(frames):
            now[k, :, :3], now[k, :, 3] = matrix_from_quaternion(quaternion), position
        world = np.einsum("kij,kej->kei", now[:, :, :3], self._ends[:n]) + now[:, None, :, 3]
        self._starts_now[:n], self._ends_now[:n] = world[:, 0], world[:, 1]
        if self._limb_frames is not None:
            turned = now[:, :, :3] @ self._limb_frames[:, :, :3].transpose(0, 2, 1)
            self._carried[:n, :, :3] = turned
            self._carried[:n, :, 3] = now[:, :, 3] - np.einsum(
                "kij,kj->ki", turned, self._limb_frames[:, :, 3]
            )
        self._limb_frames = now

    def _simulate(self) -> None:
        """Substep by substep: the sleeve pulls at hoop and limbs, they move, the sleeve follows."""
        for _ in range(SUBSTEPS):
            self._hand_over_forces()
            self._mind_jams()
            self.world.step(1)
            self._track_limbs()
            (tool,) = self.world.link_frames(self.arm, [self._tool])
            self.net.step(self._sewn(tool), self._starts_now, self._ends_now, self._radii, self._carried)

    def _mind_jams(self) -> None:
        jammed = self.world.deepest_overlap(self.arm) > JAMMED_M
        if jammed != self._jammed:
            self.world.solve_with(JAMMED_ITERATIONS if jammed else self.solver_iterations)
            self._jammed = jammed

    def _hand_over_forces(self) -> None:
        pull = self.net.pull
        self._push(self.arm, self._tool, pull, self.net.points[: len(pull)])
        touches = self.net.touches
        for k, link in enumerate(self._capsule_links):
            chosen = touches.capsules == k
            if chosen.any():
                self._push(self.person.arm.body, link, touches.forces[chosen], touches.at[chosen])

    def _push(self, body: int, link: int, forces: np.ndarray, at: np.ndarray) -> None:
        """The sum of ``forces`` (K, 3) at their centre of pressure."""
        total = forces.sum(0)
        size = math.sqrt(total @ total)
        if size < 1e-9:
            return
        weight = np.sqrt(np.einsum("kj,kj->k", forces, forces))
        self.world.push(body, link, total * min(1.0, MAX_FORCE_N / size), weight @ at / weight.sum())

    # -- the hidden person
    def _latent_changed(self) -> None:
        super()._latent_changed()
        self.sore = SkinSpot(self.person.size, self.sessions.latent["sore"])
        if self._observed:
            self.sore.place(self._arm_frames)

    def _privileged_features(self) -> np.ndarray:
        """Position (3) m and outward normal (3) of the sore spot, robot base frame."""
        return np.concatenate([self.to_base(self.sore.position), self._base_rotation.T @ self.sore.normal])

    # -- episode
    def _start_episode(self) -> None:
        self.drawn_m = 0.0
        self._last_tip: np.ndarray | None = None

    def _see(self) -> tuple[Sequence[Sequence[float]], Sequence[float]]:
        """Shoulder, elbow and wrist."""
        self._arm_frames = self.world.link_frames(self.person.arm.body, LANDMARKS)
        self.sore.place(self._arm_frames)
        return [frame[0] for frame in self._arm_frames], ()

    def _start_touches(self) -> None:
        """The sleeve's forces count with the hoop's."""
        touches = self.net.touches
        size = np.sqrt(np.einsum("kj,kj->k", touches.forces, touches.forces))
        off = touches.at - self.sore.position
        self.sleeve_force_n = float(size.sum())
        self.sore_force_n = float(size[np.einsum("kj,kj->k", off, off) < SORE_RADIUS_M**2].sum())
        self.tool_force_n += self.sleeve_force_n
        self.total_force_n += self.sleeve_force_n

    def _on_touch(self, contact: Contact) -> None:
        if math.dist(contact.position, self.sore.position.tolist()) < SORE_RADIUS_M:
            self.sore_force_n += contact.force

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        latent, tip = self.sessions.latent, np.array(self._tip)
        progress = self._progress()
        self.drawn_m = max(self.drawn_m, progress)
        reward = progress + action_cost(math.sqrt(float(action @ action)))
        reward += comfort(self._hand_speed, self.total_force_n, 0.0)
        speed = 0.0 if self._last_tip is None else math.dist(tip, self._last_tip) / CONTROL_STEP_S
        self.sore_drag_n = self.sore_force_n * min(1.0, speed / DRAG_M_S)
        reward -= SORE_COST * self.sore_drag_n
        if "pace" in latent:
            reward -= PACE_COST * max(0.0, speed - latent["pace"])
        if "tolerance" in latent:
            reward -= TOLERANCE_COST * max(0.0, self.total_force_n - latent["tolerance"])
        self._last_tip = tip
        return reward, self.drawn_m >= SUCCESS_M

    def _progress(self) -> float:
        """Upstream's measure, m: how far up the arm the opening is; before the hand, minus the distance to it."""
        shoulder, elbow, wrist = (np.array(frame[0]) for frame in self._arm_frames)
        size = self.person.size
        along = (wrist - elbow) / np.linalg.norm(wrist - elbow)
        hand_end, elbow_end = wrist + 2 * size.hand_r * along, elbow - size.upper_arm_r * along
        forearm = float(np.linalg.norm(hand_end - elbow_end))
        upper = shoulder - elbow
        centre = np.array(self._tip)
        _, quaternion = self._tool_frame
        axis = matrix_from_quaternion(quaternion)[:, 2]
        length = float(np.linalg.norm(upper))
        if _passes(elbow, shoulder + upper * (size.upper_arm_r / length), centre, axis):
            return forearm + min(length, float(np.linalg.norm(centre - elbow)))
        if _passes(hand_end, elbow_end, centre, axis):
            return min(forearm, float(np.linalg.norm(centre - hand_end)))
        return -float(np.linalg.norm(centre - hand_end))

    def _measure(self) -> dict[str, Any]:
        return {
            "task_success": False,
            "drawn_m": self.drawn_m,
            "sleeve_force_n": self.sleeve_force_n,
            "total_force_n": self.total_force_n,
        }

    # -- drawing
    def _object_poses(self) -> Sequence[tuple[float, ...]]:
        return [tuple(row) for row in frames_of(self.net.points).tolist()]

    def cameras(self) -> tuple[CameraPreset, ...]:
        return CAMERAS

    def markers(self) -> Markers:
        return replace(super().markers(), itch=self.sore.position.copy(), itch_normal=self.sore.normal.copy())

    def state_hash(self) -> str:
        sha = hashlib.sha256(super().state_hash().encode())
        sha.update(self.net.points.tobytes())
        sha.update(self.net.speeds.tobytes())
        return sha.hexdigest()


def _passes(start: np.ndarray, end: np.ndarray, centre: np.ndarray, axis: np.ndarray) -> bool:
    """Whether the segment from ``start`` to ``end`` goes through the hoop, towards its axis."""
    rate = float((end - start) @ axis)
    if rate <= 0:
        return False
    share = float((centre - start) @ axis) / rate
    if not 0 <= share <= 1:
        return False
    off = start + share * (end - start) - centre
    return float(off @ off) < RADIUS_M**2
