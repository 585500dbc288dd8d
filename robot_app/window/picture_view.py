"""PictureView: what a widget that shows the scene has in common: finished pictures, and a camera in the mouse's hand.

There is one camera, the workbench's: where two views stand side by side, both look from it.
"""

from __future__ import annotations

import math

import numpy as np
from qtpy.QtCore import QPoint, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QImage, QPainter

from robot_app.drawing import Drawing, Picture
from robot_app.render.camera import OrbitCamera
from robot_app.window.theme import Theme

#: Radians of orbit and heights of pan per pixel; zoom per notch of the wheel.
ORBIT_RAD, ZOOM_STEP = 0.0085, 1.13


class PictureView:
    """To be inherited before a QWidget. What inherits says :attr:`camera`, :meth:`camera_moved` and :meth:`full_size`.

    Attributes:
        shown: the picture that is on the screen. n_shown: how many there were.
        caption: whose picture it is, and the name of the theme's colour that stands for them; empty for none.
        empty: what is said where there is no picture.
    """

    camera: OrbitCamera
    shown: Picture | None = None
    n_shown = 0
    caption: tuple[str, str] = ("", "text")
    empty = ""
    _image: QImage | None = None
    _pixels: np.ndarray | None = None
    _pressed: QPoint | None = None
    _last = QPoint()
    _travelled = 0

    def camera_moved(self) -> None:
        """The mouse has moved the camera."""
        raise NotImplementedError

    def full_size(self) -> tuple[int, int]:
        """(width, height) of a picture with every pixel."""
        raise NotImplementedError

    # ------------------------------------------------------------------------------------------------ pictures
    def put_up(self, drawing: Drawing, note: Picture) -> None:
        """Put a finished picture on the screen."""
        pixels = drawing.picture(note)
        if pixels is not None:
            self._pixels = pixels
            self._image = QImage(pixels.data, note.width, note.height, 3 * note.width, QImage.Format_RGB888)
            self.shown = note
            self.n_shown += 1
        drawing.taken(note)  # first, so that the next is drawn while this one is painted
        if pixels is not None:
            self.repaint()  # type: ignore[attr-defined]

    @property
    def pixels(self) -> np.ndarray | None:
        """(H, W, 3) uint8: the picture on the screen, good until the next is put up."""
        return self._pixels

    def caption_pixels(self, theme: Theme, scale: float = 1.0) -> np.ndarray:
        """(H, W, 4) uint8, premultiplied: the caption as it lies over the picture's upper left corner."""
        ratio = scale * self.devicePixelRatioF()  # type: ignore[attr-defined]
        size = QSize(self.width(), 48) * ratio  # type: ignore[attr-defined]
        image = QImage(size, QImage.Format_RGBA8888_Premultiplied)
        image.fill(Qt.transparent)
        image.setDevicePixelRatio(ratio)
        painter = QPainter(image)
        painter.setFont(self.font())  # type: ignore[attr-defined]
        self._paint_caption(painter, theme)
        painter.end()
        rows = np.frombuffer(image.constBits().asarray(image.sizeInBytes()), np.uint8)
        return rows.reshape(image.height(), image.width(), 4).copy()

    def outdated(self, t: int) -> bool:
        """Whether a better picture of step ``t`` is still to come: a newer, a sharper, or one at rest."""
        note = self.shown
        return note is None or (note.t, note.width, note.height) != (t, *self.full_size()) or note.moving

    def forget_picture(self) -> None:
        """Let go of the shared memory that the picture lies in."""
        self._image = self._pixels = self.shown = None

    def paint_picture(self, painter: QPainter, theme: Theme) -> bool:
        """The picture and its caption, or what is said without one; returns whether there is one."""
        rect = QRectF(self.rect())  # type: ignore[attr-defined]
        image = self._image
        if image is None:
            painter.fillRect(rect, QColor(theme.window))
            painter.setPen(QColor(theme.quiet))
            painter.drawText(rect.adjusted(40, 0, -40, 0), Qt.AlignCenter | Qt.TextWordWrap, self.empty)
        else:
            if (image.width(), image.height()) != self.full_size():
                painter.setRenderHint(QPainter.SmoothPixmapTransform)
                image = image.convertToFormat(
                    QImage.Format_RGB32
                )  # 24-bit images are stretched without smoothing
            painter.drawImage(rect, image)
        if self.caption[0]:
            self._paint_caption(painter, theme)
        return image is not None

    def _paint_caption(self, painter: QPainter, theme: Theme) -> None:
        text, ink = self.caption
        metrics = painter.fontMetrics()
        text = metrics.elidedText(text, Qt.ElideMiddle, self.width() - 48)  # type: ignore[attr-defined]
        box = QRectF(8, 8, metrics.horizontalAdvance(text) + 30, metrics.height() + 8)
        painter.setRenderHint(QPainter.Antialiasing)
        fill = QColor(theme.window)
        fill.setAlpha(215)
        painter.setPen(Qt.NoPen)
        painter.setBrush(fill)
        painter.drawRoundedRect(box, 5, 5)
        painter.setBrush(QColor(getattr(theme, ink)))
        painter.drawRoundedRect(QRectF(box.left() + 8, box.center().y() - 1.5, 10, 3), 1.5, 1.5)
        painter.setPen(QColor(theme.text))
        painter.drawText(box.adjusted(23, 0, 0, 0), Qt.AlignVCenter | Qt.AlignLeft, text)

    # ------------------------------------------------------------------------------------------------ mouse
    def mousePressEvent(self, event) -> None:
        self._pressed = self._last = event.pos()
        self._travelled = 0

    def mouseMoveEvent(self, event) -> None:
        if self._pressed is None:
            return
        step = event.pos() - self._last
        self._last = event.pos()
        self._travelled += abs(step.x()) + abs(step.y())
        pan = event.buttons() & (Qt.RightButton | Qt.MiddleButton) or event.modifiers() & Qt.ShiftModifier
        height = self.height()  # type: ignore[attr-defined]
        if pan:
            self.camera.pan(-step.x() / height, step.y() / height)
        elif event.buttons() & Qt.LeftButton:
            self.camera.orbit(-ORBIT_RAD * step.x(), ORBIT_RAD * step.y())
        self.camera_moved()

    def wheelEvent(self, event) -> None:
        self.camera.zoom(math.pow(ZOOM_STEP, -event.angleDelta().y() / 120))
        self.camera_moved()
        event.accept()
