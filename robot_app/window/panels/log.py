"""Everything that happened, in order: changes, edits, notices, errors."""

from __future__ import annotations

import html
import time
from collections import deque

from qtpy.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton

from robot_app.window.listener import Notice
from robot_app.window.panel import BasePanel, column
from robot_app.window.workbench import Workbench

#: Kinds of entries that say what the preference is.
_TELLING = ("change", "edit")
#: Entries kept.
LONGEST = 2000
_SIGNS = {"info": "·", "change": "◯", "edit": "✎", "warning": "!", "error": "✕"}
_INKS = {"info": "quiet", "change": "truth", "edit": "accent", "warning": "warning", "error": "error"}


class Panel(BasePanel):
    title = "Log"
    area = "bottom"
    order = 40

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.entries: deque[tuple[str, str, str]] = deque(maxlen=LONGEST)
        self._details: list[str] = []
        layout = column(self, (10, 6, 10, 8))
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setMaximumBlockCount(LONGEST)
        self.text.setPlaceholderText("Changes, edits, warnings and errors appear here.")
        self.text.setAccessibleName("Log")
        layout.addWidget(self.text, 1)
        self._follow = True
        self.text.verticalScrollBar().rangeChanged.connect(self._lengthened)
        self.text.verticalScrollBar().valueChanged.connect(self._scrolled)
        row = QHBoxLayout()
        row.addStretch(1)
        clear, copy = QPushButton("Clear"), QPushButton("Copy report")
        copy.setToolTip(
            "Versions, settings, the log and the details of errors, for a bug report (Ctrl+Shift+C)."
        )
        clear.clicked.connect(self.clear)
        copy.clicked.connect(lambda: workbench.report_wanted.emit())
        row.addWidget(clear)
        row.addWidget(copy)
        layout.addLayout(row)
        workbench.happened.connect(self.add)
        workbench.notice.connect(self._keep_details)
        self._blind = not workbench.view.truth
        workbench.truth_changed.connect(self._show_or_hide)

    def _show_or_hide(self, truth: bool) -> None:
        """While the true preference is hidden, what tells it is kept and not shown."""
        self._blind = not truth
        self.on_theme(self.workbench.theme)

    def add(self, kind: str, text: str) -> None:
        """Append an entry."""
        entry = (time.strftime("%H:%M:%S"), kind, text)
        self.entries.append(entry)
        self._show(entry)

    def _show(self, entry: tuple[str, str, str]) -> None:
        at, kind, text = entry
        if self._blind and kind in _TELLING:
            return
        theme = self.workbench.theme
        ink = getattr(theme, _INKS.get(kind, "quiet"))
        body = theme.text if kind in ("warning", "error", "edit") else theme.quiet
        sign = _SIGNS.get(kind, "·")
        self.text.appendHtml(
            f'<span style="color:{theme.quiet}">{at}</span>&nbsp;&nbsp;<b style="color:{ink}">{sign}</b>&nbsp;&nbsp;'
            f'<span style="color:{body}">{html.escape(text)}</span>'
        )

    def _scrolled(self, value: int) -> None:
        """Who reads back is left there; who is at the end stays at the end."""
        if not self.text.visibleRegion().isEmpty():
            self._follow = value >= self.text.verticalScrollBar().maximum() - 1

    def _lengthened(self, _: int, end: int) -> None:
        """Also when lines that came out of sight get their heights: a text in a tab behind does not scroll by itself."""
        if self._follow:
            self.text.verticalScrollBar().setValue(end)

    def _keep_details(self, notice: Notice) -> None:
        if notice.details:
            self._details = [*self._details[-9:], notice.details]

    def clear(self) -> None:
        self.entries.clear()
        self.text.clear()

    def report(self) -> str:
        """The log and the details of the last errors, as plain text."""
        lines = [f"{at} {kind:7s} {text}" for at, kind, text in self.entries]
        return "\n".join(lines + [part for details in self._details for part in ("", details)])

    def on_theme(self, theme) -> None:
        self.text.clear()
        for entry in self.entries:
            self._show(entry)
