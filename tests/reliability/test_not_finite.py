"""NaN and infinity stop a training where they appear, and never reach the last good checkpoint."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from dynamite.checkpoint import latest_checkpoint, load_checkpoint
from dynamite.errors import NonFiniteError
from dynamite.finite import require_finite, require_finite_weights
from dynamite.ppo import PPO
from dynamite.progress import read_lines
from dynamite.sac import SAC
from dynamite.train import Trainer, train
from dynamite.vector import ArrayVector
from robot_app import cli
from tests.dynamite.conftest import TINY, tiny

#: Iterations of 6 × 60 frames, a checkpoint after each.
EVERY = {"train__checkpoint_every": 1, "train__keep_checkpoints": 9}


def poisoned_scene(monkeypatch, name: str, value: float, at_step: int, at_iteration: int = 2) -> None:
    """From now on copy 4 says ``value`` at one step of one iteration."""
    take, resets, steps = ArrayVector._take, [], []

    def reset(self, seeds):
        resets.append(1)
        steps.clear()
        return take(self, self.arrays.reset(seeds))

    def step(self, actions):
        now = take(self, self.arrays.step(actions))
        steps.append(1)
        if len(resets) == at_iteration + 1 and len(steps) == at_step + 1:
            array = getattr(now, name).copy()
            array[(4, 7) if array.ndim == 2 else 4] = value
            setattr(now, name, array)
        return now

    monkeypatch.setattr(ArrayVector, "reset", reset)
    monkeypatch.setattr(ArrayVector, "step", step)


def stopped(config, run) -> str:
    with pytest.raises(NonFiniteError) as caught:
        train(config, run)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("array", "what"),
    [("reward", "the reward of copy 4"), ("observation", "entry 7 of the observation of copy 4")],
)
def test_a_scene_that_says_nan_is_named_by_iteration_copy_and_step(tmp_path, monkeypatch, array, what, value):
    poisoned_scene(monkeypatch, array, value, at_step=17)
    line = stopped(tiny(**EVERY), tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "000000000720"
    assert line == f"iteration 2 (720 frames): {what} is {value} after step 17; last good checkpoint: {last}"
    assert latest_checkpoint(tmp_path / "run") == last


def test_a_training_goes_on_from_the_last_good_checkpoint_as_if_nothing_had_been(tmp_path, monkeypatch):
    whole = train(tiny(), tmp_path / "whole")
    with monkeypatch.context() as patch:
        poisoned_scene(patch, "reward", math.nan, at_step=59)
        stopped(tiny(**EVERY), tmp_path / "run")
    resumed = train(tiny(**EVERY), tmp_path / "run", resume=True)
    one, other = (load_checkpoint(folder).agent.state_dict() for folder in (whole, resumed))
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    assert len(read_lines(tmp_path / "run" / "progress.jsonl")) == 4


def test_on_the_command_line_it_is_one_line_and_a_failure(tmp_path, monkeypatch, capsys):
    poisoned_scene(monkeypatch, "reward", math.nan, at_step=17)
    run = tmp_path / "run"
    words = ["train", "--scene", "gridworld", "--run-dir", str(run), "--json"]
    for name, value in {**TINY, "train.checkpoint_every": 1}.items():
        words += ["--set", f"{name}={json.dumps(value)}"]
    assert cli.main(words) == 1
    said = capsys.readouterr().err
    last = run / "checkpoints" / "000000000720"
    assert said.count("\n") == 1
    assert "iteration 2 (720 frames): the reward of copy 4 is nan after step 17" in said
    assert said.rstrip().endswith(f"last good checkpoint: {last}")


def poison(parameter: torch.nn.Parameter) -> None:
    with torch.no_grad():
        parameter.view(-1)[0] = math.nan


#: Which weight is poisoned, and the term that must be blamed for it.
TERMS = {
    "losses/policy": ("dynamite", lambda agent: agent.actor_critic.actor[-1].weight),
    "losses/value": ("dynamite", lambda agent: agent.actor_critic.critic[-1].weight),
    "belief/reconstruction_reward": (
        "dynamite",
        lambda agent: next(agent.belief_model.reward_decoder.parameters()),
    ),
    "belief/reconstruction_state": (
        "dynamite",
        lambda agent: next(agent.belief_model.state_decoder.parameters()),
    ),
    "belief/reconstruction_task": (
        "dynamite",
        lambda agent: next(agent.belief_model.task_decoder.parameters()),
    ),
    "belief/contrastive": ("contrabar", lambda agent: next(agent.belief_model.contrast.parameters())),
    "belief/kl": ("dynamite", lambda agent: next(agent.belief_model.prior.parameters())),
    "belief/termination": ("dynamite", lambda agent: agent.belief_model.termination.linear.weight),
    "probe/nll": ("dynamite", lambda agent: next(agent.probe.parameters())),
    "losses/critic": ("borel", lambda agent: next(agent.actor_critic.critic.parameters())),
}
#: Terms that gridworld's preset leaves out.
WEIGHTS = {
    "belief/reconstruction_state": {"objective__state_weight": 1.0},
    "belief/reconstruction_task": {"objective__task_weight": 1.0},
}


@pytest.mark.parametrize("term", TERMS)
def test_a_term_that_is_nan_is_named_and_nothing_is_saved(tmp_path, monkeypatch, term):
    variant, weight = TERMS[term]
    iterate = Trainer._iterate

    def poisoned(self):
        # After the rollout, so that it is the learning that meets it: where the first learner begins.
        if self.iteration == 1:
            for learner in (PPO, SAC):
                update = learner.update
                monkeypatch.setattr(
                    learner, "update", lambda *a, update=update: (poison(weight(self.agent)), update(*a))[1]
                )
        return iterate(self)

    monkeypatch.setattr(Trainer, "_iterate", poisoned)
    small = {"sac__updates": 2, "sac__batch": 8, "sac__pool_episodes": 6, "sac__hidden": [8]}
    line = stopped(tiny(variant, **EVERY, **small, **WEIGHTS.get(term, {})), tmp_path / "run")
    assert line.startswith(f"iteration 1 (360 frames): {term} is nan; last good checkpoint: ")
    last = latest_checkpoint(tmp_path / "run")
    assert last.name == "000000000360"
    require_finite_weights(load_checkpoint(last).agent.state_dict().items())


def test_infinite_weights_are_not_saved(tmp_path):
    from dynamite.vector import make_vector

    config = tiny()
    trainer = Trainer(config, make_vector(config.scene, config.train.copies))
    good = trainer.save(tmp_path / "checkpoint")
    with torch.no_grad():
        trainer.agent.actor_critic.actor[0].bias[0] = math.inf
    with pytest.raises(NonFiniteError, match=r"actor_critic\.actor\.0\.bias"):
        trainer.save(tmp_path / "checkpoint")
    require_finite_weights(load_checkpoint(good).agent.state_dict().items())


def test_large_numbers_are_not_mistaken_for_infinite_ones():
    from dynamite.finite import require_finite_snapshot
    from dynamite.spec import SceneSpec
    from dynamite.vector import Snapshot
    from scenes import make_scene

    now = Snapshot.empty(SceneSpec.of(make_scene("gridworld")), 4)
    now.observation[:] = np.finfo(np.float32).max
    require_finite_snapshot(now, "now")  # its sum overflows
    with pytest.raises(NonFiniteError, match="losses/one is inf"):
        require_finite({"losses/zero": 0.0, "losses/one": torch.tensor(math.inf)})
