"""DynaMITE-RL: all four terms of the objective, as every preset has them; each has a weight or a switch in ``objective``.

========================================  ================================================================================
term (METHOD; arXiv 2402.15957, §3)       here
========================================  ================================================================================
session reconstruction masking            ``session_mask``; a few transitions of the session are drawn per posterior, an
                                          unbiased estimate of the sum (``reconstruction_samples``)
prior latent conditioning                 ``prior_conditioning``; p(z'|z) is a network, conditioned on a draw from the
                                          posterior at the last step of the session before
session consistency                       ``consistency_weight``; gradients into q_end are stopped (``detach_session_end``)
session termination                       ``termination_weight``; what the head at h_t predicts is the preset's
                                          (``termination_target``)
========================================  ================================================================================

The encoder's memory runs through session ends and sees no label of them. The authors' gridworld code feeds it the previous
session's last embedding as well; ours carries that in h.
"""

from dynamite.variants import Variant

VARIANT = Variant(
    name="dynamite",
    summary="Belief with session masking, prior conditioning, consistency and termination.",
    citation="Liang et al., DynaMITE-RL, NeurIPS 2024, arXiv 2402.15957",
    overrides={},
)
