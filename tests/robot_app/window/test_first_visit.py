"""A first visit: what to do is said in the window, one step at a time; what was done is not lost; films say where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from policies import list_policies
from robot_app.recipe import SceneRecipe
from robot_app.window.app import make_window
from robot_app.window.first_steps import DONE, STEPS
from robot_app.window.main_window import MainWindow
from robot_app.window.settings import Settings
from tests.robot_app.window.test_timeline_panel import look_at, step_to

Wait = Callable[..., None]


def play_to_the_end(window: MainWindow, wait: Wait) -> None:
    bench = window.workbench
    bench.set_speed(float("inf"))
    bench.runtime.play()
    wait(lambda: bench.history.last.done and bench.status.state == "finished", 60)


# ---------------------------------------------------------------------------------------------------- first steps
@pytest.fixture
def guided(fresh: MainWindow) -> Iterator[MainWindow]:
    """The window with the first steps begun."""
    fresh.first_steps.begin()
    yield fresh
    fresh.first_steps.put_away()


def test_each_first_step_goes_when_it_is_done_and_the_last_takes_them_away_for_good(
    guided: MainWindow, wait: Wait, tmp_path: Path
) -> None:
    bench, steps = guided.workbench, guided.first_steps
    guided.panels["recording"].set_folder(tmp_path)
    assert steps.isVisible()
    assert "Move the itch" in steps.text.text()
    assert "upper arm or forearm" in steps.text.text()
    QTest.mouseClick(steps.button, Qt.LeftButton)
    assert guided.viewport.placing
    assert not steps.button.isVisible()  # it was pressed: now the skin is to be
    guided.actions_by_id["preference.place"].trigger()
    step_to(guided, wait, 6)
    look_at(guided, wait, 3)  # looking back is not what is asked for yet
    assert STEPS[steps.at] == "move"
    guided.actions_by_id["timeline.live"].trigger()
    wait(lambda: bench.cursor is None)
    bench.edit({"itch": "forearm@0.25"})
    wait(lambda: STEPS[steps.at] == "rewind")
    look_at(guided, wait, 2)
    wait(lambda: STEPS[steps.at] == "branch")
    bench.edit({"itch": "upper_arm@0.5"})
    wait(lambda: STEPS[steps.at] == "film")
    assert "Branch" in guided.notice_bar.text.text()
    wait(lambda: guided.viewport.shown is not None)
    QTest.mouseClick(steps.button, Qt.LeftButton)
    wait(lambda: bench.film is not None)
    assert steps.button.text() == "Stop"
    step_to(guided, wait, 5)
    guided.actions_by_id["record.film"].trigger()
    wait(lambda: not steps.isVisible(), 60)
    assert bench.settings.flag(DONE, False)
    assert list(tmp_path.glob("*.mp4"))


def test_first_steps_come_by_themselves_once(open_window: Callable[..., MainWindow]) -> None:
    settings = Settings()
    settings.set_flag(DONE, False)
    first = make_window("gridworld", "random")
    try:
        assert not first.first_steps.isHidden()
        first.first_steps.dismiss.click()
    finally:
        first.close()
        first.deleteLater()
    again = open_window(60.0, scene="gridworld", policy="random")
    assert again.first_steps.isHidden()


def test_first_steps_fit_their_words_and_let_the_mouse_through(guided: MainWindow, wait: Wait) -> None:
    steps = guided.first_steps
    for guided.first_steps.at in range(len(STEPS)):
        steps._show()
        needed = steps.text.heightForWidth(steps.text.width())
        assert steps.text.height() >= needed
        assert guided.viewport.rect().contains(steps.geometry())
    before = guided.viewport.camera.azimuth
    inside = steps.text.rect().center()
    QTest.mousePress(steps.text, Qt.LeftButton, pos=inside)
    assert guided.viewport.camera.azimuth == before


# ---------------------------------------------------------------------------------------------------- nothing runs away
def test_an_episode_that_was_edited_stays_when_it_is_over_and_others_do_not(
    fresh: MainWindow, wait: Wait
) -> None:
    bench = fresh.workbench
    bench.edit({"itch": "forearm@0.25"})
    wait(lambda: bench.history.last.events)
    number = bench.history.episode
    play_to_the_end(fresh, wait)
    wait(lambda: "episode is over" in fresh.notice_bar.text.text())
    told: list = []
    bench.episode_started.connect(lambda: told.append(bench.history.episode))
    waited: list = []
    bench.beat.connect(lambda: waited.append(1))
    wait(lambda: len(waited) > 40)  # longer than an ended episode lingers
    assert told == []
    assert bench.history.episode == number
    bench.runtime.play()  # the next seed, which nobody edited: it is followed by another
    wait(lambda: bench.history.seed >= 5, 60)
    bench.runtime.pause()
    wait(lambda: bench.status.state != "playing")
    takes = fresh.panels["timeline"].takes
    assert "edited at 0" in takes.itemText(takes.findData(number))
    bench.set_view(truth=False)  # an audience that guesses is not told where to look
    assert "edited" not in takes.itemText(takes.findData(number))
    bench.set_view(truth=True)


# ---------------------------------------------------------------------------------------------------- said and seen
def test_what_is_saved_says_where_it_is(fresh: MainWindow, wait: Wait, tmp_path: Path) -> None:
    fresh.panels["recording"].set_folder(tmp_path)
    fresh.actions_by_id["record.table"].trigger()
    (path,) = tmp_path.glob("*.csv")
    assert str(path) in fresh.notice_bar.text.text()
    assert fresh.notice_bar.action.text() == "Show folder"
    assert not fresh.notice_bar.action.isHidden()


def test_a_notice_is_as_tall_as_its_words(fresh: MainWindow) -> None:
    heights = []
    for text in ("Short.", "A sentence that is long enough to need a second line. " * 4):
        fresh.workbench.tell("warning", text)
        heights.append(fresh.notice_bar.height())
        label = fresh.notice_bar.text
        assert label.height() >= label.heightForWidth(label.width())
    assert heights[0] < 50 < heights[1]
    fresh.notice_bar.dismiss.click()


def test_the_hint_of_placing_lies_inside_the_picture_below_its_caption(fresh: MainWindow, wait: Wait) -> None:
    view = fresh.viewport
    size, caption = view.size(), view.caption
    try:
        view.caption = ("A  somebody", "agent")
        for width in (280, 560):
            view.resize(width, 400)
            box, text = view.hint_box(view.fontMetrics())
            assert "upper arm or forearm" in text
            assert box.left() >= 0
            assert box.right() <= width
            assert box.top() >= 8 + view.fontMetrics().height() + 8
    finally:
        view.caption = caption
        view.resize(size)


def test_placing_ends_with_a_scene_that_hides_no_point(
    open_window: Callable[..., MainWindow], wait: Wait
) -> None:
    window = open_window(60.0, scene="scratch_itch", policy="random")
    place = window.actions_by_id["preference.place"]
    place.trigger()
    assert window.viewport.placing
    window.workbench.load(SceneRecipe("gridworld"), "random", 0)
    wait(lambda: not window.viewport.placing, 60)
    assert not place.isEnabled()
    window.first_steps.begin()
    assert window.first_steps.button.isHidden()
    assert "Preference panel" in window.first_steps.text.text()
    window.first_steps.put_away()
    assert "Preference panel" in place.statusTip()
    window.workbench.load(SceneRecipe("scratch_itch"), "random", 0)
    wait(place.isEnabled, 60)


def test_a_late_answer_to_a_click_changes_no_other_time(fresh: MainWindow, wait: Wait) -> None:
    bench, view = fresh.workbench, fresh.viewport
    step_to(fresh, wait, 6)
    point = bench.history.last.latent["itch"]
    view.set_placing(True)
    try:
        view.pick(QPoint(1, 1))
        look_at(fresh, wait, 3)
        newest = bench.takes[-1].number  # not how many: beyond a number the oldest go
        view._picked(point)
        assert "click again" in fresh.notice_bar.text.text()
        view.pick(QPoint(1, 1))
        view._picked(point)
        wait(lambda: bench.takes[-1].number == newest + 1)
        assert bench.takes[-1].start == 3
    finally:
        view.set_placing(False)


def test_a_film_shows_in_the_window_that_it_is_taken(fresh: MainWindow, wait: Wait, tmp_path: Path) -> None:
    fresh.panels["recording"].set_folder(tmp_path)
    wait(lambda: fresh.viewport.shown is not None)

    def red() -> int:
        image = fresh.viewport.grab().toImage()
        corner = [
            image.pixelColor(x, y) for x in range(image.width() - 70, image.width()) for y in range(8, 34)
        ]
        ink = fresh.workbench.theme.error
        return sum(color.name() == ink.lower() for color in corner)

    before = red()
    fresh.actions_by_id["record.film"].trigger()
    wait(lambda: fresh.workbench.film is not None)
    assert red() > before + 20
    fresh.actions_by_id["record.film"].trigger()
    wait(lambda: fresh.workbench.film is None, 60)
    assert red() == before


def test_the_log_shows_the_newest_and_says_titles(fresh: MainWindow, wait: Wait) -> None:
    log = fresh.panels["log"]
    fresh.show_panel("adaptation")
    wait(lambda: log.text.visibleRegion().isEmpty())
    for i in range(60):
        log.add("info", f"entry {i}")
    fresh.show_panel("log")
    bar = log.text.verticalScrollBar()
    wait(lambda: not log.text.visibleRegion().isEmpty())
    wait(lambda: bar.maximum() > 0 and bar.value() == bar.maximum())
    log.add("info", "one more")
    assert bar.value() == bar.maximum()
    bar.setValue(0)  # who reads back is left there
    log.add("info", "and another")
    assert bar.value() == 0
    scene = fresh.workbench.scene
    log.entries.clear()
    fresh.workbench.load(scene.recipe, scene.policy, 3)
    wait(lambda: any("Loaded scratch itch" in text for _, _, text in log.entries))
    assert not any("Loaded scratch_itch" in text for _, _, text in log.entries)
    fresh.show_panel("adaptation")


@pytest.mark.parametrize(
    ("query", "title"),
    [("film", "Record Film"), ("movie", "Record Film"), ("rewind", "Step Back"), ("change history", "Branch Here"),
     ("move itch", "Place Preference")],
)  # fmt: skip
def test_the_palette_knows_peoples_own_words(fresh: MainWindow, wait: Wait, query: str, title: str) -> None:
    box = fresh.palette_box
    step_to(fresh, wait, 3)
    box.open()
    box.line.setText(query)
    found = [box.list.topLevelItem(i).text(0) for i in range(box.list.topLevelItemCount())]
    assert any(entry.endswith(title) for entry in found[:5])
    box.hide()


def test_the_palette_says_when_nothing_fits_and_does_not_offer_to_quit_first(fresh: MainWindow) -> None:
    box = fresh.palette_box
    box.open()
    assert "Quit" not in box.list.currentItem().text(0)
    box.line.setText("zzqx")
    assert "No command" in box.list.topLevelItem(0).text(0)
    QTest.keyClick(box.line, Qt.Key_Return)
    assert fresh.isVisible()


@pytest.mark.slow
def test_another_scene_ends_a_comparison_in_plain_words_and_offers_who_knows_it(
    open_window: Callable[..., MainWindow], wait: Wait
) -> None:
    window = open_window(60.0, scene="scratch_itch", policy="random")
    panel = window.panels["compare"]
    panel.second.setCurrentIndex(panel.second.findData("pretrained/oracle"))
    window.actions_by_id["run.compare"].trigger()
    wait(lambda: panel.on and panel.comparing.comparison.ready, 60)
    said: list = []
    window.workbench.notice.connect(said.append)
    window.workbench.load(SceneRecipe("feeding"), "random", 0)
    wait(lambda: not panel.on and window.workbench.scene.recipe.name == "feeding", 60)
    window.workbench.notice.disconnect(said.append)
    assert [notice.level for notice in said] == ["info"]
    assert "scratch itch" in said[0].text
    assert "allowed" not in said[0].text
    assert panel.second.currentData() in list_policies("feeding")
