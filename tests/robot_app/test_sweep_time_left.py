"""What a sweep says of the time left: of every kind of job by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynamite.config import Config, SceneConfig
from dynamite.sweep.job import Job, PolicySource
from dynamite.sweep.plan import parse_plan
from dynamite.sweep.result import Result, Settings, make_row
from dynamite.sweep.store import Store
from robot_app.sweep_progress import in_words
from robot_app.sweep_time_left import SweepTime, TimeLeft, kind_of, known_seconds
from tests.dynamite.sweeps import SWEEP

SLOW, FAST = SceneConfig(name="scratch_itch"), SceneConfig(name="gridworld")


def loaded(scene: SceneConfig, seed: int, name: str = "random") -> Job:
    return Job(PolicySource(name, None), scene, 10, seed)


def trained(seed: int, scene: SceneConfig = FAST) -> Job:
    config = Config(scene=scene)
    return Job(replace(config, train=replace(config.train, seed=seed)), scene, 10, 0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def take(time: SweepTime, clock: Clock, job: Job, seconds: float, failed: bool = False) -> None:
    time.started(job)
    clock.now += seconds
    time.finished(job, failed)


def test_slow_scenes_say_nothing_of_fast_ones(clock) -> None:
    slow, fast = [loaded(SLOW, seed) for seed in range(3)], [loaded(FAST, seed) for seed in range(100)]
    time = SweepTime([*slow, *fast], {job.id: 1000 for job in [*slow, *fast]}, clock=clock)
    assert time.left() == TimeLeft(0.0, 103)
    take(time, clock, slow[0], 600.0)
    assert time.left() == TimeLeft(1200.0, 100)
    take(time, clock, fast[0], 0.5)
    assert time.left() == TimeLeft(pytest.approx(1200 + 99 * 0.5), 0)


def test_policies_and_trainings_are_kinds_of_their_own() -> None:
    kinds = [
        loaded(FAST, 0),
        loaded(FAST, 0, "pretrained/dynamite"),
        loaded(SLOW, 0),
        trained(0),
        trained(0, SLOW),
    ]
    assert len({kind_of(job) for job in kinds}) == 5
    assert kind_of(trained(0)) == kind_of(trained(1)) == ("gridworld", "dynamite", True)


def test_jobs_of_a_kind_count_by_their_steps(clock) -> None:
    short, long = loaded(FAST, 0), loaded(FAST, 1)
    time = SweepTime([short, long], {short.id: 100, long.id: 400}, clock=clock)
    take(time, clock, short, 2.0)
    assert time.left() == TimeLeft(8.0, 0)
    time.started(long)
    clock.now += 3.0
    assert time.left() == TimeLeft(5.0, 0)
    clock.now += 9.0  # longer than was thought
    assert time.left() == TimeLeft(0.0, 0)


def test_a_running_training_is_timed_from_its_first_word_on(clock) -> None:
    """A resumed one tells at once of steps that were done before."""
    first, second = trained(0), trained(1)
    time = SweepTime([first, second], {first.id: 10_000, second.id: 10_000}, clock=clock)
    time.started(first)
    clock.now += 5.0
    time.progressed(first, 8000)
    assert time.left() == TimeLeft(0.0, 2)
    clock.now += 10.0
    time.progressed(first, 9000)
    assert time.left() == TimeLeft(pytest.approx(10 + 100), 0)
    clock.now += 10.0
    time.finished(first, failed=False)
    assert time.left() == TimeLeft(pytest.approx(100), 0)


def test_jobs_that_run_together_share_the_time_and_the_longest_is_waited_for(clock) -> None:
    jobs = [loaded(FAST, seed) for seed in range(5)]
    steps = dict.fromkeys((job.id for job in jobs), 100)
    steps[jobs[4].id] = 2000
    time = SweepTime(jobs, steps, clock=clock)
    time.started(jobs[0])
    time.started(jobs[1])
    clock.now += 4.0
    time.finished(jobs[0], failed=False)
    time.finished(jobs[1], failed=False)
    assert time.left() == TimeLeft(80.0, 0)  # 4 + 4 + 80 on two, of which one job needs 80
    take(time, clock, jobs[4], 80.0)
    assert time.left() == TimeLeft(pytest.approx(4.0), 0)


def test_a_failed_job_is_no_measure_of_others(clock) -> None:
    jobs = [loaded(FAST, seed) for seed in range(2)]
    time = SweepTime(jobs, dict.fromkeys((job.id for job in jobs), 100), clock=clock)
    take(time, clock, jobs[0], 0.01, failed=True)
    assert time.left() == TimeLeft(0.0, 1)


def test_rows_of_an_earlier_run_serve_until_a_job_is_timed_now(clock, tmp_path) -> None:
    plan, store = parse_plan(SWEEP), Store(tmp_path)
    store.open(plan)
    done, *todo = [job for job in plan.jobs() if kind_of(job)[1] == "dynamite"]
    training = {"frames": 720, "seconds": 7.2}
    store.save(
        done, Result(make_row(done, Settings(tmp_path), measures={"return_mean": 1.0}, training=training))
    )
    known = known_seconds(plan, store)
    assert known == {("gridworld", "dynamite", True): (720, 7.2)}
    (job,) = todo
    time = SweepTime(todo, {job.id: 720}, known, clock)
    assert time.left() == TimeLeft(pytest.approx(7.2), 0)
    time.started(job)
    time.progressed(job, 0)
    clock.now += 10.0
    time.progressed(job, 360)
    assert time.left() == TimeLeft(pytest.approx(10.0), 0)


@pytest.mark.parametrize(
    ("left", "said"),
    [
        (TimeLeft(3723.0, 0), "1:02:03"),
        (TimeLeft(63.0, 1), "1:03 + 1 job of unknown length"),
        (TimeLeft(0.0, 12), "12 jobs of unknown length"),
        (TimeLeft(0.0, 0), "–"),
    ],
)
def test_kinds_that_were_not_timed_are_counted_and_not_guessed(left, said) -> None:
    assert in_words(left) == said
