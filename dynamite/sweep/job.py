"""Job: everything that a row of results depends on, as plain JSON with an id."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

from dynamite.config import Config, SceneConfig
from dynamite.config_io import to_dict

#: Fields of ``train`` that decide how a training is run and nothing of what comes of it: it is exact whatever they are.
_HOW_IT_RUNS = ("workers", "worker_timeout_s", "worker_threads", "checkpoint_every", "keep_checkpoints")


@dataclass(frozen=True)
class PolicySource:
    """A policy that exists already.

    Attributes:
        name: as :func:`policies.load` takes it; a whole path where it is no packaged one.
        sha256: of its folder's manifest, which holds its files' digests; None for a scripted policy, which is code.
    """

    name: str
    sha256: str | None


@dataclass(frozen=True)
class Job:
    """Train (or load) one agent and evaluate it.

    Attributes:
        source: the whole training configuration, or the policy to load.
        scene: what it is evaluated in.
        episodes: how many it is evaluated on. seed: of the evaluation.
    """

    source: Config | PolicySource
    scene: SceneConfig
    episodes: int
    seed: int

    def to_json(self) -> dict[str, Any]:
        """Everything, defaults included, sections that nothing reads apart."""
        key, source = (
            ("train", _what_is_read(self.source))
            if isinstance(self.source, Config)
            else ("policy", asdict(self.source))
        )
        return {
            key: source,
            "evaluate": {"episodes": self.episodes, "seed": self.seed, "scene": asdict(self.scene)},
        }

    def identity(self) -> dict[str, Any]:
        """:meth:`to_json` without configuration fields that stand at their defaults, so that a field which a later version
        adds, with a default that leaves everything as it was, does not make every finished row another job's."""
        plain = self.to_json()
        if "policy" in plain and plain["policy"]["sha256"] is not None:
            del plain["policy"]["name"]  # a checkpoint is what it holds, whatever its folder is called
        if "train" in plain:
            plain["train"] = _departures(plain["train"], to_dict(Config()))
        plain["evaluate"]["scene"] = _departures(plain["evaluate"]["scene"], asdict(SceneConfig()))
        return plain

    @property
    def id(self) -> str:
        """16 hexadecimal digits of the sha256 of the canonical JSON of :meth:`identity`."""
        return hashlib.sha256(canonical(self.identity()).encode()).hexdigest()[:16]

    def same_as(self, stored: Any) -> bool:
        """Whether a stored :meth:`to_json` describes this job.

        The id already covers what departs from the defaults; here the defaults of then and now are compared, field by
        field, where both versions know the field.
        """
        ours = self.to_json()
        if "policy" in ours and self.identity()["policy"] != ours["policy"]:
            del ours["policy"]["name"]
        if "train" in ours:
            loop = ours["train"]["train"]
            ours["train"]["train"] = {name: loop[name] for name in loop if name not in _HOW_IT_RUNS}
        return _agree(ours, stored)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _what_is_read(config: Config) -> dict[str, Any]:
    """A configuration without the sections that its training does not look at: a preset has them for other learners."""
    unread = {"offline"}
    if config.policy.learner != "sac":
        unread.add("sac")
    if not config.imitation.frames:
        unread.add("imitation")
    return {name: section for name, section in to_dict(config).items() if name not in unread}


def _departures(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for name, value in values.items():
        default = defaults.get(name)
        if name != "options" and isinstance(value, dict) and isinstance(default, dict):
            value = _departures(value, default)
            if value:
                kept[name] = value
        elif value != default:
            kept[name] = value
    return kept


def _agree(ours: Any, stored: Any) -> bool:
    if isinstance(ours, dict) and isinstance(stored, dict):
        return all(_agree(value, stored[name]) for name, value in ours.items() if name in stored)
    return canonical(ours) == canonical(stored)
