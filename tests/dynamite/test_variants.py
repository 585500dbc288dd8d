"""Variants: each changes what its method says and nothing else, and trains only what it says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from dynamite.checkpoint import load_checkpoint
from dynamite.config import Config
from dynamite.config_io import list_presets, preset, to_dict, with_overrides
from dynamite.train import Trainer, train
from dynamite.variants import configure, find_variant, list_variants
from dynamite.vector import make_vector
from tests.dynamite.conftest import tiny
from tests.dynamite.test_learning import load_goal_walker, states_equal

#: What each variant makes of gridworld's preset, whole: anything else that differs is a mistake.
NO_TERMS = {
    "objective.reward_weight": 0.0,
    "objective.kl_weight": 0.0,
    "objective.consistency_weight": 0.0,
    "objective.termination_weight": 0.0,
}
VARIBAD = {
    "objective.session_mask": False,
    "objective.prior_conditioning": False,
    "objective.consistency_weight": 0.0,
    "objective.termination_weight": 0.0,
}
DIFFERENCES: dict[str, dict[str, Any]] = {
    "borel": {**VARIBAD, "policy.learner": "sac"},
    "contrabar": {
        **NO_TERMS,
        "objective.contrastive_weight": 1.0,
        "policy.sees_belief": False,
        "policy.sees_hidden": True,
    },
    "dynamite": {},
    "markov": {"policy.sees_belief": False},
    "oracle": {"policy.sees_belief": False, "policy.sees_privileged": True},
    "rl2": {
        **NO_TERMS,
        "encoder.hidden": 32,
        "policy.sees_belief": False,
        "policy.sees_hidden": True,
        "ppo.through_encoder": True,
        "imitation.through_encoder": True,
    },
    "secbad": {
        "encoder.hypotheses": 8,
        "objective.prior_conditioning": False,
        "objective.consistency_weight": 0.0,
        "objective.termination_weight": 0.0,
        "objective.termination_target": "felt",
    },
    "varibad": VARIBAD,
}

#: Fields that a preset to come may well set, so that a variant says them though no preset of today differs.
MAY_BE_SET = {
    "objective.detach_previous": "VariBAD's KL is not detached, whatever suits DynaMITE-RL",
    "objective.state_weight": "dynamics that depend on the latent; no decoder is no decoder",
    "policy.deterministic": "an oracle knows, so it need not search",
    "ppo.through_encoder": "without an encoder it is refused; with a belief it is another method",
}


def differences(config: Config, base: Config) -> dict[str, Any]:
    """Dotted fields of ``config`` that are not those of ``base``, its name apart."""
    ours, theirs = _flat(to_dict(config)), _flat(to_dict(base))
    assert ours.keys() == theirs.keys()
    return {name: value for name, value in ours.items() if value != theirs[name] and name != "variant"}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= (
            _flat(value, f"{prefix}{name}.") if isinstance(value, dict) and value else {prefix + name: value}
        )
    return found


# ------------------------------------------------------------------------------------------------ what differs
def test_they_are_listed_in_order_and_all_described():
    assert list_variants() == tuple(sorted(DIFFERENCES))
    for name in list_variants():
        variant = find_variant(name)
        assert variant.name == name
        assert "arXiv" in variant.citation
        assert variant.summary.endswith(".")


@pytest.mark.parametrize("name", list_variants())
def test_a_variant_changes_what_it_says_and_nothing_else(name):
    found = differences(configure("gridworld", name), preset("gridworld"))
    print(name, found)
    assert found == DIFFERENCES[name]


@pytest.mark.parametrize("name", list_variants())
@pytest.mark.parametrize("scene", list_presets())
def test_everything_a_variant_does_not_mention_is_the_presets(scene, name):
    assert differences(configure(scene, name), preset(scene)).keys() <= find_variant(name).overrides.keys()


@pytest.mark.parametrize("name", list_variants())
def test_no_override_says_what_every_preset_has_already(name):
    for field in find_variant(name).overrides:
        somewhere = any(
            field in differences(configure(scene, name), preset(scene)) for scene in list_presets()
        )
        assert somewhere or field in MAY_BE_SET, f"{name}: {field} changes no preset"


@pytest.mark.parametrize("scene", list_presets())
def test_every_preset_is_dynamite_with_all_four_terms(scene):
    config = configure(scene, "dynamite")
    assert config.objective.session_mask
    assert config.objective.prior_conditioning
    assert (
        min(
            config.objective.reward_weight,
            config.objective.kl_weight,
            config.objective.consistency_weight,
            config.objective.termination_weight,
        )
        > 0
    )
    assert config.objective.contrastive_weight == 0
    assert config.policy.sees_belief
    assert not config.policy.sees_hidden
    assert not config.policy.sees_privileged


@pytest.mark.parametrize("scene", list_presets())
def test_only_the_oracle_sees_the_truth_and_only_two_have_no_memory(scene):
    for name in list_variants():
        config = configure(scene, name)
        assert config.policy.sees_privileged == (name == "oracle")
        assert config.has_belief == (name not in ("oracle", "markov"))


@pytest.mark.parametrize("scene", list_presets())
def test_methods_without_session_labels_use_none(scene):
    """VariBAD, BOReL, RL² and ContraBAR: no term that reads d, so the same loss whatever the sessions were."""
    for name in ("varibad", "borel", "rl2", "contrabar"):
        weights = configure(scene, name).objective
        assert weights.consistency_weight == weights.termination_weight == 0
        assert weights.reward_weight == 0 or not weights.session_mask
        assert weights.kl_weight == 0 or not weights.prior_conditioning


# ------------------------------------------------------------------------------------------------ what learns
def trained(name: str, **overrides) -> tuple[set[str], dict[str, float]]:
    """Names of the parameters that two iterations moved, and the last iteration's metrics."""
    config = tiny(
        name,
        **{
            "train__frames": 2 * 360,
            "sac__updates": 4,
            "sac__hidden": [16],
            "sac__pool_episodes": 8,
            **overrides,
        },
    )
    trainer = Trainer(config, make_vector(config.scene, config.train.copies))
    before = {k: v.clone() for k, v in trainer.agent.named_parameters()}
    while not trainer.done:
        _, metrics = trainer.iterate()
    return {k for k, v in trainer.agent.named_parameters() if not torch.equal(v, before[k])}, metrics


@pytest.mark.parametrize("name", list_variants())
def test_every_variant_trains(name):
    moved, metrics = trained(name)
    assert all(math.isfinite(value) for value in metrics.values())
    assert any(parameter.startswith("actor_critic.actor") for parameter in moved)
    has_belief = name not in ("oracle", "markov")
    assert any(parameter.startswith("belief_model.encoder.gru") for parameter in moved) == has_belief
    assert any(parameter.startswith("probe") for parameter in moved) == has_belief
    assert ("probe/nll" in metrics) == has_belief


def test_rl2_trains_its_memory_by_the_policy_alone():
    moved, metrics = trained("rl2")
    assert not any("head" in name or "prior" in name or "termination" in name for name in moved)
    assert not [name for name in metrics if name.startswith("belief/")]
    kept, _ = trained("rl2", ppo__through_encoder=False)
    assert not [name for name in kept if name.startswith("belief_model")]


def test_rl2_imitates_through_its_memory(tmp_path):
    """Where a preset starts by imitation there is no other loss, and the regression's gradients reach the memory."""
    keep = {"train__checkpoint_every": 1, "train__keep_checkpoints": 9, "train__frames": 2 * 360}
    imitation = {"imitation__teacher": "goal", "imitation__frames": 2 * 360, "imitation__updates": 2}
    folders: list[Any] = []
    config = tiny("rl2", **imitation, **keep)
    train(config, tmp_path / "run", load_policy=load_goal_walker, on_progress=folders.append)
    assert [p.phase for p in folders] == ["imitation", "imitation"]
    before, after = (
        dict(load_checkpoint(p.checkpoint).agent.belief_model.named_parameters()) for p in folders
    )
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert {name for name in before if name.startswith("encoder") and "head" not in name} == moved


def test_contrabar_trains_its_memory_by_contrast_alone():
    moved, metrics = trained("contrabar")
    assert not any("head" in name or "prior" in name or "termination" in name for name in moved)
    assert any(name.startswith("belief_model.contrast.action_gru") for name in moved)
    assert {name for name in metrics if name.startswith("belief/")} == {
        "belief/contrastive",
        "belief/loss",
        "belief/grad_norm",
    }
    kept, _ = trained("contrabar", model__updates=0)
    assert not [name for name in kept if name.startswith("belief_model")]


@pytest.mark.parametrize(
    "overrides", [{"variant": "rl2"}, {"variant": "contrabar"}, {"encoder__kind": "transformer"}]
)
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, overrides):
    options = dict(overrides)
    config = tiny(options.pop("variant", "dynamite"), train__frames=3 * 360, **options)
    whole = train(config, tmp_path / "whole")
    seen: list[Any] = []
    train(config, tmp_path / "parts", on_progress=seen.append, should_stop=lambda: len(seen) == 1)
    assert states_equal(whole, train(config, tmp_path / "parts", resume=True))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rl2", "contrabar"])
def test_a_memory_learns_what_no_state_tells(tmp_path, name):
    """In a fifth of the preset's frames both pass what the memoryless policy has at the preset's end (23.9 when it acts by
    its mode, docs/results): they remember which goal paid."""
    config = with_overrides(configure("gridworld", name), {"train.frames": 600_000})
    curve: list[Any] = []
    train(config, tmp_path / "run", on_progress=curve.append)
    assert np.mean([progress.return_mean for progress in curve[-3:]]) > 24.0
    assert curve[-1].metrics["probe/nll"] < 0.6  # log 2 = 0.69 for a probe that knows nothing
