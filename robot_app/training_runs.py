"""Training runs as the window sees them: started in a process of their own, followed through their files, stopped by a
signal. A run belongs to its folder, not to the window: any window that opens the folder later can follow and stop it.

Beside what :func:`dynamite.train.train` writes, a run started here has ``run.json`` (process, command, what it was asked
to do) and ``train.log``.

A pause is a checkpoint and an end, not a stopped process (SIGSTOP): a stopped process would keep its memory, could answer
nobody, and would lose what it learnt since its last checkpoint with the next reboot. What is left here is a folder, which
outlives the window, the session and the machine's sleep; and because a resumed training goes on bit for bit, a pause changes
nothing but the time.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from robot_app.files import write_json
from scenes.errors import InputError

_RUN, _LOG, _PROGRESS = "run.json", "train.log", "progress.jsonl"
#: Bytes at the end of progress.jsonl that surely hold a whole line.
_TAIL = 16_384
#: States with a process.
ALIVE = ("starting", "running", "pausing", "stopping")


@dataclass(frozen=True)
class Wish:
    """What to train.

    Attributes:
        frames: in total; None keeps the preset's.
        config: a YAML file on top of the scene's preset.
        overrides: dotted configuration fields, see :func:`dynamite.config_io.with_overrides`.
    """

    scene: str
    variant: str
    seed: int = 0
    frames: int | None = None
    overrides: tuple[tuple[str, Any], ...] = ()
    config: Path | None = None

    def command(self, folder: Path, resume: bool = False) -> list[str]:
        """The command line that does it, as a user could type it."""
        words = [
            "train",
            "--scene",
            self.scene,
            "--variant",
            self.variant,
            "--run-dir",
            str(folder),
            "--json",
        ]
        settings: list[tuple[str, Any]] = [("train.seed", self.seed), *self.overrides]
        if self.frames is not None:
            settings.append(("train.frames", self.frames))
        if self.config is not None:
            words += ["--config", str(self.config)]
        for name, value in settings:
            words += ["--set", f"{name}={value}"]
        return [*words, "--resume"] if resume else words


class TrainingRun:
    """One run's folder, followed.

    Attributes:
        lines: what progress.jsonl has said so far, one mapping per iteration.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self.lines: list[dict[str, Any]] = []
        self._offset = 0
        self._child: subprocess.Popen | None = None

    # -- life
    @classmethod
    def start(cls, folder: Path, wish: Wish, resume: bool = False) -> TrainingRun:
        """Begin (or resume, with other settings) a training that outlives this process.

        Raises:
            InputError: the folder holds a run already, or cannot be made.
        """
        run = cls(folder)
        if run.running:
            raise InputError("run folder", str(folder), "a folder whose training has ended")
        if run.checkpoint() is not None and not resume:
            raise InputError("run folder", str(folder), "a folder without checkpoints, or Resume")
        about = {"scene": wish.scene, "variant": wish.variant, "seed": wish.seed}
        run._launch(wish.command(run.folder, resume), about)
        return run

    def resume(self) -> None:
        """Go on from the newest checkpoint with the configuration that the run was started with; one that was stopped
        before its first iteration starts anew.

        Raises:
            InputError: it runs, or there is nothing to go on from.
        """
        told = self.about
        words = shlex.split(told.get("command", ""))[1:]
        if self.checkpoint() is not None:
            words = ["train", "--run-dir", str(self.folder), "--json", "--resume"]
        if self.running or not words:
            raise InputError("run folder", str(self.folder), "a training that has ended, with a checkpoint")
        self._launch(words, {key: told[key] for key in ("scene", "variant", "seed") if key in told})

    def _launch(self, words: list[str], about: dict[str, Any]) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            log = open(self.folder / _LOG, "ab")  # noqa: SIM115 (handed to the child)
        except OSError as error:
            raise InputError(
                "run folder", str(self.folder), f"a folder that can be written ({error.strerror})"
            ) from None
        with log:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "robot_app", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
                start_new_session=True,  # a Ctrl-C or a closing terminal is the window's affair
            )
        pid = self._child.pid
        command = shlex.join(["robot-app", *words])
        write_json(
            self.folder / _RUN,
            {"pid": pid, "process_started": _started(pid), **about, "command": command, "asked": None},
        )

    @property
    def about(self) -> dict[str, Any]:
        """``run.json``, empty where the run was started elsewhere."""
        try:
            return json.loads((self.folder / _RUN).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    @property
    def pid(self) -> int | None:
        """The training's process, None when it has ended."""
        if self._child is not None:
            return self._child.pid if self._child.poll() is None else None
        about = self.about
        pid = about.get("pid")
        return pid if pid and _started(pid) == about.get("process_started") else None

    @property
    def running(self) -> bool:
        return self.pid is not None

    @property
    def state(self) -> str:
        """``starting``, ``running``, ``pausing``, ``stopping``, ``finished``, ``paused``, ``stopped`` (both can be
        resumed) or ``failed``."""
        self.read()
        return self._state_after(self.lines[-1] if self.lines else None)

    def _state_after(self, last: dict[str, Any] | None) -> str:
        asked = self.about.get("asked")
        if self.running:
            if asked is not None:
                return "pausing" if asked == "pause" else "stopping"
            return "starting" if last is None else "running"
        if last is not None and last["frames"] >= last["total_frames"]:
            return "finished"
        if asked is None and self.checkpoint() is None:
            return "failed"
        return "paused" if asked == "pause" else "stopped"

    def pause(self) -> None:
        """Ask it to finish its iteration, write a checkpoint and end, to be resumed later, by whomever."""
        self._ask("pause")

    def stop(self, kill_after_s: float | None = None) -> None:
        """The same for good: it can be resumed, but nobody is reminded of it. Waits, and kills what does not end, if told
        to."""
        self._ask("stop")
        if kill_after_s is not None:
            until = time.monotonic() + kill_after_s
            while self.running and time.monotonic() < until:
                time.sleep(0.05)
            if self.running:
                self.kill()

    def _ask(self, what: str) -> None:
        """Note what is wanted, and send Ctrl-C once: a second would end the training at once, without a checkpoint."""
        pid, about = self.pid, self.about
        if pid is None:
            return
        write_json(self.folder / _RUN, {**about, "pid": pid, "process_started": _started(pid), "asked": what})
        if about.get("asked") is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)

    def kill(self) -> None:
        """End it and its workers at once; the last checkpoint stays."""
        pid = self.pid
        if pid is None:
            return
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            family = [*process.children(recursive=True), process]
            for member in family:
                with contextlib.suppress(psutil.Error):
                    member.kill()
            psutil.wait_procs(family, 5.0)
        if self._child is not None:
            self._child.wait()

    # -- what it says
    def read(self) -> list[dict[str, Any]]:
        """Lines that are new since the last call."""
        try:
            with open(self.folder / _PROGRESS, "rb") as file:
                size = file.seek(0, os.SEEK_END)
                if size < self._offset:  # a resumed run has dropped lines that a crash had lost
                    self._offset, self.lines = 0, []
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return []
        whole, newline, _ = data.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        fresh = []
        for text in whole.splitlines():
            with contextlib.suppress(ValueError):
                fresh.append(json.loads(text))
        self.lines += fresh
        return fresh

    def column(self, name: str) -> list[float]:
        """A value per iteration, NaN where there is none: a key of Progress or the name of a metric."""
        found = []
        for line in self.lines:
            value = line.get(name, line["metrics"].get(name))
            found.append(float("nan") if value is None else float(value))
        return found

    def metric_names(self) -> list[str]:
        """Every metric any iteration has told, sorted."""
        return sorted({name for line in self.lines for name in line["metrics"]})

    def checkpoint(self) -> Path | None:
        """The newest whole one."""
        folders = [p for p in (self.folder / "checkpoints").glob("[0-9]*") if (p / "manifest.json").is_file()]
        return max(folders, key=lambda p: p.name, default=None)

    def complaint(self) -> str:
        """The last line it wrote to its log, for an error."""
        try:
            lines = (self.folder / _LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""


@dataclass(frozen=True)
class Glance:
    """What a list says of a run.

    Attributes:
        state: as :attr:`TrainingRun.state`.
        share: of its steps that are done, 0 to 1.
        return_mean: of its last iteration; NaN before the first.
    """

    folder: Path
    state: str
    share: float
    return_mean: float

    @property
    def alive(self) -> bool:
        return self.state in ALIVE


def glance(folder: Path) -> Glance:
    """A run's state from its last line alone, however long it has been running."""
    last = _last_line(folder / _PROGRESS)
    state = TrainingRun(folder)._state_after(last)
    if last is None:
        return Glance(folder, state, 0.0, float("nan"))
    value = last["return_mean"]
    share = min(1.0, last["frames"] / max(1, last["total_frames"]))
    return Glance(folder, state, share, float("nan") if value is None else float(value))


def _last_line(path: Path) -> dict[str, Any] | None:
    """The last whole line of a file of JSON lines."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    for line in reversed(lines):
        with contextlib.suppress(ValueError):
            found = json.loads(line)
            if isinstance(found, dict):
                return found
    return None


def list_runs(root: Path) -> list[Path]:
    """Folders under ``root`` that hold a run, the newest first."""
    found = [p for p in Path(root).glob("*") if (p / "config.yaml").is_file() or (p / _RUN).is_file()]
    return sorted(found, key=lambda p: p.stat().st_mtime, reverse=True)


def free_folder(root: Path, scene: str, variant: str, seed: int) -> Path:
    """``root/scene-variant-s0``, or with the first number that is free."""
    base = Path(root) / f"{scene}-{variant}-s{seed}"
    folder, n = base, 2
    while folder.exists() and any(folder.iterdir()):
        folder, n = base.with_name(f"{base.name}-{n}"), n + 1
    return folder


def _started(pid: int) -> float | None:
    """When a living process began; None for one that is gone. Numbers of processes are used again."""
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
