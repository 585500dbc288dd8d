"""Copies in lock step: processes, objects and arrays give the same worlds."""

from __future__ import annotations

import functools
import os
import signal

import numpy as np
import pytest
import torch

from dynamite.acting import Decision
from dynamite.config import SceneConfig
from dynamite.rollout import collect
from dynamite.spec import SceneSpec
from dynamite.vector import INFO_KEYS, ArrayVector, SerialVector, Snapshot, make_vector
from dynamite.workers import WorkerVector
from scenes import make_scene
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny

GRID = SceneConfig(name="gridworld")


class Constant:
    """Labels every step with one action."""

    needs_privileged = True

    def __init__(self, number: int, scene) -> None:
        self.name, self.number = "constant", number

    def reset(self, seed: int) -> None:
        pass

    def act(self, observation, reward, privileged=None) -> Decision:
        assert privileged is not None
        return Decision(np.asarray(self.number))


def play(vector, steps: int = 15) -> list[dict[str, np.ndarray]]:
    """Copies of every snapshot under fixed actions."""
    rng, seen = np.random.default_rng(0), []
    now = vector.reset(np.arange(vector.n) + 5)
    seen.append({k: v.copy() for k, v in vars(now).items()})
    for _ in range(steps):
        if vector.spec.discrete:
            actions = rng.integers(vector.spec.n_actions, size=(vector.n, 1)).astype(np.float32)
        else:
            actions = rng.uniform(-1, 1, (vector.n, vector.spec.n_actions)).astype(np.float32)
        now = vector.step(actions)
        seen.append({k: v.copy() for k, v in vars(now).items()})
    return seen


@pytest.mark.parametrize("scene", ["gridworld", "scratch_itch"])
def test_workers_and_one_process_play_the_same_episodes(scene):
    config, played = SceneConfig(name=scene), []
    for make in (lambda: SerialVector(config, 3), lambda: WorkerVector(config, 3, 2)):
        vector = make()
        played.append([play(vector), play(vector)])  # a second episode in the same processes
        vector.close()
    for one, other in zip(*played, strict=True):
        for a, b in zip(one, other, strict=True):
            for name in a:
                np.testing.assert_array_equal(a[name], b[name])


def test_a_copy_does_not_depend_on_how_many_there_are():
    few, many = play(SerialVector(GRID, 2)), play(SerialVector(GRID, 4))
    np.testing.assert_array_equal(few[0]["observation"], many[0]["observation"][:2])


def test_the_teacher_labels_in_workers_too():
    teacher = functools.partial(Constant, 3)
    for vector in (SerialVector(GRID, 3, teacher), WorkerVector(GRID, 3, 2, teacher)):
        assert [s["teacher"].tolist() for s in play(vector, 2)] == [[[3.0]] * 3] * 3
        vector.close()


def test_workers_survive_ctrl_c_so_that_the_training_can_stop_cleanly():
    vector = WorkerVector(GRID, 2, 1)
    vector.reset(np.arange(2))
    os.kill(vector._workers[0].process.pid, signal.SIGINT)
    vector.step(np.zeros((2, 1), np.float32))
    vector.close()


def test_a_mistake_in_a_worker_arrives_as_it_was_raised():
    with pytest.raises(InputError, match="colour"):
        WorkerVector(SceneConfig(name="gridworld", options={"colour": 1}), 2, 2)


def test_closing_twice_is_harmless():
    vector = WorkerVector(GRID, 2, 1)
    vector.close()
    vector.close()


def test_more_workers_than_copies_are_refused():
    with pytest.raises(InputError, match=r"train\.workers"):
        make_vector(SceneConfig(name="scratch_itch"), 1, 2)


def test_options_termination_and_kernel_reach_the_scene():
    config = SceneConfig(
        name="gridworld", termination={"length": 4}, kernel="alternate", options={"exact_belief": True}
    )
    vector = SerialVector(config, 1)
    ends = [bool(s["ended"][0]) for s in play(vector, 8)[1:]]
    assert ends == [False, False, False, True] * 2
    assert vector.spec.n_observation == 47


def test_numbers_a_scene_does_not_have_are_nan():
    now = play(SerialVector(GRID, 1), 1)[-1]
    assert np.isnan(now["info"][0, INFO_KEYS.index("scratches")])
    assert now["info"][0, INFO_KEYS.index("task_success")] in (0.0, 1.0)


def test_scenes_that_can_step_as_arrays_do():
    vector = make_vector(SceneConfig(name="gridworld", termination={"length": 4}), 6)
    assert isinstance(vector, ArrayVector)
    assert [bool(s["ended"].all()) for s in play(vector, 4)] == [False, False, False, False, True]


def test_a_rollout_is_whole_episodes():
    config = tiny()
    scenes = make_vector(config.scene, 6)
    rollout = collect(new_agent(config), scenes, np.arange(6), torch.Generator().manual_seed(0))
    assert rollout.states.shape == (61, 6, 46)
    assert rollout.executed.sum(-1).eq(1).all()
    assert rollout.frames == 360
    assert rollout.returns().shape == (6,)


def test_specs_survive_json():
    for name in ("gridworld", "scratch_itch"):
        options = {"fields": ("itch", "force", "impairment")} if name == "scratch_itch" else {}
        spec = SceneSpec.of(make_scene(name, **options))
        assert SceneSpec.from_json(spec.to_json(), "here") == spec
    with pytest.raises(InputError, match="here"):
        SceneSpec.from_json({"n_observation": 3}, "here")


def test_snapshots_are_views_on_rows():
    whole = Snapshot.empty(SceneSpec.of(make_scene("gridworld")), 4)
    whole.rows(slice(2, 4)).reward[:] = 1.0
    assert whole.reward.tolist() == [0, 0, 1, 1]
