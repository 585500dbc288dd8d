"""From the A pose to our frames: one affine map per bone, linear-blend skinning, then the right arm's skin is drawn to
its capsules.

Each limb's map takes near joint to near joint and far joint to far joint, and the plane in which elbow or knee bends
to our frame's y-z plane; its cross-section is scaled as the torso is.
"""

from __future__ import annotations

import numpy as np

from scenes.care.assets.bake.anny_body import RawBody
from scenes.care.assets.bake.girth import N_BODY
from scenes.care.body import BodySize, arm_part_capsule

#: How far each joint of a finger is curled (degrees), from the knuckle outwards: a hand at rest.
FINGER_CURL = {"finger1": (4, 10, 12), "finger2": (14, 16, 12), "finger3": (18, 20, 14),
               "finger4": (21, 22, 16), "finger5": (23, 24, 18)}  # fmt: skip

#: How much each bone of the neck goes with the head.
NECK_SHARE = {"neck01": 0.15, "neck02": 0.45, "neck03": 0.8}


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.linalg.norm(v)


def _basis(direction: np.ndarray, hinge: np.ndarray) -> np.ndarray:
    """Columns x, y, z of a limb's frame in the rest pose: it points along −z and bends about x."""
    z = -_unit(direction)
    x = _unit(hinge - z * (hinge @ z))
    return np.stack([x, np.cross(z, x), z], 1)


def _translate(v: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, 3] = v
    return matrix


def _linear(m: np.ndarray) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = m
    return matrix


def _limb(
    raw: RawBody, near: str, far: str, hinge: np.ndarray, frame: np.ndarray, length: float, girth: float
):
    """Map of the limb between the heads of two bones to ``frame``, made ``length`` long and ``girth`` times as thick."""
    origin = raw.head(near)
    direction = raw.head(far) - origin
    scale = np.diag([girth, girth, length / np.linalg.norm(direction)])
    return frame @ _linear(scale @ _basis(direction, hinge).T) @ _translate(-origin)


def _turn_about(point: np.ndarray, axis: np.ndarray, degrees: float) -> np.ndarray:
    axis = _unit(axis)
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    a = np.radians(degrees)
    rotation = np.eye(3) + np.sin(a) * k + (1 - np.cos(a)) * k @ k
    return _translate(point) @ _linear(rotation) @ _translate(-point)


Frames = dict[str, np.ndarray]


def bone_maps(raw: RawBody, size: BodySize, frames: Frames) -> np.ndarray:
    """(B, 4, 4): where each bone takes the rest mesh, its joints onto ``frames``."""
    maps: dict[str, np.ndarray] = {}

    # torso: the similarity of the sagittal plane that takes hips and shoulders to ours
    hip, shoulder = raw.head("upperleg01.R"), raw.head("upperarm01.R")
    hip_to, shoulder_to = frames["right_thigh"][:3, 3], frames["upper_arm"][:3, 3]
    src, dst = (complex(*(b - a)[1:]) for a, b in ((hip, shoulder), (hip_to, shoulder_to)))
    scale = abs(dst) / abs(src)
    tilt = np.degrees(np.angle(dst / src))
    wide = shoulder_to[0] / shoulder[0]
    middle, middle_to = np.array([0, *hip[1:]]), np.array([0, *hip_to[1:]])
    torso = _translate(middle_to) @ _turn_about(np.zeros(3), np.array([1.0, 0, 0]), tilt)
    torso = torso @ _linear(np.diag([wide, scale, scale])) @ _translate(-middle)

    # head: straight, its middle where the head capsule's is
    of_head = raw.vertices[:N_BODY][raw.weight("head")[:N_BODY] > 0.6]
    centre = (of_head.min(0) + of_head.max(0)) / 2
    centre[0] = 0.0
    head = (
        frames["head"]
        @ _translate(np.array([0, -0.02, 0.085]))
        @ _linear(scale * np.eye(3))
        @ _translate(-centre)
    )

    for side, prefix, name in ((".R", "", "right"), (".L", "left_", "left")):
        upper, elbow, wrist = (raw.head(b + side) for b in ("upperarm01", "lowerarm01", "wrist"))
        hinge = -np.cross(elbow - upper, wrist - elbow)
        reach = size.forearm_l + size.forearm_r
        arm = _limb(
            raw,
            "upperarm01" + side,
            "lowerarm01" + side,
            hinge,
            frames[prefix + "upper_arm"],
            size.upper_arm_l,
            scale,
        )
        fore = _limb(
            raw, "lowerarm01" + side, "wrist" + side, hinge, frames[prefix + "forearm"], reach, scale
        )
        hand = _hand(raw, side, fore, frames[prefix + "hand"], scale)
        maps |= {"upperarm" + side: arm, "lowerarm" + side: fore, **hand}
        maps["shoulder01" + side] = 0.55 * torso + 0.45 * arm

        x = np.array([1.0, 0, 0])
        thigh = _limb(
            raw, "upperleg01" + side, "lowerleg01" + side, x, frames[f"{name}_thigh"], size.thigh_l, scale
        )
        knee, foot = frames[f"{name}_shin"], frames[f"{name}_foot"]
        shin = _limb(raw, "lowerleg01" + side, "foot" + side, x, knee, -size.foot_z, scale)
        ankle = raw.head("foot" + side)
        toe_out = -5.0 if side == ".R" else 5.0
        flat = _turn_about(np.zeros(3), np.array([0, 0, 1.0]), toe_out)
        sole = raw.vertices[:N_BODY][raw.weight("foot" + side, "toe")[:N_BODY] > 0.5][:, 2].min()
        drop = scale * (ankle[2] - sole)  # puts the sole just above the foot capsule's lowest line
        lift = np.array([0, 0.012, drop - 1.5 * size.foot_r + 0.012])
        maps["foot" + side] = foot @ _translate(lift) @ flat @ _linear(scale * np.eye(3)) @ _translate(-ankle)
        maps |= {"upperleg" + side: thigh, "lowerleg" + side: shin}

    result = np.tile(torso, (len(raw.bones), 1, 1))
    under_head = _descendants(raw, "head")
    for i, bone in enumerate(raw.bones):
        stem, side = bone.partition(".")[0], bone[-2:]
        if bone in maps:
            result[i] = maps[bone]
        elif stem[:8] in ("upperarm", "lowerarm", "upperleg", "lowerleg"):
            result[i] = maps[stem[:8] + side]
        elif stem.startswith("toe"):
            result[i] = maps["foot" + side]
        elif stem.startswith("neck"):
            share = NECK_SHARE[stem]
            result[i] = (1 - share) * torso + share * head
        elif bone in under_head:
            result[i] = head
    return result


def _descendants(raw: RawBody, root: str) -> set[str]:
    """Bones from ``root`` on: MakeHuman lists the head and the face last."""
    return set(raw.bones[raw.bones.index(root) :])


def _hand(
    raw: RawBody, side: str, fore: np.ndarray, frame: np.ndarray, scale: float
) -> dict[str, np.ndarray]:
    """Maps of wrist, metacarpals and fingers: turned with the forearm, levelled with our hand frame, curled."""
    wrist = raw.head("wrist" + side)
    rotation = fore[:3, :3] / np.linalg.norm(fore[:3, :3], axis=0)
    u, _, vt = np.linalg.svd(rotation)
    hand = _translate(frame[:3, 3]) @ _linear(scale * u @ vt) @ _translate(-wrist)
    # bend the wrist so that the middle knuckle lies on the hand frame's axis
    knuckle = hand[:3, :3] @ (raw.head("finger3-1" + side) - wrist)
    axis = np.cross(_unit(knuckle), -frame[:3, 2])
    angle = np.degrees(np.arcsin(np.linalg.norm(axis)))
    hand = _turn_about(frame[:3, 3], axis, angle) @ hand

    maps = {"wrist" + side: hand}
    maps |= {bone: hand for bone in raw.bones if bone.startswith("metacarpal") and bone.endswith(side)}
    across = raw.head("finger5-1" + side) - raw.head("finger2-1" + side)
    middle_finger = raw.head("finger3-2" + side) - raw.head("finger3-1" + side)
    palm = np.cross(across, middle_finger) * (1 if side == ".R" else -1)
    palm *= np.sign(
        palm @ (raw.tails[raw.bones.index("finger3-3" + side)] - raw.head("finger3-1" + side)) or 1
    )
    for finger, curls in FINGER_CURL.items():
        chain = hand
        for joint, degrees in enumerate(curls, 1):
            bone = f"{finger}-{joint}{side}"
            i = raw.bones.index(bone)
            along = raw.tails[i] - raw.heads[i]
            axis = np.cross(along, palm)
            chain = chain @ _turn_about(raw.heads[i], axis, degrees)
            maps[bone] = chain
    return maps


def pose(raw: RawBody, maps: np.ndarray) -> np.ndarray:
    """(V, 3) posed vertices."""
    blended = np.einsum("vb,bij->vij", raw.weights, maps[:, :3])
    return np.einsum("vij,vj->vi", blended[:, :, :3], raw.vertices) + blended[:, :, 3]


# ------------------------------------------------------------------------------------------ the itchy arm's skin
def _smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


#: Where along each part the skin is drawn to the capsule: axial start and end of the fade-in, of the fade-out.
_FADES = {"upper_arm": (-0.05, 0.30, 0.88, 1.12), "forearm": (-0.02, 0.22, 1.0, 1.22)}
#: 1 makes every section exactly as thick as the capsule; less leaves some of the muscle's own shape.
_STRENGTH = 0.82


def hug(raw: RawBody, points: np.ndarray, size: BodySize, frames: Frames, girth: float) -> np.ndarray:
    """Shift and scale the right arm's cross-sections so that the skin lies on the contact capsules, ``girth`` × theirs."""
    points = points.copy()
    for part, bones in (
        ("upper_arm", ("upperarm01.R", "upperarm02.R")),
        ("forearm", ("lowerarm01.R", "lowerarm02.R")),
    ):
        radius, length = arm_part_capsule(size, part)
        inverse = np.linalg.inv(frames[part])
        local = points @ inverse[:3, :3].T + inverse[:3, 3]
        axial = -local[:, 2] / length
        share = raw.weight(*bones)
        skin = np.flatnonzero((share > 0.5) & (np.arange(len(points)) < N_BODY))
        centres, radii, at = _sections(local[skin], axial[skin])
        low0, low1, high0, high1 = _FADES[part]
        amount = (
            _smoothstep(low0, low1, axial)
            * (1 - _smoothstep(high0, high1, axial))
            * _smoothstep(0.15, 0.75, share)
        )
        shift = np.stack([np.interp(axial, at, centres[:, k]) for k in range(2)], 1)
        factor = (girth * radius / np.interp(axial, at, radii)) ** _STRENGTH
        wanted = (local[:, :2] - shift) * factor[:, None]
        local[:, :2] += amount[:, None] * (wanted - local[:, :2])
        points = local @ frames[part][:3, :3].T + frames[part][:3, 3]
    return points


def _sections(local: np.ndarray, axial: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centre (n, 2) and mean radius (n,) of the limb's cross-sections at axial positions (n,)."""
    at = np.linspace(0.05, 0.98, 16)
    centres, radii = np.zeros((len(at), 2)), np.zeros(len(at))
    for i, t in enumerate(at):
        off = np.abs(axial - t)
        ring = local[
            off < max(0.05, np.sort(off)[12]), :2
        ]  # loops of vertices lie further apart on some shapes
        centre = ring.mean(0)
        for _ in range(
            8
        ):  # the mean over directions, not over vertices: their density differs around the arm
            angle = np.arctan2(*(ring - centre).T[::-1])
            sector = np.digitize(angle, np.linspace(-np.pi, np.pi, 13))
            means = np.array([ring[sector == k].mean(0) for k in range(1, 13) if (sector == k).any()])
            centre = means.mean(0)
        centres[i], radii[i] = centre, np.linalg.norm(means - centre, axis=1).mean()
    kernel = np.array([0.25, 0.5, 0.25])
    smooth = lambda x: np.convolve(np.pad(x, 1, mode="edge"), kernel, "valid")  # noqa: E731
    return np.stack([smooth(centres[:, 0]), smooth(centres[:, 1])], 1), smooth(radii), at
