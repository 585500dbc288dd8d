"""Which scene, who acts in it, and how the scene is built."""

from __future__ import annotations

import inspect
from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

import policies
from robot_app.messages import Loaded
from robot_app.recipe import SceneRecipe
from robot_app.window.listener import policy_title
from robot_app.window.panel import BasePanel, column, quiet
from robot_app.window.scrolling import scrolled
from robot_app.window.tab_order import tab_as_read
from robot_app.window.workbench import Workbench
from scenes.errors import InputError
from scenes.registry import SCENES, find_scene

#: Options that a scene's class takes and what they may be; others are set from the command line.
_BROWSE = "Open a checkpoint…"


def option_choices(scene: str) -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """Default and allowed values of the scene's options that are choices: name → (default, values); none of a scene that
    is not installed."""
    if not find_scene(scene).installed:
        return {}
    from scenes.care.body import GENDERS, IMPAIRMENTS
    from scenes.care.robots import robots_at
    from scenes.care.robots.controllers import CONTROLLERS
    from scenes.control.mujoco_scene import REWARDS

    scene_class = find_scene(scene).load()
    known: dict[str, tuple[Any, ...]] = {
        "robot": robots_at(getattr(scene_class, "place", "")), "controller": tuple(CONTROLLERS),
        "gender": GENDERS, "impairment": IMPAIRMENTS,
        "reward": REWARDS,
    }  # fmt: skip
    found = {}
    for parameter in inspect.signature(scene_class).parameters.values():
        if known.get(parameter.name):
            found[parameter.name] = (parameter.default, known[parameter.name])
        elif isinstance(parameter.default, bool):
            found[parameter.name] = (parameter.default, (False, True))
    return found


def optional_fields(scene: str) -> tuple[tuple[str, str], ...]:
    """(name, label) of latent fields that can be switched on, the first being always there."""
    if not find_scene(scene).installed:
        return ()
    fields = getattr(find_scene(scene).load(), "latent_fields", None)
    return () if fields is None else tuple((name, field.label) for name, field in fields.items())


class Panel(BasePanel):
    title = "Set-up"
    area = "left"
    order = 20

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        body = QWidget()
        layout = column(body, spacing=8)
        outer.addWidget(scrolled(body), 1)
        form = _form()
        self.scene, self.policy, self.seed = QComboBox(), QComboBox(), QSpinBox()
        self.seed.setRange(0, 2**31 - 1)
        for name in SCENES:
            self.scene.addItem(name.replace("_", " "), name)
        for label, control in (("Scene", self.scene), ("Policy", self.policy), ("Seed", self.seed)):
            control.setAccessibleName(label)
            form.addRow(_label(label), control)
        self.policy.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        layout.addLayout(form)
        self.summary = quiet("", wrap=True)
        layout.addWidget(self.summary)
        self._options_box = QWidget()
        self._options = _form()
        self._options_box.setLayout(self._options)
        layout.addWidget(self._options_box)
        self.options: dict[str, QComboBox] = {}
        self.fields: dict[str, QCheckBox] = {}
        row = QHBoxLayout()  # below what scrolls: a scene that was chosen is there once this is pressed
        row.setContentsMargins(10, 6, 10, 8)
        self.load_button = QPushButton("Load")
        self.load_button.setObjectName("primary")
        self.load_button.setToolTip("Build the scene and start an episode.")
        row.addStretch(1)
        row.addWidget(self.load_button)
        layout.addStretch(1)
        outer.addLayout(row)
        workbench.episode_started.connect(lambda: self.seed.setValue(workbench.seed))
        self.scene.activated.connect(lambda _: self.show_scene(self.scene.currentData()))
        self.policy.activated.connect(self._policy_chosen)
        self.load_button.clicked.connect(self.load)

    # ------------------------------------------------------------------------------------------------ showing
    def on_loaded(self, loaded: Loaded) -> None:
        self.scene.setCurrentIndex(self.scene.findData(loaded.recipe.name))
        self.show_scene(loaded.recipe.name, loaded.recipe)
        self._offer(loaded.policy)

    def show_scene(self, name: str, recipe: SceneRecipe | None = None) -> None:
        """Offer what there is for a scene."""
        entry = find_scene(name)
        missing = "" if entry.installed else f"\nNot installed here. To install it: {entry.command}"
        self.summary.setText(entry.summary + missing)
        self.load_button.setEnabled(entry.installed)
        self.policy.clear()
        for policy in policies.list_policies(name):
            self.policy.addItem(policy, policy)
        self.policy.insertSeparator(self.policy.count())
        self.policy.addItem(_BROWSE, None)
        self.policy.setCurrentIndex(max(0, self.policy.count() - 3))
        while self._options.rowCount():
            self._options.removeRow(0)
        given = {} if recipe is None else recipe.options
        self.options = {}
        for option, (default, values) in option_choices(name).items():
            combo = QComboBox()
            combo.setAccessibleName(option)
            for value in values:
                combo.addItem(_title(option, value), value)
            combo.setCurrentIndex(combo.findData(given.get(option, default)))
            self._options.addRow(_label(option.replace("_", " ").capitalize()), combo)
            self.options[option] = combo
        self.fields = {}
        for i, (field, label) in enumerate(optional_fields(name)):
            box = QCheckBox(label)
            box.setChecked(i == 0 or field in given.get("fields", ()))
            box.setEnabled(i > 0)
            box.setToolTip("Hidden from the policy, and changing from session to session.")
            self._options.addRow(_label("Hides" if i == 0 else ""), box)
            self.fields[field] = box
        tab_as_read(self)

    def _offer(self, policy: str) -> None:
        """Select a policy; add it where it is a folder."""
        at = self.policy.findData(policy)
        if at < 0:
            self.policy.insertItem(0, policy_title(policy), policy)
            self.policy.setItemData(0, policy, 3)  # Qt.ToolTipRole
            at = 0
        self.policy.setCurrentIndex(at)

    def _policy_chosen(self, _: int) -> None:
        if self.policy.currentText() == _BROWSE:
            self.open_checkpoint()
            return
        from robot_app.recording import trained_recipe

        # A trained policy knows the scene with the options it was trained in.
        try:
            recipe = trained_recipe(SceneRecipe(self.scene.currentData()), self.policy.currentData())
        except InputError as error:
            self.workbench.tell("error", str(error))
            return
        for option, value in recipe.options.items():
            if option in self.options:
                self.options[option].setCurrentIndex(self.options[option].findData(value))
            elif option == "fields":
                for field, box in self.fields.items():
                    box.setChecked(field in value)

    # ------------------------------------------------------------------------------------------------ doing
    def open_checkpoint(self) -> None:
        """Choose a folder and let the policy in it act; until then, whoever acts stays chosen."""
        if self.workbench.scene is not None and self.workbench.scene.recipe.name == self.scene.currentData():
            self._offer(self.workbench.scene.policy)
        self.workbench.checkpoint_wanted.emit()

    def recipe(self) -> SceneRecipe:
        """The scene as set up here; only what differs from the scene's defaults is said."""
        name = self.scene.currentData()
        defaults = option_choices(name)
        options = {
            option: combo.currentData()
            for option, combo in self.options.items()
            if combo.currentData() != defaults[option][0]
        }
        chosen = [field for field, box in self.fields.items() if box.isChecked()]
        if len(chosen) > 1:
            options["fields"] = chosen
        loaded = self.workbench.scene
        if loaded is not None and loaded.recipe.name == name:  # sessions are the Preference panel's
            return SceneRecipe(name, options, loaded.recipe.termination, loaded.recipe.kernel)
        return SceneRecipe(name, options)

    def load(self) -> None:
        playing = self.workbench.status.state == "playing"
        self.workbench.load(self.recipe(), self.policy.currentData(), self.seed.value(), playing)


def _title(option: str, value: Any) -> str:
    """A value as people read it: a robot by its maker's name."""
    if option == "robot":
        from scenes.care.robots import find_robot

        return find_robot(value).label
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).replace("_", " ")


def _label(text: str) -> QLabel:
    label = quiet(text)
    label.setMinimumWidth(72)
    return label


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setHorizontalSpacing(10)
    form.setVerticalSpacing(6)
    form.setFieldGrowthPolicy(QFormLayout.AllNonFixedFieldsGrow)
    return form
