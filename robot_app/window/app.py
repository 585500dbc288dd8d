"""Open the window: ``run()`` for the command line, ``make_window()`` for whoever has an event loop already."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from qtpy.QtCore import QCoreApplication, Qt, QTimer
from qtpy.QtWidgets import QApplication

from robot_app.recipe import SceneRecipe
from robot_app.window.main_window import MainWindow
from robot_app.window.settings import Settings
from robot_app.window.theme import THEMES, apply_theme, ensure_font


def application() -> QApplication:
    """The one QApplication, made if there is none, with font and theme."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        for attribute in (Qt.AA_EnableHighDpiScaling, Qt.AA_UseHighDpiPixmaps):
            QCoreApplication.setAttribute(attribute)
        app = QApplication(sys.argv[:1])
        app.setApplicationName("robot-app")
    ensure_font(app)
    return app


def make_window(
    scene: SceneRecipe | str = "scratch_itch",
    policy: str | None = None,
    seed: int = 0,
    options: dict[str, Any] | None = None,
    script: Sequence[tuple[int, Any]] | None = None,
    play: bool = False,
    settings: Settings | None = None,
) -> MainWindow:
    """A window that is loading its scene; show it.

    Args:
        scene: a recipe, or a scene's name.
        policy: as :func:`policies.load` takes it; by default the best there is.
        options: of the scene, on top of the recipe's.
        script: ``(step, preference)`` pairs: the changes that are to happen, and no others.
        play: start at once.
    """
    app = application()
    settings = settings or Settings()
    apply_theme(app, THEMES[settings.theme])
    recipe = SceneRecipe(scene) if isinstance(scene, str) else scene
    if options:
        recipe = replace(recipe, options={**recipe.options, **options})
    if script:
        recipe = replace(
            recipe, termination={"schedule": [{"step": at, "latent": value} for at, value in script]}
        )
    window = MainWindow(settings)
    window.workbench.runtime.set_loop(settings.flag("run/loop", True))
    window.workbench.load(recipe, policy or best_policy(recipe.name), seed, play)
    return window


def best_policy(scene: str) -> str:
    """The packaged DynaMITE agent, else another packaged one, else the oracle, else random actions."""
    from policies import list_policies

    names = list_policies(scene)
    order = [
        "pretrained/dynamite",
        *(name for name in names if name.startswith("pretrained/")),
        f"scripted/{scene}",
    ]
    return next((name for name in order if name in names), "random")


def tell_fault(
    window: MainWindow, kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """An error that nobody expected is told, with a report, and the window goes on: PyQt would end it on the spot."""
    sys.__excepthook__(kind, error, trace)
    if issubclass(kind, KeyboardInterrupt):
        window.close()
        return
    text = f"Something went wrong in the window, and what was asked for may not have been done: {error!r}."
    window.workbench.tell("error", text, "".join(traceback.format_exception(kind, error, trace)))


def run(
    scene: SceneRecipe | str = "scratch_itch",
    policy: str | None = None,
    seed: int = 0,
    options: dict[str, Any] | None = None,
    script: Sequence[tuple[int, Any]] | None = None,
) -> int:
    """Open the window and stay until it is closed; returns the exit code. See :func:`make_window`."""
    app = application()
    window = make_window(scene, policy, seed, options, script, play=bool(script))
    window.show()
    # Ctrl-C in the terminal closes the window; the timer lets Python see the signal.
    previous = signal.signal(signal.SIGINT, lambda *_: window.close())
    hook, sys.excepthook = sys.excepthook, lambda *fault: tell_fault(window, *fault)
    waker = QTimer(interval=200)
    waker.timeout.connect(lambda: None)
    waker.start()
    try:
        return app.exec_()
    finally:
        waker.stop()
        sys.excepthook = hook
        signal.signal(signal.SIGINT, previous)
