"""The simulator's process: scene and policy, paced to real time, obeying commands between steps.

PyBullet holds Python's lock for as long as it computes, so nothing else that must stay lively may share its process. Every
command is looked at within a few milliseconds, also in the middle of a wait.
"""

from __future__ import annotations

import contextlib
import faulthandler
import math
import pickle
import sys
import time
import traceback
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import policies
from dynamite.acting import Frame, Policy
from dynamite.belief import PointPosterior
from robot_app import messages
from robot_app.episode import EpisodeWriter
from robot_app.live_episode import LiveEpisode
from robot_app.recipe import SceneRecipe
from robot_app.reference import Reference
from robot_app.shared_frames import SharedFrames
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.session import Bernoulli, FixedLength, Schedule

#: The longest a batch of steps is held back, and how often the state is told, seconds.
FLUSH_S, STATUS_S = 0.015, 0.5
#: What of a wait is given to the reference at once, and its share of the time at full speed.
REFERENCE_SLICE_S, REFERENCE_SHARE = 0.004, 0.25
#: How long a finished episode stays before the next begins by itself.
LINGER_S = 1.0


class Simulator:
    """Args:
    connection: commands come in, messages go out. frames: where the newest poses go.
    """

    def __init__(self, connection: Connection, frames: SharedFrames) -> None:
        self._connection, self._frames = connection, frames
        self._scene: SessionEnv | None = None
        self._policy: Policy | None = None
        self._episode: LiveEpisode | None = None
        self._reference: Reference | None = None
        self._reference_told = -1
        self._recipe = SceneRecipe()
        self._oracle: Policy | None = None
        self._drawable, self._why_not = False, ""
        self._scene_number = self._episode_number = self._edits = 0
        self._seed = 0
        self._speed, self._state, self._loop = 1.0, "paused", True
        self._due = math.inf
        self._out: list[messages.Step] = []
        self._flushed = self._status_told = 0.0
        self._clock: tuple[float, float] = (time.perf_counter(), 0.0)  # wall, simulated at the last status
        self._simulated = self._factor = 0.0
        self._next_policy: Policy | None = None

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
                    self._restart(self._seed + 1, "playing")
                else:
                    self._step()
            self._flush()

    def _idle(self) -> float:
        """Use the time until the next step; returns how long to wait for a command."""
        left = self._due - time.perf_counter()
        if left <= 0:
            return 0.0
        reference = self._reference
        if reference is not None and not reference.complete:
            reference.advance(min(REFERENCE_SLICE_S, left))
            self._tell_reference()
            return 0.0
        if self._out:
            left = min(left, FLUSH_S)
        return max(0.0, min(left, 0.5))

    def _step(self) -> None:
        episode = self._episode
        assert episode is not None
        began = time.perf_counter()
        episode.advance()
        self._simulated += self._step_s
        if episode.done:
            self._state = "finished"
            self._due = began + LINGER_S if self._loop else math.inf
        elif self._state == "playing":
            period = self._period
            # Late by more than a few steps: do not try to catch up, that would only show as a jump.
            self._due = max(self._due + period, began - 3 * period) if period else began
        self._publish()
        if self._state == "finished":
            self._tell_status()
        if self._period == 0 and self._reference is not None and not self._reference.complete:
            self._reference.advance(REFERENCE_SHARE * (time.perf_counter() - began))
            self._tell_reference()

    @property
    def _step_s(self) -> float:
        assert self._scene is not None
        return 1.0 / float(self._scene.metadata.get("render_fps", 10))

    @property
    def _period(self) -> float:
        """Seconds of wall time per step; 0 at full speed."""
        return 0.0 if math.isinf(self._speed) else self._step_s / self._speed

    # ------------------------------------------------------------------------------------------------ telling
    def _publish(self, revised: bool = False) -> None:
        """Poses to shared memory, the Frame to the queue."""
        episode = self._episode
        assert episode is not None
        episode.draw = self._drawable
        frame = episode.frame()
        if frame.poses is not None:
            self._frames.write(
                frame.poses,
                frame.markers,
                _heat(frame),
                scene=self._scene_number,
                episode=self._episode_number,
                t=frame.t,
                edits=self._edits,
                period_s=self._period if self._state == "playing" else 0.0,
            )
        slim = replace(frame, poses=None, markers=None)
        self._out.append(messages.Step(self._episode_number, episode.seed, slim, revised))

    def _flush(self) -> None:
        now = time.perf_counter()
        if self._out and now - self._flushed >= FLUSH_S:
            self._connection.send(self._out)
            self._out, self._flushed = [], now
        if self._state == "playing" and now - self._status_told >= STATUS_S:
            self._tell_status()

    def _tell(self, message: messages.Message) -> None:
        """Send at once, after whatever waits."""
        self._connection.send([*self._out, message])
        self._out, self._flushed = [], time.perf_counter()

    def _tell_status(self) -> None:
        now = time.perf_counter()
        wall, simulated = self._clock
        if now - wall >= 0.8 * STATUS_S:
            self._factor = (self._simulated - simulated) / (now - wall)
            self._clock = (now, self._simulated)
        self._status_told = now
        t = 0 if self._episode is None else self._episode.t
        factor = self._factor if self._state == "playing" else 0.0
        self._tell(messages.Status(self._state, self._speed, factor, self._episode_number, self._seed, t))

    def _tell_reference(self) -> None:
        reference = self._reference
        assert reference is not None
        n = len(reference.rewards)
        if reference.complete or n - self._reference_told >= 50 or n < self._reference_told:
            self._reference_told = n
            self._tell(messages.Reference(self._episode_number, reference.rewards, reference.complete))

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
        scene = recipe.build()
        first = self._scene is None
        if first:  # something to look at while the policy is loaded, which may take seconds
            self._tell_built(scene, recipe, seed)
        try:
            chosen = policies.load(policy, scene)
        except BaseException:
            scene.close()
            raise
        self._close_scenes()
        self._scene, self._policy, self._recipe, self._next_policy = scene, chosen, recipe, None
        self._termination, self._oracle = scene.sessions.termination, self._load_oracle()
        if not first:
            self._tell_built(scene, recipe, seed)
        self._tell_loaded(changed_scene=True)
        self._restart(seed, "playing" if play else "paused")
        if self._oracle is not None:  # last: the scene is on the screen by now
            self._reference = Reference(recipe.build(), self._oracle)
            self._restart_reference()

    def _load_oracle(self) -> Policy | None:
        """The trained oracle where one is packaged and fits, else the scripted one, else none."""
        names = policies.list_policies(self._recipe.name)
        for name in ("pretrained/oracle", f"scripted/{self._recipe.name}"):
            if name in names:
                with contextlib.suppress(InputError):  # trained with other sizes
                    return policies.load(name, self._need_scene())
        return None

    def _tell_built(self, scene: SessionEnv, recipe: SceneRecipe, seed: int) -> None:
        """What the scene looks like, and its poses at the start."""
        self._scene_number += 1
        try:
            model = pickle.dumps(scene.visual_model(), protocol=5)
        except NotImplementedError as error:
            self._drawable, self._why_not, model = False, str(error), None
        else:
            self._drawable, self._why_not = True, ""
            scene.reset(seed=seed)
            self._frames.write(
                scene.poses(), scene.markers(), None,
                scene=self._scene_number, episode=-1, t=0, edits=self._edits, period_s=0.0,
            )  # fmt: skip
        self._tell(messages.Built(self._scene_number, recipe, scene.cameras(), model, self._why_not))

    def _close_scenes(self) -> None:
        for scene in (self._scene, None if self._reference is None else self._reference.scene):
            if scene is not None:
                scene.close()
        self._scene = self._reference = None

    def _tell_loaded(self, changed_scene: bool) -> None:
        scene, policy = self._scene, self._policy
        assert scene is not None
        assert policy is not None
        self._tell(
            messages.Loaded(
                number=self._scene_number,
                recipe=self._recipe,
                policy=policy.name,
                needs_privileged=policy.needs_privileged,
                policies=policies.list_policies(self._recipe.name),
                space=scene.latent_space,
                cameras=scene.cameras(),
                drawable=self._drawable,
                why_not=self._why_not,
                episode_length=scene.episode_length,
                step_s=self._step_s,
                reference="" if self._oracle is None else self._oracle.name,
                termination=_plain_termination(scene.sessions.termination, self._recipe),
                kernel=type(scene.sessions.kernel).__name__.lower(),
                changed_scene=changed_scene,
            )
        )

    def _do_policy(self, policy: str, at_next_episode: bool = False) -> None:
        """Another policy in the same scene: from the start of the episode, or with the next one."""
        chosen = policies.load(policy, self._need_scene())
        if at_next_episode and self._state != "finished":
            self._next_policy = chosen
            return
        self._policy, self._next_policy = chosen, None
        self._tell_loaded(changed_scene=False)
        self._restart(self._seed, "playing" if self._state == "playing" else "paused")

    def _do_reset(self, seed: int) -> None:
        self._need_scene()
        self._restart(seed, "playing" if self._state == "playing" else "paused")

    def _restart(self, seed: int, state: str) -> None:
        scene, policy = self._scene, self._policy
        assert scene is not None
        if self._next_policy is not None:
            self._policy = policy = self._next_policy
            self._next_policy = None
            self._tell_loaded(changed_scene=False)
        assert policy is not None
        self._seed = seed
        self._episode = LiveEpisode(scene, policy, seed, self._termination, draw=self._drawable)
        self._episode_number += 1
        self._start_termination = self._termination
        self._restart_reference()
        self._set_state(state)
        self._publish()
        self._tell_status()

    def _restart_reference(self) -> None:
        if self._reference is not None and self._episode is not None:
            self._reference.restart(self._seed, self._start_termination, self._episode.events)
            self._reference_told = -1

    def _set_state(self, state: str) -> None:
        self._state = state
        self._due = time.perf_counter() if state == "playing" else math.inf
        self._clock = (time.perf_counter(), self._simulated)

    def _do_play(self) -> None:
        self._need_scene()
        if self._state == "finished":
            self._restart(self._seed + 1, "playing")
        else:
            self._set_state("playing")
            self._tell_status()

    def _do_pause(self) -> None:
        if self._state == "playing":
            self._set_state("paused")
        elif self._state == "finished":
            self._due = math.inf
        self._tell_status()

    def _do_step(self) -> None:
        self._need_scene()
        if self._state == "finished":
            self._restart(self._seed + 1, "paused")
            return
        self._set_state("paused")
        self._step()
        self._tell_status()

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
        scene, episode = self._need_scene(), self._episode
        assert episode is not None
        if episode.done:
            raise InputError("edit", "a finished episode", "an episode that runs: press R to start one")
        event = episode.edit(kind, value)
        if kind == "termination":
            self._termination = scene.sessions.termination
        self._edits += 1
        self._publish(revised=True)
        self._tell(messages.Edited(self._episode_number, event, scene.sessions.latent, self._edits))
        self._restart_reference()

    def _need_scene(self) -> SessionEnv:
        if self._scene is None:
            raise InputError("command", "no scene", "a scene that is loaded: choose one in the Scene panel")
        return self._scene

    def _do_save_episode(self, folder: str) -> None:
        """The episode from its start to now, as a folder that replays it exactly."""
        scene, episode = self._need_scene(), self._episode
        assert episode is not None
        recipe = replace(self._recipe, termination=_plain_termination(self._start_termination, self._recipe))
        policy = episode.policy.name
        with EpisodeWriter(Path(folder), recipe, scene, seed=episode.seed, policy=policy) as writer:
            for frame, state_hash in episode.history:
                writer.append(frame, state_hash)
            writer.append(episode.frame(), scene.state_hash())
            n = writer.n_frames
        self._tell(messages.Recorded(folder, n))


def _heat(frame: Frame) -> PointPosterior | None:
    """The belief about a point on the skin, to be painted on it."""
    belief = frame.decision.belief
    if belief is not None:
        for posterior in belief.fields.values():
            if isinstance(posterior, PointPosterior):
                return posterior
    return None


def _plain_termination(termination: object, recipe: SceneRecipe) -> Any:
    """As a recipe has it."""
    if isinstance(termination, Bernoulli):
        return termination.p
    if isinstance(termination, FixedLength):
        return {"length": termination.length}
    if isinstance(termination, Schedule):
        return recipe.termination
    return None


def serve(connection: Connection, frames_name: str, errors: str) -> None:
    """The process's main function; what it writes to stderr goes to the file ``errors``."""
    sys.stderr = open(errors, "a", buffering=1, encoding="utf-8")  # noqa: SIM115 (open for life)
    faulthandler.enable(sys.stderr)
    frames = SharedFrames(frames_name)
    try:
        Simulator(connection, frames).run()
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the application is gone
    finally:
        frames.close()
        connection.close()
