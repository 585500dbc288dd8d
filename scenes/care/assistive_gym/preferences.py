"""What each of upstream's tasks hides from the robot, and how a session's latent is imposed on it.

===================  ===========================================  ====================  ============================
task                 latent                                       leaves observation    effect on upstream
===================  ===========================================  ====================  ============================
ScratchItch          ``itch``, a point on the right arm           tip − target, target  where the target is
BedBathing           ``spot``, a point on the right arm           (upstream has none)   which targets count
Feeding, Drinking    ``side``, ``ahead``: from the mouth, m       tool − target         where food or water is taken
ArmManipulation      ``across``, ``along``: on the torso, m       stomach, waist        where elbow and wrist shall lie
===================  ===========================================  ====================  ============================

Everything else of a task, its reward and its success rule among it, stays upstream's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scenes.latent import Latent, LatentSpace, PointField, ScalarField, SurfacePoint

#: Length and radius (m) of upper arm and forearm, as upstream's ``scratch_itch.py`` and ``bed_bathing.py`` have them.
_ARM = {
    "male": {"upper_arm": (0.279, 0.043), "forearm": (0.257, 0.033)},
    "female": {"upper_arm": (0.264, 0.0355), "forearm": (0.234, 0.027)},
}
#: Targets this near to the spot count.
WASHED_RADIUS_M = 0.06
#: Where targets that do not count wait.
_AWAY = (0.0, 0.0, -10.0)


class Preference:
    """What a task hides; ``env`` is upstream's environment everywhere.

    Attributes:
        space: the latent.
        hidden: indices of upstream's observation that are removed; negative ones count from its end.
    """

    space: LatentSpace
    hidden: tuple[int, ...] = ()

    def withdraw(self, env: Any) -> None:
        """Undo what outlives an episode; called before upstream's reset."""

    def begin(self, env: Any) -> None:
        """Take up a fresh episode; called after upstream's reset."""

    def impose(self, env: Any, latent: Latent) -> None:
        """Make ``latent`` the one in force."""
        raise NotImplementedError

    def features(self, env: Any) -> np.ndarray:
        """(6,) what the robot is not told, in its base frame, m."""
        raise NotImplementedError


def _point_of(env: Any, point: SurfacePoint) -> tuple[int, np.ndarray]:
    """The link a surface point lies on, and where in that link's frame (upstream keeps off the joint by a radius).

    The angle is measured about the limb from −x (the outer side of the seated arm) towards −y.
    """
    length, radius = _ARM[env.human.gender][point.part]
    link = {"upper_arm": env.human.right_shoulder, "forearm": env.human.right_elbow}[point.part]
    down = radius + point.axial * (length - radius)
    return link, np.array([-radius * math.cos(point.angle), -radius * math.sin(point.angle), -down])


def _in_robot_frame(env: Any, position: np.ndarray) -> np.ndarray:
    return env.robot.convert_to_realworld(position)[0]


def _tool_and_target(env: Any, tool: np.ndarray, target: np.ndarray) -> np.ndarray:
    """tool − target and target, in the robot's base frame, as upstream words them."""
    tool, target = _in_robot_frame(env, tool), _in_robot_frame(env, target)
    return np.concatenate([tool - target, target])


class Itch(Preference):
    """ScratchItch: the itch."""

    space = LatentSpace((PointField("itch", "Itch", ("upper_arm", "forearm")),))
    hidden = tuple(range(7, 13))

    def impose(self, env: Any, latent: Latent) -> None:
        env.limb, env.target_on_arm = _point_of(env, latent["itch"])
        env.update_targets()

    def features(self, env: Any) -> np.ndarray:
        return _tool_and_target(env, env.tool.get_pos_orient(1)[0], env.target_pos)


class Spot(Preference):
    """BedBathing: which part of the arm wants washing; targets elsewhere do not count while it does."""

    space = LatentSpace((PointField("spot", "Spot to wash", ("upper_arm", "forearm")),))

    def begin(self, env: Any) -> None:
        self._waiting: dict[str, list] = {"upperarm": [], "forearm": []}

    def impose(self, env: Any, latent: Latent) -> None:
        link, self._local = _point_of(env, latent["spot"])
        self._link = link
        for limb, waiting in self._waiting.items():
            of_limb = link == getattr(env, limb)
            # Upstream has dropped from its lists what was washed.
            unwashed = [
                *zip(getattr(env, f"targets_pos_on_{limb}"), getattr(env, f"targets_{limb}"), strict=True),
                *waiting,
            ]
            chosen: list = []
            rest: list = []
            for place, ball in unwashed:
                near = of_limb and float(np.linalg.norm(place - self._local)) < WASHED_RADIUS_M
                (chosen if near else rest).append((place, ball))
            for _, ball in rest:
                ball.set_base_pos_orient(_AWAY, [0, 0, 0, 1])
            setattr(env, f"targets_pos_on_{limb}", [place for place, _ in chosen])
            setattr(env, f"targets_{limb}", [ball for _, ball in chosen])
            waiting[:] = rest
        env.update_targets()

    def features(self, env: Any) -> np.ndarray:
        position, quaternion = env.human.get_pos_orient(self._link)
        return _tool_and_target(
            env, env.tool.get_pos_orient(1)[0], position + _rotated(quaternion, self._local)
        )


class Mouth(Preference):
    """Feeding and Drinking: where, about the mouth, the person takes what is brought."""

    space = LatentSpace(
        (
            ScalarField("side", "To the left of the mouth", -0.04, 0.04, "m"),
            ScalarField("ahead", "Ahead of the mouth", 0.0, 0.05, "m"),
        )
    )
    hidden = (7, 8, 9)

    def begin(self, env: Any) -> None:
        self._mouth = np.array(env.mouth_pos)  # head frame; the face looks along −y

    def impose(self, env: Any, latent: Latent) -> None:
        env.mouth_pos = (self._mouth + np.array([latent["side"], -latent["ahead"], 0.0])).tolist()
        env.update_targets()

    def features(self, env: Any) -> np.ndarray:
        return _tool_and_target(env, env.tool.get_base_pos_orient()[0], env.target_pos)


class Resting(Preference):
    """ArmManipulation: where on the torso the person wants elbow and wrist to be laid."""

    space = LatentSpace(
        (
            ScalarField("across", "Towards the person's left", -0.08, 0.08, "m"),
            ScalarField("along", "Towards the head", -0.10, 0.10, "m"),
        )
    )
    hidden = tuple(range(-8, -2))

    def withdraw(self, env: Any) -> None:
        vars(env.human).pop("get_pos_orient", None)

    def begin(self, env: Any) -> None:
        self._plain = env.human.get_pos_orient

    def impose(self, env: Any, latent: Latent) -> None:
        human, plain = env.human, self._plain
        _, torso = plain(human.base)
        shift = _rotated(torso, np.array([latent["across"], 0.0, latent["along"]]))
        goals = (human.stomach, human.waist)

        def get_pos_orient(link: int, *arguments: Any, **options: Any) -> tuple[np.ndarray, np.ndarray]:
            position, quaternion = plain(link, *arguments, **options)
            return (position + shift if link in goals else position), quaternion

        # Upstream reads its goals from the person's links, and has no other name for them.
        human.get_pos_orient = get_pos_orient

    def features(self, env: Any) -> np.ndarray:
        links = (env.human.stomach, env.human.waist)
        return np.concatenate([_in_robot_frame(env, env.human.get_pos_orient(link)[0]) for link in links])


def _rotated(quaternion: np.ndarray, vector: np.ndarray) -> np.ndarray:
    x, y, z, w = quaternion
    axis = np.array([x, y, z])
    return vector + 2 * np.cross(axis, np.cross(axis, vector) + w * vector)


#: By upstream's name of the task.
PREFERENCES: dict[str, type[Preference]] = {
    "scratch_itch": Itch,
    "bed_bathing": Spot,
    "feeding": Mouth,
    "drinking": Mouth,
    "arm_manipulation": Resting,
}
