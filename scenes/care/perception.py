"""How the person sits: a depth camera's cloud, registered to the body model.

    finder = BodyFinder(body_of(scene.visual_model()), scene.poses())   # the person as expected
    found = finder.find(scene_camera(scene, noise_m=0.002).capture(poses).cloud())

Point-to-plane ICP (Chen & Medioni, *Object modelling by registration of multiple range images*, 1992; Open3D's
``registration_icp``), the partial cloud onto the whole body, never view onto view: two views share too little of a
round body and slide along it.

Nothing is used that a depth camera does not give: no labels, no knowledge of robot or furniture. Their points leave in
three ways: only points within a stage's reach of the body take part, only where cloud and body face the same way (a
chair's back faces the person's), and Tukey's loss gives no weight to what then still lies apart.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scenes.care.body_surface import PERSON_PREFIX, BodySurface, sample_surface
from scenes.care.point_cloud import PointCloud
from scenes.errors import InputError
from scenes.skinning import pose_matrices
from scenes.visual import VisualModel

#: Coarse to fine: edge of the voxels that thin the cloud, and how far from the body a point may lie (m).
STAGES: tuple[tuple[float, float], ...] = ((0.03, 0.15), (0.03, 0.08), (0.03, 0.04), (0.012, 0.02))
#: Selections per stage; each is followed by an ICP of at most ITERATIONS steps.
ROUNDS = 2
ITERATIONS = 10
#: Cosine above which cloud and body face the same way.
AGREEMENT = 0.7
#: Points this near the body's surface are explained by it; points within NEARBY_M should be, or are something else's.
MATCHED_M, NEARBY_M = 0.01, 0.04
#: Distance between the points that stand for the body.
SPACING_M = 0.01
FEWEST_POINTS = 100
#: A search of less fitness has failed (``python -m benchmarks.perception`` counts the exceptions).
TRUSTED_FITNESS = 0.85
#: How far to the side of the first guess further searches start.
ASIDE_M, ASIDE_RAD = 0.10, math.radians(12)


@dataclass(frozen=True)
class Registration:
    """Where the person was found.

    Attributes:
        pose: (4, 4): takes the body model, as it was expected, to where the person is (m, world).
        fitness: of the points within 4 cm of the body and facing as it does, the share within 1 cm of its surface.
        rms_m: of the distances of those within 1 cm: noise, and what the model does not know.
        n_points: how many those are.
        seconds: wall clock.
    """

    pose: np.ndarray
    fitness: float
    rms_m: float
    n_points: int
    seconds: float


class BodyFinder:
    """The body model that clouds are registered to.

    Args:
        body: of :func:`~scenes.care.body_surface.body_of`.
        poses: (K, 7) of its frames as expected; the arm's among them, since the body moves as one piece.
    """

    def __init__(self, body: VisualModel, poses: np.ndarray) -> None:
        import open3d
        from scipy.spatial import cKDTree

        surface = BodySurface(body, poses)
        samples, _ = sample_surface(body, surface.vertices, SPACING_M)
        points = samples.of(body, surface.vertices)
        _, kept = np.unique(np.floor(points / SPACING_M).astype(int), axis=0, return_index=True)
        self._points, normals = points[kept], samples.of(body, surface.normals)[kept]
        self._normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
        self._tree = cKDTree(self._points)
        self._model = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(self._points))
        self._model.normals = open3d.utility.Vector3dVector(self._normals)

    def find(self, cloud: PointCloud, start: np.ndarray | None = None) -> Registration:
        """The rigid pose of the person in ``cloud``.

        A search converges from some 8 cm and 8° away. Where its fitness is below ``TRUSTED_FITNESS``, further searches
        start 10 cm or 12° to each side; the first that is trusted is the answer, or else the fittest, and its
        ``fitness`` says that the person was not found.

        Args:
            start: (4, 4) a first guess of the pose; the identity by default.

        Raises:
            InputError: too few points anywhere near the body, or a start that is no pose.
        """
        began = time.perf_counter()
        guess = np.eye(4) if start is None else _checked_pose(start, "start")
        best: Registration | None = None
        for aside in self._asides():
            try:
                found = self._search(cloud, guess @ aside)
            except InputError as error:  # too little to be seen from there
                lost = error
                continue
            if best is None or found.fitness > best.fitness:
                best = found
            if best.fitness >= TRUSTED_FITNESS:
                break
        if best is None:
            raise lost
        return replace(best, seconds=time.perf_counter() - began)

    def _asides(self) -> Iterator[np.ndarray]:
        """(4, 4) the expected pose; then to either side of it, turned about the body's middle, or shifted."""
        from scipy.spatial.transform import Rotation

        yield np.eye(4)
        middle = self._points.mean(0)
        sides = np.concatenate([np.eye(3), -np.eye(3)])
        for axis in sides:
            turned = np.eye(4)
            turned[:3, :3] = Rotation.from_rotvec(ASIDE_RAD * axis).as_matrix()
            turned[:3, 3] = middle - turned[:3, :3] @ middle
            yield turned
        for direction in sides:
            shifted = np.eye(4)
            shifted[:3, 3] = ASIDE_M * direction
            yield shifted

    def _search(self, cloud: PointCloud, start: np.ndarray) -> Registration:
        """One descent from ``start`` (4, 4) through the stages."""
        began = time.perf_counter()
        moved = np.linalg.inv(start)  # ICP moves the cloud onto the body; the person's pose is the way back
        seen: dict[float, tuple[Any, np.ndarray, np.ndarray]] = {}
        for voxel, reach in STAGES:
            if voxel not in seen:
                seen[voxel] = self._thinned(cloud, moved, voxel)
            for _ in range(ROUNDS):
                moved = self._refine(seen[voxel], moved, reach)
        points, normals = seen[STAGES[-1][0]][1:]
        near, plane = self._facing(points, normals, moved, NEARBY_M)
        matched = plane[plane < MATCHED_M]
        if not len(matched):
            raise _lost(0)
        return Registration(
            pose=np.linalg.inv(moved),
            fitness=len(matched) / len(near),
            rms_m=float(np.sqrt(np.mean(matched**2))),
            n_points=len(matched),
            seconds=time.perf_counter() - began,
        )

    def _thinned(
        self, cloud: PointCloud, moved: np.ndarray, voxel: float
    ) -> tuple[Any, np.ndarray, np.ndarray]:
        """The cloud about the body, one point per voxel, with normals towards the camera."""
        import open3d

        margin = STAGES[0][1]
        at = cloud.points @ moved[:3, :3].T + moved[:3, 3]
        inside = ((at > self._points.min(0) - margin) & (at < self._points.max(0) + margin)).all(1)
        if inside.sum() < FEWEST_POINTS:
            raise _lost(int(inside.sum()))
        points = open3d.utility.Vector3dVector(cloud.points[inside].astype(np.float64))
        thin = open3d.geometry.PointCloud(points).voxel_down_sample(voxel)
        thin.estimate_normals(open3d.geometry.KDTreeSearchParamHybrid(2.5 * voxel, 20))
        thin.orient_normals_towards_camera_location(cloud.eye)
        return thin, np.asarray(thin.points), np.asarray(thin.normals)

    def _facing(
        self, points: np.ndarray, normals: np.ndarray, moved: np.ndarray, reach: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Indices of the points within ``reach`` of the body that face as it does; their distances to its surface."""
        at = points @ moved[:3, :3].T + moved[:3, 3]
        distance, nearest = self._tree.query(at, distance_upper_bound=reach)
        near = np.flatnonzero(np.isfinite(distance))
        body = nearest[near]
        facing = ((normals[near] @ moved[:3, :3].T) * self._normals[body]).sum(1) > AGREEMENT
        near, body = near[facing], body[facing]
        return near, np.abs(((at[near] - self._points[body]) * self._normals[body]).sum(1))

    def _refine(
        self, seen: tuple[Any, np.ndarray, np.ndarray], moved: np.ndarray, reach: float
    ) -> np.ndarray:
        from open3d.pipelines import registration

        thin, points, normals = seen
        near, _ = self._facing(points, normals, moved, reach)
        if len(near) < FEWEST_POINTS:
            raise _lost(len(near))
        loss = registration.TukeyLoss(max(MATCHED_M, reach / 2))
        return registration.registration_icp(
            thin.select_by_index(near),
            self._model,
            reach,
            moved,
            registration.TransformationEstimationPointToPlane(loss),
            registration.ICPConvergenceCriteria(1e-5, 1e-5, ITERATIONS),
        ).transformation


def person_moved(model: VisualModel, poses: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """(K, 7) float32 ``poses`` with all of the person's frames moved by ``motion`` (4, 4), world; the rest as it was.

    With ``motion`` a :attr:`Registration.pose`, the body lies where it was found.

    Raises:
        InputError: ``motion`` is no rigid pose.
    """
    from scipy.spatial.transform import Rotation

    motion = _checked_pose(motion, "motion")
    mine = [name.startswith(PERSON_PREFIX) for name in model.frames]
    moved = np.array(poses, np.float64)
    turned = motion @ pose_matrices(moved[mine])
    moved[mine, :3] = turned[:, :3, 3]
    moved[mine, 3:] = Rotation.from_matrix(turned[:, :3, :3]).as_quat()
    return moved.astype(np.float32)


def _checked_pose(pose: np.ndarray, where: str) -> np.ndarray:
    """``pose`` if it is a rigid motion (4, 4)."""
    pose = np.asarray(pose, float)
    rigid = pose.shape == (4, 4) and np.isfinite(pose).all() and np.allclose(pose[3], (0, 0, 0, 1))
    if not (rigid and np.allclose(pose[:3, :3] @ pose[:3, :3].T, np.eye(3), atol=1e-6)):
        raise InputError(where, np.array2string(pose, precision=3), "a rigid pose, (4, 4)")
    return pose


def _lost(n_points: int) -> InputError:
    return InputError(
        "cloud", f"{n_points} points near the body", f"{FEWEST_POINTS} or more, to find a person"
    )
