"""Learning to act under a latent that changes: DynaMITE-RL (arXiv 2402.15957) and its peers, in PyTorch."""
