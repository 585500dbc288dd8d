"""Upstream's joint-limit network without Keras: which arm poses a person can take.

``realistic_arm_limits_model.h5`` is a Keras 2.2 file of dense layers, 4-64-64-64-1, tanh and at the end a sigmoid. Its
authors are Jiang and Liu, "Data-driven approach to simulating realistic human joint constraints" (ICRA 2018). Upstream
asks it only where the person is an agent of its own.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from scenes.errors import InputError


class JointLimitNetwork:
    """Stands in for the Keras model; the file is read when it is first asked.

    Args:
        path: the ``.h5`` file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @cached_property
    def layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Kernel (inputs, units) and bias (units,) of each dense layer."""
        try:
            import h5py
        except ImportError:
            raise InputError(
                "an active person", "no h5py to read upstream's joint limits", "with it: pip install h5py"
            ) from None
        with h5py.File(self.path) as file:
            groups = [file["model_weights"][name] for name in file["model_weights"].attrs["layer_names"]]
            named = [(group, *group.attrs["weight_names"]) for group in groups]
            return [(np.array(group[kernel]), np.array(group[bias])) for group, kernel, bias in named]

    def predict(self, angles: np.ndarray) -> np.ndarray:
        """Probability (n, 1) that a person can take the pose; ``angles`` (n, 4) in rad as upstream orders them."""
        *hidden, (kernel, bias) = self.layers
        x = np.asarray(angles, dtype=np.float32)
        for hidden_kernel, hidden_bias in hidden:
            x = np.tanh(x @ hidden_kernel + hidden_bias)
        return 1 / (1 + np.exp(-(x @ kernel + bias)))

    def predict_classes(self, angles: np.ndarray) -> np.ndarray:
        """1 where the pose is possible, else 0: (n, 1) int32."""
        return (self.predict(angles) > 0.5).astype(np.int32)


def load_model(path: str) -> JointLimitNetwork:
    """As ``keras.models.load_model``, for this one kind of file."""
    return JointLimitNetwork(path)
