"""Figures and tables: drawn from rows made up for the purpose, so that every number in them is known."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from matplotlib.collections import PolyCollection
from PIL import Image

from dynamite.sweep.plan import load_plan
from dynamite.sweep.references import References
from dynamite.sweep.result import Result, Settings, make_row
from dynamite.sweep.store import Store
from dynamite.sweep.table import build_table, save_table
from robot_app import cli
from robot_app.figures import plots, tables
from robot_app.figures.page import redraw
from robot_app.figures.results import Results, find_results, spans
from robot_app.figures.spec import parse_figures, parse_reference
from robot_app.figures.style import looks
from scenes.errors import InputError

SEEDS = [0, 1, 2, 3, 4]
#: Returns of each variant by seed.
RETURNS = {"dynamite": [42.0, 42.5, 43.0, 42.8, 42.2], "varibad": [38.0, 39.0, 40.0, 41.0, 42.1]}
FIGURES = [
    {
        "kind": "table",
        "name": "returns",
        "by": ["variant"],
        "against": "dynamite",
        "measures": ["belief_cover90"],
    },
    {"kind": "curves", "name": "learning", "by": "variant"},
    {"kind": "bars", "name": "bars", "by": "variant"},
    {"kind": "lines", "name": "by_p", "x": "p", "by": "variant", "scale": "even"},
    {"kind": "adaptation", "name": "adaptation", "by": "variant", "panels": "p"},
    {"kind": "calibration", "name": "calibration", "by": "variant"},
    {"kind": "detection", "name": "detection", "by": "variant"},
]
SWEEP = {
    "name": "made_up",
    "description": "Rows that were made up.",
    "base": {"scene": "gridworld"},
    "axes": {
        "variant": list(RETURNS),
        "p": [{"name": 0.07}, {"name": 0.5, "overrides": {"scene.termination": 0.5}}],
        "seed": SEEDS,
    },
    "reference": {
        "lines": ["bayes", "random"],
        "published": [{"name": "elsewhere", "value": 42.9, "spread": 0.5}],
    },
    "figures": FIGURES,
}


def make_results(folder: Path, sweep: dict, fails: str | None = None) -> Path:
    """A results folder without any training: p = 0.5 costs ten points, and ``fails`` names a variant that always does."""
    folder.mkdir(parents=True)
    (folder / "sweep.yaml").write_text(yaml.safe_dump(sweep, sort_keys=False))
    plan, store = load_plan(folder / "sweep.yaml"), Store(folder)
    store.open(plan)
    scenes = {planned.job.scene.termination: planned.job.scene for planned in plan.planned}
    entries = [
        {
            "scene": {**vars(scene)},
            "returns": {"bayes": 43.0 - 10 * (p == 0.5), "oracle": 44.0, "random": -4.0},
        }
        for p, scene in scenes.items()
    ]
    (folder / "references.json").write_text(json.dumps(entries))
    for planned in plan.planned:
        variant, seed = str(planned.labels["variant"]), int(planned.labels["seed"])
        value = RETURNS[variant][seed] - 10 * (planned.labels.get("p") == 0.5)
        settings = Settings(folder, {"commit": "abc123"})
        if variant == fails:
            store.save(planned.job, Result(make_row(planned.job, settings, error="it broke")))
            continue
        frames = [1000 * (k + 1) for k in range(20)]
        curve = [
            {"frames": f, "return_mean": value * (1 - 0.5**k), "return_std": 1.0}
            for k, f in enumerate(frames)
        ]
        lag = list(range(-10, 40))
        curves = {
            "adaptation": {"lag": lag, "reward": [float(t >= 3) for t in lag], "changes": [100.0] * 50},
            "termination": {"predicted": [0.05, 0.95], "observed": [0.05, 0.9], "count": [900.0, 100.0]},
            # One run in five is never surer than 0.5.
            "detection": {
                "threshold": [0.1, 0.5, 0.9][: 2 if seed == 4 else 3],
                "precision": [0.25, 0.5, 1.0][: 2 if seed == 4 else 3],
                "recall": [0.9, 0.8, 0.1][: 2 if seed == 4 else 3],
            },
        }
        measures = {"return_mean": value, "belief_cover90": 0.9}
        training = {"frames": 20000, "iterations": 20, "seconds": 1.0, "return_at_end": value}
        store.save(planned.job, Result(make_row(planned.job, settings, measures, curves, training), curve))
    references = References(folder / "references.json")
    save_table(build_table(plan, store, references), store)
    return folder


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    return make_results(tmp_path_factory.mktemp("figures") / "made_up", SWEEP)


def test_everything_asked_for_is_drawn_and_carries_its_provenance(results, tmp_path) -> None:
    paths = redraw(results, tmp_path, pytest.fail)
    names = {path.name for path in paths}
    assert names == {
        "README.md", "returns.md", "returns.tex",
        *(f"{figure['name']}.{kind}" for figure in FIGURES[1:] for kind in ("png", "pdf")),
    }  # fmt: skip
    for path in paths:
        if path.suffix == ".png":
            image = Image.open(path)
            carried = json.loads(image.info["Provenance"])
            assert carried["seeds"] == SEEDS
            assert carried["commits"] == ["abc123"]
            assert yaml.safe_load(carried["config"])["name"] == "made_up"
            assert min(image.size) > 300
            assert np.asarray(image.convert("L")).std() > 10  # something is drawn
        elif path.suffix == ".pdf":
            data = path.read_bytes()
            assert b"made_up" in data
            assert b"CreationDate" not in data
        elif path.suffix in (".md", ".tex"):
            text = path.read_text()
            assert "seeds 0–4" in text
            assert "commit abc123" in text
    page = (tmp_path / "README.md").read_text()
    for figure in FIGURES[1:]:
        assert f"(figures/{figure['name']}.png)" in page
    shown, _, hidden = (tmp_path / "figures" / "returns.md").read_text().partition("<!-- ")
    assert shown.strip() in page
    assert "<!--" not in page
    assert yaml.safe_load(json.loads(hidden.removesuffix(" -->\n"))["config"]) == SWEEP
    tex = (tmp_path / "figures" / "returns.tex").read_text().splitlines()
    commented = [line.removeprefix("% ").removeprefix("%") for line in tex if line.startswith("%")]
    assert yaml.safe_load("\n".join(commented[2:])) == SWEEP


def test_the_same_results_give_the_same_bytes(results, tmp_path) -> None:
    first = {path.name: path.read_bytes() for path in redraw(results, tmp_path / "a", pytest.fail)}
    assert {path.name: path.read_bytes() for path in redraw(results, tmp_path / "b", pytest.fail)} == first


def test_a_table_holds_the_statistics_and_the_references(results) -> None:
    opened = Results(results)
    figure = replace(opened.figures[0], where={"p": ("0.07",)})
    table = tables.build(opened, figure, opened.select(figure))
    rows = {row[0]: dict(zip(table.head, row, strict=True)) for row in table.rows}
    ours, theirs = rows["dynamite"], rows["varibad"]
    assert (ours["n"], ours["return, IQM"], ours["mean"]) == ("5", "42.50", "42.50")
    low, high = (float(number) for number in re.findall(r"[\d.]+", ours["95 % interval"]))
    assert 42.0 <= low < 42.5 < high <= 43.0
    assert ours["of Bayes"] == "98.8 %"  # 42.5 of 43
    assert ours["90 % covers"] == "90.0 %"
    assert theirs["P(dynamite better)"].startswith("0.96 [")  # 24 of 25 pairs: only 42.1 beats 42.0
    assert ours["P(dynamite better)"] == "–"
    assert rows["*Bayes-optimal*"]["return, IQM"] == "43.00"
    assert rows["*elsewhere*"]["return, IQM"] == "42.9 ± 0.5"


def test_latex_is_escaped_and_has_as_many_cells_as_columns(results) -> None:
    opened = Results(results)
    text = tables.build(opened, opened.figures[0], opened.select(opened.figures[0])).latex()
    columns = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert columns is not None
    assert all(line.count("&") == len(columns[1]) - 1 for line in body)
    assert not re.search(r"(?<!\\)%", "\n".join(body))


def test_a_trained_oracle_stands_in_where_no_solver_knows_the_scene() -> None:
    lines = [
        {"variant": variant, "return_mean": value, "reference_random": 0.0}
        for variant, value in (("dynamite", 30.0), ("oracle", 40.0), ("oracle", 40.0))
    ]
    (figure,) = parse_figures([{"kind": "table", "name": "t", "by": ["variant"]}])
    tables._add_trained_oracle(lines, figure)
    assert [line["trained_oracle_progress"] for line in lines] == [0.75, 1.0, 1.0]


def test_plots_show_the_numbers_of_their_rows(results) -> None:
    opened = Results(results)
    by_name = {figure.name: figure for figure in opened.figures}
    lines_canvas = plots.draw(opened, by_name["by_p"], opened.select(by_name["by_p"]))
    ours = next(line for line in lines_canvas.axes[0].get_lines() if line.get_label() == "dynamite")
    assert list(ours.get_xdata()) == [0.0, 1.0]
    assert list(ours.get_ydata()) == pytest.approx([42.5, 32.5])
    curves = plots.draw(
        opened, by_name["learning"], opened.select(replace(by_name["learning"], where={"p": ("0.07",)}))
    )
    ours = next(line for line in curves.axes[0].get_lines() if line.get_label() == "dynamite")
    assert ours.get_ydata()[-1] == pytest.approx(42.5, abs=0.01)
    adaptation = plots.draw(opened, by_name["adaptation"], opened.select(by_name["adaptation"]))
    assert [axis.get_title() for axis in adaptation.axes if axis.get_visible()] == ["p: 0.07", "p: 0.5"]


def test_on_an_axis_with_zero_and_magnitudes_every_value_that_was_run_is_named(results) -> None:
    opened = Results(results)
    figure = next(figure for figure in opened.figures if figure.name == "by_p")
    canvas = plots.draw(opened, replace(figure, scale="symlog"), opened.select(figure))
    axis = canvas.axes[0]
    ran = sorted({float(line["p"]) for line in opened.select(figure)})
    assert list(axis.get_xticks()) == ran
    assert [float(tick.get_text()) for tick in axis.get_xticklabels()] == ran


def test_session_ends_are_shown_at_the_thresholds_that_every_run_reaches(results) -> None:
    opened = Results(results)
    figure = next(figure for figure in opened.figures if figure.kind == "detection")
    canvas = plots.draw(opened, figure, opened.select(figure))
    ours = next(line for line in canvas.axes[0].get_lines() if line.get_label() == "dynamite")
    assert list(ours.get_xdata()) == pytest.approx([0.9, 0.8])
    assert list(ours.get_ydata()) == pytest.approx([0.25, 0.5])


def test_what_is_pooled_over_conditions_is_resampled_and_compared_within_them(results) -> None:
    """p = 0.5 costs everybody ten points: that is no uncertainty of a method, and says nothing of who is better."""
    opened = Results(results)
    table = tables.build(opened, opened.figures[0], opened.select(opened.figures[0]))
    ours, theirs = (dict(zip(table.head, row, strict=True)) for row in table.rows[:2])
    low, high = (float(number) for number in re.findall(r"[\d.]+", ours["95 % interval"]))
    assert ours["return, IQM"] == "37.50"
    assert high - low < 3  # were seeds of both drawn from one urn, it would be five and more
    assert theirs["P(dynamite better)"].startswith("0.96 [")
    assert opened.strata(opened.lines[:10], "return_mean") == [
        RETURNS["dynamite"],
        [value - 10 for value in RETURNS["dynamite"]],
    ]


def test_rows_follow_the_columns_that_a_table_is_by(results) -> None:
    """The sweep's own order has the variant first."""
    opened = Results(results)
    figure = replace(opened.figures[0], by=("p", "variant"), reference=False)
    table = tables.build(opened, figure, opened.select(figure))
    assert [row[:2] for row in table.rows] == [
        ("0.07", "dynamite"), ("0.07", "varibad"), ("0.5", "dynamite"), ("0.5", "varibad"),
    ]  # fmt: skip


def test_a_single_run_has_no_interval(tmp_path) -> None:
    sweep = {**SWEEP, "axes": {**SWEEP["axes"], "seed": [0]}}
    opened = Results(make_results(tmp_path / "made_up", sweep))
    figure = replace(opened.figures[0], by=("p", "variant"))
    table = tables.build(opened, figure, opened.select(figure))
    rows = [dict(zip(table.head, row, strict=True)) for row in table.rows[:2]]
    assert [row["return, IQM"] for row in rows] == ["42.00", "38.00"]
    assert [row["95 % interval"] for row in rows] == ["–", "–"]
    assert [row["P(dynamite better)"] for row in rows] == ["–", "1.00"]
    assert bands(opened, "by_p") == bands(opened, "learning") == bands(opened, "adaptation") == 0
    bars = next(figure for figure in opened.figures if figure.kind == "bars")
    figure = replace(bars, reference=False, where={"p": ("0.07",)})
    (axis,) = plots.draw(opened, figure, opened.select(figure)).axes
    assert {len(line.get_xdata()) for line in axis.get_lines()} == {
        1
    }  # the mean's mark and the run's: no bar between two ends


def test_several_runs_have_a_band(results) -> None:
    opened = Results(results)
    assert bands(opened, "by_p") == bands(opened, "learning") == 2  # one of each variant


def bands(opened: Results, name: str) -> int:
    """Intervals that a figure shows as areas."""
    found = next(figure for figure in opened.figures if figure.name == name)
    figure = found if found.x else replace(found, where={"p": ("0.07",)})
    axes = plots.draw(opened, figure, opened.select(figure)).axes
    areas = [area for axis in axes for area in axis.collections if isinstance(area, PolyCollection)]
    return sum(len(path.vertices) > 0 for area in areas for path in area.get_paths())


def test_failed_runs_are_left_out_and_named(tmp_path) -> None:
    folder = make_results(tmp_path / "made_up", SWEEP, fails="varibad")
    redraw(folder, tmp_path / "out", pytest.fail)
    page = (tmp_path / "out" / "README.md").read_text()
    assert "10 runs of the sweep failed" in page
    assert page.count("it broke") == 10
    assert "| varibad |" not in page


def test_a_variant_looks_the_same_everywhere_and_nobody_else_like_it() -> None:
    few, many = looks(["dynamite", "rl2"]), looks(["first", "dynamite", "varibad", "rl2", "second"])
    assert few["dynamite"] == many["dynamite"]
    assert len({(look.colour, look.line) for look in many.values()}) == 5
    all_variants = [
        "dynamite",
        "varibad",
        "rl2",
        "secbad",
        "contrabar",
        "borel",
        "oracle",
        "markov",
        "exact belief",
    ]
    crowded = looks([*all_variants, "dynamite (SAC)", "random"]).values()
    assert (
        len({look.colour for look in crowded} - {looks(["oracle"])["oracle"].colour}) == 9
    )  # black is two oracles'
    assert len({(look.colour, look.line) for look in crowded}) == len({look.marker for look in crowded}) == 11


def test_seeds_are_written_as_spans() -> None:
    assert spans([0, 1, 2, 4, 7, 8]) == "0–2, 4, 7–8"
    assert spans([]) == "none"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "pie"}, "kind"),
        ({"kind": "bars", "by": "variant"}, r"figures\[0\]\.name"),
        ({"kind": "bars", "name": "b"}, r"figures\[0\]\.by"),
        ({"kind": "bars", "name": "b", "by": ["a", "b"]}, "a column"),
        ({"kind": "bars", "name": "b", "by": "variant", "colour": "red"}, "colour"),
        ({"kind": "lines", "name": "b", "x": "p", "scale": "cubic"}, "scale"),
        ({"kind": "bars", "name": "../b", "by": "variant"}, "plain name"),
        ({"kind": "bars", "name": "b", "by": "variant", "where": "p=1"}, "where"),
        ({"kind": "table", "name": "b", "by": "variant", "measures": "all"}, "measures"),
    ],
)
def test_mistakes_in_a_figure_are_named(entry, said) -> None:
    with pytest.raises(InputError, match=said):
        parse_figures([entry])


def test_mistakes_in_the_reference_are_named() -> None:
    with pytest.raises(InputError, match="lines"):
        parse_reference({"lines": ["moon"]})
    with pytest.raises(InputError, match=r"reference\.measure: got 3; allowed: true or false"):
        parse_reference({"measure": 3})
    with pytest.raises(InputError, match=r"published\[0\]\.value"):
        parse_reference({"published": [{"name": "x", "value": "high"}]})
    with pytest.raises(InputError, match="unknown key"):
        parse_reference({"line": []})


def test_a_column_that_is_not_there_and_folders_without_results_are_one_line(
    results, tmp_path, capsys
) -> None:
    opened = Results(results)
    with pytest.raises(InputError, match="colour"):
        opened.select(replace(opened.figures[0], by=("colour",)))
    with pytest.raises(InputError, match="robot-app sweep"):
        find_results(tmp_path)
    assert cli.main(["figures", "--results", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "results.csv").write_text("block\n")
    (broken / "sweep.yaml").write_text("figures: [{kind: pie}]")
    assert cli.main(["figures", "--results", str(tmp_path)]) == 2
    assert "figures[0].kind" in capsys.readouterr().err
