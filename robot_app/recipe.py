"""SceneRecipe: how to build a scene, as plain JSON — what the command line says and an episode's manifest keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dynamite.config import SceneConfig
from dynamite.vector import make_one
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.registry import find_scene
from scenes.session import Schedule


@dataclass(frozen=True)
class SceneRecipe:
    """A scene and everything that was said about it.

    Attributes:
        name: in the scene registry.
        options: arguments of the scene's class, JSON-plain.
        termination: a probability, ``{"length": steps}``, ``{"schedule": [{"step", "latent"}, …]}``, or None for the
            scene's default.
        kernel: a name, ``{"name": …, …}``, or None for the scene's default.
    """

    name: str = "scratch_itch"
    options: dict[str, Any] = field(default_factory=dict)
    termination: float | dict[str, Any] | None = None
    kernel: str | dict[str, Any] | None = None

    @staticmethod
    def parse(
        name: str, options: Sequence[str] = (), changes: Any = None, where: str = "--changes"
    ) -> SceneRecipe:
        """From a command line.

        Args:
            options: ``key=value`` texts, values read as YAML. ``p``, ``length`` and ``kernel`` (``kernel.scale``, …)
                belong to the session process, everything else to the scene's class.
            changes: a text ``"60:forearm.dorsal,120:upper_arm"`` or a list of ``{step, latent}``; where given, no
                other session ends. Checked by :meth:`build`.

        Raises:
            InputError: a text that is no ``key=value``, or both a schedule and a termination.
        """
        name = next(key for key, entry in _entries() if entry is find_scene(name))
        values = parse_pairs(options, "--option", "controller=responsive or p=0.05")
        session = {key: values.pop(key) for key in ("p", "length") if key in values}
        if len(session) + bool(changes) > 1:
            raise InputError("--option", ", ".join(session), f"one of p, length and {where}")
        termination: Any = None
        if changes:
            termination = {"schedule": changes}
        elif "length" in session:
            termination = session
        elif "p" in session:
            termination = session["p"]
            if isinstance(termination, bool) or not isinstance(termination, (int, float)):
                raise InputError("--option p", termination, "a probability from 0 to 1")
        kernel = values.pop("kernel", None)
        parts = {key[7:]: values.pop(key) for key in list(values) if key.startswith("kernel.")}
        if parts:
            kernel = {"name": kernel or "uniform", **parts}
        if isinstance(values.get("fields"), str):
            values["fields"] = [part.strip() for part in values["fields"].split(",")]
        return SceneRecipe(name, values, termination, kernel)

    def build(self, where: str = "--changes") -> SessionEnv:
        """The scene.

        Args:
            where: what to call the schedule in an error.

        Raises:
            InputError: an unknown scene or option, a value out of bounds, a malformed schedule.
        """
        schedule = self.termination.get("schedule") if isinstance(self.termination, dict) else None
        config = SceneConfig(
            name=self.name,
            options=self.options,
            termination=None if schedule is not None else self.termination,
            kernel=self.kernel,
        )
        try:
            scene = make_one(config)
        except InputError:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            # The scene's class met a value of a type that it does not expect.
            raise InputError("--option", self.options, f"values that {self.name} takes ({error})") from error
        if schedule is not None:
            try:
                scene.sessions.termination = Schedule.parse(schedule, scene.latent_space, where)
            except BaseException:
                scene.close()
                raise
        return scene

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "options": self.options,
            "termination": self.termination,
            "kernel": self.kernel,
        }

    @staticmethod
    def from_json(values: Any, where: str) -> SceneRecipe:
        """Inverse of :meth:`to_json`."""
        if not isinstance(values, Mapping) or set(values) != {"name", "options", "termination", "kernel"}:
            raise InputError(where, values, "a scene with name, options, termination and kernel")
        return SceneRecipe(**values)

    def describe(self) -> str:
        """For people: ``scratch_itch (controller=responsive, p=0.05)``."""
        said = [f"{key}={value}" for key, value in self.options.items()]
        if isinstance(self.termination, dict):
            said += [f"{key}={value}" for key, value in self.termination.items() if key != "schedule"]
        elif self.termination is not None:
            said.append(f"p={self.termination:g}")
        if self.kernel is not None:
            said.append(f"kernel={self.kernel}")
        return self.name + (f" ({', '.join(said)})" if said else "")


def parse_pairs(texts: Sequence[str], where: str, example: str) -> dict[str, Any]:
    """``["a=1", "b=x"]`` as ``{"a": 1, "b": "x"}``; values are read as YAML."""
    values: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise InputError(where, text, f"key=value, such as {example}")
        try:
            values[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError(f"{where} {key}", value, "a YAML value") from None
    return values


def read_schedule(path: Path) -> list[Any]:
    """The ``{step, latent}`` entries of a YAML or JSON file."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("--schedule", f"{path} ({type(error).__name__})", "a readable YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "somewhere"
        raise InputError("--schedule", f"{path} (broken YAML at {line})", "a YAML file") from None
    if not isinstance(entries, list) or not entries:
        raise InputError("--schedule", f"{path} ({type(entries).__name__})", "a list of {step, latent}")
    return entries


def _entries():
    from scenes.registry import SCENES

    return SCENES.items()
