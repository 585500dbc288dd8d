"""Stable-Baselines3's PPO on a care scene, through plain Gymnasium (pip install "dynamite-care[examples]").

    python examples/stable_baselines3_ppo.py
    python examples/stable_baselines3_ppo.py --scene scenes/Gridworld-v1 --steps 100000

PPO here has no memory and sees neither rewards nor past actions, so it cannot infer where it itches: the least that an
agent with a belief must beat.
"""

import argparse

import gymnasium as gym
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor

import scenes  # noqa: F401 (registers scenes/… with Gymnasium)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--scene", default="scenes/ScratchItch-v1")
    options.add_argument("--steps", type=int, default=50_000)
    options.add_argument("--rollout", type=int, default=2000, help="steps between two updates")
    options.add_argument("--episodes", type=int, default=20, help="to evaluate on, before and after")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--save", default=None, help="a .zip to keep the agent in")
    given = options.parse_args()

    scene = Monitor(gym.make(given.scene))
    scene.reset(seed=given.seed)
    agent = PPO(
        "MlpPolicy",
        scene,
        n_steps=given.rollout,
        batch_size=given.rollout // 10,
        seed=given.seed,
        device="cpu",
    )

    def score(when: str) -> None:
        test = Monitor(gym.make(given.scene))
        test.reset(seed=given.seed + 1000)
        mean, spread = evaluate_policy(agent, test, given.episodes)
        test.close()
        print(f"{when}: return {mean:.1f} ± {spread:.1f} over {given.episodes} episodes", flush=True)

    score("untrained")
    agent.learn(given.steps)
    score(f"after {agent.num_timesteps} steps")
    if given.save:
        agent.save(given.save)
    scene.close()


if __name__ == "__main__":
    main()
