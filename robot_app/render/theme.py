"""Colours of a picture by theme; linear light for what is lit, sRGB for what is painted flat. All in 0…1."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.errors import InputError

Rgb = tuple[float, float, float]


@dataclass(frozen=True)
class Theme:
    """Background and floor (sRGB), light (linear), and the flat colours of markers (sRGB)."""

    name: str
    top: Rgb
    bottom: Rgb
    floor: Rgb
    line: Rgb
    shade: float  # strength of the contact shadow
    sky: Rgb
    ground: Rgb
    key: Rgb
    rim: Rgb
    arrow: Rgb


THEMES: dict[str, Theme] = {
    "dark": Theme(
        "dark",
        top=(0.085, 0.095, 0.118), bottom=(0.150, 0.165, 0.195), floor=(0.262, 0.282, 0.320), line=(0.34, 0.365, 0.41),
        shade=0.80, sky=(0.50, 0.53, 0.58), ground=(0.19, 0.18, 0.18), key=(1.02, 0.96, 0.88),
        rim=(0.34, 0.42, 0.52), arrow=(1.0, 0.70, 0.18),
    ),
    "light": Theme(
        "light",
        top=(0.905, 0.922, 0.938), bottom=(0.962, 0.968, 0.974), floor=(0.872, 0.886, 0.900), line=(0.80, 0.82, 0.84),
        shade=0.62, sky=(0.62, 0.64, 0.68), ground=(0.30, 0.29, 0.28), key=(1.02, 0.97, 0.90),
        rim=(0.16, 0.17, 0.18), arrow=(0.86, 0.42, 0.0),
    ),
}  # fmt: skip


def theme(name: str) -> Theme:
    """The theme called ``name``.

    Raises:
        InputError: there is none of that name.
    """
    if name not in THEMES:
        raise InputError("theme", name, " or ".join(THEMES))
    return THEMES[name]
