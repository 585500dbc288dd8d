"""What carries a robot that neither the chair nor a cabinet can: a column on a weighted foot.

World coordinates, m, ground z = 0. Collision is one box per part.
"""

from __future__ import annotations

from functools import cache

from scenes.care.furniture import Box
from scenes.care.shapes import Mesh, Point, cylinder, lathe, merge, rounded_box

SHELL = (206, 211, 215)
FOOT = (74, 79, 87)
PLATE = (120, 127, 136)
RUBBER = (50, 52, 56)

_FOOT_HALF, _FOOT_HEIGHT = 0.21, 0.05
_COLUMN = 0.075  # half width


@cache
def pedestal_mesh(position: Point, plate: tuple[float, float, float]) -> Mesh:
    """A column under a robot's base at ``position``; ``plate``: half extents (x, y) of its top and the shift along y."""
    x, y, z = position
    y += plate[2]
    top = z - 0.012
    parts = [
        rounded_box((x, y, top + 0.006), (max(plate[0], _COLUMN), max(plate[1], _COLUMN), 0.006), PLATE, 0.004),
        rounded_box((x, y, (top + _FOOT_HEIGHT) / 2), (_COLUMN, _COLUMN, (top - _FOOT_HEIGHT) / 2), SHELL, 0.02),
        rounded_box((x, y, _FOOT_HEIGHT / 2 + 0.012), (_FOOT_HALF, _FOOT_HALF, _FOOT_HEIGHT / 2 - 0.006), FOOT, 0.015),
        lathe([(0, 0), (0.012, 0), (0.012, 0.004), (0, 0.004)], PLATE, 12, (0, 1, 0)).moved(
            (x, y - _COLUMN - 0.003, top - 0.1)
        ),
    ]  # fmt: skip
    for sx in (-1, 1):
        for sy in (-1, 1):
            at = (x + sx * (_FOOT_HALF - 0.04), y + sy * (_FOOT_HALF - 0.04))
            parts.append(cylinder((*at, 0.0), (*at, 0.02), 0.028, RUBBER, 12))
    return merge(parts)


@cache
def pedestal_boxes(position: Point, plate: tuple[float, float, float]) -> tuple[Box, ...]:
    """Column and foot, to bump into."""
    x, y, z = position
    y += plate[2]
    top = z - 0.012
    return (
        Box("pedestal", (x, y, (top + _FOOT_HEIGHT) / 2), (_COLUMN, _COLUMN, (top - _FOOT_HEIGHT) / 2)),
        Box("pedestal_foot", (x, y, _FOOT_HEIGHT / 2), (_FOOT_HALF, _FOOT_HALF, _FOOT_HEIGHT / 2)),
    )
