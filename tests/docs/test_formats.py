"""The formats page names everything that the files hold."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from dynamite.acting import play
from dynamite.progress import Progress
from policies import PRETRAINED, load
from robot_app.episode import EpisodeWriter, recorded
from robot_app.recipe import SceneRecipe

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def text() -> str:
    return (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("scene_name", "policy"), [("scratch_itch", "pretrained/dynamite"), ("gridworld", "random")]
)
def test_an_episodes_keys_and_arrays_are_on_the_page_with_their_types(
    text, tmp_path, scene_name, policy
) -> None:
    recipe = SceneRecipe(scene_name)
    scene = recipe.build()
    actor, drawn = load(policy, scene), scene_name == "scratch_itch"
    with EpisodeWriter(tmp_path / "e", recipe, scene, seed=0, policy=policy) as writer:
        for frame in recorded(play(scene, actor, 0, draw=drawn), scene, writer):
            if frame.t == 3:
                break
    scene.close()
    manifest = json.loads((tmp_path / "e" / "manifest.json").read_text())
    assert all(f"`{key}`" in text for key in [*manifest, *manifest["scene"], *manifest["spec"]])
    assert f"`{manifest['format']}`" in text
    arrays = load_file(tmp_path / "e" / "frames" / "000.safetensors")
    for name, array in arrays.items():
        told = name
        for field in scene.latent_space.names:
            told = told.replace(f"belief.{field}.", "belief.<field>.")
        lines = [line for line in text.split("\n") if f"`{told}`" in line and line.count("|") >= 5]
        assert lines, name
        assert str(array.dtype) in lines[0], name
        axes = lines[0].split("|")[3].strip()
        assert any(
            shape.count(",") + 1 - shape.endswith(",)") == array.ndim for shape in axes.split(", or ")
        ), name


def test_a_checkpoints_manifest_and_a_runs_progress_are_on_the_page(text) -> None:
    manifest = json.loads((PRETRAINED / "scratch_itch" / "dynamite" / "manifest.json").read_text())
    assert all(f"`{key}`" in text for key in manifest)
    assert f"`{manifest['format']}`" in text
    progress = asdict(Progress(0, 0, 0, 0.0, 0.0, "ppo", 0.0, 0.0))
    assert all(f"`{key}`" in text for key in progress)
