"""Pictures of the window for the README and the docs: ``python -m robot_app.window.screenshots --out docs/images``.

Everything in them is real: the scene is loaded, the policy plays to a step worth showing, the window is grabbed. Needs no
screen. ``--run`` names a training's folder, so that the Training panel has curves.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from robot_app.troubles import not_written

#: File name → (width, height, theme, panels in front, what else is done before the picture).
PICTURES: dict[str, tuple[int, int, str, tuple[str, ...], str]] = {
    "window-dark": (1280, 800, "dark", ("preference", "belief", "adaptation"), ""),
    "window-light": (1280, 800, "light", ("preference", "belief", "adaptation"), ""),
    "window-large-dark": (1920, 1080, "dark", ("preference", "belief", "adaptation"), ""),
    "window-large-light": (1920, 1080, "light", ("setup", "belief", "adaptation"), ""),
    "window-training": (1280, 800, "dark", ("setup", "recording", "training"), "training"),
    "window-log": (1280, 800, "light", ("preference", "belief", "log"), ""),
    "window-place": (1280, 800, "dark", ("preference", "belief", "adaptation"), "place"),
    "window-palette": (1280, 800, "dark", ("preference", "belief", "adaptation"), "palette"),
    "window-keys": (1280, 800, "light", ("preference", "belief", "adaptation"), "keys"),
    "window-notice": (1280, 800, "dark", ("preference", "belief", "adaptation"), "notice"),
    "window-timeline-dark": (1280, 800, "dark", ("preference", "belief", "adaptation"), "timeline"),
    "window-timeline-light": (1280, 800, "light", ("preference", "belief", "adaptation"), "timeline"),
    "window-timeline-large-dark": (1920, 1080, "dark", ("preference", "belief", "adaptation"), "timeline"),
    "window-timeline-large-light": (1920, 1080, "light", ("preference", "belief", "adaptation"), "timeline"),
    "window-compare-dark": (1280, 800, "dark", ("preference", "belief", "compare"), "compare"),
    "window-compare-light": (1280, 800, "light", ("preference", "belief", "compare"), "compare"),
    "window-compare-large-dark": (1920, 1080, "dark", ("preference", "belief", "compare"), "compare"),
    "window-compare-large-light": (1920, 1080, "light", ("preference", "belief", "compare"), "compare"),
    "window-compare-none": (1280, 800, "dark", ("preference", "belief", "compare"), ""),
    "window-training-light": (1280, 800, "light", ("setup", "belief", "training"), "training"),
    "window-training-large-dark": (1920, 1080, "dark", ("setup", "recording", "training"), "training"),
    "window-training-large-light": (1920, 1080, "light", ("setup", "recording", "training"), "training"),
    "window-training-new": (1280, 800, "dark", ("setup", "recording", "training"), "new"),
    "window-presenter-dark": (1280, 800, "dark", ("belief",), "presenter"),
    "window-presenter-light": (1280, 800, "light", ("belief",), "presenter"),
    "window-presenter-large-dark": (1920, 1080, "dark", ("belief",), "presenter"),
    "window-presenter-large-light": (1920, 1080, "light", ("belief",), "presenter"),
    "window-trouble-dark": (1280, 800, "dark", ("preference", "belief", "adaptation"), "trouble"),
    "window-trouble-light": (1280, 800, "light", ("preference", "belief", "adaptation"), "trouble"),
    "window-drop": (1280, 800, "light", ("preference", "belief", "adaptation"), "drop"),
    "window-empty": (1280, 800, "dark", ("preference", "belief", "adaptation"), "empty"),
}

#: What the docs show.
DOCS = (
    "window-dark",
    "window-light",
    "window-training",
    "window-place",
    "window-keys",
    "window-timeline-light",
    "window-compare-dark",
    "window-presenter-dark",
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m robot_app.window.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument(
        "--policy", help="as robot-app policies lists them, or a folder; default: the best there is"
    )
    parser.add_argument("--seed", type=int, default=31)
    parser.add_argument("--step", type=int, default=136, help="of the episode, at which pictures are taken")
    parser.add_argument("--run", type=Path, help="a training's folder for the Training panel")
    parser.add_argument("--only", nargs="*", default=list(DOCS), choices=list(PICTURES), metavar="NAME")
    parser.add_argument(
        "--all", action="store_true", help="every state, for a look at alignment and contrast"
    )
    options = parser.parse_args(arguments)
    if options.all:
        options.only = list(PICTURES)
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["ROBOT_APP_SETTINGS"] = str(Path(scratch) / "settings.ini")
        return _take(options)


def _take(options: argparse.Namespace) -> int:
    from robot_app.window.app import application, make_window

    app = application()

    def wait(done: Callable[[], bool], seconds: float = 60.0) -> None:
        until = time.monotonic() + seconds
        while not done() and time.monotonic() < until:
            app.processEvents()
            time.sleep(0.004)

    window = make_window(policy=options.policy, seed=options.seed)
    window.show()
    bench = window.workbench
    if "window-empty" in options.only:
        _shoot(window, "window-empty", options, wait)
    wait(lambda: bench.scene is not None and bench.history.last is not None)
    bench.set_speed(4.0)
    bench.runtime.play()
    wait(lambda: bench.history.last is not None and bench.history.last.t >= options.step)
    bench.runtime.pause()
    wait(lambda: bench.status.state != "playing")
    for name in options.only:
        if name != "window-empty":
            _shoot(window, name, options, wait)
    window.close()
    return 0


def _shoot(window, name: str, options: argparse.Namespace, wait: Callable) -> None:
    width, height, theme, front, extra = PICTURES[name]
    bench, view = window.workbench, window.viewport
    if bench.theme.name != theme:
        window.set_theme(theme)
    window.resize(width, height)
    for panel in front:
        window.show_panel(panel)
    if extra == "training" and options.run is not None:
        from robot_app.training_runs import TrainingRun

        window.panels["training"].root = options.run.parent
        window.panels["training"].follow(TrainingRun(options.run))
    if extra == "new":
        window.panels["training"].follow(None)
    elif extra == "presenter":
        window.actions_by_id["view.presenter"].trigger()
    elif extra == "trouble":
        lost = not_written(
            "film", Path.home() / "robot-app" / "scratch_itch-film.mp4", os.strerror(errno.ENOSPC)
        )
        bench.tell_trouble(lost, {"folder": lambda: None})
    elif extra == "drop":
        window.drops.announce()
    comparing = window.panels["compare"]
    if comparing.set_comparing(extra == "compare"):
        wait(
            lambda: comparing.comparing.comparison.ready and not comparing.view.outdated(bench.history.last.t)
        )
    if extra == "timeline":
        _branch(bench, options.step, wait)
    if extra == "place":
        window.actions_by_id["preference.place"].trigger()
    elif extra == "palette":
        window.palette_box.open()
        window.palette_box.line.setText("pre")
    elif extra == "keys":
        window.actions_by_id["help.keys"].trigger()
    elif extra == "notice":
        bench.tell(
            "error",
            "policy: got 'nobody'; allowed: for scratch_itch: random, scripted/scratch_itch, or a checkpoint's folder",
        )

    def sharp() -> bool:
        views = (view, comparing.view) if comparing.on else (view,)
        return not any(each.outdated(bench.shown.t) for each in views)

    settled = time.monotonic() + 0.7
    wait(lambda: time.monotonic() > settled and (extra == "empty" or sharp()), 20.0)
    path = options.out / f"{name}.png"
    _picture_of(window).save(str(path))
    print(path, file=sys.stderr)
    switches = {"place": "preference.place", "keys": "help.keys", "presenter": "view.presenter"}
    if extra in switches:
        window.actions_by_id[switches[extra]].trigger()
        wait(lambda: False, 0.3)  # docks find their least sizes again
    window.trouble_dialog.reject()
    window.drops.hint.hide()
    window.palette_box.hide()
    window.notice_bar.hide()


def _picture_of(window):
    """The window, and the dialog over it where there is one."""
    from qtpy.QtGui import QPainter

    picture, dialog = window.grab(), window.trouble_dialog
    if dialog.isVisible():
        painter = QPainter(picture)
        painter.drawPixmap((window.width() - dialog.width()) // 2, window.height() // 3, dialog.grab())
        painter.end()
    return picture


def _branch(bench, step: int, wait: Callable) -> None:
    """Change history half way, play on from there, and look back at what the change did; once."""
    if len(bench.takes) == 1:
        bench.runtime.seek(step // 2)
        wait(lambda: bench.cursor == step // 2)
        bench.surprise()
        wait(lambda: len(bench.takes) == 2)
        bench.runtime.play()
        wait(lambda: bench.history.last.t >= step)
    bench.runtime.seek(3 * step // 4)
    wait(lambda: bench.cursor == 3 * step // 4)


if __name__ == "__main__":
    raise SystemExit(main())
