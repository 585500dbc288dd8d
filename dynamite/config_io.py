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
from dynamite.rules import did_you_mean
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
        if not isinstance(name, str):
            raise InputError("config", name, "sections, which have names")
        if name == "variant":
            if not isinstance(section, str):
                raise InputError("variant", section, "a text")
            merged["variant"] = section
            continue
        if name not in _SECTIONS:
            known = ("variant", *_SECTIONS)
            raise InputError(_path(name), "an unknown section", ", ".join(known) + did_you_mean(name, known))
        if not isinstance(section, Mapping):
            raise InputError(name, section, "a mapping of fields")
        for key, value in section.items():
            if key not in merged[name]:
                allowed = ", ".join(merged[name]) + _meant_field(key, name, merged)
                raise InputError(_path(name, key), "an unknown field", allowed)
            merged[name][key] = value
    sections = {name: make(**merged[name]) for name, make in _SECTIONS.items()}
    return Config(variant=merged["variant"], **sections)


def _path(*parts: object) -> str:
    """A field's path; parts that are no words are quoted, so that it stays on one line."""
    return ".".join(
        part if isinstance(part, str) and part.isidentifier() else repr(part)[:100] for part in parts
    )


def _meant_field(key: object, section: str, merged: Mapping[str, Any]) -> str:
    """The hint for an unknown field: a close name beside it, or its own name in another section."""
    hint = did_you_mean(key, merged[section])
    elsewhere = [name for name in _SECTIONS if key in merged[name]]
    return hint or (f" (did you mean {elsewhere[0]}.{key}?)" if elsewhere else "")


def nest(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """``{"ppo.lr": 1e-3}`` as ``{"ppo": {"lr": 1e-3}}``; a third level reaches into ``scene.options``."""
    nested: dict[str, Any] = {}
    for path, value in overrides.items():
        *parents, leaf = path.split(".")
        level = nested
        for parent in parents:
            level = level.setdefault(parent, {})
            if not isinstance(level, dict):
                raise InputError(path, value, f"a field of a section, not of {parent} = {level!r}")
        level[leaf] = value
    return nested


def with_overrides(config: Config, overrides: Mapping[str, Any]) -> Config:
    """``config`` with dotted fields changed: ``{"ppo.lr": 1e-3, "scene.options.robot": "panda"}``."""
    nested = nest(overrides)
    scene = nested.get("scene")
    if isinstance(scene, dict) and isinstance(scene.get("options"), dict):
        scene["options"] = {**config.scene.options, **scene["options"]}
    return from_dict(nested, config)


def parse_overrides(texts: list[str]) -> dict[str, Any]:
    """``["ppo.lr=3e-4", "policy.hidden=[64,64]"]`` as dotted fields; values are read as YAML."""
    overrides = {}
    for item in texts:
        path, equals, value = item.partition("=")
        if not equals or not path:
            raise InputError("--set", item, "section.field=value, such as ppo.lr=3e-4")
        try:
            overrides[path] = yaml.load(value, Loader=_Loader)
        except Exception:  # the parser lets through what its readers of dates and numbers raise
            raise InputError(f"--set {path}", value, "a YAML value") from None
    return overrides


class _Loader(yaml.SafeLoader):
    """Refuses a key that is given twice, of which YAML readers silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{key.value!r} is given twice", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_yaml(path: Path | str, base: Config | None = None) -> Config:
    """Read a configuration file."""
    try:
        content = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), type(error).__name__, "a readable YAML file") from None
    try:
        values = yaml.load(content, Loader=_Loader)
    except Exception as error:  # the parser lets through what its readers of dates and numbers raise
        mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        line = f"line {mark.line + 1}" if mark else "somewhere"
        got = f"broken YAML at {line}" + (f" ({problem})" if problem else "")
        raise InputError(str(path), got, "a YAML file") from None
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
