"""Drinking: bring a cup to a person's mouth and tilt it, from the side and as fast as they want just now.

The task is Assistive Gym 1.0's ``Drinking`` (Erickson et al., ICRA 2020), whose drink is sixty-four small spheres.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from scenes.care.grains import Helping
from scenes.care.mouth_scene import IMPAIRMENT, SIDE, MouthScene, grain_looks, ramp
from scenes.care.scene import CONTROL_STEP_S
from scenes.care.tools.cup import CUP, HEIGHT, RADIUS
from scenes.latent import LatentField, ScalarField

#: Weight of the distance (rad) of the cup's tilt from lying, upstream's.
TILT_WEIGHT = 0.1
#: Tilting this much faster than preferred, a drop is worth nothing.
TILT_RAMP_DEG_S = 4.0
#: Per °/s above the preferred rate and step.
TILT_COST = 0.1

FIELDS: dict[str, LatentField] = {
    "side": SIDE,
    "tilt_rate": ScalarField("tilt_rate", "Tilt rate", 4.0, 14.0, "°/s"),
    "impairment": IMPAIRMENT,
}

_COLORS = ((84, 160, 226), (104, 178, 236), (70, 142, 214))
_STEP = 0.0101


class Drinking(MouthScene):
    """drinking"""

    tool = CUP
    upstream_gain = 0.02  # 0.005 with Bullet's four inner substeps
    solver_iterations = 8  # upstream's is 10; most of a step is these
    start_tip = ((-0.15, -0.47, 1.14), (0.0, 0.0, math.radians(50)))
    latent_fields = FIELDS
    default_fields = ("side", "tilt_rate")
    helping: ClassVar[Helping] = Helping(
        low=(-RADIUS, -RADIUS, -HEIGHT - 0.01),
        high=(RADIUS, RADIUS, 0.0),
        grid=np.array(
            [
                ((i - 1.5) * _STEP + 0.04 * k * _STEP, (j - 1.5) * _STEP - 0.05 * k * _STEP, -0.09 + k * _STEP)
                for k in range(4)
                for i in range(4)
                for j in range(4)
            ]
        ),
        friction=0.05,
    )
    eaten_reward = 10.0
    spilled_cost = 1.0
    leaves_vessel = True
    object_looks = staticmethod(lambda: grain_looks(_COLORS, 64, 8))

    @property
    def tilt(self) -> float:
        """Angle between the cup's axis and the vertical, rad."""
        return math.acos(max(-1.0, min(1.0, float(self._tool_rotation[2, 2]))))

    def _start_episode(self) -> None:
        super()._start_episode()
        self._last_tilt: float | None = None

    def _reward(self, action: np.ndarray) -> tuple[float, bool]:
        reward, success = super()._reward(action)
        return reward - TILT_WEIGHT * abs(self.tilt - math.pi / 2), success

    def _felt_now(self) -> float:
        """How fast the cup tilts either way, °/s."""
        tilt = self.tilt
        before, self._last_tilt = self._last_tilt, tilt
        return 0.0 if before is None else math.degrees(abs(tilt - before)) / CONTROL_STEP_S

    def _pace_worth(self) -> tuple[float, float]:
        over = max(0.0, self._felt - self.sessions.latent["tilt_rate"])
        return ramp(over, 0.0, TILT_RAMP_DEG_S), TILT_COST * over
