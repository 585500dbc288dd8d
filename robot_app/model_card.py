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
from dynamite.config_io import to_yaml
from dynamite.progress import read_lines
from policies import PRETRAINED
from robot_app.evaluation import Evaluation
from robot_app.recipe import SceneRecipe
from robot_app.version import code_version
from scenes.errors import InputError

#: The per-step probabilities of a session's end under which a policy is measured; the default one first.
TERMINATIONS = (0.02, 0.005, 0.01, 0.04)


@dataclass(frozen=True)
class Row:
    """One condition and what was measured under it."""

    p: float
    scores: dict[str, Any]
    references: dict[str, dict[str, Any]]


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
    """Score a packaged policy under each of TERMINATIONS."""
    from robot_app.references import read_references

    rows = []
    for p in TERMINATIONS:
        evaluation = Evaluation(SceneRecipe.parse(scene, (f"p={p}",)), str(policy), episodes, seed)
        scores = evaluation.run(show_progress=False)
        known = read_references(scene).get(evaluation.conditions or "", {})
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
        f"Seeds {seed} to {seed + episodes - 1}; `robot-app evaluate --policy pretrained/{config.variant} --option p=P "
        f"--episodes {episodes} --seed {seed} --json`. The share is (return − random) / (oracle − random).",
        "",
        "| p | return | 95 % interval | share of the oracle | random | oracle | success | scratches | steps to adapt "
        "| force p95 (N) |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        s = row.scores
        known = {role: row.references.get(role, {}) for role in ("random", "oracle")}
        oracle = known["oracle"]
        who = f"{oracle['return_mean']:.1f} ({oracle['policy']})" if oracle else "–"
        text.append(
            f"| {row.p:g} | {s['return_mean']:.1f} | {s['return_ci95'][0]:.1f} … {s['return_ci95'][1]:.1f} | "
            f"{_number(s['oracle_share'], 2)} | {_number(known['random'].get('return_mean'), 1)} | {who} | "
            f"{_number(s['success_rate'], 2)} | {_number(s['scratches_mean'], 1)} | "
            f"{_number(s['adaptation_steps_median'], 0)} | {_number(s['force_p95_n'], 1)} |"
        )
    text += [
        "",
        "## How it was trained",
        "",
        f"{checkpoint.counters['frames']:,} environment steps, seed {config.train.seed}, {hours:.1f} h of wall time on a "
        "shared two-core machine without a GPU.",
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


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
