"""TrainingForm: what a new training is to be — scene, variant, preset, steps, seed, settings — as a Wish."""

from __future__ import annotations

import shlex
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QFileDialog, QGridLayout, QLineEdit, QSizePolicy, QSpinBox, QWidget

from dynamite.config_io import list_presets, load_yaml, parse_overrides, with_overrides
from dynamite.variants import configure, find_variant, list_variants
from robot_app.training_runs import Wish
from scenes.errors import InputError
from scenes.registry import SCENES

_BROWSE = "from a file…"


class TrainingForm(QWidget):
    """Two columns of fields."""

    refused = Signal(object, str)  # Path of a file that is no configuration, and why

    def __init__(self) -> None:
        super().__init__()
        self.scene, self.variant, self.preset = QComboBox(), QComboBox(), QComboBox()
        for name, entry in SCENES.items():
            self.scene.addItem(name.replace("_", " "), name)
            self.scene.setItemData(self.scene.count() - 1, entry.summary, Qt.ToolTipRole)
        for name in list_variants():
            self.variant.addItem(name, name)
            self.variant.setItemData(self.variant.count() - 1, find_variant(name).summary, Qt.ToolTipRole)
        self.variant.setCurrentIndex(max(0, self.variant.findData("dynamite")))
        self.frames, self.seed, self.settings = QSpinBox(), QSpinBox(), QLineEdit()
        self.frames.setRange(0, 1_000_000)
        self.frames.setSuffix(" k steps")
        self.frames.setSpecialValueText("preset's steps")
        self.frames.setToolTip("Environment steps in total, in thousands; 0 for what the preset says.")
        self.seed.setRange(0, 2**31 - 1)
        self.seed.setPrefix("seed ")
        self.settings.setPlaceholderText("settings, such as ppo.lr=3e-4")
        self.settings.setToolTip(
            "section.field=value, several separated by spaces; robot-app train --set takes the same."
        )
        self.preset.setToolTip("Where the settings start from: the scene's own, or a configuration in YAML.")
        self._arrange()
        self.scene.currentIndexChanged.connect(lambda _: self._offer_presets())
        self.preset.activated.connect(self._preset_chosen)
        self._offer_presets()

    def _arrange(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        for control, name, row, column, span in (
            (self.scene, "Scene to train in", 0, 0, 1), (self.variant, "Learning variant", 0, 1, 1),
            (self.preset, "Preset", 1, 0, 2), (self.frames, "Steps in total", 2, 0, 1), (self.seed, "Seed", 2, 1, 1),
            (self.settings, "Settings", 3, 0, 2),
        ):  # fmt: skip
            control.setAccessibleName(name)
            control.setMinimumWidth(60)
            control.setSizePolicy(QSizePolicy.Ignored, QSizePolicy.Fixed)
            grid.addWidget(control, row, column, 1, span)
        for column in (0, 1):
            grid.setColumnStretch(column, 1)
            grid.setColumnMinimumWidth(column, 116)
        grid.setRowStretch(4, 1)

    def _offer_presets(self) -> None:
        scene = self.scene.currentData()
        self.preset.clear()
        words = "preset of" if scene in list_presets() else "default settings for"
        self.preset.addItem(f"{words} {scene.replace('_', ' ')}", None)
        self.preset.addItem(_BROWSE, _BROWSE)

    def _preset_chosen(self, _: int) -> None:
        if self.preset.currentData() != _BROWSE:
            return
        self.preset.setCurrentIndex(0)
        path, _kind = QFileDialog.getOpenFileName(
            self, "A training's configuration", "", "YAML (*.yaml *.yml)"
        )
        if path:
            try:
                self.take_config(Path(path))
            except InputError as error:
                self.refused.emit(Path(path), str(error))

    def take_config(self, path: Path) -> None:
        """Start from a file: its scene and variant are chosen, the rest is read when the training starts.

        Raises:
            InputError: it is no configuration.
        """
        config = load_yaml(path)
        self.choose(config.scene.name, config.variant)
        self.preset.insertItem(1, f"file {path.name}", str(path))
        self.preset.setItemData(1, str(path), Qt.ToolTipRole)
        self.preset.setCurrentIndex(1)

    def choose(self, scene: str | None, variant: str | None = None) -> None:
        """Show a scene and a variant; names that do not exist change nothing."""
        for combo, value in ((self.scene, scene), (self.variant, variant)):
            at = combo.findData(value)
            if at >= 0:
                combo.setCurrentIndex(at)

    def wish(self) -> Wish:
        """What the form says, proved by building the configuration.

        Raises:
            InputError: a setting that does not exist, or out of bounds; a file that is none.
        """
        try:
            words = shlex.split(self.settings.text())
        except ValueError as error:
            raise InputError("settings", self.settings.text(), f"words without such ({error})") from None
        overrides = parse_overrides(words)
        scene, variant = self.scene.currentData(), self.variant.currentData()
        file = self.preset.currentData()
        config = configure(scene, variant)
        if file is not None:
            config = load_yaml(file, config)
        with_overrides(config, overrides)
        frames = self.frames.value() * 1000 or None
        path = None if file is None else Path(file)
        return Wish(
            config.scene.name, config.variant, self.seed.value(), frames, tuple(overrides.items()), path
        )
