"""FirstSteps: four things to do, one at a time, over the picture of whoever opens the window for the first time.

Each step goes when it is done, in whatever way it is done; the last takes all of it away for good. Help → First Steps brings
it back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton

from robot_app.window.icons import icon
from robot_app.window.theme import Theme
from scenes.latent import PointField

if TYPE_CHECKING:
    from robot_app.window.main_window import MainWindow

#: The settings' key: whether they were done or put away.
DONE = "told/first_steps"
#: What is done in each step, in order; and the action that its button does, with the button's words.
STEPS = ("move", "rewind", "branch", "film")
_BUTTONS = {
    "move": ("preference.place", "Place"),
    "branch": ("preference.place", "Place"),
    "film": ("record.film", "Record"),
}


class FirstSteps(QFrame):
    """Lies over the bottom of the scene; notices lie above it.

    Args:
        window: whose scene it lies on, and whose actions it does.

    Attributes:
        at: index into :data:`STEPS`.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window.viewport)
        self._window, self._host = window, window.viewport
        self.at, self._state = 0, ""
        self.setObjectName("firstSteps")
        self.setAccessibleName("First steps")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 6, 8)
        row.setSpacing(10)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.RichText)
        self.button, self.dismiss = QPushButton(), QToolButton()
        self.button.setAccessibleName("Do this step")
        self.dismiss.setAccessibleName("Put the first steps away")
        self.dismiss.setToolTip("Put the first steps away; Help, First Steps brings them back.")
        row.addWidget(self.text, 1)
        for button in (self.button, self.dismiss):
            button.setFocusPolicy(Qt.TabFocus)
            row.addWidget(button)
        self.button.clicked.connect(self._do)
        self.dismiss.clicked.connect(self.put_away)
        bench = window.workbench
        bench.edited.connect(
            lambda message: self._done("move") if message.event.kind.startswith("override") else None
        )
        bench.frame.connect(lambda _: self._done("rewind") if bench.cursor is not None else None)
        bench.branched.connect(lambda _: self._done("branch"))
        bench.filmed.connect(self._filmed)
        bench.loaded.connect(lambda _: self._show())
        bench.status_changed.connect(lambda _: self._show_state())
        for name in ("preference.place", "record.film"):
            window.actions_by_id[name].toggled.connect(lambda _: self._show())
        self._host.installEventFilter(self)
        self.set_theme(bench.theme)
        self.setVisible(not bench.settings.flag(DONE, False))

    # ------------------------------------------------------------------------------------------------ what was done
    def begin(self) -> None:
        """From the first step on."""
        self._window.workbench.settings.set_flag(DONE, False)
        self.at = 0
        self.show()
        self._show()

    def put_away(self) -> None:
        """Not to be shown again by itself."""
        self._window.workbench.settings.set_flag(DONE, True)
        self.hide()

    def _done(self, step: str) -> None:
        if self.isHidden() or STEPS[self.at] != step:
            return
        if self.at + 1 == len(STEPS):
            self.put_away()
        else:
            self.at += 1
            self._show()

    def _filmed(self, film) -> None:
        if not film.running and film.path and not film.error:
            self._done("film")

    def _do(self) -> None:
        self._window.actions_by_id[_BUTTONS[STEPS[self.at]][0]].trigger()

    # ------------------------------------------------------------------------------------------------ showing
    def _show_state(self) -> None:
        """Whether the scene plays matters to what is said; how fast does not."""
        state = self._window.workbench.status.state
        if state != self._state:
            self._state = state
            self._show()

    def _point(self) -> PointField | None:
        scene = self._window.workbench.scene
        fields = () if scene is None else scene.space.fields
        return next((field for field in fields if isinstance(field, PointField)), None)

    def words(self) -> tuple[str, str]:
        """What to do now: in short, and how."""
        step, actions = STEPS[self.at], self._window.actions_by_id
        point = self._point()
        wish = point.label.lower() if point is not None else "preference"
        if point is None:
            how = "edit it in the Preference panel and press Apply now."
        elif actions["preference.place"].isChecked():
            how = f"click {self._host.where_to_click()}."
        else:
            how = f"press Place (P), then click {self._host.where_to_click()}."
        if step == "move":
            follow = " Bright skin is where the robot believes it is." if point is not None else ""
            return f"Move the {wish}", f"{how[0].upper()}{how[1:]}{follow}"
        if step == "rewind":
            playing = self._window.workbench.status.state in ("playing", "finished")
            wait = "Wait" if playing else "Press Space to play, and wait"
            return "Rewind", f"{wait} until the belief has followed; then drag back along the timeline."
        if step == "branch":
            return "Change history", f"Move the {wish} somewhere else from here: {how}"
        if actions["record.film"].isChecked():
            return "Take a film", "Space plays. Press Stop (Ctrl+R) when you have seen enough."
        return "Take a film", "Press Record (Ctrl+R), then Space to play."

    def _show(self) -> None:
        if self.isHidden():
            return
        theme, step = self._window.workbench.theme, STEPS[self.at]
        short, how = self.words()
        self.text.setText(
            f'<span style="color:{theme.accent}"><b>{self.at + 1} of {len(STEPS)} · {short}</b></span>&nbsp; {how}'
        )
        name, title = _BUTTONS.get(step, ("", ""))
        action = self._window.actions_by_id.get(name)
        if action is not None and action.isChecked():
            title = "Stop" if step == "film" else ""
        self.button.setText(title)
        possible = name != "preference.place" or self._point() is not None
        self.button.setVisible(bool(title) and possible)
        self.place()

    def set_theme(self, theme: Theme) -> None:
        self.dismiss.setIcon(icon("close", theme.quiet))
        self.setStyleSheet(
            f"#firstSteps {{ background: {theme.panel}; border: 1px solid {theme.border}; border-radius: 6px; }}"
            "#firstSteps QLabel { background: transparent; }"
        )
        self._show()

    def place(self) -> None:
        """At the bottom of the scene, as tall as its text."""
        width = min(self._host.width() - 24, 760)
        if width > 60:
            self.setFixedWidth(width)
            self.layout().activate()
            height = self.layout().heightForWidth(width) + 4  # and the border
            left = (self._host.width() - width) // 2
            self.setGeometry(left, self._host.height() - height - 12, width, height)

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._host and event.type() == QEvent.Resize:
            self.place()
        return False
