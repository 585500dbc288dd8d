"""A documentation page per registered scene: its class docstring, its spaces and latent as built, and a picture of it.

What can be read off the scene is read off the scene: sizes, bounds, fields and defaults on a page are those of a live one.
``docs/conf.py`` calls :func:`write_pages` before every build.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Sequence
from pathlib import Path

import gymnasium as gym

from policies import list_policies
from scenes.base import SessionEnv
from scenes.latent import ChoiceField, LatentField, PointField, ScalarField
from scenes.registry import SCENES, SceneEntry, make_scene
from scripts.page_pictures import caption, draw_scene, keep_picture

#: What a scene's docstring must say, in bold, or inherit from a base class that says it.
SECTIONS = ("Action", "Observation", "Reward", "Latent", "Success", "Version history")


# ------------------------------------------------------------------------------------------------ docstrings
def sections_of(text: str) -> set[str]:
    """The :data:`SECTIONS` that a docstring has."""
    return {name for name in SECTIONS if f"**{name.lower()}" in text.lower()}


def documented_classes(cls: type) -> list[type]:
    """``cls``, and those of its bases that say what it leaves out."""
    found, missing = [cls], set(SECTIONS) - sections_of(cls.__dict__["__doc__"] or "")
    for base in cls.__mro__[1 : cls.__mro__.index(SessionEnv)]:
        said = sections_of(base.__dict__.get("__doc__") or "")
        if missing & said:
            found.append(base)
            missing -= said
    return found


def docstring(cls: type) -> str:
    """All that a scene's page says of it in words."""
    return "\n\n".join(inspect.cleandoc(part.__dict__["__doc__"]) for part in documented_classes(cls))


# ------------------------------------------------------------------------------------------------ spaces
def space_rows(space: gym.Space) -> list[tuple[str, str, str]]:
    """Index, low and high of a space; neighbours with equal bounds share a row."""
    if isinstance(space, gym.spaces.Discrete):
        return [("0", str(space.start), str(space.start + space.n - 1))]
    assert isinstance(space, gym.spaces.Box)
    bounds = list(zip(space.low.ravel(), space.high.ravel(), strict=True))
    rows, start = [], 0
    for (low, high), same in itertools.groupby(bounds):
        last = start + len(list(same)) - 1
        rows.append((str(start) if last == start else f"{start}–{last}", f"{low:g}", f"{high:g}"))
        start = last + 1
    return rows


def space_name(space: gym.Space) -> str:
    """``Box (29,) float32`` or ``Discrete(5)``."""
    return f"Box {space.shape} {space.dtype}" if isinstance(space, gym.spaces.Box) else str(space)


def field_row(field: LatentField) -> tuple[str, str, str]:
    """Name, meaning and range of a latent field."""
    if isinstance(field, ChoiceField):
        what = ", ".join(field.choices)
    elif isinstance(field, ScalarField):
        what = f"{field.low:g} … {field.high:g} {field.unit}".rstrip()
    else:
        assert isinstance(field, PointField)
        what = f"a point on {' or '.join(part.replace('_', ' ') for part in field.parts)}: part, axial, angle"
    return f"``{field.name}``", field.label, what


# ------------------------------------------------------------------------------------------------ a page
def page(name: str, entry: SceneEntry, picture: str | None) -> str:
    """The page of one scene, reStructuredText.

    Args:
        picture: its file, relative to the page; None where there is none.
    """
    lines = [name, "=" * len(name), "", entry.summary, ""]
    if picture is not None:
        lines += [f".. figure:: {picture}", f"   :alt: {name}", "", f"   {caption(name)}", ""]
    lines += [f"**Gymnasium** ``{entry.gym_id}`` · **Policies** {', '.join(_code(list_policies(name)))}", ""]
    if entry.extra:
        lines += [f"**Needs** ``{entry.command}``", ""]
    own, *shared = documented_classes(entry.load())
    lines += [f".. autoclass:: {own.__module__}.{own.__name__}", "   :no-members:", ""]
    for base in shared:  # not the place where others' references lead
        lines += [f".. autoclass:: {base.__module__}.{base.__name__}", "   :no-members:", "   :no-index:", ""]
    if entry.installed:
        scene = make_scene(name)
        try:
            lines += _as_built(scene)
        finally:
            scene.close()
    return "\n".join(lines)


def index() -> str:
    """The page that shows all scenes."""
    title = "Scenes"
    lines = [title, "=" * len(title), ""]
    lines += [
        "Made from the scenes themselves: what each says of itself, and its sizes and bounds as built.",
        "",
    ]
    lines += [".. toctree::", "   :hidden:", "", *(f"   {name}" for name in SCENES), ""]
    lines += [".. list-table::", "   :widths: 30 70", ""]
    for name, entry in SCENES.items():
        image = [
            f"   * - .. image:: {name}.png",
            f"          :alt: {name}",
            f"          :target: {name}.html",
        ]
        lines += image if entry.installed else ["   * -"]
        lines += [f"     - :doc:`{name}`", "", f"       {entry.summary}", ""]
    return "\n".join(lines)


def _as_built(scene: SessionEnv) -> list[str]:
    """Tables of a scene with its default options."""
    title = "With the default options"
    step_s = 1.0 / scene.metadata["render_fps"]
    lines = [title, "-" * len(title), ""]
    lines += [f":Action: ``{space_name(scene.action_space)}``"]
    lines += [f":Observation: ``{space_name(scene.observation_space)}``"]
    lines += [f":Episode: {scene.episode_length} steps of {step_s:g} s"]
    lines += [f":Sessions: ``{scene.sessions.termination}``, ``{scene.sessions.kernel}``", ""]
    fields = [field_row(field) for field in scene.latent_space.fields]
    lines += table("Latent", ("field", "what", "range"), fields)
    lines += table("Action", ("index", "low", "high"), space_rows(scene.action_space))
    return lines + table("Observation", ("index", "low", "high"), space_rows(scene.observation_space))


def table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of a table in reStructuredText."""
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in (head, *rows):
        lines += [f"   {'*' if not i else ' '} - {cell}" for i, cell in enumerate(row)]
    return [*lines, ""]


def _code(names: tuple[str, ...]) -> list[str]:
    return [f"``{name}``" for name in names]


# ------------------------------------------------------------------------------------------------ all of them
def write_pages(folder: Path) -> None:
    """Write ``<scene>.rst`` and ``<scene>.png`` for every scene, and ``index.rst`` that lists them."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "index.rst", index())
    for name, entry in SCENES.items():
        if entry.installed:
            keep_picture(folder / f"{name}.png", functools.partial(draw_scene, name))
        write_text(folder / f"{name}.rst", page(name, entry, f"{name}.png" if entry.installed else None))


def write_text(path: Path, text: str) -> None:
    """Write a page, unless it says so already: what did not change is not built again."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
