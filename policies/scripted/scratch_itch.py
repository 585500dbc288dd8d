"""A scripted oracle for ScratchItch: sees the itch, finds a way to touch it, goes round the limb to it, strokes.

It is the check that the task can be done, the upper reference beside the trained oracle, and a teacher for imitation.
It knows m (``needs_privileged``); no learned policy may read what it reads.

For each new itch, and again where one way brings no scratch, a search (:mod:`policies.scripted.approach`) chooses the spot
and the direction of the tool. Each step, in cylindrical coordinates about the itchy limb: where should the tip be heading
→ a tip velocity → joint speeds by damped least squares → the action that asks the scene's controller for them. Three
phases by geometry alone, so that a moved itch simply starts again: *cross* above the skin, *press* onto the spot, *stroke*
along the limb.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dynamite.acting import Decision
from policies.scripted.approach import Approaches, Touch, turn_of_axis
from policies.scripted.steering import full_speeds
from scenes.base import Privileged
from scenes.care.body import ARM_PARTS, arm_part_capsule
from scenes.care.chain import Kinematics
from scenes.care.scene import CONTROL_STEP_S
from scenes.care.scratch_itch import SCRATCH_REWARD, ScratchItch
from scenes.latent import SurfacePoint


@dataclass(frozen=True)
class Stroke:
    """How it moves and scratches.

    Attributes:
        clearance_m: height above the skin at which it crosses.
        press_m: how far below the skin the tip is aimed at first.
        touch_n: force aimed at where none is preferred.
        settle_m: m of aim per N from that force, summed up from step to step while scratching.
        relief_m: m of aim given up at once per N above it, lest the tip sticks to the skin and drags the limb along.
        near_rad, near_m: how close (about, along the limb) it must be before it presses.
        speed_m_s: tip speed while crossing.
        braking_m_s2: deceleration it counts on; the arm overshoots if this is more than its motors can give.
        amplitude_m: half-length of a stroke.
        stroke_m_s: tip speed of a stroke.
        half_period: control steps from one end of a stroke to the other.
        force_gain_m: m of aim per N below the preferred force, where one is preferred.
        pointing: weight of turning the tool as wanted, against moving its tip.
        posture: weight of approaching the touch's joints, against moving the tip.
        patience: steps without a scratch after which it tries another way to touch.
    """

    clearance_m: float = 0.02
    press_m: float = 0.004
    touch_n: float = 4.0
    settle_m: float = 0.0
    relief_m: float = 0.001
    near_rad: float = 1.2
    near_m: float = 0.058
    speed_m_s: float = 0.3
    braking_m_s2: float = 1.2
    amplitude_m: float = 0.025
    stroke_m_s: float = 0.25
    half_period: int = 3
    force_gain_m: float = 0.004
    pointing: float = 0.115
    posture: float = 0.113
    patience: int = 40


#: Found by a random search over 16 episodes per controller; force, settling, relief and patience by trial on 16 hard itches.
STROKES: dict[str, Stroke] = {
    "assistive_gym": Stroke(),
    "responsive": Stroke(
        clearance_m=0.028, press_m=0.0027, touch_n=3.0, settle_m=0.0004, relief_m=0.0, near_rad=0.68, near_m=0.053,
        speed_m_s=0.41, braking_m_s2=1.8, amplitude_m=0.0125, stroke_m_s=0.39, half_period=2, pointing=0.022,
        posture=0.041, patience=25,
    ),
}  # fmt: skip

#: Bounds of the aim below the skin that settling adds, m, and of the force (N) it hears.
SETTLED_M, HEARD_N = (-0.01, 0.03), 5.0


class Oracle:
    """See the module's docstring.

    Args:
        scene: the scene it will act in (its robot, controller and body sizes are read once).
        stroke: how it moves; default by the scene's controller.
    """

    name = "scripted/scratch_itch"
    needs_privileged = True

    def __init__(self, scene: ScratchItch, stroke: Stroke | None = None) -> None:
        self._stroke = stroke or STROKES[scene.controller_name]
        self._full_speed = full_speeds(scene)
        self._size = scene.person.size
        self._n = scene.robot.n_joints
        # The observation is in the robot's base frame; so is the arithmetic here.
        self._kinematics = Kinematics(scene.chain, np.eye(4), ("tool", scene.tool.tip))
        self._approaches = Approaches(scene)
        self._start = scene.start_joints
        self.reset(0)

    def reset(self, seed: int) -> None:
        self._clock = 0
        self._press = 0.0
        self._itch: SurfacePoint | None = None
        self._tried: list[Touch] = []
        self._fruitless = 0

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        n, stroke = self._n, self._stroke
        obs = observation.astype(np.float64)
        tip, target = obs[:3], privileged.features[3:6]
        joints = obs[7 : 7 + n]
        shoulder, elbow, wrist = obs[7 + 2 * n : 16 + 2 * n].reshape(3, 3)
        itch = privileged.latent["itch"]
        near, far = (shoulder, elbow) if itch.part == ARM_PARTS[0] else (elbow, wrist)

        axis = (far - near) / np.linalg.norm(far - near)
        along, out = _cylindrical(tip - near, axis)
        at_itch, itch_out = _cylindrical(target - near, axis)
        touch = self._touch(itch, reward) or self._straight(itch, at_itch, itch_out)
        height = float(np.linalg.norm(out))
        outward = out / max(height, 1e-6)
        sideways = np.cross(axis, outward)
        # Angles about the limb as the itch's: 0 outside. The way from one to the other never leads past the inner side.
        ahead = math.atan2(float(np.cross(itch_out, outward) @ axis), float(itch_out @ outward))
        turn = _wrapped(itch.angle - ahead) - _wrapped(itch.angle + touch.round_rad)
        to_spot = touch.along_m - along

        if abs(turn) < stroke.near_rad and abs(to_spot) < stroke.near_m:
            velocity = self._scratch(privileged, obs[-1], touch.height_m - height, to_spot, axis, outward)
            velocity += sideways * np.clip(3.0 * turn * height, -0.1, 0.1)
        else:
            self._clock, self._press = 0, 0.0
            error = (
                axis * to_spot
                + sideways * (np.clip(turn, -0.6, 0.6) * max(height, touch.height_m))
                + outward * np.clip(touch.height_m + stroke.clearance_m - height, -0.3, 0.1)
            )
            distance = float(np.linalg.norm(error))
            speed = min(stroke.speed_m_s, math.sqrt(2 * stroke.braking_m_s2 * distance))
            velocity = error * (speed / max(distance, 1e-9))
        return Decision(self._joint_action(joints, velocity, touch))

    def _touch(self, itch: SurfacePoint, reward: float) -> Touch | None:
        """How to touch it now: found anew for a new itch, or when nothing was scratched for a while."""
        self._fruitless = 0 if reward > SCRATCH_REWARD / 5 else self._fruitless + 1
        fresh = itch != self._itch
        if fresh or (self._tried and self._fruitless > self._stroke.patience):
            self._itch, self._fruitless = itch, 0
            tried = [] if fresh else self._tried
            found = self._approaches.find(itch, tried)
            if found is None and tried:  # from the first again
                tried = []
                found = self._approaches.find(itch)
            self._tried = tried if found is None else [*tried, found]
        return self._tried[-1] if self._tried else None

    def _straight(self, itch: SurfacePoint, along: float, out: np.ndarray) -> Touch:
        """At the itch itself along its normal, for want of anything better: it lies too deep in the body."""
        radius, _ = arm_part_capsule(self._size, itch.part)
        return Touch(
            along, 0.0, radius + self._approaches.tip_radius, -out / np.linalg.norm(out), self._start
        )

    def _scratch(
        self,
        privileged: Privileged,
        force: float,
        to_skin: float,
        to_centre: float,
        axis: np.ndarray,
        outward: np.ndarray,
    ) -> np.ndarray:
        """Tip velocity (3,) of pressing and stroking."""
        stroke = self._stroke
        if "force" in privileged.latent:
            step = stroke.force_gain_m * (privileged.latent["force"] - force)
            self._press = float(np.clip(self._press + step, 0.0, 0.06))
            press = self._press
        else:
            step = stroke.settle_m * np.clip(stroke.touch_n - force, -HEARD_N, HEARD_N)
            self._press = float(np.clip(self._press + step, *SETTLED_M))
            press = (
                stroke.press_m + self._press - stroke.relief_m * max(0.0, min(force, 40.0) - stroke.touch_n)
            )
        side = 1.0 if (self._clock // stroke.half_period) % 2 == 0 else -1.0
        self._clock += 1
        swing = np.clip(
            (side * stroke.amplitude_m + to_centre) / CONTROL_STEP_S, -stroke.stroke_m_s, stroke.stroke_m_s
        )
        return axis * swing + outward * np.clip((to_skin - press) / CONTROL_STEP_S, -0.2, 0.2)

    def _joint_action(self, joints: np.ndarray, velocity: np.ndarray, touch: Touch) -> np.ndarray:
        """Action (n,) whose joint speeds move the tip with ``velocity`` and turn the tool as ``touch`` has it."""
        _, rotation, jacobian = self._kinematics.forward(joints)
        stroke, n = self._stroke, self._n
        # Two rows for pointing: roll about the tool's own axis (its x) is free.
        across = rotation[:, 1:].T
        turn = across @ turn_of_axis(rotation, touch.pointing)
        home = _wrapped(touch.joints - joints)
        task = np.vstack([jacobian[:3], stroke.pointing * across @ jacobian[3:], stroke.posture * np.eye(n)])
        wanted = np.concatenate(
            [velocity, stroke.pointing * np.clip(turn, -0.5, 0.5), stroke.posture * 0.5 * home]
        )
        speeds = np.linalg.solve(task.T @ task + 1e-6 * np.eye(n), task.T @ wanted)
        action = speeds / self._full_speed
        return np.clip(action, -1.0, 1.0).astype(np.float32)


def _wrapped(angle):
    return (angle + math.pi) % (2 * math.pi) - math.pi


def _cylindrical(point: np.ndarray, axis: np.ndarray) -> tuple[float, np.ndarray]:
    """Distance along ``axis`` and the component (3,) across it."""
    along = float(point @ axis)
    return along, point - along * axis
