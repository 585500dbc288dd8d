"""A sweep's YAML: blocks of base settings and axes, whose Cartesian product is the jobs.

::

    name: gridworld_return
    evaluation: {episodes: 2000, seed: 1000000}
    blocks:
      - name: variants
        base:
          scene: gridworld
          overrides: {train.frames: 12000000}
        axes:
          variant:
            - dynamite
            - {name: exact belief, variant: markov, overrides: {scene.options.exact_belief: true}}
          scene.termination: [0.02, 0.07]
          seed: [0, 1, 2, 3, 4]

An axis is called ``scene``, ``variant``, ``policy``, ``seed`` or by the dotted path of a configuration field, and lists
values. A value may also be a *case*, a mapping with a ``name`` (a text or a number) and what base settings take; an axis of
cases alone may be called anything. Settings come in this order, the later the stronger: the scene's preset, the variant, the
base's overrides, the axes' from top to bottom. ``policy`` loads an existing policy instead of training one.
``evaluation.scene`` changes the scene for the evaluation alone. A file with one block may give ``base`` and ``axes`` at its
top.

``reference`` and ``figures`` are for ``robot-app figures`` and make no jobs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from dynamite.config import Config, SceneConfig
from dynamite.config_io import from_dict, nest, preset, with_overrides
from dynamite.sweep.job import Job, PolicySource, canonical
from dynamite.variants import find_variant
from dynamite.vector import make_one
from scenes.errors import InputError
from scenes.registry import find_scene

EPISODES, EVALUATION_SEED = 1000, 1_000_000
_SETTINGS = ("scene", "variant", "policy", "seed", "overrides")
_EVALUATION = ("episodes", "seed", "scene")
_TOP = ("name", "description", "evaluation", "blocks", "base", "axes", "reference", "figures")

#: Finds an existing policy for a scene by name; refuses one that does not exist.
FindPolicy = Callable[[str, SceneConfig], PolicySource]


@dataclass(frozen=True)
class Planned:
    """A job and where it stands in its sweep.

    Attributes:
        block: its block's name.
        labels: the value of every axis of its block, by the axis' name; a case is its name.
        order: positions on the axes, for a stable order of the table.
    """

    job: Job
    block: str
    labels: Mapping[str, Any]
    order: tuple[int, ...]

    def matches(self, key: str, patterns: Sequence[str]) -> bool:
        """Whether a label, or ``block``, is one of ``patterns`` (shell wildcards allowed)."""
        value = self.block if key == "block" else self.labels.get(key)
        return any(fnmatchcase(str(value), pattern) for pattern in patterns)


@dataclass(frozen=True)
class Plan:
    """A whole sweep.

    Attributes:
        planned: in the order of the file. Two blocks may hold the same job: it is run once.
        reference: what lines to draw beside results, as the file says it.
        figures: what to draw, as the file says it.
        text: the file.
    """

    name: str
    planned: tuple[Planned, ...]
    description: str = ""
    reference: Mapping[str, Any] = field(default_factory=dict)
    figures: tuple[Mapping[str, Any], ...] = ()
    text: str = ""

    def only(self, filters: Mapping[str, Sequence[str]]) -> Plan:
        """The jobs whose labels match every filter, such as ``{"variant": ["dyna*", "varibad"], "seed": ["0"]}``.

        Raises:
            InputError: a name that no block has as an axis, or nothing left.
        """
        known = {"block", *(label for planned in self.planned for label in planned.labels)}
        for key in filters:
            if key not in known:
                raise InputError("--only", key, "one of " + ", ".join(sorted(known)))
        kept = tuple(
            p for p in self.planned if all(p.matches(key, values) for key, values in filters.items())
        )
        if not kept:
            said = " ".join(f"{key}={','.join(values)}" for key, values in filters.items())
            raise InputError("--only", said, "a filter that leaves a job")
        return replace(self, planned=kept)

    def jobs(self) -> list[Job]:
        """Every job once, all of the first seed before any of the second."""
        seeds = [planned.labels.get("seed", 0) for planned in self.planned]
        rank = {seed: i for i, seed in enumerate(dict.fromkeys(seeds))}
        by_seed = sorted(self.planned, key=lambda planned: rank[planned.labels.get("seed", 0)])
        return list({planned.job.id: planned.job for planned in by_seed}.values())


def load_plan(path: Path | str, find_policy: FindPolicy | None = None) -> Plan:
    """Read and check a sweep's file, down to every field of every job.

    Raises:
        InputError: a mistake, with the path of what is wrong.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), type(error).__name__, "a readable YAML file") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "somewhere"
        raise InputError(str(path), f"broken YAML at {line}", "a YAML file") from None
    plan = replace(parse_plan(values, path.stem, find_policy), text=text)
    for job in {canonical(asdict(planned.job.scene)): planned.job for planned in plan.planned}.values():
        _check_scene(job)
    return plan


def parse_plan(values: Any, default_name: str = "sweep", find_policy: FindPolicy | None = None) -> Plan:
    """A plan from the mapping that a YAML file holds; see :func:`load_plan`."""
    top = _mapping(values, "sweep", _TOP)
    if "blocks" in top and ("base" in top or "axes" in top):
        raise InputError("sweep", "blocks beside base or axes", "either blocks, or base and axes")
    evaluation = _mapping(top.get("evaluation", {}), "evaluation", _EVALUATION)
    blocks = top.get("blocks")
    if blocks is None:
        blocks = [{"name": "main", **{key: top[key] for key in ("base", "axes") if key in top}}]
    if not isinstance(blocks, list) or not blocks:
        raise InputError("blocks", blocks, "a list of blocks")
    planned: list[Planned] = []
    for number, block in enumerate(blocks):
        where = f"blocks[{number}]"
        block = _mapping(block, where, ("name", "base", "axes", "evaluation"))
        name = str(block.get("name", f"block{number}"))
        if any(p.block == name for p in planned):
            raise InputError(f"{where}.name", name, "a name that no block before it has")
        chosen = {**evaluation, **_mapping(block.get("evaluation", {}), f"{where}.evaluation", _EVALUATION)}
        planned += _expand(block, name, number, where, chosen, find_policy)
    figures = top.get("figures", [])
    if not isinstance(figures, list) or not all(isinstance(figure, dict) for figure in figures):
        raise InputError("figures", figures, "a list of mappings")
    return Plan(
        name=str(top.get("name", default_name)),
        planned=tuple(planned),
        description=str(top.get("description", "")),
        reference=_mapping(top.get("reference", {}), "reference", None),
        figures=tuple(figures),
        text=yaml.safe_dump(top, sort_keys=False),
    )


def _expand(
    block: Mapping[str, Any],
    name: str,
    number: int,
    where: str,
    evaluation: Mapping[str, Any],
    find_policy: FindPolicy | None,
) -> list[Planned]:
    base = _settings(block.get("base", {}), f"{where}.base")
    axes = _mapping(block.get("axes", {}), f"{where}.axes", None)
    choices: list[list[tuple[Any, Mapping[str, Any]]]] = []
    for axis, values in axes.items():
        at = f"{where}.axes.{axis}"
        if not isinstance(values, list) or not values:
            raise InputError(at, values, "a list of values")
        choices.append([_choice(axis, value, f"{at}[{i}]") for i, value in enumerate(values)])
        names = [label for label, _ in choices[-1]]
        if len(set(map(str, names))) < len(names):
            raise InputError(at, names, "values that differ")
    planned = []
    for combination in itertools.product(*(range(len(choice)) for choice in choices)):
        picked = [choice[i] for choice, i in zip(choices, combination, strict=True)]
        labels = {axis: label for axis, (label, _) in zip(axes, picked, strict=True)}
        described = ", ".join(f"{axis} {label}" for axis, label in labels.items()) or name
        job = _job(
            [base, *(settings for _, settings in picked)], evaluation, f"{where} ({described})", find_policy
        )
        planned.append(Planned(job, name, labels, (number, *combination)))
    return planned


def _choice(axis: str, value: Any, where: str) -> tuple[Any, Mapping[str, Any]]:
    """An axis' value as its label and the settings that it stands for."""
    if isinstance(value, Mapping) and "name" in value:
        rest = {key: entry for key, entry in value.items() if key != "name"}
        name = value["name"]
        return name if isinstance(name, (int, float, str)) else str(name), _settings(rest, where)
    if axis in _SETTINGS and axis != "overrides":
        return value, _settings({axis: value}, where)
    if "." not in axis:
        raise InputError(
            where,
            value,
            "a case with a name, or an axis called scene, variant, policy, seed or section.field",
        )
    label = value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
    return label, {"overrides": {axis: value}}


def _settings(values: Any, where: str) -> Mapping[str, Any]:
    settings = _mapping(values, where, _SETTINGS)
    if "overrides" in settings:
        _mapping(settings["overrides"], f"{where}.overrides", None)
    seed = settings.get("seed", 0)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError(f"{where}.seed", seed, "a whole number, 0 or more")
    return settings


def _job(
    layers: Sequence[Mapping[str, Any]],
    evaluation: Mapping[str, Any],
    where: str,
    find_policy: FindPolicy | None,
) -> Job:
    merged: dict[str, Any] = {}
    overrides: dict[str, Any] = {}
    for layer in layers:
        merged |= layer
        overrides |= layer.get("overrides", {})
    try:
        scene = str(merged.get("scene", SceneConfig().name))
        find_scene(scene)
        variant = merged.get("variant")
        if variant is not None and merged.get("policy") is not None:
            raise InputError("policy", merged["policy"], "either a policy to load or a variant to train")
        config = preset(scene)
        if variant is not None or merged.get("policy") is None:
            chosen = find_variant(variant if variant is not None else config.variant)
            config = with_overrides(config, {**chosen.overrides, "variant": chosen.name})
        config = with_overrides(config, overrides)
        if "seed" in merged:
            config = with_overrides(config, {"train.seed": merged["seed"]})
        return _evaluated(config, merged.get("policy"), evaluation, find_policy)
    except InputError as error:
        raise InputError(f"{where}: {error.where}", error.got, error.allowed) from None


def _evaluated(
    config: Config, policy: Any, evaluation: Mapping[str, Any], find_policy: FindPolicy | None
) -> Job:
    scene = config.scene
    if "scene" in evaluation:
        changes = _mapping(evaluation["scene"], "evaluation.scene", ("options", "termination", "kernel"))
        scene = from_dict(nest({f"scene.{key}": value for key, value in changes.items()}), config).scene
    for key, low, default in (("episodes", 1, EPISODES), ("seed", 0, EVALUATION_SEED)):
        value = evaluation.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise InputError(f"evaluation.{key}", value, f"a whole number, {low} or more")
    episodes, seed = evaluation.get("episodes", EPISODES), evaluation.get("seed", EVALUATION_SEED)
    if policy is None:
        return Job(config, scene, episodes, seed)
    if find_policy is None:
        raise InputError("policy", policy, "nothing, where no policies can be loaded")
    # A loaded policy has no training seed: seeds are then seeds of the evaluation.
    return Job(find_policy(str(policy), scene), scene, episodes, seed + config.train.seed * episodes)


def _check_scene(job: Job) -> None:
    """Prove, by making one, that the scene exists and takes its options."""
    try:
        make_one(job.scene).close()
    except (TypeError, ValueError, AttributeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            "scene.options", job.scene.options, f"values that {job.scene.name} takes ({error})"
        ) from error


def _mapping(values: Any, where: str, allowed: Sequence[str] | None) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise InputError(where, values, "a mapping")
    for key in values:
        if not isinstance(key, str) or (allowed is not None and key not in allowed):
            known = ", ".join(allowed) if allowed is not None else "a text"
            raise InputError(f"{where}.{key}", "an unknown key", known)
    return dict(values)
