"""SessionProcess: sessions end when the termination says, the next latent comes from the kernel, overrides win."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.errors import InputError
from scenes.session import (
    Alternate,
    Bernoulli,
    Drift,
    FixedLength,
    Schedule,
    SessionProcess,
    Uniform,
    parse_kernel,
)
from tests.scenes.test_latent import SPACE


def run(process: SessionProcess, steps: int, seed: int = 0) -> tuple[list, list]:
    process.reset(np.random.default_rng(seed))
    latents, ended = [], []
    for _ in range(steps):
        latents.append(process.latent)
        ended.append(process.advance())
    return latents, ended


@pytest.mark.parametrize("p", [0.0, 0.02, 0.2, 1.0])
def test_bernoulli_sessions_have_mean_length_one_over_p(p: float) -> None:
    _, ended = run(SessionProcess(SPACE, Bernoulli(p)), 20_000)
    assert np.mean(ended) == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 20_000) + 1e-12)


def test_the_latent_is_constant_inside_a_session_and_changes_at_its_end() -> None:
    latents, ended = run(SessionProcess(SPACE, Bernoulli(0.1)), 500)
    for t in range(499):
        assert (latents[t + 1] == latents[t]) == (not ended[t])


def test_fixed_sessions_all_last_their_length() -> None:
    _, ended = run(SessionProcess(SPACE, FixedLength(7)), 70)
    assert np.flatnonzero(ended).tolist() == list(range(6, 70, 7))


def test_a_schedule_sets_the_start_and_each_change() -> None:
    schedule = Schedule.parse("0:forearm@0.2, 3:upper_arm.ventral", SPACE)
    latents, ended = run(SessionProcess(SPACE, schedule), 6)
    assert [m["itch"].part for m in latents] == ["forearm"] * 3 + ["upper_arm"] * 3
    assert ended == [False, False, True, False, False, False]
    assert latents[0]["force"] == latents[5]["force"], "fields that the schedule does not mention stay"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("x:forearm", "schedule[0].step"),
        ("5", "schedule"),
        ("9:forearm,3:forearm", "rising order"),
        ("3:knee", "schedule[0].latent"),
        (3, "schedule"),
        ([{"step": 1.5, "latent": "forearm"}], "schedule[0].step"),
        ([{"step": 1}], "schedule"),
    ],
)
def test_malformed_schedules_are_named(text, named: str) -> None:
    with pytest.raises(InputError) as raised:
        Schedule.parse(text, SPACE)
    assert named in str(raised.value)


def test_uniform_forgets_drift_stays_near_and_alternate_goes_across() -> None:
    rng = np.random.default_rng(0)
    start = SPACE.sample(rng) | {"force": 3.0}  # mid-range, so that no step is folded back
    near = [abs(Drift(0.05, 0.0).draw(start, SPACE, rng)["force"] - start["force"]) for _ in range(200)]
    far = [abs(Uniform().draw(start, SPACE, rng)["force"] - start["force"]) for _ in range(200)]
    assert np.mean(near) == pytest.approx(0.05 * 4 * np.sqrt(2 / np.pi), rel=0.2)
    assert np.mean(far) > 3 * np.mean(near)
    other = Alternate().draw(start, SPACE, rng)
    assert other["itch"].part != start["itch"].part
    assert Alternate().draw(other, SPACE, rng)["itch"] == start["itch"]
    for _ in range(200):
        SPACE.validate(Drift(0.5, 0.5).draw(start, SPACE, rng))


def test_an_override_starts_a_session_at_once_or_waits_for_the_next() -> None:
    process = SessionProcess(SPACE, FixedLength(5))
    process.reset(np.random.default_rng(0))
    process.advance()
    process.override({"force": 2.0})
    assert (process.latent["force"], process.index, process.age) == (2.0, 1, 0)
    process.override({"force": 3.0}, at_next_session=True)
    assert process.latent["force"] == 2.0
    while not process.advance():
        pass
    assert process.latent["force"] == 3.0


def test_bad_parameters_are_named() -> None:
    for make in (
        lambda: Bernoulli(1.5),
        lambda: FixedLength(0),
        lambda: Drift(0.0),
        lambda: parse_kernel("jump"),
    ):
        with pytest.raises(InputError):
            make()
    with pytest.raises(InputError, match="scale, switch"):
        parse_kernel({"name": "drift", "speed": 1})
