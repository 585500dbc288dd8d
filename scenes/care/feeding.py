"""Feeding: bring food on a spoon to a person's mouth, from the side and at the pace they want just now.

The task is Assistive Gym 1.0's ``Feeding`` (Erickson et al., ICRA 2020).
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from scenes.care.grains import Helping
from scenes.care.mouth_scene import IMPAIRMENT, SIDE, MouthScene, grain_looks, ramp
from scenes.care.scene import CONTROL_STEP_S
from scenes.care.tools.spoon import SPOON
from scenes.latent import LatentField, ScalarField

#: Slower than preferred is always right; this much faster, and food is worth nothing.
PACE_RAMP_M_S = 0.05
#: Per m/s above the preferred pace and step.
PACE_COST = 10.0

FIELDS: dict[str, LatentField] = {
    "side": SIDE,
    "pace": ScalarField("pace", "Pace at the face", 0.04, 0.16, "m/s"),
    "impairment": IMPAIRMENT,
}

_COLORS = ((222, 92, 62), (236, 168, 60), (118, 160, 70), (240, 210, 120))


class Feeding(MouthScene):
    """feeding"""

    tool = SPOON
    start_tip = ((-0.15, -0.47, 1.12), (0.0, 0.0, math.radians(40)))
    upstream_gain = 0.025
    latent_fields = FIELDS
    default_fields = ("side", "pace")
    helping: ClassVar[Helping] = Helping(
        low=(0.12, -0.022, -0.010),
        high=(0.17, 0.022, 0.020),
        grid=np.array(
            [
                (SPOON.tip[0] + x + 0.2 * z, y + 0.3 * z + 0.1 * x, z)  # out of true, so that the upper ones roll off
                for z in (0.0, 0.012)
                for x in (-0.0055, 0.0055)
                for y in (-0.0055, 0.0055)
            ]
        ),
        friction=0.5,
    )  # fmt: skip
    eaten_reward = 20.0
    spilled_cost = 5.0
    object_looks = staticmethod(lambda: grain_looks(_COLORS, 8, 12))

    def _felt_now(self) -> float:
        """Speed of the spoon, m/s."""
        return 0.0 if self._last_tip is None else math.dist(self._tip, self._last_tip) / CONTROL_STEP_S

    def _pace_worth(self) -> tuple[float, float]:
        over = max(0.0, self._felt - self.sessions.latent["pace"])
        return ramp(over, 0.0, PACE_RAMP_M_S), PACE_COST * over
