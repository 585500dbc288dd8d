"""LatentProbe: reads what a belief says about each field of the true latent.

It reads (μ, log σ²), or the encoder's state h where the policy sees h alone (:meth:`dynamite.agent.Agent.readable`). It
serves people (plots, calibration) and is trained beside the model on detached posteriors, so that it measures what they
hold and never shapes them.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dynamite.belief import FieldPosterior, n_outputs, posteriors_from
from dynamite.config import ProbeConfig
from dynamite.networks import mlp
from scenes.latent import ChoiceField, LatentField, LatentSpace, PointField, ScalarField


class LatentProbe(nn.Module):
    """One network with a block of outputs per latent field.

    ===========  =============================================  =====================================
    field        outputs                                        loss
    ===========  =============================================  =====================================
    ChoiceField  logits, one per choice                         cross-entropy
    ScalarField  mean and log deviation, in [-1, 1] units       Gaussian NLL
    PointField   logits, n_parts × n_axial × n_angle            cross-entropy to a label softened
                                                                over neighbouring cells
    ===========  =============================================  =====================================

    Args:
        space: the fields.
        n_in: I, entries of what is read.
    """

    def __init__(self, space: LatentSpace, n_in: int, config: ProbeConfig) -> None:
        super().__init__()
        self.space, self.config = space, config
        self._grid = (config.n_axial, config.n_angle)
        self.widths = [n_outputs(field, self._grid) for field in space.fields]
        self.net = mlp(n_in, config.hidden, sum(self.widths))

    def forward(self, read: Tensor) -> Tensor:
        """(…, I), detached here → (…, O)."""
        return self.net(read.detach())

    def loss(self, read: Tensor, latents: Tensor) -> Tensor:
        """Negative log-likelihood of the truth, summed over fields, mean over the batch.

        Args:
            read: (B, I). latents: (B, D) of :meth:`LatentSpace.to_vector`.
        """
        outputs = self(read).split(self.widths, -1)
        start, total = 0, latents.new_zeros(())
        for field, output in zip(self.space.fields, outputs, strict=True):
            truth = latents[:, start : start + field.size]
            start += field.size
            total = total + self._field_loss(field, output, truth)
        return total

    def _field_loss(self, field: LatentField, output: Tensor, truth: Tensor) -> Tensor:
        if isinstance(field, ScalarField):
            mean, log_std = output[:, 0], output[:, 1].clamp(-5, 1)
            return (
                0.5 * ((truth[:, 0] - mean) / log_std.exp()) ** 2 + log_std + 0.5 * math.log(2 * math.pi)
            ).mean()
        if isinstance(field, ChoiceField):
            return F.cross_entropy(output, truth)
        return F.cross_entropy(output, self.point_label(field, truth))

    def point_label(self, field: PointField, truth: Tensor) -> Tensor:
        """(B, n_parts + 3) → soft labels over cells (B, n_parts · n_axial · n_angle), each summing to 1."""
        n_parts, (n_axial, n_angle) = len(field.parts), (self.config.n_axial, self.config.n_angle)
        width = max(self.config.smoothing, 1e-3)
        axial = (truth[:, n_parts : n_parts + 1] + 1) / 2 * n_axial - 0.5  # in cells
        along = torch.softmax(
            -0.5 * ((torch.arange(n_axial, device=truth.device) - axial) / width) ** 2, -1
        )  # (B, n_axial)
        angle = torch.atan2(truth[:, n_parts + 2], truth[:, n_parts + 1]).unsqueeze(-1)
        centres = -math.pi + 2 * math.pi * (torch.arange(n_angle, device=truth.device) + 0.5) / n_angle
        apart = torch.remainder(centres - angle + math.pi, 2 * math.pi) - math.pi
        around = torch.softmax(-0.5 * (apart * n_angle / (2 * math.pi * width)) ** 2, -1)  # (B, n_angle)
        grid = truth[:, :n_parts, None, None] * along[:, None, :, None] * around[:, None, None, :]
        return grid.reshape(len(truth), -1)

    def posteriors(self, output: np.ndarray) -> dict[str, FieldPosterior]:
        """One step's outputs (O,) as the posteriors of :mod:`dynamite.belief`."""
        return posteriors_from(output, self.space, self._grid)
