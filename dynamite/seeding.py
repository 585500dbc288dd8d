"""Seeds: every random stream of a training is derived from (seed, purpose, iteration), and none is carried along.

So an iteration depends on the weights and its number only, and a resumed training continues exactly without any
generator's state having been saved.
"""

from __future__ import annotations

import numpy as np

#: Purposes, each a stream of its own.
SCENES, ACTIONS, POLICY, MODEL, PROBE, INIT, EVALUATE = range(7)


def scene_seeds(seed: int, iteration: int, copies: int) -> np.ndarray:
    """(N,) int64 seeds for the copies' resets in one iteration; copy i's does not depend on N."""
    return np.array(
        [
            int(np.random.SeedSequence((seed, SCENES, iteration, i)).generate_state(1)[0])
            for i in range(copies)
        ],
        dtype=np.int64,
    )


def stream_seed(seed: int, purpose: int, iteration: int) -> int:
    """A 63-bit seed for one purpose in one iteration."""
    return int(
        np.random.SeedSequence((seed, purpose, iteration)).generate_state(1, np.uint64)[0] >> np.uint64(1)
    )
