"""The demonstration: one agent, one person, two changes of what the person wants; in the window or as a film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from robot_app.commands.base import say
from robot_app.film import FilmSettings
from robot_app.film_outputs import FilmOutputs
from robot_app.recipe import SceneRecipe
from robot_app.recording import record, trained_recipe

SCENE = "scratch_itch"
#: When the itch moves, and where to; long enough apart to find it again and scratch.
SCRIPT: tuple[tuple[int, str], ...] = ((60, "forearm.dorsal@0.6"), (130, "upper_arm.lateral@0.5"))


def choose_policy(scene: str) -> str:
    """The packaged DynaMITE agent, else another that must find out too, else the scripted oracle, else random actions.

    Anything but the first is said on stderr, never taken silently.
    """
    from policies import list_policies

    available, best = list_policies(scene), "pretrained/dynamite"
    packaged = [name for name in available if name.startswith("pretrained/") and not name.endswith("oracle")]
    chosen = next(name for name in (best, *packaged, f"scripted/{scene}", "random") if name in available)
    if chosen != best:
        say(f"no {best} for {scene} in this installation: using {chosen}")
    return chosen


def demo_recipe(policy: str, steps: int | None = None) -> SceneRecipe:
    """The demo's scene, the changes of :data:`SCRIPT` as its schedule (those that come before ``steps``)."""
    changes = [{"step": at, "latent": value} for at, value in SCRIPT if steps is None or at < steps]
    # A schedule without changes would be no schedule: then sessions simply never end.
    termination: Any = {"schedule": changes} if changes else 0.0
    return trained_recipe(SceneRecipe(SCENE, termination=termination), policy)


def film_demo(
    policy: str,
    seed: int,
    out: Path,
    size: tuple[int, int],
    *,
    steps: int | None = None,
    force: bool = False,
    show_progress: bool = True,
) -> dict[str, Any]:
    """The demo without a screen: film, still, trace and episode under the name of ``out``.

    Returns:
        A summary, JSON-plain; see :func:`robot_app.recording.record`.
    """
    outputs = FilmOutputs(
        film=out,
        trace=out.with_suffix(".csv"),
        best=out.with_suffix(".png"),
        episode=out.with_suffix(".episode"),
    )
    return record(
        demo_recipe(policy, steps),
        policy,
        seed,
        FilmSettings(*size),
        outputs,
        steps=steps,
        force=force,
        show_progress=show_progress,
    )


def open_window(recipe: SceneRecipe, policy: str, seed: int, script: Sequence[tuple[int, str]] = ()) -> int:
    """Open the window; returns the exit code of the application."""
    from robot_app.window.app import run

    return run(scene=recipe, policy=policy, seed=seed, script=list(script))
