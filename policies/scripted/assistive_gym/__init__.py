"""Scripted oracles for upstream's tasks, so that both worlds can be compared under controllers that know m."""

from policies.scripted.assistive_gym.oracle import Oracle

__all__ = ["Oracle"]
