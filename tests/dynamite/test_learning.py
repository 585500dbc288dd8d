"""PPO, normalisers, gradients and whole trainings."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dynamite.checkpoint import load_checkpoint
from dynamite.model_learner import ModelLearner
from dynamite.normalise import ReturnNorm, RunningNorm
from dynamite.ppo import PPO, generalised_advantages
from dynamite.progress import read_lines
from dynamite.rollout import collect
from dynamite.train import Trainer, train
from dynamite.vector import make_vector
from scenes.errors import InputError
from tests.dynamite.conftest import new_agent, tiny


def grads(module: torch.nn.Module) -> float:
    return sum(float(p.grad.abs().sum()) for p in module.parameters() if p.grad is not None)


def play_once(config):
    scenes = make_vector(config.scene, config.train.copies)
    agent = new_agent(config)
    return agent, collect(agent, scenes, np.arange(config.train.copies), torch.Generator().manual_seed(0))


# ------------------------------------------------------------------------------------------------ PPO
def test_generalised_advantages_by_hand():
    rewards, values = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.5], [1.0], [4.0]])
    # γ = ½, λ = ½: δ1 = 2 + ½·4 − 1 = 3; δ0 = 1 + ½·1 − 0.5 = 1; A0 = 1 + ¼·3
    advantages, targets = generalised_advantages(rewards, values, 0.5, 0.5)
    assert advantages[:, 0].tolist() == pytest.approx([1.75, 3.0])
    assert targets[:, 0].tolist() == pytest.approx([2.25, 4.0])


def test_without_bootstrapping_the_world_ends_at_the_time_limit():
    rewards, values = torch.tensor([[1.0], [2.0]]), torch.tensor([[0.5], [1.0], [4.0]])
    advantages, _ = generalised_advantages(rewards, values, 0.5, 0.5, bootstrap=False)
    assert advantages[:, 0].tolist() == pytest.approx([1.0 + 0.25 * 1.0, 1.0])


def test_the_first_ratio_of_an_update_is_one():
    """Recomputed log-probabilities equal those of the rollout: nothing moved in between."""
    for variant in ("dynamite", "oracle", "markov"):
        agent, rollout = play_once(tiny(variant))
        state = agent.state_norm(rollout.states[:-1])
        now = agent.actor_critic.evaluate(state, agent.normalise_side(rollout.sides[:-1]), rollout.actions)
        assert torch.allclose(now.log_prob, rollout.log_probs, atol=1e-5)
        assert torch.allclose(now.value, rollout.values[:-1], atol=1e-5)


def test_ppo_does_not_reach_the_encoder_by_default():
    agent, rollout = play_once(tiny())
    before = {k: v.clone() for k, v in agent.belief_model.state_dict().items()}
    PPO(agent).update(rollout, 0.0, torch.Generator().manual_seed(0))
    assert all(torch.equal(v, before[k]) for k, v in agent.belief_model.state_dict().items())
    assert grads(agent.belief_model) == 0.0
    assert grads(agent.actor_critic) > 0.0


def test_ppo_reaches_the_encoder_when_asked():
    agent, rollout = play_once(tiny(ppo__through_encoder=True))
    before = agent.belief_model.encoder.gru.weight_hh_l0.clone()
    PPO(agent).update(rollout, 0.0, torch.Generator().manual_seed(0))
    assert not torch.equal(before, agent.belief_model.encoder.gru.weight_hh_l0)


def test_target_kl_stops_the_epochs():
    config = tiny(ppo__epochs=50, ppo__lr=0.01, ppo__target_kl=1e-6)
    agent, rollout = play_once(config)
    ppo, steps = PPO(agent), []
    step = ppo.optimiser.step
    ppo.optimiser.step = lambda: steps.append(step())
    ppo.update(rollout, 0.0, torch.Generator().manual_seed(0))
    assert len(steps) < 50 * config.ppo.minibatches


def test_learning_rate_and_entropy_anneal():
    agent, rollout = play_once(tiny(ppo__lr=1e-3, ppo__lr_final=0.1))
    metrics = PPO(agent).update(rollout, 1.0, torch.Generator().manual_seed(0))
    assert metrics["losses/lr"] == pytest.approx(1e-4)


def test_recomputed_beliefs_equal_those_of_the_rollout():
    """Stepping the encoder and running it over whole episodes give the same posteriors."""
    agent, rollout = play_once(tiny())
    posterior = agent.belief_model.encoder(
        agent.model_states(rollout.states), rollout.executed, rollout.rewards
    )
    assert torch.allclose(agent.side(posterior, rollout.privileged), rollout.sides, atol=1e-5)


# ------------------------------------------------------------------------------------------------ probe, normalisers
def test_probe_gradients_never_reach_the_encoder():
    agent, rollout = play_once(tiny())
    learner = ModelLearner(agent)
    posterior = agent.belief_model.encode(learner.normalised(rollout.episodes()))
    agent.zero_grad(set_to_none=True)
    read = agent.readable(posterior, agent.model_states(rollout.states))
    agent.probe.loss(read.flatten(0, 1), rollout.latents.flatten(0, 1)).backward()
    assert grads(agent.probe) > 0.0
    assert grads(agent.belief_model) == 0.0


def test_running_norm_equals_the_whole_batch():
    x = torch.randn(1000, 3, generator=torch.Generator().manual_seed(0)) * torch.tensor([1.0, 5.0, 0.1]) + 2
    norm = RunningNorm(3)
    for part in x.split(170):
        norm.update(part)
    assert torch.allclose(norm.mean.float(), x.mean(0), atol=1e-5)
    assert torch.allclose(norm.var.float(), x.var(0, unbiased=False), rtol=1e-4)
    assert norm(x).mean().item() == pytest.approx(0.0, abs=1e-3)


def test_a_constant_entry_is_not_blown_up():
    norm = RunningNorm(1)
    norm.update(torch.full((10, 1), 7.0))
    assert norm(torch.tensor([7.001])).abs().item() < 0.01


def test_rewards_are_divided_by_the_deviation_of_the_return():
    norm = ReturnNorm(0.5)
    norm.update(torch.tensor([[4.0, -4.0], [0.0, 0.0]]))  # discounted returns 4, 2 and −4, −2
    assert norm(torch.tensor([np.sqrt(10.0)])).item() == pytest.approx(1.0)


# ------------------------------------------------------------------------------------------------ whole trainings
def states_equal(one, two) -> bool:
    a, b = load_checkpoint(one), load_checkpoint(two)
    same = all(torch.equal(v, b.agent.state_dict()[k]) for k, v in a.agent.state_dict().items())
    assert a.training.keys() == b.training.keys()
    return same and all(torch.equal(v, b.training[k]) for k, v in a.training.items())


@pytest.mark.parametrize("variant", ["dynamite", "markov"])
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, variant):
    config = tiny(variant)
    whole = train(config, tmp_path / "whole")
    seen = []
    train(config, tmp_path / "parts", on_progress=seen.append, should_stop=lambda: len(seen) == 1)
    parts = train(config, tmp_path / "parts", resume=True)
    assert len(seen) == 2
    assert whole.name == parts.name
    assert states_equal(whole, parts)
    lines = [read_lines(tmp_path / run / "progress.jsonl") for run in ("whole", "parts")]
    curves = [[(line["frames"], line["return_mean"]) for line in part] for part in lines]
    assert len(curves[0]) == 4
    assert curves[0] == curves[1]


def test_a_resumed_imitation_equals_an_uninterrupted_one(tmp_path):
    config = tiny(imitation__teacher="goal", imitation__frames=720, imitation__updates=2)
    whole = train(config, tmp_path / "whole", load_policy=load_goal_walker)
    seen = []
    stop = {"should_stop": lambda: len(seen) == 1, "on_progress": seen.append}
    train(config, tmp_path / "parts", load_policy=load_goal_walker, **stop)
    assert states_equal(whole, train(config, tmp_path / "parts", load_policy=load_goal_walker, resume=True))


class GoalWalker:
    """Walks to the paying goal: a teacher for gridworld."""

    name, needs_privileged = "goal", True

    def reset(self, seed):
        pass

    def act(self, observation, reward, privileged=None):
        from dynamite.acting import Decision

        first = privileged.features[0] > 0
        rows, columns = (
            (observation[10:19], observation[19:28]) if first else (observation[28:37], observation[37:46])
        )
        down, right = int(rows.argmax()) - 4, int(columns.argmax()) - 4
        number = 2 if down > 0 else 1 if down < 0 else 4 if right > 0 else 3 if right < 0 else 0
        return Decision(np.asarray(number))


def load_goal_walker(name, scene):
    return GoalWalker()


def test_imitation_learns_the_teacher(tmp_path):
    """An oracle student comes most of the way to its teacher in 240 episodes."""
    frames = 30 * 8 * 60
    overrides = {
        "imitation__teacher": "goal",
        "imitation__frames": frames,
        "imitation__lr": 3e-3,
        "imitation__updates": 8,
        "model__buffer_episodes": 256,
        "policy__hidden": [64],
        "train__frames": frames,
        "train__copies": 8,
    }
    curve = []
    config = tiny("oracle", **overrides)
    train(config, tmp_path / "run", on_progress=curve.append, load_policy=load_goal_walker)
    assert {p.phase for p in curve} == {"imitation"}
    assert np.mean([p.return_mean for p in curve[-4:]]) > 15.0  # random −3.6, the teacher 44


def test_the_belief_model_slows_down_when_imitation_hands_over(tmp_path):
    """A zero-like rate after the hand-over leaves the belief model where imitation left it."""
    rates = {"imitation__model_lr": 1e-2, "model__lr": 1e-12, "imitation__updates": 2}
    keep = {"train__checkpoint_every": 1, "train__keep_checkpoints": 9}
    config = tiny(imitation__teacher="goal", imitation__frames=360, **rates, **keep)
    folders = []
    train(config, tmp_path / "run", load_policy=load_goal_walker, on_progress=folders.append)
    assert [p.phase for p in folders[:2]] == ["imitation", "ppo"]
    first, last = (load_checkpoint(p.checkpoint).agent.belief_model for p in (folders[0], folders[-1]))
    start = new_agent(config).belief_model
    moved = [(a - b).abs().max() for a, b in zip(first.parameters(), start.parameters(), strict=True)]
    after = [(a - b).abs().max() for a, b in zip(last.parameters(), first.parameters(), strict=True)]
    assert max(moved) > 1e-3
    assert max(after) < 1e-6


def test_imitation_without_a_way_to_load_policies_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"imitation\.teacher"):
        train(tiny(imitation__teacher="goal", imitation__frames=10), tmp_path / "run")


def test_a_run_is_not_overwritten(tmp_path):
    train(tiny("markov", train__frames=1), tmp_path / "run")
    with pytest.raises(InputError, match="run_dir"):
        train(tiny("markov", train__frames=1), tmp_path / "run")


def test_progress_is_whole(tmp_path):
    curve = []
    config = tiny(train__checkpoint_every=400, train__keep_checkpoints=2)
    last = train(config, tmp_path / "run", on_progress=curve.append)
    assert [p.frames for p in curve] == [360, 720, 1080, 1440]
    assert [p.checkpoint is not None for p in curve] == [False, True, False, True]
    assert curve[-1].checkpoint == str(last)
    assert curve[-1].seconds_left == 0.0
    names = {"losses/entropy", "losses/approx_kl", "belief/kl", "belief/consistency", "belief/termination"}
    assert names | {"belief/reconstruction_reward", "probe/nll"} <= curve[-1].metrics.keys()
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 2
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))


def test_the_policy_is_held_still_while_the_model_is_pretrained():
    config = tiny(model__pretrain_iterations=2)
    trainer = Trainer(config, make_vector(config.scene, config.train.copies))
    before = {k: v.clone() for k, v in trainer.agent.actor_critic.state_dict().items()}
    phases = []
    for _ in range(2):
        phases.append(trainer.phase)
        trainer.iterate()
    assert phases == ["model", "model"]
    assert trainer.phase == "ppo"
    assert all(torch.equal(v, before[k]) for k, v in trainer.agent.actor_critic.state_dict().items())


def test_a_tiny_training_improves_its_return(tmp_path):
    """The Bayes-filter control on gridworld: 25 iterations take it well above random (−3.6)."""
    overrides = {
        "scene__options": {"exact_belief": True},
        "train__copies": 256,
        "train__frames": 25 * 256 * 60,
        "policy__hidden": [32],
        "ppo__lr": 3e-3,
        "ppo__minibatches": 8,
        "ppo__entropy": 0.03,
    }
    curve = []
    train(tiny("markov", **overrides), tmp_path / "run", on_progress=curve.append)
    assert curve[0].return_mean < 0.0
    assert curve[-1].return_mean > 8.0
