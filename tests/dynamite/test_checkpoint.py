"""A checkpoint is whole or refused, in one line that names the file."""

from __future__ import annotations

import json
import os
import pickletools

import pytest
import torch

from dynamite import checkpoint as module
from dynamite.checkpoint import export_checkpoint, latest_checkpoint, load_checkpoint, save_checkpoint
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny

FILES = ("model.safetensors", "config.yaml", "manifest.json")


def refused(folder) -> InputError:
    with pytest.raises(InputError) as caught:
        load_checkpoint(folder)
    assert "\n" not in str(caught.value)
    return caught.value


def test_what_was_saved_is_loaded(checkpoint):
    loaded, agent = load_checkpoint(checkpoint), new_agent(tiny())
    assert loaded.config == tiny()
    assert loaded.counters == {"frames": 7, "iteration": 1}
    assert all(torch.equal(v, loaded.agent.state_dict()[k]) for k, v in agent.state_dict().items())
    assert sorted(path.name for path in checkpoint.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_found(checkpoint, name):
    data = bytearray((checkpoint / name).read_bytes())
    data[len(data) // 2] ^= 1
    (checkpoint / name).write_bytes(data)
    assert name in str(refused(checkpoint))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_truncated_file_is_found(checkpoint, name, keep):
    data = (checkpoint / name).read_bytes()
    (checkpoint / name).write_bytes(data[: int(len(data) * keep)])
    assert name in str(refused(checkpoint))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_found(checkpoint, name):
    (checkpoint / name).unlink()
    refused(checkpoint)


def test_a_foreign_folder_is_refused(tmp_path):
    refused(tmp_path / "none")
    refused(tmp_path)
    for content in ("[]", "{}", '{"format": "other/9"}'):
        (tmp_path / "manifest.json").write_text(content)
        refused(tmp_path)


def test_weights_that_do_not_fit_the_config_are_refused(checkpoint):
    """Both files whole, but of different agents: the hashes are right, the shapes are not."""
    other = save_checkpoint(checkpoint.with_name("other"), new_agent(tiny(encoder__hidden=8)))
    (checkpoint / "config.yaml").write_bytes((other / "config.yaml").read_bytes())
    manifest = json.loads((checkpoint / "manifest.json").read_text())
    manifest["sha256"]["config.yaml"] = json.loads((other / "manifest.json").read_text())["sha256"][
        "config.yaml"
    ]
    del manifest["self"]
    manifest["self"] = module.manifest_digest(manifest)
    (checkpoint / "manifest.json").write_text(json.dumps(manifest, indent=1))
    assert "model.safetensors" in str(refused(checkpoint))


def test_an_interrupted_write_leaves_the_old_checkpoint(checkpoint, monkeypatch):
    before = (checkpoint / "manifest.json").read_bytes()

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(checkpoint, new_agent(tiny()))
    assert (checkpoint / "manifest.json").read_bytes() == before
    load_checkpoint(checkpoint)
    assert [path.name for path in checkpoint.parent.iterdir()] == [checkpoint.name]


def test_an_export_leaves_the_training_behind(tmp_path):
    full = save_checkpoint(tmp_path / "full", new_agent(tiny()), {"x": torch.ones(3)}, {"frames": 9})
    export = export_checkpoint(full, tmp_path / "packaged" / "dynamite")
    assert sorted(path.name for path in export.iterdir()) == sorted(FILES)
    loaded = load_checkpoint(export)
    assert loaded.counters == {"frames": 9}
    assert loaded.training == {}


def test_a_checkpoint_can_be_replaced(checkpoint):
    save_checkpoint(checkpoint, new_agent(tiny()), None, {"frames": 8, "iteration": 2})
    assert load_checkpoint(checkpoint).counters["frames"] == 8


def test_the_newest_checkpoint_is_found_and_partial_ones_are_not(tmp_path):
    assert latest_checkpoint(tmp_path) is None
    for frames in (5, 40, 300):
        save_checkpoint(tmp_path / "checkpoints" / f"{frames:012d}", new_agent(tiny()))
    (tmp_path / "checkpoints" / "000000000999").mkdir()
    (tmp_path / "checkpoints" / ".000000001000.partial-1").mkdir()
    assert latest_checkpoint(tmp_path).name == "000000000300"


def test_nothing_in_a_checkpoint_is_a_pickle(checkpoint):
    for path in checkpoint.iterdir():
        with pytest.raises(Exception):  # noqa: B017, PT011 (pickletools raises several)
            pickletools.dis(path.read_bytes(), out=open(os.devnull, "w"))  # noqa: SIM115
