"""What a renderer draws into: one set of framebuffers per size of picture, kept for the sizes that were used last.

Moving pictures change their size to keep up, and an edit is shown in a small one at once; to make its memory and its
background anew costs such a picture half as much again as to draw it.
"""

from __future__ import annotations

from typing import Any

#: Sizes whose framebuffers are kept: as many as moving pictures are drawn at.
KEPT = 4


class Target:
    """Framebuffers of one size.

    Args:
        context: of moderngl. width, height: of the picture, pixels. supersample: samples along each side of a pixel.
        finishes: whether what is drawn is not yet what is read.

    Attributes:
        scene: what is drawn into, ``fine`` its colour. result: what is read; the same unless it ``finishes``.
        back: background and floor alone, of the view that ``back_key`` names.
    """

    def __init__(self, context: Any, width: int, height: int, supersample: int, finishes: bool) -> None:
        size = (supersample * width, supersample * height)
        self.width, self.height = width, height
        self.fine = context.texture(size, 4)
        self.fine.repeat_x = self.fine.repeat_y = False
        self.fine.repeat_x = self.fine.repeat_y = False
        depth = context.depth_renderbuffer(size)
        self.scene = context.framebuffer([self.fine], depth)
        behind = context.texture(size, 4)
        self.back = context.framebuffer([behind])
        self.back_key: object = None
        self._parts = [self.scene, self.fine, depth, self.back, behind]
        self.result = self.scene
        if finishes:
            coarse = context.texture((width, height), 4)
            self.result = context.framebuffer([coarse])
            self._parts += [self.result, coarse]

    def release(self) -> None:
        for part in self._parts:
            part.release()


class Targets:
    """Args: context, supersample, finishes: see :class:`Target`."""

    def __init__(self, context: Any, supersample: int, finishes: bool) -> None:
        self._context, self._supersample, self._finishes = context, supersample, finishes
        self._kept: dict[tuple[int, int], Target] = {}  # the one used last is last

    def of(self, width: int, height: int) -> Target:
        """The framebuffers for pictures of that size."""
        target = self._kept.pop((width, height), None)
        if target is None:
            target = Target(self._context, width, height, self._supersample, self._finishes)
        self._kept[width, height] = target
        while len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept))).release()
        return target
