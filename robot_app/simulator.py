"""The simulator's process: scene and policy, paced to real time, obeying commands between steps.

PyBullet holds Python's lock for as long as it computes, so nothing else that must stay lively may share its process. Every
command is looked at within a few milliseconds, also in the middle of a wait.
"""

from __future__ import annotations

import faulthandler
import math
import sys
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from robot_app import messages
from robot_app.announcer import FLUSH_S
from robot_app.episode import Episode, EpisodeWriter
from robot_app.recipe import SceneRecipe
from robot_app.recorded_actions import PREFIX
from robot_app.revisit import past_of, prove
from robot_app.scene_keeper import SceneKeeper
from robot_app.session_rules import SessionRules
from robot_app.shared_frames import SharedFrames
from robot_app.takes import TakeRecord
from scenes.errors import InputError

#: What of a wait is given to the reference at once, and its share of the time at full speed.
REFERENCE_SLICE_S, REFERENCE_SHARE = 0.004, 0.25
#: How long a finished episode stays before the next begins by itself.
LINGER_S = 1.0
#: Told with a picture of the past while it is sought: short, so that it is drawn coarsely until the search rests.
SEEK_PERIOD_S = 0.01


class Simulator(SceneKeeper):
    """Args:
    connection: commands come in, messages go out. frames: where the newest poses go.
    """

    def __init__(self, connection: Connection, frames: SharedFrames) -> None:
        super().__init__(connection, frames)
        self._loop = True
        self._due = math.inf

    # ------------------------------------------------------------------------------------------------ the loop
    def run(self) -> None:
        """Obey until told to close, or until the other side is gone."""
        while True:
            wait = self._idle()
            while self._connection.poll(wait):
                name, arguments = self._connection.recv()
                if name == "close":
                    self._close_scenes()
                    return
                self._obey(name, arguments)
                wait = 0.0
            if self._due <= time.perf_counter():
                if self._state == "finished":
                    self._restart(self._present.current.info.seed + 1, "playing")
                elif self._present.cursor is not None:
                    self._look_on()
                else:
                    self._step()
            self._flush()

    def _idle(self) -> float:
        """Use the time until the next step; returns how long to wait for a command."""
        left = self._due - time.perf_counter()
        if left <= 0:
            return 0.0
        if self._reference is not None:
            if self._reference.due_s <= 0:
                self._reference.advance(min(REFERENCE_SLICE_S, left))
                self._tell_reference()
                return 0.0
            left = min(left, self._reference.due_s)
        if self._out:
            left = min(left, FLUSH_S)
        return max(0.0, min(left, 0.5))

    def _step(self) -> None:
        episode = self._present.physics(self._progress)
        began = time.perf_counter()
        episode.advance()
        self._simulated += self._stage.step_s
        if episode.done:
            self._state = "finished"
            self._due = began + LINGER_S if self._loop else math.inf
        elif self._state == "playing":
            self._pace(began)
        self._publish()
        if self._state == "finished":
            self._tell_status()
        if self._period == 0 and self._reference is not None and self._reference.due_s <= 0:
            self._reference.advance(REFERENCE_SHARE * (time.perf_counter() - began))
            self._tell_reference()

    def _look_on(self) -> None:
        """Show the step after the one that is looked at; from the newest on, live."""
        takes = self._present
        assert takes.cursor is not None
        began = time.perf_counter()
        takes.seek(takes.cursor + 1)
        self._show(self._period)
        if takes.cursor is not None:
            self._pace(began)
            return
        self._set_state("paused")
        if not takes.newest.done:
            self._obey("play", {})  # a refusal is told: nobody called
        if self._state == "paused":
            self._rest()

    def _pace(self, began: float) -> None:
        period = self._period
        # Late by more than a few steps: do not try to catch up, that would only show as a jump.
        self._due = max(self._due + period, began - 3 * period) if period else began

    # ------------------------------------------------------------------------------------------------ commands
    def _obey(self, name: str, arguments: dict[str, Any]) -> None:
        try:
            getattr(self, f"_do_{name}")(**arguments)
        except InputError as error:
            self._tell(messages.Refused(name, str(error)))
        except Exception as error:  # a broken checkpoint, a full disk: the scene that runs goes on
            what = f"{type(error).__name__}: {error}"
            self._tell(messages.Refused(name, what, traceback.format_exc()))

    def _do_load(self, recipe: SceneRecipe, policy: str, seed: int, play: bool = False) -> None:
        self._open(recipe, policy, seed)
        self._restart(seed, "playing" if play else "paused")
        self._start_reference()

    def _do_restore(
        self, recipe: SceneRecipe, policy: str, takes: Sequence[TakeRecord], current: int, play: bool = False
    ) -> None:
        """What a process before this one was doing when it died, on from where it was."""
        seed = next(take.info.seed for take in takes if take.info.number == current)
        self._open(recipe, policy, seed)
        restored = self._new_takes()
        restored.restore(takes, current)
        try:
            restored.physics(self._progress)
        except InputError as error:  # stand ready all the same
            self._tell(messages.Refused("restore", str(error)))
            self._restart(seed, "paused")
        else:
            self._takes = restored
            self._rules = SessionRules.of(self._stage.scene)
            self._tell_takes()
            self._rest()
            if play and self._state == "paused":
                self._set_state("playing")
            self._publish(revised=True)
            self._tell_status()
        self._start_reference()

    def _do_revisit(self, folder: str) -> None:
        """A recorded episode: its past is told as it is read, and then proved by running it again."""
        episode, instead = Episode.load(folder), ""
        episode.require_scene()
        try:
            self._open(episode.recipe, episode.manifest["policy"]["name"], episode.seed)
        except InputError as error:  # of who acted; if of the scene, it is raised again
            self._open(episode.recipe, f"{PREFIX}{folder}", episode.seed)
            instead = str(error)
        takes = self._takes = self._new_takes()
        past = past_of(episode, takes.next_number, self._rules)
        takes.restore([past], past.info.number)
        self._rules = past.info.rules.after(takes.events, self._stage.scene.latent_space)
        self._tell_takes()
        for frame in past.frames:
            slim = replace(frame, poses=None, markers=None)
            self._out.append(messages.Step(past.info.number, episode.seed, slim))
        takes.seek(0)
        self._show(0.0)
        self._rest()
        found = prove(takes, episode, self._progress, instead)
        if takes.policy is not self._stage.policy:
            self._stage.policy = takes.policy
            self._tell(self._stage.loaded(self._rules, changed_scene=False))
        self._show(0.0)
        self._tell(found)
        self._start_reference()

    def _do_policy(self, policy: str, at_next_episode: bool = False) -> None:
        """Another policy in the same scene: from the start of the episode, or with the next one."""
        chosen = self._stage.load(policy)
        if at_next_episode and self._state != "finished":
            self._next_policy = chosen
            return
        seed, self._next_policy = self._present.current.info.seed, chosen
        self._restart(seed, "playing" if self._state == "playing" else "paused")

    def _do_reset(self, seed: int) -> None:
        self._restart(seed, "playing" if self._state == "playing" else "paused")

    def _restart(self, seed: int, state: str) -> None:
        """A new episode."""
        if self._next_policy is not None:
            self._stage.policy, self._next_policy = self._next_policy, None
            self._forget_takes()  # they are the other policy's
            self._tell(self._stage.loaded(self._rules, changed_scene=False))
        takes = self._takes or self._new_takes()
        takes.start(seed, self._rules)
        self._takes = takes
        self._tell_takes()
        self._restart_reference()
        self._set_state(state)
        self._publish()
        self._tell_status()

    def _set_state(self, state: str) -> None:
        self._state = state
        self._due = time.perf_counter() if state == "playing" else math.inf
        self._clock = (time.perf_counter(), self._simulated)

    def _rest(self) -> None:
        """Neither play nor, from a finished episode, go on to the next."""
        takes = self._present
        self._set_state("finished" if takes.cursor is None and takes.newest.done else "paused")
        self._tell_status()

    def _do_play(self) -> None:
        takes = self._present
        if takes.cursor is None and takes.newest.done:
            self._restart(takes.current.info.seed + 1, "playing")
            return
        if takes.cursor is None:
            takes.physics(self._progress)
        self._set_state("playing")
        self._tell_status()

    def _do_pause(self) -> None:
        if self._takes is not None:
            self._rest()
        else:
            self._tell_status()

    def _do_step(self) -> None:
        takes = self._present
        if takes.cursor is not None:
            self._do_seek(takes.cursor + 1)
        elif takes.newest.done:
            self._restart(takes.current.info.seed + 1, "paused")
        else:
            self._set_state("paused")
            self._step()
            self._tell_status()

    # -- the past
    def _do_seek(self, t: int) -> None:
        self._present.seek(t)
        self._show(SEEK_PERIOD_S)
        self._rest()

    def _do_live(self) -> None:
        self._do_seek(self._present.n_steps)

    def _do_branch(self, t: int, edits: Iterable[tuple[str, Any]] = ()) -> None:
        scene, takes = self._stage.scene, self._present
        edits = list(edits)
        try:
            takes.branch(t, edits, self._progress)
        except InputError:
            self._rest()  # physics may have been on its way
            raise
        self._rules = SessionRules.of(scene)
        self._edits += len(edits)
        self._tell_takes()
        self._restart_reference()
        if self._state == "finished":
            self._set_state("paused")
        self._publish()
        for event in takes.newest.events[-len(edits) :] if edits else ():
            self._tell(messages.Edited(takes.current.info.number, event, scene.sessions.latent, self._edits))
        self._tell_status()

    def _do_take(self, number: int) -> None:
        takes = self._present
        takes.choose(number)
        # As the window then shows them; the next episode's too.
        self._rules = takes.current.info.rules.after(takes.events, self._stage.scene.latent_space)
        self._tell_takes()
        self._restart_reference()
        self._rest()
        if not takes.current.whole:
            takes.physics(self._progress)
        self._show(0.0)

    def _do_verify(self) -> None:
        takes, differs = self._present, ""
        try:
            takes.verify(self._progress)
        except InputError as error:
            differs = str(error)
        self._tell(messages.Replayed(takes.current.info.number, takes.n_steps, differs))
        self._rest()

    def _do_speed(self, speed: float) -> None:
        self._speed = speed
        if self._state == "playing":
            self._set_state("playing")
        self._tell_status()

    def _do_loop(self, loop: bool) -> None:
        self._loop = loop
        if self._state == "finished" and not loop:
            self._due = math.inf

    def _do_edit(self, kind: str, value: Any) -> None:
        """Now; where the past is looked at, there, in a branch."""
        scene, takes = self._stage.scene, self._present
        if takes.cursor is not None:
            self._do_branch(takes.cursor, [(kind, value)])
            return
        if takes.newest.done:
            raise InputError("edit", "a finished episode", "an episode that runs: press R to start one")
        event = takes.physics(self._progress).edit(kind, value)
        self._rules = SessionRules.of(scene)
        self._edits += 1
        self._publish(revised=True)
        number = takes.current.info.number
        self._tell(messages.Edited(number, event, scene.sessions.latent, self._edits))
        self._restart_reference()

    def _do_save_episode(self, folder: str) -> None:
        """The present take from its start to its newest step, as a folder that replays it exactly."""
        stage, takes = self._stage, self._present
        info, policy = takes.current.info, stage.policy.name
        recipe = info.rules.recipe(stage.recipe, stage.built_rules)
        with EpisodeWriter(Path(folder), recipe, stage.scene, seed=info.seed, policy=policy) as writer:
            for t in range(takes.n_steps + 1):
                writer.append(*takes.at(t))
        self._tell(messages.Recorded(folder, writer.n_frames))


def serve(connection: Connection, frames_name: str, errors: str, kind: type[Simulator] = Simulator) -> None:
    """The process's main function; what it writes to stderr goes to the file ``errors``."""
    sys.stderr = open(errors, "a", buffering=1, encoding="utf-8")  # noqa: SIM115 (open for life)
    faulthandler.enable(sys.stderr)
    frames = SharedFrames(frames_name)
    try:
        kind(connection, frames).run()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the application is gone
    finally:
        frames.close()
        connection.close()
