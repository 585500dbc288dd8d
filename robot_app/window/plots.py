"""Plots over the steps of an episode or the frames of a training: thin lines, session bands, marked changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPen, QPolygonF
from qtpy.QtWidgets import QLabel

from robot_app.figures.panel import Chart, Curve
from robot_app.window.theme import Theme


class SessionMarks(pg.GraphicsObject):
    """Bands of sessions, lines where the truth changed, triangles where a change was inferred."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._spans: list[tuple[int, int]] = []
        self._predicted: list[int] = []
        self.setZValue(-10)

    def set_marks(self, spans: Sequence[tuple[int, int]], predicted: Sequence[int]) -> None:
        if list(spans) != self._spans or list(predicted) != self._predicted:
            self._spans, self._predicted = list(spans), list(predicted)
            self.informViewBoundsChanged()
            self.update()

    def marks(self) -> tuple[tuple[tuple[int, int], ...], tuple[int, ...]]:
        """Sessions, and steps where a change was inferred."""
        return tuple(self._spans), tuple(self._predicted)

    def boundingRect(self) -> QRectF:
        view = self.getViewBox()
        return QRectF() if view is None else view.viewRect()

    def viewRangeChanged(self, *_) -> None:
        self.prepareGeometryChange()

    def paint(self, painter, *_) -> None:
        view = self.boundingRect()
        top, bottom = view.bottom(), view.top()  # y grows upwards in a plot
        for i, (first, last) in enumerate(self._spans):
            if i % 2:
                painter.fillRect(QRectF(first, bottom, last - first, top - bottom), QColor(self.theme.band))
        truth = QPen(QColor(self.theme.truth), 0)
        painter.setPen(truth)
        for start, _end in self._spans[1:]:
            painter.drawLine(QPointF(start, bottom), QPointF(start, top))
        if self._predicted:
            self._paint_predicted(painter, view)

    def _paint_predicted(self, painter, view: QRectF) -> None:
        pixel = self.pixelVectors()
        if pixel[0] is None:
            return
        dx, dy = pixel[0].x(), abs(pixel[1].y())
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(self.theme.predicted))
        for t in self._predicted:
            corners = [
                QPointF(t - 5 * dx, view.bottom()),
                QPointF(t + 5 * dx, view.bottom()),
                QPointF(t, view.bottom() - 8 * dy),
            ]
            painter.drawPolygon(QPolygonF(corners))


class CountAxis(pg.AxisItem):
    """Whole numbers, written short: 500, 50k, 2.5M."""

    def tickStrings(self, values, scale, spacing) -> list[str]:
        return [count_text(value) for value in values]


def count_text(value: float) -> str:
    """``250``, ``50k`` or ``2.5M``."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}"


class StepPlot(pg.PlotWidget):
    """A plot whose x axis is steps (or frames); grows curves by name.

    Args:
        label: of the y axis, with its unit.
        sessions: mark them.
    """

    def __init__(self, theme: Theme, label: str, sessions: bool = True, x_label: str = "step") -> None:
        super().__init__(axisItems={"bottom": CountAxis("bottom")})
        self.theme = theme
        self._curves: dict[str, pg.PlotDataItem] = {}
        self._inks: dict[str, tuple[str, bool, bool]] = {}
        self.setMenuEnabled(False)
        menu = self.getPlotItem().ctrlMenu  # never shown, and else nobody's: it would outlive the plot
        menu.setParent(self, menu.windowFlags())
        self.setContextMenuPolicy(Qt.NoContextMenu)  # the panel has one
        self.hideButtons()
        self.setMouseEnabled(x=False, y=False)
        self.setMinimumSize(120, 64)
        self.setFrameShape(pg.PlotWidget.NoFrame)
        self.label, self.x_label = label, x_label
        self.setAccessibleName(label)
        self._corner = QLabel(x_label, self)  # the unit of the x axis, where it takes no height
        self._corner.setAttribute(Qt.WA_TransparentForMouseEvents)
        item = self.getPlotItem()
        item.setContentsMargins(0, 4, 8, 0)
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setStyle(tickLength=-4, tickTextOffset=3)
            axis.enableAutoSIPrefix(False)
        self._zoom = 1.0
        self._size_axes()
        self.marks = SessionMarks(theme) if sessions else None
        if self.marks is not None:
            self.addItem(self.marks, ignoreBounds=True)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        self.addItem(self._cursor, ignoreBounds=True)
        self._numbered = False
        for side in ("left", "bottom"):
            item.getAxis(side).setStyle(showValues=False)
        self.set_theme(theme)

    def _size_axes(self) -> None:
        self.getPlotItem().getAxis("left").setWidth(round(38 * self._zoom))
        self.getPlotItem().getAxis("bottom").setHeight(round(18 * self._zoom))

    def set_zoom(self, zoom: float) -> None:
        """Numbers so many times as large."""
        self._zoom = zoom
        self._size_axes()
        self.set_theme(self.theme)
        self._place_corner()

    def _place_corner(self) -> None:
        self._corner.adjustSize()
        left = round(34 * self._zoom) - self._corner.width()
        self._corner.move(left, self.height() - self._corner.height() - 2)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        if hasattr(self, "_corner"):
            self._place_corner()

    def curve(self, name: str, ink: str, dashed: bool = False, stepped: bool = False) -> None:
        """Declare a curve; ``ink`` is the name of one of the theme's colours."""
        self._inks[name] = (ink, dashed, stepped)
        item = pg.PlotDataItem(connect="finite", autoDownsample=True, clipToView=False, stepMode=None)
        self._curves[name] = item
        self.addItem(item)
        self._paint_curve(name)

    def _paint_curve(self, name: str) -> None:
        ink, dashed, _ = self._inks[name]
        style = Qt.DashLine if dashed else Qt.SolidLine
        self._curves[name].setPen(
            pg.mkPen(getattr(self.theme, ink), width=1, style=style)
        )  # width 2 costs four times

    def set_data(self, name: str, x: np.ndarray, y: np.ndarray) -> None:
        """Replace a curve's points; NaN is a gap. An axis without data has no numbers."""
        if len(x) and not self._numbered:
            self._numbered = True
            for side in ("left", "bottom"):
                self.getPlotItem().getAxis(side).setStyle(showValues=True)
        self._curves[name].setData(x, y)

    def clear_data(self) -> None:
        """No points, and no numbers at the axes."""
        for item in self._curves.values():
            item.setData(np.zeros(0), np.zeros(0))
        self._numbered = False
        for side in ("left", "bottom"):
            self.getPlotItem().getAxis(side).setStyle(showValues=False)

    def chart(self) -> Chart:
        """What is shown now, for a figure."""
        curves = []
        for name, item in self._curves.items():
            x, y = item.getData()
            if x is not None and len(x) and np.isfinite(y).any():
                ink, dashed, _ = self._inks[name]
                curves.append(Curve(name, np.array(x, float), np.array(y, float), ink, dashed))
        spans, inferred = ((), ()) if self.marks is None else self.marks.marks()
        return Chart(self.label, self.x_label, self.label, tuple(curves), spans, inferred)

    def set_steps(self, last: float) -> None:
        """Let the x axis reach from 0 to ``last``."""
        self.setXRange(0, max(1, last), padding=0.01)

    def set_cursor(self, t: int | None) -> None:
        """A line at the step of the past that is looked at; none while the newest is."""
        self._cursor.setVisible(t is not None)
        if t is not None:
            self._cursor.setPos(t)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._cursor.setPen(pg.mkPen(theme.text, width=1))
        self.setBackground(theme.panel)
        pixels = round(10 * self._zoom)
        self._corner.setStyleSheet(f"color: {theme.quiet}; background: {theme.panel}; font-size: {pixels}px;")
        for side in ("left", "bottom"):
            axis = self.getPlotItem().getAxis(side)
            axis.setPen(pg.mkPen(theme.border, width=1))
            axis.setTextPen(pg.mkPen(theme.quiet))
            axis.setTickFont(_sized(self.font(), pixels))
        for name in self._curves:
            self._paint_curve(name)
        if self.marks is not None:
            self.marks.theme = theme
            self.marks.update()


def _sized(font, pixels: int):
    sized = type(font)(font)
    sized.setPixelSize(pixels)
    return sized


def legend(theme: Theme, entries: Sequence[tuple[str, str, str]]) -> str:
    """Rich text that names curves: (sign, ink, words), such as ``("━", "agent", "this policy")``."""
    parts = [
        f'<span style="color:{getattr(theme, ink)}">{sign}</span>&nbsp;<span style="color:{theme.quiet}">{words}</span>'
        for sign, ink, words in entries
    ]
    return "&nbsp; ".join(parts)
