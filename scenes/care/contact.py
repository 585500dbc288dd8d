"""Contact: one touch between a chain and another body."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contact:
    """One contact point between a link of a chain and another body.

    Attributes:
        body, link: ids of the other body.
        own_link: link index on the chain asked about.
        position: (3,) on the other body, m, world.
        normal: (3,) unit, from the other body towards the chain.
        force: normal force, N.
    """

    own_link: int
    body: int
    link: int
    position: tuple[float, float, float]
    normal: tuple[float, float, float]
    force: float
