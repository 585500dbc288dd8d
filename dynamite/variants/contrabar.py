"""ContraBAR: contrastive prediction of the future instead of reconstruction; the policy sees the memory h itself.

Choshen and Tamar, arXiv 2306.02418, beside the authors' published gridworld settings.

==================  ==============================================  ===================================================
part                there                                           here
==================  ==============================================  ===================================================
memory              GRU of 256 units                                the preset's encoder
horizon, negatives  10 steps ahead, 15 outcomes of other episodes   the same; from a few steps t per episode, anew at
                                                                    every update, and with negatives of their own
what is contrasted  embeddings of (s', r) by the encoder's own      the same
                    embeddings
hard negatives      an option of their code for images: the same    ``contrastive.relabelled`` of the 15 keep s' and take
                    observation with the other reward               the reward of another episode: our gridworld shows
                                                                    where the goals are, so a state gives its episode
                                                                    away, and nobody needs to know which goal pays
future actions      an action-GRU from h (CPC|A), an option; their  the action-GRU
                    gridworld has the last action beside (s', r)
score               a network of (outcome, h), one per step ahead   one of (outcome, action-GRU, h), one hidden layer
policy sees         s and h; PPO, no gradients into the encoder     the same; h is normalised as beliefs are
q(z|h), KL, d       none                                            none: their weights are 0; the probe reads h
==================  ==============================================  ===================================================

A start by imitation, where a preset has one, is not theirs: its regression reaches the encoder as the preset says.
"""

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
