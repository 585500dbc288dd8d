"""What ScratchItch hides decides what is best: an oracle told the truth beats the same one told something else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from policies import load
from scenes import make_scene

SEEDS = range(3)


def play(fields: tuple[str, ...], truth: dict[str, Any], told: dict[str, Any]) -> float:
    """Mean return over SEEDS of the scripted oracle where ``truth`` holds throughout and ``told`` is what it is told."""
    scene = make_scene("scratch_itch", fields=fields, termination=0.0)
    policy, returns = load("scripted/scratch_itch", scene), []
    for seed in SEEDS:
        observation, _ = scene.reset(seed=seed, options={"latent": truth})
        policy.reset(seed)
        reward = total = 0.0
        for _ in range(scene.episode_length):
            scene.override(told)
            privileged = scene.privileged()
            scene.override(truth)
            action = policy.act(observation, reward, privileged).action
            observation, reward, *_ = scene.step(action)
            total += reward
        returns.append(total)
    scene.close()
    return float(np.mean(returns))


@pytest.mark.parametrize(
    "elsewhere",
    [{"part": "forearm", "axial": 0.85, "angle": 0.3}, {"part": "upper_arm", "axial": 0.5, "angle": 0.0}],
)
def test_where_it_itches_decides(elsewhere: dict[str, Any]) -> None:
    itch = {"part": "forearm", "axial": 0.35, "angle": 0.3}
    knows = play(("itch",), {"itch": itch}, {"itch": itch})
    misled = play(("itch",), {"itch": itch}, {"itch": elsewhere})
    assert knows > 200.0
    assert misled < 0.3 * knows


def test_how_hard_decides() -> None:
    itch = {"part": "forearm", "axial": 0.35, "angle": 0.3}
    gentle, firm = {"itch": itch, "force": 1.5}, {"itch": itch, "force": 3.5}
    for truth, other in ((gentle, firm), (firm, gentle)):
        assert play(("itch", "force"), truth, truth) > 1.3 * play(("itch", "force"), truth, other) > 0
