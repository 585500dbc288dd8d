"""The verbs of ``robot-app``: one file each, found by its name; what a file imports at its top must be light."""

from __future__ import annotations

import importlib

from robot_app.commands.base import Verb
from scenes.errors import InputError

#: In the order of the help page.
VERBS = (
    "demo",
    "gui",
    "train",
    "evaluate",
    "sweep",
    "figures",
    "package",
    "record",
    "replay",
    "episode",
    "gallery",
    "scenes",
    "policies",
    "doctor",
)


def find_verb(name: str) -> type[Verb]:
    """The class behind a verb.

    Raises:
        InputError: there is none of that name.
    """
    if name not in VERBS:
        raise InputError("verb", name, "one of " + ", ".join(VERBS))
    return importlib.import_module(f"{__name__}.{name}").COMMAND
