"""SessionEnv: the contract every scene keeps, on top of Gymnasium's.

``info`` of ``reset`` and ``step`` carries, in every scene:

=====================  ======  ==========================================================================
key                    type    meaning
=====================  ======  ==========================================================================
``session``            int     index of the session the step belonged to (0 after reset)
``session_ended``      bool    d_t: whether that session ended with this step (False after reset)
``session_age``        int     steps of that session taken so far, this one included
``task_success``       bool    whether the scene's success rule is met so far
=====================  ======  ==========================================================================

Session labels are a training signal (METHOD: known to the simulator) and never part of the observation. The latent
itself is not in ``info`` either: it is reachable through :meth:`SessionEnv.privileged` only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from scenes.errors import InputError
from scenes.latent import Latent, LatentSpace
from scenes.session import Bernoulli, Kernel, SessionProcess, Termination, Uniform, parse_kernel
from scenes.visual import CameraPreset, Markers, VisualModel


@dataclass(frozen=True)
class Privileged:
    """What only oracle policies, plots of the truth and training labels may read.

    Attributes:
        latent: m, in force for the next step.
        vector: (D,) m as numbers, :meth:`LatentSpace.to_vector`.
        features: (P,) what an oracle policy needs beside the observation (for ScratchItch the six target numbers
            that the observation hides).
    """

    latent: Latent
    vector: np.ndarray
    features: np.ndarray


def bounded_action(action: Any, space: gym.Space[Any]) -> np.ndarray:
    """A continuous action as float64 of ``space``'s shape, entries beyond [−1, 1] clipped.

    Raises:
        InputError: another shape, NaN or infinity.
    """
    given = np.asarray(action, dtype=np.float64)
    if given.shape != space.shape or not np.isfinite(given).all():
        (n,) = space.shape or (0,)
        raise InputError("action", action, f"{n} finite numbers, in [-1, 1]")
    return np.clip(given, -1.0, 1.0)


class SessionEnv(gym.Env[np.ndarray, Any]):
    """A Gymnasium environment with a hidden latent that a :class:`SessionProcess` changes.

    Args:
        termination: when sessions end; a number is a per-step probability.
        kernel: what the next latent is; see :func:`scenes.session.parse_kernel`.
    """

    metadata: dict[str, Any] = {"render_modes": [], "render_fps": 10}  # noqa: RUF012 (as gym.Env has it)
    #: Steps in an episode; episodes end by time only.
    episode_length: int = 200
    #: Size of ``Privileged.features``.
    n_privileged: int = 0
    #: Latent fields that act on the motion, and so are felt in the observation; the others act on the reward alone.
    dynamics_fields: tuple[str, ...] = ()

    def __init__(
        self,
        latent_space: LatentSpace,
        termination: Termination | float = 0.02,
        kernel: Kernel | str | dict = "uniform",
    ) -> None:
        if isinstance(termination, bool) or not (
            isinstance(termination, (int, float)) or hasattr(termination, "ends")
        ):
            raise InputError("termination", termination, "a probability, or a Termination object")
        if isinstance(termination, (int, float)):
            termination = Bernoulli(float(termination))
        self.latent_space = latent_space
        self.sessions = SessionProcess(
            latent_space, termination, parse_kernel(kernel) if kernel else Uniform()
        )

    # -- the hidden half
    def privileged(self) -> Privileged:
        """The truth; for oracles, plots and labels only."""
        latent = self.sessions.latent
        return Privileged(latent, self.latent_space.to_vector(latent), self._privileged_features())

    def _privileged_features(self) -> np.ndarray:
        return self.latent_space.to_vector(self.sessions.latent)

    def override(self, value: Any, at_next_session: bool = False) -> Latent:
        """Change the hidden latent from outside, mid-episode; see :meth:`SessionProcess.override`."""
        latent = self.sessions.override(value, at_next_session)
        if not at_next_session:
            self._latent_changed()
        return latent

    def _latent_changed(self) -> None:
        """Hook: called whenever ``sessions.latent`` has changed."""

    def _start_sessions(self, options: dict[str, Any] | None) -> dict[str, Any]:
        """Reset the session process with a random stream of its own, so that actions never shift it.

        ``options`` of ``reset`` may hold ``latent`` (fields to start with); anything else is refused.
        """
        options = options or {}
        unknown = set(options) - {"latent"}
        if unknown:
            raise InputError("reset options", sorted(unknown), "latent")
        rng = np.random.default_rng(int(self.np_random.integers(2**63)))
        self.sessions.reset(rng, options.get("latent"))
        self._latent_changed()
        return {"session": 0, "session_ended": False, "session_age": 0, "task_success": False}

    def _advance_sessions(self) -> dict[str, Any]:
        """Draw d_t after a step; returns the session keys of ``info``."""
        index, age = self.sessions.index, self.sessions.age + 1
        ended = self.sessions.advance()
        if ended:
            self._latent_changed()
        return {"session": index, "session_ended": ended, "session_age": age}

    def relabel(
        self, states: np.ndarray, actions: np.ndarray, next_states: np.ndarray, latents: np.ndarray
    ) -> np.ndarray:
        """What the scene would have paid for transitions had other latents been in force (reward relabelling).

        A scene overrides it where its reward is a function of (s, a, s', m) and its dynamics do not depend on m.

        Args:
            states, next_states: (n, S) observations.
            actions: (n, A) as executed; a one-hot where discrete.
            latents: (n, D), :meth:`LatentSpace.to_vector`.

        Returns:
            Rewards (n,).

        Raises:
            InputError: this scene cannot say.
        """
        raise InputError("relabel", type(self).__name__, "a scene that can say what other latents would pay")

    # -- the visible half: a scene that can be drawn overrides these
    def visual_model(self) -> VisualModel:
        """The scene's geometry; constant for the life of the environment."""
        raise NotImplementedError(f"{type(self).__name__} cannot be drawn")

    def poses(self) -> np.ndarray:
        """(K, 7) float32 poses of the visual model's frames now."""
        raise NotImplementedError(f"{type(self).__name__} cannot be drawn")

    def markers(self) -> Markers:
        """What may be marked in the picture now."""
        return Markers()

    def cameras(self) -> tuple[CameraPreset, ...]:
        """At least two named views, the first the default."""
        return ()

    def state_hash(self) -> str:
        """A digest of the whole physical state, for exactness tests."""
        raise NotImplementedError
