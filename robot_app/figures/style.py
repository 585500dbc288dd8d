"""How figures look, and how they are saved: the same pixels from the same results, with their provenance inside."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas

from robot_app.files import write_atomic

#: Okabe and Ito's colours, which most colour-blind readers tell apart, the yellow left out (too light on white).
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, BLACK, GREY = "#CC79A7", "#56B4E9", "#000000", "#7F7F7F"
#: One column and two columns of a paper, inches.
COLUMN, PAGE = 3.4, 7.0
_DPI = 200


@dataclass(frozen=True)
class Look:
    """Of one group: colour, and line and marker, so that nothing is told by colour alone."""

    colour: str
    line: Any
    marker: str


_LOOKS = {
    "dynamite": Look(BLUE, "-", "o"),
    "varibad": Look(ORANGE, "--", "s"),
    "rl2": Look(GREEN, "-.", "^"),
    "secbad": Look(VERMILION, (0, (5, 1)), "D"),
    "contrabar": Look(PURPLE, (0, (3, 1, 1, 1)), "v"),
    "borel": Look(SKY, (0, (1, 1)), "P"),
    "oracle": Look(BLACK, "-", "*"),
    "markov": Look(GREY, ":", "X"),
    "exact belief": Look(BLACK, "--", "d"),
}
#: For whoever else is in a figure: first what no variant of it has, then these of P. Tol's muted
#: colours, so that a look is given twice only beyond eight.
_OTHERS = [look for name, look in _LOOKS.items() if name not in ("oracle", "markov", "exact belief")]
_MORE = [
    Look("#882255", (0, (6, 1, 1, 1, 1, 1)), "<"),
    Look("#999933", (0, (2, 1)), ">"),
]


def looks(labels: Sequence[str]) -> dict[str, Look]:
    """A look for each label; a variant has the same one in every figure."""
    free = [look for look in _OTHERS if look not in [_LOOKS.get(label) for label in labels]] + _MORE
    chosen, others = {}, 0
    for label in labels:
        if label in _LOOKS:
            chosen[label] = _LOOKS[label]
        else:
            chosen[label] = free[others % len(free)]
            others += 1
    return chosen


class Provenance(Protocol):
    """Where a figure comes from: for people, and for programs."""

    def line(self) -> str: ...

    def to_json(self) -> str: ...


@contextmanager
def styled() -> Iterator[None]:
    """Publication settings, whatever the user's own are."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "font.family": "DejaVu Sans",
                "font.size": 8,
                "axes.titlesize": 8,
                "axes.labelsize": 8,
                "legend.fontsize": 7,
                "xtick.labelsize": 7,
                "ytick.labelsize": 7,
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.linewidth": 0.6,
                "axes.grid": True,
                "grid.color": "#E5E5E5",
                "grid.linewidth": 0.5,
                "axes.axisbelow": True,
                "lines.linewidth": 1.2,
                "lines.markersize": 4,
                "legend.frameon": False,
                "legend.handlelength": 2.8,  # a whole dash on both sides of the marker
                "pdf.fonttype": 42,
                "figure.constrained_layout.use": True,
            }
        )
        yield


def new_canvas(width: float, height: float) -> Canvas:
    canvas = Canvas(figsize=(width, height))
    FigureCanvasAgg(canvas)
    return canvas


def save(canvas: Canvas, stem: Path, title: str, provenance: Provenance) -> list[Path]:
    """``stem``.png and ``stem``.pdf, without dates."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    about = {"Title": title, "Description": provenance.line()}
    carried = {
        "png": {**about, "Software": None, "Provenance": provenance.to_json()},
        "pdf": {
            "Title": title,
            "Subject": provenance.line(),
            "Keywords": provenance.to_json(),
            "Creator": "robot-app figures",
            "Producer": None,
            "CreationDate": None,
        },
    }
    paths = []
    for kind, metadata in carried.items():
        data = io.BytesIO()
        canvas.savefig(data, format=kind, dpi=_DPI, metadata=metadata)
        paths.append(stem.with_name(f"{stem.name}.{kind}"))
        write_atomic(paths[-1], data.getvalue())
    return paths
