"""Keeps the timeline's actions as they can be: those that can do nothing now say why."""

from __future__ import annotations

from collections.abc import Mapping

from qtpy.QtCore import QObject
from qtpy.QtWidgets import QAction

from robot_app.window.workbench import Workbench


class TimelineActions(QObject):
    """Args:
    workbench: whose episode it is, and parent. actions: by id.
    """

    def __init__(self, workbench: Workbench, actions: Mapping[str, QAction]) -> None:
        super().__init__(workbench)
        self._workbench = workbench
        self._actions = {
            name.removeprefix("timeline."): action
            for name, action in actions.items()
            if name.startswith("timeline.")
        }
        self._tips = {name: action.toolTip() for name, action in self._actions.items()}
        self._why: dict[str, str] = {}
        for signal in (workbench.frame, workbench.view_changed):
            signal.connect(lambda _: self.refresh())
        workbench.takes_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done."""
        why = self._workbench.timeline().why_not(len(self._workbench.takes))
        for name, action in self._actions.items():
            if why[name] != self._why.get(name):
                action.setEnabled(not why[name])
                action.setToolTip(f"{self._tips[name]}\n{why[name]}" if why[name] else self._tips[name])
        self._why = why
