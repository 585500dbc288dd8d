"""FigureSaver: a panel's numbers to a process that draws them, and word of the files when they are there."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path

from qtpy.QtCore import QObject, QProcess, QProcessEnvironment, Signal

from robot_app.figures.panel import PanelFigure


class FigureSaver(QObject):
    """One process per figure, so that the window is never held up by the drawing.

    Signals:
        saved: list of Paths.
        failed: stem (Path) and the reason in words.
    """

    saved = Signal(object)
    failed = Signal(object, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._running: set[QProcess] = set()

    def save(self, figure: PanelFigure, stem: Path) -> None:
        """Write ``stem``.pdf, .png and .csv."""
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("OMP_NUM_THREADS", "1")
        process.setProcessEnvironment(environment)
        process.finished.connect(lambda code, _status: self._finished(process, stem, code))
        self._running.add(process)
        process.start(sys.executable, ["-m", "robot_app.figures.panel"])
        process.write(pickle.dumps((figure, str(stem))))
        process.closeWriteChannel()

    def _finished(self, process: QProcess, stem: Path, code: int) -> None:
        self._running.discard(process)
        said = bytes(process.readAllStandardOutput()).decode()
        complaint = bytes(process.readAllStandardError()).decode(errors="replace").strip().splitlines()
        process.deleteLater()
        if code == 0:
            self.saved.emit([Path(path) for path in json.loads(said)])
        else:
            self.failed.emit(stem, complaint[-1] if complaint else f"exit code {code}")

    def close(self) -> None:
        """A figure that is being drawn is finished: it takes seconds at most."""
        for process in list(self._running):
            process.finished.disconnect()
            if not process.waitForFinished(10_000):
                process.kill()
                process.waitForFinished(1000)
        self._running.clear()
