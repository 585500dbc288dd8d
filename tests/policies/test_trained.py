"""Trained policies: the same numbers step by step as in training, and refusals in one line."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

import policies
from dynamite.acting import Decision, play
from dynamite.agent import Agent
from dynamite.belief import ChoicePosterior, PointPosterior
from dynamite.belief_model import Episodes
from dynamite.checkpoint import load_checkpoint, save_checkpoint
from dynamite.checkpoint_files import manifest_digest, read_stored
from dynamite.config_io import with_overrides
from dynamite.encoder import Posterior
from dynamite.rollout import collect
from dynamite.spec import SceneSpec
from dynamite.variants import configure, list_variants
from dynamite.vector import SerialVector
from policies.numpy_stepping import NumpyStepper
from policies.stepping import TorchStepper
from policies.trained import TrainedPolicy, make_stepper
from scenes import make_scene
from scenes.errors import InputError

SCENES = ("gridworld", "scratch_itch")


def make_checkpoint(folder, scene: str, variant: str, **overrides):
    """A checkpoint whose weights and normalisers are not at their start values."""
    config = with_overrides(configure(scene, variant), {"train.workers": 0, **overrides})
    torch.manual_seed(1)
    agent = Agent(SceneSpec.of(make_scene(scene)), config)
    generator = torch.Generator().manual_seed(2)
    agent.state_norm.update(torch.randn(50, agent.spec.n_observation, generator=generator))
    agent.return_norm.update(torch.randn(20, 4, generator=generator))
    if agent.side_norm is not None:
        agent.side_norm.update(torch.randn(50, agent.n_side, generator=generator))
    with torch.no_grad():  # actions that differ from step to step
        agent.actor_critic.actor[-1].weight *= 50
    return save_checkpoint(folder, agent, None, {"frames": 0})


#: Every kind of agent: each variant as it is, and what is an option of several.
AGENTS = {
    **{variant: (variant, {}) for variant in list_variants()},
    "dynamite that sees p(end)": ("dynamite", {"policy.sees_termination": True}),
    "dynamite that sees h too": ("dynamite", {"policy.sees_hidden": True}),
    "oracle with a belief": ("oracle", {"policy.sees_belief": True}),
    "transformer": ("dynamite", {"encoder.kind": "transformer", "encoder.context": 7}),
    "recurrent transformer": ("rl2", {"encoder.kind": "transformer"}),
    "raw states": ("dynamite", {"model.normalise_state": False, "encoder.mixing": 9}),
}


@dataclasses.dataclass(frozen=True)
class Played:
    """An episode that a TrainedPolicy played: what it was given and what it made of it, T + 1 steps."""

    agent: Agent
    states: torch.Tensor
    rewards: torch.Tensor
    executed: torch.Tensor
    privileged: torch.Tensor
    decisions: list[Decision]


def play_out(folder, scene: str) -> Played:
    env = make_scene(scene)
    policy = TrainedPolicy(folder, env, deterministic=True)
    frames, truths = [], []
    for frame in play(env, policy, seed=3):
        frames.append(frame)
        truths.append(env.privileged().features)
    agent = load_checkpoint(folder).agent
    actions = torch.tensor(np.stack([f.decision.action for f in frames])).view(len(frames), -1).float()
    env.close()
    return Played(
        agent=agent,
        states=torch.tensor(np.stack([f.observation for f in frames])).float(),
        rewards=torch.tensor([f.reward for f in frames]).float(),
        executed=agent.encode_action(actions),
        privileged=torch.tensor(np.stack(truths)).float(),
        decisions=[f.decision for f in frames],
    )


def assert_decided(
    t: int, played: Played, posterior: Posterior | None, output: torch.Tensor, value: torch.Tensor
) -> None:
    """Decision t is what the batched agent's numbers for one copy say, to 1e-5."""
    agent, decision = played.agent, played.decisions[t]
    action = agent.actor_critic.mode(output.unsqueeze(0))
    if agent.spec.discrete:
        assert int(decision.action) == int(action)
    else:
        np.testing.assert_allclose(decision.action, action[0].clamp(-1, 1), atol=1e-5)
    scale = float(agent.return_norm.norm.scale()[1]) if agent.config.normalise_reward else 1.0
    assert decision.value * scale == pytest.approx(float(value), abs=1e-5)
    if posterior is None:
        assert decision.belief is None
        return
    sees, belief = agent.config.policy, decision.belief
    if sees.sees_belief:
        np.testing.assert_allclose(belief.mean, posterior.mean, atol=1e-5)
        np.testing.assert_allclose(belief.logvar, posterior.logvar, atol=1e-5)
    else:
        assert belief.mean.size == belief.logvar.size == 0
    if agent.config.variant not in ("varibad", "borel", "rl2", "contrabar"):  # who learn no p(d)
        p_end = float(agent.belief_model.p_session_end(posterior))
        assert belief.p_session_end == pytest.approx(p_end, abs=1e-5)
    else:
        assert belief.p_session_end is None
    probed = agent.probe.posteriors(
        agent.probe(agent.readable(posterior, agent.model_states(played.states[t]))).numpy()
    )
    assert probed.keys() == belief.fields.keys()
    for name, found in belief.fields.items():
        for key, array in vars(probed[name]).items():
            np.testing.assert_allclose(getattr(found, key), array, atol=1e-5)


def copy_of(posterior: Posterior, *index: int) -> Posterior:
    return Posterior(*(None if x is None else x[index] for x in posterior))


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("kind", AGENTS)
@torch.no_grad()
def test_acting_equals_the_batched_agent(tmp_path, scene, kind):
    """An episode acted step by step, and the same beside two others in the batched agent, as training collects it."""
    variant, overrides = AGENTS[kind]
    played = play_out(make_checkpoint(tmp_path / "c", scene, variant, **overrides), scene)
    agent = played.agent

    def beside_others(x: torch.Tensor) -> torch.Tensor:
        return torch.stack((x.flip(0), x, x.roll(5, 0)), 1)  # (T + 1, 3, …)

    states, privileged = beside_others(played.states), beside_others(played.privileged)
    rewards, executed = beside_others(played.rewards), beside_others(played.executed)
    model, posterior = agent.belief_model, None
    memory = model.initial(3) if model is not None else ()
    for t in range(len(played.decisions)):
        if model is not None:
            action = executed[t - 1] if t else torch.zeros_like(executed[0])
            reward = rewards[t] if t else torch.zeros(3)
            posterior, memory = model.step(agent.model_states(states[t]), action, reward, memory)
        side = agent.normalise_side(agent.side(posterior, privileged[t]))
        output, value = agent.actor_critic(agent.state_norm(states[t]), side)
        ours = None if posterior is None else copy_of(posterior, 1)
        assert_decided(t, played, ours, output[1], value[1])


@pytest.mark.parametrize("kind", [kind for kind in AGENTS if kind != "secbad"])
@torch.no_grad()
def test_acting_equals_whole_episodes(tmp_path, kind):
    """The same against whole episodes at once, as learning sees them (where learning is not told where sessions begin)."""
    variant, overrides = AGENTS[kind]
    played = play_out(make_checkpoint(tmp_path / "c", "gridworld", variant, **overrides), "gridworld")
    agent, n_steps = played.agent, len(played.decisions) - 1
    episodes = Episodes(
        states=played.states.unsqueeze(1),
        actions=played.executed[:-1].unsqueeze(1),
        rewards=played.rewards[1:].unsqueeze(1),
        ended=torch.zeros(n_steps, 1, dtype=torch.bool),
        latents=torch.zeros(n_steps + 1, 1, agent.spec.latent_space.size),
    )
    seen = dataclasses.replace(episodes, states=agent.model_states(episodes.states))
    posterior = agent.belief_model.encode(seen) if agent.belief_model is not None else None
    output, value = agent.actor_critic(*agent.see(episodes, played.privileged.unsqueeze(1)))
    for t in range(len(played.decisions)):
        ours = None if posterior is None else copy_of(posterior, t, 0)
        assert_decided(t, played, ours, output[t, 0], value[t, 0])


@pytest.mark.parametrize("kind", AGENTS)
def test_the_fast_path_is_taken_where_it_knows_the_agent(tmp_path, kind):
    """On it, and on the generic one, the same agent acts the same."""
    variant, overrides = AGENTS[kind]
    folder = make_checkpoint(tmp_path / "c", "gridworld", variant, **overrides)
    agent, fast = load_checkpoint(folder).agent, make_stepper(read_stored(folder))
    slow = {"secbad", "borel", "transformer", "recurrent transformer"}
    assert isinstance(fast, TorchStepper) == (kind in slow)
    if kind in slow:
        return
    generic, truth = TorchStepper(agent), np.ones(agent.spec.n_privileged, np.float32)
    for t in range(10):
        seen = np.full(agent.spec.n_observation, 0.1 * t, np.float32), -0.1 * t
        seen = (*seen, truth if agent.config.policy.sees_privileged else None)
        one, other = fast.step(*seen, draw=False), generic.step(*seen, draw=False)
        assert one.value == pytest.approx(other.value, abs=1e-4)
        np.testing.assert_array_equal(fast.last_action, generic.last_action)


@pytest.mark.parametrize("kind", ["rl2", "borel", "secbad"])
@pytest.mark.parametrize("scene", SCENES)
def test_drawn_actions_follow_the_seed_and_are_remembered(tmp_path, scene, kind):
    """Both paths draw from π, repeat with the seed, and tell the encoder what was executed."""
    env = make_scene(scene)
    policy = TrainedPolicy(make_checkpoint(tmp_path / "c", scene, kind), env, deterministic=False)
    observation, _ = env.reset(seed=0)
    episodes = []
    for seed in (1, 1, 2):
        policy.reset(seed)
        assert not policy.stepper.last_action.any()
        drawn = []
        for t in range(20):
            drawn.append(policy.act(observation, -0.1 * t).action)
            encoded = policy.stepper.last_action
            np.testing.assert_allclose(encoded.argmax() if scene == "gridworld" else encoded, drawn[-1])
        episodes.append(np.stack(drawn))
    np.testing.assert_array_equal(episodes[0], episodes[1])
    assert not np.array_equal(episodes[0], episodes[2])
    assert np.abs(episodes[0]).max() <= (4 if scene == "gridworld" else 1.0)


def test_a_policy_draws_as_its_training_did(tmp_path):
    """Frequencies of what is drawn are those of π, on either path."""
    for kind in ("dynamite", "borel"):
        folder = make_checkpoint(tmp_path / kind, "gridworld", kind)
        agent, env = load_checkpoint(folder).agent, make_scene("gridworld")
        policy, observation = TrainedPolicy(folder, env, deterministic=False), env.reset(seed=0)[0]
        counts = np.zeros(5)
        for seed in range(1500):
            policy.reset(seed)
            counts[int(policy.act(observation, 0.0).action)] += 1
        with torch.no_grad():
            state = torch.from_numpy(observation).unsqueeze(0)
            start = agent.belief_model.initial(1)
            nothing = torch.zeros(1, 5), torch.zeros(1)
            posterior, _ = agent.belief_model.step(agent.model_states(state), *nothing, start)
            side = agent.normalise_side(agent.side(posterior, torch.zeros(1, agent.spec.n_privileged)))
            logits, _ = agent.actor_critic(agent.state_norm(state), side)
        np.testing.assert_allclose(counts / 1500, logits.softmax(-1)[0], atol=0.05)


def test_stepping_equals_the_rollouts_of_training(tmp_path):
    """The policy drawn from in training and the one that acts afterwards hold the same belief along an episode."""
    folder = make_checkpoint(tmp_path / "c", "gridworld", "dynamite")
    agent, config = load_checkpoint(folder).agent, load_checkpoint(folder).config
    rollout = collect(agent, SerialVector(config.scene, 1), np.array([4]), torch.Generator().manual_seed(0))
    policy = TrainedPolicy(folder, make_scene("gridworld"))
    policy.reset(4)
    for t in range(61):
        reward = float(rollout.rewards[t - 1, 0]) if t else 0.0
        belief = policy.act(rollout.states[t, 0].numpy(), reward).belief
        np.testing.assert_allclose(
            np.concatenate((belief.mean, belief.logvar)), rollout.sides[t, 0], atol=1e-5
        )
        if t < 60:
            policy.stepper.last_action[:] = rollout.executed[t, 0]


def test_reset_forgets_and_seeds(tmp_path):
    env = make_scene("scratch_itch")
    policy = TrainedPolicy(
        make_checkpoint(tmp_path / "c", "scratch_itch", "dynamite"), env, deterministic=False
    )
    episodes = []
    for seed in (1, 1, 2):
        policy.reset(seed)
        observation, _ = env.reset(seed=0)
        episodes.append([policy.act(observation, -0.1 * t).action for t in range(5)])
    np.testing.assert_array_equal(episodes[0], episodes[1])
    assert not np.array_equal(episodes[0], episodes[2])


def test_a_configuration_says_whether_its_policy_draws(tmp_path):
    env = make_scene("scratch_itch")
    observation, _ = env.reset(seed=0)
    for acts, draws in ((True, False), (False, True)):
        folder = make_checkpoint(
            tmp_path / str(acts), "scratch_itch", "dynamite", **{"policy.deterministic": acts}
        )
        policy = policies.load(folder, env)
        actions = []
        for seed in (1, 2):
            policy.reset(seed)
            actions.append(policy.act(observation, 0.0).action)
        assert np.array_equal(*actions) != draws


def test_a_belief_kept_from_one_step_is_not_changed_by_the_next(tmp_path):
    env = make_scene("scratch_itch")
    policy = TrainedPolicy(make_checkpoint(tmp_path / "c", "scratch_itch", "dynamite"), env)
    observation, _ = env.reset(seed=0)
    first = policy.act(observation, 0.0)
    kept = first.belief.mean.copy(), first.action.copy()
    policy.act(observation + 0.3, -1.0)
    np.testing.assert_array_equal(kept[0], first.belief.mean)
    np.testing.assert_array_equal(kept[1], first.action)


def test_the_probe_speaks_of_every_field(tmp_path):
    for scene, name, kind in (
        ("gridworld", "goal", ChoicePosterior),
        ("scratch_itch", "itch", PointPosterior),
    ):
        env = make_scene(scene)
        policy = TrainedPolicy(make_checkpoint(tmp_path / scene, scene, "varibad"), env)
        posterior = policy.act(env.reset(seed=0)[0], 0.0).belief.fields[name]
        assert isinstance(posterior, kind)
        weights = posterior.grid if isinstance(posterior, PointPosterior) else posterior.probabilities
        assert weights.sum() == pytest.approx(1.0, abs=1e-5)
        if isinstance(posterior, PointPosterior):
            assert weights.shape == (2, 12, 16)


def test_no_learned_policy_but_the_oracle_is_given_the_truth(tmp_path):
    for variant in list_variants():
        env = make_scene("gridworld")
        policy = TrainedPolicy(make_checkpoint(tmp_path / variant, "gridworld", variant), env)
        assert policy.needs_privileged is (variant == "oracle")
        observation, _ = env.reset(seed=0)
        truth = env.privileged()
        if policy.needs_privileged:
            with pytest.raises(ValueError, match="oracle"):
                policy.act(observation, 0.0)
            continue
        poisoned = dataclasses.replace(truth, features=np.full_like(truth.features, np.nan))
        plain = policy.act(observation, 0.0)
        policy.reset(0)
        assert plain.value == policy.act(observation, 0.0, poisoned).value


# ------------------------------------------------------------------------------------------------ by name
def test_policies_are_listed_and_every_one_loads_and_acts():
    for scene in SCENES:
        env = make_scene(scene)
        names = policies.list_policies(scene)
        assert names[0] == "random"
        for name in names:
            policy = policies.load(name, env)
            assert policy.name == name
            frames = [frame for frame, _ in zip(play(env, policy, seed=0), range(3), strict=False)]
            assert env.action_space.contains(
                frames[0].decision.action if scene == "scratch_itch" else int(frames[0].decision.action)
            )


@pytest.mark.parametrize(
    "name", ["nobody", "pretrained/nobody", "scripted/nobody", "scripted/scratch_itch", "/no/where"]
)
def test_an_unknown_policy_lists_those_there_are(name):
    with pytest.raises(InputError, match="random") as caught:
        policies.load(name, make_scene("gridworld"))
    assert "\n" not in str(caught.value)


def test_a_run_is_loaded_by_its_newest_checkpoint(tmp_path):
    for frames in (10, 20):
        make_checkpoint(tmp_path / "run" / "checkpoints" / f"{frames:012d}", "gridworld", "markov")
    policy = policies.load(tmp_path / "run", make_scene("gridworld"))
    assert policy.name.endswith("000000000020")


def test_a_folder_without_checkpoints_is_refused(tmp_path):
    with pytest.raises(InputError, match="manifest"):
        policies.load(tmp_path, make_scene("gridworld"))


def test_a_checkpoint_of_another_scene_is_refused(tmp_path):
    folder = make_checkpoint(tmp_path / "c", "gridworld", "markov")
    with pytest.raises(InputError, match="gridworld"):
        policies.load(folder, make_scene("scratch_itch"))


def test_random_actions_fill_the_space_and_follow_the_seed():
    env = make_scene("scratch_itch")
    policy = policies.load("random", env)
    draws = []
    for seed in (1, 1, 2):
        policy.reset(seed)
        draws.append(np.stack([policy.act(np.zeros(1), 0.0).action for _ in range(200)]))
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert draws[0].min() < -0.9
    assert draws[0].max() > 0.9


def test_weights_of_another_agent_are_refused_as_a_whole_checkpoint_would_be(tmp_path):
    """The arrays of one configuration under another's: whoever loads them says so, the fast path as the other."""
    env = make_scene("gridworld")
    folder = make_checkpoint(tmp_path / "c", "gridworld", "dynamite")
    other = make_checkpoint(tmp_path / "other", "gridworld", "dynamite", **{"encoder.hidden": 8})
    stored = dataclasses.replace(read_stored(folder), config=read_stored(other).config)
    with pytest.raises((KeyError, ValueError)):
        NumpyStepper(stored)
    manifest = json.loads((folder / "manifest.json").read_text())
    config = (other / "config.yaml").read_bytes()
    (folder / "config.yaml").write_bytes(config)
    manifest["sha256"]["config.yaml"] = hashlib.sha256(config).hexdigest()
    del manifest["self"]
    manifest["self"] = manifest_digest(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    with pytest.raises(InputError, match=r"model\.safetensors"):
        TrainedPolicy(folder, env)


def test_the_packaged_agents_act_without_importing_pytorch():
    """Which takes longer than everything else between a start and the first moving picture."""
    code = (
        "import sys; import policies; from scenes import make_scene; scene = make_scene('scratch_itch');"
        "names = [n for n in policies.list_policies('scratch_itch') if n.startswith('pretrained/')];"
        "loaded = [policies.load(n, scene) for n in names]; print(len(loaded), 'torch' in sys.modules)"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert int(said[0]) >= 2
    assert said[1] == "False"
