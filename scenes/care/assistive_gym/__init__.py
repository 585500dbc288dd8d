"""Upstream's Assistive Gym 1.0 (Erickson et al., ICRA 2020), unmodified, as scenes with a hidden, changing latent.

One idea per file: ``stand_ins`` for the packages it imports that no longer install, ``joint_limits`` for its one neural
network, ``fork_bullet`` for the arguments that only its fork of PyBullet knows, ``upstream`` to import it among these,
``preferences`` for what each of its tasks hides, ``scene`` for the Gymnasium environment.
"""
