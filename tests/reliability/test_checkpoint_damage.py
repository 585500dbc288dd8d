"""Any byte, any cut, any fullness of the disk: a damaged checkpoint is refused in one line and the one before it serves."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamite.checkpoint import (
    latest_checkpoint,
    list_checkpoints,
    load_checkpoint,
    resume_point,
    save_checkpoint,
)
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny
from tests.reliability.disk import room_for

FILES = ("model.safetensors", "training.safetensors", "config.yaml", "manifest.json")


def small_agent():
    return new_agent(
        tiny(encoder__hidden=4, policy__hidden=[4], probe__hidden=[4], decoder__reward_hidden=[4])
    )


def save(run: Path, frames: int) -> Path:
    folder = run / "checkpoints" / f"{frames:012d}"
    return save_checkpoint(
        folder, small_agent(), {"x": torch.arange(3.0)}, {"frames": frames, "iteration": 1}
    )


@pytest.fixture(scope="module")
def pristine(tmp_path_factory) -> Path:
    """A run with two checkpoints, never touched."""
    run = tmp_path_factory.mktemp("pristine")
    save(run, 100)
    save(run, 200)
    return run


def fresh(pristine: Path) -> Path:
    run = pristine.with_name("copy")
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(pristine, run)
    return run


def same_as(folder: Path, frames: int) -> bool:
    loaded, agent = load_checkpoint(folder), small_agent()
    weights = all(torch.equal(v, loaded.agent.state_dict()[k]) for k, v in agent.state_dict().items())
    return weights and loaded.counters["frames"] == frames and loaded.training["x"].tolist() == [0, 1, 2]


def one_line(error: BaseException) -> str:
    assert "\n" not in str(error)
    return str(error)


def fall_back(run: Path, name: str, caplog) -> None:
    """The newest is refused by name, resuming takes the one before, and says so."""
    with pytest.raises(InputError) as caught:
        load_checkpoint(latest_checkpoint(run))
    assert name in one_line(caught.value) or "no checkpoint there" in str(caught.value)
    caplog.clear()
    with caplog.at_level(logging.WARNING, "dynamite"):
        chosen = resume_point(run)
    assert chosen.name == "000000000100"
    assert same_as(chosen, 100)
    (told,) = [record.getMessage() for record in caplog.records]
    assert "\n" not in told
    assert "skipped" in told
    assert "000000000200" in told
    assert "going on from" in told
    assert [folder.name for folder in list_checkpoints(run)] == ["000000000100"]
    assert (run / "checkpoints" / "damaged-000000000200").is_dir()


anything = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@anything
@given(name=st.sampled_from(FILES), place=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_any_altered_byte_is_noticed(pristine, caplog, name, place, mask):
    run = fresh(pristine)
    path = latest_checkpoint(run) / name
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= mask
    path.write_bytes(data)
    fall_back(run, name, caplog)


@anything
@given(name=st.sampled_from(FILES), share=st.floats(0, 1, exclude_max=True))
def test_any_cut_is_noticed(pristine, caplog, name, share):
    run = fresh(pristine)
    path = latest_checkpoint(run) / name
    os.truncate(path, int(share * path.stat().st_size))
    fall_back(run, name, caplog)


@pytest.mark.parametrize("name", FILES[:3])
def test_a_lost_file_is_noticed(pristine, caplog, name):
    run = fresh(pristine)
    (latest_checkpoint(run) / name).unlink()
    fall_back(run, name, caplog)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(share=st.floats(0, 1, exclude_max=True), replace=st.booleans())
def test_a_disk_that_fills_up_at_any_byte_leaves_the_previous_checkpoint(pristine, share, replace):
    run = fresh(pristine)
    largest = max(path.stat().st_size for path in latest_checkpoint(run).iterdir())
    with room_for(int(share * largest)), pytest.raises(OSError, match="File too large"):
        save(run, 200 if replace else 300)
    assert latest_checkpoint(run) == resume_point(run)
    assert same_as(latest_checkpoint(run), 200)
    assert sorted(path.name for path in (run / "checkpoints").iterdir()) == ["000000000100", "000000000200"]


@pytest.mark.parametrize("call", ["mkdir", "rename", "fsync", "open"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_system_call_that_fails_leaves_the_previous_checkpoint(pristine, monkeypatch, call, number):
    """The n-th call of each kind that saving makes says that the disk is full."""
    run, calls, real = fresh(pristine), [], getattr(os, call)

    def failing(*arguments, **options):
        calls.append(arguments)
        if len(calls) == number:
            raise OSError(28, "No space left on device")
        return real(*arguments, **options)

    monkeypatch.setattr(os, call, failing)
    with contextlib.suppress(OSError):  # where saving makes fewer calls of the kind, it succeeds
        save(run, 200)
    monkeypatch.undo()
    assert same_as(resume_point(run), 200)


def test_a_run_whose_checkpoints_are_all_damaged_is_not_started_anew(pristine):
    run = fresh(pristine)
    for folder in list_checkpoints(run):
        os.truncate(folder / "model.safetensors", 10)
    with pytest.raises(InputError) as caught:
        resume_point(run)
    assert "000000000200" in one_line(caught.value)
    assert len(list_checkpoints(run)) == 2


_SWAP = """
import os, sys
from pathlib import Path
from tests.reliability.test_checkpoint_damage import save

os_rename, renamed = os.rename, []
def rename_then_die(source, target):
    renamed.append(source)
    if len(renamed) == int(sys.argv[2]):
        os.kill(os.getpid(), 9)
    os_rename(source, target)
os.rename = rename_then_die
save(Path(sys.argv[1]), 200)
"""


@pytest.mark.parametrize("rename", [1, 2])
def test_a_kill_between_the_two_renames_of_a_replacement_loses_nothing(pristine, tmp_path, rename):
    run = fresh(pristine)
    script = tmp_path / "swap.py"
    script.write_text(_SWAP)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run([sys.executable, str(script), str(run), str(rename)], env=environment, check=False)
    assert ended.returncode == -9
    assert same_as(run / "checkpoints" / "000000000200", 200)
    save(run, 300)
    assert sorted(path.name[-3:] for path in (run / "checkpoints").iterdir()) == ["100", "200", "300"]


def test_a_reader_leaves_alone_what_another_process_is_writing(pristine):
    run = fresh(pristine)
    parent = psutil.Process().ppid()
    busy = run / "checkpoints" / f".000000000300.partial-{parent}"
    busy.mkdir()
    with pytest.raises(InputError):
        load_checkpoint(run / "checkpoints" / "000000000300")
    save(run, 300)
    assert busy.is_dir()
