"""Stage: a scene, who acts in it, the oracle it is compared with, and what is said about them."""

from __future__ import annotations

import contextlib
import pickle

import policies
from dynamite.acting import Policy
from robot_app import messages
from robot_app.recipe import SceneRecipe
from robot_app.recorded_actions import PREFIX, RecordedActions
from robot_app.reference import Reference
from robot_app.session_rules import SessionRules
from scenes.base import SessionEnv
from scenes.errors import InputError


class Stage:
    """Args:
    recipe: of the scene, which is built here. number: rises from scene to scene.

    Attributes:
        scene: closed by :meth:`close`.
        built_rules: of the sessions, as the recipe gives them.
        model: the pickled VisualModel; None where there is no picture, and ``why_not`` says why.
        oracle: the trained one where one is packaged and fits, else the scripted one, else None; from :meth:`cast` on.
    """

    def __init__(self, recipe: SceneRecipe, number: int) -> None:
        self.recipe, self.number = recipe, number
        self.scene: SessionEnv = recipe.build()
        self.built_rules = SessionRules.of(self.scene)
        self.model: bytes | None = None
        self.why_not = ""
        try:
            self.model = pickle.dumps(self.scene.visual_model(), protocol=5)
        except NotImplementedError as error:
            self.why_not = str(error)
        self.oracle: Policy | None = None

    def cast(self, policy: str) -> None:
        """Load who acts, and the oracle.

        Raises:
            InputError: there is no such policy for this scene.
        """
        self.policy = self.load(policy)
        names = policies.list_policies(self.recipe.name)
        for name in ("pretrained/oracle", f"scripted/{self.recipe.name}"):
            if name in names and self.oracle is None:
                with contextlib.suppress(InputError):  # trained with other sizes
                    self.oracle = self.load(name)

    def load(self, policy: str) -> Policy:
        """A policy for this scene, which does not act yet: a name, a checkpoint's folder, or an episode's actions."""
        if policy.startswith(PREFIX):
            return RecordedActions(policy.removeprefix(PREFIX))
        return policies.load(policy, self.scene)

    @property
    def drawable(self) -> bool:
        return self.model is not None

    @property
    def step_s(self) -> float:
        """Simulated seconds per step."""
        return 1.0 / float(self.scene.metadata.get("render_fps", 10))

    def reference(self) -> Reference | None:
        """What the oracle earns, in a copy of the scene; None without an oracle."""
        return None if self.oracle is None else Reference(self.recipe.build(), self.oracle)

    def built(self) -> messages.Built:
        return messages.Built(self.number, self.recipe, self.scene.cameras(), self.model, self.why_not)

    def loaded(self, rules: SessionRules, changed_scene: bool) -> messages.Loaded:
        """Args:
        rules: of the coming episode. changed_scene: False where only the policy is new.
        """
        return messages.Loaded(
            number=self.number,
            recipe=self.recipe,
            policy=self.policy.name,
            needs_privileged=self.policy.needs_privileged,
            policies=policies.list_policies(self.recipe.name),
            space=self.scene.latent_space,
            cameras=self.scene.cameras(),
            drawable=self.drawable,
            why_not=self.why_not,
            episode_length=self.scene.episode_length,
            step_s=self.step_s,
            reference="" if self.oracle is None else self.oracle.name,
            termination=rules.plain_termination(),
            kernel=rules.kernel_name,
            changed_scene=changed_scene,
        )

    def close(self) -> None:
        self.scene.close()
