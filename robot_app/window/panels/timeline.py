"""The whole episode in one strip: look back, jump to changes, go on from there in a branch, choose among takes."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QSize, Qt
from qtpy.QtWidgets import QAction, QComboBox, QHBoxLayout, QToolButton, QVBoxLayout

from dynamite.acting import Frame
from robot_app.messages import Loaded, Rerunning
from robot_app.window.panel import BasePanel
from robot_app.window.tab_order import tab_as_read
from robot_app.window.timeline_strip import TimelineStrip
from robot_app.window.workbench import Workbench, edits

#: Ids of the actions that have a button, in order; None is a gap.
BUTTONS: tuple[str | None, ...] = (
    "timeline.previous", "timeline.back", "run.step", "timeline.next", "timeline.live", None, "timeline.branch",
)  # fmt: skip


class Panel(BasePanel):
    title = "Timeline"
    area = "strip"

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.setFixedHeight(75)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 5, 2, 4)
        row.setSpacing(6)
        side = QVBoxLayout()
        side.setSpacing(4)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(1)
        side.addLayout(self._buttons)
        self.takes = QComboBox()
        self.takes.setAccessibleName("Takes of this session")
        self.takes.setFocusPolicy(Qt.TabFocus)
        self.takes.setSizeAdjustPolicy(QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.takes.setEnabled(False)
        self.takes.addItem("No take yet")
        self.takes.activated.connect(self._take_chosen)
        side.addWidget(self.takes)
        side.addStretch(1)
        row.addLayout(side)
        self.strip = TimelineStrip(workbench.theme)
        self.strip.sought.connect(workbench.runtime.seek)
        row.addWidget(self.strip, 1)
        workbench.takes_changed.connect(self._show_takes)
        workbench.truth_changed.connect(lambda _: self._show_takes())
        workbench.rerunning.connect(self._show_progress)
        workbench.notice.connect(lambda _: self._show())  # what was run again may have been refused
        workbench.view_changed.connect(lambda _: self._show())

    def set_actions(self, actions: Mapping[str, QAction]) -> None:
        """Make the buttons; they are the menus' actions, with their states and their reasons."""
        for name in BUTTONS:
            if name is None:
                self._buttons.addStretch(1)
                continue
            button = QToolButton()
            button.setDefaultAction(actions[name])
            button.setIconSize(QSize(18, 18))
            button.setFocusPolicy(Qt.TabFocus)
            button.setAccessibleName(actions[name].text())
            if name == "timeline.branch":
                button.setToolButtonStyle(Qt.ToolButtonTextBesideIcon)
            self._buttons.addWidget(button)

    # ------------------------------------------------------------------------------------------------ showing
    def on_loaded(self, loaded: Loaded) -> None:
        tab_as_read(self)  # not before the dock is in its place: to put it there chains its controls anew

    def on_frame(self, frame: Frame) -> None:
        self._show()

    def on_plots(self) -> None:
        self._show()

    def on_theme(self, theme) -> None:
        self.strip.theme = theme
        self.strip.update()

    def _show(self) -> None:
        if self.isVisible():
            self.strip.message = ""
            self.strip.show_timeline(self.workbench.timeline())

    def _show_progress(self, message: Rerunning) -> None:
        self.strip.message = f"Running step {message.done} of {message.total} again…"
        self.strip.update()

    def _show_takes(self) -> None:
        bench = self.workbench
        self.takes.clear()
        for info in bench.takes:
            replayed = bench.replayed.get(info.number)
            verified = replayed is not None and not replayed.differs
            # A branch's name says where it goes another way; an original's says only the seed.
            at = edits(bench.frames_of(info.number)) if info.parent is None and bench.view.truth else []
            edited = f" · edited at {', '.join(map(str, at[:3]))}{'…' if len(at) > 3 else ''}" if at else ""
            self.takes.addItem(f"{info.name}{' ✓' if verified else ''}{edited}", info.number)
            parent = next((other.name for other in bench.takes if other.number == info.parent), "")
            said = [f"From {parent}, step {info.start}"] if parent else []
            if replayed is not None:
                ok = f"the same to the last bit up to step {replayed.steps}"
                said.append(f"Run again: {replayed.differs or ok}")
            self.takes.setItemData(self.takes.count() - 1, "\n".join(said), Qt.ToolTipRole)
        self.takes.setCurrentIndex(self.takes.findData(bench.history.episode))
        several = len(bench.takes) > 1
        self.takes.setEnabled(several)
        why = bench.timeline().why_not(len(bench.takes))["next_take"]
        about = self.takes.itemData(self.takes.currentIndex(), Qt.ToolTipRole)
        words = "Which take is looked at; play goes on with it." if several else why
        self.takes.setToolTip("\n".join(filter(None, (words, about))))
        self._show()

    def _take_chosen(self, index: int) -> None:
        self.workbench.runtime.take(self.takes.itemData(index))
