"""The person by age, weight and height, seated and lying: sizes, frames, and that the drawn skin follows."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from scipy.spatial import ConvexHull, cKDTree

from scenes.care.body import (
    ARM_PARTS,
    GENDERS,
    MATTRESS_TOP_M,
    POSTURES,
    SIZES,
    BodySpec,
    arm_part_capsule,
    body_size,
    capsules,
    lying_frames,
    mouth,
    posture_frames,
    seated_frames,
)
from scenes.care.person_mesh import ASSETS, MOVING_SEGMENTS, PersonMesh, person_mesh
from scenes.errors import InputError


def extremes(gender: str) -> dict[str, BodySpec]:
    """The reference and the corners of what a person may be."""
    light, heavy = BodySpec(gender).weight_range_kg
    low, high = {"male": (1.55, 1.95), "female": (1.45, 1.85)}[gender]
    return {
        "reference": BodySpec(gender),
        "young and light": BodySpec(gender, 18, light),
        "young and heavy": BodySpec(gender, 18, heavy),
        "old and light": BodySpec(gender, 90, light),
        "old and heavy": BodySpec(gender, 90, heavy),
        "short": BodySpec(gender, 50, None, low),
        "tall": BodySpec(gender, 50, None, high),
    }


NAMES = tuple(extremes("male"))
EVERYBODY = [(gender, posture, name) for gender in GENDERS for posture in POSTURES for name in NAMES]


@cache
def look(gender: str, posture: str, name: str) -> PersonMesh:
    return person_mesh(extremes(gender)[name], posture)


# ------------------------------------------------------------------------------------------------------- sizes
@pytest.mark.parametrize("gender", GENDERS)
def test_the_defaults_are_the_reference_bodies(gender: str) -> None:
    assert body_size(BodySpec(gender)) == SIZES[gender]
    reference = BodySpec(gender, 30.0, SIZES[gender].mass, {"male": 1.755, "female": 1.625}[gender])
    assert body_size(reference) == SIZES[gender]
    assert capsules(BodySpec(gender)) == capsules(gender)


def test_lengths_go_with_height_and_radii_with_the_root_of_weight_over_height() -> None:
    spec = BodySpec("male", 30, 100.0, 1.90)
    size, reference = body_size(spec), SIZES["male"]
    length, radius = 1.90 / 1.755, math.sqrt((100.0 / 78.4) / (1.90 / 1.755))
    assert size.mass == 100.0
    for name in ("upper_arm_l", "thigh_l", "neck_z", "upper_arm_x", "base_height", "foot_l"):
        assert getattr(size, name) == pytest.approx(length * getattr(reference, name)), name
    for name in ("upper_arm_r", "forearm_r", "waist_r", "thigh_r", "chest_r"):
        assert getattr(size, name) == pytest.approx(radius * getattr(reference, name)), name
    for name in ("hand_r", "foot_r", "head_r"):  # little fat there
        assert getattr(size, name) == pytest.approx(length * getattr(reference, name)), name
    # a limb of the reference's density then has its share of the weight
    volume = size.thigh_r**2 * size.thigh_l / (reference.thigh_r**2 * reference.thigh_l)
    assert volume == pytest.approx(100.0 / 78.4)


def test_without_a_weight_the_body_mass_index_stays() -> None:
    assert BodySpec("female", height_m=1.80).weight == pytest.approx(62.5 * (1.80 / 1.625) ** 2)


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ({"age_years": 17}, "18 to 90"),
        ({"age_years": 91}, "18 to 90"),
        ({"age_years": math.nan}, "18 to 90"),
        ({"age_years": "old"}, "18 to 90"),
        ({"height_m": 1.40}, "1.55 to 1.95"),
        ({"height_m": True}, "1.55 to 1.95"),
        ({"weight_kg": 40.0}, "56.7 to 122.5 kg at 1.75 m"),
        ({"weight_kg": 100.0, "height_m": 1.55}, "39.1 to 84.3 kg at 1.55 m"),
        ({"gender": "robot"}, "male, female"),
    ],
)
def test_a_person_out_of_range_is_refused_with_the_range(given: dict, allowed: str) -> None:
    with pytest.raises(InputError) as error:
        BodySpec(**given)
    assert allowed in str(error.value)


@pytest.mark.parametrize("gender", GENDERS)
@pytest.mark.parametrize("height", [0.0, 0.5, 1.0])
def test_the_ends_of_the_weight_range_are_allowed(gender: str, height: float) -> None:
    low, high = {"male": (1.55, 1.95), "female": (1.45, 1.85)}[gender]
    metres = low + height * (high - low)
    light, heavy = BodySpec(gender, height_m=metres).weight_range_kg
    assert 0.85 <= BodySpec(gender, 30, light, metres).girth < 0.853
    assert 1.247 < BodySpec(gender, 30, heavy, metres).girth <= 1.25


# ---------------------------------------------------------------------------------------------------- postures
SEATED_HAND = (-0.3185, -0.26, 0.7898789123441416)
SEATED_FOOT = (0.092, -0.42863596520126934, 0.17641738020174502)


def test_the_seated_person_is_where_it_always_was() -> None:
    """Recorded returns and exactness depend on it; digits of the pose the project began with."""
    hand, foot = seated_frames("male")["hand"], seated_frames("female")["left_foot"]
    np.testing.assert_array_equal(hand[:3, 3], SEATED_HAND)
    np.testing.assert_array_equal(foot[:3, 3], SEATED_FOOT)


@pytest.mark.parametrize("gender", GENDERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_lying_person_rests_on_the_mattress(gender: str, name: str) -> None:
    body = extremes(gender)[name]
    frames = lying_frames(body)
    assert frames["head"][1, 3] > frames["hips"][1, 3] > frames["right_foot"][1, 3]
    np.testing.assert_allclose(frames["chest"][:3, :3] @ [0, -1, 0], [0, 0, 1], atol=1e-12)  # face up
    assert frames["left_thigh"][0, 3] > frames["right_thigh"][0, 3]
    low: dict[str, float] = {}
    for capsule in capsules(body):
        ends = [frames[capsule.segment] @ np.array([*end, 1.0]) for end in (capsule.a, capsule.b)]
        low[capsule.segment] = min(end[2] for end in ends) - capsule.radius - MATTRESS_TOP_M
    assert min(low.values()) > -1e-9, "nothing sinks in"
    assert min(low["hips"], low["chest"]) == pytest.approx(0, abs=1e-9)
    for part in ("upper_arm", "left_upper_arm", "hand", "left_hand"):
        assert low[part] < 0.002, part
    for foot in ("right_foot", "left_foot"):
        assert low[foot] < 0.002
    assert 0.03 < low["head"] < 0.13, "room for a pillow"


def test_the_right_arm_of_a_lying_person_can_be_put_elsewhere() -> None:
    beside, hanging = lying_frames("male"), lying_frames("male", {"shoulder_y": 60.0, "elbow": -70.0})
    for name in beside:
        moved = not np.allclose(beside[name], hanging[name])
        assert moved == (name in ("upper_arm", "forearm", "hand")), name
    along = -hanging["upper_arm"][:3, 2]
    assert math.degrees(math.atan2(-along[0], -along[1])) == pytest.approx(60.0)


def test_unknown_postures_and_joints_are_refused() -> None:
    with pytest.raises(InputError, match="seated, lying"):
        posture_frames("male", "standing")
    with pytest.raises(InputError, match="shoulder_y"):
        lying_frames("male", {"knee": 3.0})
    with pytest.raises(InputError, match="seated, lying"):
        person_mesh(BodySpec("male"), "standing")


# -------------------------------------------------------------------------------------------------- the look
@pytest.mark.parametrize(("gender", "posture", "name"), EVERYBODY)
def test_a_look_is_well_formed(gender: str, posture: str, name: str) -> None:
    person = look(gender, posture, name)
    n = len(person.mesh.vertices)
    assert person.weights.shape == (n, len(MOVING_SEGMENTS))
    np.testing.assert_allclose(person.weights.sum(1), 1, atol=1e-5)
    assert np.isfinite(person.mesh.vertices).all()
    np.testing.assert_allclose(np.linalg.norm(person.mesh.normals, axis=1), 1, atol=1e-5)
    a, b, c = (person.mesh.vertices[person.mesh.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    agree = (flat * person.mesh.normals[person.mesh.faces].mean(1)).sum(1) > 0
    area = np.linalg.norm(flat, axis=1)
    assert area[agree].sum() > 0.98 * area.sum()


@pytest.mark.parametrize(("gender", "posture", "name"), EVERYBODY)
def test_the_arms_skin_lies_on_its_capsules(gender: str, posture: str, name: str) -> None:
    """Contact happens on the capsule and is drawn on the skin, for every body."""
    person, body = look(gender, posture, name), extremes(gender)[name]
    frames = posture_frames(body, posture)
    for index, part in enumerate(ARM_PARTS):
        radius, length = arm_part_capsule(body_size(body), part)
        inverse = np.linalg.inv(frames[part])
        local = person.mesh.vertices[person.surface[:, 0] == index + 1] @ inverse[:3, :3].T + inverse[:3, 3]
        off = np.abs(np.hypot(local[:, 0], local[:, 1]) - radius)
        middle = (local[:, 2] < -0.05 * length) & (local[:, 2] > -0.95 * length)
        assert np.median(off) < 0.006
        assert np.quantile(off[middle], 0.9) < (0.013 if name == "reference" else 0.016)


def _off_the_skin(person: PersonMesh, body: BodySpec, posture: str) -> dict[str, float]:
    """Segment → median height (m) of its capsule's free surface over the skin; negative inside."""
    rng = np.random.default_rng(0)
    frames, tree = posture_frames(body, posture), cKDTree(person.mesh.vertices)
    ends = []
    for capsule in capsules(body):
        frame = frames[capsule.segment]
        a, b = (frame[:3, :3] @ np.array(end) + frame[:3, 3] for end in (capsule.a, capsule.b))
        ends.append((capsule.segment, a, b, capsule.radius))

    def distance(points: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        share = np.clip((points - a) @ (b - a) / max(float((b - a) @ (b - a)), 1e-12), 0, 1)
        return np.linalg.norm(points - a - share[:, None] * (b - a), axis=1)

    result = {}
    for segment, a, b, radius in ends:
        around = rng.normal(size=(400, 3))
        along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-12)
        around -= np.outer(around @ along, along)
        around /= np.linalg.norm(around, axis=1, keepdims=True)
        points = a + rng.uniform(size=(400, 1)) * (b - a) + radius * around
        for other, c, d, r in ends:
            if other != segment:
                points = points[distance(points, c, d) > r]
        if len(points) > 10:
            _, near = tree.query(points)
            over = ((points - person.mesh.vertices[near]) * person.mesh.normals[near]).sum(1)
            result[segment] = float(np.median(over))
    return result


#: How far a capsule's free surface may stand out of the skin (median, m). The torso's capsules are round, a seated
#: belly and a pair of hips are not: theirs stand out at the sides, as upstream's do.
TOLERANCES = {"arm": 0.010, "hand": 0.010, "head": 0.008, "shin": 0.002, "foot": 0.015, "thigh": 0.016,
              "neck": 0.020, "pecs": 0.020, "chest": 0.035, "waist": 0.035, "hips": 0.065}  # fmt: skip


@pytest.mark.parametrize(("gender", "posture", "name"), EVERYBODY)
def test_capsules_stay_at_or_inside_the_skin(gender: str, posture: str, name: str) -> None:
    found = _off_the_skin(look(gender, posture, name), extremes(gender)[name], posture)
    assert len(found) >= 17
    for segment, median in found.items():
        limit = next(value for word, value in TOLERANCES.items() if word in segment)
        assert -0.04 < median < limit, f"{segment}: {1e3 * median:.0f} mm"


@pytest.mark.parametrize(("gender", "posture", "name"), EVERYBODY)
def test_the_mouth_is_where_the_lips_are_drawn(gender: str, posture: str, name: str) -> None:
    person, body = look(gender, posture, name), extremes(gender)[name]
    frame = posture_frames(body, posture)["head"]
    local = (person.mesh.vertices - frame[:3, 3]) @ frame[:3, :3]
    colors = person.mesh.colors.astype(float)
    lower_face = (person.weights[:, -1] > 0.8) & (local[:, 1] < -0.08) & (np.abs(local[:, 0]) < 0.012)
    lower_face &= (local[:, 2] < 0.05) & (colors[:, 0] > 110)
    redness = np.where(lower_face, colors[:, 0] / colors[:, 1], 0.0)
    lips = local[np.argsort(-redness)[:24]]
    assert np.linalg.norm(lips.mean(0) - mouth(body)) < 0.010
    nearest = np.linalg.norm(local - mouth(body), axis=1).min()
    assert nearest < 0.008, "on the face, not before it or in it"


@pytest.mark.parametrize("gender", GENDERS)
@pytest.mark.parametrize("age", [25, 85])
def test_an_open_mouth_parts_the_lips_and_moves_no_more_than_the_jaw(gender: str, age: float) -> None:
    body = BodySpec(gender, age)
    shut, ajar = person_mesh(body, "seated"), person_mesh(body, "seated", 1.0)
    frame = seated_frames(body)["head"]
    local = (shut.mesh.vertices - frame[:3, 3]) @ frame[:3, :3] - mouth(body)
    moved = (ajar.mesh.vertices - shut.mesh.vertices)[:, 2]
    lips = (np.abs(local[:, 0]) < 0.01) & (np.abs(local[:, 1]) < 0.012)
    upper = lips & (local[:, 2] > 0.003) & (local[:, 2] < 0.010)
    lower = lips & (local[:, 2] < -0.003) & (local[:, 2] > -0.010)
    assert np.median(moved[upper]) - np.median(moved[lower]) > 0.010
    far = np.linalg.norm(local, axis=1) > 0.14
    assert np.abs(moved[far]).max() < 1e-3
    with pytest.raises(InputError, match="0 to 1"):
        person_mesh(body, "seated", 1.5)


@pytest.mark.parametrize("gender", GENDERS)
def test_the_head_moves_as_one_piece_with_its_hair_and_eyes(gender: str) -> None:
    person = look(gender, "seated", "reference")
    above = person.mesh.vertices[:, 2] > seated_frames(gender)["head"][2, 3] + 0.03
    face = above & (person.mesh.vertices[:, 1] < -0.05)
    assert face.sum() > 500
    assert person.weights[face, MOVING_SEGMENTS.index("head")].min() > 0.9


def _waist_girth(body: BodySpec) -> float:
    """m, around the lying torso at the waist's frame."""
    person, frame = person_mesh(body, "lying"), lying_frames(body)["waist"]
    local = (person.mesh.vertices - frame[:3, 3]) @ frame[:3, :3]
    slab = (np.abs(local[:, 2]) < 0.025) & (person.weights[:, 0] > 0.95) & (np.abs(local[:, 0]) < 0.25)
    return float(ConvexHull(local[slab][:, :2]).area)


@pytest.mark.parametrize("gender", GENDERS)
@pytest.mark.parametrize("age", [20, 85])
def test_who_weighs_more_is_wider_at_the_waist(gender: str, age: float) -> None:
    light, heavy = BodySpec(gender).weight_range_kg
    weights = np.linspace(light, heavy, 5)
    girths = [_waist_girth(BodySpec(gender, age, float(weight))) for weight in weights]
    assert (np.diff(girths) > 0.01).all(), girths
    assert girths[-1] / girths[0] > 1.2


@pytest.mark.parametrize("gender", GENDERS)
def test_age_changes_face_and_hair_and_no_size(gender: str) -> None:
    young, old = BodySpec(gender, 25), BodySpec(gender, 80)
    assert body_size(young) == body_size(old)
    a, b = person_mesh(young, "seated"), person_mesh(old, "seated")
    face = (a.weights[:, -1] > 0.9) & (a.mesh.vertices[:, 1] < -0.05)
    moved = np.linalg.norm(a.mesh.vertices - b.mesh.vertices, axis=1)[face]
    assert 0.002 < np.median(moved) < 0.02
    top = np.argsort(-a.mesh.vertices[:, 2])[:100]  # hair
    assert b.mesh.colors[top].mean() > a.mesh.colors[top].mean() + 50
    assert np.ptp(b.mesh.colors[top].astype(int), axis=1).max() < 30, "grey"


@pytest.mark.parametrize("gender", GENDERS)
@pytest.mark.parametrize("posture", POSTURES)
def test_the_reference_is_drawn_as_it_was_baked(gender: str, posture: str) -> None:
    path = ASSETS / f"person_{gender}_{posture}.npz"
    assert path.stat().st_size < 1_000_000
    with np.load(path) as data:
        np.testing.assert_array_equal(person_mesh(BodySpec(gender), posture).mesh.vertices, data["vertices"])
