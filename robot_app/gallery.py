"""The gallery: a clip and a still of every scene under every policy, one contact sheet, and a page that shows them.

::

    index.html  README.md   the page, for a browser and for a repository
    sheet.png               all stills: a row per scene, a column per policy
    gallery.json            what was made, and what was left out and why
    clips/<scene>-<policy>.mp4 and .png
"""

from __future__ import annotations

import html
import itertools
import re
import shutil
import textwrap
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from dynamite.acting import Frame, Policy, play
from robot_app.files import write_atomic, write_json
from robot_app.film import FilmLook, FilmSettings, Side, film
from robot_app.film_outputs import FilmOutputs
from robot_app.recipe import SceneRecipe
from robot_app.recording import progress_bar, told_in_one_line, trained_recipe
from robot_app.render.overlay import draw_overlay
from robot_app.render.past import Past
from robot_app.render.typeset import INKS, fitted, font
from robot_app.render.video import FilmWriter
from robot_app.stills import BestStill, png
from scenes.base import SessionEnv
from scenes.errors import InputError
from scenes.registry import SCENES

#: Pixels of a picture on the contact sheet, and of what is written under and beside it.
THUMBNAIL, CAPTION, LABEL = (320, 180), 24, 150
_NAMES = {"index.html", "README.md", "sheet.png", "gallery.json", "clips"}


@dataclass(frozen=True)
class GallerySettings:
    """What is shown.

    Attributes:
        size: (width, height) of a clip, pixels, even. steps: of a clip at most. seed: of every episode.
        most_mb: megabytes of clips and stills after which no more are begun.
        scenes, policies: only these; all where empty.
    """

    size: tuple[int, int] = (480, 270)
    steps: int = 100
    seed: int = 0
    theme: str = "dark"
    most_mb: float = 50.0
    scenes: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        FilmSettings(*self.size, theme=self.theme)
        if self.steps < 1:
            raise InputError("--steps", self.steps, "1 or more")
        if self.seed < 0:
            raise InputError("--seed", self.seed, "a whole number, 0 or more")
        if not self.most_mb > 0:
            raise InputError("--most-mb", self.most_mb, "more than 0")
        for name in self.scenes:
            if name not in SCENES:
                raise InputError("--scene", name, "one of " + ", ".join(SCENES))


@dataclass(frozen=True)
class Clip:
    """One of them: files relative to the gallery's folder."""

    scene: str
    policy: str
    film: str
    still: str
    steps: int
    episode_return: float
    bytes: int


def make_gallery(
    folder: Path,
    settings: GallerySettings,
    force: bool = False,
    on_clip: Callable[[str], None] | None = None,
    show_progress: bool = False,
) -> dict[str, Any]:
    """Make all of it. Ctrl-C leaves a gallery of the clips that are made.

    Args:
        force: replace a gallery that is there.
        on_clip: told a line after each clip.
        show_progress: a bar on stderr.

    Returns:
        What ``gallery.json`` holds.

    Raises:
        InputError: the folder is in use, or no clip at all could be made. OutputError: the disk is full.
    """
    import policies

    wanted = {
        (scene, policy)
        for scene in SCENES
        for policy in policies.list_policies(scene)
        if (not settings.scenes or scene in settings.scenes)
        and (not settings.policies or policy in settings.policies)
    }
    if not wanted:
        raise InputError("--policy", ", ".join(settings.policies), "a policy that one of the scenes has")
    _clear(folder, force)
    order = [(s, p) for s in SCENES for p in policies.list_policies(s) if (s, p) in wanted]
    clips: list[Clip] = []
    left_out: list[dict[str, str]] = []
    with told_in_one_line(folder), progress_bar("gallery", len(order), show_progress, "clips") as advance:
        (folder / "clips").mkdir(parents=True)
        _keep(folder, clips, left_out, settings)
        try:
            for scene, policy in order:
                if sum(clip.bytes for clip in clips) > settings.most_mb * 1e6:
                    reason = f"the gallery has its {settings.most_mb:g} MB"
                else:
                    try:
                        clips.append(_clip(folder, scene, policy, settings))
                        reason = ""
                    except (InputError, ImportError) as error:  # it needs what is not installed here
                        reason = " ".join(str(error).split())
                if reason:
                    left_out.append({"scene": scene, "policy": policy, "reason": reason})
                if on_clip is not None:
                    on_clip(f"{scene} {policy}: {reason or f'{clips[-1].bytes / 1e6:.1f} MB'}")
                _keep(folder, clips, left_out, settings)
                advance()
        except KeyboardInterrupt:
            if clips:
                _write_pages(folder, clips, left_out, settings)
            raise
        if not clips:
            shutil.rmtree(folder)
            raise InputError("gallery", left_out[0]["reason"], "a scene that can be drawn here")
        _write_pages(folder, clips, left_out, settings)
        return _keep(folder, clips, left_out, settings)


def _keep(
    folder: Path, clips: list[Clip], left_out: list[dict[str, str]], settings: GallerySettings
) -> dict[str, Any]:
    """Write what there is so far: it also marks the folder as a gallery, that ``force`` may replace."""
    made = {
        "n_clips": len(clips),
        "megabytes": sum(clip.bytes for clip in clips) / 1e6,
        "seed": settings.seed,
        "clips": [vars(clip) for clip in clips],
        "left_out": left_out,
    }
    write_json(folder / "gallery.json", made)
    return made


def _write_pages(
    folder: Path, clips: list[Clip], left_out: list[dict[str, str]], settings: GallerySettings
) -> None:
    write_atomic(folder / "sheet.png", png(contact_sheet(folder, clips, settings.theme)))
    write_atomic(folder / "index.html", _html(clips, left_out, settings).encode())
    write_atomic(folder / "README.md", _markdown(clips, left_out).encode())


def _clear(folder: Path, force: bool) -> None:
    """Make room where a gallery is; anything else stays, and is in the way."""
    if not folder.exists():
        return
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    if there and (not force or "gallery.json" not in there or there - _NAMES):
        allowed = "a folder that does not exist, or --force over a gallery and nothing else"
        raise InputError("--out", str(folder), allowed)
    shutil.rmtree(folder)


def _clip(folder: Path, name: str, policy_name: str, settings: GallerySettings) -> Clip:
    import policies

    stem = f"clips/{name}-{re.sub(r'[^A-Za-z0-9]+', '-', policy_name)}"
    film_path, still_path = folder / f"{stem}.mp4", folder / f"{stem}.png"
    recipe = trained_recipe(SceneRecipe(name), policy_name)
    with closing(recipe.build()) as scene:
        policy = policies.load(policy_name, scene)
        n_steps = min(settings.steps, scene.episode_length)
        try:
            look = FilmLook.of(scene, name, n_steps)
        except InputError:  # a scene that draws itself
            total = _film_own_picture(recipe, policy_name, settings, film_path, still_path)
        else:
            frames = itertools.islice(play(scene, policy, settings.seed, draw=True), n_steps + 1)
            outputs = FilmOutputs(film_path, best=still_path)
            style = FilmSettings(*settings.size, fps=20, theme=settings.theme)
            total = film([Side(frames, policy.name)], look, style, outputs).episode_return
    n_bytes = film_path.stat().st_size + still_path.stat().st_size
    return Clip(name, policy_name, f"{stem}.mp4", f"{stem}.png", n_steps, total, n_bytes)


def _film_own_picture(
    recipe: SceneRecipe, policy_name: str, settings: GallerySettings, film_path: Path, still_path: Path
) -> float:
    """A clip of a scene that is not a mesh, from its ``render()``, at its own rate; returns the return."""
    import policies

    drawn = replace(recipe, options={**recipe.options, "render_mode": "rgb_array"})
    with closing(drawn.build()) as scene:
        policy: Policy = policies.load(policy_name, scene)
        n_steps = min(settings.steps, scene.episode_length)
        fps, past = min(30.0, float(scene.metadata["render_fps"])), Past()
        frames: Iterable[Frame] = itertools.islice(play(scene, policy, settings.seed), n_steps + 1)
        with FilmWriter(film_path, settings.size, fps) as writer, BestStill(still_path) as best:
            for frame in frames:
                past.add(frame)
                image = _own_picture(scene, settings, past, policy.name, recipe.name, n_steps)
                writer.write(image)
                best.write(frame, image)
    return past.total


def _own_picture(
    scene: SessionEnv, settings: GallerySettings, past: Past, policy: str, name: str, n_steps: int
) -> np.ndarray:
    picture = scene.render()
    if not isinstance(picture, np.ndarray):
        raise InputError("--scene", name, "a scene that can be drawn")
    width, height = settings.size
    canvas = Image.new("RGB", settings.size, INKS[settings.theme].card[:3])
    inner = Image.fromarray(picture)
    inner.thumbnail(
        (width, int(0.62 * height)), Image.Resampling.LANCZOS
    )  # what is written stands above and below
    canvas.paste(inner, ((width - inner.width) // 2, (height - inner.height) // 2))
    return draw_overlay(
        np.asarray(canvas),
        past,
        policy=policy,
        scene=name,
        latent_space=scene.latent_space,
        total_steps=n_steps,
        step_s=1.0 / scene.metadata["render_fps"],
        theme=settings.theme,
        parts=("title", "belief", "reward", "session"),
    )


# -------------------------------------------------------------------------------------------------- pages
def contact_sheet(folder: Path, clips: list[Clip], theme: str) -> np.ndarray:
    """(H, W, 3) uint8: a row per scene, its policies from left to right."""
    rows = [list(group) for _, group in itertools.groupby(clips, key=lambda clip: clip.scene)]
    (width, height), ink, gap = THUMBNAIL, INKS[theme], 12
    columns = max(map(len, rows))
    size = (LABEL + columns * (width + gap) + gap, gap + len(rows) * (height + CAPTION + gap))
    sheet = Image.new("RGB", size, ink.card[:3])
    draw = ImageDraw.Draw(sheet)
    for i, row in enumerate(rows):
        top = gap + i * (height + CAPTION + gap)
        words = textwrap.wrap(row[0].scene.replace("_", " "), 14)  # characters that fit beside the row
        label = "\n".join(fitted(line, 14, LABEL - gap, True) for line in words)
        draw.multiline_text(
            (gap, top + height // 2), label, font=font(14, True), fill=ink.text[:3], anchor="lm"
        )
        for j, clip in enumerate(row):
            left = LABEL + j * (width + gap)
            with Image.open(folder / clip.still) as still:
                sheet.paste(still.convert("RGB").resize(THUMBNAIL, Image.Resampling.LANCZOS), (left, top))
            text = fitted(f"{clip.policy}, return {clip.episode_return:.1f}", 12, width)
            draw.text((left, top + height + 6), text, font=font(12), fill=ink.quiet[:3])
    return np.asarray(sheet)


def _html(clips: list[Clip], left_out: list[dict[str, str]], settings: GallerySettings) -> str:
    dark = settings.theme == "dark"
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Gallery</title>',
        '<meta name="viewport" content="width=device-width">',
        f"<style>body{{font:16px sans-serif;margin:2rem;background:{'#10131a' if dark else '#fff'};"
        f"color:{'#eee' if dark else '#181c24'}}}",
        "section{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}video{max-width:100%;border-radius:6px}"
        "figcaption{opacity:.75;font-size:14px}</style>",
    ]
    for scene, group in itertools.groupby(clips, key=lambda clip: clip.scene):
        parts.append(f"<h2>{html.escape(scene)}</h2><p>{html.escape(SCENES[scene].summary)}</p><section>")
        for clip in group:
            text = f"{clip.policy}: {clip.steps} steps, return {clip.episode_return:.1f}"
            parts.append(
                f'<figure><video controls loop muted playsinline preload="none" width="{settings.size[0]}"'
                f' height="{settings.size[1]}" poster="{clip.still}" src="{clip.film}"></video>'
                f"<figcaption>{html.escape(text)}</figcaption></figure>"
            )
        parts.append("</section>")
    if left_out:
        items = (f"{e['scene']} {e['policy']}: {e['reason']}" for e in left_out)
        parts.append("<h2>Left out</h2><ul>" + "".join(f"<li>{html.escape(i)}</li>" for i in items) + "</ul>")
    return "\n".join([*parts, "</html>", ""])


def _markdown(clips: list[Clip], left_out: list[dict[str, str]]) -> str:
    lines = ["# Gallery", "", "![all scenes and policies](sheet.png)", ""]
    for scene, group in itertools.groupby(clips, key=lambda clip: clip.scene):
        lines += [f"## {scene}", "", SCENES[scene].summary, ""]
        for clip in group:
            lines.append(f"[![{clip.policy}]({clip.still})]({clip.film})")
            lines += [f"{clip.policy}: {clip.steps} steps, return {clip.episode_return:.1f}", ""]
    if left_out:
        lines += ["## Left out", "", *(f"- {e['scene']} {e['policy']}: {e['reason']}" for e in left_out), ""]
    return "\n".join(lines)
