"""Every registered scene in the window: picked, its first field edited by hand while its policy acts, and put back."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from qtpy.QtWidgets import QApplication

import policies
from robot_app.window.app import make_window
from robot_app.window.field_editors import ChoiceEditor, PointEditor, ScalarEditor
from robot_app.window.main_window import MainWindow
from scenes.latent import LatentField, SurfacePoint
from scenes.registry import SCENES
from tests.robot_app.window.conftest import waiter
from tests.scenes.scene_cases import where_installed

Wait = Callable[..., None]
#: Scenes whose building takes seconds.
HEAVY = {name for name, entry in SCENES.items() if entry.module.startswith("scenes.care")}
NAMES = [
    pytest.param(
        *case.values, marks=(*case.marks, pytest.mark.slow) if case.values[0] in HEAVY else case.marks
    )
    for case in map(where_installed, SCENES)
]


@pytest.fixture(scope="module")
def anywhere(qapp: QApplication) -> Iterator[MainWindow]:
    """A window that goes from scene to scene."""
    made = make_window("gridworld", "random", seed=3)
    made.show()
    waiter(qapp)(lambda: made.workbench.history.last is not None, 60)
    yield made
    made.close()
    made.deleteLater()
    qapp.processEvents()


def pick(window: MainWindow, wait: Wait, name: str) -> str:
    """Choose scene and policy as a user does; returns who acts: the scripted policy where there is one."""
    panel, bench = window.panels["setup"], window.workbench
    window.show_panel("setup")
    panel.scene.setCurrentIndex(panel.scene.findData(name))
    panel.scene.activated.emit(panel.scene.currentIndex())
    scripted = [policy for policy in policies.list_policies(name) if policy.startswith("scripted/")]
    if scripted:
        panel.policy.setCurrentIndex(panel.policy.findData(scripted[0]))
        panel.policy.activated.emit(panel.policy.currentIndex())
    acting, number = panel.policy.currentData(), bench.scene.number
    panel.load_button.click()
    wait(
        lambda: (
            bench.scene.number > number and set(bench.history.last.latent) == set(bench.scene.space.names)
        ),
        120,
    )
    assert (bench.scene.recipe.name, bench.scene.policy) == (name, acting)
    return acting


def another(field: LatentField, value):
    """A value of a field far from the one in force, as its editor takes it; the end of a range, or the next choice."""
    if isinstance(value, SurfacePoint):
        return SurfacePoint(field.parts[-1] if value.part == field.parts[0] else field.parts[0], 0.25, 0.5)
    if isinstance(value, str):
        return field.choices[(field.choices.index(value) + 1) % len(field.choices)]
    return field.low if value > (field.low + field.high) / 2 else field.high


def edit_by_hand(window: MainWindow, name: str, wanted) -> None:
    """Through the editor's own controls."""
    editor = window.panels["preference"].editors[name]
    if isinstance(editor, ChoiceEditor):
        editor.combo.setCurrentIndex(editor.combo.findData(wanted))
        editor.combo.activated.emit(editor.combo.currentIndex())
    elif isinstance(editor, ScalarEditor):
        editor.row.slider.setValue(editor.row.slider.maximum() if wanted == editor.field.high else 0)
    else:
        assert isinstance(editor, PointEditor)
        editor.map.placed.emit(wanted)


@pytest.mark.parametrize("name", NAMES)
def test_its_first_field_is_edited_live_and_its_frames_show_it(
    anywhere: MainWindow, wait: Wait, name: str
) -> None:
    window, bench = anywhere, anywhere.workbench
    acting = pick(window, wait, name)
    space, panel = bench.scene.space, window.panels["preference"]
    window.show_panel("preference")
    assert list(panel.editors) == list(space.names)
    bench.runtime.set_termination(0.0)  # nothing but the edit changes anything
    for _ in range(2):
        bench.runtime.step()
    wait(lambda: bench.history.last.t == 2, 60)
    field, before = space.fields[0], bench.history.last.latent
    wanted = another(field, before[field.name])
    edit_by_hand(window, field.name, wanted)
    assert panel.now.isEnabled()
    panel.now.click()
    wait(lambda: bench.history.last.latent != before, 60)
    for _ in range(3):
        bench.runtime.step()
    wait(lambda: bench.history.last.t == 5, 120)
    frames = bench.history.frames
    said = field.to_text(field.validate(field.to_json(wanted), field.name))
    assert [field.to_text(frame.latent[field.name]) for frame in frames[2:]] == [said] * 4
    assert frames[1].latent == before
    assert [frame.session for frame in frames] == [0, 0, 1, 1, 1, 1]
    assert {key: value for key, value in frames[5].latent.items() if key != field.name} == pytest.approx(
        {key: value for key, value in before.items() if key != field.name}
    )
    assert panel.editors[field.name].value() == pytest.approx(field.to_json(wanted))
    assert said in panel.in_force.text()
    events = [event.kind for frame in frames for event in frame.events]
    assert events == ["termination", "override"]
    window.actions_by_id["preference.undo"].trigger()
    wait(
        lambda: field.to_text(bench.history.last.latent[field.name]) == field.to_text(before[field.name]), 60
    )
    assert bench.scene.policy == acting
