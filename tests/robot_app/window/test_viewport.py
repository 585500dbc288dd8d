"""The view: pictures come, the camera answers the mouse, a click on the skin moves the preference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QMouseEvent, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from robot_app.render.camera import OrbitCamera
from robot_app.render.pick import Picker
from robot_app.window.main_window import MainWindow

Wait = Callable[..., None]


def pixels(window: MainWindow) -> np.ndarray:
    image = window.viewport.grab().toImage().convertToFormat(4)  # RGB32
    data = bytes(image.constBits().asarray(image.sizeInBytes()))  # a copy: the image dies here
    return np.frombuffer(data, np.uint8).reshape(image.height(), image.width(), 4)[..., :3].astype(int)


def still(window: MainWindow, wait: Wait) -> np.ndarray:
    """The picture when nothing moves any more."""
    view, bench = window.viewport, window.workbench

    def at_rest() -> bool:
        note = view.shown
        return note is not None and not note.moving and (note.width, note.height) == bench.view.size()

    wait(at_rest)
    return pixels(window)


def drag(window: MainWindow, by: QPoint, button=Qt.LeftButton) -> None:
    view = window.viewport
    start = QPoint(view.width() // 2, view.height() // 2)
    QTest.mousePress(view, button, pos=start)
    for share in (0.5, 1.0):
        event_at = start + by * share
        QApplication.sendEvent(
            view, QMouseEvent(QMouseEvent.MouseMove, QPointF(event_at), button, button, Qt.NoModifier)
        )
    QTest.mouseRelease(view, button, pos=start + by)


def test_the_picture_shows_a_scene(fresh: MainWindow, wait: Wait) -> None:
    assert still(fresh, wait).std() > 20


def test_dragging_orbits_and_the_picture_follows(fresh: MainWindow, wait: Wait) -> None:
    before, eye = still(fresh, wait), fresh.viewport.camera.eye
    drag(fresh, QPoint(120, 30))
    assert np.linalg.norm(fresh.viewport.camera.eye - eye) > 0.2
    wait(lambda: np.abs(pixels(fresh) - before).mean() > 3)
    QTest.mouseDClick(fresh.viewport, Qt.LeftButton)
    wait(lambda: np.abs(pixels(fresh) - before).mean() < 3)


def test_right_drag_pans_and_the_wheel_zooms(fresh: MainWindow) -> None:
    camera = fresh.viewport.camera
    target, distance = camera.target.copy(), camera.distance
    drag(fresh, QPoint(60, 0), Qt.RightButton)
    assert np.linalg.norm(camera.target - target) > 0.05
    assert camera.distance == distance
    middle = QPointF(100, 100)
    wheel = QWheelEvent(
        middle, middle, QPoint(), QPoint(0, 120), Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False
    )
    QApplication.sendEvent(fresh.viewport, wheel)
    assert camera.distance == pytest.approx(distance / 1.13)
    fresh.viewport.look_from(0)


def skin_pixel(window: MainWindow) -> tuple[QPoint, object]:
    """A pixel that shows bare skin, and what lies under it."""
    view, bench = window.viewport, window.workbench
    scene = bench.scene.recipe.build()
    model = scene.visual_model()
    scene.close()
    picker, poses = Picker(model), bench.runtime.frames.read().poses
    rng = np.random.default_rng(0)
    for x, y in rng.uniform([0.2, 0.2], [0.8, 0.8], (400, 2)):
        at = QPoint(int(x * view.width()), int(y * view.height()))
        point = picker.pick(poses, view.camera, at.x() + 0.5, at.y() + 0.5, view.width(), view.height())
        if point is not None and 0.2 < point.axial < 0.8:
            return at, point
    raise AssertionError("no skin in view")


def test_a_click_on_the_skin_moves_the_preference_there(fresh: MainWindow, wait: Wait) -> None:
    view, bench = fresh.viewport, fresh.workbench
    arm = next(preset for preset in bench.scene.cameras if preset.name == "arm")
    view.camera = OrbitCamera.from_preset(arm)
    bench.drawing.set_camera(view.camera)
    still(fresh, wait)
    at, point = skin_pixel(fresh)
    fresh.actions_by_id["preference.place"].trigger()
    edits = bench.runtime.frames.read().edits
    QTest.mouseClick(view, Qt.LeftButton, pos=at)
    wait(lambda: bench.history.last.events)
    event = bench.history.last.events[-1]
    assert event.kind == "override"
    assert event.value["itch"] == pytest.approx(point.to_dict())
    assert bench.history.last.latent["itch"].part == point.part
    assert bench.history.last.latent["itch"].axial == pytest.approx(point.axial)
    wait(lambda: view.shown.edits > edits)  # and it is in the picture
    bench.runtime.step()
    wait(lambda: bench.history.last.t == 1)
    assert bench.history.last.latent["itch"].axial == pytest.approx(point.axial)
    fresh.actions_by_id["preference.place"].trigger()


def test_a_click_beside_the_skin_says_where_to_click(fresh: MainWindow, wait: Wait) -> None:
    fresh.actions_by_id["preference.place"].trigger()
    said = []
    fresh.workbench.notice.connect(said.append)
    QTest.mouseClick(fresh.viewport, Qt.LeftButton, pos=QPoint(3, 3))
    wait(lambda: said)
    assert "upper arm or forearm" in said[0].text
    fresh.workbench.notice.disconnect(said.append)
    fresh.actions_by_id["preference.place"].trigger()


def test_a_drag_while_placing_orbits_and_places_nothing(fresh: MainWindow) -> None:
    fresh.actions_by_id["preference.place"].trigger()
    asked = []
    fresh.viewport.pick = asked.append
    drag(fresh, QPoint(80, 0))
    del fresh.viewport.pick
    assert asked == []
    fresh.actions_by_id["preference.place"].trigger()


def test_a_resized_window_gets_pictures_of_its_size(fresh: MainWindow, wait: Wait) -> None:
    before = fresh.size()
    fresh.resize(1500, 900)
    still(fresh, wait)
    assert fresh.workbench.view.width == fresh.viewport.width()
    fresh.resize(before)
    still(fresh, wait)


def test_the_theme_changes_what_is_seen(fresh: MainWindow, wait: Wait) -> None:
    def light(widget) -> float:
        image = widget.grab().toImage()
        return image.scaled(1, 1, transformMode=Qt.SmoothTransformation).pixelColor(0, 0).lightnessF()

    parts = (fresh.panels["preference"], fresh.panels["adaptation"], fresh.menuBar(), fresh.viewport)
    fresh.set_theme("dark")
    still(fresh, wait)
    dark = [light(part) for part in parts]
    fresh.set_theme("light")
    wait(lambda: all(light(part) > before + 0.2 for part, before in zip(parts, dark, strict=True)))
    fresh.set_theme("dark")


def test_without_opengl_the_rest_goes_on(fresh: MainWindow) -> None:
    from robot_app.drawing import DrawingFailed

    said = []
    fresh.workbench.notice.connect(said.append)
    fresh.workbench.drawing_failed.emit(DrawingFailed("no EGL", ""))
    assert "cannot be drawn" in fresh.viewport.empty
    fresh.workbench.notice.disconnect(said.append)
