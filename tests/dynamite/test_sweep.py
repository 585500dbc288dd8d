"""Sweeps: nothing is lost, done twice, or the end of it all; loaded policies; the table."""

from __future__ import annotations

import csv
import json
import os
import signal
from dataclasses import replace

import pyarrow.parquet as pq
import pytest
import yaml

from dynamite.config import SceneConfig
from dynamite.sweep.driver import look_ahead, run_missing
from dynamite.sweep.executor import LocalExecutor
from dynamite.sweep.job import Job, PolicySource
from dynamite.sweep.plan import load_plan, parse_plan
from dynamite.sweep.references import References, shares, solved
from dynamite.sweep.result import Settings
from dynamite.sweep.run import run_job, slope_at_end, training_curve, training_summary
from dynamite.sweep.store import Store
from dynamite.sweep.table import build_table, save_table
from scenes.errors import InputError
from tests.dynamite.sweeps import SWEEP, Heard, Inline, changed, sweep


# ------------------------------------------------------------------------------------------------ running
def test_every_job_becomes_a_row_and_a_rerun_has_nothing_to_do(tmp_path):
    plan = parse_plan(SWEEP)
    heard = sweep(plan, tmp_path)
    assert len(heard.results) == 4
    assert list((tmp_path / ".work").iterdir()) == []
    for planned in plan.planned:
        row = Store(tmp_path).row(planned.job)
        assert row["error"] is None
        assert row["measures"]["episodes"] == 16
        assert row["training"]["frames"] == 720
        assert row["program"] == {"commit": "abc"}
        assert row["job"]["train"]["variant"] == planned.labels["variant"]
        curve = Store(tmp_path).curve(planned.job.id)
        assert curve["frames"] == [360, 720]
        assert ("belief/kl" in curve) is (planned.labels["variant"] == "dynamite")
    assert sweep(plan, tmp_path).results == {}


def test_adding_a_seed_runs_that_seed_alone(tmp_path):
    sweep(parse_plan(SWEEP), tmp_path)
    more = parse_plan(changed(axes={"variant": ["dynamite", "oracle"], "seed": [0, 1, 2]}))
    heard = sweep(more, tmp_path)
    assert len(heard.results) == 2
    assert all(result.row["job"]["train"]["train"]["seed"] == 2 for result in heard.results.values())


def test_a_stopped_sweep_goes_on_to_the_same_rows(tmp_path):
    plan = parse_plan(SWEEP)
    whole = sweep(plan, tmp_path / "whole").results
    # In the middle of the first job; in its evaluation of 60 steps; after that, in the second.
    for stop_at, done in ((1, 0), (2, 0), (61, 1)):
        assert len(sweep(plan, tmp_path / "cut", Inline(stop_at)).results) == done
    rest = sweep(plan, tmp_path / "cut").results
    assert len(rest) == 3
    store = Store(tmp_path / "cut")
    for job in plan.jobs():
        assert store.row(job)["measures"] == whole[job.id].row["measures"]
        assert store.curve(job.id)["return_mean"] == [p["return_mean"] for p in whole[job.id].curve]


def test_a_damaged_checkpoint_costs_its_stretch_and_not_the_job(tmp_path):
    plan = parse_plan(SWEEP).only({"variant": ["oracle"], "seed": ["0"]})
    job = plan.planned[0].job
    sweep(plan, tmp_path, Inline(stop_at=1))
    model = next((tmp_path / ".work" / job.id / "checkpoints").glob("*/model.safetensors"))
    model.write_bytes(model.read_bytes()[:-9])
    assert sweep(plan, tmp_path).results[job.id].row["error"] is None


def test_a_failing_job_is_a_row_with_its_error_and_can_be_tried_again(tmp_path, monkeypatch):
    from dynamite.ppo import PPO

    plan = parse_plan(SWEEP).only({"seed": ["0"]})
    learn = PPO.update

    def broken(self, *arguments, **options):
        if self.agent.config.variant == "oracle":
            raise FloatingPointError("loss is\nnan")
        return learn(self, *arguments, **options)

    monkeypatch.setattr(PPO, "update", broken)
    results = sweep(plan, tmp_path).results
    rows = {result.row["job"]["train"]["variant"]: result.row for result in results.values()}
    assert rows["dynamite"]["error"] is None
    assert rows["oracle"]["error"].startswith("FloatingPointError: loss is nan (")
    assert rows["oracle"]["measures"] is None
    lines = build_table(plan, Store(tmp_path), References(tmp_path / "references.json"))
    assert [line["error"] is None for line in lines] == [True, False]
    assert sweep(plan, tmp_path).results == {}
    monkeypatch.setattr(PPO, "update", learn)
    again = sweep(plan, tmp_path, retry_failed=True).results
    assert [result.row["error"] for result in again.values()] == [None]


def test_processes_give_the_same_rows_and_one_that_is_killed_is_replaced(tmp_path):
    plan = parse_plan(SWEEP).only({"seed": ["0"]})
    expected = sweep(plan, tmp_path / "here").results

    class Killer(Heard):
        """Kills the process of the first job that reports."""

        victim = None

        def progressed(self, job, done, total):
            if self.victim is None and done < total:
                import psutil

                self.victim = job.id
                for child in psutil.Process().children():
                    if "spawn_main" in " ".join(child.cmdline()):
                        os.kill(child.pid, signal.SIGKILL)
                        break

    store, heard = Store(tmp_path / "there"), Killer()
    store.open(plan)
    settings = Settings(tmp_path / "work", {"commit": "abc"})
    run_missing(look_ahead(plan, store), store, LocalExecutor(2), settings, heard)
    assert heard.victim is not None
    assert len(heard.begun) == 3
    for job in plan.jobs():
        assert store.row(job)["measures"] == expected[job.id].row["measures"]


def test_another_sweeps_folder_is_refused(tmp_path):
    file = tmp_path / "one.yaml"
    file.write_text(yaml.safe_dump(SWEEP))
    Store(tmp_path / "out").open(load_plan(file))
    file.write_text(yaml.safe_dump(changed(name="two")))
    with pytest.raises(InputError, match="results of 'small'"):
        Store(tmp_path / "out").open(load_plan(file))


# ------------------------------------------------------------------------------------------------ loaded policies
def test_an_existing_policy_is_evaluated_under_its_folders_digest(tmp_path, checkpoint):
    import policies

    def find(name, scene):
        from dynamite.sweep.loaded import find_source

        return find_source(name, scene)

    axes = {"policy": ["random", str(checkpoint)], "seed": [0, 1]}
    plan = parse_plan({"name": "p", "base": {"scene": "gridworld"}, "axes": axes}, find_policy=find)
    plan = replace(plan, planned=tuple(replace(p, job=replace(p.job, episodes=8)) for p in plan.planned))
    rows = [result.row for result in sweep(plan, tmp_path / "out").results.values()]
    assert [row["error"] for row in rows] == [None] * 4
    assert rows[1]["job"]["policy"]["sha256"] == policies.digest(checkpoint)
    assert rows[0]["measures"]["return_mean"] != rows[2]["measures"]["return_mean"]  # seeds of the evaluation
    with pytest.raises(InputError, match="nobody"):
        parse_plan({"base": {"scene": "gridworld"}, "axes": {"policy": ["nobody"]}}, find_policy=find)


def test_a_checkpoint_is_what_it_holds_and_not_where_it_lies(tmp_path, checkpoint):
    from dynamite.sweep.loaded import find_source

    def plan(folder):
        axes = {"policy": [str(folder)]}
        values = {"base": {"scene": "gridworld"}, "axes": axes, "evaluation": {"episodes": 4}}
        return parse_plan(values, find_policy=find_source)

    here = plan(checkpoint)
    sweep(here, tmp_path / "out")
    moved = checkpoint.rename(tmp_path / "moved")
    there = plan(moved)
    assert there.planned[0].job.id == here.planned[0].job.id
    assert sweep(there, tmp_path / "out").results == {}
    # Another checkpoint under the planned one's name is an error, and no row of the planned one.
    job = there.planned[0].job
    other = replace(job, source=replace(job.source, sha256="0" * 64))
    (result,) = sweep(
        replace(there, planned=(replace(there.planned[0], job=other),)), tmp_path / "b"
    ).results.values()
    assert "as it was planned" in result.row["error"]


def test_a_scripted_policy_is_measured_as_an_agent_is(tmp_path):
    pytest.importorskip("mujoco")
    job = Job(
        PolicySource("scripted/reacher", None), SceneConfig("reacher", termination={"length": 10}), 4, 0
    )
    row = run_job(job, Settings(tmp_path), lambda done, total: None, lambda: False).row
    assert row["error"] is None
    measures, curve = row["measures"], row["curves"]["adaptation"]
    assert measures["episodes"] == 4
    assert measures["changes"] == curve["changes"][curve["lag"].index(0)] > 4
    assert measures["return_low"] <= measures["return_mean"] <= measures["return_high"]
    reward = dict(zip(curve["lag"], curve["reward"], strict=True))
    assert reward[8] > reward[0]  # it goes to where the goal is now


def told_after(calls: int):
    """``should_stop`` that says so from the given call on, and counts them."""

    def stop() -> bool:
        stop.calls += 1
        return stop.calls > calls

    stop.calls = 0
    return stop


@pytest.mark.parametrize("name", ["random", "checkpoint", "scripted/scratch_itch"])
def test_an_evaluation_heeds_the_word_to_stop_at_its_next_step(name, tmp_path, checkpoint):
    from dynamite.sweep.loaded import find_source

    scene = SceneConfig("scratch_itch" if name.startswith("scripted") else "gridworld")
    source = find_source(str(checkpoint) if name == "checkpoint" else name, scene)
    job, stop = Job(source, scene, 2, 0), told_after(3)
    assert run_job(job, Settings(tmp_path), lambda done, total: None, stop) is None
    assert stop.calls == 4
    undisturbed, heeding = (
        run_job(job, Settings(tmp_path), lambda done, total: None, told_after(n)) for n in (10**9, 10**8)
    )
    assert undisturbed.row["error"] is None
    assert undisturbed.row["measures"] == heeding.row["measures"]


def test_what_was_trained_outlives_an_evaluation_that_was_stopped(tmp_path):
    plan = parse_plan(SWEEP).only({"variant": ["oracle"], "seed": ["0"]})
    (job,) = plan.jobs()
    settings, told = Settings(tmp_path / "work"), []
    # Asked once per iteration, of which there are two, and then at every step of the evaluation.
    assert run_job(job, settings, lambda *progress: told.append(progress), told_after(4)) is None
    assert told == [(360, 720), (720, 720)]
    told.clear()
    result = run_job(job, settings, lambda *progress: told.append(progress), lambda: False)
    assert told == []  # nothing is trained again
    assert result.row["measures"] == sweep(plan, tmp_path / "whole").results[job.id].row["measures"]


# ------------------------------------------------------------------------------------------------ the table
def test_the_table_is_the_same_from_csv_and_parquet_and_stands_in_the_files_order(tmp_path):
    plan = parse_plan(SWEEP)
    sweep(plan, tmp_path)
    store, references = Store(tmp_path), References(tmp_path / "references.json")
    lines = build_table(plan, store, references)
    save_table(lines, store)
    references.save()
    with open(tmp_path / "results.csv") as file:
        rows = list(csv.DictReader(file))
    assert [(row["variant"], row["seed"]) for row in rows] == [
        (v, s) for v in ("dynamite", "oracle") for s in ("0", "1")
    ]
    table = pq.read_table(tmp_path / "results.parquet").to_pylist()
    assert table == lines
    assert [float(row["return_mean"]) for row in rows] == pytest.approx(
        [line["return_mean"] for line in lines]
    )
    line = lines[0]
    assert line["share_of_bayes"] == pytest.approx(line["return_mean"] / 43.16, abs=1e-3)
    assert line["commit"] == "abc"
    before = {path.name: path.read_bytes() for path in tmp_path.glob("r*.*")}
    save_table(build_table(plan, store, References(tmp_path / "references.json")), store)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("r*.*")} == before


def test_a_sweep_may_do_without_reference_returns(tmp_path):
    plan = parse_plan({**SWEEP, "reference": {"measure": False}}).only({"seed": ["0"]})
    sweep(plan, tmp_path)
    references = References(tmp_path / "references.json")
    lines = build_table(plan, Store(tmp_path), references)
    references.save()
    assert all(line["return_mean"] is not None for line in lines)
    assert not [name for line in lines for name in line if name.startswith(("reference_", "share_of_"))]
    assert (tmp_path / "references.json").read_text() == "[]\n"  # and none was measured in vain


def test_shares_are_of_the_bound_and_of_the_way_from_random_to_it():
    found = shares(40.0, {"bayes": 43.0, "oracle": 44.0, "random": -4.0})
    assert found["share_of_bayes"] == pytest.approx(40 / 43)
    assert found["bayes_progress"] == pytest.approx(44 / 47)
    assert found["oracle_progress"] == pytest.approx(44 / 48)
    assert shares(40.0, {"random": 0.0}) == {}
    assert shares(-1.0, {"bayes": -0.5, "random": -4.5}) == {"bayes_progress": pytest.approx(3.5 / 4)}


def test_every_gridworlds_solver_is_asked_for_its_yardsticks():
    for name in ("gridworld_stay", "gridworld_contexts"):
        known = solved(SceneConfig(name=name))
        best = known.get("bayes", known.get("likeliest"))
        assert known["random"] < best < known["oracle"]
    assert solved(SceneConfig(name="scratch_itch")) == {}


def test_what_an_agent_is_shown_changes_no_reference(tmp_path):
    references = References(tmp_path / "references.json")
    options = {"exact_belief": True}
    assert references.of(SceneConfig("gridworld")) == references.of(SceneConfig("gridworld", options))
    references.save()
    assert len(json.loads((tmp_path / "references.json").read_text())) == 1
    (tmp_path / "references.json").write_text("{}[")
    with pytest.raises(InputError, match="damaged"):
        References(tmp_path / "references.json")


def test_a_long_training_leaves_a_short_curve():
    lines = [
        {"frames": 10 * (k + 1), "return_mean": float(k), "return_std": 1.0, "metrics": {"belief/kl": 2.0}}
        for k in range(1001)
    ]
    curve = training_curve(lines, points=200)
    assert len(curve) <= 200
    assert curve[0]["return_mean"] == pytest.approx(2.5)  # of iterations 0 … 5
    assert curve[0]["frames"] == 60
    assert curve[-1]["frames"] == 10010
    assert set(curve[0]) == {"frames", "return_mean", "return_std", "belief/kl"}


def test_a_training_cut_short_is_told_by_the_slope_it_ends_with():
    frames = [10_000 * (k + 1) for k in range(100)]
    rising = [max(0.0, f - 500_000) * 3e-5 for f in frames]  # 30 per million, from half way on
    assert slope_at_end(frames, rising) == pytest.approx(30.0)
    levelled = [min(f, 500_000) * 3e-5 for f in frames]
    assert slope_at_end(frames, levelled) == pytest.approx(0.0, abs=1e-9)
    assert slope_at_end([1000], [5.0]) is None
    assert slope_at_end([], []) is None
    lines = [{"frames": f, "fps": 1000.0, "return_mean": r} for f, r in zip(frames, rising, strict=True)]
    told = training_summary(lines)
    assert told["slope_at_end"] == pytest.approx(30.0)
    assert told["return_at_end"] == pytest.approx(sum(rising[95:]) / 5)


def test_jobs_survive_the_way_to_another_process():
    import pickle

    job = parse_plan(SWEEP).planned[0].job
    copy = pickle.loads(pickle.dumps(job))
    assert isinstance(copy, Job)
    assert copy == job
    assert copy.id == job.id
