"""A documentation page per registered scene: its class docstring, its spaces and latent as built, and a picture of it.

What can be read off the scene is read off the scene: sizes, bounds, fields and defaults on a page are those of a live one.
``docs/conf.py`` calls :func:`write_pages` before every build.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Sequence
from pathlib import Path

import gymnasium as gym
import numpy as np
from PIL import Image

from dynamite.acting import Frame, play
from policies import list_policies, load
from robot_app.render import make_renderer
from robot_app.render.camera import OrbitCamera
from scenes.base import SessionEnv
from scenes.latent import ChoiceField, LatentField, PointField, ScalarField
from scenes.registry import SCENES, SceneEntry, make_scene

#: What a scene's docstring must say, in bold, or inherit from a base class that says it.
SECTIONS = ("Action", "Observation", "Reward", "Latent", "Success", "Version history")
WIDTH, HEIGHT = 1280, 720
#: A picture is taken within so many steps of the episode of this seed.
PICTURE_STEPS, PICTURE_SEED = 80, 0


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
        lines += [f".. figure:: {picture}", f"   :alt: {name}", "", f"   {_caption(name)}", ""]
    lines += [f":Gymnasium: ``{entry.gym_id}``", f":Policies: {', '.join(_code(list_policies(name)))}"]
    if entry.extra:
        lines += [f":Needs: ``{entry.command}``"]
    lines += [""]
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
    lines += _table("Latent", ("field", "what", "range"), fields)
    lines += _table("Action", ("index", "low", "high"), space_rows(scene.action_space))
    return lines + _table("Observation", ("index", "low", "high"), space_rows(scene.observation_space))


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    lines = [f".. list-table:: {title}", "   :header-rows: 1", ""]
    for row in (head, *rows):
        lines += [f"   {'*' if not i else ' '} - {cell}" for i, cell in enumerate(row)]
    return [*lines, ""]


def _code(names: tuple[str, ...]) -> list[str]:
    return [f"``{name}``" for name in names]


# ------------------------------------------------------------------------------------------------ its picture
def _actor(name: str) -> str:
    """Who plays for the picture: the scripted oracle, else a trained agent, else anyone."""
    known = list_policies(name)
    return next((policy for policy in known if policy.startswith("scripted/")), known[-1])


def _caption(name: str) -> str:
    return (
        f"``{_actor(name)}``, seed {PICTURE_SEED}: the step among the first {PICTURE_STEPS} that earned most."
    )


def draw(name: str) -> np.ndarray:
    """(H, W, 3) uint8: a scene in an episode's best moment, with the truth marked."""
    best: Frame | None = None
    picture = None
    scene = make_scene(name, render_mode="rgb_array")
    drawable = type(scene).visual_model is not SessionEnv.visual_model
    try:
        policy = load(_actor(name), scene)
        for frame in itertools.islice(play(scene, policy, PICTURE_SEED, draw=drawable), PICTURE_STEPS + 1):
            if frame.t and (best is None or frame.reward > best.reward):  # no step led to the first frame
                best, picture = frame, None if drawable else scene.render()
        assert best is not None
        if not drawable:
            assert picture is not None
            return picture
        renderer = make_renderer(
            scene.visual_model(), WIDTH, HEIGHT, supersample=2, shadow=True, theme="light"
        )
        try:
            assert best.poses is not None
            camera = OrbitCamera.from_preset(scene.cameras()[0])
            return renderer.draw(best.poses, camera, markers=best.markers)
        finally:
            renderer.close()
    finally:
        scene.close()


def draw_to(path: Path, name: str) -> None:
    """Draw a scene into a file, unless the file is newer than all that scenes and pictures are made of."""
    root = Path(__file__).parents[1]
    sources = [
        p for folder in ("scenes", "robot_app/render") for p in (root / folder).rglob("*") if p.is_file()
    ]
    newest = max(p.stat().st_mtime for p in sources if "__pycache__" not in p.parts)
    if not path.is_file() or path.stat().st_mtime < newest:
        Image.fromarray(draw(name)).save(path)


def write_pages(folder: Path) -> None:
    """Write ``<scene>.rst`` and ``<scene>.png`` for every scene, and ``index.rst`` that lists them."""
    folder.mkdir(parents=True, exist_ok=True)
    title, entries = "Scenes", [f"   {name}" for name in SCENES]
    intro = "Made from the scenes themselves: what each says of itself, and its sizes and bounds as built."
    texts = {"index": "\n".join([title, "=" * len(title), "", intro, "", ".. toctree::", "", *entries, ""])}
    for name, entry in SCENES.items():
        if entry.installed:
            draw_to(folder / f"{name}.png", name)
        texts[name] = page(name, entry, f"{name}.png" if entry.installed else None)
    for name, text in texts.items():
        path = folder / f"{name}.rst"
        if (
            not path.is_file() or path.read_text(encoding="utf-8") != text
        ):  # what did not change is not built again
            path.write_text(text, encoding="utf-8")
