"""Control domains of the DynaMITE-RL paper."""
