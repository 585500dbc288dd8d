"""Markov: π(a | s), the lower bound. It sees the state alone and has no memory."""

from dynamite.variants import Variant

VARIANT = Variant(
    name="markov",
    summary="Sees the state alone, no memory: the lower bound.",
    citation="the memoryless baseline of arXiv 2402.15957, section 4",
    overrides={
        "policy.sees_belief": False,
        "policy.sees_termination": False,
        "ppo.through_encoder": False,
        "imitation.through_encoder": False,
        "imitation.frames": 0,
        "imitation.teacher": "",
    },
)
