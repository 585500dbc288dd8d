"""The hospital bed and the bedside cabinet a robot stands on, as they look and as boxes to bump into.

Proportions follow common care beds: a 90 × 200 cm mattress 14 cm thick on a deck, its top at the height at which a
standing helper works, four locked castors, boards at both ends, a half rail per quarter. On the robot's side (the
person's right) the rail at the head is folded down, where the care is given; the others are up. The person lies
towards that side, as somebody is moved over to be cared for. World coordinates, m: the person's head lies towards +y,
x to their left, ground z = 0.
"""

from __future__ import annotations

from functools import cache

from scenes.care.furniture import Box
from scenes.care.posture import MATTRESS_TOP_M
from scenes.care.shapes import Mesh, Point, cushion, cylinder, lathe, merge, rounded_box, torus, tube

STEEL = (196, 201, 207)
SHELL = (226, 229, 231)
PANEL = (150, 178, 186)
SHEET = (236, 238, 236)
TICKING = (176, 196, 204)
LINEN = (246, 246, 243)
BLANKET = (96, 142, 152)
DARK = (62, 66, 74)
RUBBER = (48, 50, 54)
WOOD = (201, 172, 136)
DRAWER = (232, 226, 214)

_TOP = MATTRESS_TOP_M
_THICK = 0.14
_CENTRE = (0.09, -0.20)  # of the mattress: its right edge lies 36 cm from the person's middle
_HALF = (0.45, 1.00)
_RIGHT, _LEFT = _CENTRE[0] - _HALF[0], _CENTRE[0] + _HALF[0]
_FOOT, _HEAD = _CENTRE[1] - _HALF[1], _CENTRE[1] + _HALF[1]
_DECK = _TOP - _THICK
_PILLOW = ((0.02, 0.555, _TOP + 0.032), (0.29, 0.185, 0.05))
_RAIL_UP, _RAIL_LENGTH, _RAIL_GAP = 0.30, 0.80, 0.04


# ------------------------------------------------------------------------------------------------------ looks
@cache
def bed_mesh() -> Mesh:
    """The whole bed with its linen."""
    x, y = _CENTRE
    parts = [
        rounded_box((x, y, _TOP - _THICK / 2), (*_HALF, _THICK / 2), SHEET, 0.035),
        rounded_box((x, y, _DECK + 0.022), (_HALF[0] + 0.004, _HALF[1] + 0.004, 0.022), TICKING, 0.02),
        cushion(*_PILLOW, LINEN),
        *_folded_blanket(),
        *_chassis(),
        *_board(_HEAD + 0.035, 1.08),
        *_board(_FOOT - 0.035, 0.94),
    ]
    for side, edge in ((-1.0, _RIGHT), (1.0, _LEFT)):
        for near, folded in ((_HEAD - 0.10 - _RAIL_LENGTH, side < 0), (_FOOT + 0.10, False)):
            parts += _rail(edge + side * 0.028, near, folded)
    return merge(parts)


def _folded_blanket() -> list[Mesh]:
    """Across the foot end, beside the person's feet."""
    y = _FOOT + 0.13
    return [
        rounded_box((_CENTRE[0], y - 0.02, _TOP + 0.012), (0.43, 0.10, 0.016), BLANKET, 0.015),
        rounded_box((_CENTRE[0], y - 0.028, _TOP + 0.036), (0.425, 0.088, 0.013), BLANKET, 0.012),
    ]


def _chassis() -> list[Mesh]:
    """Deck, two lifting columns, a base frame on four castors."""
    x, y = _CENTRE
    parts = [
        rounded_box((x, y, _DECK - 0.018), (_HALF[0] - 0.02, _HALF[1] - 0.01, 0.018), SHELL, 0.012),
        rounded_box((x, y, 0.155), (0.12, 0.72, 0.03), SHELL, 0.015),
    ]
    for sign in (1.0, -1.0):
        rail_x, end = x + sign * (_HALF[0] - 0.05), y + sign * 0.72
        parts += [
            tube(
                [(rail_x, _FOOT + 0.02, _DECK - 0.055), (rail_x, _HEAD - 0.02, _DECK - 0.055)], 0.02, STEEL, 8
            ),
            rounded_box((x, y + sign * 0.50, 0.34), (0.075, 0.085, 0.185), DARK, 0.02),
            rounded_box((x, y + sign * 0.50, 0.44), (0.095, 0.105, 0.07), SHELL, 0.02),
            rounded_box((x, end, 0.155), (0.37, 0.045, 0.028), SHELL, 0.02),
        ]
        for across in (1.0, -1.0):
            parts += castor((x + across * 0.34, end, 0.0), 0.065)
    return parts


def castor(floor: Point, radius: float) -> list[Mesh]:
    """A twin-wheel castor that stands on ``floor`` (3,), its stem twice as high as the wheel's radius."""
    x, y, z = floor
    hub = (x, y, z + radius)
    width = 0.3 * radius
    parts = [cylinder((x, y, z + radius), (x, y, z + 2.1 * radius), 0.22 * radius, STEEL, 10)]
    for sign in (1.0, -1.0):
        centre = (hub[0] + sign * width, y, hub[2])
        parts += [
            torus(centre, (1, 0, 0), 0.8 * radius, 0.2 * radius, RUBBER, 20, 6),
            lathe([(0, -width / 2), (0.72 * radius, -width / 2), (0.72 * radius, width / 2), (0, width / 2)],
                  STEEL, 16, (1, 0, 0)).moved(centre),
        ]  # fmt: skip
    parts.append(
        rounded_box((x, y, z + 1.75 * radius), (2.2 * width, 0.75 * radius, 0.32 * radius), DARK, 0.01)
    )
    return parts


def _board(y: float, top: float) -> list[Mesh]:
    """Head or foot board: a tube frame around a panel."""
    x, half, low = _CENTRE[0], _HALF[0] - 0.005, _DECK - 0.10
    frame = [(x - half, y, low), (x - half, y, top), (x + half, y, top), (x + half, y, low)]
    middle = (top - 0.05 + low + 0.12) / 2
    return [
        tube(frame, 0.019, STEEL, 10, bend=0.12),
        rounded_box((x, y, middle), (half - 0.045, 0.011, top - 0.05 - middle), PANEL, 0.01),
        rounded_box((x, y, top - 0.085), (0.14, 0.014, 0.022), SHELL, 0.012),
    ]


def _rail(x: float, near: float, folded: bool) -> list[Mesh]:
    """A half rail from ``near`` along +y, upright or folded down beside the deck."""
    far, shift = near + _RAIL_LENGTH, _rail_drop(folded)
    top, low, post = _TOP + _RAIL_UP - shift, _TOP + 0.05 - shift, _DECK + 0.02
    parts = [
        tube([(x, near, low), (x, near, top), (x, far, top), (x, far, low), (x, near, low)], 0.015, SHELL, 8, bend=0.09),
        tube([(x, near + 0.02, (top + low) / 2), (x, far - 0.02, (top + low) / 2)], 0.011, SHELL, 8),
    ]  # fmt: skip
    for share in (0.28, 0.72):
        y = near + share * _RAIL_LENGTH
        parts.append(tube([(x, y, top), (x, y, min(low, post - 0.10))], 0.011, STEEL, 8))
        parts.append(rounded_box((x, y, post - 0.07), (0.018, 0.035, 0.05), DARK, 0.01))
    return parts


def _rail_drop(folded: bool) -> float:
    """How far a folded rail lies below an upright one, m: its top ends 10 cm under the mattress's."""
    return _RAIL_UP + 0.10 if folded else 0.0


@cache
def cabinet_mesh(position: tuple[float, float, float], plate: tuple[float, float, float]) -> Mesh:
    """The bedside cabinet on castors whose top carries a robot's base at ``position``.

    Args:
        plate: half extents (x, y) of the base's plate and its shift along y, m.
    """
    x, y, z = position
    foot, half_x, half_y = 0.11, *_cabinet_half(plate)
    top, middle, half_z = z - 0.016, (z - 0.036 + foot) / 2, (z - 0.036 - foot) / 2
    parts = [
        rounded_box((x, y + plate[2], z - 0.006), (*plate[:2], 0.006), DARK, 0.004),
        rounded_box((x, y, top - 0.012), (half_x + 0.012, half_y + 0.012, 0.012), WOOD, 0.01),
        rounded_box((x, y, middle), (half_x, half_y, half_z), DRAWER, 0.012),
    ]
    for k, share in enumerate((0.80, 0.44)):  # two drawers and a door, towards the foot of the bed
        height = 0.13 if k == 0 else 0.22
        at = foot + share * 2 * half_z
        parts += [
            rounded_box((x, y - half_y - 0.004, at), (half_x - 0.02, 0.006, height * half_z), WOOD, 0.005),
            tube([(x - 0.05, y - half_y - 0.024, at), (x + 0.05, y - half_y - 0.024, at)], 0.006, STEEL, 8),
        ]
    for across in (1.0, -1.0):
        for along in (1.0, -1.0):
            parts += castor((x + across * (half_x - 0.045), y + along * (half_y - 0.05), 0.0), 0.05)
    return merge(parts)


def _cabinet_half(plate: tuple[float, float, float]) -> tuple[float, float]:
    """Half extents (x, y) of the cabinet, m: 40 × 40 cm, or what the plate needs."""
    return max(0.20, plate[0] + 0.03), max(0.20, plate[1] + abs(plate[2]) + 0.03)


# --------------------------------------------------------------------------------------------------- collision
def bed_boxes() -> tuple[Box, ...]:
    """What a robot must not run into."""
    x, y = _CENTRE
    boxes = [
        Box("mattress", (x, y, (_TOP + _DECK - 0.04) / 2), (*_HALF, (_TOP - _DECK + 0.04) / 2)),
        Box("chassis", (x, y, 0.28), (0.38, 0.78, 0.22)),
        Box("pillow", (*_PILLOW[0][:2], _TOP + 0.02), (0.26, 0.16, 0.02)),
        Box("head_board", (x, _HEAD + 0.035, 0.77), (_HALF[0], 0.02, 0.31)),
        Box("foot_board", (x, _FOOT - 0.035, 0.70), (_HALF[0], 0.02, 0.24)),
    ]
    for side, edge in ((-1.0, _RIGHT), (1.0, _LEFT)):
        for end, near in (("head", _HEAD - 0.10 - _RAIL_LENGTH), ("foot", _FOOT + 0.10)):
            middle = _TOP + (_RAIL_UP + 0.05) / 2 - _rail_drop(side < 0 and end == "head")
            boxes.append(
                Box(
                    f"{'right' if side < 0 else 'left'}_{end}_rail",
                    # Up to the mattress: into a slot beside it hostile actions would wedge a tool, 6 cm deep in both.
                    (edge + side * 0.022, near + _RAIL_LENGTH / 2, middle),
                    (0.022, _RAIL_LENGTH / 2, (_RAIL_UP - 0.05) / 2 + 0.015),
                )
            )
    return tuple(boxes)


def cabinet_boxes(position: tuple[float, float, float], plate: tuple[float, float, float]) -> tuple[Box, ...]:
    """The cabinet as one box; arguments as :func:`cabinet_mesh`."""
    x, y, z = position
    return (Box("cabinet", (x, y, (z - 0.02) / 2), (*_cabinet_half(plate), (z - 0.02) / 2)),)
