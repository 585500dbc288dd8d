"""BOReL: VariBAD's belief appended to the state, and an off-policy learner on it, soft actor-critic.

Online, as ``train`` runs it, this is the paper's off-policy VariBAD; from a fixed set of episodes, with rewards relabelled
across tasks, it is :mod:`dynamite.offline`. Where we depart from the authors' code: beliefs of stored episodes are
recomputed (:mod:`dynamite.sac` says why), and numbered actions have SAC-Discrete where theirs have DQN.
"""

from dynamite.variants import Variant
from dynamite.variants.varibad import VARIANT as VARIBAD

VARIANT = Variant(
    name="borel",
    summary="VariBAD's belief with off-policy soft actor-critic.",
    citation="Dorfman et al., Offline Meta RL (BOReL), NeurIPS 2021, arXiv 2008.02598",
    overrides={
        **VARIBAD.overrides,
        "policy.learner": "sac",
        "ppo.through_encoder": False,
        "imitation.through_encoder": False,
        "imitation.frames": 0,
        "imitation.teacher": "",
    },
)
