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
    """A robot arm mounted on a wheelchair feeds the person eight pieces of food from a spoon.

    **Action** (n,) in [−1, 1], one entry per arm joint. Under ``assistive_gym`` a full action aims 0.25 rad beyond the
    measured joint with upstream's gain for this task, 0.025, and at most 1 N·m; under ``responsive`` it moves the target
    by 0.1 rad per 0.1 s step.

    **Observation** (19 + 2n,) float32, positions in the robot's base frame:

    ========  =====================================================  ============  =====
    index     meaning                                                range         unit
    ========  =====================================================  ============  =====
    0–2       middle of the spoon's bowl                             ±2            m
    3–6       spoon orientation, quaternion (x, y, z, w)             ±1
    7–6+n     joint angles, wrapped                                  ±π            rad
    7+n–6+2n  joint speeds                                           ±20           rad/s
    7+2n …    the person's head and mouth (6)                        ±2            m
    13+2n …   head orientation in the world, quaternion (4)          ±1
    17+2n     share of a helping that is on the spoon                0–1
    last      contact force on the spoon                             0–1000        N
    ========  =====================================================  ============  =====

    Upstream's numbers, and joint speeds, and what is left on the spoon. Values beyond a range are clipped to it.

    **Latent**: ``side``, from which the spoon should come (``left``, ``front`` or ``right`` of the face: +50°, 0, −50°
    about the head's upright axis), and ``pace``, how fast it may move at the face (m/s). Optional: ``impairment``.

    **Reward** (upstream's scale): −‖mouth − spoon‖ − 0.01‖a‖ + 20·w per piece eaten − 5 per piece spilled
    − 0.25‖v_ee‖ − 0.01·(force on the person) − 0.05·(the spoon's force on the person, once it is ≥ 10 N) − 1 per piece that
    falls on the person − 1·(speed in m/s) per piece that enters the mouth; and while the spoon is within 15 cm of the
    mouth − 0.5·(1 − w_side) − 10·max(0, v − pace),
    elsewhere − 0.1·(angle between the spoon's bearing and the preferred side)/π.
    A piece is *eaten* within 3 cm of the mouth, *spilled* once it is
    10 cm off the spoon. What eaten food is worth depends on m: w = w_side·w_pace, where w_side is 1 if the spoon came
    within 15 cm of the mouth from within 25° of the preferred side, falling to 0 at 45°; and w_pace is 1 up to the
    preferred pace, falling to 0 at 0.05 m/s more. v is the mean speed at the face, the newest step weighing 0.3.

    **Bodies**: the spoon's floor gives: under hostile motion the centre of a piece of food sinks up to 6 mm into it, half of
    its thickness.

    **Start**: the spoon before the face, ± 5 cm, loaded and at rest; the head turned by U(−30°, 30°) about each axis.
    **Episode**: 200 steps of 0.1 s. Once three quarters of a helping were eaten and the level spoon is 25 cm from the
    mouth there is another: else every session after the first bites would mean nothing. ``refill=False`` is upstream's:
    eight pieces an episode.
    **Success**: six pieces eaten, and three quarters of all that were eaten or spilled; without refill upstream's rule.

    Args:
        robot: one with a mount at the ``wheelchair_face``; no mount was found from which PR2 or Stretch reaches the mouth
            from both sides.
        controller: ``assistive_gym`` or ``responsive``.
        gender: ``male`` or ``female``.
        impairment: ``none``, ``limits``, ``weakness`` or ``tremor``; ignored where it is a latent field.
        fields: the latent fields, ``side`` among them; default ``side`` and ``pace``.
        termination, kernel: of the session process; default p = 0.02 per step, uniform.
        refill: whether there is more than one helping.

    **Version history**: v1, the first.
    """

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
        if "pace" not in self.sessions.latent:
            return 1.0, 0.0
        over = max(0.0, self._felt - self.sessions.latent["pace"])
        return ramp(over, 0.0, PACE_RAMP_M_S), PACE_COST * over
