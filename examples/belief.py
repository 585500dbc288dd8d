"""Make a scene, load a policy, run an episode and read its belief: three lines. The rest prints them.

python examples/belief.py
python examples/belief.py --scene gridworld --policy pretrained/varibad
"""

import argparse
import itertools

from dynamite.acting import play
from policies import load
from scenes import make_scene


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--scene", default="scratch_itch")
    options.add_argument("--policy", default="pretrained/dynamite")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--steps", type=int, default=200)
    options.add_argument("--every", type=int, default=10, help="steps between two lines")
    given = options.parse_args()

    scene = make_scene(given.scene)
    policy = load(given.policy, scene)
    frames = list(itertools.islice(play(scene, policy, given.seed), given.steps + 1))

    def words(latent: dict) -> str:
        return " · ".join(scene.latent_space[name].to_text(value) for name, value in latent.items())

    print(f"{'step':>4}  {'reward':>7}  {'p(end)':>6}  {'believed':28}  true")
    for frame in frames[:: given.every]:
        belief = frame.belief
        p_end = "–" if belief is None or belief.p_session_end is None else f"{belief.p_session_end:.2f}"
        believed = "–" if belief is None else words(belief.likeliest(scene.latent_space))
        print(f"{frame.t:4}  {frame.reward:7.2f}  {p_end:>6}  {believed:28}  {words(frame.latent)}")
    print(f"return {sum(frame.reward for frame in frames):.1f}, {frames[-1].session + 1} sessions")
    scene.close()


if __name__ == "__main__":
    main()
