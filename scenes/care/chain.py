"""Serial chains: the one description from which a limb or a robot arm is simulated, solved and drawn.

A :class:`Chain` is written once (in ``robots/`` for robots, from ``body.py`` for the person's arm) and read three
ways: as URDF text for PyBullet (:func:`to_urdf`), as forward kinematics and Jacobian in numpy (:class:`Kinematics`),
and as frame names for drawing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from xml.sax.saxutils import quoteattr

import numpy as np

Vector = tuple[float, float, float]
ZERO: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Shape:
    """A collision shape in its link's frame: a capsule between ``a`` and ``b`` (equal: a sphere), or a box.

    Attributes:
        a, b: end points of a capsule's axis, m.
        radius: m.
        box: full edge lengths, m, centred on ``a``; given instead of a radius.
    """

    a: Vector
    b: Vector
    radius: float = 0.0
    box: Vector | None = None


@dataclass(frozen=True)
class Link:
    """A link and the joint that carries it.

    Attributes:
        name: link name, unique in the chain.
        xyz, rpy: joint origin in the parent link's frame, m and rad (URDF's convention).
        axis: joint axis in the link's frame; None for a fixed joint.
        low, high: limits, rad; m where the joint slides.
        mass: kg; 0 for a dummy between two axes of one joint.
        com: centre of mass in the link's frame, m.
        inertia: principal moments about ``com``, kg·m².
        shapes: collision geometry.
        friction: lateral friction coefficient.
        slides: whether the joint is prismatic, along ``axis``, instead of revolute about it.
    """

    name: str
    xyz: Vector
    rpy: Vector = ZERO
    axis: Vector | None = (0.0, 0.0, 1.0)
    low: float = -2 * math.pi
    high: float = 2 * math.pi
    mass: float = 0.0
    com: Vector = ZERO
    inertia: Vector = ZERO
    shapes: tuple[Shape, ...] = ()
    friction: float = 0.5
    slides: bool = False


@dataclass(frozen=True)
class Chain:
    """A base and links in order, each carried by the one before it."""

    name: str
    links: tuple[Link, ...]
    movable: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "movable", tuple(i for i, link in enumerate(self.links) if link.axis is not None)
        )

    def index(self, link: str) -> int:
        """Index of a link by name (the same index PyBullet gives it)."""
        return [entry.name for entry in self.links].index(link)

    @property
    def limits(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper joint limits of the movable joints, rad (m where they slide), (n,) each."""
        low = np.array([self.links[i].low for i in self.movable])
        return low, np.array([self.links[i].high for i in self.movable])


def rotation_between_z_and(direction: np.ndarray) -> np.ndarray:
    """A rotation matrix (3, 3) that takes +z to ``direction``."""
    z = direction / np.linalg.norm(direction)
    helper = np.array([1.0, 0.0, 0.0]) if abs(z[0]) < 0.9 else np.array([0.0, 1.0, 0.0])
    x = np.cross(helper, z)
    x /= np.linalg.norm(x)
    return np.column_stack([x, np.cross(z, x), z])


def shape_frame(shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """Centre (3,) m and rotation (3, 3) of a shape in its link's frame; a capsule lies along its own z."""
    a, b = np.array(shape.a, float), np.array(shape.b, float)
    if shape.box is not None:
        return a, np.eye(3)
    along = b - a
    upright = float(np.linalg.norm(along)) < 1e-9
    return (a + b) / 2, np.eye(3) if upright else rotation_between_z_and(along)


def rpy_from_matrix(matrix: np.ndarray) -> Vector:
    """Roll, pitch, yaw (rad) of a rotation matrix, R = Rz·Ry·Rx."""
    pitch = math.asin(float(np.clip(-matrix[2, 0], -1, 1)))
    if abs(matrix[2, 0]) > 1 - 1e-9:  # gimbal lock: put everything into roll
        return math.atan2(-matrix[1, 2], matrix[1, 1]), pitch, 0.0
    return math.atan2(matrix[2, 1], matrix[2, 2]), pitch, math.atan2(matrix[1, 0], matrix[0, 0])


def matrix_from_rpy(rpy: Vector) -> np.ndarray:
    """Rotation matrix (3, 3) of roll, pitch, yaw in rad."""
    (cr, sr), (cp, sp), (cy, sy) = ((math.cos(a), math.sin(a)) for a in rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def quaternion_from_matrix(matrix: np.ndarray) -> tuple[float, float, float, float]:
    """Unit quaternion (x, y, z, w), w ≥ 0, of a rotation matrix."""
    m = matrix
    w = math.sqrt(max(0.0, 1 + m[0, 0] + m[1, 1] + m[2, 2])) / 2
    x = math.copysign(math.sqrt(max(0.0, 1 + m[0, 0] - m[1, 1] - m[2, 2])) / 2, m[2, 1] - m[1, 2])
    y = math.copysign(math.sqrt(max(0.0, 1 - m[0, 0] + m[1, 1] - m[2, 2])) / 2, m[0, 2] - m[2, 0])
    z = math.copysign(math.sqrt(max(0.0, 1 - m[0, 0] - m[1, 1] + m[2, 2])) / 2, m[1, 0] - m[0, 1])
    return x, y, z, w


def matrix_from_quaternion(q: np.ndarray) -> np.ndarray:
    """Rotation matrix (3, 3) of a unit quaternion (x, y, z, w)."""
    x, y, z, w = q
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


def to_urdf(chain: Chain) -> str:
    """The chain as URDF text. Links and joints keep their order, so PyBullet's indices are ours."""

    def triple(values: Vector) -> str:
        return " ".join(f"{v:.17g}" for v in values)

    massless = (
        '<inertial><mass value="0"/><inertia ixx="0" iyy="0" izz="0" ixy="0" ixz="0" iyz="0"/></inertial>'
    )
    lines = [f"<robot name={quoteattr(chain.name)}>", f'<link name="base">{massless}</link>']
    parent = "base"
    for link in chain.links:
        kind = "fixed" if link.axis is None else "prismatic" if link.slides else "revolute"
        ixx, iyy, izz = link.inertia
        lines += [
            f"<link name={quoteattr(link.name)}>",
            f'<contact><lateral_friction value="{link.friction}"/></contact>',
            f'<inertial><origin xyz="{triple(link.com)}"/><mass value="{link.mass:.17g}"/>'
            f'<inertia ixx="{ixx:.17g}" iyy="{iyy:.17g}" izz="{izz:.17g}" ixy="0" ixz="0" iyz="0"/></inertial>',
            *(_collision(shape) for shape in link.shapes),
            "</link>",
            f'<joint name={quoteattr(link.name + "_joint")} type="{kind}">',
            f"<parent link={quoteattr(parent)}/><child link={quoteattr(link.name)}/>",
            f'<origin xyz="{triple(link.xyz)}" rpy="{triple(link.rpy)}"/>',
        ]
        if link.axis is not None:
            lines.append(
                f'<axis xyz="{triple(link.axis)}"/>'
                f'<limit lower="{link.low:.17g}" upper="{link.high:.17g}" effort="1000" velocity="10"/>'
            )
        lines.append("</joint>")
        parent = link.name
    lines.append("</robot>")
    return "\n".join(lines)


def _collision(shape: Shape) -> str:
    a, b = np.array(shape.a), np.array(shape.b)
    length = float(np.linalg.norm(b - a))
    if shape.box is not None:
        geometry = f'<box size="{shape.box[0]} {shape.box[1]} {shape.box[2]}"/>'
        origin, rpy = a, ZERO
    elif length < 1e-9:
        geometry, origin, rpy = f'<sphere radius="{shape.radius}"/>', a, ZERO
    else:
        geometry = f'<capsule radius="{shape.radius}" length="{length:.17g}"/>'
        origin, rpy = (a + b) / 2, rpy_from_matrix(rotation_between_z_and(b - a))
    return (
        f'<collision><origin xyz="{origin[0]:.17g} {origin[1]:.17g} {origin[2]:.17g}" '
        f'rpy="{rpy[0]:.17g} {rpy[1]:.17g} {rpy[2]:.17g}"/><geometry>{geometry}</geometry></collision>'
    )


def capsule_inertia(mass: float, radius: float, length: float) -> Vector:
    """Principal moments (kg·m²) of a box around a capsule along z, as Bullet itself approximates one."""
    x = y = 2 * radius
    z = 2 * radius + length
    return mass / 12 * (y * y + z * z), mass / 12 * (x * x + z * z), mass / 12 * (x * x + y * y)


class Kinematics:
    """Forward kinematics, Jacobian and inverse kinematics of a chain, in numpy.

    Args:
        chain: the chain.
        base: (4, 4) pose of its base in the world.
        tip: link whose frame is solved for, and a point in that frame (m).
    """

    def __init__(self, chain: Chain, base: np.ndarray, tip: tuple[str, Vector]) -> None:
        self.chain = chain
        self._base = base
        self._last = chain.index(tip[0])
        self._point = np.array(tip[1])
        self._origins = []
        for link in chain.links[: self._last + 1]:
            origin = np.eye(4)
            origin[:3, :3], origin[:3, 3] = matrix_from_rpy(link.rpy), link.xyz
            self._origins.append(origin)
        solved = [chain.links[i] for i in chain.movable if i <= self._last]
        self.n_joints = len(solved)
        self._slides = np.array([link.slides for link in solved], dtype=bool)

    def forward(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tip position (3,), tip-link rotation (3, 3) and geometric Jacobian (6, n) at joint positions ``q`` (n,)."""
        frame, joint = self._base, 0
        axes, origins = [], []
        for link, origin in zip(self.chain.links, self._origins, strict=False):
            frame = frame @ origin
            if link.axis is not None:
                axes.append(frame[:3, :3] @ link.axis)
                origins.append(frame[:3, 3])
                frame = frame @ (_along if link.slides else _about)(link.axis, q[joint])
                joint += 1
        position = frame[:3, :3] @ self._point + frame[:3, 3]
        z = np.array(axes)  # (n, 3)
        jacobian = np.vstack([np.cross(z, position - np.array(origins)).T, z.T])
        if self._slides.any():
            jacobian[:3, self._slides], jacobian[3:, self._slides] = z[self._slides].T, 0.0
        return position, frame[:3, :3], jacobian

    def solve(
        self, position: np.ndarray, rotation: np.ndarray, start: np.ndarray, iterations: int = 100
    ) -> tuple[np.ndarray, float]:
        """Joint angles that bring the tip to ``position`` with ``rotation``, by damped least squares.

        Returns:
            q (n,) and the remaining position error in m.
        """
        q = np.array(start, dtype=float)
        low, high = self.chain.limits
        error = math.inf
        for _ in range(iterations):
            at, turned, jacobian = self.forward(q)
            residual = np.concatenate([position - at, rotation_error(rotation, turned)])
            error = float(np.linalg.norm(residual[:3]))
            if error < 1e-6 and float(np.linalg.norm(residual[3:])) < 1e-6:
                break
            gram = jacobian @ jacobian.T + 1e-5 * np.eye(6)
            step = jacobian.T @ np.linalg.solve(gram, residual)
            q = np.clip(q + np.clip(step, -0.3, 0.3), low[: self.n_joints], high[: self.n_joints])
        return q, error


def rotation_error(wanted: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """Rotation vector (3,) in the world that takes ``actual`` to ``wanted``, exact for small angles."""
    delta = wanted @ actual.T
    axis = np.array([delta[2, 1] - delta[1, 2], delta[0, 2] - delta[2, 0], delta[1, 0] - delta[0, 1]]) / 2
    sine = float(np.linalg.norm(axis))
    angle = math.atan2(sine, (np.trace(delta) - 1) / 2)
    return axis if sine < 1e-9 else axis * (angle / sine)


def _along(axis: Vector, distance: float) -> np.ndarray:
    moved = np.eye(4)
    moved[:3, 3] = np.multiply(axis, distance)
    return moved


def _about(axis: Vector, angle: float) -> np.ndarray:
    c, s = math.cos(angle), math.sin(angle)
    x, y, z = axis
    return np.array(
        [
            [c + x * x * (1 - c), x * y * (1 - c) - z * s, x * z * (1 - c) + y * s, 0],
            [y * x * (1 - c) + z * s, c + y * y * (1 - c), y * z * (1 - c) - x * s, 0],
            [z * x * (1 - c) - y * s, z * y * (1 - c) + x * s, c + z * z * (1 - c), 0],
            [0, 0, 0, 1],
        ]
    )
