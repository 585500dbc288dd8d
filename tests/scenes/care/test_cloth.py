"""The net: what holds it carries its weight, what it lies on feels it, and nothing goes through."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.care.cloth import Net, Springs
from scenes.care.sleeve import AROUND, MASS_KG, rest_points, sleeve_net

STEP_S = 0.02
#: How deep a point of the cloth may lie in a limb, m.
DEEPEST_M = 0.012
STILL = np.eye(3, 4)[None]
FAR = np.full((1, 3), 10.0)


def strip(n: int, held: int, friction: float = 0.3) -> Net:
    """A thread of ``n`` points 2 cm apart along x, 10 g, felt at its points and between them."""
    ends = np.stack([np.arange(n - 1), np.arange(1, n)], 1)
    springs = Springs(ends, np.full(n - 1, 0.02), np.full(n - 1, 0.5), np.full(n - 1, 300.0))
    between = (np.eye(n)[:-1] + np.eye(n)[1:]) / 2
    return Net(
        n, held, springs, np.concatenate([np.eye(n)[held:], between[held:]]), 0.01, STEP_S, 0.005, friction
    )


def test_what_holds_a_hanging_sleeve_carries_its_weight() -> None:
    net = sleeve_net(STEP_S)
    net.place(rest_points())
    for _ in range(300):
        net.step(rest_points()[:AROUND], FAR, FAR, np.array([0.05]), STILL)
    free = 1 - AROUND / len(rest_points())
    assert net.pull.sum(0) == pytest.approx([0, 0, -MASS_KG * free * 9.81], abs=0.02)
    assert len(net.touches.samples) == 0


def test_a_thread_laid_over_a_bar_rests_on_it_with_its_weight_and_stays_outside() -> None:
    net = strip(15, 0)
    points = np.zeros((15, 3))
    points[:, 0], points[:, 2] = 0.02 * np.arange(15) - 0.14, 0.06
    net.place(points)
    a, b, radius = np.array([[-0.5, 0, 0.0]]), np.array([[0.5, 0, 0.0]]), np.array([0.05])
    lifted = []
    for _ in range(40):
        net.step(np.zeros((0, 3)), a, b, radius, STILL)
        lifted.append(-net.touches.forces.sum(0)[2])
        distance = np.hypot(net.points[:, 1], net.points[:, 2])
        assert distance.min() > 0.05
    assert np.mean(lifted[20:]) == pytest.approx(0.01 * 9.81, rel=0.05)


def test_friction_carries_a_thread_along_up_to_its_limit() -> None:
    """On a bar drawn along at 0.2 m/s a rough thread follows; a smooth one stays behind."""
    shift = {}
    for friction in (0.8, 0.0):
        net = strip(9, 0, friction)
        points = np.zeros((9, 3))
        points[:, 0], points[:, 2] = 0.02 * np.arange(9) - 0.08, 0.055
        net.place(points)
        carried = STILL.copy()
        carried[0, 0, 3] = 0.2 * STEP_S
        for _ in range(50):
            net.step(
                np.zeros((0, 3)), np.array([[-1.0, 0, 0]]), np.array([[1.0, 0, 0]]), np.array([0.05]), carried
            )
        shift[friction] = net.points[:, 0].mean()
    assert shift[0.8] > 0.12
    assert abs(shift[0.0]) < 0.01


@pytest.mark.parametrize("speed", [0.5, 2.0, 5.0])
def test_a_limb_that_is_thrust_into_the_cloth_does_not_come_through(speed: float) -> None:
    """A forearm pushed sideways into a sleeve: no point ends up inside it."""
    net = sleeve_net(STEP_S)
    rest = rest_points()
    net.place(rest)
    middle, outside = rest.mean(0), 0.2
    for _ in range(60):
        outside = max(-0.05, outside - speed * STEP_S)
        start = middle + np.array([outside, -0.3, 0.0])
        net.step(rest[:AROUND], start[None], start[None] + [0, 0.6, 0], np.array([0.04]), STILL)
    free = net.points[AROUND:]
    off = np.hypot(free[:, 0] - start[0], free[:, 2] - start[2])
    assert off.min() > 0.04 - DEEPEST_M
    assert np.linalg.norm(net.touches.forces, axis=1).sum() > 0.05


def test_stepping_again_from_the_same_state_is_bit_for_bit_the_same() -> None:
    ends = []
    for _ in range(2):
        net = sleeve_net(STEP_S)
        net.place(rest_points())
        for k in range(50):
            net.step(
                rest_points()[:AROUND] + np.array([0, 0.003 * k, 0]),
                np.array([[0.13, -0.2, -0.1]]), np.array([[0.13, 0.4, -0.1]]),
                np.array([0.04]), STILL,
            )  # fmt: skip
        ends.append(net.points.tobytes())
    assert ends[0] == ends[1]
