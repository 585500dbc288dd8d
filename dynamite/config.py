"""The configuration of one training: frozen, validated, every field explained where it is declared.

Defaults follow VariBAD's published settings (arXiv 1910.08348, appendix; METHOD) unless a comment says otherwise. YAML in
and out is in :mod:`dynamite.config_io`; what a learning variant changes is in :mod:`dynamite.variants`.
"""

# ruff: noqa: RUF009 -- the field makers of dynamite.rules return dataclasses.field objects
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from dynamite.config_model import (
    ContrastiveConfig,
    DecoderConfig,
    EncoderConfig,
    ModelConfig,
    ObjectiveConfig,
    ProbeConfig,
)
from dynamite.config_policy import ImitationConfig, OfflineConfig, PolicyConfig, PPOConfig, SACConfig
from dynamite.rules import Section, choice, plain, real, text, whole
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
        given, allowed = self.termination, "a probability from 0 to 1, or {length: steps, 1 or more}"
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
    worker_timeout_s: float = real(1.0, above=0.0)
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
