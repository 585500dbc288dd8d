"""Settings of the policy and of its learners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from dynamite.rules import Section, choice, flag, real, sizes, text, whole


@dataclass(frozen=True)
class PolicyConfig(Section):
    """π(a|s, …) and V(s, …): separate embeddings, separate tanh networks."""

    section: ClassVar[str] = "policy"

    learner: str = choice("ppo", ("ppo", "sac"))
    """Who teaches it: proximal policy optimisation, or soft actor-critic on stored episodes (then widths and deviations are
    those of section sac, and state and belief are joined without embeddings)."""
    sees_belief: bool = flag(True)
    """The belief (μ, log σ²) is an input."""
    sees_hidden: bool = flag(False)
    """The encoder's state h is an input: a recurrent policy. Without belief and h there is no encoder at all."""
    sees_termination: bool = flag(False)
    """p(d_t) is an input too."""
    sees_privileged: bool = flag(False)
    """The scene's privileged features are an input: an oracle."""
    state_embedding: int = whole(32, low=1)
    """Width of the policy's own embedding of s."""
    belief_embedding: int = whole(32, low=1)
    """Width of its embedding of the belief or of the privileged features."""
    hidden: tuple[int, ...] = sizes((64, 64))
    """Hidden layers of the actor and of the critic."""
    initial_log_std: float = real(-0.5, low=-5.0, high=2.0)
    """Start of the state-independent log standard deviation (continuous actions)."""
    deterministic: bool = flag(True)
    """Once trained, act by the mean or most likely action; off: draw from π as in training, which searches better where
    the belief is coarse. Training itself always draws."""
    min_log_std: float = real(-3.0, low=-10.0, high=2.0)
    """Lower clamp of it."""


@dataclass(frozen=True)
class PPOConfig(Section):
    """Proximal policy optimisation (arXiv 1707.06347)."""

    section: ClassVar[str] = "ppo"

    lr: float = real(7e-4, above=0.0)
    """Adam's learning rate."""
    lr_final: float = real(1.0, low=0.0, high=1.0)
    """Share of ``lr`` left at the end of training, reached linearly."""
    gamma: float = real(0.97, low=0.0, high=1.0)
    """Discount."""
    gae_lambda: float = real(0.95, low=0.0, high=1.0)
    """λ of generalised advantage estimation."""
    clip: float = real(0.1, above=0.0)
    """Clip of the probability ratio."""
    epochs: int = whole(4, low=1)
    """Passes over a rollout."""
    minibatches: int = whole(4, low=1)
    """Parts a rollout is cut into."""
    entropy: float = real(0.01, low=0.0)
    """Weight of the entropy bonus."""
    entropy_final: float = real(1.0, low=0.0, high=1.0)
    """Share of ``entropy`` left at the end of training, reached linearly."""
    value_weight: float = real(0.5, low=0.0)
    """Weight of the value loss."""
    max_grad_norm: float = real(0.5, above=0.0)
    """Clip of the gradient's norm."""
    target_kl: float = real(0.0, low=0.0)
    """Stop the epochs of an update when the approximate KL passes 1.5 × this; 0: never."""
    normalise_reward: bool = flag(True)
    """Divide rewards by the running deviation of the discounted return, clip at ±10."""
    bootstrap_time_limit: bool = flag(True)
    """At the time limit the return goes on with V(s_T): the limit is the observer's, not the world's."""
    through_encoder: bool = flag(False)
    """Let policy gradients into the encoder (then minibatches are whole episodes)."""


@dataclass(frozen=True)
class SACConfig(Section):
    """Soft actor-critic (arXiv 1812.05905; numbered actions: 1910.07207), used where policy.learner is sac."""

    section: ClassVar[str] = "sac"

    lr: float = real(3e-4, above=0.0)
    """Adam's learning rate for actor and critics."""
    gamma: float = real(0.99, low=0.0, high=1.0)
    """Discount."""
    tau: float = real(0.005, above=0.0, high=1.0)
    """Share of the critics that their targets take over at every step."""
    hidden: tuple[int, ...] = sizes((256, 256))
    """Hidden layers of the actor and of both critics."""
    updates: int = whole(400, low=1)
    """Gradient steps per iteration, which collects train.copies episodes: their quotient decides how often a step of an
    episode is learnt from."""
    batch: int = whole(256, low=1)
    """Transitions per gradient step."""
    pool_episodes: int = whole(256, low=1)
    """Stored episodes, drawn anew for every iteration, that its transitions come from; each passes through the encoder."""
    buffer_episodes: int = whole(2048, low=1)
    """Recent episodes kept, for the belief model too; part of every checkpoint (4 bytes a float, 1 where all is 0 or 1)."""
    temperature: float = real(0.2, above=0.0)
    """Weight α of the entropy, at the start."""
    learn_temperature: bool = flag(True)
    """Steer α so that the policy's entropy meets its target; off: α stays."""
    temperature_lr: float = real(3e-4, above=0.0)
    """Adam's learning rate for log α."""
    entropy_per_action: float = real(-1.0)
    """Target entropy of continuous actions, in nats per entry."""
    entropy_share: float = real(0.3, low=0.0, high=1.0)
    """Target entropy of numbered actions, as a share of that of uniform ones."""
    normalise_reward: bool = flag(True)
    """Divide rewards by the running deviation of the discounted return, clip at ±10."""


@dataclass(frozen=True)
class ImitationConfig(Section):
    """A start by imitation: the student acts, a scripted teacher that sees m labels (DAgger, arXiv 1011.0686)."""

    section: ClassVar[str] = "imitation"

    teacher: str = text("")
    """Name of the teacher policy, such as ``scripted/scratch_itch``; empty: no imitation."""
    frames: int = whole(0, low=0)
    """Frames of the training spent on it, at its start."""
    lr: float = real(1e-3, above=0.0)
    """Adam's learning rate for the policy."""
    model_lr: float = real(1e-3, above=0.0)
    """Adam's learning rate for the belief model meanwhile; afterwards ``model.lr``, which should be lower, because PPO's
    policy reads a belief whose meaning must not shift under it."""
    teacher_share: float = real(0.5, low=0.0, high=1.0)
    """Share of the copies driven by the teacher at the very start; falls linearly to 0 at half of ``frames``."""
    noise: float = real(0.1, low=0.0)
    """Deviation of the exploration noise on a continuous action (discrete actions are sampled)."""
    updates: int = whole(16, low=1)
    """Batches per iteration, each of ``model.batch_episodes`` episodes; the model takes one step on each."""
    policy_steps: int = whole(8, low=1)
    """Steps of the policy per batch, on equal random parts of it: a belief costs far more than an action."""
    through_encoder: bool = flag(False)
    """Let the regression's gradients into the encoder (one joint step on each whole batch, before the policy's)."""
    log_std: float = real(-1.0, low=-5.0, high=2.0)
    """The policy's log standard deviation when imitation hands over to PPO."""


@dataclass(frozen=True)
class OfflineConfig(Section):
    """Learning from stored episodes alone (:mod:`dynamite.offline`): first the belief model, then the policy."""

    section: ClassVar[str] = "offline"

    model_updates: int = whole(4000, low=0)
    """Gradient steps of the belief model, of ``model.batch_episodes`` episodes each; in rounds of ``model.updates``."""
    policy_updates: int = whole(20_000, low=1)
    """Gradient steps of soft actor-critic; in rounds of ``sac.updates``, each from other episodes."""
    relabel: bool = flag(True)
    """Pay stored transitions by latents drawn anew each time they are learnt from; needs a scene that can say what it would
    have paid."""
    evaluate_every: int = whole(2000, low=1)
    """Gradient steps, of either kind, between reports; for the policy's, ``train.copies`` episodes are played."""
