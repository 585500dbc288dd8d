"""The recording: an episode as a folder, written step by step, whole after a crash up to the last step.

::

    manifest.json           scene, policy, seed, version; at close also the sha256 of every other file and of itself
    events.jsonl            what was done from outside: {"t", "kind", "value"}
    latents.jsonl           the hidden latent, a line whenever it changes: {"t", "latent"}
    info.jsonl              the scene's info of every step
    frames/000.safetensors  one array per name, (N, …); see :mod:`robot_app.episode_record`

While it is being written, ``frames/000.bin`` holds fixed-size records described by ``frames/000.json`` instead. A replay
is seed + actions + events; :meth:`Episode.verify` runs it and compares every step to the last bit.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from dynamite.acting import Event, Frame, apply_event
from dynamite.spec import SceneSpec
from robot_app.episode_record import Columns, Layout, columns_of, digest, frame_of, latent_of_json, plain
from robot_app.files import WholeFile, sha256, write_atomic, write_json
from robot_app.recipe import SceneRecipe
from robot_app.version import code_version
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.latent import LatentSpace
from scenes.registry import find_scene

FORMAT, VERSION = "robot-app-episode", 1
_MANIFEST = "manifest.json"
_LOGS = ("events.jsonl", "latents.jsonl", "info.jsonl")
#: Seconds between forced writes to the disk itself; what is lost when the power fails.
SYNC_EVERY_S = 1.0


class EpisodeWriter:
    """Writes an episode while it happens.

    Every record reaches the operating system at once, so a killed process loses nothing; the disk, once a second.

    Args:
        folder: must not exist, or be empty.
        recipe: how the scene was built.
        scene: the live scene (its sizes and latent space are noted).
        seed: of the reset.
        policy: name of the policy. policy_sha256: of its file or checkpoint, or None.
        reset_options: as given to ``scene.reset``.

    Raises:
        InputError: the folder is in use or cannot be made.
    """

    def __init__(
        self,
        folder: Path,
        recipe: SceneRecipe,
        scene: SessionEnv,
        *,
        seed: int,
        policy: str,
        policy_sha256: str | None = None,
        reset_options: dict[str, Any] | None = None,
    ) -> None:
        self.folder, self._space = Path(folder), scene.latent_space
        if self.folder.is_dir() and any(self.folder.iterdir()):
            raise InputError(str(self.folder), "a folder in use", "a new or empty folder")
        try:
            (self.folder / "frames").mkdir(parents=True)
        except OSError as error:
            raise InputError(
                str(self.folder), type(error).__name__, "a new folder, in one that can be written"
            ) from None
        self._manifest: dict[str, Any] = {
            "format": f"{FORMAT}/{VERSION}",
            "complete": False,
            "n_frames": None,
            "program": code_version(),
            "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "scene": recipe.to_json(),
            "gym_id": find_scene(recipe.name).gym_id,
            "spec": SceneSpec.of(scene).to_json(),
            "seed": int(seed),
            "reset_options": plain(reset_options),
            "step_s": 1.0 / scene.metadata["render_fps"],
            "policy": {"name": policy, "sha256": policy_sha256},
            "files": {},
        }
        _write_manifest(self.folder, self._manifest)
        self._logs = {name: WholeFile(self.folder / name, "a") for name in _LOGS}
        self._records: Any = None
        self._layout: Layout | None = None
        self._n_segments = self.n_frames = 0
        self._latent: Any = None
        self._synced = time.monotonic()

    def append(self, frame: Frame, state_hash: str) -> None:
        """Write one frame; ``state_hash`` is ``scene.state_hash()`` at that frame."""
        latent = self._space.to_json(frame.latent)
        if latent != self._latent:
            self._log("latents.jsonl", {"t": frame.t, "latent": latent})
            self._latent = latent
        for event in frame.events:
            self._log("events.jsonl", {"t": event.t, "kind": event.kind, "value": plain(event.value)})
        self._log("info.jsonl", plain(frame.info))
        columns = columns_of(frame, state_hash)
        layout = Layout.of(columns)
        if layout != self._layout:
            self._begin_segment(layout)
        # Last: the record is what makes the step count.
        self._records.write(layout.pack(columns))
        self.n_frames += 1
        if time.monotonic() - self._synced > SYNC_EVERY_S:
            for file in (*self._logs.values(), self._records):
                os.fsync(file.fileno())
            self._synced = time.monotonic()

    def _log(self, name: str, value: Any) -> None:
        self._logs[name].write(json.dumps(value).encode() + b"\n")

    def _begin_segment(self, layout: Layout) -> None:
        if self._records is not None:
            self._records.close()
        stem = self.folder / "frames" / f"{self._n_segments:03d}"
        write_json(stem.with_suffix(".json"), layout.to_json())
        self._records = WholeFile(stem.with_suffix(".bin"), "a")
        self._layout = layout
        self._n_segments += 1

    def close(self) -> None:
        """Turn the records into arrays and seal the folder; safe to call twice."""
        if self._manifest["complete"]:
            return
        for file in (*self._logs.values(), self._records):
            if file is not None:
                file.close()
        stems = [self.folder / "frames" / f"{i:03d}" for i in range(self._n_segments)]
        for stem in stems:
            write_atomic(stem.with_suffix(".safetensors"), save(_read_segment(stem)))
        names = [*_LOGS, *(f"frames/{stem.name}.safetensors" for stem in stems)]
        self._manifest |= {
            "complete": True,
            "n_frames": self.n_frames,
            "files": {name: sha256(self.folder / name) for name in names},
        }
        _write_manifest(self.folder, self._manifest)
        for stem in stems:
            stem.with_suffix(".bin").unlink()
            stem.with_suffix(".json").unlink()

    def __enter__(self) -> EpisodeWriter:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def recorded(frames: Iterable[Frame], scene: SessionEnv, writer: EpisodeWriter) -> Iterator[Frame]:
    """``frames`` of a live ``scene``, each written before it is passed on."""
    for frame in frames:
        writer.append(frame, scene.state_hash())
        yield frame


@dataclass(frozen=True)
class Verification:
    """What a replay found.

    Attributes:
        steps: steps compared.
        differs: what differs at ``step``, or None where everything is equal to the last bit.
        step: the first step that differs, or None.
    """

    steps: int
    differs: str | None = None
    step: int | None = None

    @property
    def ok(self) -> bool:
        return self.differs is None


@dataclass(frozen=True)
class Episode:
    """An episode read back.

    Attributes:
        manifest: as in the file.
        frames: t = 0 … T. state_hashes: (T + 1, 32) uint8.
    """

    folder: Path
    manifest: dict[str, Any]
    frames: list[Frame]
    state_hashes: np.ndarray

    @staticmethod
    def load(folder: Path | str) -> Episode:
        """Read a folder; of an unfinished one, what is whole.

        Raises:
            InputError: no episode, a damaged or foreign one, or one from a newer version, in one line.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        spec = SceneSpec.from_json(manifest["spec"], str(folder / _MANIFEST))
        for name, expected in manifest["files"].items():
            if not (folder / name).is_file():
                raise InputError(str(folder / name), "no file", "a whole episode")
            if sha256(folder / name) != expected:
                raise InputError(str(folder / name), "a damaged file (its sha256 differs)", "a whole episode")
        try:
            rows = list(_rows(folder))
            infos = _read_log(folder / "info.jsonl")
            events = [Event(**line) for line in _read_log(folder / "events.jsonl")]
            latents = {
                line["t"]: latent_of_json(spec.latent_space, line["latent"])
                for line in _read_log(folder / "latents.jsonl")
            }
            n = min(len(rows), len(infos))
            frames: list[Frame] = []
            for row, info in zip(rows[:n], infos[:n], strict=True):
                t = int(row["t"])
                latent = latents[t] if t in latents else frames[-1].latent
                frames.append(frame_of(row, latent, tuple(e for e in events if e.t == t), info))
        except (KeyError, TypeError, IndexError, SafetensorError) as error:
            raise InputError(
                str(folder), f"contents that do not fit ({type(error).__name__})", "a whole episode"
            ) from error
        if not frames or manifest["n_frames"] not in (None, n):
            raise InputError(
                str(folder), f"{n} readable steps", f"an episode with {manifest['n_frames'] or 'some'}"
            )
        return Episode(folder, manifest, frames, np.stack([row["state_hash"] for row in rows[:n]]))

    @cached_property
    def recipe(self) -> SceneRecipe:
        return SceneRecipe.from_json(self.manifest["scene"], str(self.folder / _MANIFEST))

    @cached_property
    def latent_space(self) -> LatentSpace:
        """The scene's, as it was recorded."""
        return SceneSpec.from_json(self.manifest["spec"], str(self.folder / _MANIFEST)).latent_space

    @property
    def complete(self) -> bool:
        """Whether the recording was closed, and not cut off."""
        return self.manifest["complete"]

    @property
    def n_steps(self) -> int:
        return len(self.frames) - 1

    @property
    def seed(self) -> int:
        return self.manifest["seed"]

    @property
    def step_s(self) -> float:
        """Seconds of the scene's time per step."""
        return self.manifest["step_s"]

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(event for frame in self.frames for event in frame.events)

    def build_scene(self) -> SessionEnv:
        """A scene like the one recorded.

        Raises:
            InputError: this program's scene behaves otherwise (its version number differs).
        """
        self.require_scene()
        return self.recipe.build()

    def require_scene(self) -> None:
        """Prove, without building it, that this program's scene is the one recorded.

        Raises:
            InputError: it behaves otherwise (its version number differs).
        """
        recorded_id = self.manifest["gym_id"]
        if find_scene(self.recipe.name).gym_id != recorded_id:
            raise InputError(
                str(self.folder), f"recorded in {recorded_id}", find_scene(self.recipe.name).gym_id
            )

    def verify(self) -> Verification:
        """Run seed + actions + events again and compare every step to the last bit."""
        scene = self.build_scene()
        try:
            return self._verify(scene)
        finally:
            scene.close()

    def redrawn(self, scene: SessionEnv) -> Iterator[Frame]:
        """The frames with poses and markers, from running the episode again in ``scene``."""
        for frame, *_ in self._rerun(scene):
            yield replace(frame, poses=scene.poses(), markers=scene.markers())

    def _rerun(self, scene: SessionEnv) -> Iterator[tuple[Frame, np.ndarray, float, bool]]:
        """Seed + actions + events again; yields what was recorded beside observation, reward and end of now."""
        observation, _ = scene.reset(seed=self.seed, options=self.manifest["reset_options"])
        reward, done = 0.0, False
        for i, frame in enumerate(self.frames):
            for event in frame.events:
                apply_event(scene, event)
            yield frame, observation, reward, done
            if i < self.n_steps:
                observation, earned, terminated, truncated, _ = scene.step(frame.decision.action)
                reward, done = float(earned), terminated or truncated

    def _verify(self, scene: SessionEnv) -> Verification:
        for i, (frame, observation, reward, done) in enumerate(self._rerun(scene)):
            found = {
                "observation": (np.asarray(observation), frame.observation),
                "reward": (np.float64(reward), np.float64(frame.reward)),
                "latent": (scene.sessions.latent == frame.latent, True),
                "session": (scene.sessions.index, frame.session),
                "end": (done, frame.done),
                "state hash": (digest(scene.state_hash()), self.state_hashes[i]),
            }
            for what, (now, then) in found.items():
                if np.asarray(now).tobytes() != np.asarray(then).tobytes():
                    return Verification(i, what, frame.t)
        return Verification(self.n_steps)


def read_manifest(folder: Path) -> dict[str, Any]:
    """An episode's manifest, checked.

    Raises:
        InputError: none there, not one of ours, or one from a newer version.
    """
    path = Path(folder) / _MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise InputError(str(folder), "no episode there", f"a folder with {_MANIFEST}") from None
    except ValueError:
        raise InputError(str(path), "a damaged file (not JSON)", "a whole episode") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    kind, _, version = str(found).partition("/")
    if kind != FORMAT or not version.isdigit():
        raise InputError(str(path), found, f"format {FORMAT}/{VERSION}")
    if int(version) > VERSION:
        raise InputError(str(path), f"{found}, from a newer version", f"format {FORMAT}/{VERSION}")
    if manifest.pop("self", None) != _digest(manifest):
        raise InputError(str(path), "a damaged file (its sha256 differs)", "a whole episode")
    return manifest


def _write_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    write_json(folder / _MANIFEST, {**manifest, "self": _digest(manifest)})


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def _read_segment(stem: Path) -> Columns:
    """The arrays of one segment, written or still in records."""
    arrays, text, records = (stem.with_suffix(s) for s in (".safetensors", ".json", ".bin"))
    if arrays.is_file():
        return load(arrays.read_bytes())
    try:
        layout = json.loads(text.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(str(text), "no readable file", "a whole episode") from None
    return Layout.from_json(layout, str(text)).unpack(records.read_bytes() if records.is_file() else b"")


def _rows(folder: Path) -> Iterator[Columns]:
    """Every step's numbers, segment after segment."""
    for stem in sorted({path.with_suffix("") for path in (folder / "frames").glob("[0-9]*")}):
        arrays = _read_segment(stem)
        for i in range(len(arrays["t"])):
            yield {name: values[i] for name, values in arrays.items()}


def _read_log(path: Path) -> list[Any]:
    """The whole lines of a log; a torn last line is left out."""
    if not path.is_file():
        raise InputError(str(path), "no file", "a whole episode")
    lines = []
    for line in path.read_bytes().split(b"\n")[:-1]:
        try:
            lines.append(json.loads(line))
        except ValueError:
            raise InputError(str(path), "a damaged line", "one JSON value per line") from None
    return lines
