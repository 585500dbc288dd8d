"""How an action moves a robot's joints: one table entry per controller."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.errors import InputError


@dataclass(frozen=True)
class Controller:
    """How an action in [−1, 1]ⁿ moves the joints: a position target and the motor that follows it.

    Attributes:
        gain: PyBullet's position gain: the joint aims at speed gain · error / Δt each substep.
        torque: limit in N·m; None takes the robot's own.
        reach: rad that a full action adds to the reference, per control step.
        from_target: whether the reference is the last target (kept within ``slack`` of the joint) or the
            measured joint.
        slack: rad.
    """

    gain: float
    torque: float | None
    reach: float
    from_target: bool
    slack: float = 0.0


CONTROLLERS: dict[str, Controller] = {
    # Assistive Gym 1.0's constants: 0.05 rad·a added five times to the measured joints, gain 0.05, 1 N·m.
    "assistive_gym": Controller(gain=0.05, torque=1.0, reach=0.25, from_target=False),
    # A joint-velocity servo: 0.1 rad per 0.1 s step at full action, a target that cannot run away from the joint.
    "responsive": Controller(gain=0.25, torque=None, reach=0.1, from_target=True, slack=0.12),
}


def find_controller(name: str) -> Controller:
    if name not in CONTROLLERS:
        raise InputError("controller", name, "one of " + ", ".join(CONTROLLERS))
    return CONTROLLERS[name]
