"""The Set-up panel offers every registered scene with its options, robots and policies, installed or not."""

from __future__ import annotations

import pytest

import policies
from robot_app.window.main_window import MainWindow
from robot_app.window.panels.setup import option_choices, optional_fields
from scenes.registry import SCENES


@pytest.mark.parametrize("name", list(SCENES))
def test_a_scene_is_offered_with_all_there_is(fresh: MainWindow, name: str) -> None:
    panel = fresh.panels["setup"]
    panel.scene.setCurrentIndex(panel.scene.findData(name))
    panel.scene.activated.emit(panel.scene.currentIndex())
    assert panel.summary.text().startswith(SCENES[name].summary)
    assert set(panel.options) == set(option_choices(name))
    for option, combo in panel.options.items():
        default, values = option_choices(name)[option]
        assert combo.count() == len(values)
        assert combo.currentData() == default, option
    assert [panel.fields[field].text() for field in panel.fields] == [
        label for _, label in optional_fields(name)
    ]
    offered = {panel.policy.itemData(i) for i in range(panel.policy.count())}
    assert offered >= set(policies.list_policies(name))
    assert panel.load_button.isEnabled() == SCENES[name].installed
    recipe = panel.recipe()
    assert recipe.name == name
    assert recipe.options == {}  # nothing was chosen: the scene's own defaults


def test_a_scene_that_is_not_installed_says_what_installs_it(
    fresh: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(SCENES["reacher"]), "installed", property(lambda entry: entry.extra == ""))
    panel = fresh.panels["setup"]
    panel.show_scene("reacher")
    assert SCENES["reacher"].command in panel.summary.text()
    assert not panel.load_button.isEnabled()
    panel.show_scene("scratch_itch")
    assert panel.load_button.isEnabled()
