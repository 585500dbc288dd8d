"""What a scene looks like: the contract of VisualModel, and that skin and contact shapes agree."""

from __future__ import annotations

import numpy as np
import pytest

from scenes.care.body import GENDERS, SIZES, arm_part_capsule, capsules, seated_frames, surface_coordinates
from scenes.care.furniture import wheelchair_boxes, wheelchair_mesh
from scenes.care.looks import build_visual_model
from scenes.care.robots import ROBOTS
from scenes.care.tiny_render import TinyPicture
from scenes.care.tools.scratcher import SCRATCHER
from scenes.errors import InputError

SCENES = [(gender, robot) for gender in GENDERS for robot in ROBOTS]


@pytest.mark.parametrize(("gender", "robot"), SCENES)
def test_the_model_keeps_its_contract(gender: str, robot: str) -> None:
    model = build_visual_model(gender, robot)
    n, k = len(model.vertices), len(model.frames)
    assert model.frames[:7] == (
        "world", "person/torso", "person/pecs", "person/upper_arm", "person/forearm", "person/hand", "person/head",
    )  # fmt: skip
    assert model.frames[7:] == (*(f"robot/{link.name}" for link in ROBOTS[robot].links), "tool")
    for array, shape, dtype in [
        (model.vertices, (n, 3), np.float32), (model.normals, (n, 3), np.float32), (model.colors, (n, 3), np.uint8),
        (model.bones, (n, 4), np.uint8), (model.weights, (n, 4), np.float32), (model.surface, (n, 3), np.float32),
        (model.rest_poses, (k, 7), np.float32),
    ]:  # fmt: skip
        assert array.shape == shape
        assert array.dtype == dtype
        assert np.isfinite(array).all()
    assert model.faces.dtype == np.uint32
    assert model.faces.max() < n
    assert model.bones.max() < k
    np.testing.assert_allclose(model.weights.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(model.normals, axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(np.linalg.norm(model.rest_poses[:, 3:], axis=1), 1, atol=1e-5)
    assert len(model.faces) <= 47_000


@pytest.mark.parametrize(("gender", "robot"), SCENES)
def test_faces_turn_outwards(gender: str, robot: str) -> None:
    model = build_visual_model(gender, robot)
    a, b, c = (model.vertices[model.faces[:, k]] for k in range(3))
    flat = np.cross(b - a, c - a)
    agree = (flat * model.normals[model.faces].mean(1)).sum(1) > 0
    area = np.linalg.norm(flat, axis=1)
    assert area[agree].sum() > 0.985 * area.sum()


@pytest.mark.parametrize(("person", "robot"), [("child", "jaco"), ("male", "r2d2")])
def test_an_unknown_person_or_robot_is_refused(person: str, robot: str) -> None:
    with pytest.raises(InputError):
        build_visual_model(person, robot)


@pytest.mark.parametrize("gender", GENDERS)
@pytest.mark.parametrize("part", ["upper_arm", "forearm"])
def test_skin_lies_on_the_contact_capsule(gender: str, part: str) -> None:
    """Contact happens on the capsule and the belief is painted on the skin: they may not be far apart."""
    model = build_visual_model(gender, "jaco")
    radius, length = arm_part_capsule(SIZES[gender], part)
    mine = model.surface[:, 0] == model.parts.index(part) + 1
    inverse = np.linalg.inv(seated_frames(gender)[part])
    local = model.vertices[mine] @ inverse[:3, :3].T + inverse[:3, 3]
    off = np.abs(np.hypot(local[:, 0], local[:, 1]) - radius)
    middle = (local[:, 2] < -0.05 * length) & (local[:, 2] > -0.95 * length)
    assert mine.sum() > 500
    assert np.median(off) < 0.006
    assert np.quantile(off[middle], 0.9) < 0.013


@pytest.mark.parametrize("gender", GENDERS)
def test_surface_coordinates_are_those_of_the_body(gender: str) -> None:
    model = build_visual_model(gender, "jaco")
    rng = np.random.default_rng(0)
    for index, part in enumerate(model.parts):
        inverse = np.linalg.inv(seated_frames(gender)[part])
        for v in rng.choice(np.flatnonzero(model.surface[:, 0] == index + 1), 25):
            point = inverse[:3, :3] @ model.vertices[v] + inverse[:3, 3]
            axial, angle = surface_coordinates(SIZES[gender], part, point)
            assert model.surface[v, 1] == pytest.approx(axial, abs=1e-4)
            assert abs(np.angle(np.exp(1j * (model.surface[v, 2] - angle)))) < 1e-3


@pytest.mark.parametrize("gender", GENDERS)
def test_no_triangle_lies_on_two_parts(gender: str) -> None:
    """The painted map would smear across the elbow; parts are cut apart along rings."""
    model = build_visual_model(gender, "jaco")
    assert np.ptp(model.surface[model.faces][:, :, 0], axis=1).max() == 0
    for index in (1, 2):
        axial = model.surface[model.surface[:, 0] == index, 1]
        assert axial.min() < 0.05
        assert axial.max() > 0.95


@pytest.mark.parametrize("gender", GENDERS)
def test_the_drawn_person_fills_the_collision_shapes(gender: str) -> None:
    """Joints coincide: around each capsule of a limb there is skin or cloth within 6 cm of its surface."""
    model = build_visual_model(gender, "jaco")
    body = model.vertices[np.isin(model.bones[:, 0], range(1, 7))]
    frames = seated_frames(gender)
    for capsule in capsules(gender):
        if not any(word in capsule.segment for word in ("arm", "thigh", "shin", "foot", "head")):
            continue
        frame = frames[capsule.segment]
        a, b = (frame[:3, :3] @ np.array(end) + frame[:3, 3] for end in (capsule.a, capsule.b))
        for t in (0.2, 0.5, 0.8):
            distance = np.linalg.norm(body - (a + t * (b - a)), axis=1).min()
            assert distance < capsule.radius + 0.06, capsule.segment


def test_upstreams_robots_stand_where_upstream_mounts_them() -> None:
    """The wheelchair's origin (0, 0, 0.06) plus Assistive Gym's offsets."""
    for name, offset in {"jaco": (-0.35, -0.30, 0.30), "panda": (-0.40, -0.35, 0.20)}.items():
        pose = ROBOTS[name].mounts["wheelchair"].pose
        np.testing.assert_allclose(pose[:3, 3], np.add((0, 0, 0.06), offset), atol=1e-9)
        np.testing.assert_allclose(pose[:3, 0], (0, -1, 0), atol=1e-9)


def test_the_tool_stays_inside_its_contact_shapes() -> None:
    points = SCRATCHER.mesh().vertices.astype(float)
    handle = (np.abs(points) <= 0.0251).all(1)
    along = np.clip(points[:, 0], 0.025, 0.075)
    shaft = np.linalg.norm(points - np.column_stack([along, 0 * along, 0 * along]), axis=1) <= 0.0101
    assert (handle | shaft).all()
    assert points[:, 0].max() == pytest.approx(0.085, abs=5e-4)


@pytest.mark.parametrize("gender", GENDERS)
def test_the_wheelchairs_boxes_lie_where_it_is_drawn(gender: str) -> None:
    drawn = wheelchair_mesh(gender).vertices
    boxes = wheelchair_boxes(gender)
    assert len(boxes) <= 12
    for box in boxes:
        low, high = (np.array(box.centre) + s * np.array(box.half_extents) for s in (-1.02, 1.02))
        assert ((drawn > low) & (drawn < high)).all(1).sum() > 8, box.name
        assert (low > drawn.min(0) - 0.03).all()
        assert (high < drawn.max(0) + 0.03).all()


def test_the_software_picture_shows_the_scene() -> None:
    model = build_visual_model("female", "jaco")
    picture = TinyPicture(model)
    try:
        image = picture.draw(model.rest_poses, (-1.5, -1.7, 1.4), (0, -0.1, 0.7), 36, 96, 72)
        empty = picture.draw(model.rest_poses, (-1.5, -1.7, 1.4), (-3, -3.5, 2.0), 36, 96, 72)
    finally:
        picture.close()
    assert image.shape == (72, 96, 3)
    assert image.dtype == np.uint8
    assert np.ptp(empty.astype(int), axis=1).max() == 0, "nothing there: each row is one colour"
    assert (image != empty).any(2).mean() > 0.1
