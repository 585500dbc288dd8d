"""The one exception a user's mistake raises: what, where, and what is allowed, in one line."""

from __future__ import annotations

import reprlib

#: What was given may be a whole file, or a mapping that contains itself: a line shows the beginning.
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxtuple, _SHORT.maxset = 3, 12, 16, 16, 16
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 200
_LONGEST = 400


class InputError(ValueError):
    """Bad input from a user (an argument, a file, a field); printed as one line with exit code 2.

    Args:
        where: the argument, file or field path, e.g. ``"--changes"`` or ``"latent.itch.axial"``.
        got: the value that was given.
        allowed: what would have been accepted, in words.
    """

    def __init__(self, where: str, got: object, allowed: str) -> None:
        self.where, self.got, self.allowed = where, got, allowed
        given = _SHORT.repr(got)
        if len(given) > _LONGEST:
            given = given[:_LONGEST] + "..."
        super().__init__(f"{where}: got {given}; allowed: {allowed}")

    def __reduce__(self):  # worker processes send it through a pipe
        return (type(self), (self.where, self.got, self.allowed))
