"""SeCBAD: a belief about the present segment, and about how long it has lasted; what lies before it is forgotten.

Training cuts episodes at the true session ends, restarts the encoder there, reconstructs within the session and draws a
session's first posterior to N(0, I). Acting restarts it where the segment most likely began, by a recursion over its age
(:mod:`dynamite.segments`).
"""

from dynamite.variants import Variant

VARIANT = Variant(
    name="secbad",
    summary="Belief about the present segment, begun anew where it most likely began.",
    citation="Chen et al., SeCBAD, NeurIPS 2022, arXiv 2212.12735",
    overrides={
        "encoder.hypotheses": 8,
        "objective.prior_conditioning": False,
        "objective.consistency_weight": 0.0,
        "objective.termination_weight": 0.0,
        "policy.sees_termination": False,
        "ppo.through_encoder": False,
    },
)
