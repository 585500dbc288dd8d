"""RL²: a recurrent policy. Nothing is inferred: the policy's own gradients teach a GRU what to remember.

The baseline as VariBAD's authors set it up (arXiv 1910.08348, appendix) after arXiv 1611.02779.

============  =====================================================  =================================================
part          there                                                  here
============  =====================================================  =================================================
memory        VariBAD's encoder: GRU 64, then 32 entries with ReLU   GRU 32, its state h is what the policy sees
policy sees   these 32 alone                                         h, and s once more beside it
decoder, KL   none                                                   none: every weight of the objective is 0
gradients     PPO through the encoder; one learning rate             the same
data          the rollout, whole episodes                            the same
reward, d     e(r) is an input, the end of a session is not          the same
============  =====================================================  =================================================

Duan et al. train TRPO on a GRU of 256 units and feed it the end of an episode. q(z|h) and the termination head exist, are
never trained and never reported; the probe reads h.
"""

from dynamite.variants import Variant

VARIANT = Variant(
    name="rl2",
    summary="A recurrent policy: no belief is inferred, policy gradients train the memory.",
    citation="Duan et al., RL²: Fast Reinforcement Learning via Slow Reinforcement Learning, 2016, arXiv 1611.02779",
    overrides={
        "encoder.hidden": 32,
        "objective.reward_weight": 0.0,
        "objective.state_weight": 0.0,
        "objective.task_weight": 0.0,
        "objective.kl_weight": 0.0,
        "objective.consistency_weight": 0.0,
        "objective.termination_weight": 0.0,
        "policy.sees_belief": False,
        "policy.sees_hidden": True,
        "policy.sees_termination": False,
        "ppo.through_encoder": True,
        "imitation.through_encoder": True,
    },
)
