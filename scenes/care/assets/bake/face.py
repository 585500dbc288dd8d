"""Hair, brows and eyes: small shapes over MakeHuman's head."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenes.care.assets.bake.anny_body import RawBody
from scenes.care.assets.bake.girth import N_BODY
from scenes.care.assets.bake.surface import Surface, cut, join, vertex_normals

HAIR = {"male": (66, 48, 38), "female": (84, 54, 38)}
THICKNESS = {"male": 0.013, "female": 0.019}
#: Hairline: height of the border (share of the half head, from its middle) against depth (−1 face … 1 back).
HAIRLINE = np.array([(-1.2, 0.62), (-0.86, 0.60), (-0.68, 0.50), (-0.52, 0.36), (-0.36, 0.24), (-0.26, 0.02),
                     (-0.14, 0.02), (-0.06, 0.26), (0.18, 0.30), (0.30, 0.05), (0.42, -0.28), (0.6, -0.42),
                     (1.2, -0.46)])  # fmt: skip


class Head:
    """Coordinates on the head in the A pose."""

    def __init__(self, raw: RawBody) -> None:
        self.raw = raw
        points = raw.vertices[:N_BODY][raw.weight("head")[:N_BODY] > 0.6]
        low, high = points.min(0), points.max(0)
        self.centre, self.half = (low + high) / 2, (high - low) / 2
        self.centre[0] = 0.0

    def relative(self, rest: np.ndarray) -> np.ndarray:
        return (rest - self.centre) / self.half

    def hair(self, rest: np.ndarray) -> np.ndarray:
        """Positive where hair grows; negative over the ears and off the head."""
        p = self.relative(rest)
        return p[:, 2] - np.interp(p[:, 1], *HAIRLINE.T)


def hair(skin: Surface, head: Head, gender: str) -> tuple[Surface, list[Surface]]:
    """The head without its scalp, and the hair that covers it, thin and see-through towards its border."""
    near = head.relative(skin.rest)[:, 2] > -0.8
    value = np.where(near, head.hair(skin.rest), -1.0)
    scalp, _ = cut(skin, value)
    _, rest = cut(skin, value - 0.07)  # the skin goes on a little under the hair
    value = head.hair(scalp.rest)
    grow = np.clip(value / 0.42, 0, 1) ** 0.55
    cap = scalp.inflated(0.0012 + THICKNESS[gender] * grow).painted(HAIR[gender])
    cap = replace(cap, normal=vertex_normals(cap.at, cap.faces))
    strands = 1 + 0.10 * np.sin(
        9 * np.arctan2(cap.rest[:, 0], cap.rest[:, 1] - head.centre[1]) * 4 + 30 * cap.rest[:, 2]
    )
    cap.color[:] = np.clip(cap.color * strands[:, None], 0, 255)
    roots = np.clip(1 - value / 0.075, 0, 1)[:, None] ** 1.5
    cap.color[:] += 0.5 * roots * (0.82 * scalp.color - cap.color)
    return rest, [replace(cap, hair=1 - 0.5 * roots)]


def eyes(ball: Surface, centre: np.ndarray) -> list[Surface]:
    """White, iris and pupil, cut as circles about the line of sight (−y)."""
    radius = np.linalg.norm(ball.rest - centre, axis=1).mean()
    sideways = np.linalg.norm((ball.rest - centre)[:, [0, 2]], axis=1) + 0.05 * (ball.rest[:, 1] > centre[1])
    iris, white = cut(ball, 0.50 * radius - sideways)
    sideways = np.linalg.norm((iris.rest - centre)[:, [0, 2]], axis=1)
    pupil, iris = cut(iris, 0.22 * radius - sideways)
    return [white.painted((232, 228, 222)), iris.painted((92, 66, 46)), pupil.painted((22, 18, 16))]


def brow(skin: Surface, eye: np.ndarray, side: float, weights: np.ndarray, color) -> Surface:
    """A thin tapering strip laid on the face above the eye.

    Args:
        eye: (3,) centre of the eyeball, A pose.
        side: −1 right, 1 left.
        weights: (W,) skin weights of the strip.
    """
    u = np.linspace(-1, 1, 15)
    x = eye[0] + side * (0.004 + 0.0245 * u)
    z = eye[2] + 0.0225 + 0.0035 * (1 - u**2) - 0.0045 * np.clip(u, 0, 1) ** 2 + 0.001 * np.clip(u, 0, 1)
    half = 0.0034 * np.clip(1.15 - 0.9 * np.clip(u, 0, 1) ** 1.3, 0, 1) * np.clip((u + 1.25) * 2.2, 0.45, 1)
    rows = [_on_face(skin, x, z + k * half) for k in (-1.0, 0.0, 1.0)]
    at, normal, rest, delta = (np.concatenate([r[i] for r in rows]) for i in range(4))
    lift = np.repeat([0.0004, 0.0016, 0.0004], len(u))
    at = at + lift[:, None] * normal
    n = len(u)
    corner = (n * np.arange(2)[:, None] + np.arange(n - 1)).ravel()
    quads = corner[:, None] + np.array([0, 1, n + 1, n])
    if side < 0:
        quads = quads[:, ::-1]
    faces = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    strip = Surface(
        at, rest, normal, np.tile(weights, (len(at), 1)), np.zeros_like(at), np.zeros(len(at), int), faces,
        delta, np.full((len(at), 1), 0.5),  # brows grey less than hair
    )  # fmt: skip
    return strip.painted(color)


def _on_face(skin: Surface, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, ...]:
    """Where lines along y meet the front of the face: posed positions, normals, A-pose positions and deltas."""
    corners = skin.rest[skin.faces]
    near = (np.abs(corners[:, :, 0] - x.mean()) < 0.05).all(1) & (
        np.abs(corners[:, :, 2] - z.mean()) < 0.05
    ).all(1)
    faces, corners = skin.faces[near], corners[near]
    at: list[np.ndarray] = []
    normal: list[np.ndarray] = []
    rest: list[np.ndarray] = []
    delta: list[np.ndarray] = []
    for px, pz in zip(x, z, strict=True):
        a, b, c = (corners[:, k][:, [0, 2]] for k in range(3))
        det = np.cross(b - a, c - a)
        det = np.where(np.abs(det) < 1e-14, 1e-14, det)
        p = np.array([px, pz]) - a
        v, w = np.cross(p, c - a) / det, np.cross(b - a, p) / det
        inside = (v >= -1e-6) & (w >= -1e-6) & (v + w <= 1 + 1e-6)
        bary = np.stack([1 - v - w, v, w], 1)
        depth = np.where(inside, (bary * corners[:, :, 1]).sum(1), np.inf)
        best = int(np.argmin(depth))
        for out, field in ((at, skin.at), (normal, skin.normal), (rest, skin.rest), (delta, skin.delta)):
            out.append(bary[best] @ field[faces[best]])
    normals = np.array(normal)
    return (
        np.array(at),
        normals / np.linalg.norm(normals, axis=1, keepdims=True),
        np.array(rest),
        np.array(delta),
    )


def bun(cap: Surface, head_map: np.ndarray, head: Head, weights: np.ndarray, color) -> Surface:
    """A knot of hair at the back of the head."""
    from scenes.care.shapes import ball

    mesh = ball((0, 0, 0), (0.041, 0.034, 0.038), (0, 0, 0), 18, 11)
    centre = head.centre + head.half * np.array([0, 1.12, 0.22])
    rest = mesh.vertices + centre
    at = rest @ head_map[:3, :3].T + head_map[:3, 3]
    n = len(at)
    normals, faces = mesh.normals.astype(float), mesh.faces.astype(int)
    near = np.linalg.norm(cap.rest - centre, axis=1) < 0.06  # it goes where the hair under it goes
    delta = np.tile(cap.delta[near].mean(0), (n, 1))
    knot = Surface(at, rest, normals, np.tile(weights, (n, 1)), np.zeros_like(at), np.zeros(n, int), faces, delta,
                   np.ones((n, 1)))  # fmt: skip
    knot = knot.painted(color)
    swirl = 1 + 0.09 * np.sin(
        14 * np.arctan2(mesh.vertices[:, 0], mesh.vertices[:, 2]) + 500 * mesh.vertices[:, 1]
    )
    knot.color[:] = np.clip(knot.color * swirl[:, None], 0, 255)
    return join([knot])
