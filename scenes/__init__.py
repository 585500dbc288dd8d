"""Worlds as Gymnasium environments, each with a hidden latent that changes from session to session.

Importing this package registers every scene with Gymnasium (``gymnasium.make("scenes/ScratchItch-v1")``).
"""

from scenes.registry import SCENES, list_scenes, make_scene, register_all

register_all()

__all__ = ["SCENES", "list_scenes", "make_scene"]
