"""Opener: whatever is dropped, chosen from the recent files or from a dialog is opened here, or its trouble is told."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QFileDialog, QMenu

from robot_app.opening import Openable, Unopenable, find_out
from robot_app.recent import RecentFiles
from robot_app.recipe import SceneRecipe
from robot_app.troubles import other_scene, unreadable, vanished
from scenes.errors import InputError

if TYPE_CHECKING:
    from robot_app.window.main_window import MainWindow

_KEY = "files/recent"


class Opener:
    """Args:
    window: whose panels and workbench show what is opened.
    """

    def __init__(self, window: MainWindow) -> None:
        self.window, self.bench = window, window.workbench
        self.recent = RecentFiles(str(self.bench.settings.value(_KEY, "")))
        self.menu = QMenu("Open Recent", window)
        self.menu.setObjectName("menu.recent")
        self.menu.aboutToShow.connect(self.fill_menu)

    # ------------------------------------------------------------------------------------------------ recent files
    def fill_menu(self) -> None:
        """The newest first."""
        self.menu.clear()
        for entry in self.recent.entries:
            action = self.menu.addAction(entry.title)
            action.setToolTip(str(entry.path))
            action.triggered.connect(lambda _=False, path=entry.path: self.open_recent(path))
        if not self.recent.entries:
            self.menu.addAction("Nothing opened yet: drop a checkpoint or an episode here").setEnabled(False)

    def open_recent(self, path: Path) -> None:
        """Open it, if it is still there."""
        if path.exists():
            self.open(path)
        else:
            self.bench.tell_trouble(vanished(path), {"forget": lambda: self.forget(path)})

    def forget(self, path: Path) -> None:
        self.recent.remove(path)
        self._remember()

    def remember(self, found: Openable) -> None:
        """To the top of the recent files."""
        self.recent.add(found.path, found.title)
        self._remember()

    def _remember(self) -> None:
        self.bench.settings.set_value(_KEY, self.recent.to_text())

    # ------------------------------------------------------------------------------------------------ opening
    def choose_folder(self, title: str) -> None:
        """Ask for a folder, and open it."""
        folder = QFileDialog.getExistingDirectory(self.window, title, str(Path.cwd()))
        if folder:
            self.open(Path(folder))

    def choose_configuration(self) -> None:
        """Ask for a YAML file, and open it."""
        path, _ = QFileDialog.getOpenFileName(
            self.window, "A training's configuration", str(Path.cwd()), "YAML (*.yaml *.yml)"
        )
        if path:
            self.open(Path(path))

    def open(self, path: Path) -> None:
        """Find out what it is, and open that."""
        try:
            found = find_out(path)
        except Unopenable as error:
            self.bench.tell_trouble(unreadable(error.kind, error.path, str(error)))
            return
        getattr(self, f"_open_{found.kind}")(found)

    def _open_checkpoint(self, found: Openable) -> None:
        here = self.bench.scene
        if here is not None and here.recipe.name != found.scene:
            trouble = other_scene(found.path, found.scene, here.recipe.name)
            self.bench.tell_trouble(trouble, {"open": lambda: self._let_act(found)})
        else:
            self._let_act(found)

    def _let_act(self, found: Openable) -> None:
        """In a scene as the policy knows it."""
        from robot_app.recording import trained_recipe

        bench, path = self.bench, str(found.path)
        try:
            recipe = trained_recipe(SceneRecipe(found.scene), path)
        except InputError as error:
            bench.tell_trouble(unreadable("checkpoint", found.path, str(error)))
            return
        bench.load(recipe, path, bench.seed, bench.status.state == "playing")
        self.remember(found)

    def _open_episode(self, found: Openable) -> None:
        """All of it, at its start: to be looked at, played, and gone on from at any step."""
        episode, bench = found.episode, self.bench
        assert episode is not None
        try:
            episode.require_scene()
        except InputError as error:
            bench.tell_trouble(unreadable("episode", found.path, str(error)))
            return
        bench.revisit(episode)
        self.remember(found)
        whole = "" if episode.complete else " It was cut off while it was recorded; what is whole is here."
        bench.tell(
            "info", f"Opened {found.title}, {episode.n_steps} steps. It is run again to verify it…{whole}"
        )

    def _open_configuration(self, found: Openable) -> None:
        """Into the form of a new training."""
        panel = self.window.panels["training"]
        panel.follow(None)
        panel.form.take_config(found.path)
        self.window.show_panel("training")
        self.remember(found)
        self.bench.tell("info", f"{found.path.name} is in the Training panel: press Start to train with it.")
