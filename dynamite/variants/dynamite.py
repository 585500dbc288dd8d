"""DynaMITE-RL: all four terms of the objective, as every preset has them."""

from dynamite.variants import Variant

VARIANT = Variant(
    name="dynamite",
    summary="Belief with session masking, prior conditioning, consistency and termination.",
    citation="Liang et al., DynaMITE-RL, NeurIPS 2024, arXiv 2402.15957",
    overrides={
        "objective.session_mask": True,
        "objective.prior_conditioning": True,
        "policy.sees_belief": True,
        "policy.sees_privileged": False,
    },
)
