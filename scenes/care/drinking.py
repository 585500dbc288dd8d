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
    """A robot arm mounted on a wheelchair gives the person a drink: sixty-four drops in a cup.

    **Action** (n,) in [−1, 1], one entry per arm joint. Under ``assistive_gym`` a full action aims 0.25 rad beyond the
    measured joint and at most 1 N·m, as fast as upstream's gain for this task and its inner substeps let it (0.25 rad/s);
    under ``responsive`` it moves the target by 0.1 rad per 0.1 s step.

    **Observation** (19 + 2n,) float32, positions in the robot's base frame:

    ========  =====================================================  ============  =====
    index     meaning                                                range         unit
    ========  =====================================================  ============  =====
    0–2       middle of the cup's opening                            ±2            m
    3–6       cup orientation, quaternion (x, y, z, w)               ±1
    7–6+n     joint angles, wrapped                                  ±π            rad
    7+n–6+2n  joint speeds                                           ±20           rad/s
    7+2n …    the person's head and mouth (6)                        ±2            m
    13+2n …   head orientation in the world, quaternion (4)          ±1
    17+2n     share of a helping that is in the cup                  0–1
    last      contact force on the cup                               0–1000        N
    ========  =====================================================  ============  =====

    **Latent**: ``side``, from which the cup should come (``left``, ``front`` or ``right`` of the face: +50°, 0, −50°
    about the head's upright axis), and ``tilt_rate``, how fast it may tilt at the face (°/s). Optional: ``impairment``.

    **Reward** (upstream's scale): −‖mouth − opening‖ − 0.01‖a‖ − 0.1·|tilt − 90°| (in rad) + 10·w per drop in the mouth
    − 1 per drop spilled − 0.25‖v_ee‖ − 0.01·(force on the person) − 0.05·(the cup's force on the person, once it is
    ≥ 10 N) − 1 per drop that falls on the person − 1·(speed in m/s) per drop that enters the mouth; and while the opening
    is within 15 cm of the mouth − 0.5·(1 − w_side) − 0.1·max(0, ω − tilt_rate),
    elsewhere − 0.1·(angle between the cup's bearing and the preferred side)/π.
    A drop is in the mouth once it has left
    the cup and is within 3 cm of the lips, *spilled* once it is 10 cm off the cup. What it is worth depends on m:
    w = w_side·w_rate, where w_side is 1 if the cup came within 15 cm of the mouth from within 25° of the preferred side,
    falling to 0 at 45°; and w_rate is 1 up to the preferred rate, falling to 0 at 4 °/s more. ω is the mean rate of tilt
    at the face, the newest step weighing 0.3.

    **Bodies**: of the cup, the face meets what the cut for the nose leaves (:mod:`scenes.care.tools.cup`). Its floor gives:
    under hostile motion the centre of a drop sinks up to 1 cm into it, half of its thickness.

    **Start**: the cup before the face, ± 5 cm, upright and at rest; the head turned by U(−30°, 30°) about each axis.
    **Episode**: 200 steps of 0.1 s. Once three quarters of the cup were drunk and it is upright 25 cm from the mouth, it
    is full again. ``refill=False`` is upstream's: one cup an episode.
    **Success**: 48 drops drunk, and three quarters of all that were drunk or spilled; without refill upstream's rule.

    Args:
        robot: one with a mount at the ``wheelchair_face``; no mount was found from which PR2 or Stretch reaches the mouth
            from both sides.
        controller: ``assistive_gym`` or ``responsive``.
        gender: ``male`` or ``female``.
        impairment: ``none``, ``limits``, ``weakness`` or ``tremor``; ignored where it is a latent field.
        fields: the latent fields, ``side`` among them; default ``side`` and ``tilt_rate``.
        termination, kernel: of the session process; default p = 0.02 per step, uniform.
        refill: whether the cup is filled again.

    **Version history**: v1, the first.
    """

    tool = CUP
    upstream_gain = 0.02  # 0.005 with Bullet's four inner substeps
    solver_iterations = 8  # upstream's is 10; most of a step is these
    start_tip = ((-0.15, -0.47, 1.14), (0.0, 0.0, math.radians(28)))
    latent_fields = FIELDS
    default_fields = ("side", "tilt_rate")
    helping: ClassVar[Helping] = Helping(
        low=(-RADIUS, -RADIUS, -HEIGHT - 0.01),
        high=(RADIUS, RADIUS, 0.0),
        grid=np.array(
            [
                (
                    (i - 1.5) * _STEP + 0.04 * k * _STEP,
                    (j - 1.5) * _STEP - 0.05 * k * _STEP,
                    -0.09 + k * _STEP,
                )
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
        if "tilt_rate" not in self.sessions.latent:
            return 1.0, 0.0
        over = max(0.0, self._felt - self.sessions.latent["tilt_rate"])
        return ramp(over, 0.0, TILT_RAMP_DEG_S), TILT_COST * over
