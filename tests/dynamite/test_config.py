"""Configurations: what is refused is named by its path; what is accepted survives YAML."""

from __future__ import annotations

import dataclasses

import pytest

from dynamite.config import Config
from dynamite.config_io import (
    from_dict,
    list_presets,
    load_yaml,
    parse_overrides,
    preset,
    save_yaml,
    to_dict,
    with_overrides,
)
from dynamite.variants import configure, find_variant, list_variants
from scenes.errors import InputError
from scenes.registry import list_scenes


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"ppo": {"lr": -1}}, "ppo.lr"),
        ({"ppo": {"lr": "fast"}}, "ppo.lr"),
        ({"ppo": {"lr": float("nan")}}, "ppo.lr"),
        ({"ppo": {"lr": True}}, "ppo.lr"),
        ({"ppo": {"epochs": 1.5}}, "ppo.epochs"),
        ({"ppo": {"normalise_reward": "yes"}}, "ppo.normalise_reward"),
        ({"ppo": {"speed": 1}}, "ppo.speed"),
        ({"policy": {"hidden": [64, -1]}}, "policy.hidden"),
        ({"policy": {"hidden": "64"}}, "policy.hidden"),
        ({"decoder": {"reward_likelihood": "poisson"}}, "decoder.reward_likelihood"),
        ({"objective": {"kl_weight": -0.1}}, "objective.kl_weight"),
        ({"encoder": {"logvar_min": 5}}, "encoder.logvar_min"),
        ({"scene": {"termination": {"steps": 3}}}, "scene.termination"),
        ({"scene": {"options": [1]}}, "scene.options"),
        ({"train": {"copies": 0}}, "train.copies"),
        ({"train": 3}, "train"),
        ({"trian": {}}, "trian"),
        ({"variant": 3}, "variant"),
        ({"imitation": {"frames": 10}}, "imitation.teacher"),
        ({"policy": {"sees_belief": False, "sees_termination": True}}, "policy.sees_termination"),
        ([1, 2], "config"),
    ],
)
def test_a_mistake_is_named_by_its_path(values, where):
    with pytest.raises(InputError) as caught:
        from_dict(values)
    assert caught.value.where == where
    assert "\n" not in str(caught.value)


def test_yaml_round_trip(tmp_path):
    config = from_dict(
        {"ppo": {"lr": "3e-4"}, "policy": {"hidden": [7]}, "scene": {"options": {"exact_belief": True}}}
    )
    save_yaml(config, tmp_path / "c.yaml")
    assert load_yaml(tmp_path / "c.yaml") == config
    assert config.ppo.lr == 3e-4
    assert config.policy.hidden == (7,)


@pytest.mark.parametrize("content", ["ppo: [", "a: b: c", "\x00"])
def test_broken_yaml_is_one_line(tmp_path, content):
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=r"c\.yaml"):
        load_yaml(path)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(InputError, match=r"none\.yaml"):
        load_yaml(tmp_path / "none.yaml")


def test_overrides_reach_fields_and_scene_options():
    overrides = parse_overrides(["ppo.lr=3e-4", "scene.options.robot=panda", "policy.hidden=[8, 8]"])
    config = with_overrides(from_dict({"scene": {"options": {"gender": "female"}}}), overrides)
    assert (config.ppo.lr, config.policy.hidden) == (3e-4, (8, 8))
    assert config.scene.options == {"gender": "female", "robot": "panda"}


@pytest.mark.parametrize("text", ["ppo.lr", "=3", "a=[1"])
def test_a_malformed_override_is_refused(text):
    with pytest.raises(InputError):
        parse_overrides([text])


def test_configurations_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().ppo.lr = 1.0


def test_presets_belong_to_scenes():
    assert set(list_presets()) <= set(list_scenes())
    for name in list_presets():
        assert preset(name).scene.name == name


@pytest.mark.parametrize("variant", list_variants())
@pytest.mark.parametrize("scene", list_presets())
def test_every_variant_fits_every_preset(scene, variant):
    config = configure(scene, variant)
    assert config.variant == variant
    assert from_dict(to_dict(config)) == config
    assert find_variant(variant).summary.endswith(".")


def test_an_unknown_variant_lists_those_there_are():
    with pytest.raises(InputError, match="dynamite"):
        find_variant("dynamight")
