"""Oracle: π(a | s, m), the upper bound. It sees the scene's privileged features and needs no belief."""

from dynamite.variants import Variant

VARIANT = Variant(
    name="oracle",
    summary="Sees the hidden latent: the upper bound.",
    citation="the upper bound of arXiv 2402.15957, section 4",
    overrides={
        "policy.sees_belief": False,
        "policy.sees_termination": False,
        "policy.sees_privileged": True,
        "ppo.through_encoder": False,
        "imitation.through_encoder": False,
        "imitation.frames": 0,
        "imitation.teacher": "",
        "policy.deterministic": True,
    },
)
