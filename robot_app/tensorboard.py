"""TensorBoard beside the window: started once, shown in the browser, ended with whoever started it."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import subprocess
import sys
from pathlib import Path

from scenes.errors import InputError


class TensorBoard:
    """Serves the curves of every run under a folder, on this machine only."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self.port = 0
        self._process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def serve(self, folder: Path) -> None:
        """Start it on ``folder``; one that serves that folder already stays.

        Raises:
            InputError: TensorBoard is not installed.
        """
        if self.alive and self.folder == folder:
            return
        self.close()
        if importlib.util.find_spec("tensorboard") is None:
            raise InputError(
                "TensorBoard", "not installed", f"after: {sys.executable} -m pip install tensorboard"
            )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = folder
        command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--host", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port), "--load_fast", "false"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ready(self) -> bool:
        """Whether it answers by now; does not wait."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 0.05):
            return self.alive
        return False

    def close(self) -> None:
        """End it; safe to call twice."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None
