"""Windows to test: each real, with its processes; and nothing may be left when a test is over."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qtpy import sip
from qtpy.QtCore import QEvent, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from benchmarks.monkey_cage import family, running_timers, top_levels
from dynamite.agent import Agent
from dynamite.checkpoint import save_checkpoint
from dynamite.spec import SceneSpec
from dynamite.variants import configure
from robot_app.recipe import SceneRecipe
from robot_app.window.app import application, make_window
from robot_app.window.main_window import MainWindow
from robot_app.window.settings import SETTINGS_VARIABLE
from scenes import make_scene


def our_processes() -> set[int]:
    return set(family())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a window run in one worker."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def qapp() -> QApplication:
    return application()


@pytest.fixture(scope="session", autouse=True)
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Never the user's own settings."""
    path = tmp_path_factory.mktemp("settings") / "settings.ini"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SETTINGS_VARIABLE, str(path))
        yield path


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's checkpoint of an agent that has learnt nothing, but believes something."""
    scene = make_scene("scratch_itch", fields=("itch", "force", "impairment"))
    agent = Agent(SceneSpec.of(scene), configure("scratch_itch", "dynamite"))
    scene.close()
    folder = tmp_path_factory.mktemp("runs") / "novice" / "checkpoints" / "000000001000"
    return save_checkpoint(folder, agent, counters={"iteration": 1, "frames": 1000})


@pytest.fixture(autouse=True)
def no_leftovers(qapp: QApplication) -> Iterator[None]:
    """A test that leaves a process, a thread, a running timer or a window fails, whatever it tests."""
    processes, threads, windows = (
        our_processes(),
        set(threading.enumerate()),
        frozenset(qapp.topLevelWidgets()),
    )
    yield
    assert our_processes() <= processes
    assert set(threading.enumerate()) <= threads
    qapp.sendPostedEvents(None, QEvent.DeferredDelete)
    if running_timers() or top_levels(windows):
        gc.collect()  # what only Python's cycles still hold is no leak
    assert running_timers() == []
    assert top_levels(windows) == []


@pytest.fixture
def wait(qapp: QApplication) -> Callable[..., None]:
    """``wait(condition)``: let the window live until it holds."""
    return waiter(qapp)


def waiter(app: QApplication) -> Callable[..., None]:
    import time

    def until(condition: Callable[[], object], seconds: float = 20.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            app.processEvents()
            time.sleep(0.002)
            assert time.monotonic() < end, "it did not happen"

    return until


def press(window: MainWindow, wait: Callable[..., None], *keys: Qt.Key) -> None:
    """Press keys in the picture of a window that has the keyboard: shortcuts are the active window's alone."""
    window.activateWindow()
    wait(window.isActiveWindow)
    window.viewport.setFocus()
    for key in keys:
        QTest.keyClick(window.viewport, key)


@pytest.fixture
def open_window(qapp: QApplication) -> Iterator[Callable[..., MainWindow]]:
    """Opens windows that are closed with the test."""
    windows: list[MainWindow] = []

    def make(patience: float = 20.0, **arguments) -> MainWindow:
        window = make_window(**arguments)
        windows.append(window)
        window.show()
        until = waiter(qapp)
        until(
            lambda: window.workbench.scene is not None and window.workbench.history.last is not None, patience
        )
        return window

    yield make
    inside = [
        widget for window in windows for widget in (window, *window.panels.values(), *window.docks.values())
    ]
    for window in windows:
        window.close()
        window.deleteLater()
    qapp.processEvents()
    qapp.sendPostedEvents(None, QEvent.DeferredDelete)
    assert all(sip.isdeleted(widget) for widget in inside)  # panels end with their window


RECIPE = SceneRecipe("scratch_itch", {"fields": ["itch", "force", "impairment"]})


@pytest.fixture(scope="session")
def window(qapp: QApplication, checkpoint: Path) -> Iterator[MainWindow]:
    """One window for many tests, with every kind of latent field and a policy that believes."""
    made = make_window(RECIPE, str(checkpoint), seed=3)
    made.show()
    waiter(qapp)(lambda: made.workbench.history.last is not None and made.viewport.shown is not None)
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


@pytest.fixture
def fresh(window: MainWindow, checkpoint: Path, wait) -> MainWindow:
    """That window, paused at step 0 of seed 3 in real time, whatever was done to it."""
    bench = window.workbench
    bench.runtime.pause()
    bench.set_speed(1.0)
    bench.runtime.set_loop(True)
    before = bench.history.episode
    if (bench.scene.recipe, bench.scene.policy) != (RECIPE, str(checkpoint)):
        bench.load(RECIPE, str(checkpoint), 3)
    else:
        bench.reset(3)
    wait(
        lambda: (
            bench.history.episode > before and bench.status.state == "paused" and bench.status.speed == 1.0
        )
    )
    bench.undo_stack.clear()
    window.panels["preference"].discard()
    window.viewport.look_from(0)
    return window
