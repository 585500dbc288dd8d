"""Learning variants: the same engine with other settings. One file each, found by its name.

A file defines ``VARIANT``; what it does not mention is the preset's. To add one, write one file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dynamite.config import Config
from dynamite.config_io import preset, with_overrides
from scenes.errors import InputError


@dataclass(frozen=True)
class Variant:
    """What one variant changes.

    Attributes:
        name: as in its file's name.
        summary: one line for pickers and lists.
        citation: where it comes from.
        overrides: dotted configuration fields and their values.
    """

    name: str
    summary: str
    citation: str
    overrides: Mapping[str, Any]


def list_variants() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def find_variant(name: str) -> Variant:
    """The variant of that name.

    Raises:
        InputError: there is none.
    """
    if name not in list_variants():
        raise InputError("variant", name, "one of " + ", ".join(list_variants()))
    return importlib.import_module(f"{__name__}.{name}").VARIANT


def configure(scene: str, variant: str) -> Config:
    """The packaged settings for a scene with a variant's changes on top."""
    chosen = find_variant(variant)
    return with_overrides(preset(scene), {**chosen.overrides, "variant": chosen.name})
