"""Stock PyBullet with the arguments that only upstream's fork of it knows.

===============================================  ==============================================================
the fork                                         here
===============================================  ==============================================================
``createMultiBody(linkLowerLimits=,              ``changeDynamics`` sets each limit, and ``getJointInfo`` reports
linkUpperLimits=)``                              it (the stock one keeps saying "none")
``setGravity(..., body=)``                       the engine has the gravity that most links share; the other
                                                 links get the difference as a force before every step
``createMultiBody(batchPositions=)`` returns     the last of the ids that the stock one returns
the last id
===============================================  ==============================================================

Cloth (``loadCloth``, ``clothParams``) is the fork's alone: there is nothing to stand in for it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np

from scenes.care.world import p as stock

Vector = tuple[float, float, float]


@dataclass
class _Client:
    """What one physics client must remember.

    Attributes:
        limits: (lower, upper) by (body, joint), rad.
        gravity: of every body without its own, m/s².
        own_gravity: by body.
        pushes: (body, links, forces N) to apply before each step; None when it must be worked out anew.
    """

    limits: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)
    gravity: Vector = (0.0, 0.0, 0.0)
    own_gravity: dict[int, Vector] = field(default_factory=dict)
    pushes: list[tuple[int, list[int], list[list[float]]]] | None = None


class ForkBullet(ModuleType):
    """A module that is PyBullet, but for the functions below; one for all clients."""

    def __init__(self) -> None:
        super().__init__("pybullet", stock.__doc__)
        self._clients: dict[int, _Client] = {}
        self._vacated = -1
        own = {name: getattr(self, name) for name in dir(type(self)) if not name.startswith("_")}
        vars(self).update({k: v for k, v in vars(stock).items() if not k.startswith("__")} | own)

    def _client(self, client: int) -> _Client:
        return self._clients.setdefault(client, _Client())

    # -- clients
    def connect(self, *arguments: Any, **options: Any) -> int:
        """A client; the one closed last is taken up again, because upstream's maker of people keeps its number.

        Stock PyBullet gives the lowest free number, which may have become a lower one since.
        """
        lower = []
        client = stock.connect(*arguments, **options)
        while 0 <= client < self._vacated:
            lower.append(client)
            client = stock.connect(*arguments, **options)
        for other in lower:
            stock.disconnect(physicsClientId=other)
        self._vacated = -1
        return client

    def disconnect(self, physicsClientId: int = 0) -> None:
        self._clients.pop(physicsClientId, None)
        stock.disconnect(physicsClientId=physicsClientId)
        self._vacated = physicsClientId

    def resetSimulation(self, physicsClientId: int = 0) -> None:
        self._clients.pop(physicsClientId, None)
        stock.resetSimulation(physicsClientId=physicsClientId)

    # -- bodies
    def loadURDF(self, *arguments: Any, physicsClientId: int = 0, **options: Any) -> int:
        self._client(physicsClientId).pushes = None
        return stock.loadURDF(*arguments, physicsClientId=physicsClientId, **options)

    def createMultiBody(
        self,
        *arguments: Any,
        linkLowerLimits: Any = (),
        linkUpperLimits: Any = (),
        batchPositions: Any = (),
        physicsClientId: int = 0,
        **options: Any,
    ) -> int:
        client = self._client(physicsClientId)
        client.pushes = None
        if len(batchPositions):
            made = stock.createMultiBody(
                *arguments, batchPositions=batchPositions, physicsClientId=physicsClientId, **options
            )
            stock.syncBodyInfo(physicsClientId=physicsClientId)
            return made[-1]
        body = stock.createMultiBody(*arguments, physicsClientId=physicsClientId, **options)
        for joint in range(len(linkLowerLimits)):
            # Bullet numbers joints depth first; the name tells which of the given links a joint moves.
            name = stock.getJointInfo(body, joint, physicsClientId=physicsClientId)[1]
            link = int(name.removeprefix(b"joint")) - 1
            low, high = float(linkLowerLimits[link]), float(linkUpperLimits[link])
            client.limits[body, joint] = (low, high)
            stock.changeDynamics(
                body, joint, jointLowerLimit=low, jointUpperLimit=high, physicsClientId=physicsClientId
            )
        return body

    def changeDynamics(self, *arguments: Any, physicsClientId: int = 0, **options: Any) -> None:
        self._client(physicsClientId).pushes = None  # a mass may have changed
        stock.changeDynamics(*arguments, physicsClientId=physicsClientId, **options)

    def getJointInfo(self, bodyUniqueId: int, jointIndex: int, physicsClientId: int = 0) -> tuple:
        info = stock.getJointInfo(bodyUniqueId, jointIndex, physicsClientId=physicsClientId)
        limits = self._client(physicsClientId).limits.get((bodyUniqueId, jointIndex))
        return info if limits is None else (*info[:8], *limits, *info[10:])

    # -- gravity
    def setGravity(
        self, gravX: float, gravY: float, gravZ: float, body: int = -1, physicsClientId: int = 0
    ) -> None:
        client = self._client(physicsClientId)
        client.pushes = None
        if body >= 0:
            client.own_gravity[body] = (gravX, gravY, gravZ)
        else:
            client.gravity = (gravX, gravY, gravZ)

    def stepSimulation(self, physicsClientId: int = 0) -> Any:
        client = self._client(physicsClientId)
        if client.pushes is None:
            client.pushes = self._settle_gravity(client, physicsClientId)
        for body, links, forces in client.pushes:
            if links == [-1]:
                places = [stock.getBasePositionAndOrientation(body, physicsClientId=physicsClientId)[0]]
            else:
                states = stock.getLinkStates(
                    body, links, computeForwardKinematics=True, physicsClientId=physicsClientId
                )
                places = [state[0] for state in states]
            for link, force, place in zip(links, forces, places, strict=True):
                stock.applyExternalForce(
                    body, link, force, place, stock.WORLD_FRAME, physicsClientId=physicsClientId
                )
        return stock.stepSimulation(physicsClientId=physicsClientId)

    def _settle_gravity(self, client: _Client, number: int) -> list[tuple[int, list[int], list[list[float]]]]:
        """Give the engine the gravity most links share, and return what the other links must be pushed with."""
        masses: dict[int, dict[int, float]] = {}
        shares: Counter[Vector] = Counter()
        for i in range(stock.getNumBodies(physicsClientId=number)):
            body = stock.getBodyUniqueId(i, physicsClientId=number)
            links = range(-1, stock.getNumJoints(body, physicsClientId=number))
            weighed = {k: stock.getDynamicsInfo(body, k, physicsClientId=number)[0] for k in links}
            masses[body] = {link: mass for link, mass in weighed.items() if mass > 0}
            shares[client.own_gravity.get(body, client.gravity)] += len(masses[body])
        common = shares.most_common(1)[0][0] if shares else client.gravity
        stock.setGravity(*common, physicsClientId=number)
        pushes = []
        for body, weights in masses.items():
            missing = np.subtract(client.own_gravity.get(body, client.gravity), common)
            if missing.any():
                base, moving = (
                    [link for link in weights if link == -1],
                    [link for link in weights if link >= 0],
                )
                for group in (base, moving):
                    if group:
                        pushes.append((body, group, [(weights[link] * missing).tolist() for link in group]))
        return pushes


def digest(client: int) -> str:
    """sha256 of every body's pose, speeds and joints, for exactness tests."""
    state = hashlib.sha256()
    for i in range(stock.getNumBodies(physicsClientId=client)):
        body = stock.getBodyUniqueId(i, physicsClientId=client)
        pose = stock.getBasePositionAndOrientation(body, physicsClientId=client)
        speeds = stock.getBaseVelocity(body, physicsClientId=client)
        joints = range(stock.getNumJoints(body, physicsClientId=client))
        angles = (
            [(j[0], j[1]) for j in stock.getJointStates(body, joints, physicsClientId=client)]
            if joints
            else []
        )
        state.update(repr((body, pose, speeds, angles)).encode())
    return state.hexdigest()
