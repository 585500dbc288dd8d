"""The wiper: Assistive Gym's, a plate on a short handle with a cloth on its face."""

from __future__ import annotations

from functools import cache

import numpy as np

from scenes.care.chain import Link, Shape, Vector
from scenes.care.shapes import Mesh, ball, lathe, merge, rounded_box
from scenes.care.tools.tool import Tool

#: Assistive Gym's wiper: a 4 × 4 × 6 cm handle, a 10 × 5 × 1 cm plate, a 9 × 4 cm cloth 1.5 mm proud of it; 3 × 0.1 kg.
_FACE = 0.0415
_PLATE_BACK = 0.030
_PLATE = (0.10, 0.05)
#: Half extents of the cloth along the tool's y and z, m.
CLOTH = (0.045, 0.020)
#: A touch this far behind the face still is one of the cloth: contacts lie a little inside what they touch.
CLOTH_DEPTH_M = 0.025


def _links(xyz: Vector, rpy: Vector) -> tuple[Link, Link]:
    """``handle``, and ``tool``: plate and cloth, which together are one box, its long side along y.

    The handle ends 1 cm behind the plate, not in it as upstream's: where the cloth is soft, a contact with the skin lies
    inside the plate.
    """
    handle = Link(
        "handle", xyz, rpy, axis=None, mass=0.1, inertia=(2.7e-5, 2.7e-5, 2.7e-5),
        shapes=(Shape((0, 0, 0), (0, 0, 0), box=(0.04, 0.04, 0.04)),),
    )  # fmt: skip
    thick, centre = _FACE - _PLATE_BACK, ((_FACE + _PLATE_BACK) / 2, 0.0, 0.0)
    edges = (thick, *_PLATE)
    xx, yy, zz = (0.2 / 12 * (edges[i] ** 2 + edges[j] ** 2) for i, j in ((1, 2), (0, 2), (0, 1)))
    tool = Link(
        "tool", (0, 0, 0), axis=None, mass=0.2, com=centre, inertia=(xx, yy, zz), shapes=(Shape(centre, centre, box=edges),)
    )  # fmt: skip
    return handle, tool


def on_cloth(local: np.ndarray) -> bool:
    """Whether a touch at ``local`` (3,) m, in the tool's frame, is one of the cloth and not of the plate's edge."""
    x, y, z = local
    return bool(x > _FACE - CLOTH_DEPTH_M and abs(y) < CLOTH[0] + 0.006 and abs(z) < CLOTH[1] + 0.006)


@cache
def _mesh() -> Mesh:
    """A moulded back with a turned handle, and a terry cloth folded round the plate."""
    back, grip, cloth, seam = (74, 128, 146), (206, 142, 70), (238, 236, 228), (212, 214, 208)
    axis = (1, 0, 0)
    knob = [(0.0, -0.020), (0.012, -0.020), (0.0170, -0.016), (0.0185, -0.006), (0.0165, 0.006), (0.0150, 0.016),
            (0.0185, 0.026), (0.0190, 0.031), (0.0, 0.031)]  # fmt: skip
    parts = [
        lathe(knob, grip, 20, axis, crease_deg=50),
        rounded_box((0.0325, 0, 0), (0.0035, 0.049, 0.0245), back, 0.003),
        rounded_box((0.0375, 0, 0), (0.0042, 0.0485, 0.0240), cloth, 0.0040),
    ]
    for k in (-1, 1):  # the cloth's hems, held by two studs
        parts.append(rounded_box((0.0378, k * 0.0415, 0), (0.0040, 0.0022, 0.0236), seam, 0.002))
        parts.append(ball((0.0290, k * 0.036, 0), (0.0025, 0.005, 0.005), grip, 10, 7))
    return merge(parts)


WIPER = Tool("wiper", _links, (_FACE, 0.0, 0.0), _mesh)
