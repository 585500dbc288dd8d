"""The four terms of DynaMITE-RL's objective (arXiv 2402.15957, section 3; METHOD), each a pure function of tensors.

Time runs over T transitions u = 0 … T−1 and T + 1 posteriors t = 0 … T. ``ended[u]`` is d_u: the session ended with
transition u. Posterior t is a belief about the latent of transition t, so a session's first posterior is the one right
after an end. Terms are means over posteriors and episodes; with episodes of one length this scales the ELBO of METHOD by
a constant. N is the number of episodes, K the number of transitions reconstructed from each posterior.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussian_kl(mean_q: Tensor, logvar_q: Tensor, mean_p: Tensor, logvar_p: Tensor) -> Tensor:
    """KL(q ‖ p) of diagonal Gaussians: (…, Z) → (…)."""
    ratio = torch.exp(logvar_q - logvar_p)
    apart = (mean_q - mean_p) ** 2 * torch.exp(-logvar_p)
    return 0.5 * (logvar_p - logvar_q + ratio + apart - 1).sum(-1)


@dataclass(frozen=True)
class Sessions:
    """Where each posterior's session lies. All (T + 1, N) int64.

    Attributes:
        first: index of the session's first posterior, and of its first transition.
        last: index of its last posterior.
        count: its transitions (0 for a session that starts with the very last posterior).
    """

    first: Tensor
    last: Tensor
    count: Tensor


def sessions_of(ended: Tensor) -> Sessions:
    """Bounds of each posterior's session from d, (T, N)."""
    n_steps, n = ended.shape
    starts = torch.cat((ended.new_ones(1, n, dtype=torch.bool), ended.bool()))  # (T + 1, N)
    steps = torch.arange(n_steps + 1, device=ended.device).unsqueeze(1)
    first = torch.where(starts, steps, 0).cummax(0).values
    # The next start after t, minus one: a running minimum from behind.
    following = torch.cat((starts[1:], ended.new_ones(1, n, dtype=torch.bool)))
    last = torch.where(following, steps, n_steps).flip(0).cummin(0).values.flip(0)
    return Sessions(first, last, last.clamp(max=n_steps - 1) - first + 1)


@dataclass(frozen=True)
class Pairs:
    """Which transitions u are reconstructed from which posteriors t.

    Attributes:
        index: (K, T + 1, N) int64 of u, or None: all K = T of them in order.
        weight: (K, T + 1, N) or broadcastable to it; 0 removes a pair.
    """

    index: Tensor | None
    weight: Tensor


def reconstruction_pairs(
    ended: Tensor,
    session_mask: bool = True,
    samples: int = 0,
    mean: bool = False,
    generator: torch.Generator | None = None,
) -> Pairs:
    """The pairs (t, u) of term 1, session reconstruction masking.

    Args:
        ended: (T, N).
        session_mask: only u of t's own session, past and future; else every u of the episode (VariBAD).
        samples: K transitions per posterior, one drawn in each of K equal strata of its session, weighted so that the
            sum over them is an unbiased estimate of the sum over all; 0: all pairs.
        mean: divide by the number of transitions of the session.
    """
    n_steps, n = ended.shape
    if session_mask:
        sessions = sessions_of(ended)
        first, count = sessions.first, sessions.count
    else:
        first = ended.new_zeros(n_steps + 1, n, dtype=torch.int64)
        count = torch.full_like(first, n_steps)
    scale = 1.0 / count.clamp(min=1) if mean else torch.ones(count.shape, device=count.device)  # (T + 1, N)
    if samples == 0 or samples >= n_steps:
        u = torch.arange(n_steps, device=ended.device).view(-1, 1, 1)
        inside = (u >= first) & (u < first + count)  # (T, T + 1, N)
        return Pairs(None, inside * scale)
    strata = torch.arange(samples, device=ended.device).view(-1, 1, 1)
    position = (
        strata + torch.rand(samples, n_steps + 1, n, generator=generator, device=ended.device)
    ) / samples  # (K, T + 1, N) in [0, 1)
    offset = torch.minimum((position * count).long(), (count - 1).clamp(min=0))
    index = (first + offset).clamp(max=n_steps - 1)
    return Pairs(index, (scale * count / samples).unsqueeze(0))


def reconstruction(log_prob: Tensor, weight: Tensor) -> Tensor:
    """Term 1: Σ_u weight · log p(· | z_t), mean over t and n. (K, T + 1, N), broadcastable → scalar."""
    return (log_prob * weight).sum(0).mean()


def latent_kl(
    mean: Tensor,
    logvar: Tensor,
    ended: Tensor,
    prior_mean: Tensor | None = None,
    prior_logvar: Tensor | None = None,
    detach_previous: bool = False,
) -> Tensor:
    """Term 2, prior latent conditioning: the mean KL of each posterior to what was expected of it.

    KL(q_0 ‖ N(0, I)) at the start; KL(q_t ‖ q_{t−1}) inside a session; KL(q_t ‖ p(·|z_{t−1})) at a session's first step.

    Args:
        mean, logvar: (T + 1, N, Z).
        ended: (T, N).
        prior_mean, prior_logvar: (T, N, Z), p(·|z_t) for t = 0 … T−1; None: the previous posterior throughout (VariBAD).
        detach_previous: stop gradients into q_{t−1}.
    """
    before_mean, before_logvar = mean[:-1], logvar[:-1]
    if detach_previous:
        before_mean, before_logvar = before_mean.detach(), before_logvar.detach()
    if prior_mean is not None and prior_logvar is not None:
        new = ended.bool().unsqueeze(-1)
        before_mean = torch.where(new, prior_mean, before_mean)
        before_logvar = torch.where(new, prior_logvar, before_logvar)
    zero = torch.zeros_like(mean[:1])
    expected_mean, expected_logvar = torch.cat((zero, before_mean)), torch.cat((zero, before_logvar))
    return gaussian_kl(mean, logvar, expected_mean, expected_logvar).mean()


def consistency(mean: Tensor, logvar: Tensor, ended: Tensor, detach_end: bool = True) -> Tensor:
    """Term 3, session consistency: mean over steps inside sessions of max(0, KL(q_{t+1}‖q_end) − KL(q_t‖q_end)).

    Args:
        mean, logvar: (T + 1, N, Z).
        ended: (T, N).
        detach_end: stop gradients into q_end, the session's last posterior. The paper does not say; ours does by default,
            so that the term moves earlier posteriors towards the best informed one and not the reverse.
    """
    last = sessions_of(ended).last.unsqueeze(-1).expand_as(mean)  # (T + 1, N, Z)
    end_mean, end_logvar = mean.gather(0, last), logvar.gather(0, last)
    if detach_end:
        end_mean, end_logvar = end_mean.detach(), end_logvar.detach()
    distance = gaussian_kl(mean, logvar, end_mean, end_logvar)  # (T + 1, N)
    inside = ~ended.bool()  # t and t + 1 share a session
    farther = F.relu(distance[1:] - distance[:-1])
    return (farther * inside).sum() / inside.sum().clamp(min=1)


#: How many steps after d_u the head at h_t speaks of it: t = u + lag.
TERMINATION_LAG = {"just_ended": 1, "felt": 2, "ends_now": 0}


def termination_pairs(said: Tensor, ended: Tensor, target: str) -> tuple[Tensor, Tensor]:
    """What the termination head says, beside what it speaks of: (T + 1, N), (T, N) → two of one shape."""
    lag = TERMINATION_LAG[target]
    n = min(len(ended), len(said) - lag)
    return said[lag : lag + n], ended[:n]


def termination(logit: Tensor, ended: Tensor, target: str = "just_ended") -> Tensor:
    """Term 4: binary cross-entropy of d.

    Args:
        logit: (T + 1, N) of the head at h_t.
        ended: (T, N).
        target: ``just_ended``: h_t against d_{t−1}, where the state shows an end (a gridworld that starts anew);
            ``felt``: h_t against d_{t−2}, where only the first reward under the new latent, r_{t−1}, can tell;
            ``ends_now``: h_t against d_t.
    """
    predicted, happened = termination_pairs(logit, ended, target)
    return F.binary_cross_entropy_with_logits(predicted, happened.to(logit.dtype))
