"""What verbs have in common. Fields are options of the command line; a docstring under a field is its help."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import tyro

from robot_app.screen import why_no_screen

if TYPE_CHECKING:
    from robot_app.recipe import SceneRecipe

#: A switch: `--json`, without a `--no-json` beside it.
Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]
PolicyName = Annotated[str, tyro.conf.arg(metavar="NAME|FOLDER")]
MaybePolicyName = Annotated[str | None, tyro.conf.arg(metavar="NAME|FOLDER")]
Size = Annotated[str, tyro.conf.arg(metavar="WIDTHxHEIGHT")]
MaybeSteps = Annotated[int | None, tyro.conf.arg(metavar="N")]
KeyValues = Annotated[
    tuple[str, ...],
    tyro.conf.UseAppendAction,
    tyro.conf.arg(metavar="KEY=VALUE", help_behavior_hint="(repeatable)"),
]


@dataclass(frozen=True, kw_only=True)
class Verb:
    """One verb. The class docstring's first line is its summary, the whole its help page.

    Attributes:
        examples: command lines for the help page.
    """

    examples: ClassVar[tuple[str, ...]] = ()

    debug: Flag = False
    """Show the traceback of an error."""

    def run(self) -> int:
        """Do it; returns the exit code."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class SceneVerb(Verb):
    """A verb about one scene."""

    scene: str = "scratch_itch"
    """Name of the scene (`robot-app scenes` lists them)."""
    option: KeyValues = ()
    """An option of the scene, such as controller=responsive, robot=panda or fields=itch,force; or of its sessions:
    p=0.05 (termination probability), length=40 (fixed), kernel=drift, kernel.scale=0.1."""

    def recipe(self, changes: Any = None, where: str = "--changes") -> SceneRecipe:
        from robot_app.recipe import SceneRecipe

        return SceneRecipe.parse(self.scene, self.option, changes, where)


def print_json(value: Mapping[str, Any] | list[Any]) -> None:
    """One line of JSON on stdout; numbers that are not finite become null."""
    print(json.dumps(_finite(value)), flush=True)


def say(text: str) -> None:
    """A line for people, on stderr, so that stdout carries results only."""
    print(text, file=sys.stderr, flush=True)


def has_screen() -> bool:
    """Whether a window could open here."""
    return not why_no_screen()


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, float) and not -float("inf") < value < float("inf"):
        return None
    return value
