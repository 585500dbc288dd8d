"""How large a person is: upstream's two reference bodies, and others from age, weight and height.

The references are Assistive Gym 1.0's 50th-percentile bodies (Healthcare-Robotics/assistive-gym, MIT,
``human_creation``; there from Tilley & Dreyfuss, *The Measure of Man and Woman*): capsule radii and lengths in m. The
standing heights of the same percentile are that book's as well: 1.755 m and 1.625 m.

Another body is a reference that was scaled, by an assumption of ours and no measurement: every length goes with the
height h, every radius with √(w / h), w the weight. That is a body of cylinders with the reference's density, which
then weighs w. Head, hands and feet carry little fat and go with the height alone. Age changes no size, only the look.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Literal

from scenes.errors import InputError

Gender = Literal["male", "female"]
GENDERS: tuple[str, ...] = ("male", "female")


@dataclass(frozen=True)
class BodySize:
    """Dimensions of one body (m, kg). ``*_r`` are capsule radii, ``*_l`` the capsule's cylinder lengths."""

    mass: float
    base_height: float  # of the chest's centre when seated in the wheelchair
    chest_r: float
    chest_l: float
    pecs_r: float
    pecs_l: float
    pecs_x: float  # sideways offset of the pectoral capsule's centre
    neck_r: float
    neck_l: float
    upper_arm_r: float
    upper_arm_l: float
    forearm_r: float
    forearm_l: float
    hand_r: float
    waist_r: float
    waist_l: float
    hips_r: float
    hips_l: float
    hips_z: float
    thigh_r: float
    thigh_l: float
    shin_r: float
    shin_l: float
    foot_r: float
    foot_l: float
    foot_y: float
    # joint positions relative to the parent frame
    shoulder_rise: float  # chest → pecs, twice
    neck_z: float
    head_z: float
    upper_arm_x: float  # pecs → shoulder, to the right
    waist_z: float
    hip_z: float
    thigh_x: float
    thigh_z: float
    foot_z: float
    neck_mid: float = 0.09  # middle of the neck's capsule
    # Adult head: about 0.15 wide, 0.19 deep, 0.23 high (NASA-STD-3000); an upright capsule of its mean girth.
    head_r: float = 0.085
    head_y: float = -0.02
    head_low: float = 0.05
    head_high: float = 0.12


#: The references.
SIZES: dict[str, BodySize] = {
    "male": BodySize(
        mass=78.4, base_height=0.89,
        chest_r=0.127, chest_l=0.056, pecs_r=0.106, pecs_l=0.253 / 8, pecs_x=0.253 / 2.5 - 0.253 / 16,
        neck_r=0.06, neck_l=0.124, upper_arm_r=0.043, upper_arm_l=0.279, forearm_r=0.033, forearm_l=0.257,
        hand_r=0.043, waist_r=0.1205, waist_l=0.049, hips_r=0.1335, hips_l=0.094, hips_z=-0.08125,
        thigh_r=0.08, thigh_l=0.424, shin_r=0.05, shin_l=0.403, foot_r=0.05, foot_l=0.215, foot_y=-0.1,
        shoulder_rise=0.1415 / 2, neck_z=0.1515, head_z=0.399 - 0.1415 - 0.1205, upper_arm_x=-0.106 - 0.073,
        waist_z=-0.156, hip_z=-0.08125, thigh_x=0.08 + 0.009, thigh_z=-0.08125, foot_z=-0.403 - 0.025,
    ),
    "female": BodySize(
        mass=62.5, base_height=0.86,
        chest_r=0.127, chest_l=0.01, pecs_r=0.092, pecs_l=0.225 / 8, pecs_x=0.225 / 2.5 - 0.225 / 16,
        neck_r=0.05, neck_l=0.121, upper_arm_r=0.0355, upper_arm_l=0.264, forearm_r=0.027, forearm_l=0.234,
        hand_r=0.0355, waist_r=0.11, waist_l=0.009, hips_r=0.127, hips_l=0.117, hips_z=-0.075,
        thigh_r=0.0775, thigh_l=0.391, shin_r=0.045, shin_l=0.367, foot_r=0.045, foot_l=0.195, foot_y=-0.09,
        shoulder_rise=0.132 / 2, neck_z=0.132, head_z=0.12, upper_arm_x=-0.092 - 0.067,
        waist_z=-0.15, hip_z=-0.075, thigh_x=0.0775 + 0.0145, thigh_z=-0.075, foot_z=-0.367 - 0.0225,
    ),
}  # fmt: skip

#: Standing height of the references, m.
REFERENCE_HEIGHT_M: dict[str, float] = {"male": 1.755, "female": 1.625}
#: Age of the references' look, years.
REFERENCE_AGE = 30.0

AGE_RANGE = (18.0, 90.0)
HEIGHT_RANGE_M: dict[str, tuple[float, float]] = {"male": (1.55, 1.95), "female": (1.45, 1.85)}
#: Radii may differ this far from those of a reference scaled to the same height; 1 is the reference.
GIRTH_RANGE = (0.85, 1.25)

#: Radii that follow the height alone.
_LEAN = {"hand_r", "foot_r", "head_r"}


@dataclass(frozen=True)
class BodySpec:
    """A person by parameters.

    Attributes:
        gender: one of GENDERS.
        age_years: in AGE_RANGE; changes the look only.
        weight_kg: None is the weight with the reference's body-mass index at this height.
        height_m: standing; None is the reference's.

    Raises:
        InputError: a value out of range; the range of weights depends on the height.
    """

    gender: str = "male"
    age_years: float = REFERENCE_AGE
    weight_kg: float | None = None
    height_m: float | None = None

    def __post_init__(self) -> None:
        if self.gender not in GENDERS:
            raise InputError("gender", self.gender, "one of " + ", ".join(GENDERS))
        _check("age_years", self.age_years, *AGE_RANGE, "years")
        low, high = HEIGHT_RANGE_M[self.gender]
        if self.height_m is not None:
            _check("height_m", self.height_m, low, high, "m")
        if self.weight_kg is not None:
            light, heavy = self.weight_range_kg
            _check("weight_kg", self.weight_kg, light, heavy, f"kg at {self.height:.2f} m")

    @property
    def height(self) -> float:
        """Standing height, m."""
        return REFERENCE_HEIGHT_M[self.gender] if self.height_m is None else float(self.height_m)

    @property
    def weight(self) -> float:
        """kg."""
        if self.weight_kg is not None:
            return float(self.weight_kg)
        return SIZES[self.gender].mass * self.stature**2

    @property
    def weight_range_kg(self) -> tuple[float, float]:
        """Lightest and heaviest body of this height that GIRTH_RANGE allows, rounded inwards to 0.1 kg."""
        scaled = SIZES[self.gender].mass * self.stature**3
        light, heavy = (scaled * girth**2 for girth in GIRTH_RANGE)
        return math.ceil(10 * light) / 10, math.floor(10 * heavy) / 10

    @property
    def stature(self) -> float:
        """Height over the reference's."""
        return self.height / REFERENCE_HEIGHT_M[self.gender]

    @property
    def girth(self) -> float:
        """Radii over those of the reference scaled to this height; 1 for the reference."""
        return math.sqrt(self.weight / SIZES[self.gender].mass / self.stature**3)

    @property
    def old(self) -> float:
        """0 at the references' age, 1 at the oldest; below 0 for the young."""
        return (self.age_years - REFERENCE_AGE) / (AGE_RANGE[1] - REFERENCE_AGE)


def _check(where: str, value: float, low: float, high: float, unit: str) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:  # NaN fails too
        raise InputError(where, value, f"{low:g} to {high:g} {unit}")


#: How a person is named: a reference body by its gender, or a specification.
Body = str | BodySpec


def body_spec(body: Body) -> BodySpec:
    """The specification of a person named either way."""
    return body if isinstance(body, BodySpec) else BodySpec(body)


def body_size(body: Body | BodySize) -> BodySize:
    """Capsule sizes and mass of a person; SIZES' own for the references."""
    if isinstance(body, BodySize):
        return body
    spec = body_spec(body)
    reference = SIZES[spec.gender]
    length, radius = spec.stature, spec.stature * spec.girth
    scaled = {
        field.name: getattr(reference, field.name)
        * (radius if field.name.endswith("_r") and field.name not in _LEAN else length)
        for field in fields(BodySize)
        if field.name != "mass"
    }
    return BodySize(mass=spec.weight, **scaled)
