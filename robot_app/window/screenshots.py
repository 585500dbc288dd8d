"""Pictures of the window for the README and the docs: ``python -m robot_app.window.screenshots --out docs/images``.

Everything in them is real: the scene is loaded, the policy plays to a step worth showing, the window is grabbed. Needs no
screen. The Training panel shows the run that ``--run`` names, or a short training of a gridworld, run meanwhile.
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

#: Size and theme of every layout of the docs, by what is added to its name.
_LOOKS: dict[str, tuple[int, int, str]] = {
    "dark": (1280, 800, "dark"),
    "light": (1280, 800, "light"),
    "large-dark": (1920, 1080, "dark"),
    "large-light": (1920, 1080, "light"),
}
_USUAL = ("preference", "belief", "adaptation")
#: Name → (panels in front, what else is done before the picture). Together they show every panel.
_LAYOUTS: dict[str, tuple[tuple[str, ...], str]] = {
    "window": (_USUAL, ""),
    "window-training": (("setup", "recording", "training"), "training"),
    "window-log": (("preference", "belief", "log"), ""),
    "window-palette": (_USUAL, "palette"),
    "window-keys": (_USUAL, "keys"),
    "window-compare": (("preference", "belief", "compare"), "compare"),
    "window-presenter": (("belief",), "presenter"),
    "window-first": (_USUAL, "first"),
}
#: What the docs show: every panel in every look, the rest once.
DOCS = (
    *(f"window{n}-{look}" for n in ("", "-training", "-log", "-compare") for look in _LOOKS),
    "window-place",
    "window-first-dark",
    "window-palette-dark",
    "window-keys-light",
    "window-presenter-dark",
    "window-presenter-large-light",
)

#: File name → (width, height, theme, panels in front, what else is done before the picture).
PICTURES: dict[str, tuple[int, int, str, tuple[str, ...], str]] = {
    **{f"{name}-{look}": (*_LOOKS[look], *_LAYOUTS[name]) for name in _LAYOUTS for look in _LOOKS},
    "window-place": (1280, 800, "dark", _USUAL, "place"),
    "window-notice": (1280, 800, "dark", _USUAL, "notice"),
    "window-timeline": (1280, 800, "light", _USUAL, "timeline"),
    "window-compare-none": (1280, 800, "dark", ("preference", "belief", "compare"), ""),
    "window-training-new": (1280, 800, "dark", ("setup", "recording", "training"), "new"),
    "window-trouble-dark": (1280, 800, "dark", _USUAL, "trouble"),
    "window-trouble-light": (1280, 800, "light", _USUAL, "trouble"),
    "window-drop": (1280, 800, "light", _USUAL, "drop"),
    "window-empty": (1280, 800, "dark", _USUAL, "empty"),
}
#: Of the training that the Training panel shows where none is named.
TRAINING_STEPS, TRAINING_S = 57_600, 60.0


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
        _put_first_steps_away()
        training = None
        if options.run is None and any(PICTURES[name][4] == "training" for name in options.only):
            training = _train(Path(scratch) / "runs" / "gridworld-dynamite")
            options.run = training.folder
        try:
            return _take(options)
        finally:
            if training is not None:
                training.kill()


def _put_first_steps_away() -> None:
    """Pictures show the window as it is after the first visit; ``window-first`` brings the steps back."""
    from robot_app.window.first_steps import DONE
    from robot_app.window.settings import Settings

    settings = Settings()
    settings.set_flag(DONE, True)
    settings.sync()


def _train(folder: Path):
    """A short training, so that there are curves to show."""
    from robot_app.training_runs import TrainingRun, Wish

    settings = (("train.workers", 0), ("train.copies", 32))
    run = TrainingRun.start(folder, Wish("gridworld", "dynamite", frames=TRAINING_STEPS, overrides=settings))
    until = time.monotonic() + TRAINING_S
    while run.running and time.monotonic() < until:
        time.sleep(0.2)
    return run


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
    elif extra == "first":
        window.commands.show_first_steps()
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
    _save(_picture_of(window), path)
    print(path, file=sys.stderr)
    switches = {"place": "preference.place", "keys": "help.keys", "presenter": "view.presenter"}
    if extra in switches:
        window.actions_by_id[switches[extra]].trigger()
        wait(lambda: False, 0.3)  # docks find their least sizes again
    window.first_steps.put_away()
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


def _save(picture, path: Path) -> None:
    """As PNG of 256 colours, a third of the size; dithered where pixels are few and noise costs little."""
    from PIL import Image
    from qtpy.QtGui import QImage

    image = picture.toImage().convertToFormat(QImage.Format_RGBA8888)
    pixels = image.constBits().asstring(image.byteCount())
    whole = Image.frombytes("RGBA", (image.width(), image.height()), pixels).convert("RGB")
    small = whole.quantize(256, method=Image.Quantize.FASTOCTREE)
    if image.width() <= 1280:
        small = whole.quantize(palette=small, dither=Image.Dither.FLOYDSTEINBERG)
    small.save(path, optimize=True)


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
