"""SceneKeeper: builds the scene that the simulator runs, casts who acts in it, and closes what was there before."""

from __future__ import annotations

from multiprocessing.connection import Connection

from dynamite.acting import Policy
from robot_app.announcer import Announcer
from robot_app.recipe import SceneRecipe
from robot_app.session_rules import SessionRules
from robot_app.shared_frames import SharedFrames
from robot_app.stage import Stage
from robot_app.takes import Takes


class SceneKeeper(Announcer):
    """Args:
    connection: messages go out. frames: where the newest poses go.
    """

    def __init__(self, connection: Connection, frames: SharedFrames) -> None:
        super().__init__(connection, frames)
        self._scene_number = 0
        self._number = 1  # of the next scene's first take
        self._next_policy: Policy | None = None
        self._rules: SessionRules  # of the coming episode

    def _open(self, recipe: SceneRecipe, policy: str, seed: int) -> None:
        """Build a scene, load the policy; what was there before goes."""
        self._scene_number += 1
        stage, first = Stage(recipe, self._scene_number), self._loaded is None
        if first:  # something to look at while the policy is loaded, which may take seconds
            self._tell_built(stage, seed)
        try:
            stage.cast(policy)
        except BaseException:
            stage.close()
            raise
        self._close_scenes()
        self._forget_takes()
        self._loaded, self._next_policy, self._rules = stage, None, stage.built_rules
        if not first:
            self._tell_built(stage, seed)
        self._tell(stage.loaded(self._rules, changed_scene=True))

    def _tell_built(self, stage: Stage, seed: int) -> None:
        """What the scene looks like, and its poses at the start."""
        if stage.drawable:
            stage.scene.reset(seed=seed)
            self._frames.write(
                stage.scene.poses(), stage.scene.markers(), None,
                scene=stage.number, episode=-1, t=0, edits=self._edits, period_s=0.0,
            )  # fmt: skip
        self._tell(stage.built())

    def _start_reference(self) -> None:
        """Last, when the scene is on the screen."""
        self._reference = self._stage.reference()
        self._restart_reference()

    def _new_takes(self) -> Takes:
        stage = self._stage
        return Takes(stage.scene, stage.policy, stage.drawable, self._number)

    def _forget_takes(self) -> None:
        if self._takes is not None:
            self._number = self._takes.next_number
        self._takes = None

    def _close_scenes(self) -> None:
        if self._reference is not None:
            self._reference.scene.close()
        if self._loaded is not None:
            self._loaded.close()
        self._loaded = self._reference = None

    def _restart_reference(self) -> None:
        takes = self._takes
        if self._reference is not None and takes is not None:
            info = takes.current.info
            self._reference.restart(info.seed, info.rules, takes.events)
            self._reference_told = -1
