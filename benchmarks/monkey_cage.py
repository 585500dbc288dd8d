"""Where a monkey may break everything: a temporary folder for all that is written, files to open, nothing started outside.

Inside a :class:`Cage` home, temporary files, settings, recordings and runs lie in one folder; file dialogs are answered by
the monkey; no browser and no file manager opens; and *Start Training* and *TensorBoard* start stand-ins that write and
answer like the real ones at no cost (the real ones have tests of their own). What goes wrong is kept in ``faults``.

``python -m benchmarks.monkey_cage FOLDER`` makes the files, in a process of its own so that torch stays out of the window's.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import psutil

#: What Qt says of a platform without screens; nobody's fault.
HARMLESS = ("This plugin does not support", "propagateSizeHints", "XDG_RUNTIME_DIR")

_TRAINING = """
import json, pathlib, shutil, sys, time
folder, checkpoint = pathlib.Path(sys.argv[1]), sys.argv[2]
(folder / "events.out.tfevents.0").touch()
try:
    for i in range(1, 31):
        line = {"frames": 1000 * i, "total_frames": 30000, "return_mean": i / 3, "return_std": 1.0, "phase": "monkey",
                "seconds_left": 30.0 - i, "fps": 1000.0, "metrics": {"losses/policy": 1 / i, "belief/kl": float(i)}}
        with open(folder / "progress.jsonl", "a") as file:
            file.write(json.dumps(line) + "\\n")
        if i == 3:
            shutil.copytree(checkpoint, folder / "checkpoints" / f"{1000 * i:012d}", dirs_exist_ok=True)
        time.sleep(0.3)
except KeyboardInterrupt:
    pass
"""
_BOARD = (
    "import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(3600)"
)


class Cage:
    """Use as a context, and before Qt's application is made.

    Attributes:
        folder: under which everything is written.
        baits: what there is to open, good and bad: name → path; the empty one stands for *Cancel*.
        answer: what the next file dialog gives.
        faults: what went wrong: kind, text, and how often.
        opened: how many times a browser or a file manager would have been opened.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.answer = ""
        self.opened = 0
        self.faults: dict[tuple[str, str], int] = {}
        self.on_fault: Callable[[str, str], None] = lambda kind, text: None
        self.baits: dict[str, str] = {}
        self._outside: list[subprocess.Popen] = []

    def __enter__(self) -> Cage:
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="monkey-")))
        for name in ("home", "tmp", "runs", "baits"):
            (self.folder / name).mkdir()
        environment = {
            "HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp"),
            "ROBOT_APP_SETTINGS": str(self.folder / "settings.ini"), "OMP_NUM_THREADS": "1",
        }  # fmt: skip
        self._stack.enter_context(mock.patch.dict(os.environ, environment))
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        self._stack.enter_context(mock.patch.object(tempfile, "tempdir", None))
        root = Path(__file__).parents[1]
        command = [sys.executable, "-m", "benchmarks.monkey_cage", str(self.folder / "baits")]
        subprocess.run(command, cwd=root, check=True, stdin=subprocess.DEVNULL)
        made = sorted((self.folder / "baits").iterdir())
        self.baits = {
            "": "",
            **{path.name: str(path) for path in made},
            "vanished": str(self.folder / "vanished"),
        }
        self._stack.callback(os.chdir, os.getcwd())
        os.chdir(self.folder)
        self._patch()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._outside:
            process.kill()
            process.wait()
        self._stack.close()

    def _patch(self) -> None:
        from qtpy.QtCore import qInstallMessageHandler
        from qtpy.QtGui import QDesktopServices
        from qtpy.QtWidgets import QFileDialog

        from robot_app import tensorboard, training_runs
        from robot_app.window.settings import Settings

        settings = Settings()
        settings.set_folder("runs", self.folder / "runs")
        settings.sync()
        patch = self._stack.enter_context
        patch(mock.patch.object(QFileDialog, "getExistingDirectory", self._choose_folder))
        patch(mock.patch.object(QFileDialog, "getOpenFileName", self._choose_file))
        patch(mock.patch.object(QDesktopServices, "openUrl", self._open_url))
        for module, popen in ((training_runs, self._train), (tensorboard, self._board)):
            patch(
                mock.patch.object(
                    module, "subprocess", SimpleNamespace(Popen=popen, DEVNULL=subprocess.DEVNULL)
                )
            )
        patch(mock.patch.object(sys, "excepthook", self._exception))
        before = qInstallMessageHandler(self._qt)
        self._stack.callback(qInstallMessageHandler, before)

    # ------------------------------------------------------------------------------------------------ outside
    def _choose_folder(self, *_: object) -> str:
        return self.answer

    def _choose_file(self, *_: object) -> tuple[str, str]:
        return self.answer, ""

    def _open_url(self, _: object) -> bool:
        self.opened += 1
        return self.opened % 2 == 0  # both what follows a browser and what follows none

    def _train(self, words: list[str], **given: Any) -> subprocess.Popen:
        folder = words[words.index("--run-dir") + 1]
        checkpoint = str(self.folder / "baits" / "checkpoint")
        process = subprocess.Popen([sys.executable, "-S", "-c", _TRAINING, folder, checkpoint], **given)
        self._outside = [*(old for old in self._outside if old.poll() is None), process]
        return process

    def _board(self, words: list[str], **given: Any) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-S", "-c", _BOARD, words[words.index("--port") + 1]], **given
        )

    # ------------------------------------------------------------------------------------------------ faults
    def fault(self, kind: str, text: str) -> None:
        """Keep it; the same one is counted."""
        self.faults[kind, text] = self.faults.get((kind, text), 0) + 1
        self.on_fault(kind, text)

    def _exception(self, kind: type, error: BaseException, trace: Any) -> None:
        self.fault("exception", "".join(traceback.format_exception(kind, error, trace)))

    def _qt(self, level: object, _: object, text: str | None) -> None:
        if text and not any(words in text for words in HARMLESS):
            self.fault("qt", text)

    # ------------------------------------------------------------------------------------------------ leftovers
    def leftovers(self, allowed: frozenset[object] = frozenset()) -> list[str]:
        """What a closed window has left: processes, threads, running timers, windows, temporary files."""
        trainings = {process.pid for process in self._outside}
        found = [f"process {words}" for pid, words in family().items() if pid not in trainings]
        found += [f"thread {thread.name}" for thread in threading.enumerate() if thread not in allowed]
        found += [*running_timers(allowed), *top_levels(allowed)]
        return found + [f"file {path.name}" for path in (self.folder / "tmp").glob("robot-app-*")]


def family() -> dict[int, str]:
    """Processes below this one but for Python's resource tracker, which lives as long as Python: pid → command."""
    found = {}
    for process in psutil.Process().children(recursive=True):
        try:
            words = " ".join(process.cmdline())
            if "resource_tracker" not in words and process.status() != psutil.STATUS_ZOMBIE:
                found[process.pid] = words
        except psutil.NoSuchProcess:
            continue
    return found


def running_timers(allowed: frozenset[object] = frozenset()) -> list[str]:
    """Timers that run though their window is closed, or that belong to no window."""
    from qtpy import sip
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    found = []
    for widget in QApplication.topLevelWidgets():
        if not widget.isVisible() and widget.window().parentWidget() is None:
            running = [timer for timer in widget.findChildren(QTimer) if timer.isActive()]
            found += [f"timer of {timer.parent()!r}" for timer in running]
    for thing in gc.get_objects():
        if (
            type(thing) is QTimer and not sip.isdeleted(thing) and thing not in allowed
            and thing.isActive() and thing.parent() is None
        ):  # fmt: skip
            found.append(f"timer every {thing.interval()} ms, of nobody")
    return found


def top_levels(allowed: frozenset[object] = frozenset()) -> list[str]:
    """Windows, menus and dialogs that are alive, without those that belong to another window."""
    from qtpy.QtWidgets import QApplication

    return [
        f"window {type(widget).__name__} {widget.objectName()!r}"
        for widget in QApplication.topLevelWidgets()
        if widget.parentWidget() is None and widget not in allowed and type(widget).__name__ != "QTipLabel"
    ]


# -------------------------------------------------------------------------------------------------------- files to open
def make_baits(folder: Path) -> None:
    """Checkpoints, an episode and a configuration, whole and damaged, and things that are none of these."""
    from dynamite.acting import play
    from dynamite.agent import Agent
    from dynamite.checkpoint import save_checkpoint
    from dynamite.spec import SceneSpec
    from dynamite.variants import configure
    from policies import load
    from robot_app.episode import EpisodeWriter, recorded
    from robot_app.recipe import SceneRecipe
    from scenes import make_scene

    for name, scene_name in (("checkpoint", "scratch_itch"), ("gridworld", "gridworld")):
        scene = make_scene(scene_name)
        save_checkpoint(
            folder / name, Agent(SceneSpec.of(scene), configure(scene_name, "dynamite")),
            counters={"iteration": 1, "frames": 1000},
        )  # fmt: skip
        scene.close()
    recipe = SceneRecipe("gridworld")
    scene = recipe.build()
    with EpisodeWriter(folder / "episode", recipe, scene, seed=4, policy="random") as writer:
        for _ in recorded(play(scene, load("random", scene), 4), scene, writer):
            pass
    scene.close()
    for name, inside in (("checkpoint", "model.safetensors"), ("episode", "frames/000.safetensors")):
        damaged = folder / f"damaged-{name}"
        shutil.copytree(folder / name, damaged)
        (damaged / inside).write_bytes((damaged / inside).read_bytes()[:-9])
    headless = folder / "damaged-manifest"
    shutil.copytree(folder / "checkpoint", headless)
    (headless / "manifest.json").write_text(json.dumps({"format": 7}))
    (folder / "empty").mkdir()
    (folder / "good.yaml").write_text("variant: markov\nscene: {name: gridworld}\nppo: {lr: 0.002}\n")
    (folder / "wrong.yaml").write_text("ppo: {warmth: 1}\n")
    (folder / "binary.yaml").write_bytes(bytes(range(256)))
    (folder / "list.yml").write_text("- 1\n- 2\n")
    (folder / "notes – 記録.txt").write_text("hello")


if __name__ == "__main__":
    make_baits(Path(sys.argv[1]))
