"""Sessions set by hand: each way can be undone, and a schedule is written with the editors and kept exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from robot_app.episode import Episode
from robot_app.window.main_window import MainWindow

Wait = Callable[..., None]


@pytest.fixture
def calm(fresh: MainWindow, wait: Wait) -> Iterator[MainWindow]:
    """No session ends by itself; afterwards as it was."""
    bench = fresh.workbench
    fresh.show_panel("preference")
    bench.runtime.set_termination(0.0)
    wait(lambda: bench.termination == 0.0)
    yield fresh
    bench.runtime.set_termination(0.02)
    bench.runtime.set_kernel("uniform")
    wait(lambda: bench.termination == 0.02 and bench.kernel == "uniform")


def choose(window: MainWindow, how: int) -> None:
    ends = window.panels["preference"].ends
    ends.setCurrentIndex(how)
    ends.activated.emit(how)


def test_every_edit_of_the_sessions_is_undone_and_done_again(calm: MainWindow, wait: Wait) -> None:
    bench, panel, actions = calm.workbench, calm.panels["preference"], calm.actions_by_id
    choose(calm, 1)
    wait(lambda: isinstance(bench.termination, dict))
    first = bench.termination
    assert calm.workbench.undo_stack.count() == 1
    for value in (12, 13, 17):  # a drag is one edit, with the choice that it began with
        panel.length.box.setValue(value)
    wait(lambda: bench.termination == {"length": 17})
    assert bench.undo_stack.count() == 1
    actions["preference.undo"].trigger()
    wait(lambda: bench.termination == 0.0)
    assert panel.ends.currentText() == "never"
    actions["preference.redo"].trigger()
    wait(lambda: bench.termination == {"length": 17})
    assert first != bench.termination
    panel.drift()  # chance and kernel together
    wait(lambda: bench.kernel == "drift")
    actions["preference.undo"].trigger()
    wait(lambda: bench.kernel == "uniform")
    assert panel.kernel.currentData() == "uniform"
    edits = [text for _, kind, text in calm.panels["log"].entries if kind == "edit"]
    assert any("every 17 steps" in text for text in edits)


def test_a_schedule_is_made_with_the_editors_and_comes_true(
    calm: MainWindow, wait: Wait, tmp_path: Path
) -> None:
    bench, panel = calm.workbench, calm.panels["preference"]
    choose(calm, 3)
    wait(lambda: bench.termination == {"schedule": []})
    assert panel.schedule.isVisible()
    for step, force in ((9, 4.5), (4, 1.5)):
        panel.editors["force"].row.box.setValue(force)
        panel.schedule.step.setValue(step)
        n = len(bench.termination["schedule"])
        panel.schedule.add.click()
        wait(lambda n=n: len(bench.termination["schedule"]) == n + 1)
    assert [entry["step"] for entry in bench.termination["schedule"]] == [4, 9]
    assert panel.schedule.list.item(0).text().startswith("step 4: ")
    assert "1.5" in panel.schedule.list.item(0).text()
    for _ in range(12):
        bench.runtime.step()
    wait(lambda: bench.history.last.t == 12)
    frames = bench.history.frames
    assert [frame.t for frame in frames if frame.changed] == [0, 4, 9]
    assert [frames[t].latent["force"] for t in (5, 12)] == pytest.approx([1.5, 4.5])

    bench.runtime.save_episode(tmp_path / "scheduled")
    saved: list = []
    bench.episode_saved.connect(saved.append)
    wait(lambda: saved)
    assert Episode.load(tmp_path / "scheduled").verify().ok
    bench.runtime.verify()
    wait(lambda: bench.replayed.get(bench.history.episode) is not None, 60)
    assert bench.replayed[bench.history.episode].differs == ""

    bench.set_view(truth=False)
    assert "4.5" not in panel.schedule.list.item(1).text()
    bench.set_view(truth=True)
    panel.schedule.list.setCurrentRow(0)
    panel.schedule.remove.click()
    wait(lambda: [entry["step"] for entry in bench.termination["schedule"]] == [9])
    calm.actions_by_id["preference.undo"].trigger()
    wait(lambda: [entry["step"] for entry in bench.termination["schedule"]] != [9])
