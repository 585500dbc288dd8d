"""Sweeps: what becomes of a YAML, and what a row depends on."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import yaml

from dynamite.config_io import with_overrides
from dynamite.sweep.job import PolicySource
from dynamite.sweep.plan import load_plan, parse_plan
from dynamite.sweep.store import Store
from scenes.errors import InputError
from tests.dynamite.sweeps import SWEEP, changed, sweep


# ------------------------------------------------------------------------------------------------ the plan
def test_axes_multiply_and_every_job_carries_its_labels():
    plan = parse_plan(SWEEP)
    assert [dict(p.labels) for p in plan.planned] == [
        {"variant": v, "seed": s} for v in ("dynamite", "oracle") for s in (0, 1)
    ]
    job = plan.planned[3].job
    assert (job.source.variant, job.source.train.seed, job.source.policy.sees_privileged) == (
        "oracle",
        1,
        True,
    )
    assert (job.source.encoder.hidden, job.episodes, job.seed) == (16, 16, 7)


def test_a_case_is_a_name_for_settings():
    exact = {"name": "exact", "variant": "markov", "overrides": {"scene.options.exact_belief": True}}
    half = {"name": 0.5, "overrides": {"scene.termination": 0.5}}
    plan = parse_plan(changed(axes={"variant": ["dynamite", exact], "p": [{"name": 0.07}, half]}))
    last = plan.planned[-1]
    assert last.labels == {"variant": "exact", "p": 0.5}
    assert last.job.source.variant == "markov"
    assert last.job.scene.options == {"exact_belief": True}
    assert last.job.scene.termination == 0.5
    assert plan.planned[0].job == parse_plan(changed(axes={"variant": ["dynamite"]})).planned[0].job


def test_later_axes_win_over_earlier_ones_and_over_the_base():
    axes = {
        "size": [{"name": "wide", "overrides": {"encoder.hidden": 32, "ppo.lr": 0.1}}],
        "ppo.lr": [0.2],
    }
    config = parse_plan(changed(axes=axes)).planned[0].job.source
    assert (config.encoder.hidden, config.ppo.lr) == (32, 0.2)


def test_the_first_seed_of_everything_comes_before_the_second_of_anything():
    seeds = [job.source.train.seed for job in parse_plan(SWEEP).jobs()]
    assert seeds == [0, 0, 1, 1]


def test_two_blocks_with_the_same_job_run_it_once():
    base = SWEEP["base"]
    blocks = [
        {"name": "a", "base": base, "axes": {"variant": ["dynamite", "varibad"]}},
        {"name": "b", "base": base, "axes": {"objective.kl_weight": [0.1, 0.2]}},
    ]
    plan = parse_plan({"name": "two", "blocks": blocks})
    assert len(plan.planned) == 4
    assert len(plan.jobs()) == 3  # the preset's KL weight is 0.1


def test_an_evaluation_may_be_in_another_scene_than_the_training():
    plan = parse_plan(changed(evaluation={"episodes": 4, "scene": {"termination": 0.5}}))
    job = plan.planned[0].job
    assert (job.source.scene.termination, job.scene.termination) == (None, 0.5)


def test_only_keeps_what_matches():
    plan = parse_plan(SWEEP)
    kept = plan.only({"variant": ["dyna*"], "seed": ["1"]})
    assert [dict(p.labels) for p in kept.planned] == [{"variant": "dynamite", "seed": 1}]
    with pytest.raises(InputError, match="variant"):
        plan.only({"colour": ["red"]})
    with pytest.raises(InputError, match="leaves a job"):
        plan.only({"variant": ["nobody"]})


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ({"axis": {}}, "sweep.axis"),
        ({"axes": {"variant": ["dynamite", "dinamite"]}}, r"variant dinamite\): variant: got 'dinamite'"),
        ({"axes": {"ppo.learning_rate": [1]}}, r"ppo\.learning_rate"),
        ({"axes": {"ppo.lr": [-1.0]}}, r"ppo\.lr"),
        ({"axes": {"learner": ["sac"]}}, "a case with a name"),
        ({"axes": {"seed": [0, 0]}}, "values that differ"),
        ({"axes": {"seed": ["one"]}}, "seed"),
        ({"axes": {"seed": []}}, "a list of values"),
        ({"base": {"scene": "moon"}}, "moon"),
        ({"base": {"scene": "gridworld", "steps": 3}}, r"base\.steps"),
        ({"evaluation": {"episodes": 0}}, r"evaluation\.episodes"),
        ({"blocks": [{"name": "a"}]}, "either blocks"),
        ({"axes": {"policy": ["pretrained/oracle"]}}, "no policies"),
        ({"figures": "all"}, "figures"),
    ],
)
def test_mistakes_are_one_line_that_names_them(top, said):
    with pytest.raises(InputError, match=said) as caught:
        parse_plan(changed(**top))
    assert "\n" not in str(caught.value)


def test_a_scene_that_refuses_its_options_is_found_when_the_file_is_read(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(changed(axes={"scene.options.exact_relief": [True]})))
    with pytest.raises(InputError, match="exact_relief"):
        load_plan(file)
    file.write_text("name: [")
    with pytest.raises(InputError, match="broken YAML at line"):
        load_plan(file)
    with pytest.raises(InputError, match="readable"):
        load_plan(tmp_path / "none.yaml")


# ------------------------------------------------------------------------------------------------ what a row depends on
def test_the_id_depends_on_what_is_computed_and_on_nothing_else():
    job = parse_plan(SWEEP).planned[0].job
    relabelled = changed(name="other", axes={"who": [{"name": "us", "variant": "dynamite", "seed": 0}]})
    assert parse_plan(relabelled).planned[0].job.id == job.id
    for other in (
        replace(job, episodes=17),
        replace(job, seed=8),
        replace(job, scene=replace(job.scene, termination=0.07)),
        replace(job, source=with_overrides(job.source, {"ppo.lr": 1e-5})),
        replace(job, source=PolicySource("random", None)),
    ):
        assert other.id != job.id


def test_a_field_added_later_leaves_the_row_and_a_default_changed_later_does_not(tmp_path):
    plan = parse_plan(SWEEP).only({"variant": ["oracle"], "seed": ["0"]})
    sweep(plan, tmp_path)
    store, job = Store(tmp_path), plan.planned[0].job
    path = tmp_path / "rows" / f"{job.id}.json"
    row = json.loads(path.read_text())
    assert "samples" in row["job"]["train"]["probe"]
    departs = job.identity()["train"].get("probe", {})
    assert not {"samples", "smoothing"} & set(departs)  # at their defaults
    del row["job"]["train"]["probe"]["samples"]  # as if the field had come after this row
    path.write_text(json.dumps(row))
    assert store.row(job) is not None
    row["job"]["train"]["probe"]["smoothing"] += 1  # as if its default had been another then
    path.write_text(json.dumps(row))
    assert store.row(job) is None
