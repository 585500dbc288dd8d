"""SeCBAD: a belief about the present segment, and about how long it has lasted; what lies before it is forgotten.

Chen et al., arXiv 2212.12735, beside the authors' published code.

====================  ===========================================  ====================================================
part                  there                                        here
====================  ===========================================  ====================================================
learning the belief   sessions' true ends are known: the encoder   the same (:func:`dynamite.segment_model.encode_sessions`);
                      restarts there, reconstruction stays inside  a session's first posterior is drawn to N(0, I)
age of the segment    recursion over all ages                      the same over the 8 likeliest (``encoder.hypotheses``),
                                                                   in log space (:mod:`dynamite.segments`)
a new segment begins  with the transition seen, which the prior    after it: its own segment explains every transition
                      N(0, I) explains                             (as in Adams and MacKay, arXiv 0710.3742)
age-transition prior  the scene's law of session lengths, given    ends over transitions at each age, counted in training
likelihood            one z, Gaussian of deviation 1, of the       mean over 8 fixed z, measured deviation
                      posterior that has seen the transition       (:mod:`dynamite.segment_likelihood`), of the posterior
                      already                                      before the transition: a prediction
acting                encoder restarted at the likeliest age       the same
policy learns on      beliefs restarted at the true ends           beliefs restarted at the inferred ends, which are all
                                                                   that it has later
====================  ===========================================  ====================================================

There is no dependence between sessions in it: what paid before a session's end tells nothing about what pays after. And
its evidence is what the decoders predict: where only the reward is decoded (gridworlds), an end that the state shows
(*return*: the agent is back at its start) is not noticed until a reward contradicts the belief.
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
        "objective.termination_target": "felt",
        "policy.sees_termination": False,
        "ppo.through_encoder": False,
    },
)
