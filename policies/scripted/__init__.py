"""Scripted controllers."""

from scenes.errors import InputError


class NoOracle(InputError):
    """The scene's oracle does not know the task that its options make of it."""
