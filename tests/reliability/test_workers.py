"""Worker processes are killed, stopped and caught in loops; the rollout is that of one process, bit for bit."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from dynamite.checkpoint import load_checkpoint
from dynamite.config import SceneConfig
from dynamite.errors import WorkerError
from dynamite.progress import read_lines
from dynamite.silence import LONGEST_LOOK_S, Silence
from dynamite.train import train
from dynamite.vector import SerialVector, VectorScene
from dynamite.workers import WorkerVector
from tests.dynamite.conftest import tiny
from tests.dynamite.test_learning import load_goal_walker
from tests.reliability.teachers import (
    Threads,
    accident,
    die,
    loop_forever,
    raise_an_exception,
    sleep_forever,
    work_hard,
)

GRID = SceneConfig(name="gridworld")
Hurt = Callable[[WorkerVector, int, int], None]


def play(
    vector: VectorScene, hurt: Hurt | None = None, steps: int | None = None
) -> list[dict[str, np.ndarray]]:
    """Every snapshot of two episodes under fixed actions; ``hurt(vector, episode, t)`` runs before each order."""
    rng, seen, spec = np.random.default_rng(0), [], vector.spec
    for episode in range(2):
        for t in range(-1, spec.episode_length if steps is None else steps):
            if hurt is not None:
                hurt(vector, episode, t)
            if t < 0:
                now = vector.reset(np.arange(vector.n) + 5 + episode)
            elif spec.discrete:
                now = vector.step(rng.integers(spec.n_actions, size=(vector.n, 1)).astype(np.float32))
            else:
                now = vector.step(rng.uniform(-1, 1, (vector.n, spec.n_actions)).astype(np.float32))
            seen.append({k: v.copy() for k, v in vars(now).items()})
    return seen


def assert_equal(one: list, other: list) -> None:
    assert len(one) == len(other)
    for moment, (a, b) in enumerate(zip(one, other, strict=True)):
        for name in a:
            np.testing.assert_array_equal(a[name], b[name], err_msg=f"{name} at moment {moment}")


def send(number: int, worker: int) -> Callable[[WorkerVector], None]:
    return lambda vector: os.kill(vector._workers[worker].process.pid, number)


def at(moments: dict[tuple[int, int], Callable[[WorkerVector], None]]) -> Hurt:
    """Accidents at (episode, step); step −1 is the reset."""

    def hurt(vector: WorkerVector, episode: int, t: int) -> None:
        if (episode, t) in moments:
            moments[episode, t](vector)

    return hurt


# ------------------------------------------------------------------------------------------------ lost and replaced
@pytest.mark.parametrize("scene", ["gridworld", "scratch_itch"])
def test_a_rollout_through_killed_and_stopped_workers_is_exact(scene, caplog):
    config = SceneConfig(name=scene)
    vector = WorkerVector(config, 3, 2, timeout_s=0.5)
    last = vector.spec.episode_length - 1
    moments = {
        (0, -1): send(signal.SIGKILL, 0),
        (0, 7): send(signal.SIGSTOP, 1),
        (1, -1): send(signal.SIGSTOP, 0),
        (1, last): send(signal.SIGKILL, 1),
    }
    with caplog.at_level(logging.WARNING, "dynamite"):
        hurt = play(vector, at(moments))
    vector.close()
    assert_equal(hurt, play(SerialVector(config, 3)))
    assert vector.restarts == len(vector.restart_s) == 4
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 4
    assert "worker 0 (copies 0 to 0) was killed by SIGKILL in a reset" in told[0]
    assert "worker 1 (copies 1 to 2) has not moved for" in told[1]
    assert f"in step {last}" in told[3]
    assert not any("\n" in line for line in told)


def test_all_workers_at_once_may_be_lost():
    def all_of_them(vector: WorkerVector) -> None:
        for worker in vector._workers:
            os.kill(worker.process.pid, signal.SIGKILL)

    vector = WorkerVector(GRID, 4, 3)
    hurt = play(vector, at({(1, 30): all_of_them}))
    vector.close()
    assert vector.restarts == 3
    assert_equal(hurt, play(SerialVector(GRID, 4)))


@pytest.mark.parametrize("happen", [loop_forever, sleep_forever, die])
def test_an_accident_within_a_step_is_survived_teachers_included(happen, tmp_path):
    """A teacher with random numbers of its own gives the replayed episode the labels it would have had."""
    vector = WorkerVector(GRID, 3, 2, accident(happen, at=9, marker=tmp_path / "happened"), timeout_s=0.5)
    hurt = play(vector, steps=15)
    vector.close()
    assert (tmp_path / "happened").exists()
    assert vector.restarts == 1
    whole = SerialVector(GRID, 3, accident(happen, at=9, marker=tmp_path / "happened"))
    assert_equal(hurt, play(whole, steps=15))


def test_a_worker_lost_while_it_starts_is_replaced(monkeypatch):
    killed = []
    start = WorkerVector._start

    def start_and_kill_the_first(self, number, part):
        worker = start(self, number, part)
        if not killed:
            killed.append(worker.process.pid)
            os.kill(worker.process.pid, signal.SIGKILL)
        return worker

    monkeypatch.setattr(WorkerVector, "_start", start_and_kill_the_first)
    vector = WorkerVector(GRID, 2, 2)
    seen = play(vector, steps=5)
    vector.close()
    assert (len(killed), vector.restarts) == (1, 1)
    assert_equal(seen, play(SerialVector(GRID, 2), steps=5))


# ------------------------------------------------------------------------------------------------ frozen, or only slow?
def test_a_step_longer_than_the_timeout_is_waited_for_in_the_end():
    """0.9 s of work against a timeout of 0.3 s: lost, perhaps lost with twice the patience, done with four times."""
    vector = WorkerVector(GRID, 1, 1, accident(work_hard, at=3), timeout_s=0.3)
    seen = play(vector, steps=5)
    vector.close()
    assert vector.restarts in (1, 2)
    assert_equal(seen, play(SerialVector(GRID, 1, accident(work_hard, at=3)), steps=5))


class Described:
    """What psutil would say of a process."""

    def __init__(self, status: str) -> None:
        self.state, self.used = status, 0.0

    def status(self) -> str:
        return self.state

    def cpu_times(self):
        return type("Times", (), {"user": self.used, "system": 0.0})


@pytest.mark.parametrize(
    ("status", "elapsed", "used", "counted"),
    [
        ("running", 0.5, 0.01, 0.1),  # starved: wants to run, hardly gets a core
        ("disk-sleep", 0.5, 0.0, 0.0),
        ("running", 0.5, 0.5, 5.0),  # an endless loop
        ("stopped", 0.5, 0.0, 5.0),
        ("sleeping", 0.5, 0.0, 5.0),
        ("sleeping", 60.0, 0.0, 10 * LONGEST_LOOK_S),  # it was the watcher that slept
    ],
)
def test_silence_counts_what_the_process_is_to_blame_for(monkeypatch, status, elapsed, used, counted):
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    silence = Silence(os.getpid())
    process = silence._process = Described(status)
    silence._used = 0.0
    for _ in range(10):
        clock[0] += elapsed
        process.used += used
        silence.look()
    assert silence.seconds == pytest.approx(counted)
    silence.end()
    assert silence.seconds == 0.0


# ------------------------------------------------------------------------------------------------ no way back
def test_a_worker_that_dies_again_and_again_ends_the_training_with_one_line():
    vector = WorkerVector(GRID, 2, 2, accident(die, at=4))
    processes = [worker.process for worker in vector._workers]
    with pytest.raises(WorkerError) as caught:
        play(vector)
    line = "worker 0 (copies 0 to 0) was killed by SIGKILL in step 3, 3 times in succession; last good checkpoint: none"
    assert str(caught.value) == line
    assert not any(process.is_alive() for process in processes)
    vector.close()


def test_an_exception_in_a_scene_arrives_in_one_line_with_its_traceback_as_the_cause():
    vector = WorkerVector(GRID, 2, 2, accident(raise_an_exception, at=4))
    with pytest.raises(WorkerError) as caught:
        play(vector)
    assert "\n" not in str(caught.value)
    assert "worker 0 (copies 0 to 0) failed in step 3: ZeroDivisionError: the scene divided by zero" in str(
        caught.value
    )
    assert "raise_an_exception" in str(caught.value.__cause__)


def test_a_step_beyond_the_episode_is_refused():
    vector = WorkerVector(GRID, 1, 1)
    with pytest.raises(ValueError, match="reset"):
        vector.step(np.zeros((1, 1), np.float32))
    play(vector)
    with pytest.raises(ValueError, match="60 steps"):
        vector.step(np.zeros((1, 1), np.float32))
    vector.close()


# ------------------------------------------------------------------------------------------------ families
def _play_in_a_pool(_: int) -> float:
    vector = WorkerVector(GRID, 2, 2)
    total = float(sum(now["reward"].sum() for now in play(vector)))
    vector.close()
    return total


def test_workers_start_in_a_daemonic_process_too():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        total = pool.apply(_play_in_a_pool, (0,))
    assert total == float(sum(now["reward"].sum() for now in play(SerialVector(GRID, 2))))


_TRAINING = """
import os, signal, sys
import numpy as np
from dynamite.config import SceneConfig
from dynamite.workers import WorkerVector
from tests.reliability.teachers import accident, loop_forever

if __name__ == "__main__":
    vector = WorkerVector(SceneConfig(name="gridworld"), 3, 3, accident(loop_forever, at=0), timeout_s=1e6)
    os.kill(vector._workers[1].process.pid, signal.SIGSTOP)  # one stopped, one in a loop, one waiting for an order
    print(*(worker.process.pid for worker in vector._workers), flush=True)
    vector.reset(np.array([5, 6, 7]))
"""


def test_no_worker_outlives_a_killed_training(tmp_path):
    script = tmp_path / "training.py"
    script.write_text(_TRAINING)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    training = subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert training.stdout is not None
    workers = [psutil.Process(int(word)) for word in training.stdout.readline().split()]
    assert len(workers) == 3
    while workers[0].cpu_times().user < 0.2 + workers[2].cpu_times().user:  # until it is in its loop
        time.sleep(0.05)
    training.kill()
    training.wait()
    training.stdout.close()
    gone, alive = psutil.wait_procs(workers, timeout=20.0)
    assert (len(gone), alive) == (3, [])


@pytest.mark.parametrize("threads", [1, 2])
def test_a_worker_has_one_thread_unless_told_otherwise(threads):
    vector = WorkerVector(GRID, 2, 1, Threads, threads=threads)
    assert vector.reset(np.arange(2)).teacher.tolist() == [[threads]] * 2
    vector.close()


# ------------------------------------------------------------------------------------------------ as a training sees it
def test_a_training_that_loses_workers_learns_the_same_and_counts_them(tmp_path):
    teacher = {"imitation__teacher": "goal", "imitation__frames": 720, "imitation__updates": 2}
    whole = train(tiny(**teacher), tmp_path / "whole", load_policy=load_goal_walker)

    def kill_one(progress) -> None:
        workers = [p for p in psutil.Process().children() if "spawn_main" in " ".join(p.cmdline())]
        if progress.iteration in (0, 2):
            workers[progress.iteration // 2].kill()

    config = tiny(**teacher, train__workers=2)
    hurt = train(config, tmp_path / "hurt", load_policy=load_goal_walker, on_progress=kill_one)
    one, other = load_checkpoint(whole), load_checkpoint(hurt)
    assert all(torch.equal(v, other.agent.state_dict()[k]) for k, v in one.agent.state_dict().items())
    lines = read_lines(tmp_path / "hurt" / "progress.jsonl")
    assert [line["metrics"]["engine/worker_restarts"] for line in lines] == [0, 1, 1, 2]
