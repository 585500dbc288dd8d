"""Gridworld with four kinds of context at once: which goal pays, which colour is rich, what lies there, and a wind.

The gridworld of DynaMITE-RL (arXiv 2402.15957, section 5.1) hides one bit. Here four fields beside one another make 40
latents; three are felt in the reward, one in the motion, and each changes what is best to do whatever the others are.
"""

from __future__ import annotations

import numpy as np

from scenes.control.grid import NEXT, place_of
from scenes.control.grid_picture import BLUE, GREEN, VERMILION, Mark
from scenes.control.grid_scene import GridOptions, GridScene
from scenes.errors import InputError
from scenes.latent import ChoiceField, LatentSpace
from scenes.session import Drift, Kernel, Termination

STEP_REWARD, OTHER_SHAPE_REWARD, POOR_REWARD, PRIZE_REWARD, TRAP_REWARD = -0.1, 0.0, 0.4, 1.0, -1.0
SHAPES, COLOURS, OBJECTS = ("disc", "square"), ("red", "blue"), ("prize", "trap")
#: In the order of :data:`scenes.control.grid.MOVES`, so that a wind's index is the move it adds.
WINDS = ("none", "up", "down", "left", "right")
#: The goals in the order in which they are seen.
GOALS = tuple((shape, colour) for shape in SHAPES for colour in COLOURS)


N_LATENTS = len(SHAPES) * len(COLOURS) * len(OBJECTS) * len(WINDS)


def _reward_table() -> np.ndarray:
    """(5, 8) float32 reward on no goal, then on each of GOALS, under every (goal, colours, object)."""
    table = np.full((1 + len(GOALS), 8), STEP_REWARD, np.float32)
    for number in range(8):
        pays, rich, lies = SHAPES[number // 4], COLOURS[number // 2 % 2], OBJECTS[number % 2]
        for row, (shape, colour) in enumerate(GOALS, start=1):
            if shape != pays:
                table[row, number] = OTHER_SHAPE_REWARD
            elif colour != rich:
                table[row, number] = POOR_REWARD
            else:
                table[row, number] = PRIZE_REWARD if lies == "prize" else TRAP_REWARD
    return table


REWARDS = _reward_table()


class GridworldContexts(GridScene):
    """Four goals in view, a disc and a square in red and in blue; what they pay and where the wind blows is hidden.

    **Action** Discrete(5): stay, up, down, left, right; with ``actions=4`` without staying. After the move the wind, with
    probability 0.7, pushes the agent one cell further (the border stops it): resting means walking against it.
    **Observation** (82,) float32, one-hot: row, column (5 + 5), and row and column offset (9 + 9) to the red disc, the blue
    disc, the red square and the blue square; with ``exact_belief`` 40 more entries, the exact Bayes probability of every
    latent (``wind`` running fastest, then ``object``, ``colours``, ``goal``).

    ===========  ==============================  ============================================  =======================
    **latent**   values                          means                                         is felt in
    ===========  ==============================  ============================================  =======================
    ``goal``     disc, square                    the shape that pays                           the reward on any goal
    ``colours``  red, blue                       the colour that is rich                       the reward on that shape
    ``object``   prize, trap                     what lies on the rich goal of that shape      the reward there
    ``wind``     none, up, down, left, right     the move that is added to every move          the next position
    ===========  ==============================  ============================================  =======================

    ==============================================  ==========  ====================================================
    **reward** of the cell reached                              so it is best to rest on
    ==============================================  ==========  ====================================================
    goal of the paying shape in the rich colour     1 or −1     it, if ``object`` is prize (1; a trap is −1)
    goal of the paying shape in the other colour    0.4         it, if ``object`` is trap
    goals of the other shape                        0
    any other cell                                  −0.1
    ==============================================  ==========  ====================================================

    **Privileged** features (9): which of the four goals is best, and the wind, both one-hot.
    **Sessions** end with p = 0.04 per step; then every field is drawn afresh with probability 0.5, independently of the
    others. **Start** (0, 0), and when a session ends the agent returns there. **Episode**: 60 steps. **Success**: the goal
    that was best was reached at least once.

    ========================  ================================  ================  =======================================
    option                    allowed                           default           meaning
    ========================  ================================  ================  =======================================
    ``gust``                  from 0 to 1                       0.7               probability that the wind pushes at a step
    ``actions``               4, 5                              5                 with 4 an agent cannot stay
    ``start``                 corner, random, [row, column]     corner            where an episode starts
    ``goals``                 random, four cells [row, column]  random            as :data:`GOALS`; uniform over different
                                                                                  cells, none of them the start
    ``reset_on_session_end``  true, false                       true              a new session starts where the episode did
    ``termination``           p from 0 to 1, or a Termination   0.04              when sessions end
    ``kernel``                uniform, drift, alternate,        drift, switch     what the next latent is
                              or {name: …, …}                   0.5
    ``exact_belief``          true, false                       false             append the exact filter's answer
    ``episode_length``        steps, 1 or more                  60
    ``render_mode``           None, rgb_array                   None
    ========================  ================================  ================  =======================================

    Returns with the defaults (``python -m scenes.control.gridworld_contexts_solver``): oracle 23.51 ± 0.05, the likeliest
    latent under the exact belief taken for certain 18.04 ± 0.47, the best plan without a belief 1.51 ± 0.03, random
    −4.36 ± 0.02. The best without seeing the latent lies between the first two.

    **Version history**: v1, the first.
    """

    n_privileged = len(GOALS) + len(WINDS)
    dynamics_fields = ("wind",)

    def __init__(
        self,
        termination: Termination | float = 0.04,
        kernel: Kernel | str | dict = Drift(switch=0.5),  # noqa: B008 (frozen)
        gust: float = 0.7,
        actions: int = 5,
        start: str | list[int] = "corner",
        goals: str | list[list[int]] = "random",
        reset_on_session_end: bool = True,
        exact_belief: bool = False,
        episode_length: int = 60,
        render_mode: str | None = None,
    ) -> None:
        if isinstance(gust, bool) or not isinstance(gust, (int, float)) or not 0.0 <= gust <= 1.0:
            raise InputError("gust", gust, "a probability from 0 to 1")
        space = LatentSpace(
            (
                ChoiceField("goal", "Shape that pays", SHAPES),
                ChoiceField("colours", "Rich colour", COLOURS),
                ChoiceField("object", "On the rich goal", OBJECTS),
                ChoiceField("wind", "Wind", WINDS),
            )
        )
        options = GridOptions(
            actions, start, goals, reset_on_session_end, exact_belief, episode_length, render_mode
        )
        super().__init__(space, termination, kernel, len(GOALS), options, n_belief=N_LATENTS)
        self.gust = float(gust)

    def land(
        self, cells: np.ndarray, moves: np.ndarray, latents: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        wind = latents[:, 3].astype(np.intp)
        if self.gust < 1.0:
            wind[rng.random(len(cells)) >= self.gust] = 0
        return NEXT[NEXT[cells, moves], wind]

    def pay(
        self, cells: np.ndarray, goals: np.ndarray, latents: np.ndarray, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        number = (4 * latents[:, 0] + 2 * latents[:, 1] + latents[:, 2]).astype(np.intp)
        reward = REWARDS[goal_reached(cells, goals), number]
        return reward, reward == REWARDS.max(0)[number]

    def likelihood(
        self, before: np.ndarray, moves: np.ndarray, after: np.ndarray, goals: np.ndarray, reward: np.ndarray
    ) -> np.ndarray:
        stepped = NEXT[before, moves]
        moved = self.gust * (NEXT[stepped] == after[:, None])  # (N, winds)
        moved += (1 - self.gust) * (stepped == after)[:, None]
        paid = REWARDS[goal_reached(after, goals)] == reward[:, None]  # (N, 8)
        return (paid[:, :, None] * moved[:, None]).reshape(-1, N_LATENTS)

    def likelihood_of_reward(
        self, before: np.ndarray, moves: np.ndarray, goals: np.ndarray, reward: np.ndarray
    ) -> np.ndarray:
        blown = NEXT[NEXT[before, moves]]  # (N, winds); the first is no wind
        reached = np.stack([goal_reached(cells, goals) for cells in blown.T], 1)
        paid = (REWARDS[reached] == reward[:, None, None]).transpose(0, 2, 1)  # (N, 8, winds)
        return (self.gust * paid + (1 - self.gust) * paid[:, :, :1]).reshape(-1, N_LATENTS)

    def privileged_features(self, vectors: np.ndarray) -> np.ndarray:
        """One-hot: the goal that is best, and the wind. From vectors: shape, colour, object (2 each), wind (5)."""
        best_colour = np.where(
            vectors[:, 4:5] == 1, vectors[:, 2:4], vectors[:, 3:1:-1]
        )  # a trap lies on the rich one
        best = vectors[:, :2, None] * best_colour[:, None]  # (N, shapes, colours)
        return np.concatenate((best.reshape(-1, len(GOALS)), vectors[:, 6:]), 1)

    def marks(self, truth: bool) -> list[Mark]:
        places = [place_of(cell) for cell in self._layout[0]]
        marks = [
            Mark(
                place,
                "disc" if shape == "disc" else "square",
                VERMILION if colour == "red" else BLUE,
                colour[0],
            )
            for place, (shape, colour) in zip(places, GOALS, strict=True)
        ]
        if truth:
            best = int(self._privileged_features()[: len(GOALS)].argmax())
            marks.append(Mark(places[best], "ring", GREEN))
        return marks


def goal_reached(cells: np.ndarray, goals: np.ndarray) -> np.ndarray:
    """(N,) row of REWARDS of the cells (N,): 0, or 1 + the number of the goal among goals (N, 4)."""
    return sum(
        (number * (cells == goals[:, number - 1]) for number in range(2, 1 + len(GOALS))),
        cells == goals[:, 0],
    )
