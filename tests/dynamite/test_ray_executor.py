"""Sweeps on Ray: the same rows as in one process, whatever dies on the way."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml

from dynamite.sweep.driver import look_ahead, run_missing
from dynamite.sweep.executor import LocalExecutor
from dynamite.sweep.job import Job, PolicySource
from dynamite.sweep.loaded import find_source
from dynamite.sweep.plan import Plan, Planned, parse_plan
from dynamite.sweep.ray_executor import NODES_LOST, RayExecutor, _do
from dynamite.sweep.references import References
from dynamite.sweep.result import Settings
from dynamite.sweep.store import Store
from dynamite.sweep.table import build_table, save_table
from scenes.errors import InputError
from tests.dynamite.sweeps import SMALL, SWEEP, Heard, changed, sweep

pytest.importorskip("ray", reason="the extra `cluster` is not installed")

#: Long enough that a kill finds a training under way, with checkpoints behind it.
LONGER = {**SMALL, "train.frames": 360 * 16, "train.checkpoint_every": 360 * 4}
MEMORY = 80_000_000
SWEEPS = Path(__file__).parents[2] / "sweeps"


def on_ray(plan, out, heard: Heard) -> list[dict]:
    """Run what is missing; the table."""
    store = Store(out)
    store.open(plan)
    run_missing(
        look_ahead(plan, store), store, RayExecutor(n=2), Settings(out / ".work", {"commit": "abc"}), heard
    )
    return table(plan, out)


def table(plan, out) -> list[dict]:
    return build_table(plan, Store(out), References(out / "references.json"))


class Once(Heard):
    """Does something the first time that ``wanted`` jobs have begun and one reports that it is not done."""

    def __init__(self, act, wanted: int = 1) -> None:
        super().__init__()
        self.act, self.wanted = act, wanted

    def progressed(self, job, done, total):
        if self.act is not None and done < total and len(self.begun) >= self.wanted:
            act, self.act = self.act, None
            act()


class AtStart(Once):
    """Does it the first time that ``wanted`` jobs run together: jobs that only play report nothing in between."""

    def started(self, job):
        super().started(job)
        if self.act is not None and len(self.begun) - len(self.results) >= self.wanted:
            act, self.act = self.act, None
            act()


@contextlib.contextmanager
def two_nodes() -> Iterator:
    """Ray's test cluster: nodes as processes of this machine; a function that kills the second."""
    import ray
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": MEMORY}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    try:
        second = cluster.add_node(**node)
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        yield lambda: cluster.remove_node(second, allow_graceful=False)
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.mark.slow
def test_ray_gives_the_same_table_and_a_failing_job_is_a_row(tmp_path):
    small = parse_plan(SWEEP)
    gone = Job(PolicySource(str(tmp_path / "gone"), "0" * 64), small.planned[0].job.scene, 4, 0)
    planned = (*small.planned, Planned(gone, "main", {"variant": "gone", "seed": 0}, (0, 9, 0)))
    plan = Plan(small.name, planned, text=small.text)
    sweep(plan, tmp_path / "here")
    heard = Heard()
    there = on_ray(plan, tmp_path / "there", heard)
    assert there == table(plan, tmp_path / "here")
    assert [line["error"] is None for line in there] == [True] * 4 + [False]
    assert "gone" in there[4]["error"]
    assert sorted(heard.begun) == sorted(job.id for job in plan.jobs())
    assert list((tmp_path / "there" / ".work").iterdir()) == []


@pytest.mark.slow
def test_one_of_two_nodes_is_killed_and_no_row_is_lost_or_told_twice(tmp_path):
    plan = parse_plan(changed(base={"scene": "gridworld", "overrides": LONGER}))
    with two_nodes() as kill:
        heard = Once(kill, wanted=2)  # a job on each node
        there = on_ray(plan, tmp_path / "there", heard)
    assert heard.act is None
    assert len(heard.begun) > len(heard.results) == 4  # Heard refuses a second result of a job
    sweep(plan, tmp_path / "here")
    assert there == table(plan, tmp_path / "here")


@pytest.mark.slow
def test_return_against_session_length_is_the_same_table_from_a_cluster_that_loses_a_node(tmp_path):
    """The repository's own sweep, its policies and scenes, with fewer lengths, seeds and episodes."""
    values = yaml.safe_load((SWEEPS / "session_length.yaml").read_text())
    values["evaluation"]["episodes"] = 8
    for block in values["blocks"]:
        block.get("evaluation", {}).pop("episodes", None)
        block["axes"] = {**block["axes"], "session_length": block["axes"]["session_length"][1:3], "seed": [0]}
    plan = parse_plan(values, find_policy=find_source)
    with two_nodes() as kill:
        heard = AtStart(kill, wanted=2)  # a job on each node
        on_ray(plan, tmp_path / "there", heard)
    assert heard.act is None  # the node was killed; a job so short may have been done by then
    assert len(heard.begun) >= len(heard.results) == 20
    sweep(plan, tmp_path / "here", LocalExecutor(2))
    files = [written(plan, tmp_path / place) for place in ("there", "here")]
    assert files[0] == files[1]
    assert files[0]["results.csv"].count(b"\n") == 21
    assert b"Error" not in files[0]["results.csv"]


def written(plan, out) -> dict[str, bytes]:
    """The table's files, byte for byte."""
    save_table(table(plan, out), Store(out))
    return {path.name: path.read_bytes() for path in out.glob("results.*")}


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_its_job_begun_again(tmp_path):
    plan = parse_plan(changed(base={"scene": "gridworld", "overrides": LONGER})).only({"seed": ["0"]})

    def kill() -> None:
        # Ray renames a worker while it runs a task; only processes under this one are ours.
        ours = psutil.Process().children(recursive=True)
        workers = [p for p in ours if p.is_running() and p.cmdline()[:1] == ["ray::_do"]]
        os.kill(workers[0].pid, signal.SIGKILL)

    heard = Once(kill)
    there = on_ray(plan, tmp_path / "there", heard)
    assert heard.act is None
    assert len(heard.begun) == 3
    sweep(plan, tmp_path / "here")
    assert there == table(plan, tmp_path / "here")


def test_a_node_with_other_code_refuses_jobs(monkeypatch, tmp_path):
    monkeypatch.setattr("ray.util.get_node_ip_address", lambda: "10.0.0.2")
    job = parse_plan(SWEEP).planned[0].job
    said = _do(job, "key", Settings(tmp_path), None, ("0123456789abcdef", "10.0.0.1"))
    assert "10.0.0.2 with other code" in said
    assert not list(tmp_path.iterdir())


def test_a_job_whose_nodes_keep_going_fails_in_the_end(monkeypatch, tmp_path):
    """Without Ray's processes: what `_Run` does with the errors that Ray raises."""
    import ray

    from dynamite.sweep.ray_executor import _Run

    class FakeRay:
        exceptions = ray.exceptions
        util = ray.util
        given = 0

        def wait(self, references, **_):
            return references, []

        def get(self, reference, **_):
            if reference == "board":
                return {}
            raise ray.exceptions.NodeDiedError("gone")

    fake, heard, job = FakeRay(), Heard(), parse_plan(SWEEP).planned[0].job
    run = _Run.__new__(_Run)

    class Board:
        class take:
            remote = staticmethod(lambda: "board")

    class Do:
        @staticmethod
        def remote(*_):
            fake.given += 1
            return f"attempt {fake.given}"

    run.__dict__.update(
        _ray=fake, _settings=Settings(tmp_path), _listener=heard, _board=Board, _do=Do, _code=("", ""),
        _waiting=[job], _n=None, _running={}, _died={job.id: 0}, _lost={job.id: 0}, _stopping=False,
    )  # fmt: skip
    run.until(lambda: False)
    assert fake.given == NODES_LOST
    assert heard.results[job.id].row["error"] == f"its node was lost, {NODES_LOST} times"


def test_without_ray_the_way_to_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match="dynamite-care\\[cluster\\]"):
        RayExecutor()
