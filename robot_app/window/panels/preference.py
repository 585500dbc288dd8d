"""Edit what the person wants, and how long they want it: one editor per field of the scene's LatentSpace."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from dynamite.acting import Frame
from robot_app.figures.beliefs import field_charts
from robot_app.figures.panel import Chart, Picture, SkinChart
from robot_app.messages import Edited, Loaded
from robot_app.window.field_editors import FieldEditor, NumberRow, make_editor
from robot_app.window.listener import KERNEL_WORDS
from robot_app.window.panel import BasePanel, column, empty_state, heading, quiet
from robot_app.window.schedule_editor import ScheduleEditor
from robot_app.window.tab_order import tab_as_read
from robot_app.window.workbench import Workbench

#: How sessions end, in the order of the combo.
_RANDOM, _FIXED, _NEVER, _SCHEDULE = range(4)


class Panel(BasePanel):
    title = "Preference"
    area = "left"
    order = 10
    scrolls = True

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.editors: dict[str, FieldEditor] = {}
        self._touched: set[str] = set()  # fields that were edited and not applied
        self._blind = False
        self._column = column(self)
        self._empty = empty_state("Preferences of the scene appear here when it is loaded.")
        self._column.addWidget(self._empty)
        self._body = QWidget()
        self._body.hide()
        body = QVBoxLayout(self._body)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(7)
        self._fields = QVBoxLayout()
        self._fields.setSpacing(10)
        body.addLayout(self._fields)
        body.addLayout(self._make_buttons())
        self.in_force = quiet("", wrap=True)
        body.addWidget(self.in_force)
        body.addLayout(self._make_sessions())
        body.addStretch(1)
        self._column.addWidget(self._body, 1)
        workbench.edited.connect(self._edited)
        workbench.takes_changed.connect(self._takes_changed)
        workbench.truth_changed.connect(self._show_or_hide)

    # ------------------------------------------------------------------------------------------------ making
    def _make_buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(6)
        self.now, self.later, self.drift_button = (
            QPushButton("Apply now"), QPushButton("At next session"), QPushButton("Let it drift")
        )  # fmt: skip
        self.now.setObjectName("primary")
        self.now.setToolTip("Put the edited preference in force with the next step (Ctrl+Return).")
        self.later.setToolTip("Keep it until this session ends (Ctrl+Shift+Return).")
        self.drift_button.setToolTip(
            "Leave the preference alone: from now on it takes small random steps at every session end (D)."
        )
        self.now.clicked.connect(self.apply_now)
        self.later.clicked.connect(self.apply_next)
        self.drift_button.clicked.connect(self.drift)
        for button in (self.now, self.later, self.drift_button):
            row.addWidget(button)
        return row

    def _make_sessions(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(5)
        self._captions: list[QLabel] = []
        self.ends = QComboBox()
        self.ends.addItems(["at random", "after a fixed number of steps", "never", "as scheduled"])
        self.ends.setAccessibleName("How sessions end")
        self.ends.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.probability = NumberRow("Chance", 0.0, 20.0, "% a step", 1)
        self.probability.box.setFixedWidth(92)
        self.length = NumberRow("Length", 1, 200, "steps", 0)
        self.length.box.setFixedWidth(92)
        self.kernel = QComboBox()
        self.kernel.setAccessibleName("Where the next preference lies")
        self.kernel.setToolTip("How the next preference is drawn when a session ends, from now on.")
        for row, caption, widget in (
            (0, heading("Sessions end"), self.ends),
            (2, quiet("Next one"), self.kernel),
        ):
            caption.setBuddy(widget)
            self._captions.append(caption)
            grid.addWidget(caption, row, 0)
            grid.addWidget(widget, row, 1)
        grid.addWidget(self.probability, 1, 0, 1, 2)
        grid.addWidget(self.length, 1, 0, 1, 2)
        self.schedule = ScheduleEditor(self.values)
        self.schedule.changed.connect(self._schedule)
        grid.addWidget(self.schedule, 1, 0, 1, 2)
        grid.setColumnStretch(1, 1)
        self.ends.activated.connect(self._ends_chosen)
        self.probability.changed.connect(lambda value: self.workbench.set_termination(value / 100))
        self.length.changed.connect(lambda value: self.workbench.set_termination({"length": round(value)}))
        self.kernel.activated.connect(lambda _: self.workbench.set_kernel(self.kernel.currentData()))
        return grid

    def on_loaded(self, loaded: Loaded) -> None:
        self._blind = not self.workbench.view.truth  # it may have been hidden when the window last closed
        if loaded.changed_scene:
            self._make_editors(loaded)
            self.schedule.set_space(loaded.space, loaded.episode_length)
            self.schedule.set_blind(self._blind)
        self._show_termination(loaded.termination)
        self.kernel.clear()
        for name, words in KERNEL_WORDS.items():
            if name == loaded.kernel or name != "swap":
                self.kernel.addItem(words, name)
        self.kernel.setCurrentIndex(self.kernel.findData(loaded.kernel))
        self._empty.hide()
        self._body.show()

    def _make_editors(self, loaded: Loaded) -> None:
        for editor in self.editors.values():
            self._fields.removeWidget(editor)
            editor.setParent(None)
            editor.deleteLater()
        self.editors = {}
        for field in loaded.space.fields:
            editor = make_editor(field, self.workbench.theme)
            editor.changed.connect(lambda name=field.name: self._touch(name))
            self._fields.addWidget(editor)
            self.editors[field.name] = editor
        tab_as_read(self)
        self._untouch()

    # ------------------------------------------------------------------------------------------------ editing
    def values(self) -> dict[str, Any]:
        """What the editors say, JSON-plain; while the truth is hidden, of the fields that were touched alone."""
        return {
            name: editor.value()
            for name, editor in self.editors.items()
            if not self._blind or name in self._touched
        }

    def apply_now(self) -> None:
        self._apply(at_next_session=False)

    def apply_next(self) -> None:
        self._apply(at_next_session=True)

    def _apply(self, at_next_session: bool) -> None:
        values = self.values()
        if values:
            self.workbench.edit(values, at_next_session)
            self._untouch()
            if self._blind:
                self.discard()  # what was put in force is not to be read here either

    def drift(self) -> None:
        """The preference wanders by itself from now on."""
        if self.workbench.scene is not None:
            self._untouch()
            self.workbench.drift()

    def _touch(self, name: str) -> None:
        self._touched.add(name)
        self._show_touched()

    def _untouch(self) -> None:
        self._touched.clear()
        self._show_touched()

    def discard(self) -> None:
        """Forget what was edited and not applied; the editors follow the truth again."""
        self._untouch()
        if self.workbench.latent is not None:
            self._show_truth(self.workbench.latent)

    def _show_touched(self) -> None:
        self.now.setEnabled(bool(self._touched))
        self.later.setEnabled(bool(self._touched))

    def _show_or_hide(self, truth: bool) -> None:
        self._blind = not truth
        self.schedule.set_blind(self._blind)
        self.discard()

    def on_frame(self, frame: Frame) -> None:
        self._show_truth(frame.latent)

    def _edited(self, message: Edited) -> None:
        self._show_truth(message.latent)
        if message.event.kind == "termination":
            self._show_termination(message.event.value)
        elif message.event.kind == "kernel":
            self._show_kernel()

    def _takes_changed(self) -> None:
        """Another take may be under other rules."""
        if self.editors:
            self._show_termination(self.workbench.termination)
            self._show_kernel()

    def _show_kernel(self) -> None:
        self.kernel.setCurrentIndex(self.kernel.findData(self.workbench.kernel))

    def _show_truth(self, latent: dict[str, Any]) -> None:
        scene = self.workbench.scene
        if scene is None or set(latent) != set(self.editors):
            return
        for name, editor in self.editors.items():
            editor.set_truth(None if self._blind else latent[name])
            if self._blind and name not in self._touched:
                editor.clear()
            elif not self._blind and not self._touched:  # what is being edited stays as it is
                editor.set_value(latent[name])
        said = "hidden (T shows it)" if self._blind else scene.space.to_text(latent)
        self.in_force.setText(f"In force: {said}")

    # ------------------------------------------------------------------------------------------------ sessions
    def _ends_chosen(self, how: int) -> None:
        bench = self.workbench
        if how == _FIXED:
            bench.set_termination({"length": max(1, round(self.length.value))})
        elif how == _NEVER:
            bench.set_termination(0.0)
        elif how == _RANDOM:
            bench.set_termination(self.probability.value / 100 or 0.02)
        else:
            self._schedule(self.schedule.entries)

    def _schedule(self, entries: list[dict[str, Any]]) -> None:
        """The preference changes at these steps, and at no others."""
        self.workbench.set_termination({"schedule": entries})
        self._untouch()

    def _show_termination(self, value: Any) -> None:
        if isinstance(value, dict) and "schedule" in value:
            how = _SCHEDULE
            self.schedule.show_entries(value["schedule"])
        elif isinstance(value, dict):
            how = _FIXED
            self.length.set_value(value["length"])
        elif value == 0.0:
            how = _NEVER
        else:
            how = _RANDOM
            self.probability.set_value(100 * float(value))
        if self.length.value <= 1:
            self.length.set_value(40)
        self.ends.setCurrentIndex(how)
        self.probability.setVisible(how == _RANDOM)
        self.length.setVisible(how == _FIXED)
        self.schedule.setVisible(how == _SCHEDULE)
        for widget in (self._captions[1], self.kernel):  # a schedule says itself what comes next
            widget.setVisible(how != _SCHEDULE)

    def figure_parts(self) -> list[Chart | SkinChart | Picture]:
        """The true preference over the episode; where it is hidden, how the panel looks."""
        bench = self.workbench
        if bench.scene is None or bench.shown is None or self._blind:
            return super().figure_parts()
        return list(field_charts(bench.history, bench.scene.space, bench.shown, truth=True, belief=False))

    def on_theme(self, theme) -> None:
        for editor in self.editors.values():
            editor.set_theme(theme)
