"""Film a person whose preference changes twice: an MP4, a CSV trace, and the episode folder that reproduces both.

python examples/film_a_change.py
python examples/film_a_change.py --changes "40:upper_arm.ventral@0.3" --size 1920x1080 --out out/mine.mp4
"""

import argparse
from pathlib import Path

from robot_app.episode import Episode
from robot_app.film import FilmSettings, parse_size
from robot_app.film_outputs import FilmOutputs
from robot_app.recipe import SceneRecipe
from robot_app.recording import record


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--scene", default="scratch_itch")
    options.add_argument("--policy", default="pretrained/dynamite")
    options.add_argument("--changes", default="60:forearm.dorsal,120:upper_arm", help="STEP:VALUE,…")
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--steps", type=int, default=None, help="stop early")
    options.add_argument("--size", default="1280x720", help="pixels")
    options.add_argument("--out", type=Path, default=Path("out/change.mp4"))
    given = options.parse_args()

    width, height = parse_size(given.size)
    outputs = FilmOutputs(
        given.out, trace=given.out.with_suffix(".csv"), episode=given.out.with_suffix(".episode")
    )
    made = record(
        SceneRecipe.parse(given.scene, changes=given.changes),
        given.policy,
        given.seed,
        FilmSettings(width, height),
        outputs,
        steps=given.steps,
        force=True,
    )
    print(
        f"{made['n_steps']} steps, return {made['episode_return']:.1f}, {made['n_pictures']} pictures: {given.out}"
    )

    episode = Episode.load(given.out.with_suffix(".episode"))  # what was recorded, to the last bit
    starts = [frame.t for frame in episode.frames if frame.changed]
    print(f"sessions began at steps {starts}; repeated bit for bit: {episode.verify().ok}")


if __name__ == "__main__":
    main()
