"""A training on a disk that fills up, or whose files were damaged, stops or goes on with one line and loses nothing."""

from __future__ import annotations

import logging
import os
import resource

import pytest
import torch

from dynamite.checkpoint import latest_checkpoint, list_checkpoints, load_checkpoint
from dynamite.config_io import load_yaml
from dynamite.errors import TrainingError
from dynamite.progress import read_lines
from dynamite.train import train
from robot_app import cli
from scenes.errors import InputError
from tests.dynamite.conftest import tiny
from tests.reliability.disk import room_for

EVERY = {"train__checkpoint_every": 1, "train__keep_checkpoints": 3}


def same_weights(one, other) -> bool:
    a, b = (load_checkpoint(folder).agent.state_dict() for folder in (one, other))
    return all(torch.equal(value, b[name]) for name, value in a.items())


@pytest.mark.parametrize("room", [300, 20_000])
def test_a_disk_that_fills_up_stops_the_training_with_one_line_and_it_can_be_resumed(tmp_path, room):
    """With room for 300 bytes the log fails, with 20,000 the checkpoint."""
    whole = train(tiny(), tmp_path / "whole")
    run, limit = tmp_path / "run", resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill_up(progress) -> None:
        if progress.iteration == 1:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, limit[1]))

    try:
        with pytest.raises(TrainingError) as caught:
            train(tiny(**EVERY), run, on_progress=fill_up)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    last = run / "checkpoints" / "000000000720"
    assert str(caught.value) == f"{run} cannot be written: File too large; last good checkpoint: {last}"
    assert latest_checkpoint(run) == last
    assert same_weights(train(tiny(**EVERY), run, resume=True), whole)
    assert [line["frames"] for line in read_lines(run / "progress.jsonl")] == [360, 720, 1080, 1440]


def test_a_damaged_newest_checkpoint_is_told_and_the_one_before_leads_to_the_same_end(tmp_path, caplog):
    whole = train(tiny(), tmp_path / "whole")
    run = tmp_path / "run"
    train(tiny(**EVERY), run, should_stop=lambda: len(list_checkpoints(run)) == 3)
    newest = latest_checkpoint(run)
    os.truncate(newest / "training.safetensors", 1000)
    with caplog.at_level(logging.WARNING, "dynamite"):
        resumed = train(tiny(**EVERY), run, resume=True)
    (told,) = [record.getMessage() for record in caplog.records]
    assert str(newest / "training.safetensors") in told
    assert f"set aside as damaged-{newest.name}" in told
    assert same_weights(resumed, whole)
    assert len(read_lines(run / "progress.jsonl")) == 4


def test_a_run_of_damaged_checkpoints_is_refused_not_begun_anew(tmp_path, capsys):
    run = tmp_path / "run"
    train(tiny(**EVERY), run, should_stop=lambda: True)
    os.truncate(latest_checkpoint(run) / "model.safetensors", 0)
    with pytest.raises(InputError, match=r"model\.safetensors"):
        train(tiny(**EVERY), run, resume=True)
    assert cli.main(["train", "--run-dir", str(run), "--resume"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "model.safetensors" in said


def test_a_full_disk_leaves_the_configuration_and_the_curve_of_a_run_whole(tmp_path):
    run = tmp_path / "run"
    train(tiny(**EVERY), run, should_stop=lambda: len(list_checkpoints(run)) == 2)
    curve = read_lines(run / "progress.jsonl")
    with room_for(100), pytest.raises(InputError, match="run_dir"):
        train(tiny(**EVERY), run, resume=True)
    assert load_yaml(run / "config.yaml") == tiny(**EVERY)
    assert read_lines(run / "progress.jsonl") == curve


def test_a_folder_that_cannot_be_written_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as caught:
        train(tiny(), tmp_path / "file" / "run")
    assert caught.value.where == "run_dir"
    assert "\n" not in str(caught.value)
