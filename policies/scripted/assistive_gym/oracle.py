"""The scripted oracle of upstream's tasks: a controller for each."""

from __future__ import annotations

import numpy as np

from dynamite.acting import Decision
from policies.scripted import NoOracle
from policies.scripted.assistive_gym.arm import Controller
from policies.scripted.assistive_gym.arm_manipulation import Pushing
from policies.scripted.assistive_gym.bed_bathing import Wiping
from policies.scripted.assistive_gym.scratch_itch import Scratching
from policies.scripted.assistive_gym.to_mouth import Drinking, Feeding
from scenes.base import Privileged
from scenes.care.assistive_gym.scene import AssistiveGym

#: By upstream's name of the task.
CONTROLLERS: dict[str, type] = {
    "scratch_itch": Scratching,
    "bed_bathing": Wiping,
    "arm_manipulation": Pushing,
    "feeding": Feeding,
    "drinking": Drinking,
}


class Oracle:
    """Sees what the person wants, and acts on it through upstream's own actions.

    Args:
        scene: a scene of the kind it will act in (its robot is read once).

    Raises:
        NoOracle: its robot carries the arm on other joints (PR2).
    """

    name = "scripted/assistive_gym"
    needs_privileged = True

    def __init__(self, scene: AssistiveGym) -> None:
        if not scene.upstream.robot.wheelchair_mounted:
            raise NoOracle(f"policy {self.name}", scene.task, "a task of a single, mounted arm (Jaco, Panda)")
        self._controller: Controller = CONTROLLERS[scene.upstream.task](scene)

    def reset(self, seed: int) -> None:
        self._controller.reset()

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        if privileged is None:
            raise ValueError(f"{self.name} is an oracle: it must be given the privileged state")
        return Decision(self._controller.act(observation.astype(np.float64), privileged))
