"""NaN and infinity, noticed where they first appear: in what a scene says, in a term of a loss, in a weight.

Arrays are summed first, which is cheap, and looked at closely only where the sum is not finite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from dynamite.errors import NonFiniteError
from dynamite.vector import Snapshot


def require_finite(terms: Mapping[str, float | Tensor]) -> None:
    """Raise unless every term is a finite number.

    Args:
        terms: floats or tensors () by name.

    Raises:
        NonFiniteError: the first that is not.
    """
    numbers = {k: float(v.detach() if isinstance(v, Tensor) else v) for k, v in terms.items()}
    for name, number in numbers.items():
        if not math.isfinite(number):
            raise NonFiniteError(f"{name} is {number}")


def require_finite_snapshot(now: Snapshot, moment: str) -> None:
    """Raise unless the copies' rewards and observations are finite numbers; one that is not is named by copy and entry.

    Args:
        moment: of the episode, for the message.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        total = float(now.reward.sum()) + float(now.observation.sum())
    if math.isfinite(total):
        return
    for name, array in (("the reward", now.reward), ("the observation", now.observation)):
        wrong = np.argwhere(~np.isfinite(array))
        if len(wrong):
            copy, *entry = (int(i) for i in wrong[0])
            of = f"entry {entry[0]} of {name}" if entry else name
            value = float(array[tuple(wrong[0])])
            raise NonFiniteError(f"{of} of copy {copy} is {value} {moment}")


def require_finite_weights(weights: Iterable[tuple[str, Tensor]]) -> None:
    """Raise unless every entry of every tensor is a finite number."""
    for name, weight in weights:
        if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
            raise NonFiniteError(f"a weight of {name} is not finite")
