"""The reward terms care scenes share, with Assistive Gym's weights (its ``config.ini`` and ``human_preferences``).

On this scale published returns compare. Every function gives the signed, weighted term.
"""

from __future__ import annotations

VELOCITY = 0.25  # per m/s of the end effector
FORCE_OFF_TARGET = 0.01  # per N on the person elsewhere than the target
HIGH_FORCE = 0.05  # per N at the target, once it reaches HIGH_FORCE_N
HIGH_FORCE_N = 10.0
FOOD_HIT = 1.0  # per grain that falls on the person
FOOD_SPEED = 1.0  # per m/s of a grain that enters the mouth
ACTION = 0.01  # per unit of the action's Euclidean norm


def action_cost(action_norm: float) -> float:
    """Prefers small actions."""
    return -ACTION * action_norm


def comfort(end_effector_speed: float, total_force_n: float, target_force_n: float) -> float:
    """What every person prefers: slow motion, no force elsewhere, no strong force at the target."""
    cost = VELOCITY * end_effector_speed + FORCE_OFF_TARGET * (total_force_n - target_force_n)
    if target_force_n >= HIGH_FORCE_N:
        cost += HIGH_FORCE * target_force_n
    return -cost


def band_worth(value: float, middle: float, half_width: float) -> float:
    """What a touch is worth where its force has a preferred band: 1 inside, falling to 0 one half-width further out."""
    return min(1.0, max(0.0, 2.0 - abs(value - middle) / half_width))


def food_comfort(speed: float, hits: int) -> float:
    """Prefers food that enters the mouth slowly, and none that falls on the person."""
    return -FOOD_SPEED * speed - FOOD_HIT * hits
