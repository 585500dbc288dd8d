"""The scene in 3D: shows finished pictures, steers the camera, places the preference by a click on the skin."""

from __future__ import annotations

import time

import numpy as np
from qtpy.QtCore import QPoint, QRect, QRectF, Qt
from qtpy.QtGui import QColor, QFontMetrics, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy

from dynamite.acting import Frame
from robot_app.drawing import Filmed, Picture
from robot_app.messages import Built
from robot_app.render.camera import OrbitCamera
from robot_app.window.listener import policy_title
from robot_app.window.panel import BasePanel
from robot_app.window.picture_view import PictureView
from robot_app.window.workbench import Workbench
from scenes.latent import PointField, SurfacePoint
from scenes.visual import CameraPreset

#: Share of the way to the tool that the camera goes per picture while it follows.
FOLLOW = 0.12


class Panel(PictureView, BasePanel):
    title = "Scene"
    area = "centre"

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(240, 180)
        self.setFocusPolicy(Qt.ClickFocus)
        self.setMouseTracking(True)
        self.setAttribute(Qt.WA_OpaquePaintEvent)
        self.setAccessibleDescription("The scene in 3D. Drag to orbit, wheel to zoom.")
        self.camera = OrbitCamera()
        self.preset = 0
        self.placing = self.following = False
        self._stepped_back = 1.0  # how many times as far the camera went for a comparison
        self._filming_since: float | None = None
        self._picked_in: tuple[int, int | None] = (0, None)  # take and step that the last click was meant for
        self.empty = "Starting…"
        workbench.built.connect(self._built)
        workbench.picture.connect(self.show_picture)
        workbench.picked.connect(self._picked)
        workbench.drawing_failed.connect(self._failed)
        workbench.view_changed.connect(lambda _: self.update())
        workbench.compared.connect(self._compared)
        workbench.filmed.connect(self._filmed)
        workbench.beat.connect(self._show_filming)

    # ------------------------------------------------------------------------------------------------ what to look at
    def _built(self, scene: Built) -> None:
        self.forget_picture()
        self.empty = (
            "The first picture is being drawn…"
            if scene.model is not None
            else f"{scene.recipe.name} has no picture; its belief and returns are shown around."
        )
        remembered = self.workbench.settings.camera(scene.recipe.name)
        if remembered is not None:
            target = np.array([remembered["x"], remembered["y"], remembered["z"]])
            self.camera = OrbitCamera(
                target,
                remembered["distance"],
                remembered["azimuth"],
                remembered["elevation"],
                remembered["fov"],
            )
        elif scene.cameras:
            self.camera = self._framed(scene.cameras[0])
        self._resize_view()
        self._send_camera()
        self.update()

    def look_from(self, preset: int) -> bool:
        """Take one of the scene's views; False if it has no such."""
        scene = self.workbench.scene
        if scene is None or preset >= len(scene.cameras):
            return False
        self.preset = preset
        self.camera = self._framed(scene.cameras[preset])
        self._send_camera()
        return True

    def _framed(self, preset: CameraPreset) -> OrbitCamera:
        """The scene's view, from further off where the window is narrower than the film it was made for."""
        camera = OrbitCamera.from_preset(preset)
        camera.zoom(1.1 * _further(self.width(), self.height()))
        self._stepped_back = 1.0
        return camera

    def remember_camera(self) -> None:
        scene, c = self.workbench.scene, self.camera
        if scene is not None:
            values = [*map(float, c.target), c.distance, c.azimuth, c.elevation, c.fov_deg]
            self.workbench.settings.set_camera(scene.recipe.name, values)

    def set_placing(self, on: bool) -> None:
        self.placing = on
        self.setCursor(Qt.CrossCursor if on else Qt.ArrowCursor)
        if on:
            self.workbench.drawing.prepare_pick()
        self.update()

    def set_following(self, on: bool) -> None:
        self.following = on

    def _send_camera(self) -> None:
        self.workbench.set_camera(self.camera)

    def camera_moved(self) -> None:
        self._send_camera()

    def full_size(self) -> tuple[int, int]:
        return self.workbench.view.size()

    def _compared(self, compared: bool) -> None:
        """While there is another picture beside: whose this is; from further off, as each has half the room."""
        scene = self.workbench.scene
        if compared != bool(self.caption[0]):
            if compared:
                room = self.parentWidget().width()
                self._stepped_back = _further(room / 2, self.height()) / _further(room, self.height())
                self.camera.zoom(self._stepped_back)
            else:
                self.camera.zoom(1 / self._stepped_back)
            self._send_camera()
        self.caption = (f"A  {policy_title(scene.policy)}" if compared and scene is not None else "", "agent")
        self.update()

    def _resize_view(self) -> None:
        ratio = self.devicePixelRatioF()
        self.workbench.set_view(
            width=max(16, round(self.width() * ratio)), height=max(16, round(self.height() * ratio))
        )

    def on_frame(self, frame: Frame) -> None:
        if self.following:
            state = self.workbench.runtime.frames.read()
            if state is not None and state.markers.tool_tip is not None:
                self.camera.target = self.camera.target + FOLLOW * (
                    state.markers.tool_tip - self.camera.target
                )
                self._send_camera()

    # ------------------------------------------------------------------------------------------------ pictures
    def show_picture(self, note: Picture) -> None:
        """Put a finished picture on the screen."""
        self.put_up(self.workbench.drawing, note)

    def paintEvent(self, _) -> None:
        painter = QPainter(self)
        drawn = self.paint_picture(painter, self.workbench.theme)
        if drawn and self.placing:
            self._paint_hint(painter)
        if drawn and self._filming_since is not None:
            self._paint_filming(painter, time.monotonic() - self._filming_since)

    def _point_field(self) -> PointField | None:
        scene = self.workbench.scene
        fields = () if scene is None else scene.space.fields
        return next((field for field in fields if isinstance(field, PointField)), None)

    def where_to_click(self) -> str:
        """The bare skin that a click can choose, in words."""
        field = self._point_field()
        parts = " or ".join(part.replace("_", " ") for part in field.parts) if field is not None else ""
        return f"the bare skin of the {parts}" if parts else "the bare skin"

    def hint_box(self, metrics: QFontMetrics) -> tuple[QRectF, str]:
        """Where the hint lies while placing, and its words: below the caption, in as many lines as the width asks for."""
        text = f"Click {self.where_to_click()}  ·  P or Esc ends"
        top = 16 + (metrics.height() + 8 if self.caption[0] else 0)
        room = QRect(0, 0, max(80, self.width() - 48), self.height())
        words = metrics.boundingRect(room, Qt.AlignCenter | Qt.TextWordWrap, text)
        box = QRectF(0, 0, words.width() + 24, words.height() + 12)
        box.moveCenter(QRectF(self.rect()).center())
        box.moveTop(top)
        return box, text

    def _paint_hint(self, painter: QPainter) -> None:
        box, text = self.hint_box(painter.fontMetrics())
        self._paint_box(painter, box, self.workbench.theme.truth)
        painter.drawText(box.adjusted(8, 0, -8, 0), Qt.AlignCenter | Qt.TextWordWrap, text)

    def _paint_filming(self, painter: QPainter, seconds: float) -> None:
        """That a film is being taken, and for how long: in the window, not in the film."""
        theme, text = self.workbench.theme, f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
        metrics = painter.fontMetrics()
        box = QRectF(0, 8, metrics.horizontalAdvance(text) + 36, metrics.height() + 8)
        box.moveRight(self.width() - 8)
        self._paint_box(painter, box, theme.error)
        painter.drawText(box.adjusted(24, 0, 0, 0), Qt.AlignVCenter | Qt.AlignLeft, text)
        painter.setPen(Qt.NoPen)
        painter.setBrush(QColor(theme.error))
        painter.drawEllipse(QRectF(box.left() + 9, box.center().y() - 4.5, 9, 9))

    def _paint_box(self, painter: QPainter, box: QRectF, ink: str) -> None:
        theme = self.workbench.theme
        painter.setRenderHint(QPainter.Antialiasing)
        fill = QColor(theme.window)
        fill.setAlpha(225)
        painter.setBrush(fill)
        painter.setPen(QPen(QColor(ink), 1))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor(theme.text))

    def _filmed(self, film: Filmed) -> None:
        self._filming_since = time.monotonic() if film.running else None
        self.update()

    def _show_filming(self) -> None:
        if self._filming_since is not None:
            self.update(self.width() - 90, 0, 90, 40)

    def _failed(self, _) -> None:
        self.forget_picture()
        self.empty = "The view cannot be drawn here. Everything around it works; the Log says why."
        self.update()

    # ------------------------------------------------------------------------------------------------ mouse
    def mouseReleaseEvent(self, event) -> None:
        clicked = self._pressed is not None and self._travelled < 5 and event.button() == Qt.LeftButton
        self._pressed = None
        if clicked and self.placing:
            self.pick(event.pos())

    def pick(self, at: QPoint) -> None:
        """Ask what lies there; the answer moves the preference at the step that was looked at."""
        self._picked_in = (self.workbench.history.episode, self.workbench.cursor)
        self.workbench.drawing.pick(at.x() + 0.5, at.y() + 0.5, self.width(), self.height())

    def _picked(self, point: SurfacePoint | None) -> None:
        bench = self.workbench
        if bench.scene is None or not self.placing:
            return
        if self._picked_in != (
            bench.history.episode,
            bench.cursor,
        ):  # a slow answer must not change another time
            bench.tell("info", "The click came before the jump in time, and changed nothing: click again.")
            return
        field = self._point_field()
        if field is None:
            bench.tell("warning", "This scene hides no point on the skin: use the Preference panel.")
        elif point is None or point.part not in field.parts:
            bench.tell("info", f"There is no place for it: click {self.where_to_click()}.")
        else:
            bench.edit({field.name: field.to_json(point)})

    def mouseDoubleClickEvent(self, event) -> None:
        if event.button() == Qt.LeftButton and not self.placing:
            self.look_from(self.preset)

    def keyPressEvent(self, event) -> None:
        if event.key() == Qt.Key_Escape and self.placing:
            self.workbench.place_wanted.emit(False)
        else:
            super().keyPressEvent(event)

    # ------------------------------------------------------------------------------------------------ life
    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self._resize_view()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self.workbench.drawing.set_active(True)
        self._resize_view()

    def hideEvent(self, event) -> None:
        super().hideEvent(event)
        self.workbench.drawing.set_active(False)

    def on_close(self) -> None:
        self.remember_camera()
        self.forget_picture()


def _further(width: float, height: float) -> float:
    """How many times as far off a view of this shape looks from, so that as much is in it as in a film."""
    return min(1.3, max(1.0, (1.5 * max(1.0, height) / max(1.0, width)) ** 0.7))
