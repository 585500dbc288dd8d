"""Comparing: a second policy beside the first: its simulator, its drawing process and its picture, for as long as wanted."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import QObject, QSocketNotifier, QTimer, Signal
from qtpy.QtGui import QPainter
from qtpy.QtWidgets import QSizePolicy, QSplitter, QWidget

from robot_app.compare import Comparison
from robot_app.drawing import Drawing, DrawingFailed, DrawnSlowly, Saved
from robot_app.drawing import Picture as Note
from robot_app.messages import Built
from robot_app.render.camera import OrbitCamera
from robot_app.window.listener import policy_title, scene_title
from robot_app.window.picture_view import PictureView
from robot_app.window.workbench import Workbench

#: Milliseconds between two looks at what both have said: a step waits for two of them.
PUMP_MS = 4


class Comparing(QObject):
    """Args:
    workbench: whose policy is A. While B is there, everything that the workbench hears comes through the comparison.
    """

    changed = Signal()  # begun, ready, or over
    still_saved = Signal(object)  # Saved: B's picture

    def __init__(self, workbench: Workbench, parent: QObject) -> None:
        super().__init__(parent)
        self.workbench = workbench
        self.comparison: Comparison | None = None
        self.drawing: Drawing | None = None
        self.view = SecondView(self)
        self.view.hide()
        self.scene = ""  # in which it began, by name
        self._built: Built | None = None
        self._ready = False
        self._notifier: QSocketNotifier | None = None
        self._timer = QTimer(self, interval=PUMP_MS)
        self._timer.timeout.connect(self._pump)
        workbench.view_changed.connect(lambda _: self.view.send_view())
        workbench.camera_changed.connect(self._look)

    def start(self, policy: str) -> bool:
        """Let ``policy`` act beside the workbench's; False, and a notice, where there is nothing to compare with."""
        bench = self.workbench
        self.stop()
        take = next((take for take in bench.takes if take.number == bench.history.episode), None)
        if bench.scene is None or take is None:
            bench.tell("warning", "Nothing is loaded: choose a scene in the Set-up panel.")
            return False
        self.comparison = comparison = Comparison(
            bench.runtime, bench.scene.recipe, policy, take, bench.frames_of, bench.cursor
        )
        self.drawing = Drawing(comparison.follower.frames.name)
        self._notifier = QSocketNotifier(self.drawing.fileno(), QSocketNotifier.Read, self)
        self._notifier.activated.connect(self._drain)
        self._built, self._ready, self.scene = None, False, bench.scene.recipe.name
        bench.incoming = comparison.poll
        self.view.empty = f"{policy_title(policy)} is getting ready…"
        self.view.caption = (f"B  {policy_title(policy)}", "text")
        self.view.show()
        self._share_evenly()
        self.view.send_view()
        self.drawing.set_camera(bench.camera)
        self._timer.start()
        bench.log(f"Comparing with {policy_title(policy)}.")
        self.changed.emit()
        return True

    def stop(self, why: str = "") -> None:
        """The first goes on alone; safe to call twice."""
        comparison, drawing, bench = self.comparison, self.drawing, self.workbench
        if comparison is None or drawing is None:
            return
        self.comparison = self.drawing = None
        self._timer.stop()
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
            self._notifier = None
        self.view.forget_picture()
        self.view.hide()
        drawing.close()
        bench.incoming = bench.runtime.poll
        for message in comparison.close():
            bench.take_in(message)
        left = bench.scene is not None and bench.scene.recipe.name != self.scene
        if why and left:  # the second policy may well not know the other scene; nobody asks it to
            bench.tell(
                "info",
                f"Comparing ended with {scene_title(self.scene)}: choose a second policy for this scene.",
            )
        elif why:
            text = f"Comparing with {policy_title(comparison.policy)} ended, the first policy goes on alone: {why}"
            bench.tell("warning", text.rstrip(".") + ".", comparison.report)
        self.changed.emit()

    def _share_evenly(self) -> None:
        """Both pictures get the same room, where one splitter holds them."""
        splitter = self.view.parentWidget()
        if isinstance(splitter, QSplitter):
            splitter.setSizes([splitter.width()] * splitter.count())

    # ------------------------------------------------------------------------------------------------ listening
    def _pump(self) -> None:
        self.workbench.hear()
        comparison = self.comparison
        if comparison is None:  # what was heard ended it
            return
        if comparison.built is not None and comparison.built is not self._built and self.drawing is not None:
            self._built = comparison.built
            self.drawing.set_model(self._built.number, self._built.model)
            if self._built.model is None:
                self.view.forget_picture()
                self.view.empty = f"{self._built.recipe.name} has no picture."
                self.view.update()
        if comparison.ended:
            self.stop(comparison.ended)
        elif comparison.ready != self._ready:
            self._ready = comparison.ready
            self.changed.emit()

    def _drain(self) -> None:
        drawing = self.drawing
        if drawing is None:
            return
        for message in drawing.poll():
            if isinstance(message, Note):
                self.view.put_up(drawing, message)
            elif isinstance(message, Saved):
                self.still_saved.emit(message)
            elif isinstance(message, DrawnSlowly):
                self.workbench.log(f"The second picture is drawn without OpenGL: {message.reason}")
            elif isinstance(message, DrawingFailed):
                if self._notifier is not None:
                    self._notifier.setEnabled(False)
                self.view.forget_picture()
                self.view.empty = "The second picture cannot be drawn here; the Log says why."
                self.view.update()
                self.workbench.happened.emit("error", f"The second picture: {message.message}")

    def _look(self, camera: OrbitCamera) -> None:
        if self.drawing is not None:
            self.drawing.set_camera(camera)


class SecondView(PictureView, QWidget):
    """B's picture, from where A's is seen."""

    def __init__(self, comparing: Comparing) -> None:
        super().__init__()
        self._comparing, self._bench = comparing, comparing.workbench
        self.setSizePolicy(QSizePolicy.Expanding, QSizePolicy.Expanding)
        self.setMinimumSize(160, 160)
        self.setAccessibleName("The second policy's scene")
        self.setAccessibleDescription(
            "The same scene with the second policy. Drag to orbit both, wheel to zoom."
        )

    @property
    def camera(self) -> OrbitCamera:  # type: ignore[override]
        return self._bench.camera

    def camera_moved(self) -> None:
        self._bench.set_camera(self._bench.camera)

    def full_size(self) -> tuple[int, int]:
        ratio = self.devicePixelRatioF()
        width, height = max(16, round(self.width() * ratio)), max(16, round(self.height() * ratio))
        return replace(self._bench.view, width=width, height=height).size()

    def send_view(self) -> None:
        """As the first is drawn, in this one's size."""
        drawing = self._comparing.drawing
        if drawing is not None:
            width, height = self.full_size()
            drawing.set_view(replace(self._bench.view, width=width, height=height))

    def paintEvent(self, _) -> None:
        self.paint_picture(QPainter(self), self._bench.theme)

    def resizeEvent(self, event) -> None:
        super().resizeEvent(event)
        self.send_view()

    def showEvent(self, event) -> None:
        super().showEvent(event)
        self._set_active(True)

    def hideEvent(self, event) -> None:
        super().hideEvent(event)
        self._set_active(False)

    def _set_active(self, on: bool) -> None:
        if self._comparing.drawing is not None:
            self._comparing.drawing.set_active(on)
