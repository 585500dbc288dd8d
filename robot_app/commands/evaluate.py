"""``robot-app evaluate``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from robot_app.commands.base import Flag, PolicyName, SceneVerb, print_json, say


@dataclass(frozen=True, kw_only=True)
class Evaluate(SceneVerb):
    """Score a policy: return, share of the oracle's, success, adaptation time, force.

    Prints return_mean ± return_std over the episodes with its 95 % bootstrap interval return_ci95; oracle_share, 0 for
    random actions and 1 for the oracle, or null where no reference was measured under the same conditions;
    success_rate; scratches_mean; adaptation_steps_median, steps from a change until the reward is back at 90 % of the
    scripted oracle's on the same seeds (of its own before the change, where there is no oracle); force_p95_n, the
    95th percentile of the tool's contact force while in contact; sessions, how many were seen; env_steps_per_s.

    A trained policy meets the scene as it was trained in it, unless --option says otherwise.
    """

    examples: ClassVar[tuple[str, ...]] = (
        "robot-app evaluate --policy scripted/scratch_itch --episodes 100",
        "robot-app evaluate --policy runs/scratch_itch-dynamite-s0 --option p=0.05 --json",
        "robot-app evaluate --policy random --option controller=responsive --write-reference",
    )

    policy: PolicyName = "pretrained/dynamite"
    """Who acts: a name (`robot-app policies` lists them), or the folder of a checkpoint or run."""
    episodes: int = 50
    """How many."""
    seed: int = 0
    """Of the first episode; the next ones follow it."""
    write_reference: Flag = False
    """Keep the score of `random` or of an oracle as the reference for these conditions."""
    force: Flag = False
    """Replace a reference."""
    json: Flag = False
    """One JSON object on stdout."""

    def run(self) -> int:
        from robot_app.evaluation import Evaluation
        from scenes.errors import InputError

        for name in ("episodes", "seed"):
            low = 1 if name == "episodes" else 0
            if getattr(self, name) < low:
                raise InputError(f"--{name}", getattr(self, name), f"a whole number, {low} or more")
        evaluation = Evaluation(self.recipe(), self.policy, self.episodes, self.seed)
        if self.write_reference:
            evaluation.check_reference(self.force)
        scores = evaluation.run(show_progress=not self.json)
        if self.write_reference:
            say(f"reference written to {evaluation.write_reference(scores)}")
        if self.json:
            print_json(scores)
            return 0
        print(
            f"{evaluation.policy_name} in {evaluation.recipe.describe()}, {self.episodes} episodes from seed {self.seed}"
        )
        for key, value in scores.items():
            print(f"{key:24s} {_text(value)}")
        return 0


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, (list, tuple)):
        return " … ".join(_text(v) for v in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


COMMAND = Evaluate
