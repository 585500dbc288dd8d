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
        top=(0.835, 0.858, 0.882), bottom=(0.930, 0.940, 0.950), floor=(0.835, 0.850, 0.868), line=(0.765, 0.785, 0.805),
        shade=0.66, sky=(0.54, 0.56, 0.60), ground=(0.26, 0.25, 0.25), key=(0.92, 0.87, 0.80),
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
