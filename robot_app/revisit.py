"""Revisiting: a recorded episode as a take with its whole past, and the proof that it can go on from any step of it."""

from __future__ import annotations

from robot_app.episode import Episode
from robot_app.messages import Replayed
from robot_app.recorded_actions import RecordedActions
from robot_app.session_rules import SessionRules
from robot_app.takes import Progress, TakeInfo, TakeRecord, Takes
from scenes.errors import InputError


def past_of(episode: Episode, number: int, rules: SessionRules) -> TakeRecord:
    """Args:
    rules: of the sessions, as the episode's recipe gives them.
    """
    info = TakeInfo(number, f"Recording of seed {episode.seed}", episode.seed, rules)
    digests = tuple(state.tobytes() for state in episode.state_hashes)
    return TakeRecord(info, tuple(episode.frames), digests)


def prove(takes: Takes, episode: Episode, progress: Progress | None = None, instead: str = "") -> Replayed:
    """Run the present take, which is ``episode``'s past, again up to its newest step.

    Where the policy chooses otherwise than it did (it was trained on since), the recorded actions take its place in
    ``takes``; where the scene behaves otherwise, the past can still be looked at, and gone on from before that step.

    Args:
        instead: why the recorded actions act already; empty where they do not.
    """
    number, policy, differs = takes.current.info.number, takes.policy, ""
    try:
        takes.physics(progress)
    except InputError as error:
        differs = str(error)
    if differs and not instead:
        instead, takes.policy = differs, RecordedActions(episode.folder, episode)
        try:
            takes.physics(progress)
            differs = ""
        except InputError as error:
            if str(error) == differs:  # not for want of the right actions
                takes.policy, instead = policy, ""
            differs = str(error)
    return Replayed(number, takes.n_steps, differs, instead)
