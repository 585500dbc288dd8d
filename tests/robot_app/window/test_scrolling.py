"""What scrolls: a panel that is higher than its place, once it cannot be made less high; nothing is cut off at the side."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from qtpy.QtCore import QPoint
from qtpy.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from robot_app.recipe import SceneRecipe
from robot_app.window.main_window import MainWindow
from robot_app.window.scrolling import Yielding, scrolled

Wait = Callable[..., None]

SIZES = [(1280, 800), (1920, 1080)]


def sees(area: QScrollArea, widget: QWidget) -> bool:
    """Whether all of a widget is in the part of the scroll area that shows."""
    corner = widget.mapTo(area.viewport(), QPoint(0, 0))
    return area.viewport().rect().contains(widget.rect().translated(corner))


def laid_out(window: MainWindow, wait: Wait, size: tuple[int, int]) -> None:
    window.reset_layout()
    window.resize(*size)
    beats: list[int] = []
    window.workbench.beat.connect(lambda: beats.append(1))
    wait(lambda: window.size().height() == size[1] and len(beats) > 3)


def test_a_belief_about_one_itch_is_seen_whole(open_window: Callable[..., MainWindow], wait: Wait) -> None:
    window = open_window(60.0, scene="scratch_itch", policy="pretrained/dynamite")
    panel, area = window.panels["belief"], window.docks["belief"].widget()
    for size in SIZES:
        laid_out(window, wait, size)
        wait(lambda: panel.plot_keys.isVisible() and panel.plot_keys.text())
        for widget in (*panel.views.values(), panel.keys, panel.z, panel.p_end, panel.plot, panel.plot_keys):
            assert widget.height() >= widget.minimumSizeHint().height()
            assert sees(area, widget), (size, widget)
        assert not area.verticalScrollBar().isVisible()


@pytest.mark.parametrize("name", ["preference", "belief", "recording"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off_at_the_side(
    fresh: MainWindow, wait: Wait, name: str, size: tuple[int, int]
) -> None:
    laid_out(fresh, wait, size)
    fresh.show_panel(name)
    panel, area = fresh.panels[name], fresh.docks[name].widget()
    wait(panel.isVisible)
    assert panel.width() == area.viewport().width()
    assert panel.width() >= panel.minimumSizeHint().width()


def test_a_belief_about_many_fields_is_reached_by_scrolling(fresh: MainWindow, wait: Wait) -> None:
    laid_out(fresh, wait, SIZES[0])
    panel, area = fresh.panels["belief"], fresh.docks["belief"].widget()
    fresh.show_panel("belief")
    wait(lambda: panel.plot_keys.isVisible() and area.verticalScrollBar().isVisible())
    assert not sees(area, panel.plot_keys)
    area.verticalScrollBar().setValue(area.verticalScrollBar().maximum())
    wait(lambda: sees(area, panel.plot_keys))
    assert all(view.height() >= view.minimumHeight() for view in panel.views.values())


@pytest.mark.parametrize(
    "termination", [0.02, {"length": 40}, {"schedule": [{"step": 60, "latent": "forearm.dorsal@0.6"}]}]
)
def test_a_small_window_shows_the_itch_and_the_session_rule_without_scrolling(
    open_window: Callable[..., MainWindow], wait: Wait, termination
) -> None:
    window = open_window(60.0, scene=SceneRecipe("scratch_itch", termination=termination), policy="random")
    laid_out(window, wait, SIZES[0])
    panel, area = window.panels["preference"], window.docks["preference"].widget()
    rule = [w for w in (panel.probability, panel.length, panel.schedule, panel.kernel) if w.isVisible()]
    for widget in (*panel.editors.values(), panel.now, panel.later, panel.drift_button, panel.ends, *rule):
        assert sees(area, widget), (
            widget,
            widget.mapTo(area.viewport(), widget.rect().bottomLeft()),
            area.viewport().height(),
        )
    if isinstance(termination, dict) and "schedule" in termination:
        assert panel.schedule.list.item(0).text() == "step 60: forearm 60 %, +0°"


def test_load_is_in_sight_whatever_the_scene(fresh: MainWindow, wait: Wait) -> None:
    panel = fresh.panels["setup"]
    fresh.show_panel("setup")
    wait(panel.isVisible)
    size = fresh.size()
    try:
        fresh.resize(1280, 800)
        for scene in ("feeding", "dressing", "scratch_itch"):
            panel.show_scene(scene)
            assert panel.rect().contains(panel.load_button.geometry())
        assert panel.load_button.visibleRegion().boundingRect().height() == panel.load_button.height()
    finally:
        fresh.resize(size)
        fresh.show_panel("preference")


def test_text_that_wraps_has_its_lines_and_what_yields_gives_way_for_them(qapp) -> None:
    body, text, rest = Yielding(), QLabel("eleven words " * 12), QWidget()
    text.setWordWrap(True)
    rest.setMinimumHeight(50)
    rest.sizeHint = lambda: rest.size().expandedTo(rest.minimumSize())  # would like to stay as large as it is
    layout = QVBoxLayout(body)
    layout.addWidget(text)
    layout.addWidget(rest, 1)
    panel = QWidget()
    QVBoxLayout(panel).addWidget(body)
    area = scrolled(panel)
    try:
        area.resize(300, 400)
        area.show()
        qapp.processEvents()
        assert rest.height() > 200
        assert not area.verticalScrollBar().isVisible()
        area.resize(180, text.heightForWidth(120) + 50 + 60)
        for _ in range(3):
            qapp.processEvents()
        assert text.height() >= text.heightForWidth(text.width())
        assert rest.height() >= 50
        assert not area.verticalScrollBar().isVisible()
        area.resize(180, 90)
        for _ in range(3):
            qapp.processEvents()
        assert area.verticalScrollBar().isVisible()
        assert text.height() >= text.heightForWidth(text.width())
        assert panel.width() == area.viewport().width()
    finally:
        area.deleteLater()
        qapp.processEvents()
