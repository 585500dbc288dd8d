"""VariBAD: one latent per episode. From every posterior all H steps are reconstructed, past and future; the KL goes to the
previous posterior throughout, its gradient not stopped; no consistency, no termination."""

from dynamite.variants import Variant

VARIANT = Variant(
    name="varibad",
    summary="Belief over a latent taken to be fixed for the episode.",
    citation="Zintgraf et al., VariBAD, ICLR 2020, arXiv 1910.08348",
    overrides={
        "objective.session_mask": False,
        "objective.prior_conditioning": False,
        "objective.detach_previous": False,
        "objective.consistency_weight": 0.0,
        "objective.termination_weight": 0.0,
        "policy.sees_termination": False,
    },
)
