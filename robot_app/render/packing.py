"""A VisualModel as the bytes and tables that LiveRenderer hands to OpenGL."""

from __future__ import annotations

import moderngl
import numpy as np

from scenes.visual import VisualModel

#: Attributes of a vertex: name in the shader, moderngl format, bytes.
_LAYOUT = (
    ("in_position", "3f", 12),
    ("in_normal", "3f", 12),
    ("in_color", "4f1", 4),
    ("in_bones", "4u1", 4),
    ("in_weights", "4f", 16),
    ("in_surface", "4f", 16),
)


def _gloss(frames: tuple[str, ...]) -> np.ndarray:
    """(K,) how polished what rides on each frame is; below 0.3 it may be painted on."""
    kinds = {"person": 0.04, "robot": 0.9, "tool": 0.6}
    return np.array([kinds.get(name.split("/")[0], 0.42) for name in frames])


def vertex_data(model: VisualModel) -> np.ndarray:
    """(V,) structured array: position, normal, colour and gloss, bones, weights, and the surface coordinates.

    The angle goes as cosine and sine, so that it can be interpolated across ±π.
    """
    vertex = np.zeros(
        len(model.vertices),
        [("p", "f4", 3), ("n", "f4", 3), ("c", "u1", 4), ("b", "u1", 4), ("w", "f4", 4), ("s", "f4", 4)],
    )
    vertex["p"], vertex["n"], vertex["c"][:, :3] = model.vertices, model.normals, model.colors
    order = np.argsort(-model.weights, axis=1, kind="stable")  # the shader's shortcut wants the largest first
    vertex["b"] = np.take_along_axis(model.bones, order, 1)
    vertex["w"] = np.take_along_axis(model.weights, order, 1)
    vertex["c"][:, 3] = np.round(255 * _gloss(model.frames)[vertex["b"][:, 0]])
    part, axial, angle = model.surface.T
    vertex["s"] = np.stack([part, axial, np.cos(angle), np.sin(angle)], 1)
    return vertex


def vertex_layout(program: moderngl.Program) -> tuple[str, ...]:
    """moderngl's format of :func:`vertex_data` and the attribute names, padding what ``program`` does not use."""
    pieces = [(form if name in program else f"{size}x") for name, form, size in _LAYOUT]
    return (" ".join(pieces), *(name for name, _, _ in _LAYOUT if name in program))


def paintable_first(model: VisualModel) -> tuple[np.ndarray, int]:
    """(F, 3) uint32 faces, those of the person's moving arm first, then nearer things before the furniture.

    Returns:
        the faces, and how many indices the first group takes.
    """
    frames = [name.split("/")[-1] if name.startswith("person/") else "" for name in model.frames]
    arm = np.array([name in ("upper_arm", "forearm", "hand") for name in frames])
    on_arm = (model.weights * arm[model.bones]).sum(1) > 0.3
    may = (on_arm | (model.surface[:, 0] > 0.5))[model.faces].all(1)
    main = model.bones[np.arange(len(model.bones)), np.argmax(model.weights, 1)][model.faces[:, 0]]
    order = np.lexsort((main == 0, ~may))  # what is drawn first hides the rest cheaply
    return np.ascontiguousarray(model.faces[order], np.uint32), 3 * int(may.sum())


def contact_shadow(height: np.ndarray, texel: float) -> np.ndarray:
    """Darkness (n, n) uint8 of the floor under a scene.

    Args:
        height: (n, n) m above the floor of the lowest thing over each texel.
        texel: size of a texel, m.

    What is higher darkens less and more softly.
    """
    from scipy.ndimage import gaussian_filter

    light = np.ones(height.shape)
    for low, high, strength in ((-1, 0.06, 0.9), (0.06, 0.2, 0.75), (0.2, 0.5, 0.6), (0.5, 1.45, 0.4)):
        mask = ((height >= low) & (height < high)).astype(float)
        light *= 1 - strength * gaussian_filter(mask, (0.02 + 0.42 * min(high, 0.8)) / texel)
    return np.clip(255 * (1 - light), 0, 255).astype(np.uint8)
