"""Commands: what every action does. One method per callback named in :mod:`robot_app.window.actions`."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

from qtpy.QtGui import QGuiApplication

if TYPE_CHECKING:
    from robot_app.window.main_window import MainWindow


class Commands:
    """Args:
    window: whose panels and workbench are commanded.
    """

    def __init__(self, window: MainWindow) -> None:
        self.window, self.bench = window, window.workbench

    # -- file
    def show_scene(self) -> None:
        self.window.show_panel("setup")

    def open_checkpoint(self) -> None:
        self.window.opener.choose_folder("A checkpoint's or a run's folder")

    def open_episode(self) -> None:
        self.window.opener.choose_folder("A recorded episode's folder")

    def open_configuration(self) -> None:
        self.window.opener.choose_configuration()

    def open_recent(self) -> None:
        centre = self.window.viewport.mapToGlobal(self.window.viewport.rect().center())
        self.window.opener.menu.popup(centre)

    def quit(self) -> None:
        self.window.close()

    # -- run
    def play_pause(self) -> None:
        self.bench.play_pause()

    def step(self) -> None:
        self.bench.runtime.step()

    def reset(self) -> None:
        self.bench.reset(self.bench.seed)

    def next_seed(self) -> None:
        self.bench.reset(self.bench.seed + 1)

    def faster(self) -> None:
        self.bench.change_speed(+1)

    def slower(self) -> None:
        self.bench.change_speed(-1)

    def real_time(self) -> None:
        self.bench.set_speed(1.0)

    def set_loop(self, on: bool) -> None:
        self.bench.settings.set_flag("run/loop", on)
        self.bench.runtime.set_loop(on)

    def set_compare(self, on: bool) -> None:
        if on:
            self.window.show_panel("compare")
        comparing = self.window.panels["compare"].set_comparing(on)
        self.window.set_checked("run.compare", comparing)

    # -- preference
    def set_place(self, on: bool) -> None:
        self.window.viewport.set_placing(on)

    def apply_now(self) -> None:
        self.window.panels["preference"].apply_now()

    def apply_next(self) -> None:
        self.window.panels["preference"].apply_next()

    def drift(self) -> None:
        self.window.panels["preference"].drift()

    def surprise(self) -> None:
        self.bench.surprise()

    def undo(self) -> None:
        self.bench.undo_stack.undo()

    def redo(self) -> None:
        self.bench.undo_stack.redo()

    # -- timeline
    def seek_start(self) -> None:
        self.bench.runtime.seek(0)

    def step_back(self) -> None:
        self.bench.step_back()

    def previous_change(self) -> None:
        self.bench.jump(-1)

    def next_change(self) -> None:
        self.bench.jump(+1)

    def live(self) -> None:
        self.bench.runtime.live()

    def branch(self) -> None:
        self.bench.branch()

    def verify(self) -> None:
        self.bench.runtime.verify()

    def next_take(self) -> None:
        self.bench.change_take(+1)

    def previous_take(self) -> None:
        self.bench.change_take(-1)

    # -- view
    def set_heat(self, on: bool) -> None:
        self.bench.set_view(heat=on)

    def set_truth(self, on: bool) -> None:
        self.bench.set_view(truth=on)

    def set_force(self, on: bool) -> None:
        self.bench.set_view(force=on)

    def set_shadow(self, on: bool) -> None:
        self.bench.set_view(shadow=on)

    def set_follow(self, on: bool) -> None:
        self.window.viewport.set_following(on)

    def camera(self, number: int) -> None:
        self.window.viewport.look_from(number - 1)

    def __getattr__(self, name: str):
        if name.startswith("camera_") and name[7:].isdigit():
            return lambda: self.camera(int(name[7:]))
        raise AttributeError(name)

    def switch_theme(self) -> None:
        self.window.set_theme("light" if self.bench.theme.name == "dark" else "dark")

    def set_presenter(self, on: bool) -> None:
        self.window.presenter.set_presenting(on)

    def set_full_screen(self, on: bool) -> None:
        self.window.showFullScreen() if on else self.window.showNormal()

    def reset_layout(self) -> None:
        self.window.reset_layout()

    # -- training
    def start_training(self) -> None:
        self.window.show_panel("training")
        self.window.panels["training"].start()

    def pause_training(self) -> None:
        self.window.panels["training"].pause()

    def open_board(self) -> None:
        self.window.panels["training"].open_board()

    def stop_training(self) -> None:
        self.window.panels["training"].stop()

    def set_watch(self, on: bool) -> None:
        watching = self.window.panels["training"].set_watching(on)
        self.window.set_checked("training.watch", watching)

    # -- record
    def _recording(self, method: str, *arguments) -> None:
        self.window.panels["recording"].attempt(method, *arguments)

    def set_film(self, on: bool) -> None:
        self._recording("set_film", on)

    def still(self) -> None:
        self._recording("still_wanted")

    def save_episode(self) -> None:
        self._recording("episode_wanted")

    def export_table(self) -> None:
        self._recording("table_wanted")

    def save_figure(self) -> None:
        self._recording("figure_wanted")

    def show_recordings(self) -> None:
        self._recording("show_folder")

    # -- help
    def show_palette(self) -> None:
        self.window.palette_box.open()

    def show_first_steps(self) -> None:
        self.window.first_steps.begin()

    def set_help(self, on: bool) -> None:
        self.window.help.setVisible(on)

    def copy_report(self) -> None:
        """Everything a bug report needs, to the clipboard."""
        QGuiApplication.clipboard().setText(self.report())
        self.bench.tell("info", "The report is on the clipboard.")

    def report(self) -> str:
        """Versions, what is loaded, the log."""
        from robot_app.version import code_version

        scene = self.bench.scene
        about = {
            **code_version(),
            "python": platform.python_version(),
            "system": platform.platform(),
            "screen": QGuiApplication.platformName(),
            "scene": None if scene is None else scene.recipe.to_json(),
            "policy": None if scene is None else scene.policy,
            "seed": self.bench.seed,
        }
        return json.dumps(about, indent=1, default=str) + "\n\n" + self.window.panels["log"].report()
