"""TimelineStrip: the episode from start to end in one line, with a cursor to drag."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from robot_app.timeline import Timeline
from robot_app.window.theme import Theme

#: Pixels: margins at the sides; heights of the bands with their words, and of the numbers of steps.
_SIDE, _WORDS, _NUMBERS = 12.0, 17.0, 14.0
#: Steps between two numbers, the first that leaves this many pixels.
_TICKS, _TICK_ROOM = (5, 10, 20, 50, 100, 200, 500, 1000), 46.0


class TimelineStrip(QWidget):
    """Shows a Timeline.

    Signals:
        sought: a step was pointed at.
    """

    sought = Signal(int)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self.timeline = Timeline()
        self.message = ""
        self._dragged: int | None = None
        self.setMouseTracking(True)
        self.setMinimumSize(200, 60)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setFocusPolicy(Qt.ClickFocus)
        self.setAccessibleName("The episode from its start to its end")

    def sizeHint(self) -> QSize:
        return QSize(600, 70)

    def show_timeline(self, timeline: Timeline) -> None:
        self.timeline = timeline
        where = "the newest step" if timeline.live else f"step {timeline.at} of {timeline.newest}"
        self.setAccessibleDescription(f"Looking at {where}. Drag to look at another.")
        self.update()

    # ------------------------------------------------------------------------------------------------ where is what
    def x_of(self, t: float) -> float:
        """Pixels from the left of step ``t``."""
        return _SIDE + (self.width() - 2 * _SIDE) * t / self.timeline.length

    def step_at(self, x: float) -> int:
        """The step nearest to ``x`` pixels, not beyond the newest."""
        share = (x - _SIDE) / max(1.0, self.width() - 2 * _SIDE)
        return max(0, min(self.timeline.newest, round(share * self.timeline.length)))

    def words_at(self, t: int) -> str:
        """What there is to say about step ``t``."""
        line = self.timeline
        lines = [f"Step {t}"]
        lines += [
            f"Preference: {band.text}"
            for band in line.bands
            if band.first <= t < max(band.last, band.first + 1)
        ]
        if 0 < t <= len(line.rewards):
            lines.append(f"Reward {line.rewards[t - 1]:+.2f}")
        lines += [f"Changed by hand: {words}" for at, words in line.edits if at == t]
        lines += ["The policy inferred a change" for at in line.inferred if at == t]
        lines += ["This take branched here" for at in (line.branched,) if at == t]
        return "\n".join(lines)

    # ------------------------------------------------------------------------------------------------ mouse
    def mousePressEvent(self, event) -> None:
        if event.button() == Qt.LeftButton and not self.timeline.empty:
            self._drag_to(event.pos().x())

    def mouseMoveEvent(self, event) -> None:
        if self.timeline.empty:
            return
        if self._dragged is not None:
            self._drag_to(event.pos().x())
        else:
            QToolTip.showText(event.globalPos(), self.words_at(self.step_at(event.pos().x())), self)

    def mouseReleaseEvent(self, event) -> None:
        if self._dragged is not None:
            self._drag_to(event.pos().x())
        self._dragged = None
        self.update()

    def _drag_to(self, x: float) -> None:
        t = self.step_at(x)
        if t != self._dragged:
            self._dragged = t
            self.sought.emit(t)
            self.update()  # the hand is followed at once, the rest when the scene has moved

    # ------------------------------------------------------------------------------------------------ painting
    def paintEvent(self, _) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.Antialiasing)
        font = painter.font()
        font.setPixelSize(10)
        painter.setFont(font)
        theme, line = self.theme, self.timeline
        if line.empty or self.message:
            painter.setPen(QColor(theme.quiet))
            words = self.message or "The episode appears here, step by step, when it plays."
            if line.empty:
                painter.drawText(QRectF(self.rect()), Qt.AlignCenter, words)
                return
        bottom = self.height() - _NUMBERS
        lived = QRectF(QPointF(self.x_of(0), 0), QPointF(self.x_of(line.newest), bottom))
        painter.fillRect(
            QRectF(QPointF(self.x_of(0), 0), QPointF(self.x_of(line.length), bottom)), QColor(theme.window)
        )
        painter.fillRect(lived, QColor(theme.raised))
        self._paint_bands(painter, bottom)
        self._paint_rewards(painter, bottom)
        self._paint_numbers(painter, bottom)
        self._paint_marks(painter, bottom)
        self._paint_cursor(painter, bottom)
        if self.message:
            box = QRectF(lived.left(), _WORDS, self.width() - 2 * _SIDE, bottom - _WORDS)
            painter.setPen(QColor(theme.text))
            painter.drawText(box, Qt.AlignCenter, self.message)

    def _paint_bands(self, painter: QPainter, bottom: float) -> None:
        theme = self.theme
        for i, band in enumerate(self.timeline.bands):
            left, right = self.x_of(band.first), self.x_of(band.last)
            if i % 2:
                painter.fillRect(QRectF(QPointF(left, 0), QPointF(right, bottom)), QColor(theme.pressed))
            room = right - left - 8
            if room > 22:
                words = painter.fontMetrics().elidedText(band.text, Qt.ElideRight, int(room))
                painter.setPen(QColor(theme.quiet))
                painter.drawText(QRectF(left + 5, 1, room, _WORDS - 1), Qt.AlignVCenter | Qt.AlignLeft, words)

    def _paint_rewards(self, painter: QPainter, bottom: float) -> None:
        rewards = self.timeline.rewards
        if not len(rewards):
            return
        low, high = min(0.0, float(rewards.min())), max(0.0, float(rewards.max()))
        span = max(high - low, 1e-9)
        top, room = _WORDS + 2, bottom - _WORDS - 12
        ys = top + room * (high - rewards) / span
        zero = top + room * high / span
        xs = [self.x_of(t) for t in range(1, len(rewards) + 1)]
        points = [QPointF(x, y) for x, y in zip(xs, ys.tolist(), strict=True)]
        color = QColor(self.theme.agent)
        color.setAlpha(60)
        painter.setPen(Qt.NoPen)
        painter.setBrush(color)
        painter.drawPolygon(QPolygonF([QPointF(xs[0], zero), *points, QPointF(xs[-1], zero)]))
        painter.setBrush(Qt.NoBrush)
        painter.setPen(QPen(QColor(self.theme.agent), 1.2))
        painter.drawPolyline(QPolygonF(points))

    def _paint_numbers(self, painter: QPainter, bottom: float) -> None:
        line = self.timeline
        every = next((n for n in _TICKS if self.x_of(n) - self.x_of(0) >= _TICK_ROOM), _TICKS[-1])
        painter.setPen(QColor(self.theme.quiet))
        for t in np.arange(0, line.length + 1, every).tolist():
            x = self.x_of(t)
            painter.drawLine(QPointF(x, bottom), QPointF(x, bottom + 3))
            painter.drawText(QRectF(x - 20, bottom + 2, 40, _NUMBERS - 2), Qt.AlignCenter, str(t))

    def _paint_marks(self, painter: QPainter, bottom: float) -> None:
        theme, line = self.theme, self.timeline
        for t in line.changes:
            self._paint_line(painter, t, 0, bottom, theme.truth)
        if line.branched is not None:
            for y in range(0, round(bottom), 6):
                self._paint_line(painter, line.branched, y, min(y + 3.0, bottom), theme.text)
        painter.setPen(QPen(QColor(theme.raised), 1))
        painter.setBrush(QColor(theme.predicted))
        for t in line.inferred:
            x = self.x_of(t)
            corners = [QPointF(x - 5, bottom), QPointF(x + 5, bottom), QPointF(x, bottom - 8)]
            painter.drawPolygon(QPolygonF(corners))
        painter.setBrush(QColor(theme.accent))
        for t, _ in line.edits:
            x, middle = self.x_of(t), _WORDS + 4.0
            corners = [
                QPointF(x, middle - 5),
                QPointF(x + 5, middle),
                QPointF(x, middle + 5),
                QPointF(x - 5, middle),
            ]
            painter.drawPolygon(QPolygonF(corners))

    def _paint_line(self, painter: QPainter, t: int, top: float, bottom: float, color: str) -> None:
        """Upright at step ``t``, on whole pixels."""
        painter.fillRect(QRectF(round(self.x_of(t)) - 1, top, 2, bottom - top), QColor(color))

    def _paint_cursor(self, painter: QPainter, bottom: float) -> None:
        theme, line = self.theme, self.timeline
        at = line.at if self._dragged is None else min(self._dragged, line.newest)
        x = self.x_of(at)
        self._paint_line(painter, at, 0, bottom, theme.text)
        words = f"{at}" if not line.live or self._dragged is not None else f"{at} · live"
        width = painter.fontMetrics().horizontalAdvance(words) + 12.0
        left = min(max(0.0, x - width / 2), self.width() - width)
        tag = QRectF(left, bottom - 1, width, _NUMBERS + 1)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(theme.text if line.live else theme.accent))
        painter.drawRoundedRect(tag, 4, 4)
        painter.setPen(QColor(theme.panel if line.live else theme.on_accent))
        painter.drawText(tag, Qt.AlignCenter, words)
