"""Settings of the belief model: its networks, its objective, its updates, its probe."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import ClassVar

from dynamite.rules import Section, choice, flag, real, sizes, whole
from scenes.errors import InputError


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
