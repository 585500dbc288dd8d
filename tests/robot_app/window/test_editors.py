"""Editors of latent fields, without any process: what is put in comes out, by every control."""

from __future__ import annotations

import math

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from dynamite.belief import PointPosterior
from robot_app.window.field_editors import ChoiceEditor, NumberRow, PointEditor, ScalarEditor, make_editor
from robot_app.window.skin_map import SkinMap
from robot_app.window.theme import THEMES
from scenes.latent import ChoiceField, LatentSpace, PointField, ScalarField, SurfacePoint

SPACE = LatentSpace(
    (
        PointField("itch", "Itch", ("upper_arm", "forearm")),
        ScalarField("force", "Preferred force", 1.0, 5.0, "N"),
        ChoiceField("side", "Side", ("left", "right_hand", "none")),
    )
)
THEME = THEMES["dark"]


@pytest.mark.parametrize("seed", range(20))
def test_every_kind_of_field_goes_through_its_editor_unchanged(qapp: QApplication, seed: int) -> None:
    latent = SPACE.sample(np.random.default_rng(seed))
    editors = [make_editor(field, THEME) for field in SPACE.fields]
    assert [type(editor) for editor in editors] == [PointEditor, ScalarEditor, ChoiceEditor]
    for editor in editors:
        told = []
        editor.changed.connect(lambda told=told: told.append(True))
        editor.set_value(latent[editor.field.name])
        assert told == []  # only a person's edits are told
    back = SPACE.validate({editor.field.name: editor.value() for editor in editors})
    assert back["side"] == latent["side"]
    assert back["force"] == pytest.approx(latent["force"], abs=1e-9)
    assert back["itch"].part == latent["itch"].part
    assert back["itch"].axial == pytest.approx(latent["itch"].axial)
    assert math.remainder(back["itch"].angle - latent["itch"].angle, 2 * math.pi) == pytest.approx(
        0, abs=1e-9
    )


def test_a_number_row_keeps_slider_and_box_together(qapp: QApplication) -> None:
    row = NumberRow("Force", 1.0, 5.0, "N")
    told: list[float] = []
    row.changed.connect(told.append)
    row.slider.setValue(500)
    assert row.box.value() == pytest.approx(3.0)
    row.box.setValue(4.0)
    assert row.slider.value() == 750
    assert told == pytest.approx([3.0, 4.0])
    assert row.box.text().endswith("N")
    row.set_value(99.0)
    assert row.value == 5.0


def test_a_point_is_edited_by_map_combo_and_sliders(qapp: QApplication) -> None:
    editor = PointEditor(SPACE.fields[0], THEME)
    told = []
    editor.changed.connect(lambda: told.append(editor.value()))
    editor.map.resize(300, 140)
    forearm = editor.map.part_rect(1)
    QTest.mouseClick(
        editor.map, Qt.LeftButton, pos=QPoint(round(forearm.center().x()), round(forearm.center().y()))
    )
    assert editor.value()["part"] == "forearm"
    assert editor.value()["axial"] == pytest.approx(0.5, abs=0.02)
    assert editor.value()["angle"] == pytest.approx(0.0, abs=0.05)
    assert editor.part.currentData() == "forearm"
    editor.axial.box.setValue(70)
    editor.angle.box.setValue(90)
    assert (editor.value()["axial"], editor.value()["angle"]) == pytest.approx((0.7, math.pi / 2))
    editor.part.setCurrentIndex(0)
    editor.part.activated.emit(0)
    assert editor.value()["part"] == "upper_arm"
    assert len(told) == 4


@pytest.mark.parametrize("seed", range(10))
def test_a_point_is_drawn_where_a_click_would_put_it(qapp: QApplication, seed: int) -> None:
    skin = SkinMap(SPACE.fields[0], THEME)
    skin.resize(317, 171)
    point = SPACE.fields[0].sample(np.random.default_rng(seed))
    back = skin.point_at(skin.position(point))
    assert back.part == point.part
    assert back.axial == pytest.approx(point.axial, abs=1e-6)
    assert math.remainder(back.angle - point.angle, 2 * math.pi) == pytest.approx(0, abs=1e-6)


def test_the_belief_is_brightest_where_it_is_most_likely(qapp: QApplication) -> None:
    skin = SkinMap(SPACE.fields[0], THEME)
    skin.resize(320, 160)
    grid = np.zeros((2, 12, 16))
    grid[1, 8, 4] = 1.0
    skin.set_belief(PointPosterior(grid))
    image = skin.grab().toImage()
    peak = skin.position(SurfacePoint("forearm", 8.5 / 12, -math.pi + 2 * math.pi * 4.5 / 16))
    far = skin.position(SurfacePoint("upper_arm", 0.2, 1.0))
    scale = image.width() / skin.width()
    lightness = [image.pixelColor(int(p.x() * scale), int(p.y() * scale)).lightness() for p in (peak, far)]
    assert lightness[0] > lightness[1] + 60
