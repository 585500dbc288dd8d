"""Configurations in and out: nested mappings, YAML files, dotted overrides, presets.

Every mistake is one :class:`~scenes.errors.InputError` that names the path of the field, as in ``ppo.lr``.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dynamite.config import Config
from dynamite.files import write_atomic
from scenes.errors import InputError

PRESETS = Path(__file__).parent / "presets"
_SECTIONS: dict[str, Any] = {
    f.name: f.default_factory for f in dataclasses.fields(Config) if callable(f.default_factory)
}


def to_dict(config: Config) -> dict[str, Any]:
    """Plain nested mappings and lists, as YAML and JSON hold them."""
    plain: dict[str, Any] = {"variant": config.variant}
    for name in _SECTIONS:
        values = vars(getattr(config, name))
        plain[name] = {k: list(v) if isinstance(v, tuple) else copy.deepcopy(v) for k, v in values.items()}
    return plain


def from_dict(values: Mapping[str, Any], base: Config | None = None) -> Config:
    """A configuration from nested mappings; what is not mentioned is taken from ``base`` or the defaults.

    Raises:
        InputError: an unknown field, a wrong type or a value out of bounds, with the field's path.
    """
    merged = to_dict(base or Config())
    if not isinstance(values, Mapping):
        raise InputError("config", values, "a mapping with sections " + ", ".join(_SECTIONS))
    for name, section in values.items():
        if name == "variant":
            if not isinstance(section, str):
                raise InputError("variant", section, "a text")
            merged["variant"] = section
            continue
        if name not in _SECTIONS:
            raise InputError(str(name), "an unknown section", ", ".join(["variant", *_SECTIONS]))
        if not isinstance(section, Mapping):
            raise InputError(str(name), section, "a mapping of fields")
        for key, value in section.items():
            if key not in merged[name]:
                raise InputError(f"{name}.{key}", "an unknown field", ", ".join(merged[name]))
            merged[name][key] = value
    sections = {name: make(**merged[name]) for name, make in _SECTIONS.items()}
    return Config(variant=merged["variant"], **sections)


def nest(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """``{"ppo.lr": 1e-3}`` as ``{"ppo": {"lr": 1e-3}}``; a third level reaches into ``scene.options``."""
    nested: dict[str, Any] = {}
    for path, value in overrides.items():
        *parents, leaf = path.split(".")
        level = nested
        for parent in parents:
            level = level.setdefault(parent, {})
        level[leaf] = value
    return nested


def with_overrides(config: Config, overrides: Mapping[str, Any]) -> Config:
    """``config`` with dotted fields changed: ``{"ppo.lr": 1e-3, "scene.options.robot": "panda"}``."""
    nested = nest(overrides)
    options = nested.get("scene", {}).get("options")
    if isinstance(options, dict):
        nested["scene"]["options"] = {**config.scene.options, **options}
    return from_dict(nested, config)


def parse_overrides(texts: list[str]) -> dict[str, Any]:
    """``["ppo.lr=3e-4", "policy.hidden=[64,64]"]`` as dotted fields; values are read as YAML."""
    overrides = {}
    for item in texts:
        path, equals, value = item.partition("=")
        if not equals or not path:
            raise InputError("--set", item, "section.field=value, such as ppo.lr=3e-4")
        try:
            overrides[path] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise InputError(f"--set {path}", value, "a YAML value") from None
    return overrides


def load_yaml(path: Path | str, base: Config | None = None) -> Config:
    """Read a configuration file."""
    try:
        values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), type(error).__name__, "a readable YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "somewhere"
        raise InputError(str(path), f"broken YAML at {line}", "a YAML file") from None
    return from_dict({} if values is None else values, base)


def save_yaml(config: Config, path: Path | str) -> None:
    """Write a configuration file, whole or not at all."""
    write_atomic(Path(path), to_yaml(config).encode())


def to_yaml(config: Config) -> str:
    return yaml.safe_dump(to_dict(config), sort_keys=False, allow_unicode=True)


def list_presets() -> tuple[str, ...]:
    """Names of the packaged presets, one per scene."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def preset(scene: str, base: Config | None = None) -> Config:
    """The packaged settings for ``scene``, or the defaults with that scene's name where none are packaged."""
    path = PRESETS / f"{scene}.yaml"
    if path.is_file():
        return load_yaml(path, base)
    return from_dict({"scene": {"name": scene}}, base)
