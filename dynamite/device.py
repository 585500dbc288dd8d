"""Where networks and episodes live."""

from __future__ import annotations

import torch

from scenes.errors import InputError


def find_device(name: str) -> torch.device:
    """The device that ``train.device`` names: ``cpu``, ``cuda``, or ``auto`` for CUDA where there is one.

    Raises:
        InputError: CUDA was asked for and there is none.
    """
    there_is = torch.cuda.is_available()
    if name == "cuda" and not there_is:
        raise InputError("train.device", name, "cpu or auto: PyTorch finds no CUDA device here")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and there_is) else "cpu")
