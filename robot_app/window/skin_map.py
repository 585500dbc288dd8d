"""SkinMap: body parts unrolled side by side, near joint to far joint; the belief as colour, the truth as a ring.

Along the arm runs the x axis, around it the y axis: dorsal in the middle, ventral at both edges (they are one line).
"""

from __future__ import annotations

import math

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from dynamite.belief import PointPosterior
from robot_app.render.heat import heat_texture, ramp
from robot_app.window.theme import Theme
from scenes.latent import PointField, SurfacePoint, wrap_angle

#: Names of the joints at the ends of known parts.
JOINTS = {"upper_arm": ("shoulder", "elbow"), "forearm": ("elbow", "wrist")}
_LEFT, _TOP, _BOTTOM, _GAP = 50, 17, 17, 3
_TALLEST = 210
_COLORS = [0xFF000000 | (int(r) << 16) | (int(g) << 8) | int(b) for r, g, b in ramp(256)]


class SkinMap(QWidget):
    """Args:
    field: which parts. editable: a click or drag emits ``placed``.
    """

    placed = Signal(object)  # SurfacePoint

    def __init__(self, field: PointField, theme: Theme, editable: bool = False) -> None:
        super().__init__()
        self.field, self.theme, self.editable = field, theme, editable
        self.grid: PointPosterior | None = None
        self.truth: SurfacePoint | None = None
        self.value: SurfacePoint | None = None
        self._images: list[QImage] = []
        self._zoom = 1.0
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Preferred)
        self.setMinimumSize(190, 100 if editable else 120)
        self.setMaximumHeight(_TALLEST)
        self.setMouseTracking(editable)
        if editable:
            self.setCursor(Qt.CrossCursor)
            self.setFocusPolicy(Qt.ClickFocus)
        self.setAccessibleName(f"{field.label} on the unrolled skin")

    def sizeHint(self) -> QSize:
        return QSize(300, 112 if self.editable else 140)

    def set_zoom(self, zoom: float) -> None:
        """Words and rings so many times as large; the map as tall as there is room, up to that."""
        self._zoom = zoom
        self.setMaximumHeight(round(_TALLEST * zoom))
        self.update()

    def set_belief(self, posterior: PointPosterior | None) -> None:
        """The posterior to paint, or None."""
        if posterior is self.grid:
            return
        self.grid, self._images = posterior, []
        if posterior is not None:
            values, _ = heat_texture(posterior.grid)
            for part in values:
                pixels = np.ascontiguousarray((255 * part.T).clip(0, 255).astype(np.uint8))  # (angle, axial)
                height, width = pixels.shape
                image = QImage(pixels.data, width, height, width, QImage.Format_Indexed8)
                image.setColorTable(_COLORS)
                self._images.append(image.convertToFormat(QImage.Format_RGB32))
        self.update()

    def set_truth(self, point: SurfacePoint | None) -> None:
        if point != self.truth:
            self.truth = point
            self.update()

    def set_value(self, point: SurfacePoint | None) -> None:
        """The point being edited."""
        if point != self.value:
            self.value = point
            self.update()

    # -- geometry
    def part_rect(self, index: int) -> QRectF:
        """Where a part is drawn, in pixels at zoom 1."""
        n = len(self.field.parts)
        width = (self.width() / self._zoom - _LEFT - 6 - _GAP * (n - 1)) / n
        return QRectF(
            _LEFT + index * (width + _GAP), _TOP, width, self.height() / self._zoom - _TOP - _BOTTOM
        )

    def position(self, point: SurfacePoint) -> QPointF:
        """Where a point is drawn: dorsal (0 rad) in the middle, medial above it."""
        rect = self.part_rect(self.field.parts.index(point.part))
        return QPointF(
            rect.left() + point.axial * rect.width(),
            rect.top() + (point.angle + math.pi) / (2 * math.pi) * rect.height(),
        )

    def point_at(self, position: QPointF) -> SurfacePoint:
        """The nearest point of the skin to a place in pixels."""
        position = position / self._zoom
        rects = [self.part_rect(i) for i in range(len(self.field.parts))]
        i = min(range(len(rects)), key=lambda k: abs(rects[k].center().x() - position.x()))
        rect = rects[i]
        axial = min(1.0, max(0.0, (position.x() - rect.left()) / rect.width()))
        share = min(1.0, max(0.0, (position.y() - rect.top()) / rect.height()))
        return SurfacePoint(self.field.parts[i], float(axial), wrap_angle(2 * math.pi * share - math.pi))

    # -- painting
    def paintEvent(self, _) -> None:
        painter = QPainter(self)
        theme = self.theme
        painter.setRenderHint(QPainter.SmoothPixmapTransform)
        painter.scale(self._zoom, self._zoom)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        for i, part in enumerate(self.field.parts):
            rect = self.part_rect(i)
            painter.fillRect(rect, QColor(theme.pressed))
            if i < len(self._images):
                painter.drawImage(rect, self._images[i])
            line = QColor("#ffffff" if i < len(self._images) else theme.quiet)
            line.setAlpha(60)
            painter.setPen(QPen(line, 1, Qt.DashLine))
            painter.drawLine(
                QPointF(rect.left(), rect.center().y()), QPointF(rect.right(), rect.center().y())
            )
            painter.setPen(QColor(theme.text))
            title = part.replace("_", " ").capitalize()
            painter.drawText(
                QRectF(rect.left(), 0, rect.width(), _TOP), Qt.AlignHCenter | Qt.AlignVCenter, title
            )
            self._paint_joints(painter, i, part, rect)
        self._paint_sides(painter)
        painter.setRenderHint(QPainter.Antialiasing)
        if self.truth is not None and self.truth.part in self.field.parts:
            self._paint_ring(painter, self.position(self.truth), theme.truth)
        if self.value is not None and self.value != self.truth and self.value.part in self.field.parts:
            self._paint_cross(painter, self.position(self.value))

    def _paint_joints(self, painter: QPainter, index: int, part: str, rect: QRectF) -> None:
        near, far = JOINTS.get(part, ("0 %", "100 %"))
        painter.setPen(QColor(self.theme.quiet))
        below = QRectF(rect.left(), rect.bottom(), rect.width(), _BOTTOM)
        parts = self.field.parts
        if index == 0 or JOINTS.get(parts[index - 1], ("", ""))[1] != near:
            painter.drawText(below, Qt.AlignLeft | Qt.AlignVCenter, near)
        following = JOINTS.get(parts[index + 1], ("", ""))[0] if index + 1 < len(parts) else ""
        if following == far:  # one joint between the two: its name in the middle of the gap
            wide = below.translated(rect.width() / 2 + _GAP / 2, 0)
            painter.drawText(wide, Qt.AlignHCenter | Qt.AlignVCenter, far)
        else:
            painter.drawText(below, Qt.AlignRight | Qt.AlignVCenter, far)

    def _paint_sides(self, painter: QPainter) -> None:
        rect = self.part_rect(0)
        painter.setPen(QColor(self.theme.quiet))
        for name, angle in (("medial", -math.pi / 2), ("dorsal", 0.0), ("lateral", math.pi / 2)):
            y = rect.top() + (angle + math.pi) / (2 * math.pi) * rect.height()
            painter.drawText(QRectF(0, y - 8, _LEFT - 6, 16), Qt.AlignRight | Qt.AlignVCenter, name)

    @staticmethod
    def _paint_ring(painter: QPainter, at: QPointF, color: str) -> None:
        painter.setBrush(Qt.NoBrush)
        for width, ink in ((4.5, QColor(0, 0, 0, 150)), (2.2, QColor(color))):
            painter.setPen(QPen(ink, width))
            painter.drawEllipse(at, 6.5, 6.5)

    def _paint_cross(self, painter: QPainter, at: QPointF) -> None:
        for width, ink in ((4.5, QColor(self.theme.window)), (2.0, QColor(self.theme.text))):
            painter.setPen(QPen(ink, width, Qt.SolidLine, Qt.RoundCap))
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                painter.drawLine(
                    QPointF(at.x() + 3 * dx, at.y() + 3 * dy), QPointF(at.x() + 9 * dx, at.y() + 9 * dy)
                )

    # -- mouse
    def mousePressEvent(self, event) -> None:
        if self.editable and event.button() == Qt.LeftButton:
            self.placed.emit(self.point_at(QPointF(event.pos())))

    def mouseMoveEvent(self, event) -> None:
        if self.editable and event.buttons() & Qt.LeftButton:
            self.placed.emit(self.point_at(QPointF(event.pos())))
