"""RecordedActions: a policy that does again what was recorded, whatever it sees — where who acted is not there any more."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dynamite.acting import Decision
from robot_app.episode import Episode
from scenes.base import Privileged

#: What its name begins with; the episode's folder follows.
PREFIX = "recorded:"


class RecordedActions:
    """Decisions of an episode by their step; from its last step on, actions of zeros and no belief.

    In a branch the same actions meet another preference: it does not adapt, and is no stand-in for who was recorded.
    """

    needs_privileged = False

    def __init__(self, folder: Path | str, episode: Episode | None = None) -> None:
        """Args:
        episode: where it has been read already.

        Raises:
            InputError: no whole episode there.
        """
        self.name = f"{PREFIX}{folder}"
        frames = (episode or Episode.load(folder)).frames
        # The last action was not taken; an oracle's was not even chosen.
        self._decisions = [frame.decision for frame in frames[:-1]]
        self._still = Decision(np.zeros_like(frames[-1].decision.action))
        self._t = 0

    def reset(self, seed: int) -> None:
        self._t = 0

    def act(self, observation: np.ndarray, reward: float, privileged: Privileged | None = None) -> Decision:
        self._t += 1
        return self._decisions[self._t - 1] if self._t <= len(self._decisions) else self._still
