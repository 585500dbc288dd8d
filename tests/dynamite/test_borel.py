"""BOReL offline: rewards relabelled as the scene would have paid them, datasets on disk, learning from them alone."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
import torch

from dynamite.acting import Decision
from dynamite.buffer import EpisodeBuffer
from dynamite.checkpoint import export_checkpoint, load_checkpoint
from dynamite.config_io import with_overrides
from dynamite.dataset import load_dataset, record, save_dataset
from dynamite.offline import train_offline
from dynamite.relabel import RelabelledSource, Relabeller
from dynamite.spec import SceneSpec
from dynamite.train import train
from dynamite.variants import configure
from scenes import make_scene
from scenes.errors import InputError
from tests.dynamite.conftest import tiny
from tests.dynamite.test_learning import GoalWalker, states_equal
from tests.dynamite.test_sac import TINY_SAC, generator, tiny_sac


class Wanderer(GoalWalker):
    """Walks to the paying goal, but at random in a share of its steps."""

    def __init__(self, share: float) -> None:
        self.share = share

    def reset(self, seed):
        self.rng = np.random.default_rng([seed, 3])

    def act(self, observation, reward, privileged=None):
        decision = super().act(observation, reward, privileged)
        return Decision(np.asarray(self.rng.integers(5))) if self.rng.random() < self.share else decision


def recorded(scene="gridworld", shares=(1.0, 0.4), episodes=10, **options) -> EpisodeBuffer:
    return record(make_scene(scene, **options), [Wanderer(share) for share in shares], episodes, 0)


def all_of(source, n: int):
    return source.sample(n, generator()).episodes


# ------------------------------------------------------------------------------------------------ relabelling
@pytest.mark.parametrize("scene", ["gridworld", "gridworld_stay"])
def test_under_the_latents_that_were_in_force_nothing_changes(scene):
    episodes = all_of(recorded(scene), 20)
    assert episodes.ended.any()
    paid = Relabeller(make_scene(scene)).pay(episodes, episodes.latents.numpy())
    assert len(np.unique(paid)) == 3
    assert np.array_equal(paid, episodes.rewards.numpy())


@pytest.mark.parametrize("options", [{}, {"actions": 4}, {"start": "random"}])
def test_rewards_are_those_of_the_same_actions_under_the_other_latent(options):
    """Two worlds with one seed differ in the latent only; each, relabelled with the other's, pays what the other paid."""
    paid, stored = {}, {}
    for goal in ("first", "second"):
        scene = make_scene("gridworld", termination=0.0, **options)
        rng = np.random.default_rng(5)
        observation, _ = scene.reset(seed=9, options={"latent": {"goal": goal}})
        states, actions, rewards = [observation], [], []
        for _ in range(60):
            actions.append(int(rng.integers(scene.action_space.n)))
            observation, reward, *_ = scene.step(actions[-1])
            states.append(observation)
            rewards.append(reward)
        stored[goal] = np.stack(states), np.eye(scene.action_space.n)[actions], scene.privileged().vector
        paid[goal] = rewards
    for goal, other in (("first", "second"), ("second", "first")):
        states, actions, _ = stored[goal]
        latents = np.tile(stored[other][2], (60, 1))
        relabelled = scene.relabel(states[:-1], actions, states[1:], latents)
        np.testing.assert_allclose(relabelled, paid[other], atol=1e-7)
    assert paid["first"] != paid["second"]


def test_new_latents_follow_the_scenes_law_and_change_where_sessions_ended():
    relabeller = Relabeller(make_scene("gridworld"))
    ended = np.random.default_rng(0).random((60, 1500)) < 0.07
    latents = relabeller.draw_latents(ended, np.random.default_rng(1))
    assert latents.shape == (61, 1500, 2)
    changed = (latents[1:] != latents[:-1]).any(-1)
    assert not changed[~ended].any()
    assert changed[ended].mean() == pytest.approx(0.8, abs=0.02)  # the paper's kernel
    assert latents[0, :, 0].mean() == pytest.approx(0.5, abs=0.05)


def test_only_rewards_and_latents_are_relabelled_and_afresh_each_time():
    buffer = recorded()
    source = RelabelledSource(buffer, Relabeller(make_scene("gridworld")))
    stored, drawn, again = (s.sample(20, generator()) for s in (buffer, source, source))
    other = source.sample(20, generator(1))
    for name in ("states", "actions", "ended"):
        assert torch.equal(getattr(stored.episodes, name), getattr(drawn.episodes, name))
    assert not torch.equal(stored.episodes.rewards, drawn.episodes.rewards)
    assert torch.equal(drawn.episodes.rewards, again.episodes.rewards)
    assert not torch.equal(drawn.episodes.latents, other.episodes.latents)


def test_relabelling_takes_from_actions_what_the_agent_could_not_know():
    """Recorded by one who knows, the first goal reached mostly pays (another may lie on the way); relabelled, it is even."""
    buffer = recorded(shares=(0.0,), episodes=300)
    relabelled = all_of(RelabelledSource(buffer, Relabeller(make_scene("gridworld"))), 300)

    def pays(rewards: torch.Tensor) -> float:
        firsts = [episode[episode >= 0][0] for episode in rewards.T if (episode >= 0).any()]
        return float(torch.stack(firsts).mean())

    assert pays(all_of(buffer, 300).rewards) > 0.75
    assert pays(relabelled.rewards) == pytest.approx(0.5, abs=0.12)


def test_a_scene_that_cannot_say_is_refused():
    episodes = all_of(recorded(), 2)
    with pytest.raises(InputError, match="relabel"):
        Relabeller(make_scene("scratch_itch"))(episodes, np.random.default_rng(0))
    with pytest.raises(InputError, match="exact_belief"):
        Relabeller(make_scene("gridworld", exact_belief=True)).pay(episodes, episodes.latents.numpy())


# ------------------------------------------------------------------------------------------------ datasets
def test_a_dataset_survives_the_disk(tmp_path):
    buffer, spec = recorded(), SceneSpec.of(make_scene("gridworld"))
    save_dataset(tmp_path / "d.safetensors", buffer, spec)
    loaded, its_spec = load_dataset(tmp_path / "d.safetensors")
    assert its_spec == spec
    assert loaded.size == 20
    for a, b in zip(vars(all_of(buffer, 20)).values(), vars(all_of(loaded, 20)).values(), strict=True):
        assert torch.equal(a, b)


def test_recorded_episodes_are_what_was_played():
    episodes = all_of(recorded(shares=(0.0,), episodes=60), 60)
    assert episodes.states.shape == (61, 60, 46)
    assert (episodes.actions.sum(-1) == 1).all()
    assert episodes.rewards.sum(0).mean() > 40.0  # one who knows gets 44.5


def test_a_trainings_checkpoint_is_a_dataset_and_an_export_is_not(tmp_path):
    last = train(tiny_sac(), tmp_path / "run")
    for place in (last, tmp_path / "run"):
        buffer, spec = load_dataset(place)
        assert buffer.size == 16
        assert spec.n_observation == 46
    with pytest.raises(InputError, match="not an export"):
        load_dataset(export_checkpoint(last, tmp_path / "export"))


def test_what_is_no_dataset_is_one_line(tmp_path):
    save_dataset(tmp_path / "d", recorded(episodes=1), SceneSpec.of(make_scene("gridworld")))
    whole = (tmp_path / "d").read_bytes()
    (tmp_path / "torn").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text").write_text("hello")
    for name in ("none", "torn", "text", "."):
        with pytest.raises(InputError, match="dataset") as caught:
            load_dataset(tmp_path / name)
        assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------------ learning offline
def offline(folder, config, buffer, name="run", **options):
    save_dataset(folder / "d", buffer, SceneSpec.of(make_scene("gridworld")))
    return train_offline(config, folder / "d", folder / name, **options)


def tiny_offline(**overrides):
    settings = {"offline__model_updates": 4, "offline__policy_updates": 6, "offline__evaluate_every": 3}
    return tiny_sac(**{**settings, **overrides})


def test_an_offline_training_reports_and_repeats_itself(tmp_path):
    curve, config = [], tiny_offline()
    first = offline(tmp_path, config, recorded(), on_progress=curve.append)
    assert [p.phase for p in curve] == ["model", "sac", "sac"]
    assert [p.frames for p in curve] == [4, 7, 10]  # in rounds of model.updates, 2, and of sac.updates, 3
    assert [math.isnan(p.return_mean) for p in curve] == [True, False, False]
    assert {"belief/kl", "probe/nll"} <= curve[0].metrics.keys()
    assert "losses/critic" in curve[-1].metrics
    assert curve[-1].checkpoint == str(first)
    assert states_equal(first, offline(tmp_path, config, recorded(), "again"))
    with pytest.raises(InputError, match="run_dir"):
        offline(tmp_path, config, recorded())


def test_the_belief_model_is_held_still_while_the_policy_learns(tmp_path):
    short = offline(tmp_path, tiny_offline(), recorded(), "short")
    long = offline(tmp_path, tiny_offline(offline__policy_updates=12), recorded(), "long")
    models = [load_checkpoint(folder).agent for folder in (short, long)]
    assert all(map(torch.equal, models[0].belief_model.parameters(), models[1].belief_model.parameters()))
    assert not all(map(torch.equal, models[0].actor_critic.parameters(), models[1].actor_critic.parameters()))
    assert float(models[0].side_norm.count) > 0


@pytest.mark.parametrize(
    ("config", "where"),
    [
        (tiny("varibad"), "policy.learner"),
        (tiny_offline(scene__name="scratch_itch"), "dataset"),
        (tiny("oracle", policy__learner="sac", **TINY_SAC), "offline.relabel"),
        (tiny_offline(scene__options={"actions": 4}), "dataset"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, config, where):
    with pytest.raises(InputError) as caught:
        offline(tmp_path, config, recorded(episodes=2))
    assert caught.value.where == where
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_without_relabelling_stored_rewards_are_learnt_from(tmp_path):
    """Only then may a policy see privileged features: they are as stored."""
    config = tiny(
        "oracle", policy__learner="sac", offline__relabel=False, offline__policy_updates=3, **TINY_SAC
    )
    assert load_checkpoint(offline(tmp_path, config, recorded())).counters == {"updates": 3}


def test_a_missing_dataset_ends_the_command_in_one_line(tmp_path):
    command = [sys.executable, "-m", "dynamite", "--scene", "gridworld", "--variant", "borel"]
    command += ["--run-dir", str(tmp_path / "run"), "--offline", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("dataset: got")
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_offline_learning_beats_what_it_learnt_from(tmp_path):
    """900 episodes by walkers of which the best errs in 4 steps of 10: the policy learnt beats their mean (8.6) by 15."""
    buffer = recorded(shares=(1.0, 0.7, 0.4), episodes=300)
    mean = float(all_of(buffer, 900).rewards.sum(0).mean())
    settings = {
        "train.copies": 500,
        "offline.model_updates": 500,
        "offline.policy_updates": 1500,
        "offline.evaluate_every": 1500,
    }
    curve = []
    config = with_overrides(configure("gridworld", "borel"), settings)
    offline(tmp_path, config, buffer, on_progress=curve.append)
    assert mean < 12.0
    assert curve[-1].return_mean > mean + 15.0
