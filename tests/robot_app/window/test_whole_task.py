"""A visitor's whole task by mouse and keys: from a click on the skin to a film, and an episode verified when opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from dynamite.acting import Frame
from robot_app.episode import Episode
from robot_app.render.camera import OrbitCamera
from robot_app.window.main_window import MainWindow
from robot_app.window.panel import pixels
from tests.robot_app.window.conftest import press
from tests.robot_app.window.test_opening import drop
from tests.robot_app.window.test_timeline_panel import look_at, step_to
from tests.robot_app.window.test_viewport import skin_pixel, still

Wait = Callable[..., None]
ORACLE = "scripted/scratch_itch"


def believed(frame: Frame) -> np.ndarray:
    """(parts, axial, angle) how likely each spot of the skin is the itch's."""
    return np.asarray(frame.decision.belief.fields["itch"].grid, float)


@pytest.mark.slow
def test_from_a_click_on_the_skin_to_a_verified_replay(
    open_window: Callable[..., MainWindow], wait: Wait, tmp_path: Path
) -> None:
    window = open_window(60.0, scene="scratch_itch", policy="pretrained/dynamite", seed=3)
    bench, view, panels = window.workbench, window.viewport, window.panels
    panels["recording"].set_folder(tmp_path)
    bench.runtime.set_termination(0.0)  # the visitor alone moves it
    wait(lambda: view.shown is not None and bench.termination == 0.0, 60)
    step_to(window, wait, 40)

    # The itch is placed with a click, mid-episode; the belief follows, in numbers and on the map.
    view.camera = OrbitCamera.from_preset(next(c for c in bench.scene.cameras if c.name == "arm"))
    bench.set_camera(view.camera)
    wait(lambda: view.shown.t == 40, 60)
    still(window, wait)
    before = bench.history.last
    at, point = skin_pixel(window)
    press(window, wait, Qt.Key_P)
    QTest.mouseClick(view, Qt.LeftButton, pos=at)
    wait(lambda: bench.history.last.events)
    assert bench.history.last.latent["itch"].axial == pytest.approx(point.axial, abs=0.01)
    press(window, wait, Qt.Key_P)
    step_to(window, wait, 110)
    after = bench.history.last
    assert 0.5 * np.abs(believed(after) - believed(before)).sum() > 0.5
    parts = bench.scene.space["itch"].parts
    assert believed(after)[parts.index(point.part)].sum() > 0.5
    skin = panels["belief"].views["itch"]
    wait(lambda: skin.grid is after.decision.belief.fields["itch"])
    shown = pixels(skin)
    skin.set_belief(before.decision.belief.fields["itch"])
    assert np.abs(pixels(skin).astype(int) - shown).mean() > 2

    # Back to just after the click, and another past from there; the first is kept.
    first = bench.history
    look_at(window, wait, 60)
    wait(lambda: view.shown.t == 60)
    press(window, wait, Qt.Key_B)
    wait(lambda: bench.history is not first and len(bench.history) == 61)
    assert bench.history.frames[59] is first.frames[59]
    bench.edit({"itch": "upper_arm@0.2" if point.part == "forearm" else "forearm@0.8"})
    step_to(window, wait, 66)
    assert bench.history.frames[60].observation.tobytes() == first.frames[60].observation.tobytes()
    assert bench.history.last.latent["itch"].part != point.part
    assert first.last.latent["itch"].part == point.part

    # The oracle beside it, on the same seed, sessions and edits; a film and a still of both.
    compare = panels["compare"]
    compare.second.setCurrentIndex(compare.second.findData(ORACLE))
    press(window, wait, Qt.Key_V)
    wait(lambda: compare.on and compare.comparing.comparison.ready, 60)
    wait(lambda: panels["recording"].pair.why_not() == "", 60)
    window.actions_by_id["record.film"].trigger()
    wait(lambda: bench.film is not None)
    step_to(window, wait, 74)
    wait(lambda: view.shown.t == 74 and compare.view.shown.t == 74)
    window.actions_by_id["record.still"].trigger()
    wait(lambda: list(tmp_path.glob("scratch_itch-still-*.png")), 60)
    window.actions_by_id["record.film"].trigger()
    wait(lambda: bench.film is None)
    ours, theirs = bench.history, compare.comparing.comparison.history
    assert [frame.latent for frame in ours.frames] == [frame.latent for frame in theirs.frames]
    assert ours.last.observation.tobytes() != theirs.last.observation.tobytes()
    press(window, wait, Qt.Key_V)
    wait(lambda: not compare.on)

    # What was lived is kept, opened again, and the same to the last bit.
    panels["recording"].latest.setText("")
    window.actions_by_id["record.episode"].trigger()
    wait(lambda: "-episode-" in panels["recording"].latest.text(), 60)
    (folder,) = tmp_path.glob("*-episode-*")
    recorded = [frame.observation.tobytes() for frame in ours.frames]
    drop(window, folder)
    wait(lambda: bench.replayed.get(bench.history.episode) is not None, 60)
    assert "Replay verified: all 74 steps" in window.notice_bar.text.text()
    assert [frame.observation.tobytes() for frame in bench.history.frames] == recorded
    assert bench.timeline().at == 0
    assert Episode.load(folder).verify().ok  # and outside the window

    with av.open(str(next(tmp_path.glob("*.mp4")))) as film:
        stream = film.streams.video[0]
        assert sum(1 for _ in film.decode(stream)) > 0
        assert stream.width > 1.8 * view.full_size()[0] / 2
    image = Image.open(next(tmp_path.glob("scratch_itch-still-*.png")))
    assert image.size == (stream.width, stream.height)
