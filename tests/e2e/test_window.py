"""One look at the whole window on an X server, as a user would start it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import sys
from pathlib import Path

if __name__ == "__main__":
    from qtpy.QtCore import QTimer
    from qtpy.QtWidgets import QApplication

    from robot_app.window import app

    application = app.application()
    assert application.platformName() == "xcb", application.platformName()
    shown = []

    def look():
        window = next((w for w in application.topLevelWidgets() if w.objectName() == "main"), None)
        if window is not None and window.viewport.n_shown >= 5:
            window.grab().save(sys.argv[1])
            window.close()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(100)
    QTimer.singleShot(60_000, application.quit)
    code = app.run(policy="random", seed=1, script=[(2, "forearm.dorsal")])
    assert Path(sys.argv[1]).exists(), "no picture came"
    sys.exit(code)
"""


@pytest.mark.xvfb
@pytest.mark.skipif(
    shutil.which("xvfb-run") is None, reason="needs xvfb-run (Debian: apt install xvfb xauth)"
)
def test_the_window_opens_plays_and_closes_on_an_x_server(tmp_path: Path) -> None:
    script, picture = tmp_path / "look.py", tmp_path / "window.png"
    script.write_text(SCRIPT)
    environment = {
        **os.environ,
        "QT_QPA_PLATFORM": "xcb",
        "ROBOT_APP_SETTINGS": str(tmp_path / "settings.ini"),
    }
    command = ["xvfb-run", "-a", "-s", "-screen 0 1280x800x24", sys.executable, str(script), str(picture)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert picture.stat().st_size > 30_000
