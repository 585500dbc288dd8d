"""A scripted oracle for Dressing: sees the sore spot and the pace, draws the hoop along the arm and round the elbow.

The way is a rounded line from in front of the fingertips over wrist and elbow towards the shoulder. Each step: the
nearest point of the way to the hoop's centre → a velocity along the way at the preferred pace and back onto it, and a
turn of the hoop's axis onto the way's direction → joint speeds by least squares within the joints' limits → the action
that asks the scene's controller for them. Near the sore spot the way runs off centre, towards the spot, which lifts the
cloth off it. It knows m (``needs_privileged``); no learned policy may read what it reads.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.optimize import lsq_linear

from dynamite.acting import Decision
from policies.scripted.steering import STOPPING_S, full_speeds, unwrapped
from scenes.base import Privileged
from scenes.care.chain import Kinematics
from scenes.care.dressing import Dressing
from scenes.care.scene import CONTROL_STEP_S


@dataclass(frozen=True)
class Draw:
    """How it moves.

    Attributes:
        speed_m_s: of the hoop where no pace is preferred; bound of any.
        pace_share: share of the preferred pace it aims at.
        return_1_s: rate at which it comes back onto the way.
        off_m: how far off the way it stops going forward, and beyond which it backs out.
        turn_1_s: rate at which the hoop's axis turns onto the way's direction.
        ahead_m: how far ahead on the way it looks for that direction.
        round_m: radius within which the way cuts the elbow's corner.
        short_m: how far before the shoulder it stops.
        aside_m: how far off centre the way runs beside the sore spot.
        aside_reach_m: how far before and after the spot it does so.
        turning: weight (m) of the hoop's axis against its centre.
        stem: weight of turning the hoop about its own axis, so that its stem comes from the person's right.
        posture: weight of staying near the start posture.
        force_slow_n: force above the tolerated one at which it stands still.
    """

    speed_m_s: float = 0.2
    pace_share: float = 0.85
    return_1_s: float = 2.0
    off_m: float = 0.06
    turn_1_s: float = 2.0
    ahead_m: float = 0.03
    round_m: float = 0.08
    short_m: float = 0.12
    aside_m: float = 0.03
    aside_reach_m: float = 0.12
    turning: float = 0.15
    stem: float = 0.1
    posture: float = 0.01
    force_slow_n: float = 2.0


class Oracle:
    """See the module's docstring.

    Args:
        scene: the scene it will act in (its robot, controller and body sizes are read once).
        draw: how it moves.
    """

    name = "scripted/dressing"
    needs_privileged = True

    def __init__(self, scene: Dressing, draw: Draw | None = None) -> None:
        self._draw = draw or Draw()
        self._full_speed = full_speeds(scene)
        self._n = scene.robot.n_joints
        self._hand = 2 * scene.person.size.hand_r
        self._kinematics = Kinematics(scene.chain, np.eye(4), ("tool", scene.tool.tip))
        self._inward = scene.base[:3, :3].T @ np.array(
            [1.0, 0.0, 0.0]
        )  # from the person's right to their left
        self._low, self._high = scene.chain.limits
        self._rest = scene.start_joints

    def reset(self, seed: int) -> None:
        """Nothing is remembered from step to step."""

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        n, draw, obs = self._n, self._draw, observation.astype(np.float64)
        tip, joints = obs[:3], unwrapped(obs[7 : 7 + n], self._rest)
        way = self._way(*obs[7 + 2 * n : 16 + 2 * n].reshape(3, 3))
        along = nearest(way, tip)
        centre, _ = at(way, along)
        sore, outward = privileged.features[:3], privileged.features[3:6]
        beside = max(0.0, 1.0 - abs(nearest(way, sore) - along) / draw.aside_reach_m)
        _, direction = at(way, along + draw.ahead_m)
        aside = outward - (outward @ direction) * direction
        centre = centre + draw.aside_m * min(1.0, 2 * beside) * aside

        speed = min(draw.speed_m_s, draw.pace_share * privileged.latent.get("pace", math.inf))
        if "tolerance" in privileged.latent:
            over = obs[-1] - 0.8 * privileged.latent["tolerance"]
            speed *= float(np.clip(1.0 - over / draw.force_slow_n, 0.0, 1.0))
        left = length_of(way) - draw.short_m - along
        off = centre - tip
        off -= (off @ direction) * direction
        on_way = (draw.off_m - float(np.linalg.norm(off))) / (0.5 * draw.off_m)
        forward = float(np.clip(left / (4 * CONTROL_STEP_S), -speed, speed * np.clip(on_way, -0.5, 1.0)))
        velocity = forward * direction + draw.return_1_s * off
        size = float(np.linalg.norm(velocity))
        velocity *= min(1.0, speed / max(size, 1e-9))
        return Decision(self._joint_action(joints, velocity, direction))

    def _way(self, shoulder: np.ndarray, elbow: np.ndarray, wrist: np.ndarray) -> np.ndarray:
        """(W, 3) points from in front of the hand to the shoulder, the elbow's corner rounded off."""
        out = (wrist - elbow) / np.linalg.norm(wrist - elbow)
        up = (shoulder - elbow) / np.linalg.norm(shoulder - elbow)
        r = self._draw.round_m
        start, end = elbow + r * out, elbow + r * up
        t = np.linspace(0, 1, 9)[:, None]
        arc = (1 - t) ** 2 * start + 2 * t * (1 - t) * elbow + t**2 * end
        return np.concatenate([[wrist + (self._hand + 0.3) * out], arc, [shoulder]])

    def _joint_action(self, joints: np.ndarray, velocity: np.ndarray, direction: np.ndarray) -> np.ndarray:
        """Action (n,) whose joint speeds move the hoop with ``velocity`` and turn its axis to ``direction``."""
        _, rotation, jacobian = self._kinematics.forward(joints)
        draw, n = self._draw, self._n
        across = rotation[:, :2].T  # about the hoop's own axis the stem only prefers to come from outside
        turn = draw.turn_1_s * across @ np.cross(rotation[:, 2], direction)
        home = self._rest - joints
        about = rotation[:, 2]
        roll = math.atan2(
            float(np.cross(rotation[:, 0], self._inward) @ about), float(rotation[:, 0] @ self._inward)
        )
        task = np.vstack([
            jacobian[:3], draw.turning * across @ jacobian[3:], draw.stem * about @ jacobian[3:], draw.posture * np.eye(n),
        ])  # fmt: skip
        wanted = np.concatenate([
            velocity, draw.turning * np.clip(turn, -0.8, 0.8), [draw.stem * np.clip(roll, -0.8, 0.8)],
            0.2 * draw.posture * home,
        ])  # fmt: skip
        low = np.maximum((self._low - joints) / STOPPING_S, -self._full_speed)
        high = np.minimum((self._high - joints) / STOPPING_S, self._full_speed)
        speeds = lsq_linear(task, wanted, (np.minimum(low, -1e-3), np.maximum(high, 1e-3)), "bvls").x
        return np.clip(speeds / self._full_speed, -1.0, 1.0).astype(np.float32)


def nearest(way: np.ndarray, point: np.ndarray) -> float:
    """How far along ``way`` (W, 3) its point nearest to ``point`` (3,) is, m."""
    pieces = np.diff(way, axis=0)
    length = np.linalg.norm(pieces, axis=1)
    share = np.clip(np.einsum("wj,wj->w", point - way[:-1], pieces) / length**2, 0, 1)
    off = np.linalg.norm(way[:-1] + share[:, None] * pieces - point, axis=1)
    k = int(off.argmin())
    return float(length[:k].sum() + share[k] * length[k])


def at(way: np.ndarray, along: float) -> tuple[np.ndarray, np.ndarray]:
    """The point (3,) ``along`` m on ``way``, and its direction (3,) there."""
    pieces = np.diff(way, axis=0)
    length = np.linalg.norm(pieces, axis=1)
    ends = np.cumsum(length)
    k = min(int(np.searchsorted(ends, along)), len(length) - 1)
    share = float(np.clip((along - ends[k] + length[k]) / length[k], 0, 1))
    return way[k] + share * pieces[k], pieces[k] / length[k]


def length_of(way: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())
