"""Everything that can act, by name: scripted controllers, packaged agents, and checkpoints on disk.

==========================  ==================================================================
name                        policy
==========================  ==================================================================
``random``                  uniformly random actions
``scripted/<scene>``        the scene's scripted oracle (``policies/scripted/<scene>.py``)
``pretrained/<variant>``    a packaged agent (``policies/pretrained/<scene>/<variant>/``);
                            ``<variant>`` alone will do
a path                      a checkpoint's folder, or a run's folder (its newest checkpoint)
==========================  ==================================================================
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path

from dynamite.acting import Policy
from policies.scripted import NoOracle
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.registry import SCENES

PRETRAINED = Path(__file__).parent / "pretrained"


def scene_name(scene: SessionEnv) -> str:
    """The registered name of a live scene."""
    for cls in type(scene).__mro__:
        for name, entry in SCENES.items():
            if (entry.module, entry.cls) == (cls.__module__, cls.__name__):
                return name
    raise InputError("scene", type(scene).__name__, "one of " + ", ".join(SCENES))


def list_policies(scene: str) -> tuple[str, ...]:
    """Names that :func:`load` takes for the scene called ``scene``, checkpoints on disk apart."""
    names = ["random"]
    if importlib.util.find_spec(f"policies.scripted.{scene}") is not None:
        names.append(f"scripted/{scene}")
    found = sorted(path.parent.name for path in (PRETRAINED / scene).glob("*/manifest.json"))
    return (*names, *(f"pretrained/{variant}" for variant in found))


def load(name: str | Path, scene: SessionEnv, deterministic: bool | None = None) -> Policy:
    """A policy by name or path, ready to act in ``scene``.

    Args:
        name: see the module's table.
        scene: the scene it will act in.
        deterministic: trained policies take their mean or most likely action; else they draw from π; None: as their
            configuration says.

    Raises:
        InputError: no such policy (what exists is listed), a damaged checkpoint, or one of another scene.
    """
    where, text = scene_name(scene), str(name)
    available = list_policies(where)
    if text in ("random", "uniform"):
        from policies.scripted.uniform import Uniform

        return Uniform(scene)
    if text.startswith("scripted/"):
        if text not in available:
            raise InputError("policy", text, f"for {where}: {', '.join(available)}, or a checkpoint's folder")
        return importlib.import_module(f"policies.scripted.{where}").Oracle(scene)
    from policies.trained import TrainedPolicy

    folder = find_folder(text, where)
    assert folder is not None
    packaged = PRETRAINED in folder.parents
    label = f"pretrained/{folder.name}" if packaged else None
    return TrainedPolicy(folder, scene, name=label, deterministic=deterministic)


def find_oracle(scene: SessionEnv) -> Policy | None:
    """The scripted oracle of a live scene; None where it has none, or none that knows its options."""
    name = f"scripted/{scene_name(scene)}"
    if name not in list_policies(scene_name(scene)):
        return None
    try:
        return load(name, scene)
    except NoOracle:
        return None


def find_folder(name: str | Path, scene: str) -> Path | None:
    """The checkpoint behind a policy's name for the scene called ``scene``; None for one that is code.

    Raises:
        InputError: no such policy.
    """
    text, available = str(name), list_policies(scene)
    if text in ("random", "uniform") or (text.startswith("scripted/") and text in available):
        return None
    from policies.trained import find_checkpoint

    packaged = text if text.startswith("pretrained/") else f"pretrained/{text}"
    if packaged in available:
        return PRETRAINED / scene / packaged.removeprefix("pretrained/")
    if Path(text).is_dir() and not text.startswith(("pretrained/", "scripted/")):
        return find_checkpoint(Path(text))
    raise InputError("policy", text, f"for {scene}: {', '.join(available)}, or a checkpoint's folder")


def digest(folder: Path) -> str:
    """sha256 of a checkpoint's manifest, which holds those of its files."""
    return hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
