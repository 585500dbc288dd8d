"""How an active person moves: a joint-space controller that follows a script or a policy.

Every control step the person's limbs are aimed at joint angles; weak motors (gain 0.05 as upstream's active person has
it, a few N·m) take them there, so a robot in the way is felt and not run over. Tremor comes on top.

A script is plain data, so that it fits into a configuration file::

    {"keyframes": [[0.0, {}], [2.0, {"elbow": -60}], [4.0, {}]], "loop": true}

Each keyframe is a time (s) and the joints (degrees) that differ from the held pose; between keyframes the angles are
interpolated by a cosine, so speeds start and end at zero.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scenes.errors import InputError

ACTIVE_GAIN = 0.05
ACTIVE_TORQUE_NM = 5.0

Angles = Mapping[str, float]


class Motion(Protocol):
    """What a person wants to do: asked once per control step."""

    def wants(self, time_s: float, angles: Angles) -> Angles:
        """Joint angles to aim at.

        Args:
            time_s: since the episode began.
            angles: joint → degrees, all joints that move, as they are.

        Returns:
            joint → degrees, any of them; the others are held where the pose has them.
        """


@dataclass(frozen=True)
class Script:
    """Keyframes, see the module's docstring.

    Attributes:
        keyframes: (time in s, joint → degrees), times rising from 0, the same joints in each.
        loop: begin anew after the last keyframe, which should equal the first.
    """

    keyframes: tuple[tuple[float, dict[str, float]], ...]
    loop: bool = False

    def wants(self, time_s: float, angles: Angles) -> Angles:
        times = [at for at, _ in self.keyframes]
        if self.loop and times[-1] > 0:
            time_s %= times[-1]
        index = bisect.bisect_right(times, time_s)
        if index >= len(times):
            return self.keyframes[-1][1]
        (before, start), (after, end) = self.keyframes[index - 1], self.keyframes[index]
        share = (1 - math.cos(math.pi * (time_s - before) / (after - before))) / 2
        return {name: angle + share * (end[name] - angle) for name, angle in start.items()}


#: Motions by name. ``restless`` lifts and turns the forearm as somebody does who cannot sit still.
SCRIPTS: dict[str, dict[str, Any]] = {
    "restless": {
        "keyframes": [[0.0, {}], [1.5, {"elbow": -70.0, "forearm_z": 25.0}], [3.0, {"forearm_z": -20.0}],
                      [4.5, {"shoulder_x": -12.0, "elbow": -80.0}], [6.0, {}]],
        "loop": True,
    },
    "looks_around": {
        "keyframes": [[0.0, {}], [2.0, {"head_z": 30.0}], [4.0, {"head_z": -30.0, "head_x": 10.0}], [6.0, {}]],
        "loop": True,
    },
}  # fmt: skip


def parse_motion(
    value: Any, pose_deg: Mapping[str, float], limits_deg: Mapping[str, tuple[float, float]]
) -> Motion | None:
    """A motion from a name of SCRIPTS, a script as data, an object with ``wants``, or None.

    Args:
        pose_deg: joint → degrees of the held pose, which completes the keyframes.
        limits_deg: joint → (low, high); its keys are the joints that move.

    Raises:
        InputError: an unknown name or joint, an angle beyond its limits, times that do not rise from 0.
    """
    if value is None or hasattr(value, "wants"):
        return value
    if isinstance(value, str):
        if value not in SCRIPTS:
            raise InputError("motion", value, "one of " + ", ".join(SCRIPTS) + ", or keyframes")
        if not _joints(value) <= set(limits_deg):
            able = [name for name in SCRIPTS if _joints(name) <= set(limits_deg)]
            raise InputError(
                "motion", value, "one for the limbs that move here: " + (", ".join(able) or "none")
            )
        value = SCRIPTS[value]
    if not isinstance(value, Mapping) or set(value) - {"keyframes", "loop"} or not value.get("keyframes"):
        raise InputError("motion", value, "keyframes (a list of [seconds, {joint: degrees}]) and loop")
    loop = value.get("loop", False)
    if not isinstance(loop, bool):
        raise InputError("motion.loop", loop, "true or false")
    frames: list[tuple[float, dict[str, float]]] = []
    for index, frame in enumerate(value["keyframes"]):
        where = f"motion.keyframes[{index}]"
        try:
            at, joints = float(frame[0]), {str(k): float(v) for k, v in dict(frame[1]).items()}
        except (TypeError, ValueError, IndexError, KeyError):
            raise InputError(where, frame, "[seconds, {joint: degrees}]") from None
        if not math.isfinite(at) or (at != 0.0 if index == 0 else at <= frames[-1][0]):
            raise InputError(where, at, "times that rise from 0")
        for name, angle in joints.items():
            if name not in limits_deg:
                raise InputError(f"{where}.{name}", angle, "a joint of " + ", ".join(limits_deg))
            low, high = limits_deg[name]
            if not low <= angle <= high:
                raise InputError(f"{where}.{name}", angle, f"degrees from {low:g} to {high:g}")
        frames.append((at, joints))
    named = {name: pose_deg[name] for _, joints in frames for name in joints}
    return Script(tuple((at, {**named, **joints}) for at, joints in frames), loop)


def _joints(name: str) -> set[str]:
    return {joint for _, joints in SCRIPTS[name]["keyframes"] for joint in joints}
