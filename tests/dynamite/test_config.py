"""Configurations: what is refused is named by its path; what is accepted survives YAML."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamite.config import Config
from dynamite.config_io import (
    PRESETS,
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
from dynamite.vector import make_one
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
        ({3: {}}, "config"),
        ({"ppo": {3: 1}}, "ppo.3"),
        ({"ppo": {"a\nb": 1}}, "ppo.'a\\nb'"),
        ({"ppo": {"epochs": 10**400}}, "ppo.epochs"),
        ({"ppo": {"lr": 10**400}}, "ppo.lr"),
        ({"train": {"copies": 4, "workers": 5}}, "train.workers"),
        ({"train": {"device": "tpu"}}, "train.device"),
        ({"scene": {"termination": 1.5}}, "scene.termination"),
        ({"scene": {"termination": float("nan")}}, "scene.termination"),
        ({"scene": {"termination": {"length": 0}}}, "scene.termination"),
        ({"scene": {"options": {3: 1}}}, "scene.options"),
        ({"imitation": {"frames": 10}}, "imitation.teacher"),
        ({"policy": {"sees_belief": False, "sees_termination": True}}, "policy.sees_termination"),
        (
            {"policy": {"sees_termination": True}, "objective": {"termination_weight": 0}},
            "policy.sees_termination",
        ),
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


# ------------------------------------------------------------------------------------------------ any corruption
#: The text of every preset, to be corrupted.
TEXTS = tuple((PRESETS / f"{name}.yaml").read_text(encoding="utf-8") for name in list_presets())

#: What a field may be given by mistake, as YAML text.
NONSENSE = (
    "", "~", "yes", "-1", "0", "1e400", ".nan", ".inf", "-.inf", "1" * 400, "9" * 5000, "0x", "0b", "1_", "2020-13-45",
    "[", "{", "}", "[]", "{}", "[1, [2, [3]]]", "{1: 2}", "{[1]: 2}", "!!int x", "!!float x", "!!bool x", "!!timestamp x",
    "!!binary x", "!!python/object:os.system x", "!!set {a, b}", "&a [*a]", "*a", "? x", "|", ">", "'", '"', "\x00", "\t",
    "\ud800", "fast", "gru", "[64, 64.5]", "- 3", "<<: 3", "%", "@", "`", "#", "---", "...",
)  # fmt: skip


def accepted_or_told(read) -> None:
    """A configuration, or one line that says what is wrong; nothing else, ever."""
    config, told = None, ""
    try:
        config = read()
    except InputError as error:
        told = str(error)
    assert "\n" not in told
    assert len(told) < 2000
    assert config is None or from_dict(to_dict(config)) == config


many = settings(max_examples=60, deadline=None, derandomize=True)


@many
@given(text=st.sampled_from(TEXTS), line=st.integers(0, 200), value=st.sampled_from(NONSENSE))
def test_nonsense_in_any_field_is_told_in_one_line(tmp_path_factory, text, line, value):
    lines = text.splitlines()
    line %= len(lines)
    lines[line] = lines[line].partition(":")[0] + ": " + value
    accepted_or_told(lambda: from_text(tmp_path_factory, "\n".join(lines)))


@many
@given(data=st.data(), text=st.sampled_from(TEXTS))
def test_a_file_damaged_anywhere_is_told_in_one_line(tmp_path_factory, data, text):
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 30)))
    put = data.draw(st.text(max_size=12))
    accepted_or_told(lambda: from_text(tmp_path_factory, text[:start] + put + text[end:]))


@many
@given(content=st.binary(max_size=60))
def test_a_file_of_any_bytes_is_told_in_one_line(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "c.yaml"
    path.write_bytes(content)
    accepted_or_told(lambda: load_yaml(path))


plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.binary(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=3)
    ),
    max_leaves=5,
)


@many
@given(data=st.data(), value=plain_values)
def test_any_value_in_any_field_is_taken_or_told(data, value):
    plain = to_dict(Config())
    section = data.draw(st.sampled_from([name for name in plain if name != "variant"]))
    field = data.draw(st.sampled_from(list(plain[section])))
    accepted_or_told(lambda: from_dict({section: {field: value}}))
    accepted_or_told(lambda: with_overrides(Config(), {f"{section}.{field}": value}))


@many
@given(texts=st.lists(st.text("abl.rpo=[{3:-", max_size=12) | st.text(max_size=12), max_size=3))
def test_any_override_is_taken_or_told(texts):
    accepted_or_told(lambda: with_overrides(Config(), parse_overrides(texts)))


def from_text(tmp_path_factory, content: str) -> Config:
    path = tmp_path_factory.getbasetemp() / "c.yaml"
    path.write_text(content, encoding="utf-8", errors="surrogatepass")
    return load_yaml(path)


def test_deep_and_self_containing_files_are_told_in_one_line(tmp_path_factory):
    for content in ("[" * 2000, "ppo: &a {lr: *a}", "ppo: &a [*a, *a]", bomb(30)):
        with pytest.raises(InputError) as caught:
            from_text(tmp_path_factory, content)
        assert len(str(caught.value)) < 2000


def bomb(levels: int) -> str:
    """Each level holds the one before ten times."""
    lines = [f"    b{i}: &b{i} [{', '.join([f'*b{i - 1}' if i else '1'] * 10)}]" for i in range(levels)]
    return "scene:\n  options:\n" + "\n".join(lines) + f"\n  name: *b{levels - 1}\n"


def test_a_field_given_twice_is_told(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("ppo:\n  lr: 1.0e-3\n  epochs: 3\n  lr: 2.0e-3\n")
    with pytest.raises(InputError, match=r"line 4 \('lr' is given twice\)"):
        load_yaml(path)


@pytest.mark.parametrize(
    ("values", "meant"),
    [
        ({"ppo": {"lrr": 1}}, "did you mean lr?"),
        ({"ppo": {"workers": 1}}, "did you mean train.workers?"),
        ({"pppo": {}}, "did you mean ppo?"),
        ({"policy": {"learner": "poo"}}, "did you mean ppo?"),
    ],
)
def test_a_near_miss_is_recognised(values, meant):
    with pytest.raises(InputError) as caught:
        from_dict(values)
    assert meant in str(caught.value)


@pytest.mark.parametrize(
    ("scene", "where"),
    [
        ({"name": "gridwold"}, "scene.name"),
        ({"name": "gridworld", "options": {"colour": 1}}, "scene.options.colour"),
        ({"name": "gridworld", "kernel": "swop"}, "scene.kernel.name"),
        ({"name": "scratch_itch", "options": {"robot": "hal"}}, "scene.options.robot"),
    ],
)
def test_a_mistake_about_the_scene_has_its_path_in_the_configuration(scene, where):
    with pytest.raises(InputError) as caught:
        make_one(from_dict({"scene": scene}).scene)
    assert caught.value.where == where


@pytest.mark.parametrize("command", [["robot_app", "train"], ["dynamite"]])
@pytest.mark.parametrize(
    "setting", ["ppo.lrr=3", "ppo.lr=fast", "train.workers=9999", "scene.options.colour=1"]
)
def test_a_mistake_is_told_before_pytorch_is_imported(command, setting, tmp_path):
    """Which is what keeps the answer within a second."""
    words = [*command, "--scene", "gridworld", "--set", setting, "--run-dir", str(tmp_path / "run")]
    script = (
        "import runpy, sys\nsys.argv = sys.argv[1:]\n"
        "try:\n    runpy.run_module(sys.argv[0], run_name='__main__')\n"
        "except SystemExit as end:\n    code = end.code\nprint(code, 'torch' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=True, timeout=100
    )
    assert ran.stdout == "2 False\n"
    assert ran.stderr.count("\n") == 1
    assert setting.partition("=")[0] in ran.stderr
    assert not (tmp_path / "run").exists()
