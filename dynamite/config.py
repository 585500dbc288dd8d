"""The configuration of one training: frozen, validated, every field explained where it is declared.

Defaults follow VariBAD's published settings (arXiv 1910.08348, appendix; METHOD) unless a comment says otherwise. YAML in
and out is in :mod:`dynamite.config_io`; what a learning variant changes is in :mod:`dynamite.variants`.
"""

# ruff: noqa: RUF009 -- the field makers of dynamite.rules return dataclasses.field objects
from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from dynamite.rules import Section, choice, flag, plain, real, sizes, text, whole
from scenes.errors import InputError


@dataclass(frozen=True)
class SceneConfig(Section):
    """Which scene, and how its hidden latent changes."""

    section: ClassVar[str] = "scene"

    name: str = text("scratch_itch")
    """Name in the scene registry."""
    options: dict[str, Any] = plain({}, "a mapping of the scene's own options", (dict,))
    """Further arguments of the scene's class."""
    termination: float | dict[str, Any] | None = plain(
        None, "a probability or {length: steps}", (int, float, dict)
    )
    """When sessions end: a per-step probability, ``{length: n}``, or none for the scene's default."""
    kernel: str | dict[str, Any] | None = plain(None, "a kernel's name or {name: …, …}", (str, dict))
    """What the next latent is (uniform, drift, alternate), or none for the scene's default."""

    def check(self) -> None:
        given, allowed = self.termination, "a probability from 0 to 1, or {length: steps}"
        if isinstance(given, dict):
            length = given.get("length")
            if len(given) != 1 or isinstance(length, bool) or not isinstance(length, int) or length < 1:
                raise InputError("scene.termination", given, allowed)
        elif given is not None and not 0.0 <= given <= 1.0:
            raise InputError("scene.termination", given, allowed)
        for name, mapping in (("options", self.options), ("kernel", self.kernel)):
            if isinstance(mapping, dict) and not all(isinstance(key, str) for key in mapping):
                raise InputError(f"scene.{name}", mapping, "names before the colons")


@dataclass(frozen=True)
class EncoderConfig(Section):
    """q(z|h): embeddings of (s_t, a_{t−1}, r_{t−1}), a GRU or a transformer, a Gaussian head."""

    section: ClassVar[str] = "encoder"

    kind: str = choice("gru", ("gru", "transformer"))
    """What remembers: a GRU, or a small causal transformer."""
    state_embedding: int = whole(32, low=1)
    """Width of e(s)."""
    action_embedding: int = whole(16, low=0)
    """Width of e(a); 0 leaves the action out."""
    reward_embedding: int = whole(16, low=1)
    """Width of e(r)."""
    reward_gain: float = real(1.0, above=0.0)
    """e(r) sees symlog(r) and clip(gain · r, ±3): raise it where small differences of reward carry the news."""
    mixing: int = whole(0, low=0)
    """Width of a layer over the joined embeddings, before the GRU; 0: none. Where the news is in products of state and
    reward (a distance felt at a place), it saves the GRU from forming them over several steps."""
    hidden: int = whole(64, low=1)
    """Width of h."""
    latent: int = whole(5, low=1)
    """Width Z of the embedding z."""
    logvar_min: float = real(-8.0)
    """Lower clamp of log σ²."""
    logvar_max: float = real(4.0)
    """Upper clamp of log σ²."""
    hypotheses: int = whole(0)
    """K > 0: the encoder is restarted where the current segment most likely began, K hypotheses of which are carried along
    while acting (SeCBAD); 0: it runs through."""
    layers: int = whole(2, low=1)
    """Transformer only: blocks of attention and feed-forward."""
    heads: int = whole(4, low=1)
    """Transformer only: attention heads; they divide ``hidden``."""
    context: int = whole(64, low=1)
    """Transformer only: the most recent steps that a step attends to, itself included."""

    def check(self) -> None:
        if self.logvar_min >= self.logvar_max:
            raise InputError(
                "encoder.logvar_min", self.logvar_min, f"a number below logvar_max ({self.logvar_max:g})"
            )
        if self.hypotheses == 1:
            raise InputError("encoder.hypotheses", 1, "0, or 2 or more: the newest takes one")
        if self.kind == "transformer" and (self.hidden % self.heads or self.hidden % 2):
            raise InputError(
                "encoder.heads", self.heads, f"a divisor of encoder.hidden ({self.hidden}), which is even"
            )


@dataclass(frozen=True)
class DecoderConfig(Section):
    """p(r|s,a,s',z) and p(s'|s,a,z); the latent prior p(z'|z)."""

    section: ClassVar[str] = "decoder"

    reward_hidden: tuple[int, ...] = sizes((64, 32))
    """Hidden layers of the reward decoder."""
    reward_likelihood: str = choice("gaussian", ("gaussian", "student_t", "bernoulli"))
    """Gaussian; Student's t (3 degrees of freedom: rare large rewards do not drown small ones); or Bernoulli of
    "the reward is above ``reward_threshold``"."""
    reward_std: float = real(1.0, above=0.0)
    """Scale of the Gaussian or Student's t, in reward units."""
    reward_threshold: float = real(0.5)
    """For the Bernoulli likelihood."""
    reward_per_state: bool = flag(False)
    """One output per entry of a one-hot state instead of (s, a, s') as input: VariBAD's multi-head gridworld decoder."""
    state_hidden: tuple[int, ...] = sizes((64, 32))
    """Hidden layers of the state decoder (used where objective.state_weight > 0)."""
    task_hidden: tuple[int, ...] = sizes((64, 32))
    """Hidden layers of the task decoder (used where objective.task_weight > 0)."""
    prior_hidden: tuple[int, ...] = sizes((32,))
    """Hidden layers of the latent prior p(z'|z)."""


@dataclass(frozen=True)
class ObjectiveConfig(Section):
    """Weights and switches of the belief model's loss (METHOD, the objective). A weight of 0 removes its term."""

    section: ClassVar[str] = "objective"

    reward_weight: float = real(1.0, low=0.0)
    """Weight of log p(r|·)."""
    state_weight: float = real(0.0, low=0.0)
    """Weight of log p(s'|·); for scenes whose dynamics depend on the latent."""
    task_weight: float = real(0.0, low=0.0)
    """Weight of log p(m|z), VariBAD's task decoder: it learns from the simulator's true latents, as the session terms
    learn from its session ends. Not part of DynaMITE-RL's objective."""
    kl_weight: float = real(0.1, low=0.0)
    """Weight of the KL terms of the ELBO."""
    consistency_weight: float = real(0.5, low=0.0)
    """β_c, weight of session consistency."""
    termination_weight: float = real(0.5, low=0.0)
    """λ_d, weight of the termination head's cross-entropy."""
    contrastive_weight: float = real(0.0, low=0.0)
    """Weight of the contrastive prediction of the future, ContraBAR's instead of reconstruction (section contrastive)."""
    session_mask: bool = flag(True)
    """Reconstruct only transitions of the posterior's own session; off: all of the episode (VariBAD)."""
    prior_conditioning: bool = flag(True)
    """KL to p(·|z) at a session's first step; off: KL to the previous posterior throughout (VariBAD)."""
    detach_previous: bool = flag(False)
    """Stop gradients into the previous posterior in KL(q_t ‖ q_{t−1})."""
    detach_session_end: bool = flag(True)
    """Stop gradients into q_end in the consistency term: earlier posteriors move to it, not it to them."""
    termination_target: str = choice("just_ended", ("just_ended", "felt", "ends_now"))
    """What the head at h_t predicts: that a session ended with the step that led to s_t (a change that the state shows);
    that it ended one step before, so that the last reward was the first under the new latent (a change that can only be
    felt); or that it ends with the step about to be taken (to be foreseen; constant under a Bernoulli termination)."""
    reconstruction_samples: int = whole(8, low=0)
    """Transitions u drawn per posterior, stratified over its session, an unbiased estimate; 0: all of them."""
    reconstruction_reduction: str = choice("sum", ("sum", "mean"))
    """Over u: the sum, as the ELBO has it, or the mean, which weighs short and long sessions alike."""

    @property
    def has_terms(self) -> bool:
        """Whether the belief model has anything of its own to learn from."""
        return any(getattr(self, f.name) > 0 for f in fields(self) if f.name.endswith("_weight"))


@dataclass(frozen=True)
class ContrastiveConfig(Section):
    """Contrastive prediction of future states and rewards (used where objective.contrastive_weight > 0)."""

    section: ClassVar[str] = "contrastive"

    steps: int = whole(10, low=1)
    """K, steps ahead."""
    negatives: int = whole(15, low=1)
    """M, what was seen in other episodes, drawn anew for every prediction."""
    relabelled: int = whole(8, low=0)
    """Of them, those that keep the state that was reached and take only the reward from another episode. Without any, a
    state that shows what episodes differ in beside the latent (where the goals are) gives all others away."""
    samples: int = whole(8, low=0)
    """Steps t drawn per episode to predict from; 0: all of them."""
    hidden: int = whole(64, low=1)
    """Width of the network that scores a candidate."""

    def check(self) -> None:
        if self.relabelled > self.negatives:
            raise InputError(
                "contrastive.relabelled", self.relabelled, f"at most contrastive.negatives ({self.negatives})"
            )


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
class OfflineConfig(Section):
    """Learning from stored episodes alone (:mod:`dynamite.offline`): first the belief model, then the policy."""

    section: ClassVar[str] = "offline"

    model_updates: int = whole(4000, low=0)
    """Gradient steps of the belief model, of ``model.batch_episodes`` episodes each."""
    policy_updates: int = whole(20_000, low=1)
    """Gradient steps of soft actor-critic."""
    relabel: bool = flag(True)
    """Pay stored transitions by latents drawn anew each time they are learnt from; needs a scene that can say what it would
    have paid."""
    evaluate_every: int = whole(2000, low=1)
    """Gradient steps, of either kind, between reports; the policy's also play ``train.copies`` episodes."""


@dataclass(frozen=True)
class ModelConfig(Section):
    """Updates of the belief model."""

    section: ClassVar[str] = "model"

    lr: float = real(1e-3, above=0.0)
    """Adam's learning rate."""
    updates: int = whole(3, low=0)
    """Gradient steps per iteration."""
    batch_episodes: int = whole(32, low=1)
    """Episodes per gradient step."""
    buffer_episodes: int = whole(512, low=1)
    """Recent episodes kept to draw from (with policy.learner sac: sac.buffer_episodes)."""
    max_grad_norm: float = real(1.0, above=0.0)
    """Clip of the gradient's norm."""
    normalise_state: bool = flag(True)
    """Feed the model states normalised as the policy sees them."""
    pretrain_iterations: int = whole(0, low=0)
    """Iterations at the start in which the policy is held still and only the model learns."""


@dataclass(frozen=True)
class ProbeConfig(Section):
    """The probe that reads the latent's fields from (μ, log σ²); its gradients never reach the encoder."""

    section: ClassVar[str] = "probe"

    enabled: bool = flag(True)
    """Train it."""
    sees_state: bool = flag(False)
    """It reads the state too: where a field is named by what the state shows (the *first* of two goals in view), an
    embedding may code the same knowledge by place, which cannot be told from z alone."""
    lr: float = real(1e-3, above=0.0)
    """Adam's learning rate."""
    hidden: tuple[int, ...] = sizes((64,))
    """Hidden layers."""
    samples: int = whole(1024, low=1)
    """Steps (t, n) drawn per update."""
    n_axial: int = whole(12, low=1)
    """Cells along a body part."""
    n_angle: int = whole(16, low=1)
    """Cells around a body part."""
    smoothing: float = real(0.6, low=0.0)
    """Deviation, in cells, of the Gaussian that softens a point's label over its neighbours."""


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
class TrainConfig(Section):
    """The loop around it all."""

    section: ClassVar[str] = "train"

    frames: int = whole(2_000_000, low=1)
    """Environment steps in total, over all copies."""
    copies: int = whole(16, low=1)
    """Copies of the scene that step together; an iteration is one episode of each."""
    workers: int = whole(0, low=0)
    """Worker processes that share the copies; 0: all in the training's own process. One that is killed or freezes is started
    again and plays its episode anew, so that nothing changes."""
    worker_timeout_s: float = real(2.0, above=0.0)
    """A worker counts as frozen when it was stopped, or used this much processor time, within one step of one copy; more is
    allowed where steps have been seen to take longer."""
    worker_threads: int = whole(1, low=1)
    """Threads of PyTorch and OpenMP in each worker."""
    device: str = choice("cpu", ("cpu", "cuda", "auto"))
    """Where networks and episodes live; auto: CUDA where there is one. Scenes always step on the CPU."""
    seed: int = whole(0, low=0)
    """Everything random derives from it."""
    checkpoint_every: int = whole(200_000, low=1)
    """Frames between checkpoints."""
    keep_checkpoints: int = whole(2, low=1)
    """How many of the newest checkpoints stay."""
    threads: int = whole(1, low=1)
    """Threads of PyTorch; more than one is slower on shared machines (METHOD)."""

    def check(self) -> None:
        if self.workers > self.copies:
            raise InputError("train.workers", self.workers, f"at most train.copies ({self.copies})")


@dataclass(frozen=True)
class Config:
    """One training, whole."""

    variant: str = "dynamite"
    """Name of the learning variant the settings came from, for reports; it switches nothing by itself."""
    scene: SceneConfig = field(default_factory=SceneConfig)
    encoder: EncoderConfig = field(default_factory=EncoderConfig)
    decoder: DecoderConfig = field(default_factory=DecoderConfig)
    objective: ObjectiveConfig = field(default_factory=ObjectiveConfig)
    contrastive: ContrastiveConfig = field(default_factory=ContrastiveConfig)
    policy: PolicyConfig = field(default_factory=PolicyConfig)
    ppo: PPOConfig = field(default_factory=PPOConfig)
    sac: SACConfig = field(default_factory=SACConfig)
    offline: OfflineConfig = field(default_factory=OfflineConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    probe: ProbeConfig = field(default_factory=ProbeConfig)
    imitation: ImitationConfig = field(default_factory=ImitationConfig)
    train: TrainConfig = field(default_factory=TrainConfig)

    def __post_init__(self) -> None:
        if self.policy.sees_termination and not self.has_belief:
            raise InputError(
                "policy.sees_termination", True, "true only with policy.sees_belief or sees_hidden"
            )
        if self.policy.sees_termination and not self.predicts_session_end:
            raise InputError(
                "policy.sees_termination",
                True,
                "false with objective.termination_weight 0: nothing learns p(d)",
            )
        if self.imitation.frames and not self.imitation.teacher:
            raise InputError("imitation.teacher", "", "a teacher policy, such as scripted/scratch_itch")
        if (self.ppo.through_encoder or self.imitation.through_encoder) and not self.has_belief:
            raise InputError("ppo.through_encoder", True, "true only with policy.sees_belief or sees_hidden")
        if self.objective.contrastive_weight > 0 and self.model.batch_episodes < 2:
            raise InputError(
                "model.batch_episodes",
                self.model.batch_episodes,
                "2 or more with objective.contrastive_weight: negatives come from other episodes",
            )

        if self.policy.learner == "sac":
            if self.imitation.frames:
                raise InputError(
                    "policy.learner", "sac", "ppo with imitation.frames: only its critic can be handed over"
                )
            if self.ppo.through_encoder:
                raise InputError("ppo.through_encoder", True, "false with policy.learner sac")
        if self.encoder.hypotheses:
            self._check_segments()

    def _check_segments(self) -> None:
        """What contradicts a belief about the current segment alone."""
        terms = self.objective
        if not terms.session_mask:
            raise InputError("objective.session_mask", False, "true with encoder.hypotheses")
        if terms.prior_conditioning:
            raise InputError(
                "objective.prior_conditioning",
                True,
                "false with encoder.hypotheses: segments begin at N(0, I)",
            )
        if terms.termination_weight > 0:
            raise InputError(
                "objective.termination_weight",
                terms.termination_weight,
                "0 with encoder.hypotheses: the hypotheses tell when a session ended",
            )
        if terms.reward_weight == 0 and terms.state_weight == 0:
            raise InputError(
                "objective.reward_weight", 0.0, "above 0 with encoder.hypotheses, which its decoder weighs"
            )
        if self.ppo.through_encoder:
            raise InputError(
                "ppo.through_encoder",
                True,
                "false with encoder.hypotheses: learning knows the sessions' ends",
            )

    @property
    def gamma(self) -> float:
        """The discount of the policy's learner."""
        return self.sac.gamma if self.policy.learner == "sac" else self.ppo.gamma

    @property
    def normalise_reward(self) -> bool:
        """Whether the policy's learner sees rewards in units of the return's deviation."""
        return (self.sac if self.policy.learner == "sac" else self.ppo).normalise_reward

    @property
    def buffer_episodes(self) -> int:
        """Recent episodes kept."""
        return self.sac.buffer_episodes if self.policy.learner == "sac" else self.model.buffer_episodes

    @property
    def predicts_session_end(self) -> bool:
        """Whether p(d) is learnt, by the termination head or with the segments; else it is nobody's to see."""
        return self.objective.termination_weight > 0 or self.encoder.hypotheses > 0

    @property
    def has_belief(self) -> bool:
        """Whether there is a belief model: something of an encoder is an input of the policy."""
        return self.policy.sees_belief or self.policy.sees_hidden
