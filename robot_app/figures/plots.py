"""The plots. Each takes results, a figure's specification and the lines it is about, and gives back a canvas.

Across seeds the interquartile mean is drawn, with its 95 % bootstrap interval; of a single run, no interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import EngFormatter

from dynamite.stats import band, iqm
from robot_app.figures.results import Line, Results, group, interval_of, label, reference_return, values_of
from robot_app.figures.spec import LINES, Figure
from robot_app.figures.style import COLUMN, GREY, PAGE, Look, looks, new_canvas

#: What axes call measures.
NAMES = {
    "return_mean": "return",
    "share_of_bayes": "share of the Bayes-optimal return",
    "share_of_oracle": "share of the oracle's return",
    "bayes_progress": "(return − random) / (Bayes − random)",
    "oracle_progress": "(return − random) / (oracle − random)",
    "adapt_median": "steps to adapt, median",
    "belief_nll": "NLL of the true latent, nats",
    "success_rate": "success",
    "end_recall": "session ends noticed",
    "end_precision": "alarms that are right",
}


def _axis(name: str) -> str:
    """A sweep's axis as a reader has it, with its unit where it has one."""
    last = name.rpartition(".")[2]
    return {"session_length": "session length, steps"}.get(last, last.replace("_", " "))


def draw(results: Results, figure: Figure, lines: Sequence[Line]) -> Canvas:
    """The figure, a panel for each value of ``figure.panels``."""
    plot = _PLOTS[figure.kind]
    panels = group(lines, figure.panels) if figure.panels else {(None,): list(lines)}
    chosen = looks([label(key) for (key,) in group(lines, figure.by[0])])
    across = min(len(panels), 4)
    down = -(-len(panels) // across)
    width = COLUMN if across == 1 else PAGE
    height = _panel_height(results, figure, len(chosen)) * down + (0.3 if figure.title else 0.0)
    canvas = new_canvas(width, height)
    axes = canvas.subplots(down, across, squeeze=False).ravel()
    for axis, ((panel,), part) in zip(axes, panels.items(), strict=False):
        plot(axis, results, figure, part, chosen)
        if figure.panels is not None and panel is not None:
            number = isinstance(panel, (int, float))  # which says nothing without its axis
            axis.set_title(f"{_axis(figure.panels)}: {label(panel)}" if number else label(panel))
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[: len(panels)]:
        if axis.get_subplotspec().colspan.start > 0 and figure.kind != "bars":
            axis.set_ylabel("")
    handles = {
        text: handle for axis in axes for handle, text in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    if figure.kind != "bars" and len(handles) > 1:
        columns = max(1, int(16 * width / (max(map(len, handles)) + 8)))  # sixteen letters to the inch
        legend = canvas.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=columns)
        for handle in legend.legend_handles:
            if isinstance(handle, PathCollection):  # as large as the first mark happens to be
                handle.set_sizes([20])
    if figure.title:
        canvas.suptitle(figure.title, fontsize=9)
    return canvas


def _panel_height(results: Results, figure: Figure, n: int) -> float:
    if figure.kind == "bars":
        names = figure.reference and (results.reference.lines or results.reference.published)
        return 0.55 + 0.22 * n + (0.75 if names else 0.0)
    return 2.9 if figure.panels is None else 2.2


# ------------------------------------------------------------------------------------------------ the kinds
def _curves(axis: Axes, results: Results, figure: Figure, lines: list[Line], chosen: dict[str, Look]) -> None:
    for (key,), part in group(lines, figure.by[0]).items():
        curves = [curve for line in part if (curve := results.curve(line)) and figure.metric in curve]
        if not curves:
            continue
        frames = _common(curves, "frames")
        runs = [np.interp(frames, curve["frames"], curve[figure.metric]) for curve in curves]
        _banded(axis, frames, np.stack(runs), label(key), chosen)
    axis.xaxis.set_major_formatter(EngFormatter(sep=""))
    axis.set(xlabel="environment steps", ylabel=NAMES.get(figure.metric, figure.metric))
    if figure.metric == "return_mean" and figure.reference:
        _references(axis, results, lines, axis.axhline)


def _bars(axis: Axes, results: Results, figure: Figure, lines: list[Line], chosen: dict[str, Look]) -> None:
    groups = [
        (label(key), values_of(part, figure.measure), results.strata(part, figure.measure))
        for (key,), part in group(lines, figure.by[0]).items()
    ]
    groups = [found for found in groups if found[1]]
    for place, (text, values, strata) in enumerate(groups):
        look, centre = chosen[text], float(iqm(values))
        axis.barh(place, centre, height=0.62, color=look.colour, alpha=0.35, linewidth=0)
        if interval := interval_of(strata):
            axis.plot(interval, [place, place], color=look.colour, linewidth=2.2, solid_capstyle="butt")
        axis.plot(centre, place, "|", color=look.colour, markersize=11, markeredgewidth=2)
        axis.plot(
            values, np.full(len(values), place), look.marker, color=look.colour, markersize=2.5, alpha=0.8
        )
        text = (f"{centre:.0f}" if abs(centre) >= 100 else f"{centre:#.3g}").replace("-", "−")
        axis.annotate(
            text, (1.0, place), (3, 0), ("axes fraction", "data"), textcoords="offset points", va="center",
            fontsize=7,
        )  # fmt: skip
    axis.set_yticks(range(len(groups)), [text for text, *_ in groups])
    axis.set_ylim(len(groups) - 0.5, -0.5)
    axis.grid(False, axis="y")
    axis.set_xlabel(NAMES.get(figure.measure, figure.measure))
    if figure.measure == "return_mean" and figure.reference:
        _references(axis, results, lines, axis.axvline)


def _lines(axis: Axes, results: Results, figure: Figure, lines: list[Line], chosen: dict[str, Look]) -> None:
    assert figure.x is not None
    ticks = sorted({float(line[figure.x]) for line in lines})
    places = {x: float(i) if figure.scale == "even" else x for i, x in enumerate(ticks)}
    for (key,), part in group(lines, figure.by[0]).items():
        points = []
        for (x,), runs in sorted(group(part, figure.x).items()):
            if values := values_of(runs, figure.measure):
                # NaN is no band here.
                interval = interval_of(results.strata(runs, figure.measure)) or (np.nan, np.nan)
                points.append((places[float(x)], iqm(values), *interval))
        if points:
            x, centre, low, high = np.array(points).T
            look = chosen[label(key)]
            axis.fill_between(x, low, high, color=look.colour, alpha=0.2, linewidth=0)
            axis.plot(x, centre, color=look.colour, linestyle=look.line, marker=look.marker, label=label(key))
    axis.set(xlabel=_axis(figure.x), ylabel=NAMES.get(figure.measure, figure.measure))
    if figure.reference and figure.measure == "return_mean":
        _reference_along(axis, results, figure, lines, places)
    if figure.scale == "even":
        axis.set_xticks(range(len(places)), [label(x) for x in places])
    elif figure.scale == "log":
        axis.set_xscale("log")
        axis.set_xticks(list(places), [label(x) for x in places], minor=False)
        axis.set_xticks([], minor=True)
    elif figure.scale == "symlog":
        axis.set_xscale("symlog", linthresh=min(x for x in places if x > 0))
        axis.set_xticks(list(places), [label(x) for x in places], minor=False)
        axis.set_xticks([], minor=True)


def _adaptation(
    axis: Axes, results: Results, figure: Figure, lines: list[Line], chosen: dict[str, Look]
) -> None:
    for (key,), part in group(lines, figure.by[0]).items():
        curves = [curve for line in part if (curve := (results.row(line)["curves"] or {}).get("adaptation"))]
        if not curves:
            continue
        seen = np.min([curve["changes"] for curve in curves], 0) >= 20  # fewer changes are noise
        lag = np.array(curves[0]["lag"])[seen]
        _banded(
            axis, lag, np.stack([np.array(curve["reward"])[seen] for curve in curves]), label(key), chosen
        )
    axis.axvline(0, color=GREY, linewidth=0.8, linestyle=":")
    axis.set(xlabel="steps since the change", ylabel="reward per step")


def _calibration(
    axis: Axes, results: Results, figure: Figure, lines: list[Line], chosen: dict[str, Look]
) -> None:
    axis.plot([0, 1], [0, 1], color=GREY, linewidth=0.8, linestyle=":")
    for (key,), part in group(lines, figure.by[0]).items():
        curves = [curve for line in part if (curve := (results.row(line)["curves"] or {}).get("termination"))]
        if not curves:
            continue
        said, seen, count = (
            np.concatenate([curve[name] for curve in curves]) for name in ("predicted", "observed", "count")
        )
        bins = np.minimum((said * 10).astype(int), 9)
        total = np.bincount(bins, count, 10)
        # The area of a mark tells how many predictions it stands for.
        x, y = (
            np.bincount(bins, values * count, 10)[total > 0] / total[total > 0] for values in (said, seen)
        )
        look, share = chosen[label(key)], total[total > 0] / total.sum()
        axis.scatter(
            x,
            y,
            4 + 200 * share,
            color=look.colour,
            marker=look.marker,
            alpha=0.6,
            linewidths=0,
            label=label(key),
        )
    axis.set(
        xlabel="predicted p(session ended)",
        ylabel="share that had ended",
        xlim=(-0.05, 1.05),
        ylim=(-0.05, 1.05),
    )


def _detection(
    axis: Axes, results: Results, figure: Figure, lines: list[Line], chosen: dict[str, Look]
) -> None:
    for (key,), part in group(lines, figure.by[0]).items():
        curves = [curve for line in part if (curve := (results.row(line)["curves"] or {}).get("detection"))]
        # A threshold that not every run reaches with an alarm is left out: it would be a mean over others.
        shared = sorted(set.intersection(*(set(curve["threshold"]) for curve in curves))) if curves else []
        if not shared:
            continue
        recall, precision = (
            np.array([[curve[name][curve["threshold"].index(t)] for t in shared] for curve in curves])
            for name in ("recall", "precision")
        )
        look = chosen[label(key)]
        x, y = (np.asarray(iqm(values, axis=0)) for values in (recall, precision))
        axis.plot(
            x, y, color=look.colour, linestyle=look.line, marker=look.marker, markersize=2.5, label=label(key)
        )
        if 0.5 in shared:  # the alarm that the table counts
            at = shared.index(0.5)
            axis.plot(x[at], y[at], look.marker, color=look.colour, markersize=6, fillstyle="none")
    axis.set(
        xlabel="recall: session ends noticed",
        ylabel="precision: alarms that are right",
        xlim=(-0.05, 1.05),
        ylim=(-0.05, 1.05),
    )


_PLOTS: dict[str, Callable[[Axes, Results, Figure, list[Line], dict[str, Look]], None]] = {
    "curves": _curves,
    "bars": _bars,
    "lines": _lines,
    "adaptation": _adaptation,
    "calibration": _calibration,
    "detection": _detection,
}


# ------------------------------------------------------------------------------------------------ what they share
def _banded(axis: Axes, x: np.ndarray, runs: np.ndarray, text: str, chosen: dict[str, Look]) -> None:
    """(R, P) runs as their interquartile mean, with its interval where there are several."""
    look = chosen[text]
    centre, low, high = band(runs)
    if len(runs) > 1:
        axis.fill_between(x, low, high, color=look.colour, alpha=0.2, linewidth=0)
    axis.plot(x, centre, color=look.colour, linestyle=look.line, label=text)


def _common(curves: Sequence[dict[str, list[float]]], name: str) -> np.ndarray:
    """The points of the shortest curve: a band needs every run."""
    return np.asarray(min((curve[name] for curve in curves), key=lambda points: points[-1]))


def _references(axis: Axes, results: Results, lines: Sequence[Line], across: Callable[..., Any]) -> None:
    """Lines at what is known of the scene, where all lines are about the same one, named outside the axes."""
    found = [
        (value, LINES[name])
        for name in results.reference.lines
        if (value := reference_return(lines, name)) is not None
    ]
    found += [(number.value, number.name) for number in results.reference.published]
    for value, _ in found:
        across(value, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
    _name(axis, found, upright=across == axis.axhline)


def _name(axis: Axes, found: Sequence[tuple[float, str]], upright: bool) -> None:
    """Names of reference lines outside the axes, right of it or above it, moved apart where they would overlap."""
    low, high = axis.get_ylim() if upright else axis.get_xlim()
    size = axis.get_figure().get_size_inches()  # type: ignore[union-attr]
    points = 72 * (0.7 * size[1] if upright else 0.6 * size[0])  # about as long as the axis is
    shares = _apart([(value - low) / (high - low) for value, _ in found], (7.0 if upright else 9.0) / points)
    for share, (_, text) in zip(shares, found, strict=True):
        where, place = ((1.01, share), {"va": "center"}) if upright else ((share, 1.02), {"rotation": 60})
        axis.annotate(
            text,
            where,
            xycoords="axes fraction",
            fontsize=5.5,
            color="#555555",
            annotation_clip=False,
            **place,
        )


def _apart(places: Sequence[float], gap: float) -> list[float]:
    """Places moved as little as needed to lie ``gap`` apart, in their order."""
    order = np.argsort(places, kind="stable")
    moved = np.array(places, float)[order]
    for _ in range(100):
        short = np.maximum(gap - np.diff(moved), 0.0)
        if not short.size or short.max() < 1e-4:
            break
        moved[:-1] -= short / 2
        moved[1:] += short / 2
    found = np.empty(len(moved))
    found[order] = moved
    return found.tolist()


def _reference_along(
    axis: Axes, results: Results, figure: Figure, lines: Sequence[Line], places: dict[float, float]
) -> None:
    """What is known of the scene at every x."""
    assert figure.x is not None
    ends = []
    for name in results.reference.lines:
        points = {
            places[float(line[figure.x])]: float(value)
            for line in lines
            if (value := line.get(f"reference_{name}")) is not None
        }
        if points:
            x, y = zip(*sorted(points.items()), strict=True)
            axis.plot(x, y, color=GREY, linewidth=0.7, linestyle=(0, (4, 3)), zorder=0)
            ends.append((y[-1], LINES[name]))
    _name(axis, ends, upright=True)
