"""GridArrays: thousands of gridworlds in one numpy step; the law of their scene, other random numbers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from scenes.control.grid import OneHot, View, draw_layouts
from scenes.control.latent_arrays import draw_values, next_values, to_vectors
from scenes.errors import InputError
from scenes.session import Bernoulli, FixedLength

if TYPE_CHECKING:
    from scenes.control.grid_scene import GridScene


class GridArrays:
    """N copies of a scene that start, step and end together.

    :meth:`reset` and :meth:`step` return the same object each time, whose arrays they overwrite:

    =============  =====================  ==============================================================
    array          shape, type            meaning
    =============  =====================  ==============================================================
    observation    (N, S) float32         as the scene's
    hot            (N, 2 + 2 G) intp      the columns of its one-hot part that are 1: the same, compactly
    reward         (N,) float32           of the step that led here
    ended          (N,) bool              d: whether the session ended with that step
    session        (N,) int64             index of the session that step belonged to
    latent         (N, D) float32         the truth in force for the next step
    privileged     (N, P) float32         what an oracle sees
    success        (N,) float32           whether the scene's success rule is met so far
    =============  =====================  ==============================================================

    Args:
        scene: says the law and the options.
        n: copies.
        with_filter: keep the exact Bayes filter even where the scene does not show its answer.

    Raises:
        InputError: sessions end neither by a probability nor by a length.
    """

    def __init__(self, scene: GridScene, n: int, with_filter: bool = False) -> None:
        if not isinstance(scene.sessions.termination, (Bernoulli, FixedLength)):
            raise InputError(
                "termination", scene.sessions.termination, "a probability or a length, for arrays"
            )
        self.scene, self.n = scene, n
        self.filter = scene.new_filter(n) if scene.exact_belief or with_filter else None
        self._out = SimpleNamespace(
            observation=np.zeros((n, scene.n_observation), np.float32),
            reward=np.zeros(n, np.float32),
            ended=np.zeros(n, bool),
            session=np.zeros(n, np.int64),
            latent=np.zeros((n, scene.latent_space.size), np.float32),
            privileged=np.zeros((n, scene.n_privileged), np.float32),
            success=np.zeros(n, np.float32),
        )
        self._one_hot = OneHot(self._out.observation)

    def reset(self, seeds: np.ndarray) -> SimpleNamespace:
        """Start every copy; all randomness of the episode derives from the first of ``seeds`` (N,)."""
        scene, out = self.scene, self._out
        self._rng = np.random.default_rng([int(seed) for seed in seeds[:4]])
        self._starts, self._goals = draw_layouts(self.n, scene.start, scene.goals, scene.n_goals, self._rng)
        self._cells, self._view = self._starts.copy(), View(self._goals)
        self._latents = draw_values(scene.latent_space, self.n, self._rng)
        self._sessions = np.zeros(self.n, np.int64)
        self._age = 0  # of all sessions, where they have a fixed length
        if self.filter is not None:
            self.filter.reset()
        out.reward[:] = out.success[:] = 0.0
        out.session[:] = 0
        out.ended[:] = False
        return self._write(np.arange(self.n))

    def step(self, actions: np.ndarray) -> SimpleNamespace:
        """(N, 1) numbers of actions."""
        scene, out, before = self.scene, self._out, self._cells
        moves = actions[:, 0].astype(np.intp) + scene.first_move
        self._cells = scene.land(before, moves, self._latents, self._rng)
        out.reward[:], success = scene.pay(self._cells, self._goals, self._latents, self._rng)
        np.maximum(out.success, success, out=out.success)
        out.session[:] = self._sessions
        out.ended[:] = self._draw_ends()
        changed = np.flatnonzero(out.ended)
        self._latents[changed] = next_values(
            scene.sessions.kernel, scene.latent_space, self._latents[changed], self._rng
        )
        self._sessions[changed] += 1
        if scene.reset_on_session_end:
            self._cells[changed] = self._starts[changed]
        if self.filter is not None:
            scene.learn(
                self.filter, before, moves, self._cells, self._starts, self._goals, out.reward, self._age
            )
        self._age = 0 if len(changed) == self.n else self._age
        return self._write(changed)

    def _draw_ends(self) -> np.ndarray | bool:
        """d of the present step, (N,) or the same for all."""
        self._age += 1
        termination = self.scene.sessions.termination
        if isinstance(termination, Bernoulli):
            return self._rng.random(self.n) < termination.p
        return self._age >= termination.length  # type: ignore[attr-defined]

    def _write(self, changed: np.ndarray) -> SimpleNamespace:
        """Bring the arrays up to date; ``changed``: copies with a new latent."""
        scene, out = self.scene, self._out
        out.hot = self._view.hot(self._cells)
        self._one_hot.write(out.hot)
        if scene.exact_belief and self.filter is not None:
            out.observation[:, scene.n_one_hot :] = scene.belief_features(self.filter.p)
        vectors = to_vectors(scene.latent_space, self._latents[changed])
        out.latent[changed], out.privileged[changed] = vectors, scene.privileged_features(vectors)
        return out
