"""ContraBAR"""

from dynamite.variants import Variant

VARIANT = Variant(
    name="contrabar",
    summary="Learns to tell its own future from others' instead of reconstructing it.",
    citation="Choshen and Tamar, ContraBAR: Contrastive Bayes-Adaptive Deep RL, ICML 2023, arXiv 2306.02418",
    overrides={
        "objective.contrastive_weight": 1.0,
        "objective.reward_weight": 0.0,
        "objective.state_weight": 0.0,
        "objective.task_weight": 0.0,
        "objective.kl_weight": 0.0,
        "objective.consistency_weight": 0.0,
        "objective.termination_weight": 0.0,
        "policy.sees_belief": False,
        "policy.sees_hidden": True,
        "policy.sees_termination": False,
        "ppo.through_encoder": False,
    },
)
