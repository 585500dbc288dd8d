"""Packaging a trained policy: its weights, and a card whose every number was measured when it was written.

A card says how the policy was trained (configuration, frames, time), what it reaches under each condition beside random
actions and the oracles, and how it got there (curves). Words that no command can find (what was tried, what is doubtful)
come from a notes file.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamite.checkpoint import export_checkpoint, latest_checkpoint, load_checkpoint
from dynamite.config import SceneConfig
from dynamite.config_io import to_yaml
from dynamite.progress import read_lines
from dynamite.sweep.references import solved
from policies import PRETRAINED
from robot_app.evaluation import Evaluation
from robot_app.recipe import SceneRecipe
from robot_app.version import code_version
from scenes.errors import InputError
from scenes.registry import make_scene

#: A policy is measured where sessions end as often as the scene has it, and at these multiples of that.
MULTIPLES = (1.0, 0.25, 0.5, 2.0)


@dataclass(frozen=True)
class Row:
    """One condition and what was measured under it."""

    p: float
    scores: dict[str, Any]
    references: dict[str, dict[str, Any]]

    def share(self) -> float | None:
        """(return − random) / (oracle − random), where both are known."""
        if not {"random", "oracle"} <= self.references.keys():
            return None
        low, high = (self.references[role]["return_mean"] for role in ("random", "oracle"))
        return (self.scores["return_mean"] - low) / (high - low)


def find_run(run: Path) -> Path:
    """The newest checkpoint of a run's folder.

    Raises:
        InputError: there is none.
    """
    newest = latest_checkpoint(run)
    if newest is None:
        raise InputError("run", str(run), "a training run's folder with a checkpoint")
    return newest


def target_folder(run: Path, name: str | None) -> Path:
    """Where a run's policy is packaged: ``policies/pretrained/<scene>/<name or variant>``."""
    config = load_checkpoint(find_run(run)).config
    return PRETRAINED / config.scene.name / (name or config.variant)


def measure(
    policy: Path, scene: str, episodes: int, seed: int, on_row: Callable[[Row], None] | None = None
) -> list[Row]:
    """Score a packaged policy at each of MULTIPLES of the scene's own probability that a session ends."""
    from robot_app.references import read_references

    default = make_scene(scene)
    own = getattr(default.sessions.termination, "p", None)
    default.close()
    if own is None:
        raise InputError("scene", scene, "one whose sessions end with a probability")
    rows = []
    for p in (float(f"{own * multiple:g}") for multiple in MULTIPLES):
        evaluation = Evaluation(SceneRecipe.parse(scene, (f"p={p}",)), str(policy), episodes, seed)
        scores = evaluation.run(show_progress=False)
        exact = solved(SceneConfig(name=scene, termination=p)) or {}
        known = {
            role: {"return_mean": value, "policy": "exact"} for role, value in exact.items()
        } or read_references(scene).get(evaluation.conditions or "", {})
        rows.append(Row(p, scores, known))
        if on_row is not None:
            on_row(rows[-1])
    return rows


def package(
    run: Path, folder: Path, episodes: int, seed: int, notes: str, on_row: Callable[[Row], None] | None = None
) -> Path:
    """Export a run's newest checkpoint to ``folder`` and write its card beside it.

    Returns:
        The card's path.
    """
    export_checkpoint(find_run(run), folder)
    lines = read_lines(run / "progress.jsonl")
    draw_curves(lines, folder / "curves.png")
    checkpoint = load_checkpoint(folder)
    rows = measure(folder, checkpoint.config.scene.name, episodes, seed, on_row)
    record = {
        "episodes": episodes,
        "seed": seed,
        "program": code_version(),
        "rows": [{"p": row.p, **row.scores} for row in rows],
    }
    (folder / "scores.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    card = folder / "README.md"
    card.write_text(_card(checkpoint, lines, rows, episodes, seed, notes), encoding="utf-8")
    return card


def draw_curves(lines: list[dict[str, Any]], path: Path) -> None:
    """Return, success and probe error over the training's frames, as a small PNG."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = [("return_mean", "return per episode"), ("charts/success_rate", "success rate")]
    if any("probe/nll" in line["metrics"] for line in lines):
        panels.append(("probe/nll", "probe: −log p(true cell)"))
    figure, axes = plt.subplots(1, len(panels), figsize=(4 * len(panels), 2.8), constrained_layout=True)
    for axis, (key, title) in zip(axes, panels, strict=True):
        points = [
            (line["frames"] / 1e6, value)
            for line in lines
            if (value := line.get(key, line["metrics"].get(key))) is not None
        ]
        axis.plot(*zip(*points, strict=True), color="#0072B2", linewidth=0.8)
        changes = [b["frames"] / 1e6 for a, b in itertools.pairwise(lines) if a["phase"] != b["phase"]]
        for change in changes:
            axis.axvline(change, color="#888888", linestyle="--", linewidth=0.8)
        axis.set_title(title, fontsize=9)
        axis.set_xlabel("million steps", fontsize=8)
        axis.tick_params(labelsize=8)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _card(
    checkpoint: Any, lines: list[dict[str, Any]], rows: list[Row], episodes: int, seed: int, notes: str
) -> str:
    config = checkpoint.config
    iterations = [b["frames"] - a["frames"] for a, b in zip([{"frames": 0}, *lines], lines, strict=False)]
    hours = sum(n / line["fps"] for n, line in zip(iterations, lines, strict=True)) / 3600
    default = rows[0].scores
    low, high = default["return_ci95"]
    text = [
        f"# {config.variant} on {config.scene.name}",
        "",
        f"Return **{default['return_mean']:.1f}** (95 % interval {low:.1f} to {high:.1f}) over {episodes} episodes, "
        f"sessions ending with p = {rows[0].p:g} per step.",
        "",
        "![training curves](curves.png)",
        "",
        "## What it reaches",
        "",
        f"Seeds {seed} to {seed + episodes - 1}; `robot-app evaluate --scene {config.scene.name} "
        f"--policy pretrained/{config.variant} --option p=P --episodes {episodes} --seed {seed} --json`. "
        "The share is (return − random) / (oracle − random).",
        "",
        *_score_table(rows),
        "",
        "## How it was trained",
        "",
        f"{checkpoint.counters['frames']:,} environment steps, seed {config.train.seed}, {_duration(hours)} of wall time "
        "on a shared two-core machine without a GPU.",
        "",
        "```",
        f"robot-app train --scene {config.scene.name} --variant {config.variant} "
        f"--config policies/pretrained/{config.scene.name}/{config.variant}/config.yaml",
        "```",
        "",
        notes.strip() or "",
        "",
        "<details><summary>Configuration</summary>",
        "",
        "```yaml",
        to_yaml(config).strip(),
        "```",
        "",
        "</details>",
        "",
    ]
    return "\n".join(text)


def _score_table(rows: list[Row]) -> list[str]:
    """A line per condition; columns that a scene has no numbers for are left out."""

    def reference(row: Row, role: str) -> str:
        known = row.references.get(role)
        return "–" if known is None else f"{known['return_mean']:.1f} ({known['policy']})"

    columns: dict[str, Callable[[Row], str]] = {
        "p": lambda row: f"{row.p:g}",
        "return": lambda row: f"{row.scores['return_mean']:.1f}",
        "95 % interval": lambda row: "{:.1f} … {:.1f}".format(*row.scores["return_ci95"]),
        "share of the oracle": lambda row: _number(row.share(), 2),
        "random": lambda row: _number(row.references.get("random", {}).get("return_mean"), 1),
        "Bayes-optimal": lambda row: reference(row, "bayes"),
        "oracle": lambda row: reference(row, "oracle"),
        "success": lambda row: _number(row.scores["success_rate"], 2),
        "scratches": lambda row: _number(row.scores["scratches_mean"], 1),
        "steps to adapt": lambda row: _number(row.scores["adaptation_steps_median"], 0),
        "force p95 (N)": lambda row: _number(row.scores["force_p95_n"], 1),
    }
    cells = {title: [cell(row) for row in rows] for title, cell in columns.items()}
    kept = {title: column for title, column in cells.items() if set(column) != {"–"}}
    lines = [kept.keys(), ["---"] * len(kept), *zip(*kept.values(), strict=True)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _duration(hours: float) -> str:
    return f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
