"""Panels with a running scene: what they show is what is so."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from qtpy.QtWidgets import QPushButton

from robot_app.episode import Episode
from robot_app.window.gauges import ChoiceGauge, ScalarGauge
from robot_app.window.main_window import MainWindow
from robot_app.window.panel import BasePanel, find_panels
from robot_app.window.skin_map import SkinMap

Wait = Callable[..., None]


def play_to(window: MainWindow, wait: Wait, step: int) -> None:
    bench = window.workbench
    bench.set_speed(float("inf"))
    bench.runtime.play()
    wait(lambda: bench.history.last.t >= step or bench.history.last.done)
    bench.runtime.pause()
    wait(lambda: bench.status.state != "playing")


def test_panels_are_found_and_named() -> None:
    found = find_panels()
    assert all(issubclass(panel, BasePanel) for panel in found)
    titles = {panel.title for panel in found}
    assert titles >= {"Scene", "Preference", "Set-up", "Belief", "Adaptation", "Training", "Recording", "Log"}
    assert len(titles) == len(found)


def test_the_history_has_every_step(fresh: MainWindow, wait: Wait) -> None:
    play_to(fresh, wait, 120)
    history = fresh.workbench.history
    assert [frame.t for frame in history.frames] == list(range(len(history)))
    assert len(history) > 120


def test_the_belief_panel_shows_each_field_and_the_embedding(fresh: MainWindow, wait: Wait) -> None:
    play_to(fresh, wait, 30)
    panel, frame = fresh.panels["belief"], fresh.workbench.history.last
    fresh.show_panel("belief")
    panel.on_frame(frame)
    panel.on_plots()
    kinds = {name: type(view) for name, view in panel.views.items()}
    assert kinds == {"itch": SkinMap, "force": ScalarGauge, "impairment": ChoiceGauge}
    belief = frame.decision.belief
    assert panel.views["itch"].grid is belief.fields["itch"]
    assert panel.views["itch"].truth == frame.latent["itch"]
    assert panel.views["force"]._posterior is belief.fields["force"]
    assert len(panel.z._mean) == len(belief.mean)
    x, y = panel.plot._curves["p_end"].getData()
    assert len(x) == len(fresh.workbench.history)
    assert y[-1] == pytest.approx(belief.p_session_end, abs=1e-6)


def test_an_agent_that_acts_on_its_memory_has_no_embedding_to_show(fresh: MainWindow, wait: Wait) -> None:
    panel, frame = fresh.panels["belief"], fresh.workbench.history.last
    nothing = np.zeros(0, np.float32)
    belief = dataclasses.replace(frame.decision.belief, mean=nothing, logvar=nothing, p_session_end=None)
    panel.on_frame(dataclasses.replace(frame, decision=dataclasses.replace(frame.decision, belief=belief)))
    assert panel.z_entropy.text() == "none: acts on its memory"
    assert "no prediction" in panel.p_end.text()
    assert len(panel.z._mean) == 0
    assert not panel.grab().isNull()
    assert panel.views["itch"].grid is belief.fields["itch"]  # the probe reads it all the same


def test_a_hidden_truth_is_not_on_the_belief_map(fresh: MainWindow, wait: Wait) -> None:
    panel, frame = fresh.panels["belief"], fresh.workbench.history.last
    fresh.workbench.set_view(truth=False)
    panel.on_frame(frame)
    assert panel.views["itch"].truth is None
    fresh.workbench.set_view(truth=True)
    panel.on_frame(frame)
    assert panel.views["itch"].truth is not None


def test_the_adaptation_panel_counts_like_the_frames(fresh: MainWindow, wait: Wait) -> None:
    play_to(fresh, wait, 60)
    panel, bench = fresh.panels["adaptation"], fresh.workbench
    fresh.workbench.surprise()
    wait(lambda: bench.history.last.events)
    play_to(fresh, wait, bench.history.last.t + 30)
    wait(lambda: len(bench.history.oracle_rewards) == bench.scene.episode_length)
    history = bench.history
    panel.on_frame(history.last)
    panel.on_plots()
    assert panel.numbers["return"].text() == f"{sum(frame.reward for frame in history.frames):.1f}"
    assert panel.numbers["oracle"].text() == f"{history.oracle_rewards[: history.last.t].sum():.1f}"
    changes = [frame.t for frame in history.frames if frame.changed and frame.t > 0]
    assert [panel.table.item(row, 0).text() for row in range(panel.table.rowCount())] == [
        str(t) for t in changes
    ]
    assert any(frame.events for frame in history.frames if frame.t in changes)
    _, y = panel.returns._curves["policy"].getData()
    assert y[-1] == pytest.approx(history.returns()[-1])


def test_editors_follow_the_truth_until_they_are_touched(fresh: MainWindow, wait: Wait) -> None:
    panel, bench = fresh.panels["preference"], fresh.workbench
    fresh.show_panel("preference")
    bench.surprise()
    wait(lambda: bench.history.last.events)
    panel.on_frame(bench.history.last)
    assert panel.editors["force"].value() == pytest.approx(bench.latent["force"])
    panel.editors["force"].row.slider.setValue(100)
    assert panel.now.isEnabled()
    bench.surprise()
    wait(lambda: len(bench.history.last.events) == 2)
    assert panel.editors["force"].value() == pytest.approx(1.4)
    panel.now.click()
    wait(lambda: len(bench.history.last.events) == 3)
    assert bench.latent["force"] == pytest.approx(1.4)
    assert not panel.now.isEnabled()


def test_sessions_are_set_from_the_preference_panel(fresh: MainWindow, wait: Wait) -> None:
    panel, bench = fresh.panels["preference"], fresh.workbench
    panel.ends.setCurrentIndex(1)
    panel.ends.activated.emit(1)
    wait(lambda: isinstance(bench.termination, dict))
    panel.length.box.setValue(12)
    wait(lambda: bench.termination == {"length": 12})
    play_to(fresh, wait, 60)
    starts = [frame.t for frame in bench.history.frames if frame.changed]
    assert np.diff(starts).tolist() == [12] * (len(starts) - 1)
    bench.reset(3)
    wait(lambda: bench.history.last.t == 0)
    panel.ends.setCurrentIndex(0)
    panel.ends.activated.emit(0)
    wait(lambda: isinstance(bench.termination, float) and bench.termination > 0)
    assert panel.ends.currentIndex() == 0


def test_a_scene_is_chosen_in_the_set_up_panel(fresh: MainWindow, wait: Wait) -> None:
    panel, bench = fresh.panels["setup"], fresh.workbench
    recipe, policy = bench.scene.recipe, bench.scene.policy
    panel.scene.setCurrentIndex(panel.scene.findData("gridworld"))
    panel.scene.activated.emit(panel.scene.currentIndex())
    panel.policy.setCurrentIndex(panel.policy.findData("random"))
    panel.load_button.click()
    wait(lambda: bench.scene.recipe.name == "gridworld")
    wait(lambda: set(bench.history.last.latent) == {"goal"})
    assert list(fresh.panels["preference"].editors) == ["goal"]
    fresh.panels["belief"].on_frame(bench.history.last)
    assert "acts without a belief" in fresh.panels["belief"]._empty.text()
    assert fresh.viewport.grab() is not None
    number = bench.scene.number
    bench.load(recipe, policy, 3)
    wait(
        lambda: (
            bench.scene.number > number and set(bench.history.last.latent) == {"itch", "force", "impairment"}
        )
    )


def test_a_film_has_the_seconds_that_were_seen(fresh: MainWindow, wait: Wait, tmp_path: Path) -> None:
    panel, bench = fresh.panels["recording"], fresh.workbench
    panel.set_folder(tmp_path)
    bench.runtime.play()
    wait(lambda: bench.status.state == "playing")
    fresh.actions_by_id["record.film"].trigger()
    wait(lambda: bench.film is not None)
    start = bench.history.last.t
    wait(lambda: bench.history.last.t >= start + 12)
    ends: list = []
    bench.filmed.connect(ends.append)
    fresh.actions_by_id["record.film"].trigger()
    wait(lambda: ends)
    bench.filmed.disconnect(ends.append)
    bench.runtime.pause()
    path = next(tmp_path.glob("scratch_itch-film-*.mp4"))
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert (stream.width, stream.height) == bench.view.size()
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(stream)]
    assert len(pictures) == pytest.approx(30 * ends[0].seconds, abs=1)
    assert 0.3 < ends[0].seconds < 3.0  # 12 steps take 1.2 s; a busy machine may be late at either end
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(pictures, pictures[5:], strict=False)) > 0.2
    assert path.name in panel.latest.text()


def test_still_episode_and_table_are_kept(fresh: MainWindow, wait: Wait, tmp_path: Path) -> None:
    panel, bench = fresh.panels["recording"], fresh.workbench
    panel.set_folder(tmp_path)
    play_to(fresh, wait, 40)
    for name in ("still", "episode", "table"):
        panel.latest.clear()  # of what another test kept
        fresh.actions_by_id[f"record.{name}"].trigger()
        wait(lambda name=name: f"-{name}-" in panel.latest.text(), 60)
    image = Image.open(next(tmp_path.glob("*.png")))
    assert image.size == bench.view.size()
    with open(next(tmp_path.glob("*.csv"))) as file:
        rows = list(csv.DictReader(file))
    assert [int(row["t"]) for row in rows] == list(range(len(bench.history)))
    assert float(rows[-1]["return"]) == pytest.approx(bench.history.returns()[-1])
    episode = Episode.load(next(tmp_path.glob("*-episode-*")))
    assert episode.n_steps == bench.history.last.t


def test_the_log_has_edits_changes_and_errors(fresh: MainWindow, wait: Wait) -> None:
    bench, log = fresh.workbench, fresh.panels["log"]
    log.clear()
    bench.surprise()
    bench.runtime.set_policy("nobody")
    wait(lambda: any(kind == "error" for _, kind, _ in log.entries))
    assert any(kind == "edit" for _, kind, _ in log.entries)
    error = next(text for _, kind, text in log.entries if kind == "error")
    assert "nobody" in error
    assert fresh.notice_bar.isVisible()
    assert fresh.notice_bar.text.text() == error
    fresh.notice_bar.dismiss.click()
    assert "nobody" in fresh.commands.report()
    play_to(fresh, wait, 199)
    assert any(kind == "change" for _, kind, _ in log.entries)


def test_controls_have_names_for_screen_readers(fresh: MainWindow) -> None:
    nameless = [
        button for button in fresh.findChildren(QPushButton) if not (button.text() or button.accessibleName())
    ]
    assert nameless == []
