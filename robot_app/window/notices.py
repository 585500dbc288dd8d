"""NoticeBar: what went wrong and what to do, over the scene; never a dialog that blocks."""

from __future__ import annotations

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from robot_app.window.icons import icon
from robot_app.window.listener import Notice
from robot_app.window.theme import Theme

#: Milliseconds that an info stays by itself, and one with a button; warnings and errors stay until closed.
INFO_MS, OFFER_MS = 5000, 15_000


class NoticeBar(QFrame):
    """Lies over the bottom of ``host``. Repeats of the same text are shown once.

    Attributes:
        action: a button for what can be done (hidden where nothing can).
        above: a widget of the host's that is not to be covered, while it shows.
    """

    def __init__(self, host: QWidget, theme: Theme) -> None:
        super().__init__(host)
        self._host = host
        self.above: QWidget | None = None
        self.setObjectName("notice")
        self.setFocusPolicy(Qt.NoFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 7, 6, 7)
        row.setSpacing(10)
        self.sign, self.text = QLabel(), QLabel()
        self.text.setWordWrap(True)
        self.text.setTextInteractionFlags(Qt.TextSelectableByMouse)
        self.action, self.copy, self.dismiss = QPushButton(), QPushButton("Copy report"), QToolButton()
        self.dismiss.setAccessibleName("Close the notice")
        self.action.setAccessibleName("Do what helps")
        self.dismiss.clicked.connect(self.hide)
        row.addWidget(self.sign)
        row.addWidget(self.text, 1)
        for button in (self.action, self.copy, self.dismiss):
            button.setFocusPolicy(Qt.TabFocus)
            row.addWidget(button)
        self._timer = QTimer(self, singleShot=True, interval=INFO_MS)
        self._timer.timeout.connect(self.hide)
        self.level = ""
        self.set_theme(theme)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.dismiss.setIcon(icon("close", theme.quiet))
        self._paint()

    def _paint(self) -> None:
        t = self._theme
        ink = {"error": t.error, "warning": t.warning}.get(self.level, t.accent)
        self.setStyleSheet(
            f"#notice {{ background: {t.raised}; border: 1px solid {ink}; border-radius: 6px; }}"
            f"#notice QLabel {{ background: transparent; }}"
        )
        self.sign.setText({"error": "✕", "warning": "!"}.get(self.level, "i"))
        self.sign.setStyleSheet(f"color: {ink}; font-weight: 700;")

    def show_notice(self, notice: Notice, action: str = "", do=None) -> None:
        """Show it; an error is not replaced by an info."""
        if self.isVisible() and self.level == "error" and notice.level == "info":
            return
        self.level = notice.level
        self.text.setText(notice.text)
        self.copy.setVisible(notice.level == "error")
        self.action.setVisible(bool(action))
        if action:
            self.action.setText(action)
            if self.action.receivers(self.action.clicked):
                self.action.clicked.disconnect()
            self.action.clicked.connect(lambda: (self.hide(), do()))
        self._paint()
        self.place()
        self.show()
        self.raise_()
        self._timer.stop()
        if notice.level == "info":
            self._timer.start(OFFER_MS if action else INFO_MS)

    def place(self) -> None:
        """At the bottom of the host, as tall as its text."""
        width = min(self._host.width() - 24, 760)
        if width > 60:
            self.setFixedWidth(width)
            self.layout().activate()
            # Its hint would be of a narrow column of text; 4 for the border.
            height = self.layout().heightForWidth(width) + 4
            floor = self._host.height() - 12
            if self.above is not None and not self.above.isHidden():
                floor = self.above.y() - 6
            self.setGeometry((self._host.width() - width) // 2, floor - height, width, height)
