"""The one exception a user's mistake raises: what, where, and what is allowed, in one line."""

from __future__ import annotations


class InputError(ValueError):
    """Bad input from a user (an argument, a file, a field); printed as one line with exit code 2.

    Args:
        where: the argument, file or field path, e.g. ``"--changes"`` or ``"latent.itch.axial"``.
        got: the value that was given.
        allowed: what would have been accepted, in words.
    """

    def __init__(self, where: str, got: object, allowed: str) -> None:
        self.where, self.got, self.allowed = where, got, allowed
        super().__init__(f"{where}: got {got!r}; allowed: {allowed}")

    def __reduce__(self):  # worker processes send it through a pipe
        return (type(self), (self.where, self.got, self.allowed))
