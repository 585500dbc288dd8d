"""What do policies get as the hidden preference changes more and more often?

    python examples/session_lengths.py
    python examples/session_lengths.py --scene gridworld --policies random dynamite --lengths 5 20 --episodes 200

Every session lasts so many steps, then the preference is another one. No policy is told when.
"""

import argparse

from dynamite.evaluate import evaluate
from policies import load
from scenes import make_scene
from scenes.session import FixedLength


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--scene", default="scratch_itch")
    known = ["random", "pretrained/dynamite", "scripted/scratch_itch"]
    options.add_argument("--policies", nargs="+", default=known, help="`robot-app policies` lists them")
    options.add_argument("--lengths", type=int, nargs="+", default=[20, 50, 100, 200], help="steps")
    options.add_argument("--episodes", type=int, default=20)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()

    print("mean return [95 % interval]")
    print(f"{'session':>7}  " + "  ".join(f"{name:>26}" for name in given.policies))
    for length in given.lengths:
        cells = []
        for name in given.policies:
            scene = make_scene(given.scene, termination=FixedLength(length))
            scores = evaluate(lambda scene=scene: scene, load(name, scene), given.episodes, given.seed)
            low, high = scores["return_ci95"]
            cells.append(f"{scores['return_mean']:8.2f} [{low:.2f}, {high:.2f}]")
        print(f"{length:7}  " + "  ".join(f"{cell:>26}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
