"""What ``robot-app evaluate`` does: build scene and policy, score them, put the score beside the references."""

from __future__ import annotations

import time
from typing import Any

import policies
from dynamite.evaluate import evaluate
from robot_app import references
from robot_app.recipe import SceneRecipe
from robot_app.recording import progress_bar, trained_recipe
from robot_app.version import code_version


class Evaluation:
    """One policy under one set of conditions; everything that can be wrong is found here, before the first episode.

    Args:
        recipe: the scene; options a trained policy was trained with are filled in.
        policy: name or folder.
        episodes: how many. seed: of the first.
    """

    def __init__(self, recipe: SceneRecipe, policy: str, episodes: int, seed: int) -> None:
        self.recipe = trained_recipe(recipe, policy)
        self.episodes, self.seed = episodes, seed
        scene = self.recipe.build()
        try:
            self.conditions = references.conditions(self.recipe, scene)
            self._policy = policies.load(policy, scene)
            # Adaptation is measured against the scene's scripted oracle on the same seeds, where there is one.
            self._oracle = policies.find_oracle(scene)
        finally:
            scene.close()
        self.policy_name = self._policy.name

    def run(self, show_progress: bool) -> dict[str, Any]:
        """The scores, by the keys of :func:`dynamite.evaluate.evaluate`."""
        with progress_bar("evaluating", self.episodes, show_progress, "episodes") as advance:
            return evaluate(
                self.recipe.build,
                self._policy,
                self.episodes,
                self.seed,
                oracle=self._oracle,
                reference_returns=references.reference_returns(self.recipe.name, self.conditions),
                on_episode=lambda _: advance(),
            )

    def check_reference(self, force: bool) -> None:
        """Prove that the score may be kept as a reference."""
        self._role = references.role_of(self.policy_name, self._policy.needs_privileged)
        references.check_free(self.recipe.name, self.conditions, self._role, force)

    def write_reference(self, scores: dict[str, Any]) -> str:
        """Keep the score; returns the file."""
        assert self.conditions is not None
        entry = {
            "return_mean": scores["return_mean"],
            "return_ci95": scores["return_ci95"],
            "policy": self.policy_name,
            "episodes": self.episodes,
            "seed": self.seed,
            "program": code_version(),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
        }
        path = references.write_reference(self.recipe.name, self.conditions, self._role, entry)
        return str(path)
