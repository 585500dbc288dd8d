"""Training runs as the window sees them: started in a process of their own, followed through their files, stopped by a
signal. A run belongs to its folder, not to the window: any window that opens the folder later can follow and stop it.

Beside what :func:`dynamite.train.train` writes, a run started here has ``run.json`` (process, command) and ``train.log``.
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


@dataclass(frozen=True)
class Wish:
    """What to train.

    Attributes:
        frames: in total; None keeps the preset's.
        overrides: dotted configuration fields, see :func:`dynamite.config_io.with_overrides`.
    """

    scene: str
    variant: str
    seed: int = 0
    frames: int | None = None
    overrides: tuple[tuple[str, Any], ...] = ()

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
        """Begin (or resume) a training that outlives this process.

        Raises:
            InputError: the folder holds a run already, or cannot be made.
        """
        run = cls(folder)
        if run.running:
            raise InputError("run folder", str(folder), "a folder whose training has ended")
        if run.checkpoint() is not None and not resume:
            raise InputError("run folder", str(folder), "a folder without checkpoints, or Resume")
        try:
            run.folder.mkdir(parents=True, exist_ok=True)
            log = open(run.folder / _LOG, "ab")  # noqa: SIM115 (handed to the child)
        except OSError as error:
            raise InputError(
                "run folder", str(folder), f"a folder that can be written ({error.strerror})"
            ) from None
        command = [sys.executable, "-m", "robot_app", *wish.command(run.folder, resume)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
        with log:
            run._child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment,
                start_new_session=True,  # a Ctrl-C or a closing terminal is the window's affair
            )
        write_json(
            run.folder / _RUN,
            {
                "pid": run._child.pid,
                "process_started": _started(run._child.pid),
                "scene": wish.scene,
                "variant": wish.variant,
                "seed": wish.seed,
                "command": shlex.join(["robot-app", *wish.command(run.folder, resume)]),
            },
        )
        return run

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
        """``starting``, ``running``, ``finished``, ``stopped`` (can be resumed) or ``failed``."""
        self.read()
        if self.running:
            return "running" if self.lines else "starting"
        if self.lines and self.lines[-1]["frames"] >= self.lines[-1]["total_frames"]:
            return "finished"
        return "stopped" if self.checkpoint() is not None else "failed"

    def stop(self, kill_after_s: float | None = None) -> None:
        """Ask it to finish its iteration and write a checkpoint; wait, and kill what does not, if told to."""
        pid = self.pid
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)
        if kill_after_s is not None:
            until = time.monotonic() + kill_after_s
            while self.running and time.monotonic() < until:
                time.sleep(0.05)
            if self.running:
                self.kill()

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
