"""A panel as a figure: what its plots and maps show, as PDF, PNG and CSV that say where they come from. No Qt.

The window hands over the numbers; drawing them takes matplotlib a second, which it spends in a process of its own::

    python -m robot_app.figures.panel < request
"""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from robot_app.files import write_atomic
from scenes.errors import InputError


@dataclass(frozen=True)
class Curve:
    """``y`` over ``x``, both (N,); NaN is a gap.

    Attributes:
        role: whose it is: ``agent``, ``truth``, ``oracle``, ``predicted`` or ``quiet``.
        spread: (N,) drawn as a band of ± so much around it.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    role: str = "agent"
    dashed: bool = False
    spread: np.ndarray | None = None


@dataclass(frozen=True)
class Chart:
    """Curves on one pair of axes.

    Attributes:
        spans: sessions, (first, last) step each. inferred: steps where the policy inferred a change.
    """

    title: str
    x_label: str
    y_label: str
    curves: tuple[Curve, ...]
    spans: tuple[tuple[int, int], ...] = ()
    inferred: tuple[int, ...] = ()


@dataclass(frozen=True)
class SkinChart:
    """Probability on the unrolled skin.

    Attributes:
        grid: (parts, axial, angle). truth: (part's index, axial 0 to 1, angle in rad), or None.
    """

    title: str
    parts: tuple[str, ...]
    grid: np.ndarray
    truth: tuple[int, float, float] | None = None


@dataclass(frozen=True)
class Picture:
    """A panel that is no plot, as it looks: (H, W, 3) uint8."""

    title: str
    image: np.ndarray


@dataclass(frozen=True)
class Origin:
    """What every file carries.

    Attributes:
        seed: of the episode or the training. commit: of the code. config: of the scene or the training, JSON-plain.
    """

    seed: int | None
    commit: str | None
    config: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """For people."""
        scene, policy = self.config.get("scene"), self.config.get("policy")
        name = scene.get("name") if isinstance(scene, dict) else scene
        said = [str(name)] if name else []
        said += [str(policy)] if policy else []
        seed = "unknown" if self.seed is None else self.seed
        return ", ".join([*said, f"seed {seed}", f"commit {self.commit or 'unknown'}"])

    def to_json(self) -> str:
        values = {"seed": self.seed, "commit": self.commit, "config": self.config}
        return json.dumps(values, ensure_ascii=False, default=str)


@dataclass(frozen=True)
class PanelFigure:
    """What a panel shows."""

    title: str
    parts: tuple[Chart | SkinChart | Picture, ...]
    origin: Origin


def save_figure(figure: PanelFigure, stem: Path) -> list[Path]:
    """``stem``.pdf and ``stem``.png; where there are numbers, ``stem``.csv.

    Raises:
        OSError: they cannot be written.
    """
    from robot_app.figures.style import save, styled

    with styled():
        paths = save(_draw(figure), stem, figure.title, figure.origin)
    rows = [row for part in figure.parts for row in _rows(part)]
    if rows:
        paths.append(stem.with_name(f"{stem.name}.csv"))
        write_atomic(paths[-1], _table(figure, rows).encode())
    return paths


def _table(figure: PanelFigure, rows: list[tuple[Any, ...]]) -> str:
    """Three lines of comment (title, origin in words, origin in JSON), then a row per point."""
    text = io.StringIO()
    for line in (figure.title, figure.origin.line(), figure.origin.to_json()):
        text.write("# " + line.replace("\n", " ") + "\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("plot", "curve", "x", "y", "spread", "probability"))
    writer.writerows(rows)
    return text.getvalue()


def _rows(part: Chart | SkinChart | Picture) -> list[tuple[Any, ...]]:
    """(plot, curve, x, y, ± spread); of a map, part of the body, axial, angle and probability."""
    if isinstance(part, Chart):
        return [
            (
                part.title,
                curve.name,
                float(x),
                float(y),
                "" if curve.spread is None else float(curve.spread[i]),
                "",
            )
            for curve in part.curves
            for i, (x, y) in enumerate(zip(curve.x, curve.y, strict=True))
        ]
    if isinstance(part, SkinChart):
        _, n, m = part.grid.shape
        return [
            (
                part.title,
                name,
                (i + 0.5) / n,
                2 * math.pi * (j + 0.5) / m - math.pi,
                "",
                float(part.grid[k, i, j]),
            )
            for k, name in enumerate(part.parts)
            for i in range(n)
            for j in range(m)
        ]
    return []


def _draw(figure: PanelFigure) -> Any:
    from robot_app.figures.style import PAGE, new_canvas

    heights = [_height(part, PAGE) for part in figure.parts]
    canvas = new_canvas(PAGE, sum(heights) + 0.45)
    grids = canvas.add_gridspec(len(figure.parts), 1, height_ratios=heights)
    for i, part in enumerate(figure.parts):
        cell = grids[i, 0]
        if isinstance(part, Chart):
            _draw_chart(canvas.add_subplot(cell), part)
        elif isinstance(part, SkinChart):
            _draw_skin(canvas, cell, part)
        else:
            axes = canvas.add_subplot(cell)
            axes.imshow(part.image, interpolation="none")
            axes.set_axis_off()
    canvas.supxlabel(figure.origin.line(), fontsize=6, color="#7F7F7F")
    return canvas


def _height(part: Chart | SkinChart | Picture, width: float) -> float:
    """Inches."""
    if isinstance(part, Picture):
        return width * part.image.shape[0] / part.image.shape[1]
    return 1.7


def _draw_chart(axes: Any, part: Chart) -> None:
    from robot_app.figures.style import BLUE, GREEN, GREY, ORANGE, PURPLE

    inks = {"agent": BLUE, "truth": ORANGE, "oracle": GREEN, "predicted": PURPLE, "quiet": GREY}
    for i, (first, last) in enumerate(part.spans):
        if i % 2:
            axes.axvspan(first, last, color="#F1F1F1", zorder=0)
        if i:
            axes.axvline(first, color=ORANGE, linewidth=0.7, zorder=1)
    for curve in part.curves:
        ink = inks.get(curve.role, GREY)
        steps = "steps-post" if curve.role == "truth" else "default"  # what is true jumps
        line = "--" if curve.dashed else "-"
        axes.plot(curve.x, curve.y, color=ink, linestyle=line, label=curve.name, drawstyle=steps)
        if curve.spread is not None:
            axes.fill_between(
                curve.x, curve.y - curve.spread, curve.y + curve.spread, color=ink, alpha=0.2, linewidth=0
            )
    if part.inferred:
        bottom = axes.get_ylim()[0]
        axes.plot(
            part.inferred,
            [bottom] * len(part.inferred),
            "^",
            color=PURPLE,
            clip_on=False,
            label="inferred change",
        )
    axes.set_title(part.title, loc="left")
    axes.set_xlabel(part.x_label)
    axes.set_ylabel(part.y_label)
    if any(curve.name for curve in part.curves):
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _draw_skin(canvas: Any, cell: Any, part: SkinChart) -> None:
    from robot_app.figures.style import ORANGE

    row = cell.subgridspec(1, len(part.parts), wspace=0.02)
    top = float(part.grid.max()) or 1.0
    for k, name in enumerate(part.parts):
        axes = canvas.add_subplot(row[0, k])
        extent = (0.0, 1.0, math.pi, -math.pi)
        shown = axes.imshow(part.grid[k].T, extent=extent, aspect="auto", cmap="cividis", vmin=0.0, vmax=top)
        if part.truth is not None and part.truth[0] == k:
            axes.plot(
                part.truth[1], part.truth[2], "o", mfc="none", mec=ORANGE, markersize=8, markeredgewidth=1.6
            )
        axes.grid(False)
        axes.set_title(
            f"{part.title}: {name.replace('_', ' ')}" if k == 0 else name.replace("_", " "), loc="left"
        )
        axes.set_xlabel("along the part, near joint to far")
        if k == 0:
            axes.set_ylabel("angle, rad")
        else:
            axes.set_yticklabels([])
    canvas.colorbar(shown, ax=canvas.axes[-len(part.parts) :], label="probability", pad=0.01)


def main() -> int:
    """Draw the (figure, stem) that is pickled on stdin; prints the paths as JSON, or the reason on stderr."""
    figure, stem = pickle.load(sys.stdin.buffer)
    try:
        paths = save_figure(figure, Path(stem))
    except (OSError, InputError) as error:
        print(getattr(error, "strerror", None) or error, file=sys.stderr)
        return 1
    print(json.dumps([str(path) for path in paths]))
    return 0


if __name__ == "__main__":
    # The classes that are unpickled live in the module by its own name, not in __main__.
    from robot_app.figures import panel

    raise SystemExit(panel.main())
