"""Tool: links welded to a robot's hand, and their look.

Upstream welds the tool with a 500 N constraint; a fixed joint is the same thing without the constraint to solve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scenes.care.chain import Link, Shape, Vector
from scenes.care.shapes import Mesh


@dataclass(frozen=True)
class Tool:
    """A tool in the hand.

    Attributes:
        name: as in file names and messages.
        links: (xyz, rpy of the tool's handle in the hand's frame) → its links, all fixed, the last named ``tool``.
            The handle's +x points away from the hand.
        tip: the point that is placed and steered, in the ``tool`` link's frame, m; on its x axis.
        mesh: the look, in the ``tool`` link's frame.
        vessel: what holds grains (:mod:`scenes.care.grains`), in the ``tool`` link's frame; meets nothing else.
    """

    name: str
    links: Callable[[Vector, Vector], tuple[Link, ...]]
    tip: Vector
    mesh: Callable[[], Mesh]
    vessel: tuple[Shape, ...] = ()
