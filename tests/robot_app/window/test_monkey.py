"""Whatever is done to the window in whatever order, nothing breaks and nothing is left; if it does, the monkey says so."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from qtpy.QtWidgets import QApplication, QFileDialog, QPushButton, QWidget

from benchmarks.monkey_hands import KINDS, way_to, widget_at
from robot_app.window.app import tell_fault
from robot_app.window.main_window import MainWindow

ROOT = Path(__file__).parents[3]


def let_loose(log: Path, *arguments: str) -> tuple[int, dict[str, Any], list[dict[str, Any]]]:
    """In a process of its own, which may crash: exit code, report, log."""
    command = [sys.executable, "-m", "benchmarks.monkey", "--json", "--log", str(log), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert done.stdout, f"{done.stderr}\nthe last that was done: {lines[-1]}"
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), lines


def test_fifteen_hundred_random_events_break_nothing_and_leave_nothing(tmp_path: Path) -> None:
    code, found, log = let_loose(tmp_path / "log.jsonl", "--events", "1500", "--seed", "0")
    assert found["faults"] == []
    assert code == 0
    done = [line for line in log if "kind" in line]
    assert found["events"] == len(done) == 1500
    assert {line["kind"] for line in done} >= {kind for kind, weight in KINDS.items() if weight >= 1}
    assert len({line["id"] for line in done if line["kind"] == "action"}) > 30


@pytest.mark.slow
def test_a_hundred_thousand_random_events_need_no_more_memory(tmp_path: Path) -> None:
    _, found, _ = let_loose(tmp_path / "log.jsonl", "--events", "100000")
    assert (found["faults"], found["events"]) == ([], 100_000)
    assert found["mb_per_hour"] < 2.0


def test_a_log_is_done_again_and_what_goes_wrong_is_found(tmp_path: Path) -> None:
    events = [
        {"kind": "action", "answer": "", "id": "view.theme"},
        {"kind": "click", "answer": "", "at": ["MainWindow#main", "Nothing:7"], "xy": [1, 1], "button": "left", "with": ""},
        {"kind": "action", "answer": "", "id": "no.such"},
    ]  # fmt: skip
    (tmp_path / "old.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))
    code, found, log = let_loose(tmp_path / "new.jsonl", "--replay", str(tmp_path / "old.jsonl"))
    assert [line for line in log if "kind" in line] == events
    (fault,) = found["faults"]
    assert (fault["kind"], fault["times"]) == ("exception", 1)
    assert "KeyError: 'no.such'" in fault["text"]
    assert log[-1]["fault"] == "exception"  # it is beside the event that did it
    assert code == 1


def test_every_widget_that_is_seen_can_be_named_and_found(window: MainWindow) -> None:
    seen = [
        widget for widget in QApplication.allWidgets() if widget.isVisible() and widget.window() is window
    ]
    assert len(seen) > 50
    for widget in random.Random(0).sample(seen, 50):
        assert widget_at(way_to(widget)) is widget
    assert widget_at(["MainWindow#main", "Nothing:0"]) is None
    assert not isinstance(widget_at(["Nowhere#at all", "QLabel:0"]), QWidget)


def test_an_error_that_nobody_expected_is_told_and_the_window_goes_on(
    fresh: MainWindow, wait: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        raise ZeroDivisionError("one by nothing")
    except ZeroDivisionError as error:
        tell_fault(fresh, type(error), error, error.__traceback__)
    assert "one by nothing" in fresh.notice_bar.text.text()
    assert fresh.notice_bar.copy.isVisible()
    assert "test_monkey.py" in fresh.commands.report()
    assert "ZeroDivisionError" in capsys.readouterr().err
    fresh.actions_by_id["run.step"].trigger()
    wait(lambda: fresh.workbench.history.last.t == 1)
    fresh.notice_bar.dismiss.click()


def test_a_file_that_is_no_configuration_is_refused_by_the_form(
    fresh: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wrong.yaml").write_text("ppo: {warmth: 1}\n")
    form = fresh.panels["training"].form
    form.choose("gridworld", "markov")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "wrong.yaml"), ""))
    form.preset.setCurrentIndex(form.preset.count() - 1)
    form.preset.activated.emit(form.preset.currentIndex())
    assert "ppo.warmth" in fresh.trouble_dialog.happened.text()
    fresh.trouble_dialog.reject()
    assert form.preset.currentIndex() == 0
    assert form.wish().variant == "markov"


@pytest.mark.parametrize("name", ["film", "still", "episode", "table", "folder"])
def test_a_recordings_folder_that_cannot_be_is_told_by_button_and_action(
    fresh: MainWindow, tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_text("")
    panel = fresh.panels["recording"]
    panel.set_folder(tmp_path / "file")
    titles = {
        "film": "Record film",
        "still": "Take still",
        "episode": "Save episode",
        "table": "Export table",
    }
    ways = [fresh.actions_by_id[f"record.{name}"].trigger]
    ways += [button.click for button in panel.findChildren(QPushButton) if button.text() == titles.get(name)]
    assert len(ways) == (1 if name == "folder" else 2)
    for way in ways:
        fresh.notice_bar.dismiss.click()
        way()
        assert str(tmp_path / "file") in fresh.notice_bar.text.text()
        assert not fresh.actions_by_id["record.film"].isChecked()
        assert not panel._clock.isActive()
    panel.set_folder(tmp_path)
    fresh.notice_bar.dismiss.click()
