"""The belief model of SeCBAD: an encoder that starts anew where the current segment most likely began.

Chen et al., An Adaptive Deep RL Method for Non-Stationary Environments with Piecewise Stable Context, arXiv 2212.12735.
Training knows where sessions begin, and restarts the encoder there; acting carries a few hypotheses of it
(:mod:`dynamite.segments`), each with an encoder memory of its own, and shows the policy the most likely one's posterior.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from dynamite.belief_model import BeliefModel, Episodes
from dynamite.config import Config
from dynamite.encoder import Encoder, Memory, Posterior
from dynamite.objective import sessions_of
from dynamite.segment_likelihood import TransitionLikelihood
from dynamite.segments import Hazard, advance
from dynamite.spec import SceneSpec


class Hypotheses(NamedTuple):
    """What N copies remember of K hypotheses; behind it in the memory come the encoders' own, (N, K, …).

    Attributes:
        log_weight: (N, K) log b(age); −inf: no hypothesis.
        age: (N, K) int64, transitions since the hypothesis' first step.
        clock: (N,) int64, steps seen in this episode.
        state: (N, S) the last state.
        mean, logvar: (N, K, Z) each hypothesis' posterior.
    """

    log_weight: Tensor
    age: Tensor
    clock: Tensor
    state: Tensor
    mean: Tensor
    logvar: Tensor


class SegmentBeliefModel(BeliefModel):
    """A belief about the current segment only, and about how long it has lasted."""

    def __init__(self, spec: SceneSpec, config: Config) -> None:
        super().__init__(spec, config)
        self.n_hypotheses = config.encoder.hypotheses
        self.n_observation, self.n_latent = spec.n_observation, config.encoder.latent
        self.hazard = Hazard(spec.episode_length)
        self.likelihood = TransitionLikelihood(spec.n_observation, config.encoder.latent, config.decoder)

    # ------------------------------------------------------------------------------------------ learning
    def encode(self, episodes: Episodes) -> Posterior:
        """Posteriors (T + 1, N, ·), the encoder restarted at every true session's first step."""
        posterior = encode_sessions(self.encoder, episodes)
        clock = torch.arange(len(episodes.states), device=episodes.states.device).view(
            -1, 1, 1
        )  # (T + 1, 1, 1)
        age = clock - sessions_of(episodes.ended).first.unsqueeze(-1)  # (T + 1, N, 1)
        p_end = self.ended(torch.ones_like(age, dtype=posterior.mean.dtype), age, clock)
        return posterior._replace(p_end=p_end)

    def session_prior(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """N(0, I) at a session's first step: what came before is forgotten. (T, N, Z) → mean, logvar (T, N, Z)."""
        return torch.zeros_like(z), torch.zeros_like(z)

    def update_statistics(self, episodes: Episodes, posterior: Posterior) -> None:
        """Count the true ends for the age-transition prior; measure the decoders' errors for the likelihood."""
        self.hazard.update(episodes.ended)
        self.likelihood.update(
            (self.reward_decoder, self.state_decoder),
            posterior.mean,
            episodes.states,
            episodes.actions,
            episodes.rewards,
        )

    # ------------------------------------------------------------------------------------------ acting
    def infer(self, episodes: Episodes) -> Posterior:
        """Posteriors (T + 1, N, ·) as the agent has them while acting, from whole episodes; their ``ended`` is not read."""
        memory = self.initial(episodes.states.shape[1])
        action, reward = torch.zeros_like(episodes.actions[0]), torch.zeros_like(episodes.rewards[0])
        steps = []
        for t, state in enumerate(episodes.states):
            posterior, memory = self.step(state, action, reward, memory)
            steps.append(posterior)
            if t < len(episodes.actions):
                action, reward = episodes.actions[t], episodes.rewards[t]
        return Posterior(*(torch.stack(same) for same in zip(*steps, strict=True)))

    def initial(self, n: int) -> Memory:
        """No hypothesis yet: the first step starts one, and its weight is 1."""
        k, like = self.n_hypotheses, self.likelihood.noise
        hypotheses = Hypotheses(
            log_weight=like.new_full((n, k), -torch.inf),
            age=like.new_zeros(n, k, dtype=torch.int64),
            clock=like.new_zeros(n, dtype=torch.int64),
            state=like.new_zeros(n, self.n_observation),
            mean=like.new_zeros(n, k, self.n_latent),
            logvar=like.new_zeros(n, k, self.n_latent),
        )
        return (*hypotheses, *(tensor.unflatten(0, (n, k)) for tensor in self.encoder.initial(n * k)))

    def step(self, state: Tensor, action: Tensor, reward: Tensor, memory: Memory) -> tuple[Posterior, Memory]:
        """Weigh the hypotheses by what the last transition showed, add a new one, and encode the step under each.

        The posterior is that of the most likely hypothesis; its ``p_end`` is of all of them.
        """
        n_fields = len(Hypotheses._fields)
        before, memories = Hypotheses(*memory[:n_fields]), memory[n_fields:]
        log_likelihood = self.likelihood(
            (self.reward_decoder, self.state_decoder),
            before.mean,
            before.logvar,
            torch.stack((before.state, state)),
            action,
            reward,
        )
        log_weight, age, place = advance(
            before.log_weight, before.age, log_likelihood, self.hazard(before.age)
        )
        n, k = age.shape
        fresh = torch.zeros_like(age, dtype=torch.bool).scatter(-1, place, True).flatten()  # (N · K)

        def rows(x: Tensor) -> Tensor:
            return x.repeat_interleave(k, 0)

        posterior, memories = self.encoder.step(
            rows(state),
            rows(action).masked_fill(fresh.unsqueeze(-1), 0.0),
            rows(reward).masked_fill(fresh, 0.0),
            tuple(
                torch.where(fresh.view(-1, *[1] * (old.dim() - 2)), start, old.flatten(0, 1))
                for start, old in zip(self.encoder.initial(n * k), memories, strict=True)
            ),
        )
        mean, logvar, hidden = (x.unflatten(0, (n, k)) for x in posterior[:3])
        best = log_weight.argmax(-1)
        copies = torch.arange(n, device=best.device)
        p_end = self.ended(log_weight.exp(), age, before.clock.unsqueeze(-1))
        after = Hypotheses(log_weight, age, before.clock + 1, state, mean, logvar)
        return (
            Posterior(mean[copies, best], logvar[copies, best], hidden[copies, best], p_end),
            (*after, *(tensor.unflatten(0, (n, k)) for tensor in memories)),
        )

    def ended(self, weight: Tensor, age: Tensor, clock: Tensor) -> Tensor:
        """p(d) of the transition that ``objective.termination_target`` names: (…, K) weights and ages → (…).

        A segment of age 0 began with the end of the transition just seen; one of age 1 with that of the transition before,
        so that the one just seen was the first to tell of it. Before any has been seen the former is the hazard, whatever
        happened. The start of an episode, where ``clock`` equals the age, is no end.
        """
        if self.config.termination_target == "ends_now":
            return (weight * self.hazard(age)).sum(-1)
        wanted = {"just_ended": 0, "felt": 1}[self.config.termination_target]
        return (weight * ((age == wanted) & (age < clock))).sum(-1)


def encode_sessions(encoder: Encoder, episodes: Episodes) -> Posterior:
    """Every true session encoded on its own, (T + 1, N, ·): as if an episode began with it.

    Sessions are laid side by side as short episodes, in groups of similar length, because an encoder runs over whole
    episodes far faster than step by step.
    """
    n_steps, n = episodes.states.shape[:2]
    device = episodes.states.device
    sessions = sessions_of(episodes.ended)
    begins = sessions.first == torch.arange(n_steps, device=device).unsqueeze(1)  # (T + 1, N)
    first, episode = begins.nonzero(as_tuple=True)  # (B,) each
    length = (sessions.last - sessions.first + 1)[begins]
    states, actions, rewards = (
        x.flatten(0, 1) for x in (episodes.states, episodes.actions, episodes.rewards)
    )
    parts: list[Posterior] = []
    # Which row of the joined parts is posterior (t, n).
    source = torch.empty(n_steps * n, dtype=torch.int64, device=device)
    done, low = 0, 0
    while low < n_steps:
        high = max(4, 2 * low)
        chosen = ((length > low) & (length <= high)).nonzero().squeeze(-1)
        low = high
        if not len(chosen):
            continue
        longest = max(2, int(length[chosen].max()))
        offset = torch.arange(longest, device=device).unsqueeze(1)
        time = first[chosen] + offset  # (P, B)
        # Beyond a session's own steps anything may follow: encoders look back only.
        step_rows = time.clamp(max=n_steps - 1) * n + episode[chosen]
        move_rows = time[:-1].clamp(max=n_steps - 2) * n + episode[chosen]
        parts.append(encoder(_rows(states, step_rows), _rows(actions, move_rows), _rows(rewards, move_rows)))
        inside = (offset < length[chosen]).flatten()
        source[step_rows.flatten()[inside]] = done + inside.nonzero().squeeze(-1)
        done += inside.numel()
    mean, logvar, hidden = (
        torch.cat([x.flatten(0, 1) for x in same]).index_select(0, source).unflatten(0, (n_steps, n))
        for same in zip(*(part[:3] for part in parts), strict=True)
    )
    return Posterior(mean, logvar, hidden)


def _rows(x: Tensor, index: Tensor) -> Tensor:
    """(R, …), (P, B) → (P, B, …)."""
    return x.index_select(0, index.flatten()).unflatten(0, index.shape)
